//! What an agent might say.

use siaga_model::api::*;
use siaga_model::config::FenceKind;
use siaga_model::event::{Actor, ActorProof, Event, EventBody, Hlc};
use siaga_model::observation::{DiskSighting, Observation, Power};
use siaga_model::plan::{Action, MoveKind, Placement, Plan, PlannedProof, Step};
use siaga_model::proof::AttestKind;
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::run::{FailureKind, RunOutcome, StepAt, StepFailure, StepOutcome};
use siaga_model::{NodeName, RunId, ServiceName, StepId, UtcMicros};
use std::collections::BTreeMap;

pub const RUN: &str = "00063b5f-backup";

pub fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("JSON")
}

pub fn site(language: &str) -> String {
    format!(
        r#"{{"site":"RSUD Contoh","language":"{language}","time_zone":"Asia/Jakarta","people":["budi","sari"],
            "services":["simrs"],"nodes":["serverdb","backup"]}}"#
    )
}

pub fn service() -> ServiceName {
    "simrs".into()
}

pub fn backup() -> NodeName {
    "backup".into()
}

pub fn serverdb() -> NodeName {
    "serverdb".into()
}

pub fn observation() -> Observation {
    Observation {
        service: service(),
        observer: backup(),
        at: UtcMicros(1_754_031_909_000_000),
        nodes: BTreeMap::new(),
        probes: Vec::new(),
        addresses: Vec::new(),
        disk: DiskSighting::NoChangeSeen,
        neighbours: Vec::new(),
    }
}

pub fn plan(kind: MoveKind) -> Plan {
    let step = |id, node: NodeName, action| Step {
        id: StepId(id),
        node,
        action,
        after: Vec::new(),
    };
    let fence = Action::Fence {
        victim: serverdb(),
        device: "ipmi".into(),
        fence: FenceKind::Power,
        wait_ms: 3000,
    };
    let first = match kind {
        MoveKind::Takeover => step(0, backup(), fence),
        MoveKind::Start => step(0, backup(), Action::Take),
        _ => step(0, serverdb(), Action::StopDatabase),
    };
    Plan {
        service: service(),
        kind,
        goal: Placement::ActiveOn(backup()),
        from: Some(serverdb()),
        proofs: vec![PlannedProof::Release { node: serverdb() }],
        hits: Vec::new(),
        steps: vec![
            first,
            step(1, backup(), Action::Mount),
            step(2, backup(), Action::StartDatabase),
        ],
        sentence: Sentence::WillMove {
            service: service(),
            from: serverdb(),
            to: backup(),
        },
        unproved: vec![Sentence::ClientNotTried],
    }
}

pub fn preview(kind: MoveKind) -> String {
    json(&MoveAnswer::DryRun {
        plan: Box::new(plan(kind)),
        observation: Box::new(observation()),
    })
}

pub fn accepted(kind: MoveKind) -> String {
    json(&MoveAnswer::Accepted {
        run: RunId::new(RUN),
        coordinator: backup(),
        plan: Box::new(plan(kind)),
    })
}

pub fn refusal() -> Refusal {
    Refusal {
        code: RefusalCode::NeedsAttestation,
        sentence: Sentence::RefusedNeedsAttestation { node: serverdb() },
        evidence: vec![Sentence::NodeSilent {
            node: serverdb(),
            paths_tried: vec!["192.0.2.11:7443".into()],
            late: false,
        }],
        next: vec![Advice::AttestAfter {
            node: serverdb(),
            ways: vec![AttestKind::Unplugged, AttestKind::SwitchedOff],
        }],
    }
}

pub fn refused() -> String {
    json(&MoveAnswer::Refused { refusal: refusal() })
}

pub fn step(action: &str, outcome: StepOutcome) -> StepView {
    StepView {
        node: serverdb(),
        action: action.into(),
        started_at: "2025-08-01T07:05:09.100Z".into(),
        duration_ms: 31,
        outcome,
        notes: Vec::new(),
    }
}

