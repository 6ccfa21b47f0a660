//! Reads the short form of observations, requests and proofs. Every key is known, or it panics: a typing error in a
//! snapshot must not pass as an ordinary world.

use super::{NODES, hardware, vip};
use serde_json::{Map, Value, json};
use siaga_model::config::{Config, FenceKind, Node};
use siaga_model::mandate::Epoch;
use siaga_model::observation::{
    AddressAnswer, AddressSighting, AgentView, DatabaseState, DiskSighting, FenceState, FenceView,
    Holding, Known, LastTake, LedgerFacts, MountFact, Neighbour, NeighbourRun, NodeFacts, NodeView,
    Observation, Power, Presence, ProbeSighting, VirtualIpFact,
};
use siaga_model::plan::{MoveKind, Placement, Request};
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::reservation::RESERVATION;
use siaga_model::{NodeName, UtcMicros};
use std::collections::BTreeMap;

/// The moment of every observation.
const NOW: UtcMicros = UtcMicros(1_700_000_000_000_000);

/// Takes known keys out of an object; what is left over is an error.
pub struct Keys<'a> {
    what: &'a str,
    map: Map<String, Value>,
}

impl<'a> Keys<'a> {
    pub fn of(what: &'a str, value: &Value) -> Self {
        let map = value
            .as_object()
            .unwrap_or_else(|| panic!("{what}: not an object: {value}"));
        Self {
            what,
            map: map.clone(),
        }
    }
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key)
    }
    pub fn end(self) {
        let left: Vec<&String> = self.map.keys().collect();
        assert!(left.is_empty(), "{}: unknown keys {left:?}", self.what);
    }
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{e}: {value}"))
}

/// An observation.
pub fn observation(config: &Config, value: &Value) -> Observation {
    let mut keys = Keys::of("observation", value);
    let observer = keys
        .take("observer")
        .map_or("backup".into(), |v| NodeName::from(text(&v)));
    let mut nodes = BTreeMap::new();
    for node in &config.nodes {
        let seen = keys
            .take(node.name.as_str())
            .unwrap_or_else(|| json!("free"));
        nodes.insert(node.name.clone(), node_view(config, node, &observer, &seen));
    }
    let probes = keys.take("probes").unwrap_or_else(|| json!([]));
    let addresses = keys.take("addresses").unwrap_or_else(|| json!({}));
    let disk = match keys.take("disk").as_ref().map(text) {
        None => DiskSighting::NotLooked {
            why: "not asked".into(),
        },
        Some("changing") => DiskSighting::Changing,
        Some("no-change") => DiskSighting::NoChangeSeen,
        Some(other) => panic!("disk: {other}"),
    };
    let neighbours = keys.take("neighbours").unwrap_or_else(|| json!({}));
    keys.end();
    Observation {
        service: config.services[0].name.clone(),
        observer,
        at: NOW,
        nodes,
        probes: probes.as_array().unwrap().iter().map(probe).collect(),
        addresses: addresses
            .as_object()
            .unwrap()
            .iter()
            .map(|(a, v)| address(a, v))
            .collect(),
        disk,
        neighbours: neighbours
            .as_object()
            .unwrap()
            .iter()
            .map(|(service, v)| neighbour(config, service, v))
            .collect(),
    }
}

