//! Values in each way that serde writes the API's types.

use serde::Serialize;
use serde_json::{Value, json};
use siaga_model::api::{MoveAnswer, MoveRequest, PowerAnswer, RunView};
use siaga_model::config::FenceKind;
use siaga_model::event::{ActorProof, Event, EventBody, OtherBody};
use siaga_model::mandate::Epoch;
use siaga_model::notice::Moment;
use siaga_model::notice_api::{NoticeAct, NoticeAnswer, NoticeFacts, NoticeRefusal, NoticeRequest};
use siaga_model::observation::{
    AddressAnswer, AgentView, ApplicationFact, DatabaseState, Holding, Known, Neighbour, NodeFacts,
    NodeView, Observation, Power, Presence, Promise,
};
use siaga_model::plan::{
    Action, Hit, HitMandate, MandatedPlan, MoveKind, Placement, Plan, PlannedProof, Step,
};
use siaga_model::proof::{AttestKind, Ground, ProofRecord};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::run::{FailureKind, Order, RunOutcome, StepFailure, StepOutcome, StepReport};
use siaga_model::{StepId, UtcMicros};

fn written(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn epoch() -> Epoch {
    Epoch {
        counter: 7,
        issuer: "backup".into(),
        run: "r1".into(),
    }
}

fn refusal() -> Refusal {
    Refusal {
        code: RefusalCode::AttestationContradicted,
        sentence: Sentence::AttestationContradictedBy {
            node: "serverdb".into(),
            how: AttestKind::SwitchedOff,
            witness: Box::new(Sentence::NodePowerOn {
                node: "serverdb".into(),
            }),
        },
        evidence: vec![Sentence::NoFenceCost, Sentence::NoProbe],
        next: vec![
            Advice::Status,
            Advice::AttestAfter {
                node: "serverdb".into(),
                ways: vec![AttestKind::Unplugged, AttestKind::StorageDisconnected],
            },
        ],
    }
}

fn plan() -> Plan {
    Plan {
        service: "simrs".into(),
        kind: MoveKind::Takeover,
        goal: Placement::ActiveOn("backup".into()),
        from: None,
        proofs: vec![PlannedProof::Fence {
            node: "serverdb".into(),
            device: "ipmi".into(),
            fence: FenceKind::Power,
        }],
        hits: vec![Hit {
            victim: "serverdb".into(),
            service: "pacs".into(),
        }],
        steps: vec![Step {
            id: StepId(0),
            node: "backup".into(),
            action: Action::Enlist,
            after: vec![],
        }],
        sentence: Sentence::NodeSilent {
            node: "serverdb".into(),
            paths_tried: vec!["198.51.100.11".into()],
            late: false,
        },
        unproved: vec![],
    }
}

fn proof(ground: Ground) -> ProofRecord {
    ProofRecord {
        service: "simrs".into(),
        epoch: epoch(),
        node: "serverdb".into(),
        boot: None,
        at: UtcMicros(1),
        ground,
    }
}

fn facts() -> NodeFacts {
    NodeFacts {
        boot: "boot".into(),
        disk: Holding::Held {
            by: vec![siaga_model::Holder::InFlight, "mount /srv/simrs".into()],
        },
        mounts: vec![],
        virtual_ips: vec![],
        database: DatabaseState::Starting { percent: Some(40) },
        applications: vec![
            ApplicationFact {
                name: "web".into(),
                running: Known::Known(true),
            },
            ApplicationFact {
                name: "bridging".into(),
                running: Known::Unknown { why: "busy".into() },
            },
        ],
        ledger: siaga_model::observation::LedgerFacts::default(),
        unable: None,
        astray: Vec::new(),
    }
}

fn observation() -> Observation {
    let view = |agent| NodeView {
        agent,
        power: Power::Unknown,
        fences: vec![],
        address: AddressAnswer::Nobody,
    };
    let answered = AgentView::Answered {
        paths: vec![],
        facts: Box::new(facts()),
    };
    let silent = AgentView::Silent {
        paths_tried: vec![],
        late: false,
    };
    Observation {
        service: "simrs".into(),
        observer: "backup".into(),
        at: UtcMicros(1),
        nodes: [
            ("backup".into(), view(answered)),
            ("serverdb".into(), view(silent)),
        ]
        .into(),
        probes: vec![],
        addresses: vec![],
        disk: siaga_model::observation::DiskSighting::NotLooked { why: "held".into() },
        neighbours: vec![Neighbour {
            service: "pacs".into(),
            on: [("serverdb".into(), Known::Known(Presence::Held))].into(),
            run: None,
            probes: vec![],
            mandates: vec![epoch()],
        }],
    }
}

fn report(outcome: StepOutcome) -> StepReport {
    StepReport {
        outcome,
        proof: Some(proof(Ground::Released)),
        tests: vec![],
        notes: vec![
            siaga_model::Note::ReadyIn { ms: 5 },
            siaga_model::Note::System("note".into()),
        ],
        started_at: UtcMicros(1),
        duration_ms: 5,
    }
}

fn failed() -> StepFailure {
    StepFailure::new(
        FailureKind::DatabaseStop,
        siaga_model::Why::ServerEnded { log: "x".into() }.of("db"),
    )
}

fn event(body: EventBody) -> Value {
    written(Event {
        service: None,
        run: Some("r1".into()),
        actor: Some(siaga_model::event::Actor {
            name: "budi".into(),
            how: ActorProof::PeerCredentials { uid: 1000 },
        }),
        body,
    })
}

fn order() -> Order {
    let plan = plan();
    Order {
        service: "simrs".into(),
        run: "r1".into(),
        plan: "p1".into(),
        epoch: epoch(),
        coordinator: "backup".into(),
        step: plan.steps[0].clone(),
        proofs: vec![proof(Ground::Attested {
            by: "budi".into(),
            how: AttestKind::Unplugged,
        })],
        hit_mandates: vec![HitMandate {
            victim: "serverdb".into(),
            service: "pacs".into(),
            epoch: epoch(),
        }],
        enlist: Some(Box::new(MandatedPlan {
            id: "p1".into(),
            parent: None,
            epoch: epoch(),
            coordinator: "backup".into(),
            hit_mandates: vec![],
            plan,
        })),
        address_free: false,
        attested: vec![],
    }
}

/// A request as a client writes it, read by serde and written again.
fn request() -> MoveRequest {
    serde_json::from_value(json!({
        "kind": "drill", "reason": "monthly", "attest": [], "dry_run": true, "idempotency_key": "k",
    }))
    .unwrap()
}

fn run_view() -> RunView {
    serde_json::from_value(json!({
        "version": 3, "running": [], "waiting": [["backup", "take"]], "ended": true,
        "result": RunOutcome::Restored { cause: failed(), at: siaga_model::run::StepAt {
            node: "backup".into(), action: "take".into() } },
        "report": { "run_id": "r1", "kind": "switchover", "service": "simrs", "outcome": "restored", "proof": [],
            "started_at": "2025-01-01T00:00:00Z", "client_tests": [],
            "steps": [{ "node": "backup", "action": "take", "started_at": "", "duration_ms": 1, "notes": [],
                "outcome": StepOutcome::Failed(failed()) }],
            "outages": [{ "seen_by": "probe", "downtime_ms": 900 }] },
    }))
    .unwrap()
}

fn site() -> Value {
    written(siaga_model::api::SiteView {
        site: "RSUD Contoh".into(),
        language: siaga_model::config::Language::Indonesian,
        time_zone: "Asia/Jakarta".into(),
        people: vec!["budi".into()],
        services: vec!["simrs".into()],
        nodes: vec!["serverdb".into(), "backup".into()],
        document: siaga_model::config::Document::default(),
        availability_target_milli_pct: Some(99_500),
        rto_s: Some(300),
    })
}

/// Values that fit, by the name of their schema.
pub fn good() -> Vec<(&'static str, Value)> {
    vec![
        (
            "MoveRequest",
            json!({"kind": "start", "reason": "", "attest": [], "dry_run": false, "idempotency_key": "k"}),
        ),
        ("MoveRequest", written(request())),
        (
            "MoveAnswer",
            written(MoveAnswer::Refused { refusal: refusal() }),
        ),
        (
            "MoveAnswer",
            written(MoveAnswer::DryRun {
                plan: Box::new(plan()),
                observation: Box::new(observation()),
            }),
        ),
        ("RunView", written(run_view())),
        ("Order", written(order())),
        (
            "StepReport",
            written(report(StepOutcome::Done { changed: true })),
        ),
        ("StepReport", written(report(StepOutcome::Failed(failed())))),
        (
            "StepReport",
            written(report(StepOutcome::Unknown {
                why: "asleep".into(),
            })),
        ),
        (
            "PowerAnswer",
            written(PowerAnswer::Done { power: Power::Off }),
        ),
        (
            "NoticeRequest",
            written(NoticeRequest {
                act: NoticeAct::Draft {
                    moment: Moment::Update,
                    incident: Some("i1".into()),
                    units: vec!["igd".into()],
                    facts: Box::new(NoticeFacts {
                        sentence: Some("still being checked".into()),
                        ..NoticeFacts::default()
                    }),
                    release: true,
                },
                stated_actor: None,
            }),
        ),
        (
            "NoticeAnswer",
            written(NoticeAnswer::Refused {
                why: NoticeRefusal::BadPause { most_s: 86_400 },
            }),
        ),
        (
            "Event",
            event(EventBody::Promised {
                promise: Promise {
                    node: "serverdb".into(),
                    boot: "boot".into(),
                    epoch: epoch(),
                    at: UtcMicros(2),
                },
            }),
        ),
        (
            "Event",
            event(EventBody::ProofMade {
                proof: proof(Ground::Fenced {
                    device: "san".into(),
                    fence: FenceKind::Fabric,
                }),
            }),
        ),
        (
            "Event",
            event(EventBody::RunEnded {
                outcome: RunOutcome::Done,
                plan: Some("r1.4".into()),
            }),
        ),
        (
            "Event",
            event(EventBody::Other(OtherBody {
                kind: "of_tomorrow".into(),
            })),
        ),
        ("SiteView", site()),
        (
            "JoinRequest",
            json!({"secret": "s", "name": "backup", "csr": "-----BEGIN", "event_key": "0".repeat(64)}),
        ),
        (
            "Pin",
            json!({"name": "backup", "role": "node", "spki_sha256": "0".repeat(64), "generation": 1}),
        ),
    ]
}

/// Each of the good ones made wrong in one place.
pub fn bad() -> Vec<(&'static str, Value)> {
    let wrong = |mut value: Value, at: &str, to: Value| {
        *value.pointer_mut(at).unwrap_or_else(|| panic!("no {at}")) = to;
        value
    };
    let refused = written(MoveAnswer::Refused { refusal: refusal() });
    let dry = written(MoveAnswer::DryRun {
        plan: Box::new(plan()),
        observation: Box::new(observation()),
    });
    vec![
        ("MoveRequest", json!({"kind": "start", "reason": ""})),
        (
            "MoveRequest",
            wrong(written(request()), "/kind", json!("Drill")),
        ),
        (
            "MoveAnswer",
            wrong(refused.clone(), "/answer", json!("Refused")),
        ),
        (
            "MoveAnswer",
            wrong(
                refused.clone(),
                "/refusal/code",
                json!("attestation_contradicted"),
            ),
        ),
        (
            "MoveAnswer",
            wrong(
                refused.clone(),
                "/refusal/sentence/say",
                json!("no_such_sentence"),
            ),
        ),
        (
            "MoveAnswer",
            wrong(refused, "/refusal/next/1/ways/0", json!("switched_off")),
        ),
        (
            "MoveAnswer",
            wrong(dry.clone(), "/plan/goal", json!({"stopped": null})),
        ),
        (
            "MoveAnswer",
            wrong(dry.clone(), "/plan/steps/0/id", json!(-1)),
        ),
        (
            "MoveAnswer",
            wrong(
                dry.clone(),
                "/observation/nodes/serverdb/power",
                json!("ON"),
            ),
        ),
        (
            "MoveAnswer",
            wrong(
                dry,
                "/observation/nodes/backup/agent/answered/facts/applications/0/running",
                json!(true),
            ),
        ),
        (
            "RunView",
            wrong(written(run_view()), "/waiting/0", json!(["backup"])),
        ),
        (
            "RunView",
            wrong(
                written(run_view()),
                "/report/steps/0/outcome/result",
                json!("done"),
            ),
        ),
        (
            "Pin",
            json!({"name": "b", "role": "Node", "spki_sha256": "0".repeat(64), "generation": 1}),
        ),
        (
            "Pin",
            json!({"name": "b", "role": "node", "spki_sha256": "short", "generation": 1}),
        ),
        (
            "JoinRequest",
            json!({"secret": "s", "name": "backup", "csr": "", "more": 1}),
        ),
    ]
}
