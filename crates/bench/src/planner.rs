//! How long the planner thinks: a pair of nodes with twenty services.

use crate::error::{Result, unexpected};
use crate::table::{Line, Spread};
use siaga_model::config::{
    ClientTest, ClientTestKind, Config, Database, DiskSet, DiskSetDriver, Document, Fence,
    FenceKind, FileSystem, FileSystemKind, Language, Node, Policy, Service, Site, VirtualIp,
};
use siaga_model::observation::{
    AddressAnswer, AddressSighting, AgentView, DatabaseState, DiskSighting, FenceState, FenceView,
    Holding, LedgerFacts, MountFact, NodeFacts, NodeView, Observation, Power, VirtualIpFact,
};
use siaga_model::plan::{MoveKind, Placement, Request};
use siaga_model::{NodeName, UtcMicros};
use std::net::IpAddr;
use std::time::{Duration, Instant};

const SERVICES: u8 = 20;
const PLANS: usize = 2000;
const GOAL_MS: f64 = 1.0;
const NODES: [&str; 2] = crate::lab::NODES;

/// Planned moves and takeovers of every service in turn.
pub fn measure() -> Result<Vec<Line>> {
    let config = config();
    let mut lines = Vec::new();
    for (name, kind, silent) in [
        (
            "planner: switchover, 20 services",
            MoveKind::Switchover,
            false,
        ),
        ("planner: takeover, 20 services", MoveKind::Takeover, true),
    ] {
        let mut took = Vec::with_capacity(PLANS);
        for number in 0..PLANS {
            let service = &config.services[number % config.services.len()];
            let observation = observation(&config, service, silent);
            let request = Request {
                kind,
                goal: Placement::ActiveOn(NODES[1].into()),
                attested: Vec::new(),
                may_fence: silent,
                accepts_old_data: false,
            };
            let begun = Instant::now();
            let plan = siaga_planner::plan(&config, &observation, &request, &[]);
            took.push(begun.elapsed().as_secs_f64() * 1e3);
            plan.map_err(|refusal| unexpected(format!("no plan: {:?}", refusal.code)))?;
        }
        lines.extend(Spread::of(&took).map(|s| Line::alone(name, "ms", s, Some(GOAL_MS))));
    }
    Ok(lines)
}

fn config() -> Config {
    Config {
        site: Site {
            name: "RSUD Contoh".into(),
            language: Language::English,
            time_zone: "Asia/Jakarta".into(),
        },
        document: Document::default(),
        people: Vec::new(),
        nodes: NODES
            .iter()
            .zip(11..)
            .map(|(name, last)| node(name, last))
            .collect(),
        services: (0..SERVICES).map(service).collect(),
        policy: Policy::default(),
        downtime: siaga_model::downtime::Downtime::default(),
    }
}

fn node(name: &str, last: u8) -> Node {
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
        name: name.into(),
        addresses: vec![(IpAddr::from([198, 51, 100, last]), 7443).into()],
        hardware_addresses: vec![format!("02:00:5e:00:53:{last:02x}")],
        fences: vec![
            fence("ipmi", FenceKind::Power),
            fence("san", FenceKind::Fabric),
        ],
        metrics: None,
    }
}

fn service(index: u8) -> Service {
    let name = format!("service{index}");
    let both = |text: &str| NODES.map(|n| (NodeName::from(n), text.to_owned())).to_vec();
    Service {
        preferred_node: NODES[0].into(),
        disk_set: DiskSet {
            driver: DiskSetDriver::Block,
            devices: NODES
                .map(|n| (n.into(), format!("/dev/disk/by-id/{name}").into()))
                .to_vec(),
        },
        file_systems: vec![FileSystem {
            kind: FileSystemKind::Ext4,
            mount_point: format!("/srv/{name}").into(),
            options: Vec::new(),
            devices: Vec::new(),
        }],
        virtual_ips: vec![VirtualIp {
            address: [192, 0, 2, 50 + index].into(),
            interfaces: both("eno1"),
        }],
        database: Database {
            bin_dir: "/usr/lib/postgresql/15/bin".into(),
            data_dir: format!("/srv/{name}/pg").into(),
            config_file: None,
            unit: None,
            port: 5432 + u16::from(index),
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
        name: name.as_str().into(),
    }
}

/// The service runs on the first node; `silent`: that node does not answer any more.
fn observation(config: &Config, service: &Service, silent: bool) -> Observation {
    let view = |node: &Node| {
        let me = node.name.as_str() == NODES[1];
        let agent = if me || !silent {
            AgentView::Answered {
                paths: vec!["198.51.100.11:7443".into()],
                facts: Box::new(facts(service, !me)),
            }
        } else {
            AgentView::Silent {
                paths_tried: vec!["198.51.100.11:7443".into()],
                late: false,
            }
        };
        let fence = |f: &Fence| FenceView {
            name: f.name.clone(),
            kind: f.kind,
            state: FenceState::Open,
        };
        NodeView {
            agent,
            power: Power::On,
            fences: node.fences.iter().map(fence).collect(),
            address: if me {
                AddressAnswer::Mine
            } else {
                AddressAnswer::Nobody
            },
        }
    };
    Observation {
        neighbours: Vec::new(),
        service: service.name.clone(),
        observer: NODES[1].into(),
        at: UtcMicros(1_800_000_000_000_000),
        nodes: config
            .nodes
            .iter()
            .map(|n| (n.name.clone(), view(n)))
            .collect(),
        probes: Vec::new(),
        addresses: service
            .virtual_ips
            .iter()
            .map(|v| AddressSighting {
                address: v.address,
                answer: AddressAnswer::Nobody,
            })
            .collect(),
        disk: DiskSighting::NoChangeSeen,
    }
}

fn facts(service: &Service, active: bool) -> NodeFacts {
    NodeFacts {
        boot: "boot-1".into(),
        disk: if active {
            Holding::Held {
                by: vec![siaga_model::Holder::InFlight],
            }
        } else {
            Holding::Free
        },
        mounts: service
            .file_systems
            .iter()
            .map(|f| MountFact {
                mount_point: f.mount_point.clone(),
                mounted: active,
                stranger: false,
            })
            .collect(),
        virtual_ips: service
            .virtual_ips
            .iter()
            .map(|v| VirtualIpFact {
                address: v.address,
                present: active,
            })
            .collect(),
        database: if active {
            DatabaseState::Ready
        } else {
            DatabaseState::Stopped
        },
        applications: Vec::new(),
        ledger: LedgerFacts::default(),
        unable: None,
        astray: Vec::new(),
    }
}