/// `{ "serverdb": "held", "probes": [], "run": { "coordinator": "serverdb", "live": true, "acts_on": ["serverdb"] } }`.
/// Left out, nothing is known of it; `acts_on` left out is not known either.
fn neighbour(config: &Config, service: &str, value: &Value) -> Neighbour {
    let service = service.into();
    assert!(config.service(&service).is_some(), "no service {service}");
    let mut keys = Keys::of("neighbour", value);
    let mut on = BTreeMap::new();
    for node in NODES {
        let presence = match keys.take(node).as_ref().map(text) {
            None => continue,
            Some("absent") => Known::Known(Presence::Absent),
            Some("held") => Known::Known(Presence::Held),
            Some("running") => Known::Known(Presence::Running),
            Some("unknown") => Known::Unknown {
                why: "it does not answer".into(),
            },
            Some(other) => panic!("a service is not \"{other}\" there"),
        };
        on.insert(node.into(), presence);
    }
    let probes = keys.take("probes").unwrap_or_else(|| json!([]));
    let run = keys.take("run").map(|mut value| {
        let acts_on = value.as_object_mut().unwrap().remove("acts_on");
        NeighbourRun {
            run: run(&value),
            acts_on: acts_on.map_or(Known::Unknown { why: "new".into() }, |v| {
                Known::Known(parsed(v))
            }),
        }
    });
    keys.end();
    Neighbour {
        service,
        on,
        run,
        probes: probes.as_array().unwrap().iter().map(probe).collect(),
        mandates: Vec::new(),
    }
}

fn probe(value: &Value) -> ProbeSighting {
    let mut keys = Keys::of("probe", value);
    let node = keys.take("node").map(|v| NodeName::from(text(&v)));
    let sighting = ProbeSighting {
        probe: keys
            .take("probe")
            .map_or("loket-1".into(), |v| text(&v).into()),
        age_ms: keys.take("age_ms").map_or(300, |v| v.as_u64().unwrap()),
        serving: keys.take("serving").unwrap().as_bool().unwrap(),
        answered_by: node.as_ref().map(|n| hardware(n.as_str())),
        node,
    };
    keys.end();
    sighting
}

fn address(address: &str, value: &Value) -> AddressSighting {
    let answer = match text(value) {
        "mine" => AddressAnswer::Mine,
        "nobody" => AddressAnswer::Nobody,
        "stranger" => AddressAnswer::Stranger {
            hardware: "02:00:5e:00:53:99".into(),
        },
        node => AddressAnswer::Node {
            node: known_node(node),
            hardware: hardware(node),
        },
    };
    AddressSighting {
        address: address.parse().unwrap(),
        answer,
    }
}

fn known_node(name: &str) -> NodeName {
    assert!(NODES.contains(&name), "no node is called {name}");
    name.into()
}

/// `"silent"`, or `{ "is": "silent", "power": "off", … }`.
fn node_view(config: &Config, node: &Node, observer: &NodeName, value: &Value) -> NodeView {
    let object = if value.is_string() {
        json!({ "is": value })
    } else {
        value.clone()
    };
    let mut keys = Keys::of(node.name.as_str(), &object);
    let is = keys.take("is").unwrap_or_else(|| json!("free"));
    let late = text(&is) == "late";
    let silent = late || text(&is) == "silent";
    let says = keys.take("says").unwrap_or_else(|| json!({}));
    let agent = if silent {
        AgentView::Silent {
            paths_tried: node.addresses.iter().map(ToString::to_string).collect(),
            late,
        }
    } else {
        let facts = facts(config, node, text(&is), says);
        AgentView::Answered {
            paths: node.addresses.iter().map(ToString::to_string).collect(),
            facts: Box::new(facts),
        }
    };
    let me = &node.name == observer;
    let power = match keys.take("power").as_ref().map(text) {
        Some("on") => Power::On,
        Some("off") => Power::Off,
        Some("unknown") => Power::Unknown,
        Some(other) => panic!("power: {other}"),
        None if silent => Power::Unknown,
        None => Power::On,
    };
    let address = match keys.take("address").as_ref().map(text) {
        Some("nobody") => AddressAnswer::Nobody,
        Some("answers") => own_address(node),
        Some("stranger") => AddressAnswer::Stranger {
            hardware: "02:00:5e:00:53:99".into(),
        },
        Some(other) => panic!("address: {other}"),
        None if me => AddressAnswer::Mine,
        None if silent => AddressAnswer::Nobody,
        None => own_address(node),
    };
    let states = keys.take("fences").unwrap_or_else(|| json!({}));
    keys.end();
    // A node does not ask its own fences.
    let fences = if me && states == json!({}) {
        Vec::new()
    } else {
        fences(config, node, &states)
    };
    NodeView {
        agent,
        power,
        fences,
        address,
    }
}

