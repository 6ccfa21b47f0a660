//! Texts of the screens that carry arguments: what the command line says around plans, runs and results.

use crate::voice::Voice;
use crate::{ui_screen_en, ui_screen_id};
use siaga_model::config::{FenceKind, Language};
use siaga_model::observation::DatabaseState;
use siaga_model::proof::AttestKind;
use siaga_model::{NodeName, RunId, ServiceName};
use std::path::PathBuf;

/// A text with its arguments. A new one gets its words in `ui_screen_en.rs` and `ui_screen_id.rs`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Screen {
    SupportCanNotClean {
        file: PathBuf,
    },
    SupportWritten {
        file: PathBuf,
        parts: usize,
    },
    // --- what a code means
    CodeOfRefusal,
    CodeOfFinding,
    CodeOfConfiguration,
    CodeOfError,
    NoSuchCode {
        code: String,
        /// Those that are alike, or nothing.
        near: String,
    },
    // --- readiness
    /// Seconds, from and to.
    TakeoverTakes {
        low_s: u64,
        high_s: u64,
    },
    InOrder {
        count: usize,
    },
    CheckedAgo {
        ms: u64,
        stale: bool,
    },
    // --- the agent can't be asked
    AgentNotReachable {
        socket: PathBuf,
        why: String,
    },
    SocketNotPermitted {
        socket: PathBuf,
    },
    AgentSilent {
        why: siaga_model::why::Why,
    },
    ApiError {
        code: String,
        message: String,
    },
    AnswerNotUnderstood {
        why: String,
    },
    Interrupted,
    // --- a run is watched
    Accepted {
        run: RunId,
        coordinator: NodeName,
    },
    WatchStopped {
        run: RunId,
    },
    WatchLost {
        run: RunId,
    },
    WatchWaits,
    RunInterrupted {
        run: RunId,
    },
    LossAccepted,
    /// An order whose fate is not known can be given once more under its key.
    SameKey {
        key: String,
    },
    /// Said of a run that covers another.
    RunCovers {
        run: RunId,
    },
    /// In the log book, of a downtime's run.
    CoveredBy {
        run: RunId,
    },
    StepsLeft {
        left: usize,
    },
    ExpectedTime {
        ms: u64,
    },
    // --- a plan
    ProofByRelease {
        node: NodeName,
    },
    ProofByFence {
        node: NodeName,
        device: String,
        fence: FenceKind,
    },
    ProofByAttestation {
        node: NodeName,
        how: AttestKind,
    },
    NoTerminal,
    TypeToGoOn {
        word: String,
    },
    PowerOffAsked {
        node: NodeName,
    },
    PowerFailed {
        node: NodeName,
        why: siaga_model::why::Why,
    },
    // --- a result
    EndedWithoutResult,
    RunWas {
        run: RunId,
    },
    ClientsLost {
        ms: u64,
        probe: Option<String>,
        error_ms: Option<u64>,
    },
    NodeSawGap {
        ms: u64,
    },
    GapOpen,
    /// It is over, and nobody saw when it began.
    GapUnmeasured,
    NoOutageSeen,
    // --- a state
    Database {
        state: DatabaseState,
    },
    // --- the log book
    MachinesTimes,
    WasPoweredOff,
    WasRestarted,
    WasSilent,
    StillOffline,
    // --- the guided screen
    GuidedNeedsTerminal,
    ChooseService,
    ChooseOther,
    MenuWatch {
        run: RunId,
    },
    MenuDrill {
        service: ServiceName,
    },
    MenuStop {
        service: ServiceName,
    },
    MenuAttestTakeover {
        node: NodeName,
    },
    AttestIntro {
        node: NodeName,
    },
    AttestWay {
        how: AttestKind,
    },
    AskPerson,
    EnterForNone,
    EnterForBack,
    ActingAs {
        name: String,
    },
}

/// A text in words.
pub fn screen(voice: impl Into<Voice>, text: &Screen) -> String {
    let voice = voice.into();
    match voice.language {
        Language::English => ui_screen_en::text(&voice, text),
        Language::Indonesian => ui_screen_id::text(&voice, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_name_the_run_and_how_to_see_it_again() {
        let text = Screen::WatchStopped {
            run: RunId::new("00063b-backup"),
        };
        for language in [Language::English, Language::Indonesian] {
            let said = screen(language, &text);
            assert!(
                said.contains("00063b-backup") && said.contains("siaga status --watch"),
                "{said}"
            );
        }
        assert_ne!(
            screen(Language::English, &text),
            screen(Language::Indonesian, &text)
        );
    }

    #[test]
    fn a_loss_names_its_probe_and_error() {
        let lost = |error_ms| Screen::ClientsLost {
            ms: 103,
            probe: Some("client1".into()),
            error_ms,
        };
        let english = screen(Language::English, &lost(Some(5)));
        assert_eq!(
            english,
            "Clients lost 103 ms, measured by the probe client1 (± 5 ms)."
        );
        let indonesian = screen(Language::Indonesian, &lost(None));
        assert_eq!(
            indonesian,
            "Klien kehilangan layanan selama 103 milidetik, diukur oleh pemantau client1."
        );
    }
}
