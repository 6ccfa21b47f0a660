//! What is done, what failed, and how a run ended.

use crate::voice::Voice;
use crate::{acts_en as en, acts_id as id, findings_en, findings_id};
use siaga_model::NodeName;
use siaga_model::api::{CanTakeOver, Layer, VerdictState};
use siaga_model::config::Language;
use siaga_model::event::Finding;
use siaga_model::plan::{Action, MoveKind};
use siaga_model::proof::AttestKind;
use siaga_model::run::{RunOutcome, StepFailure};

macro_rules! by_language {
    ($voice:expr, $function:ident($($argument:expr),*)) => {
        match Voice::from($voice).language {
            Language::English => en::$function($($argument),*),
            Language::Indonesian => id::$function($($argument),*),
        }
    };
}

/// A short verb phrase for progress lines: `stop the database`. No full stop.
pub fn action(voice: impl Into<Voice>, action: &Action) -> String {
    let voice = voice.into();
    by_language!(&voice, action(action))
}

/// As [`action`], from the action's stable name (`stop_database`). An unknown name is shown as it is.
pub fn action_by_name(voice: impl Into<Voice>, name: &str) -> String {
    let voice = voice.into();
    match name {
        "fence" => by_language!(&voice, bare_fence()).to_owned(),
        "attest" => by_language!(&voice, bare_attest()).to_owned(),
        "accept_old_data" => by_language!(&voice, bare_old_data()).to_owned(),
        "coordinate" => by_language!(&voice, coordinate()).to_owned(),
        _ => match PLAIN.iter().find(|a| a.name() == name) {
            Some(plain) => action(&voice, plain),
            None => name.to_owned(),
        },
    }
}

/// The actions without arguments.
const PLAIN: [Action; 14] = [
    Action::Enlist,
    Action::Checkpoint,
    Action::StopApplications,
    Action::StopDatabase,
    Action::RemoveVirtualIp,
    Action::Unmount,
    Action::Release,
    Action::Take,
    Action::Mount,
    Action::AddVirtualIp,
    Action::StartDatabase,
    Action::StartApplications,
    Action::ClientTest,
    Action::AfterMove,
];

/// Why a step failed, with the witness that contradicts where there is one.
pub fn failure(voice: impl Into<Voice>, failure: &StepFailure) -> String {
    let voice = voice.into();
    let mut text = by_language!(&voice, failure(failure.kind, &failure.detail));
    if let Some(witness) = &failure.witness {
        text.push(' ');
        text.push_str(&crate::sentence(&voice, witness));
    }
    text
}

/// The name of a move, as a noun: `takeover`, `ambil alih`.
pub fn move_kind(voice: impl Into<Voice>, kind: MoveKind) -> &'static str {
    let voice = voice.into();
    by_language!(&voice, move_kind(kind))
}

/// The verb of the command line for a move; in Indonesian its alias where there is one. The runner's own moves have
/// none: a person resumes.
pub fn verb(voice: impl Into<Voice>, kind: MoveKind) -> &'static str {
    match (voice.into().language, kind) {
        (Language::English, MoveKind::Takeover) => "takeover",
        (Language::Indonesian, MoveKind::Takeover) => "ambil-alih",
        (Language::English, MoveKind::Failback) => "failback",
        (Language::Indonesian, MoveKind::Failback) => "kembalikan",
        (Language::English, MoveKind::Drill) => "drill",
        (Language::Indonesian, MoveKind::Drill) => "simulasi",
        (_, MoveKind::Switchover) => "switchover",
        (_, MoveKind::Restart) => "restart",
        (_, MoveKind::Stop) => "stop",
        (_, MoveKind::Start) => "start",
        (_, MoveKind::Abort) => "abort",
        (_, MoveKind::Resume | MoveKind::Restore | MoveKind::Cover) => "resume",
    }
}

/// A layer of the diagnosis: `disk set`.
pub fn layer(voice: impl Into<Voice>, layer: Layer) -> &'static str {
    let voice = voice.into();
    by_language!(&voice, layer(layer))
}

/// The state of a service in a word or two.
pub fn verdict_state(voice: impl Into<Voice>, state: VerdictState) -> &'static str {
    let voice = voice.into();
    by_language!(&voice, verdict_state(state))
}

/// The first line of `siaga check`.
pub fn can_take_over(voice: impl Into<Voice>, answer: CanTakeOver) -> &'static str {
    let voice = voice.into();
    by_language!(&voice, can_take_over(answer))
}

/// What a person is asked to do with the silent server: `pull all of its power cords out`.
pub fn attest_kind(voice: impl Into<Voice>, how: AttestKind) -> &'static str {
    let voice = voice.into();
    by_language!(&voice, attest_kind(how))
}

/// What was found on which node, with its evidence; and what to do about it.
pub fn finding(voice: impl Into<Voice>, finding: &Finding) -> (String, String) {
    let voice = voice.into();
    match voice.language {
        Language::English => (
            findings_en::what(&voice, finding),
            findings_en::remedy(finding),
        ),
        Language::Indonesian => (
            findings_id::what(&voice, finding),
            findings_id::remedy(finding),
        ),
    }
}

/// How a run ended: one line, then the cause, and for a run that is stuck the next safe act.
pub fn outcome(voice: impl Into<Voice>, outcome: &RunOutcome) -> String {
    let voice = voice.into();
    let mut lines = Vec::new();
    match outcome {
        RunOutcome::Done => lines.push(by_language!(&voice, done()).to_owned()),
        RunOutcome::Refused { refusal } => lines.push(crate::refusal(&voice, refusal)),
        RunOutcome::Restored { cause, at } => {
            lines.push(by_language!(&voice, restored()).to_owned());
            lines.push(failed_step(&voice, &at.node, &at.action));
            lines.push(failure(&voice, cause));
        }
        RunOutcome::Stuck { cause, at, refusal } => {
            lines.push(by_language!(&voice, stuck()).to_owned());
            lines.extend(
                at.as_ref()
                    .map(|at| failed_step(&voice, &at.node, &at.action)),
            );
            lines.extend(cause.as_ref().map(|cause| failure(&voice, cause)));
            lines.push(crate::refusal::resting(&voice, refusal));
        }
    }
    lines.join("\n")
}

fn failed_step(voice: &Voice, node: &NodeName, name: &str) -> String {
    let action = action_by_name(voice, name);
    by_language!(voice, failed_step(node, &action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plain_action_has_no_arguments_of_its_own() {
        for plain in &PLAIN {
            assert_ne!(
                action_by_name(Language::English, plain.name()),
                plain.name()
            );
        }
        assert_eq!(
            action_by_name(Language::English, "fence"),
            "fence the silent server"
        );
        assert_eq!(
            action_by_name(Language::Indonesian, "from_a_newer_version"),
            "from_a_newer_version"
        );
    }
}