fn own_address(node: &Node) -> AddressAnswer {
    AddressAnswer::Node {
        node: node.name.clone(),
        hardware: hardware(node.name.as_str()),
    }
}

/// Every configured fence answers "open", but for those named.
fn fences(config: &Config, node: &Node, states: &Value) -> Vec<FenceView> {
    let mut keys = Keys::of("fences", states);
    let mut views = Vec::new();
    let devices = node.fences.iter().map(|f| (f.name.as_str(), f.kind));
    let reserves = config.services[0].disk_set.reserves();
    let reservation = reserves.then_some((RESERVATION, FenceKind::Reservation));
    for (name, kind) in devices.chain(reservation) {
        let state = match keys.take(name).as_ref().map(text) {
            None | Some("open") => FenceState::Open,
            Some("fenced") => FenceState::Fenced,
            Some("failed") => FenceState::Failed {
                why: "timed out".into(),
            },
            Some(other) => panic!("fence: {other}"),
        };
        views.push(FenceView {
            name: name.to_owned(),
            kind,
            state,
        });
    }
    keys.end();
    views
}

/// What the agent says: one of the usual states, patched with `says` (as JSON merge patch).
fn facts(config: &Config, node: &Node, is: &str, says: Value) -> NodeFacts {
    let service = &config.services[0];
    let (held, mounted, address, database, apps) = match is {
        "free" => (false, false, false, DatabaseState::Stopped, false),
        "active" => (true, true, true, DatabaseState::Ready, true),
        // The database is gone; what it stood on is there.
        "crashed" => (true, true, true, DatabaseState::Stopped, false),
        // As a move leaves it that was cut off after the mount.
        "mounted" => (true, true, false, DatabaseState::Stopped, false),
        other => panic!("a node is not \"{other}\""),
    };
    let facts = NodeFacts {
        boot: "boot-1".into(),
        disk: if held {
            Holding::Held {
                by: vec!["postgres".into()],
            }
        } else {
            Holding::Free
        },
        mounts: service
            .file_systems
            .iter()
            .map(|fs| MountFact {
                mount_point: fs.mount_point.clone(),
                mounted,
                stranger: false,
            })
            .collect(),
        virtual_ips: vec![VirtualIpFact {
            address: vip(0),
            present: address,
        }],
        database,
        applications: service
            .applications
            .iter()
            .map(|a| siaga_model::observation::ApplicationFact {
                name: a.name.clone(),
                running: Known::Known(apps),
            })
            .collect(),
        ledger: LedgerFacts::default(),
        unable: None,
        astray: Vec::new(),
    };
    let mut keys = Keys::of("says", &says);
    let mut patch = Map::new();
    for key in [
        "disk",
        "mounts",
        "virtual_ips",
        "database",
        "applications",
        "unable",
        "astray",
    ] {
        if let Some(value) = keys.take(key) {
            patch.insert(key.into(), value);
        }
    }
    if let Some(stranger) = keys.take("stranger_mount") {
        let mount = json!([{ "mount_point": stranger, "mounted": true, "stranger": true }]);
        patch.insert("mounts".into(), mount);
        patch.insert(
            "disk".into(),
            json!({ "held": { "by": ["a mount made by hand"] } }),
        );
    }
    let mut ledger = LedgerFacts::default();
    if let Some(counter) = keys.take("mandate") {
        ledger.highest = Some(epoch(counter.as_u64().unwrap()));
    }
    if let Some(counter) = keys.take("promised") {
        ledger.promise = Some(siaga_model::observation::Promise {
            node: node.name.clone(),
            boot: "boot-1".into(),
            epoch: epoch(counter.as_u64().unwrap()),
            at: NOW,
        });
    }
    // Unless the world says otherwise, the node where something is mounted took it last, and nobody else ever did.
    let mounted = facts.mounts.iter().any(|m| m.mounted);
    ledger.last_take = match keys.take("took") {
        Some(Value::String(_)) => LastTake::Unknown,
        Some(counter) => LastTake::Under {
            epoch: epoch(counter.as_u64().unwrap()),
        },
        None if mounted => LastTake::Under { epoch: epoch(1) },
        None => LastTake::Never,
    };
    ledger.adopted = keys.take("adopted").is_some_and(|v| v.as_bool().unwrap());
    ledger.journal_lost = keys
        .take("journal_lost")
        .is_some_and(|v| v.as_bool().unwrap());
    ledger.unfinished = keys.take("run").map(|v| run(&v));
    keys.end();
    let mut whole = serde_json::to_value(&facts).unwrap();
    for (key, value) in patch {
        whole[key] = value;
    }
    let mut facts: NodeFacts = parsed(whole);
    facts.ledger = ledger;
    facts
}

