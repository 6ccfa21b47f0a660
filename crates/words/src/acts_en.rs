//! Acts, failures, layers and states in English.

use siaga_model::NodeName;
use siaga_model::api::{CanTakeOver, Layer, VerdictState};
use siaga_model::config::{FenceKind, Language};
use siaga_model::plan::{Action, MoveKind};
use siaga_model::proof::AttestKind;
use siaga_model::run::FailureKind;
use siaga_model::why::Why;

pub(crate) fn fence_kind(kind: FenceKind) -> &'static str {
    match kind {
        FenceKind::Power => "switches its power off",
        FenceKind::Fabric => "cuts its way to the disk set",
        FenceKind::Reservation => "takes its registration at the disk set away",
    }
}

/// What a person says was done: after "attests that".
pub(crate) fn attested(node: &NodeName, how: AttestKind) -> String {
    match how {
        AttestKind::Unplugged => format!("all power cords of {node} are out"),
        AttestKind::SwitchedOff => format!("{node} is switched off"),
        AttestKind::StorageDisconnected => format!("{node} is disconnected from the disk set"),
    }
}

/// What a person is asked to do.
pub(crate) fn attest_kind(how: AttestKind) -> &'static str {
    match how {
        AttestKind::Unplugged => "pull all of its power cords out",
        AttestKind::SwitchedOff => "switch it off at its button or at the rack",
        AttestKind::StorageDisconnected => "disconnect its cables to the storage",
    }
}

pub(crate) fn action(action: &Action) -> String {
    match action {
        Action::Enlist => "agree on the plan".into(),
        Action::Checkpoint => "write the database's changes to disk".into(),
        Action::StopApplications => "stop the applications".into(),
        Action::StopDatabase => "stop the database".into(),
        Action::RemoveVirtualIp => "remove the virtual IP".into(),
        Action::Unmount => "unmount the file system".into(),
        Action::Release => "release the disk set".into(),
        Action::Fence {
            victim,
            device,
            fence: FenceKind::Power,
            wait_ms,
        } => format!("switch {victim} off by {device}{}", waits(*wait_ms)),
        Action::Fence {
            victim,
            device,
            fence: FenceKind::Fabric,
            wait_ms,
        } => {
            let waits = waits(*wait_ms);
            format!("cut {victim} off from the disk set by {device}{waits}")
        }
        Action::Fence {
            victim,
            fence: FenceKind::Reservation,
            ..
        } => format!("take the registration of {victim} at the disk set away"),
        Action::Attest { victim, how } => {
            format!("check the attestation that {}", attested(victim, *how))
        }
        Action::AcceptOldData { resource, state } => {
            format!("keep the decision to go on with the old copy of {resource} ({state})")
        }
        Action::Take => "take the disk set".into(),
        Action::Mount => "mount the file system".into(),
        Action::AddVirtualIp => "add the virtual IP".into(),
        Action::StartDatabase => "start the database".into(),
        Action::StartApplications => "start the applications".into(),
        Action::ClientTest => "test from the client's side".into(),
        Action::AfterMove => "run the programs after the move".into(),
    }
}

/// An action of which only the name is known, and it has arguments.
pub(crate) fn bare_fence() -> &'static str {
    "fence the silent server"
}

pub(crate) fn bare_old_data() -> &'static str {
    "keep the decision to go on with an old copy"
}

pub(crate) fn bare_attest() -> &'static str {
    "check the attestation"
}

/// What a coordinator does.
pub(crate) fn coordinate() -> &'static str {
    "carry the run out"
}

pub(crate) fn failure(kind: FailureKind, detail: &Why) -> String {
    let what = match kind {
        FailureKind::Busy => "The file system is in use",
        FailureKind::NotReleased => "It is unmounted, and still something holds the device",
        FailureKind::DatabaseStop => "The database did not stop",
        FailureKind::DatabaseStart => "The database did not start",
        FailureKind::Mount => "The file system could not be mounted or unmounted",
        FailureKind::Address => "The virtual IP could not be moved",
        FailureKind::Application => "An application did not start or stop",
        FailureKind::Fence => "The fence did not confirm",
        FailureKind::ProofVoid => "The proof that the other server let go no longer holds",
        FailureKind::AttestationContradicted => "A sign of life contradicts the attestation",
        FailureKind::Superseded => "A newer mandate is in force",
        FailureKind::ClientTest => "A test from the client's side failed",
        FailureKind::Precondition => "The server is not as the step expects it",
        FailureKind::Log => "The event log could not be written",
        FailureKind::Unreachable => {
            "The other server cannot be reached. What it did is not known from here"
        }
        FailureKind::CoordinatorSilent => {
            "The server that carried the run out fell silent. The other server took care of the service, by the run"
        }
        FailureKind::Io => "The system reported an error",
    };
    if matches!(detail, Why::System(said) if said.trim().is_empty()) {
        format!("{what}.")
    } else {
        format!("{what}: {}.", crate::why(Language::English, detail))
    }
}

pub(crate) fn move_kind(kind: MoveKind) -> &'static str {
    match kind {
        MoveKind::Takeover => "takeover",
        MoveKind::Switchover => "switchover",
        MoveKind::Failback => "failback",
        MoveKind::Drill => "drill",
        MoveKind::Restart => "restart",
        MoveKind::Stop => "stop",
        MoveKind::Start => "start",
        MoveKind::Resume => "resumption",
        MoveKind::Abort => "abort",
        MoveKind::Restore => "restoration",
        MoveKind::Cover => "cover for a silent coordinator",
    }
}

pub(crate) fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Power => "power",
        Layer::NetworkPaths => "network paths",
        Layer::Agent => "agent",
        Layer::DiskSet => "disk set",
        Layer::FileSystem => "file system",
        Layer::FreeSpace => "free space",
        Layer::KernelLog => "kernel log",
        Layer::Process => "database process",
        Layer::LastShutdown => "last shutdown",
        Layer::AcceptingConnections => "accepting connections",
        Layer::Applications => "applications",
        Layer::ClientTest => "client test",
    }
}

pub(crate) fn verdict_state(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Running => "running",
        VerdictState::Stopped => "stopped",
        VerdictState::Down => "DOWN",
        VerdictState::InTransition => "moving",
        VerdictState::Stuck => "STUCK",
        VerdictState::Unknown => "UNKNOWN",
        VerdictState::Danger => "DANGER",
    }
}

pub(crate) fn can_take_over(answer: CanTakeOver) -> &'static str {
    match answer {
        CanTakeOver::Yes => "Can we take over now? Yes.",
        CanTakeOver::No => "Can we take over now? No.",
        CanTakeOver::Unknown => "Can we take over now? Unknown.",
    }
}

pub(crate) fn done() -> &'static str {
    "Done. The service is where it was ordered to be."
}

pub(crate) fn restored() -> &'static str {
    "Not done. The service runs again where it was before."
}

pub(crate) fn stuck() -> &'static str {
    "Stuck. Nothing more happens by itself. A person has to act."
}

pub(crate) fn failed_step(node: &NodeName, action: &str) -> String {
    format!("The step that failed: {action}, on {node}.")
}

/// So that two servers that are cut apart do not switch each other off.
fn waits(wait_ms: u64) -> String {
    match wait_ms {
        0 => String::new(),
        ms => format!(
            ", after waiting {} for the other server to do so",
            crate::voice::duration(Language::English, ms)
        ),
    }
}
