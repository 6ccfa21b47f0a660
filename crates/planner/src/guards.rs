//! What stands in the way of any plan, whichever way the other node lets go.

use crate::evidence;
use crate::takeover::{self, Asked};
use crate::world::{Grip, World};
use siaga_model::observation::Holding;
use siaga_model::plan::{MoveKind, PlannedProof, Request};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::{NodeName, Why};

/// Another run is going on, or rests unfinished. A run that is about that very one is let through.
pub(crate) fn refuse_other_run(world: &World, request: &Request) -> Result<(), Refusal> {
    match request.kind {
        MoveKind::Resume | MoveKind::Abort | MoveKind::Restore | MoveKind::Cover => return Ok(()),
        MoveKind::Takeover
        | MoveKind::Switchover
        | MoveKind::Failback
        | MoveKind::Drill
        | MoveKind::Restart
        | MoveKind::Stop
        | MoveKind::Start => {}
    }
    let Some(run) = world.unfinished() else {
        return Ok(());
    };
    let (id, since, coordinator) = (run.run.clone(), run.since, run.coordinator.clone());
    if run.live {
        let actor = run.actor.clone();
        return Err(Refusal {
            code: RefusalCode::RunInProgress,
            sentence: Sentence::RunBy {
                run: id.clone(),
                actor,
                since,
                coordinator,
            },
            evidence: Vec::new(),
            next: vec![Advice::WaitForRun { run: id }],
        });
    }
    // A coordinator that is silent can't say that its run ended a moment ago, and can't go on with it either: a
    // takeover begins from what is seen.
    let by_person = matches!(request.kind, MoveKind::Takeover | MoveKind::Start);
    if by_person && world.is_silent(&coordinator) {
        return Ok(());
    }
    Err(Refusal {
        code: RefusalCode::RunInterrupted,
        sentence: Sentence::RunLeftOver {
            run: id,
            since,
            coordinator,
        },
        evidence: Vec::new(),
        next: vec![Advice::Resume, Advice::Abort],
    })
}

/// The nodes whose agents say that they hold the disk set. One that is cut off from the storage does not count: it
/// can't write, whatever it believes.
pub(crate) fn disk_holders(world: &World) -> Vec<NodeName> {
    let holds = |n: &NodeName| {
        world.grip(n) == Grip::Holds
            && world
                .facts(n)
                .is_some_and(|f| matches!(f.disk, Holding::Held { .. }))
    };
    world
        .nodes()
        .map(|n| n.name.clone())
        .filter(holds)
        .collect()
}

pub(crate) fn refuse_two_holders(world: &World) -> Result<(), Refusal> {
    let nodes = disk_holders(world);
    if nodes.len() < 2 {
        return Ok(());
    }
    let mut said: Vec<Sentence> = nodes.iter().map(|n| evidence::holds(world, n)).collect();
    said.extend(evidence::probes(world));
    Err(Refusal {
        code: RefusalCode::TwoHolders,
        sentence: Sentence::BothHold { nodes },
        evidence: said,
        next: two_holders_advice(world),
    })
}

/// Where the service is seen to run on one of them, the other has to go. Otherwise nobody can say which.
pub(crate) fn two_holders_advice(world: &World) -> Vec<Advice> {
    let nodes = disk_holders(world);
    let served = |n: &&NodeName| {
        let by = |p: &siaga_model::observation::ProbeSighting| {
            p.serving && world.is_fresh(p) && p.node.as_ref() == Some(*n)
        };
        world.seen.probes.iter().any(by)
    };
    let mut advice = Vec::new();
    if nodes.iter().filter(served).count() == 1 {
        let others = nodes.iter().filter(|n| !served(n) && !world.is_ready(n));
        advice.extend(others.map(|node| Advice::PowerOff { node: node.clone() }));
    }
    advice.push(Advice::Diagnose);
    advice
}

/// A machine of nobody's answers at the service's address. The runner's own plans go on: a service that comes back
/// with a contested address is better than none.
pub(crate) fn refuse_address_conflict(world: &World, request: &Request) -> Result<(), Refusal> {
    if matches!(request.kind, MoveKind::Restore | MoveKind::Cover) {
        return Ok(());
    }
    let Some((sentence, hardware)) = evidence::address_conflict(world) else {
        return Ok(());
    };
    Err(Refusal {
        code: RefusalCode::AddressConflict,
        sentence,
        evidence: evidence::probes(world),
        next: vec![Advice::FindStranger { hardware }],
    })
}