fn run(value: &Value) -> siaga_model::observation::RunInProgress {
    let mut keys = Keys::of("run", value);
    let run = siaga_model::observation::RunInProgress {
        run: "run-7".into(),
        epoch: epoch(7),
        coordinator: known_node(text(&keys.take("coordinator").unwrap())),
        since: NOW,
        covers: None,
        actor: "budi".into(),
        live: keys.take("live").unwrap().as_bool().unwrap(),
        goal: keys.take("goal").map(|v| placement(text(&v))),
        home: keys.take("home").map(|v| placement(text(&v))),
    };
    keys.end();
    run
}

fn epoch(counter: u64) -> Epoch {
    Epoch {
        counter,
        issuer: "backup".into(),
        run: format!("run-{counter}").as_str().into(),
    }
}

/// `"stopped"`, or a node's name.
pub fn placement(word: &str) -> Placement {
    if word == "stopped" {
        Placement::Stopped
    } else {
        Placement::ActiveOn(known_node(word))
    }
}

/// The verb of a request.
pub fn kind(word: &Value) -> MoveKind {
    parsed(word.clone())
}

/// `{ "kind": "takeover", "goal": "backup" }`. A person's forcing verbs may fence unless it says otherwise.
pub fn request(value: &Value) -> Request {
    let mut keys = Keys::of("request", value);
    let kind = kind(&keys.take("kind").unwrap());
    let forcing = matches!(
        kind,
        MoveKind::Takeover | MoveKind::Start | MoveKind::Resume | MoveKind::Abort | MoveKind::Cover
    );
    let attested = keys.take("attested").unwrap_or_else(|| json!({}));
    let request = Request {
        kind,
        goal: placement(text(&keys.take("goal").unwrap())),
        attested: attested
            .as_object()
            .unwrap()
            .iter()
            .map(|(node, how)| siaga_model::observation::AttestationGiven {
                node: known_node(node),
                how: parsed(how.clone()),
                by: "budi".into(),
                at: NOW,
            })
            .collect(),
        accepts_old_data: keys
            .take("accepts_old_data")
            .is_some_and(|v| v.as_bool().unwrap()),
        may_fence: keys
            .take("may_fence")
            .map_or(forcing, |v| v.as_bool().unwrap()),
    };
    keys.end();
    request
}

/// `{ "node": "serverdb", "kind": "fenced", "device": "san", "fence": "fabric" }`.
pub fn proof(config: &Config, value: &Value) -> ProofRecord {
    let mut ground = value.as_object().unwrap().clone();
    let node = ground.remove("node").unwrap();
    let ground: Ground = parsed(Value::Object(ground));
    ProofRecord {
        service: config.services[0].name.clone(),
        epoch: epoch(7),
        node: known_node(text(&node)),
        boot: None,
        at: NOW,
        ground,
    }
}
