//! The site that the simulation runs: one service or two, two nodes.

use crate::world::{NODES, SERVICES};
use siaga_model::config::{
    Application, ApplicationRun, Argv, ClientTest, ClientTestKind, Config, Database, DiskSet,
    DiskSetDriver, Document, Fence, FenceKind, FileSystem, FileSystemKind, Language, Node, Person,
    Policy, Role, Service, Site, VirtualIp,
};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Which fence devices the site has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fences {
    Power,
    Fabric,
    None,
}

/// The site's configuration, with one service.
pub fn config(fences: Fences) -> Config {
    Config {
        site: Site {
            name: "RSUD Contoh".into(),
            language: Language::English,
            time_zone: "Asia/Jakarta".into(),
        },
        document: Document::default(),
        people: vec![Person {
            name: "siti".into(),
            role: Role::Operator,
            login: None,
        }],
        nodes: (0..2).map(|i| node(i, fences)).collect(),
        services: vec![service(0)],
        policy: Policy::default(),
        downtime: siaga_model::downtime::Downtime::default(),
    }
}

/// The same site with two services on its pair of nodes.
pub fn two_services(fences: Fences) -> Config {
    let mut config = config(fences);
    config.services.push(service(1));
    config
}

/// The virtual address of a service, by its place in [`SERVICES`].
pub fn address(service: usize) -> IpAddr {
    IpAddr::from([192, 0, 2, if service == 0 { 222 } else { 223 }])
}

fn node(i: usize, fences: Fences) -> Node {
    let fence = |name: &str, kind| Fence {
        name: name.into(),
        kind,
        agent: "/usr/sbin/fence_example".into(),
        options: Vec::new(),
        secret_options: Vec::new(),
        outlets: Vec::new(),
        timeout: Duration::from_secs(10),
    };
    Node {
        name: NODES[i].into(),
        addresses: vec![SocketAddr::from((
            [192, 0, 2, if i == 0 { 11 } else { 12 }],
            7391,
        ))],
        hardware_addresses: vec![format!("02:00:00:00:00:0{}", i + 1)],
        fences: match fences {
            Fences::Power => vec![fence("power", FenceKind::Power)],
            Fences::Fabric => vec![fence("fabric", FenceKind::Fabric)],
            Fences::None => Vec::new(),
        },
        metrics: None,
    }
}

fn service(place: usize) -> Service {
    let program = || Argv(vec!["/bin/true".into()]);
    Service {
        name: SERVICES[place].into(),
        preferred_node: NODES[0].into(),
        disk_set: DiskSet {
            driver: DiskSetDriver::Block,
            devices: NODES
                .iter()
                .map(|n| ((*n).into(), "/dev/sdb".into()))
                .collect(),
        },
        file_systems: vec![FileSystem {
            kind: FileSystemKind::Ext4,
            mount_point: format!("/srv/{}", SERVICES[place]).into(),
            options: Vec::new(),
            devices: Vec::new(),
        }],
        virtual_ips: vec![VirtualIp {
            address: address(place),
            interfaces: NODES
                .iter()
                .map(|n| ((*n).into(), "eth0".to_owned()))
                .collect(),
        }],
        database: Database {
            bin_dir: "/usr/lib/postgresql/15/bin".into(),
            data_dir: format!("/srv/{}/pg", SERVICES[place]).into(),
            config_file: None,
            unit: None,
            port: 5432,
            os_user: "postgres".into(),
            socket_dir: "/run/postgresql".into(),
            check_user: "postgres".into(),
            check_database: "postgres".into(),
            stop_fast: Duration::from_secs(30),
            stop_immediate: Duration::from_secs(10),
            start_stalled: Duration::from_secs(60),
        },
        applications: vec![Application {
            name: "web".into(),
            run: ApplicationRun::Programs {
                start: program(),
                stop: program(),
                status: None,
            },
            test: None,
            timeout: Duration::from_secs(10),
        }],
        client_tests: vec![ClientTest {
            name: "probe".into(),
            kind: ClientTestKind::Probe,
            timeout: Duration::from_secs(5),
        }],
        after_move: Vec::new(),
        backup: None,
        rehearsal: siaga_model::config::Rehearsal::default(),
    }
}