pub fn report(kind: MoveKind) -> MoveReport {
    MoveReport {
        run_id: RunId::new(RUN),
        covers: None,
        kind,
        service: service(),
        from: Some(serverdb()),
        to: Some(backup()),
        outcome: "done".into(),
        code: None,
        message: None,
        proof: vec!["released serverdb".into()],
        started_at: "2025-08-01T07:05:09.000Z".into(),
        steps: vec![step("stop_database", StepOutcome::Done { changed: true })],
        outages: vec![outage(SeenBy::Probe)],
        lost_rows: Vec::new(),
        client_tests: vec![client_test(Some(true))],
    }
}

pub fn outage(seen_by: SeenBy) -> Outage {
    Outage {
        offline_at: Some("2025-08-01T07:05:09.100Z".into()),
        online_at: Some("2025-08-01T07:05:09.203Z".into()),
        downtime_ms: Some(103),
        error_ms: Some(5),
        seen_by,
        probe: (seen_by == SeenBy::Probe).then(|| "client1".into()),
    }
}

pub fn client_test(passed: Option<bool>) -> ClientTestResult {
    ClientTestResult {
        name: "sql".into(),
        node: backup(),
        passed,
        detail: siaga_model::Evidence::Nothing,
    }
}

pub fn ended(report: MoveReport, result: RunOutcome) -> String {
    let view = RunView {
        version: 9,
        report,
        running: Vec::new(),
        waiting: Vec::new(),
        ended: true,
        result: Some(result),
    };
    json(&view)
}

/// A run that goes on.
pub fn goes_on(kind: MoveKind) -> String {
    let running = RunningStep {
        node: backup(),
        action: "start_database".into(),
        elapsed_ms: 1200,
        expected_ms: Some(3000),
        progress: Some(siaga_model::Progress::Redo { percent: Some(40) }),
    };
    let report = MoveReport {
        outcome: "running".into(),
        outages: Vec::new(),
        client_tests: Vec::new(),
        ..report(kind)
    };
    let waiting = vec![(backup(), "start_applications".to_owned())];
    json(&RunView {
        version: 3,
        report,
        running: vec![running],
        waiting,
        ended: false,
        result: None,
    })
}

pub fn restored() -> RunOutcome {
    RunOutcome::Restored {
        cause: StepFailure::new(FailureKind::Busy, "vi (pid 4711)"),
        at: StepAt {
            node: serverdb(),
            action: "unmount".into(),
        },
    }
}

pub fn stuck() -> RunOutcome {
    RunOutcome::Stuck {
        cause: None,
        at: None,
        refusal: Refusal {
            next: vec![Advice::Resume],
            ..refusal()
        },
    }
}

pub fn status(state: VerdictState, sentence: Sentence, advice: Vec<Advice>) -> Status {
    Status {
        node: backup(),
        at: UtcMicros(1_754_031_909_000_000),
        version: "0.1.0".into(),
        services: vec![ServiceStatus {
            verdict: Verdict {
                state,
                sentence,
                evidence: vec![Sentence::ProbeSeesNothing {
                    probe: "client1".into(),
                    age_ms: 400,
                }],
                advice,
                active: None,
            },
            observation: observation(),
            run: None,
            readiness: None,
        }],
        findings: Vec::new(),
        duties: Vec::new(),
    }
}

pub fn running() -> Status {
    status(
        VerdictState::Running,
        Sentence::ServiceRuns {
            service: service(),
            node: backup(),
        },
        vec![Advice::Check],
    )
}

pub fn down() -> Status {
    let sentence = Sentence::ServiceDown {
        service: service(),
        last_on: Some(serverdb()),
    };
    status(
        VerdictState::Down,
        sentence,
        vec![Advice::Takeover { service: service() }],
    )
}

pub fn power(power: Power) -> String {
    json(&PowerAnswer::Done { power })
}

pub fn event(seq: u64, body: EventBody) -> EventView {
    EventView {
        node: serverdb(),
        incarnation: 1,
        seq,
        hlc: Hlc::default(),
        at: UtcMicros(1_754_031_909_000_000),
        event: Event {
            service: Some(service()),
            run: None,
            actor: Some(Actor {
                name: "budi".into(),
                how: ActorProof::Stated,
            }),
            body,
        },
    }
}
