//! The paper's "check the cause at once": the first broken layer, and whether to restart in place or to take over.

use crate::verdict::{takeover_advice, verdict};
use crate::world::World;
use siaga_model::api::{Diagnosis, Layer, LayerFinding, VerdictState};
use siaga_model::config::Config;
use siaga_model::observation::Observation;
use siaga_model::refusal::Advice;
use siaga_model::{NodeName, ServiceName};

/// Puts the layers in order from the bottom up, names the lowest broken one on the node that has or had the service
/// (a broken standby explains no outage), and recommends what to do.
pub fn diagnose(
    config: &Config,
    service: &ServiceName,
    mut layers: Vec<LayerFinding>,
    observation: &Observation,
) -> Diagnosis {
    let world = World::new(config, observation)
        .ok()
        .filter(|w| &w.service.name == service);
    let patient = world.as_ref().and_then(|w| w.last_on()).cloned();
    layers.sort_by_key(|l| (Some(&l.node) != patient.as_ref(), l.layer));
    let broken = layers
        .iter()
        .find(|l| l.ok == Some(false) && patient.as_ref().is_none_or(|p| p == &l.node));
    let cause = broken.cloned();
    let advice = match &world {
        Some(world) => advice(world, broken, patient.as_ref()),
        None => vec![Advice::Status],
    };
    Diagnosis {
        service: service.clone(),
        layers,
        cause,
        advice,
    }
}

fn advice(world: &World, broken: Option<&LayerFinding>, patient: Option<&NodeName>) -> Vec<Advice> {
    let Some(broken) = broken else {
        return nothing_broken(world);
    };
    let service = world.name();
    match broken.layer {
        // The machine, its network or its way to the data: nothing that a restart mends.
        Layer::Power | Layer::NetworkPaths | Layer::Agent | Layer::DiskSet | Layer::FileSystem => {
            takeover_advice(world)
        }
        Layer::FreeSpace => vec![Advice::FreeSpace {
            node: broken.node.clone(),
        }],
        // Starts what is missing; the database goes on.
        Layer::Applications => vec![Advice::Start { service }],
        // The layers below are sound there: the data is reached, so a restart is the shorter way.
        Layer::KernelLog
        | Layer::Process
        | Layer::LastShutdown
        | Layer::AcceptingConnections
        | Layer::ClientTest => {
            if patient.is_some_and(|p| world.is_mounted(p)) {
                let mut advice = vec![Advice::Restart { service }];
                advice.extend(
                    takeover_advice(world)
                        .into_iter()
                        .filter(|a| *a != Advice::Diagnose),
                );
                return advice;
            }
            if patient.is_some_and(|p| world.is_silent(p)) {
                return takeover_advice(world);
            }
            vec![Advice::Start { service }]
        }
    }
}

/// No layer is known to be broken: the verdict's advice, without sending the person back here.
fn nothing_broken(world: &World) -> Vec<Advice> {
    let verdict = verdict(world.config, world.seen);
    let mut advice = verdict.advice;
    advice.retain(|a| *a != Advice::Diagnose);
    if advice.is_empty() {
        advice.push(match verdict.state {
            VerdictState::Running => Advice::Check,
            _ => Advice::Status,
        });
    }
    advice
}
