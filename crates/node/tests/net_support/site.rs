//! A site of two nodes on the hosts of a small network.

use super::Net;
use super::vip::{V4, V6};
use siaga_model::NodeName;
use siaga_model::config::{
    Config, Database, DiskSet, DiskSetDriver, Document, Language, Node, Policy, Service, Site,
    VirtualIp,
};
use std::net::IpAddr;
use std::time::Duration;

/// Host 0 is `backup`, which looks; host 1 is `serverdb`; any other host is a stranger.
pub fn config(net: &Net) -> Config {
    let node = |name: &str, n: usize| Node {
        name: name.into(),
        addresses: vec![format!("192.0.2.{}:7443", 11 + n).parse().unwrap()],
        hardware_addresses: vec![net.hosts[n].hardware.clone()],
        fences: Vec::new(),
        metrics: None,
    };
    let interfaces = vec![
        ("backup".into(), net.hosts[0].interface.clone()),
        ("serverdb".into(), "eno1".into()),
    ];
    let ip = |address: IpAddr| VirtualIp {
        address,
        interfaces: interfaces.clone(),
    };
    Config {
        site: Site {
            name: "RSUD Contoh".into(),
            language: Language::English,
            time_zone: "Asia/Jakarta".into(),
        },
        document: Document::default(),
        people: Vec::new(),
        nodes: vec![node("backup", 0), node("serverdb", 1)],
        services: vec![Service {
            name: "simrs".into(),
            preferred_node: "serverdb".into(),
            disk_set: DiskSet {
                driver: DiskSetDriver::Block,
                devices: Vec::new(),
            },
            file_systems: Vec::new(),
            virtual_ips: vec![ip(V4.into()), ip(V6.into())],
            database: database(),
            applications: Vec::new(),
            client_tests: Vec::new(),
            after_move: Vec::new(),
            backup: None,
            rehearsal: siaga_model::config::Rehearsal::default(),
        }],
        policy: Policy::default(),
        downtime: siaga_model::downtime::Downtime::default(),
    }
}

pub fn database() -> Database {
    Database {
        bin_dir: "/usr/lib/postgresql/15/bin".into(),
        data_dir: "/srv/simrs/main".into(),
        config_file: None,
        unit: None,
        port: 5432,
        os_user: "postgres".into(),
        socket_dir: "/run/postgresql".into(),
        check_user: "postgres".into(),
        check_database: "postgres".into(),
        stop_fast: Duration::from_secs(30),
        stop_immediate: Duration::from_secs(10),
        start_stalled: Duration::from_secs(120),
    }
}

pub fn me() -> NodeName {
    "backup".into()
}

pub fn victim() -> NodeName {
    "serverdb".into()
}
