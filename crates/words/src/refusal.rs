//! Refusals and advice: what is wrong; the evidence; what is safe now; the next thing to do.

use crate::ui::{Ui, ui};
use crate::voice::Voice;
use crate::{advice_en, advice_id, safe_en, safe_id, sentence};
use siaga_model::ServiceName;
use siaga_model::config::Language;
use siaga_model::refusal::{Advice, Refusal, RefusalCode};

/// The next thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdviceText {
    /// Exactly what to type.
    pub command: String,
    /// What it does, or what has to be done before it.
    pub purpose: String,
}

/// The command to type and its purpose.
pub fn advice(voice: impl Into<Voice>, advice: &Advice) -> AdviceText {
    let voice = voice.into();
    let purpose = match voice.language {
        Language::English => advice_en::purpose(&voice, advice),
        Language::Indonesian => advice_id::purpose(&voice, advice),
    };
    AdviceText {
        command: command(&voice, advice),
        purpose,
    }
}

fn command(voice: &Voice, advice: &Advice) -> String {
    use siaga_model::plan::MoveKind as M;
    let verb = |kind| format!("siaga {}", crate::verb(voice, kind));
    let moves = |kind, service: &ServiceName| match voice.several_services {
        true => format!("{} --service {service}", verb(kind)),
        false => verb(kind),
    };
    match advice {
        Advice::Takeover { service } => moves(M::Takeover, service),
        Advice::Switchover { service } => moves(M::Switchover, service),
        Advice::Failback { service } => moves(M::Failback, service),
        Advice::Start { service } => moves(M::Start, service),
        Advice::Restart { service } => moves(M::Restart, service),
        Advice::Resume => verb(M::Resume),
        Advice::Abort => verb(M::Abort),
        Advice::Status => "siaga status".into(),
        Advice::Diagnose => "siaga diagnose".into(),
        Advice::Check => match voice.language {
            Language::English => "siaga check".into(),
            Language::Indonesian => "siaga periksa".into(),
        },
        Advice::AttestAfter { node, ways } => {
            let how = ways
                .first()
                .copied()
                .unwrap_or(siaga_model::proof::AttestKind::Unplugged);
            format!(
                "{} --attest-off {node} --how {}",
                verb(M::Takeover),
                how_word(how)
            )
        }
        Advice::ResumeWithOldData => format!("{} --accept-old-data --reason TEXT", verb(M::Resume)),
        Advice::AcceptOldData => format!("{} --accept-old-data --reason TEXT", verb(M::Takeover)),
        Advice::FindStranger { .. } => "ip neigh show".into(),
        Advice::UnmountByHand { mount_point, .. } => format!("umount {}", mount_point.display()),
        Advice::RepairFence { node, .. } => format!("siaga power status {node}"),
        Advice::WaitForRun { .. } => "siaga status --watch".into(),
        Advice::PowerOn { node } => format!("siaga power on {node}"),
        Advice::PowerOff { node } => format!("siaga power off {node}"),
        Advice::FreeSpace { .. } => "df -h /var/lib/siaga".into(),
        Advice::FreeFolder { folder, .. } => format!("df -h {}", folder.display()),
        Advice::AcceptLoss => "siaga events accept-loss --reason TEXT".into(),
        Advice::Again { kind } => verb(*kind),
    }
}

/// The word after `--how`.
pub(crate) fn how_word(how: siaga_model::proof::AttestKind) -> &'static str {
    use siaga_model::proof::AttestKind;
    match how {
        AttestKind::Unplugged => "unplugged",
        AttestKind::SwitchedOff => "switched-off",
        AttestKind::StorageDisconnected => "storage-disconnected",
    }
}

/// A request that was not carried out, on several lines.
pub fn refusal(voice: impl Into<Voice>, refusal: &Refusal) -> String {
    let voice = voice.into();
    // An order without an answer may have begun: nothing is said of what changed.
    if refusal.code == RefusalCode::OrderUnknown {
        return resting(&voice, refusal);
    }
    let safe = format!(
        "{} {}",
        ui(&voice, Ui::NothingChanged),
        safe_now(&voice, refusal.code)
    );
    lines(&voice, refusal, &safe)
}

