//! Texts of the screens in English.

use crate::acts_en;
use crate::ui_screen::Screen;
use crate::voice::{Voice, duration, quoted};
use siaga_model::config::{FenceKind, Language};
use siaga_model::observation::DatabaseState;

pub(crate) fn text(voice: &Voice, text: &Screen) -> String {
    match text {
        Screen::TakeoverTakes { low_s, high_s } => {
            let of = |s: &u64| duration(voice, s.saturating_mul(1000));
            format!("The steps of a takeover would take {} to {}.", of(low_s), of(high_s))
        }
        Screen::SupportCanNotClean { file } => format!(
            "{} can't be read, so its secrets could not be taken out. Nothing was written. As root, type: siaga config check, then siaga support",
            file.display()
        ),
        Screen::SupportWritten { file, parts } => format!(
            "{} holds {parts} files, readable by you alone. Secrets were taken out. Look through it before you send it.",
            file.display()
        ),
        Screen::InOrder { count } => format!("In order: {count} (all of them: siaga check --all)"),
        Screen::CheckedAgo { ms, stale: false } => format!("Checked {} ago.", duration(voice, *ms)),
        Screen::CheckedAgo { ms, stale: true } => {
            format!("Checked {} ago: too long. Type: siaga check", duration(voice, *ms))
        }
        Screen::AgentNotReachable { socket, why } => format!(
            "The Siaga agent on this machine can't be reached at {} ({}).\n  \
             Start it with: systemctl start siaga (or by hand, as root: siaga agent)\n  \
             A running database is not touched by this: the agent is not in its way.",
            socket.display(),
            quoted(why)
        ),
        Screen::SocketNotPermitted { socket } => format!(
            "Your account may not use {}.\n  Ask to be added to the group siaga (usermod -aG siaga NAME), then log in again.",
            socket.display()
        ),
        Screen::AgentSilent { why } => format!(
            "The Siaga agent on this machine did not answer: {}.\n  \
             Look at it with: systemctl status siaga. A run that was accepted may still go on: siaga status",
            crate::why(voice, why)
        ),
        Screen::ApiError { code, message } => format!("{} [{code}]", quoted(message)),
        Screen::AnswerNotUnderstood { why } => format!(
            "The agent's answer is not understood: {}.\n  Are the agent and this program of one version? See: siaga version",
            quoted(why)
        ),
        Screen::Interrupted => "Interrupted.".into(),
        Screen::Accepted { run, coordinator } => format!("Run {run} has begun; {coordinator} coordinates it."),
        Screen::WatchStopped { run } => format!(
            "You stopped watching. The run {run} goes on all the same.\n  \
             Watch it again with: siaga status --watch\n  Bring the service back instead with: siaga abort"
        ),
        Screen::WatchLost { run } => format!(
            "The run {run} can no longer be watched from here. It may go on.\n  \
             See where it is with: siaga status --watch (also on the other server)"
        ),
        Screen::WatchWaits => "The agent does not answer at the moment; asking again. The run may go on.".into(),
        Screen::CodeOfRefusal => "refusal, or the reason why a run is stuck".into(),
        Screen::CodeOfFinding => "finding".into(),
        Screen::CodeOfConfiguration => "error of the configuration".into(),
        Screen::CodeOfError => "error".into(),
        Screen::NoSuchCode { code, near } if near.is_empty() => {
            format!("There is no code {code}. All of them: siaga explain")
        }
        Screen::NoSuchCode { code, near } => {
            format!("There is no code {code}. Like it: {near}. All of them: siaga explain")
        }
        Screen::RunInterrupted { run } => format!(
            "The agent was restarted and no longer carries out the run {run}: the run rests where it was.\n  \
             See what is true now with: siaga status\n  Bring the run to its goal with: siaga resume\n  \
             Bring the service back with: siaga abort"
        ),
        Screen::LossAccepted => "Accepted. The log goes on from here, and orders are taken again.".into(),
        Screen::SameKey { key } => format!(
            "Look first: siaga status\n  Then the same command with --key {key} is safe: the order is carried out once."
        ),
        Screen::RunCovers { run } => format!(
            "It covers the run {run}, because the server that carried that one out fell silent."
        ),
        Screen::CoveredBy { run } => format!("covered by the run {run}"),
        Screen::StepsLeft { left } => format!("{left} to go"),
        Screen::ExpectedTime { ms } => format!("expected {}", duration(voice, *ms)),
        Screen::ProofByRelease { node } => format!("{node} lets go by itself and promises so."),
        Screen::ProofByFence { node, device, fence: FenceKind::Power } => {
            format!("{node} is switched off by {device}, which has to confirm it.")
        }
        Screen::ProofByFence { node, device, fence: FenceKind::Fabric } => {
            format!("{node} is cut from the disk set by {device}, which has to confirm it.")
        }
        Screen::ProofByFence { node, fence: FenceKind::Reservation, .. } => {
            format!("{node} loses its registration at the disk set, which is read back.")
        }
        Screen::ProofByAttestation { node, how } => {
            format!("Your word: {}. It is checked again right before the disk set is taken.", acts_en::attested(node, *how))
        }
        Screen::NoTerminal => "error: this stops a service and has to be confirmed, and there is no terminal to ask at: \
             in a script say --yes, or look first with --dry-run"
            .into(),
        Screen::TypeToGoOn { word } => format!("Type {word} to go on, anything else to leave it:"),
        Screen::PowerOffAsked { node } => format!("This switches {node} off at once."),
        Screen::PowerFailed { node, why } => {
            format!("The fence of {node} did not do it, or did not confirm it: {}.", crate::why(voice, why))
        }
        Screen::EndedWithoutResult => "The run ended, and the agent does not say how. See: siaga status".into(),
        Screen::RunWas { run } => format!("All of it: siaga events --run {run}"),
        Screen::ClientsLost { ms, probe, error_ms } => {
            let by = probe.as_ref().map_or_else(|| "a client probe".to_owned(), |p| format!("the probe {p}"));
            let error = error_ms.map_or_else(String::new, |e| format!(" (± {})", duration(voice, e)));
            format!("Clients lost {}, measured by {by}{error}.", duration(voice, *ms))
        }
        Screen::NodeSawGap { ms } => {
            format!("Down for {} as the server saw it; not confirmed from a client.", duration(voice, *ms))
        }
        Screen::GapUnmeasured => "The service is back; nobody measured since when it was offline.".into(),
        Screen::GapOpen => "The service is offline for its clients since then.".into(),
        Screen::NoOutageSeen => "No outage was measured; not confirmed from a client.".into(),
        Screen::Database { state } => format!("Database: {}.", database(state)),
        Screen::MachinesTimes => "The machines' own times:".into(),
        Screen::WasPoweredOff => "it was switched off".into(),
        Screen::WasRestarted => "it booted anew".into(),
        Screen::WasSilent => "it did not answer".into(),
        Screen::StillOffline => "still offline".into(),
        Screen::GuidedNeedsTerminal => {
            "error: the guided screen needs a terminal; in a script use a verb: siaga help".into()
        }
        Screen::ChooseService => "Which service? Type a number:".into(),
        Screen::ChooseOther => "Another service".into(),
        Screen::MenuWatch { run } => format!("Watch the run {run} to its end."),
        Screen::MenuDrill { service } => format!("Rehearse: move the service {service} to the other server and back."),
        Screen::MenuStop { service } => format!("Stop the service {service} on all servers."),
        Screen::MenuAttestTakeover { node } => {
            format!("Take over, after you went to {node} and made sure that it can't write any more.")
        }
        Screen::AttestIntro { node } => {
            format!("{node} is silent, and nothing here can switch it off. A person has to go there and do one of these:")
        }
        Screen::AttestWay { how } => acts_en::attest_kind(*how).into(),
        Screen::AskPerson => "Who are you? Type a number:".into(),
        Screen::EnterForNone => "(Enter: none)".into(),
        Screen::EnterForBack => "(Enter: back)".into(),
        Screen::ActingAs { name } => format!("Logged under the name {name} (stated, not proved)."),
    }
}

fn database(state: &DatabaseState) -> String {
    match state {
        DatabaseState::Stopped => "stopped".into(),
        DatabaseState::Starting {
            percent: Some(percent),
        } => format!("starting, {percent} %"),
        DatabaseState::Starting { percent: None } => "starting".into(),
        DatabaseState::Ready => "ready".into(),
        DatabaseState::NotServing { why } => {
            format!("does not serve ({})", crate::why(Language::English, why))
        }
        DatabaseState::Unknown { why } => {
            format!("not known ({})", crate::why(Language::English, why))
        }
    }
}