/// A file system of the service that nobody mounted under a mandate.
pub(crate) fn refuse_stranger(world: &World, node: &NodeName) -> Result<(), Refusal> {
    let Some(mount) = evidence::strangers(world, node).next() else {
        return Ok(());
    };
    Err(Refusal {
        code: RefusalCode::Stranger,
        sentence: evidence::stranger(node, mount),
        evidence: evidence::of_node(world, node),
        next: vec![Advice::UnmountByHand {
            node: node.clone(),
            mount_point: mount.mount_point.clone(),
        }],
    })
}

/// Old data that a person decided to go on with.
#[derive(Clone)]
pub(crate) struct OldData {
    pub resource: String,
    pub state: String,
}

/// The states of a whole copy that is old, or that may be: it was up to date when it went down, and the other one may have gone on.
/// Anything else (half copied, gone, not known) is no database, and nobody can decide that it is one.
const WHOLE: [&str; 2] = ["Outdated", "Consistent"];

/// As [`refuse_unable_target`], but for a target whose copy is old: a takeover may promote it where a named person decided
/// so, and no other node answers. One that answers has, or can be brought to, the newer data.
pub(crate) fn old_data(
    world: &World,
    request: &Request,
    target: &NodeName,
) -> Result<Option<OldData>, Refusal> {
    let refused = match refuse_unable_target(world, target) {
        Ok(()) => return Ok(None),
        Err(refused) => refused,
    };
    let unable = world.facts(target).and_then(|f| f.unable.as_ref());
    let Some(Why::DrbdData { resource, state }) = unable.filter(|_| !world.is_mounted(target))
    else {
        return Err(refused);
    };
    let alone = world
        .others(target)
        .iter()
        .all(|n| world.grip(n) == Grip::Silent);
    // One that was interrupted, or got stuck, must find its way to the end.
    let decides = matches!(request.kind, MoveKind::Takeover | MoveKind::Resume);
    if !decides || !WHOLE.contains(&state.as_str()) || !alone {
        return Err(refused);
    }
    if !request.accepts_old_data {
        let mut next = refused.next;
        next.push(match request.kind {
            MoveKind::Resume => Advice::ResumeWithOldData,
            _ => Advice::AcceptOldData,
        });
        return Err(Refusal { next, ..refused });
    }
    refuse_stranger(world, target)?;
    refuse_by_grip(world, target)?;
    Ok(Some(OldData {
        resource: resource.clone(),
        state: state.clone(),
    }))
}

fn not_ready(world: &World, target: &NodeName, sentence: Sentence) -> Refusal {
    Refusal {
        code: RefusalCode::TargetNotReady,
        sentence,
        evidence: evidence::of_node(world, target),
        next: vec![Advice::Check, Advice::Diagnose],
    }
}

/// The target answers, reaches the disk set, and nothing foreign is in the way there.
pub(crate) fn refuse_unable_target(world: &World, target: &NodeName) -> Result<(), Refusal> {
    refuse_stranger(world, target)?;
    let refuse = |sentence| Err(not_ready(world, target, sentence));
    // Before anything is done to the other node for it.
    if let Some(why) = unable(world, target).filter(|why| !is_over_by_a_fence(why)) {
        return refuse(Sentence::RefusedTargetNotReady {
            node: target.clone(),
            why,
        });
    }
    refuse_by_grip(world, target)
}

/// Why a take there would fail, as the node itself says. What is mounted there is not taken again.
fn unable(world: &World, target: &NodeName) -> Option<Why> {
    let unable = world.facts(target)?.unable.clone();
    unable.filter(|_| !world.is_mounted(target))
}

/// A node that is fenced writes no more, however new its copy is.
pub(crate) fn is_over_by_a_fence(why: &Why) -> bool {
    matches!(why, Why::DrbdOtherUnseen { .. })
}

/// Every other node lets go by itself, and the target's take needs one of them fenced.
pub(crate) fn refuse_unfenced(
    world: &World,
    target: &NodeName,
    letting_go: &[PlannedProof],
) -> Result<(), Refusal> {
    let released = |p: &PlannedProof| matches!(p, PlannedProof::Release { .. });
    match unable(world, target) {
        Some(why) if is_over_by_a_fence(&why) && letting_go.iter().all(released) => {
            let node = target.clone();
            let why = behind(world, target, why);
            let sentence = Sentence::RefusedTargetNotReady { node, why };
            Err(not_ready(world, target, sentence))
        }
        _ => Ok(()),
    }
}

/// Where another node has the service, nobody is sent to switch that one off.
fn behind(world: &World, target: &NodeName, why: Why) -> Why {
    let held = world.others(target).into_iter();
    let held = held.into_iter().any(|n| world.grip(n) == Grip::Holds);
    match why {
        Why::DrbdOtherUnseen { resource } if held => Why::DrbdBehind { resource },
        why => why,
    }
}

