//! What must hold of every plan, whatever the world: written from design.md, not from the planner.

use siaga_model::config::{Config, FenceKind};
use siaga_model::observation::{
    FenceState, Holding, Known, Neighbour, NeighbourRun, Observation, Presence, ProbeSighting,
};
use siaga_model::plan::{Action, Hit, MoveKind, Plan, Step};
use siaga_model::refusal::Sentence;
use siaga_model::{NodeName, StepId};
use std::collections::BTreeSet;

/// The first invariant that `plan` breaks.
pub fn check(config: &Config, observation: &Observation, plan: &Plan) -> Result<(), String> {
    let checks = [
        ordered(plan),
        enlisted(plan, observation),
        one_holder(config, plan),
        planned_never_fences(plan),
        unknown_is_not_free(observation, plan),
        database_after_mount(plan),
        address_after_address(config, plan),
        nothing_taken_is_promised(plan),
        every_hit_is_named(config, observation, plan),
    ];
    checks
        .into_iter()
        .collect::<Result<Vec<()>, String>>()
        .map(drop)
}

/// Every step that must be done before `step` begins.
fn before(plan: &Plan, step: &Step) -> BTreeSet<StepId> {
    let mut found = BTreeSet::new();
    let mut open = step.after.clone();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(plan.steps[usize::from(id.0)].after.iter().copied());
        }
    }
    found
}

fn steps<'a>(plan: &'a Plan, is: impl Fn(&Action) -> bool + 'a) -> impl Iterator<Item = &'a Step> {
    plan.steps.iter().filter(move |s| is(&s.action))
}

fn some_before(plan: &Plan, step: &Step, is: impl Fn(&Step) -> bool) -> bool {
    before(plan, step)
        .into_iter()
        .any(|id| is(&plan.steps[usize::from(id.0)]))
}

fn ordered(plan: &Plan) -> Result<(), String> {
    for (index, step) in plan.steps.iter().enumerate() {
        if usize::from(step.id.0) != index {
            return Err(format!("step {index} has the id {}", step.id));
        }
        if step.after.iter().any(|id| *id >= step.id) {
            return Err(format!("step {index} waits for a later one"));
        }
    }
    Ok(())
}

/// A node obeys nothing under a mandate that it has not admitted. The coordinator has, by minting it.
fn enlisted(plan: &Plan, observation: &Observation) -> Result<(), String> {
    for step in steps(plan, |a| *a != Action::Enlist) {
        let own = |s: &Step| s.node == step.node && s.action == Action::Enlist;
        let by_minting = matches!(step.action, Action::Fence { .. } | Action::Attest { .. })
            && step.node == observation.observer;
        if !by_minting && !some_before(plan, step, own) {
            return Err(format!(
                "step {} before its node obeys the mandate",
                step.id
            ));
        }
    }
    Ok(())
}

fn lets_go(step: &Step, node: &NodeName) -> bool {
    match &step.action {
        Action::Release => &step.node == node,
        Action::Fence { victim, .. } | Action::Attest { victim, .. } => victim == node,
        _ => false,
    }
}

fn one_holder(config: &Config, plan: &Plan) -> Result<(), String> {
    for take in steps(plan, |a| *a == Action::Take) {
        for other in config.others(&take.node) {
            if !some_before(plan, take, |s| lets_go(s, &other.name)) {
                return Err(format!("{} takes before {} let go", take.node, other.name));
            }
        }
    }
    for mount in steps(plan, |a| *a == Action::Mount) {
        if !some_before(plan, mount, |s| {
            s.action == Action::Take && s.node == mount.node
        }) {
            return Err(format!("{} mounts without a take", mount.node));
        }
    }
    Ok(())
}

fn planned_never_fences(plan: &Plan) -> Result<(), String> {
    let planned = matches!(
        plan.kind,
        MoveKind::Switchover
            | MoveKind::Failback
            | MoveKind::Drill
            | MoveKind::Restart
            | MoveKind::Stop
    );
    let forces = |a: &Action| matches!(a, Action::Fence { .. } | Action::Attest { .. });
    if planned && steps(plan, forces).next().is_some() {
        return Err("a planned move forces".into());
    }
    Ok(())
}

