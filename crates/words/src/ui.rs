//! Fixed texts of the screens: headings, prompts, small answers.

use crate::voice::Voice;
use crate::{ui_en, ui_id};
use siaga_model::config::Language;

macro_rules! closed {
    ($(#[$doc:meta])* pub enum $name:ident { $($variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name { $($variant,)* }
        impl $name {
            /// Every text, for tests.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];
        }
    };
}

closed! {
/// A fixed text. A new one gets its words in `ui_en.rs` and `ui_id.rs`: the compiler asks for both.
pub enum Ui {
    // --- the shape of a refusal
    NothingChanged,
    Evidence,
    SafeNow,
    NextStep,
    // --- headings
    Service,
    Node,
    State,
    Step,
    Elapsed,
    Expected,
    Reason,
    Plan,
    WhatItProves,
    NotProved,
    Findings,
    WhatToDo,
    Recommended,
    OtherChoices,
    Result,
    Outage,
    OfflineAt,
    OnlineAt,
    Duration,
    Cause,
    Who,
    When,
    LogBook,
    Planned,
    Unplanned,
    LikelyCause,
    NoCauseFound,
    ClientTests,
    Proof,
    // --- small answers
    Yes,
    No,
    Unknown,
    Good,
    Broken,
    NotKnown,
    Done,
    NothingToDo,
    Failed,
    Waiting,
    Running,
    Passed,
    NotConfirmed,
    EnteredByHand,
    SeenByNode,
    SeenByProbe,
    // --- fixed sentences
    NothingFound,
    NoFence,
    DryRunNothingChanged,
    DryRunNoPromise,
    StopsService,
    InformUnitsFirst,
    DrillStopsServiceTwice,
    DrillPassed,
    DrillNotPassed,
    DrillNotGraded,
    ClientTestFailed,
    RunGoesOn,
    AgentNotReachable,
    StartAgent,
    NoAccessToAgent,
    Aborted,
    AcceptDataAsked,
    DataAccepted,
    LogTail,
    LogWhole,
    LogTampered,
    NoOutages,
    ConfigGood,
    // Below it, where the list of people is empty.
    NobodyMayAttest,
    // After errors that were shown with their codes.
    CodesExplained,
    StatedNotProved,
    ReasonCover,
    NothingToMend,
    ReasonPowerReturned,
    // --- prompts
    TypeToConfirm,
    AskReason,
    AskWhat,
    AskHow,
    AskName,
    AskRequestedBy,
    AskApprovedBy,
    NotUnderstood,
    GoToServer,
    AttestWarning,
    PressEnter,
    MenuLookAgain,
    MenuLog,
    MenuQuit,
}
}

/// A fixed text in words.
pub fn ui(voice: impl Into<Voice>, text: Ui) -> String {
    match voice.into().language {
        Language::English => ui_en::text(text),
        Language::Indonesian => ui_id::text(text),
    }
    .to_owned()
}