/// It answers, reaches the disk set, and can tell what it holds.
fn refuse_by_grip(world: &World, target: &NodeName) -> Result<(), Refusal> {
    let refuse = |sentence| Err(not_ready(world, target, sentence));
    match world.grip(target) {
        Grip::Free | Grip::Holds => Ok(()),
        Grip::Unknown { .. } if world.is_complete(target) => Ok(()),
        Grip::Unknown { why } => refuse(Sentence::RefusedTargetNotReady {
            node: target.clone(),
            why,
        }),
        Grip::CutOff { device } => refuse(Sentence::RefusedTargetFenced {
            node: target.clone(),
            device,
        }),
        Grip::Silent => Err(peer_silent(world, target)),
    }
}

/// A part of the database that does not come along: the target would refuse the start, after the stop. A takeover has no choice,
/// and its source can't tell.
pub(crate) fn refuse_astray(
    world: &World,
    source: &NodeName,
    target: &NodeName,
) -> Result<(), Refusal> {
    let astray = world.facts(source).map_or(&[][..], |f| &f.astray);
    let Some(why) = astray.first().filter(|_| source != target) else {
        return Ok(());
    };
    Err(Refusal {
        code: RefusalCode::TargetNotReady,
        sentence: Sentence::RefusedTargetNotReady {
            node: target.clone(),
            why: why.clone(),
        },
        evidence: evidence::of_node(world, source),
        next: vec![Advice::Check],
    })
}

/// A node that lost its journal can't know which mandates there were. The other node's journal tells, or a person
/// answers for the other node.
pub(crate) fn refuse_lost_journal(world: &World, request: &Request) -> Result<(), Refusal> {
    let me = &world.seen.observer;
    if !world.facts(me).is_some_and(|f| f.ledger.journal_lost) {
        return Ok(());
    }
    let lost_too = |n: &&NodeName| world.facts(n).is_some_and(|f| f.ledger.journal_lost);
    if let Some(node) = world.others(me).into_iter().find(lost_too) {
        // It answers, and knows no more than this node does.
        return Err(Refusal {
            code: RefusalCode::JournalLost,
            sentence: Sentence::JournalsLost {
                nodes: vec![me.clone(), node.clone()],
            },
            evidence: evidence::of_node(world, node),
            next: vec![Advice::AcceptLoss, Advice::Diagnose],
        });
    }
    for node in world.others(me).into_iter().filter(|n| world.is_silent(n)) {
        let given = request.attested.iter().find(|a| &a.node == node);
        let asked = Asked {
            world,
            request,
            proofs: &[],
            target: me,
            node,
        };
        if given
            .is_some_and(|g| takeover::may_force(request) && asked.contradiction(g.how).is_none())
        {
            continue;
        }
        let mut next: Vec<Advice> = asked.attest_advice().into_iter().collect();
        next.push(Advice::Diagnose);
        return Err(Refusal {
            code: RefusalCode::JournalLost,
            sentence: Sentence::NodeJournalLost { node: me.clone() },
            evidence: evidence::of_node(world, node),
            next,
        });
    }
    Ok(())
}

/// A planned move needs both agents.
pub(crate) fn peer_silent(world: &World, node: &NodeName) -> Refusal {
    let service = world.name();
    let runs_elsewhere = world
        .nodes()
        .any(|n| &n.name != node && world.is_ready(&n.name));
    let next = if runs_elsewhere {
        vec![Advice::Diagnose, Advice::PowerOn { node: node.clone() }]
    } else {
        vec![Advice::Takeover { service }, Advice::Diagnose]
    };
    Refusal {
        code: RefusalCode::PeerSilent,
        sentence: Sentence::RefusedPeerSilent { node: node.clone() },
        evidence: evidence::of_node(world, node),
        next,
    }
}

/// Nothing runs that could be moved or restarted.
pub(crate) fn not_running(world: &World) -> Refusal {
    let service = world.name();
    let said = world
        .nodes()
        .flat_map(|n| evidence::of_node(world, &n.name))
        .collect();
    Refusal {
        code: RefusalCode::NotRunning,
        sentence: Sentence::RefusedNotRunning {
            service: service.clone(),
        },
        evidence: said,
        next: vec![Advice::Start { service }],
    }
}

/// The service is where it is wanted.
pub(crate) fn already_there(world: &World, node: &NodeName) -> Refusal {
    Refusal {
        code: RefusalCode::AlreadyThere,
        sentence: Sentence::AlreadyActive {
            service: world.name(),
            node: node.clone(),
        },
        evidence: evidence::of_node(world, node),
        next: vec![Advice::Status],
    }
}
