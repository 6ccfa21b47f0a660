//! What a command is for, in English.

use crate::refusal::how_word;
use crate::voice::Voice;
use siaga_model::proof::AttestKind;
use siaga_model::refusal::Advice;

pub(crate) fn purpose(voice: &Voice, advice: &Advice) -> String {
    match advice {
        Advice::Takeover { service } => {
            format!("Start the service {service} on this server in place of the dead one.")
        }
        Advice::Switchover { service } => {
            format!("Move the service {service} in order, while both servers are healthy.")
        }
        Advice::Failback { service } => {
            format!("Bring the service {service} back to its own server.")
        }
        Advice::Start { service } => format!("Start the service {service}."),
        Advice::Restart { service } => {
            format!("Restart the service {service} on the server where it is.")
        }
        Advice::Resume => "Bring the interrupted run to its goal.".into(),
        Advice::Abort => {
            "Bring the service back to where it was before the interrupted run.".into()
        }
        Advice::Status => "Look again at both servers.".into(),
        Advice::Diagnose => "Find the cause, layer by layer.".into(),
        Advice::Check => "See whether a takeover is possible, and what stands in its way.".into(),
        Advice::AttestAfter { node, ways } => {
            format!(
                "First go to {node} and {}. Only then type this command.",
                ways_text(voice, ways)
            )
        }
        Advice::AcceptOldData | Advice::ResumeWithOldData => {
            "If the newer copy is gone for good: take over with the old one, under your name. What only the newer copy has is lost.".into()
        }
        Advice::FindStranger { hardware } => {
            format!(
                "Find the machine with the hardware address {hardware}, and disconnect it from the network."
            )
        }
        Advice::UnmountByHand { node, mount_point } => format!(
            "On {node}: end the programs that use {}, then unmount it with this command.",
            mount_point.display()
        ),
        Advice::RepairFence { node, device } => {
            format!(
                "Repair the fence {device} of {node}. This command shows whether it answers again."
            )
        }
        Advice::WaitForRun { run } => format!("Wait for the end of the run {run}."),
        Advice::PowerOn { node } => format!("Switch {node} on through its fence."),
        Advice::PowerOff { node } => format!("Switch {node} off through its fence."),
        Advice::FreeSpace { node } => {
            format!("Free space on {node}. This command shows how much there is.")
        }
        Advice::FreeFolder { node, folder } => format!(
            "Free space on {node}, or name a roomier place than {} (folder in [service.rehearsal]).",
            folder.display()
        ),
        Advice::AcceptLoss => {
            "Make sure that the service runs on neither server and that no person moved it by hand. Then say so under your name."
                .into()
        }
        Advice::Again { kind } => {
            format!("Give the order again ({}).", crate::move_kind(voice, *kind))
        }
    }
}

fn ways_text(voice: &Voice, ways: &[AttestKind]) -> String {
    let each = |how: &AttestKind| {
        format!(
            "{} (--how {})",
            crate::attest_kind(voice, *how),
            how_word(*how)
        )
    };
    match ways {
        [] => each(&AttestKind::Unplugged),
        ways => ways.iter().map(each).collect::<Vec<_>>().join(", or "),
    }
}
