//! The sheet of a moment.

use crate::runs::{RUN, accepted, view};
use crate::samples::{NOW, seal, site};
use crate::tools::{Pdf, keep};
use siaga_config::HostChecks;
use siaga_model::api::EventView;
use siaga_model::config::{Config, Language};
use siaga_model::event::EventBody;
use siaga_model::plan::{Action, MandatedPlan, MoveKind, Placement, Plan, Step};
use siaga_model::refusal::Sentence;
use siaga_model::run::{FailureKind, StepFailure, StepOutcome, StepReport};
use siaga_model::{Epoch, NodeName, PlanId, RunId, ServiceName, StepId};
use siaga_report::sheet::{self, Moment};
use siaga_report::{pdf, text};
use siaga_words::Voice;

fn plan() -> MandatedPlan {
    let actions = [
        ("serverdb", Action::StopDatabase),
        ("serverdb", Action::Unmount),
        ("serverdb", Action::Release),
        ("backup", Action::Take),
        ("backup", Action::Mount),
        ("backup", Action::StartDatabase),
    ];
    let steps = actions
        .into_iter()
        .zip(0u16..)
        .map(|((node, action), id)| Step {
            id: StepId(id),
            node: NodeName::from(node),
            action,
            after: id.checked_sub(1).map(StepId).into_iter().collect(),
        });
    MandatedPlan {
        id: PlanId::from("p1"),
        parent: None,
        epoch: Epoch {
            counter: 4,
            issuer: "backup".into(),
            run: RunId::from(RUN),
        },
        coordinator: "backup".into(),
        hit_mandates: Vec::new(),
        plan: Plan {
            service: ServiceName::from("simrs"),
            kind: MoveKind::Switchover,
            goal: Placement::ActiveOn("backup".into()),
            from: Some("serverdb".into()),
            proofs: Vec::new(),
            hits: Vec::new(),
            steps: steps.collect(),
            sentence: Sentence::RefusedNoSuchService {
                service: "simrs".into(),
            },
            unproved: Vec::new(),
        },
    }
}

fn finished(seq: u64, at: i64, index: usize, outcome: StepOutcome) -> EventView {
    let body = EventBody::StepFinished {
        plan: PlanId::from("p1"),
        step: plan().plan.steps[index].clone(),
        report: StepReport {
            outcome,
            proof: None,
            tests: Vec::new(),
            notes: Vec::new(),
            started_at: NOW,
            duration_ms: 10,
        },
    };
    view(seq, at, body)
}

/// Two steps done, the third is the next.
fn midway() -> Vec<EventView> {
    let done = || StepOutcome::Done { changed: true };
    vec![
        view(1, 0, accepted(MoveKind::Switchover)),
        view(
            2,
            1,
            EventBody::PlanRecorded {
                plan: Box::new(plan()),
            },
        ),
        finished(3, 2, 0, done()),
        finished(4, 3, 1, done()),
    ]
}

fn config() -> Config {
    let path = format!("{}/../../examples/full.toml", env!("CARGO_MANIFEST_DIR"));
    siaga_config::load_checked(path.as_ref(), &HostChecks::none())
        .unwrap()
        .0
}

fn the_sheet(events: &[EventView], config: Option<&Config>, language: Language) -> String {
    let site = site();
    let seal = seal();
    let service = ServiceName::from("simrs");
    let moment = Moment {
        site: &site,
        config,
        service: &service,
        events,
        sentence: None,
        at: NOW,
        seal: &seal,
    };
    let voice = Voice::new(language, &site.time_zone);
    let document = sheet::document(&voice, &moment);
    let bytes = pdf::render(&document);
    keep(&format!("sheet-{}.pdf", events.len()), &bytes);
    let file = Pdf::new(&bytes);
    file.is_valid();
    assert!(
        file.info().contains("Pages:           1\n"),
        "one page: {}",
        file.info()
    );
    text::render(&document)
}

#[test]
fn the_sheet_says_what_is_done_and_the_next_command() {
    let config = config();
    let text = the_sheet(&midway(), Some(&config), Language::Indonesian);
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed.contains("Agen tidak menjawab"), "{text}");
    assert_eq!(text.matches("selesai pukul").count(), 2, "{text}");
    assert!(
        text.contains("grep -l -F ' /srv/simrs ' /proc/[0-9]*/mountinfo"),
        "{text}"
    );
    assert!(
        !text.contains("mount -t ext4"),
        "only the next step: {text}"
    );
    assert!(text.contains("IGD"), "whom to tell: {text}");
}

#[test]
fn before_a_take_the_sheet_warns() {
    let config = config();
    let mut events = midway();
    events.push(finished(5, 4, 2, StepOutcome::Done { changed: true }));
    let text = the_sheet(&events, Some(&config), Language::English);
    assert!(text.contains("blockdev --flushbufs"), "{text}");
    assert!(text.contains("is destroyed"), "{text}");
}

#[test]
fn a_failed_and_an_unknown_step_are_named() {
    let mut events = midway();
    events.pop();
    let cause = StepFailure::new(FailureKind::Io, "input/output error");
    events.push(finished(5, 4, 1, StepOutcome::Failed(cause)));
    let text = the_sheet(&events, None, Language::English);
    assert!(text.contains("FAILED"), "{text}");
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        squeezed.contains("take the commands from the printed procedure"),
        "{text}"
    );
}

#[test]
fn without_a_run_the_sheet_says_so() {
    let text = the_sheet(&[], Some(&config()), Language::Indonesian);
    assert!(text.contains("Tidak ada pemindahan dalam log"), "{text}");
}