/// The state in which a stuck run rests, on several lines. Here something may have changed.
pub(crate) fn resting(voice: &Voice, refusal: &Refusal) -> String {
    lines(voice, refusal, &safe_now(voice, refusal.code))
}

fn lines(voice: &Voice, refusal: &Refusal, safe: &str) -> String {
    let mut lines = vec![format!(
        "{} [{}]",
        sentence(voice, &refusal.sentence),
        refusal_code(refusal.code)
    )];
    if !refusal.evidence.is_empty() {
        lines.push(ui(voice, Ui::Evidence));
        lines.extend(
            refusal
                .evidence
                .iter()
                .map(|e| format!("  - {}", sentence(voice, e))),
        );
    }
    lines.push(format!("{} {safe}", ui(voice, Ui::SafeNow)));
    if !refusal.next.is_empty() {
        lines.push(ui(voice, Ui::NextStep));
        for next in &refusal.next {
            let text = advice(voice, next);
            lines.push(format!("  {}", text.command));
            lines.push(format!("      {}", text.purpose));
        }
    }
    lines.join("\n")
}

/// What is safe while this reason stands.
pub fn safe_now(voice: impl Into<Voice>, code: RefusalCode) -> String {
    match voice.into().language {
        Language::English => safe_en::safe_now(code).to_owned(),
        Language::Indonesian => safe_id::safe_now(code).to_owned(),
    }
}

/// The stable code, as scripts see it.
pub fn refusal_code(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::StillServing => "STILL_SERVING",
        RefusalCode::SourceAlive => "SOURCE_ALIVE",
        RefusalCode::NeedsAttestation => "NEEDS_ATTESTATION",
        RefusalCode::AttestationContradicted => "ATTESTATION_CONTRADICTED",
        RefusalCode::AlreadyThere => "ALREADY_THERE",
        RefusalCode::PeerSilent => "PEER_SILENT",
        RefusalCode::HoldingUnknown => "HOLDING_UNKNOWN",
        RefusalCode::NotRunning => "NOT_RUNNING",
        RefusalCode::TwoHolders => "TWO_HOLDERS",
        RefusalCode::RunInProgress => "RUN_IN_PROGRESS",
        RefusalCode::RunInterrupted => "RUN_INTERRUPTED",
        RefusalCode::NothingInterrupted => "NOTHING_INTERRUPTED",
        RefusalCode::JournalLost => "JOURNAL_LOST",
        RefusalCode::NotOnPreferred => "NOT_ON_PREFERRED",
        RefusalCode::CheckNotPassed => "CHECK_NOT_PASSED",
        RefusalCode::TargetNotReady => "TARGET_NOT_READY",
        RefusalCode::NoSuchThing => "NO_SUCH_THING",
        RefusalCode::Stranger => "STRANGER",
        RefusalCode::AddressConflict => "ADDRESS_CONFLICT",
        RefusalCode::LogFull => "LOG_FULL",
        RefusalCode::Superseded => "SUPERSEDED",
        RefusalCode::ProofVoid => "PROOF_VOID",
        RefusalCode::HolderOfRunningService => "HOLDER_OF_RUNNING_SERVICE",
        RefusalCode::NotAllowed => "NOT_ALLOWED",
        RefusalCode::BadRequest => "BAD_REQUEST",
        RefusalCode::MandateConflict => "MANDATE_CONFLICT",
        RefusalCode::NoRoom => "NO_ROOM",
        RefusalCode::RehearsalInProgress => "REHEARSAL_IN_PROGRESS",
        RefusalCode::NodeInUse => "NODE_IN_USE",
        RefusalCode::NodeReplaced => "NODE_REPLACED",
        RefusalCode::OrderUnknown => "ORDER_UNKNOWN",
    }
}
