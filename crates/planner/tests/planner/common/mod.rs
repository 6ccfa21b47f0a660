//! The worlds that the tests are written in: a fictitious hospital with two servers, and a short form for what is
//! seen of them. `snapshots/README.md` explains the form.

pub mod invariants;
pub mod short;

use siaga_model::PersonName;
use siaga_model::config::{
    Application, ApplicationRun, Argv, Below, ClientTest, ClientTestKind, Config, Database,
    DiskSet, DiskSetDriver, Document, Fence, FenceKind, FileSystem, FileSystemKind, Language,
    NamedCommand, Node, Person, Policy, Role, Service, Site, VirtualIp,
};
use std::net::IpAddr;
use std::time::Duration;

/// The site's two servers.
pub const NODES: [&str; 2] = ["serverdb", "backup"];
/// The first virtual address of a service, by its place in the configuration.
pub fn vip(service: usize) -> IpAddr {
    IpAddr::from([192, 0, 2, 50 + u8::try_from(service).unwrap()])
}

/// The configurations that snapshots name.
///
/// - `pair`: each node has a power fence `ipmi` and a fabric fence `san`;
/// - `no-fence`: none;
/// - `hospital`: as `pair`, with an application and a pool on another host to tell after a move;
/// - `two-services`: as `pair`, with a second service on the same nodes;
/// - `pair-reserved`, `two-services-reserved`: the same, with persistent reservations on the first disk set;
/// - `replica`: as `pair`, on DRBD;
/// - `reserved`: these, and no device; `volume-group`, `volume-group-reserved`: a volume group, and no device.
pub fn config(name: &str) -> Config {
    let mut config = Config {
        site: Site {
            name: "RSUD Contoh".into(),
            language: Language::English,
            time_zone: "Asia/Jakarta".into(),
        },
        document: Document::default(),
        people: vec![Person {
            name: PersonName::new("budi"),
            role: Role::Operator,
            login: None,
        }],
        nodes: (0..2).map(node).collect(),
        services: vec![service("simrs", 0)],
        policy: Policy::default(),
        downtime: siaga_model::downtime::Downtime::default(),
    };
    let name = match name.split_once("-reserved") {
        Some((first, "")) => {
            config.services[0].disk_set.driver = DiskSetDriver::Scsi;
            first
        }
        _ => name,
    };
    match name {
        "reserved" => {
            config.services[0].disk_set.driver = DiskSetDriver::Scsi;
            config.nodes.iter_mut().for_each(|n| n.fences.clear());
        }
        "replica" => {
            let resource = "simrs".into();
            config.services[0].disk_set.driver = DiskSetDriver::Drbd { resource };
        }
        "volume-group" => {
            let set = &mut config.services[0].disk_set;
            let on = (set.driver == DiskSetDriver::Scsi).then(|| Below::Scsi(set.devices.clone()));
            let volume_group = "vg_simrs".into();
            set.driver = DiskSetDriver::Lvm { volume_group, on };
            config.nodes.iter_mut().for_each(|n| n.fences.clear());
        }
        "pair" => {}
        "no-fence" => config.nodes.iter_mut().for_each(|n| n.fences.clear()),
        "hospital" => {
            let argv = |program: &str| Argv(vec![program.into()]);
            config.services[0].applications = vec![Application {
                name: "web".into(),
                run: ApplicationRun::Unit("tomcat10.service".into()),
                test: None,
                timeout: Duration::from_secs(60),
            }];
            config.services[0].after_move = vec![NamedCommand {
                name: "reset-pool".into(),
                run: argv("/usr/local/bin/reset-pool"),
                timeout: Duration::from_secs(15),
            }];
        }
        "two-services" => config.services.push(service("pacs", 1)),
        other => panic!("no configuration is called {other}"),
    }
    config
}

fn node(index: usize) -> Node {
    let last = u8::try_from(index).unwrap() + 11;
    let fence = |name: &str, kind| Fence {
        name: name.into(),
        kind,
        agent: format!("/usr/sbin/fence_{name}").into(),
        options: Vec::new(),
        secret_options: Vec::new(),
        outlets: Vec::new(),
        timeout: Duration::from_secs(20),
    };
    Node {
        name: NODES[index].into(),
        addresses: vec![(IpAddr::from([198, 51, 100, last]), 7443).into()],
        hardware_addresses: vec![hardware(NODES[index])],
        // The fabric fence stands first: that power is tried first is the planner's own order.
        fences: vec![
            fence("san", FenceKind::Fabric),
            fence("ipmi", FenceKind::Power),
        ],
        metrics: None,
    }
}

/// The registered hardware address of a node.
pub fn hardware(node: &str) -> String {
    if node == NODES[0] {
        "02:00:5e:00:53:11".into()
    } else {
        "02:00:5e:00:53:21".into()
    }
}

/// One service. Services differ in name, address, mount point and port.
pub fn service(name: &str, index: usize) -> Service {
    let both = |text: &str| {
        NODES
            .iter()
            .map(|n| ((*n).into(), text.into()))
            .collect::<Vec<_>>()
    };
    Service {
        name: name.into(),
        preferred_node: NODES[0].into(),
        disk_set: DiskSet {
            driver: DiskSetDriver::Block,
            devices: NODES
                .iter()
                .map(|n| ((*n).into(), format!("/dev/disk/by-id/{name}").into()))
                .collect(),
        },
        file_systems: vec![FileSystem {
            kind: FileSystemKind::Ext4,
            mount_point: format!("/srv/{name}").into(),
            options: Vec::new(),
            devices: Vec::new(),
        }],
        virtual_ips: vec![VirtualIp {
            address: vip(index),
            interfaces: both("eno1"),
        }],
        database: Database {
            bin_dir: "/usr/lib/postgresql/15/bin".into(),
            data_dir: format!("/srv/{name}/postgresql").into(),
            config_file: None,
            unit: None,
            port: 5432 + u16::try_from(index).unwrap(),
            os_user: "postgres".into(),
            socket_dir: "/run/postgresql".into(),
            check_user: "postgres".into(),
            check_database: "postgres".into(),
            stop_fast: Duration::from_secs(30),
            stop_immediate: Duration::from_secs(10),
            start_stalled: Duration::from_secs(120),
        },
        applications: Vec::new(),
        client_tests: vec![ClientTest {
            name: "rows".into(),
            kind: ClientTestKind::Probe,
            timeout: Duration::from_secs(10),
        }],
        after_move: Vec::new(),
        backup: None,
        rehearsal: siaga_model::config::Rehearsal::default(),
    }
}
