//! What is safe while a reason stands, in English.

use siaga_model::refusal::RefusalCode as C;

pub(crate) fn safe_now(code: C) -> &'static str {
    match code {
        C::StillServing => "Clients can go on working.",
        C::SourceAlive => "Leave the other server on.",
        C::NeedsAttestation => {
            "Do not mount the disk set by hand. The other server may still be writing."
        }
        C::AttestationContradicted => {
            "Do not mount the disk set by hand. Look at the other server once more."
        }
        C::AlreadyThere => "There is nothing to do.",
        C::PeerSilent => "If the service still answers its clients, leave it alone.",
        C::HoldingUnknown => "Do not mount the disk set by hand. Unknown does not mean free.",
        C::NotRunning => "The disk set can stay as it is.",
        C::TwoHolders => "Start nothing. Stop the work on the service now, and ask for help.",
        C::RunInProgress => "Wait, and do nothing by hand.",
        C::RunInterrupted => "Nothing happens by itself until you decide.",
        C::NothingInterrupted => "There is nothing to do.",
        C::JournalLost => "A running service goes on running. This server starts nothing new.",
        C::NotOnPreferred => "The service can stay where it is for as long as needed.",
        C::CheckNotPassed => "The service can stay where it is for as long as needed.",
        C::TargetNotReady => "The service can stay where it is.",
        C::NoSuchThing => "Check the name, and type it again.",
        C::Stranger => "Find out first who uses it. Do not remove it blindly.",
        C::AddressConflict => "Do not give the address to another machine.",
        C::LogFull => "A takeover in an emergency is still possible.",
        C::Superseded => "The newer order stands.",
        C::ProofVoid => "Do not mount the disk set by hand. The other server may still be writing.",
        C::HolderOfRunningService => "Clients can go on working.",
        C::NotAllowed => "Ask a person who may do it.",
        C::BadRequest => "Correct the command, and type it again.",
        C::NoRoom => "Clients can go on working. Nothing was copied.",
        C::RehearsalInProgress => "Clients can go on working. Wait for its end.",
        C::NodeInUse => "The service can stay where it is. No key was changed.",
        C::NodeReplaced => "Switch this machine off. Its disk set must stay disconnected.",
        C::OrderUnknown => "Do nothing by hand. The order may be under way.",
        C::MandateConflict => {
            "Do not mount the disk set by hand. Give one new order from one place."
        }
    }
}
