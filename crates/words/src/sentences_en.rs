//! Sentences in English. One long match: a table of words, exhaustive.

use crate::acts_en::{attested, fence_kind};
use crate::voice::{Voice, duration, list, quoted};
use crate::why::{holders, said};
use siaga_model::refusal::Sentence as S;

pub(crate) fn sentence(voice: &Voice, sentence: &S) -> String {
    let age = |ms: u64| duration(voice, ms);
    match sentence {
        // --- where the service is
        S::ServiceRuns { service, node } => format!("The service {service} is running on {node}."),
        S::ServiceStopped { service } => format!("The service {service} is stopped. It was stopped in order."),
        S::ServiceDown { service, last_on: Some(node) } => {
            format!("The service {service} is down. It was last running on {node}.")
        }
        S::ServiceDown { service, last_on: None } => format!("The service {service} is down."),
        S::ServiceUnknown { service } => format!("It is not known where the service {service} is."),
        S::ServiceInTransition { service, run } => format!("The service {service} is being moved (run {run})."),
        S::AlreadyActive { service, node } => format!("The service {service} is already running on {node}."),
        // --- a node
        S::NodeSilent { node, paths_tried, late: true } => format!(
            "The agent on {node} lives, and did not say in time what that server holds. Paths tried: {}.",
            list(paths_tried)
        ),
        S::NodeSilent { node, paths_tried, late: false } => {
            format!("{node} does not answer. Paths tried: {}.", list(paths_tried))
        }
        S::NodeAnswers { node } => format!("The agent on {node} answers."),
        S::NodePowerOn { node } => format!("The power of {node} is on."),
        S::NodePowerOff { node } => format!("The power of {node} is off."),
        S::NodePowerUnknown { node } => format!("It is not known whether the power of {node} is on."),
        S::NodeAddressAnswers { node, hardware } => {
            format!("The network card of {node} answers ({hardware}): the machine is on.")
        }
        S::NodeHolds { node, by } => format!("{node} holds the disk set: {}.", holders(voice.language, by)),
        S::ApplicationStopped { node, name } => {
            format!("The application {name} does not run on {node}; the database does.")
        }
        S::NodeFree { node } => format!("{node} does not hold the disk set."),
        S::NodeHoldingUnknown { node, why } => {
            format!("It is not known whether {node} holds the disk set: {}.", said(voice.language, why))
        }
        S::BothHold { nodes } => format!("More than one node holds the disk set: {}. The data are in danger.", list(nodes)),
        S::NodeRebooted { node } => format!("{node} has booted again since it let go of the disk set."),
        S::PromiseGone { node } => format!("The promise of {node} that it let go of the disk set no longer stands."),
        S::PromiseUnheard { node, age_ms: Some(ms) } => format!(
            "{node} does not answer, and it promised {} ago that it let go of the disk set. It may have booted again since.",
            age(*ms)
        ),
        S::PromiseUnheard { node, age_ms: None } => format!(
            "{node} does not answer, and the agent that heard its promise to have let go of the disk set is gone."
        ),
        S::NodePromised { node, epoch } => {
            format!("{node} has promised that it let go of the disk set (mandate {}).", epoch.counter)
        }
        S::NodeJournalLost { node } => {
            format!("{node} has lost its journal. It cannot know which promises it made.")
        }
        S::JournalsLost { nodes } => format!(
            "{} have lost their journals. Neither can tell which promises were made.",
            nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
        ),
        S::JournalWhole { node } => format!("The journal of {node} is whole."),
        S::MountStranger { node, mount_point } => {
            format!("On {node}, {} is mounted, and not by Siaga.", mount_point.display())
        }
        S::VirtualIpLeftOver { node, address } => {
            format!("{node} still has the virtual IP {address}, and the service is not there.")
        }
        S::VirtualIpNotYet { node, address } => format!(
            "{node} does not have the virtual IP {address} yet: clients use the server's own address. A start adds it, and leaves the database alone."
        ),
        // --- fences
        S::FenceAnswers { node, device, fence } => {
            format!("The fence {device} for {node} answers ({}).", fence_kind(*fence))
        }
        S::FenceFailed { node, device, why } => format!("The fence {device} for {node} failed: {}.", said(voice.language, why)),
        S::FenceNone { node } => format!("There is no fence for {node}."),
        S::FenceConfirms { node, device, fence } => match fence {
            siaga_model::config::FenceKind::Power => format!("The fence {device} confirms that {node} is off."),
            siaga_model::config::FenceKind::Reservation => {
                format!("The fence {device} confirms that the disk refuses what {node} writes.")
            }
            siaga_model::config::FenceKind::Fabric => {
                format!("The fence {device} confirms that {node} is cut off from the disk set.")
            }
        },
        S::NoFenceCost => "This site has no fence. A takeover needs a person who goes to the dead server and switches \
                           it off."
            .into(),
        // --- witnesses
        S::ProbeSeesService { probe, node: Some(node), age_ms } => {
            format!("The probe {probe} reached the service on {node} {} ago.", age(*age_ms))
        }
        S::ProbeSeesService { probe, node: None, age_ms } => {
            format!("The probe {probe} reached the service {} ago.", age(*age_ms))
        }
        S::ProbeSeesNothing { probe, age_ms } => {
            format!("The probe {probe} could not reach the service {} ago.", age(*age_ms))
        }
        S::NoProbe => "No client probe reports. Nothing is confirmed from a client.".into(),
        S::ProbeStale { probe, age_ms } => {
            format!("The last report of the probe {probe} is {} old. It no longer counts.", age(*age_ms))
        }
        S::AddressAnsweredBy { address, node } => format!("{node} answers at the virtual IP {address}."),
        S::AddressConflict { address, hardware } => {
            format!("A machine that is not one of the nodes answers at {address}: {hardware}.")
        }
        S::AddressSilent { address } => format!("Nobody answers at the virtual IP {address}."),
        S::DiskChanging => "The disk set is being written: somebody is alive on it.".into(),
        S::DiskNoChange => "No change was seen on the disk set. That proves nothing.".into(),
        // --- attestations
        S::Attested { node, how, by } => format!("{by} attests that {}.", attested(node, *how)),
        S::AttestationContradictedBy { node, how, witness } => format!(
            "A person attested that {}, and a later sign contradicts it: {}",
            attested(node, *how),
            self::sentence(voice, witness)
        ),
        // --- runs
        S::RunBy { run, actor, since, coordinator } => format!(
            "{} ordered the run {run} at {}. {coordinator} is carrying it out.",
            quoted(actor),
            voice.instant(*since)
        ),
        S::RunLeftOver { run, since, coordinator } => format!(
            "The run {run} of {} on {coordinator} was interrupted and has not ended.",
            voice.instant(*since)
        ),
        S::NothingToResume => "No run is interrupted.".into(),
        // --- plans
        S::WillMove { service, from, to } => format!("The service {service} moves from {from} to {to}."),
        S::WillTakeOver { service, from, to } => format!("{to} takes the service {service} over from {from}."),
        S::WillStart { service, node } => format!("The service {service} starts on {node}."),
        S::WillStop { service, node } => format!("The service {service} stops on {node}."),
        S::WillRestart { service, node } => format!("The service {service} restarts on {node}."),
        // --- what a preview can't prove
        S::FenceNotTried { node, device } => {
            format!("Not tried: that the fence {device} really cuts off {node}.")
        }
        S::DatabaseStartNotTried { node } => format!("Not tried: that the database starts on {node}."),
        S::MountNotTried { node } => format!("Not tried: that the file system mounts on {node}."),
        S::ClientNotTried => "Not tried: that a client reaches the service afterwards.".into(),
        S::OldDataLost { node, resource, state } => format!("the copy of {resource} on {node} is old ({state}): what was written after it was cut off is lost."),
        S::FenceHitsService { node, service } => {
            format!("Fencing {node} also hits the service {service}.")
        }
        S::AttestedMayCarry { node, service } => format!(
            "The service {service} is, or may be, on {node} too. This plan does nothing to {node}; see to {service} by itself."
        ),
        // --- refusals in one sentence
        S::RefusedServing { service, node: Some(node) } => {
            format!("The service {service} answers its clients on {node}. A takeover would cut them off.")
        }
        S::RefusedServing { service, node: None } => {
            format!("The service {service} answers its clients. A takeover would cut them off.")
        }
        S::RefusedSourceAlive { node } => {
            format!("The agent on {node} answers. A takeover is only for a dead or silent server.")
        }
        S::RefusedReplaceAnswers { node } => format!(
            "Refused: {node} answers. Only a machine that is off, and stays off, can be replaced."
        ),
        S::RefusedReplaceMayHold { node, service } => format!(
            "Refused: {service} does not run here, so {node} may still hold its disk set. Replacing a server proves nothing of that."
        ),
        S::RefusedNodeReplaced { node } => format!(
            "Refused: another machine has the name {node} now. This one carries nothing any more."
        ),
        S::RefusedNeedsAttestation { node } => format!(
            "{node} is silent, and nothing here can make sure that it is off. A person has to go there."
        ),
        S::OrderUnanswered { node } => {
            format!("The order was sent to {node}, and no answer came. It may have begun there, or not.")
        }
        S::RefusedPeerSilent { node } => format!("{node} does not answer. A planned move needs both nodes."),
        S::RefusedNotRunning { service } => format!("The service {service} is not running."),
        S::RefusedNotOnPreferred { service, active, preferred } => {
            format!("The service {service} is on {active}, and its home is {preferred}.")
        }
        S::RefusedCheckNotPassed { node } => {
            format!("{node} has not passed `siaga check` since its last failure.")
        }
        S::RefusedTargetNotReady { node, why } => format!("{node} cannot run the service: {}.", said(voice.language, why)),
        S::RefusedTargetFenced { node, device } => {
            format!("{node} itself is cut off from the disk set, says the fence {device}.")
        }
        S::RefusedNoSuchNode { node } => format!("There is no node named {node}."),
        S::RefusedNoSuchService { service } => format!("There is no service named {service}."),
        S::RefusedLogFull { node } => format!("The event log on {node} has no room for a planned move."),
        S::RefusedSuperseded { offered, in_force } => format!(
            "This order is out of date: mandate {} of {}. In force is mandate {} of {}.",
            offered.counter, offered.issuer, in_force.counter, in_force.issuer
        ),
        S::RefusedMandateConflict { epoch, other } => format!(
            "{} and {} both minted the mandate {}. Both mandates are void.",
            epoch.issuer, other.issuer, epoch.counter
        ),
        S::RefusedProofVoid { node, why } => {
            format!("The proof that {node} has let go no longer holds: {}.", said(voice.language, why))
        }
        S::RefusedHolderOfRunning { node, service } => {
            format!("{node} is running the service {service}. Its power stays on.")
        }
        S::RefusedFenceHitsRunning { node, service } => format!(
            "{node} is running the service {service}, which works. Fencing {node} would cut its clients off."
        ),
        S::RefusedNotAllowed { actor, why } => format!("{} may not do this: {}.", quoted(actor), said(voice.language, why)),
        S::RefusedNoRoom { node, folder, needs_mebibytes, free_mebibytes } => format!(
            "The copy does not fit on {node}: it needs {needs_mebibytes} MiB in {}, and {free_mebibytes} MiB can be used.",
            folder.display()
        ),
        S::RefusedRehearsalGoesOn { service, node } => {
            format!("A rehearsal of {service} is in progress on {node}.")
        }
        S::RefusedNoStandby { service } => {
            format!("{service} has no other server on which it could be rehearsed.")
        }
        S::RefusedBadRequest { why } => format!("The request cannot be carried out: {}.", said(voice.language, why)),
    }
}