/// A bare promise (nothing stopped, nothing unmounted) is asked only of a node that says it is free; and a node that
/// does not answer is asked for nothing.
fn unknown_is_not_free(observation: &Observation, plan: &Plan) -> Result<(), String> {
    for step in &plan.steps {
        let facts = observation
            .nodes
            .get(&step.node)
            .and_then(|v| v.agent.facts());
        let Some(facts) = facts else {
            return Err(format!("{} is silent and has step {}", step.node, step.id));
        };
        if step.action != Action::Release {
            continue;
        }
        let unmounts = |s: &Step| s.node == step.node && s.action == Action::Unmount;
        if facts.disk != Holding::Free && !some_before(plan, step, unmounts) {
            return Err(format!("{} is not free and only promises", step.node));
        }
    }
    Ok(())
}

fn database_after_mount(plan: &Plan) -> Result<(), String> {
    for start in steps(plan, |a| *a == Action::StartDatabase) {
        let mounts = |s: &Step| s.node == start.node && s.action == Action::Mount;
        if plan.kind != MoveKind::Restart && !some_before(plan, start, mounts) {
            return Err("the database starts before its file system is mounted".into());
        }
    }
    Ok(())
}

/// The address is never added before every other node has let go of it. One that has a chain of its own removes it
/// there; one that is free has none.
fn address_after_address(config: &Config, plan: &Plan) -> Result<(), String> {
    for add in steps(plan, |a| *a == Action::AddVirtualIp) {
        for other in config.others(&add.node) {
            let removes = |s: &Step| s.node == other.name && s.action == Action::RemoveVirtualIp;
            let needed = plan.steps.iter().any(removes);
            let gone = |s: &Step| {
                if needed {
                    removes(s)
                } else {
                    lets_go(s, &other.name)
                }
            };
            if !some_before(plan, add, gone) {
                return Err(format!(
                    "{} adds the address before {} let go",
                    add.node, other.name
                ));
            }
        }
    }
    Ok(())
}

/// A promise made under a mandate forbids a take under the same one.
fn nothing_taken_is_promised(plan: &Plan) -> Result<(), String> {
    for take in steps(plan, |a| *a == Action::Take) {
        if steps(plan, |a| *a == Action::Release).any(|s| s.node == take.node) {
            return Err(format!(
                "{} promises and takes under one mandate",
                take.node
            ));
        }
    }
    Ok(())
}

/// A fence hits a node: it needs the mandates of every other service, and the operator is told of exactly those that
/// are not known to have nothing there. None of them works there, and no run of any acts there.
fn every_hit_is_named(
    config: &Config,
    observation: &Observation,
    plan: &Plan,
) -> Result<(), String> {
    let mut expected = Vec::new();
    for step in &plan.steps {
        // A reservation hits the disk set of this service alone.
        let Action::Fence {
            victim,
            fence: FenceKind::Power | FenceKind::Fabric,
            ..
        } = &step.action
        else {
            continue;
        };
        for other in config.services.iter().filter(|s| s.name != plan.service) {
            let mut seen = observation.neighbours.iter();
            let seen = seen.find(|n| n.service == other.name);
            expected.push(Hit {
                victim: victim.clone(),
                service: other.name.clone(),
            });
            let acts = |r: &NeighbourRun| r.acts_on.known().is_none_or(|on| on.contains(victim));
            if seen.and_then(|n| n.run.as_ref()).is_some_and(acts) {
                return Err(format!("a run of {} acts on {victim}", other.name));
            }
            let presence = seen.and_then(|n| n.on.get(victim)).and_then(Known::known);
            let absent = presence == Some(&Presence::Absent);
            if !absent && works_there(config, observation, seen, victim) {
                return Err(format!("{} works on {victim}, which is fenced", other.name));
            }
            let said = Sentence::FenceHitsService {
                node: victim.clone(),
                service: other.name.clone(),
            };
            if plan.unproved.contains(&said) == absent {
                return Err(format!(
                    "{}: absent is {absent}, and it is told otherwise",
                    other.name
                ));
            }
        }
    }
    if plan.hits != expected {
        return Err(format!("hits {expected:?}, names {:?}", plan.hits));
    }
    Ok(())
}

fn works_there(
    config: &Config,
    observation: &Observation,
    seen: Option<&Neighbour>,
    victim: &NodeName,
) -> bool {
    let mut fences = observation.nodes[victim].fences.iter();
    let cut = fences.any(|f| f.kind == FenceKind::Fabric && f.state == FenceState::Fenced);
    let fresh = u64::try_from(config.policy.witness_fresh.as_millis()).unwrap();
    let served = |p: &ProbeSighting| {
        p.serving && p.age_ms <= fresh && p.node.as_ref().is_none_or(|n| n == victim)
    };
    seen.is_some_and(|n| {
        let presence = n.on.get(victim).and_then(Known::known);
        (presence == Some(&Presence::Running) && !cut) || n.probes.iter().any(served)
    })
}
