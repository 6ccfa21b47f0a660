//! May new hardware take the place of a node? Only where nothing rests on the old machine: it is off, by a person's word
//! that nobody contradicts, and the service runs here, whole. So whatever the old one did was ended by a proof that this
//! node's take used up; the replacement itself proves nothing.

use crate::takeover::Asked;
use crate::world::World;
use siaga_model::NodeName;
use siaga_model::config::Config;
use siaga_model::keys_api::OffForGood;
use siaga_model::observation::Observation;
use siaga_model::plan::{MoveKind, Placement, Request};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};

/// As one service is seen by the node that is asked, which stays.
///
/// # Errors
/// The refusal, with its evidence.
pub fn may_replace(
    config: &Config,
    seen: &Observation,
    node: &NodeName,
    how: OffForGood,
) -> Result<(), Refusal> {
    let world = World::new(config, seen)?;
    let me = &seen.observer;
    let request = Request {
        kind: MoveKind::Takeover,
        goal: Placement::ActiveOn(me.clone()),
        attested: Vec::new(),
        may_fence: true,
        accepts_old_data: false,
    };
    let asked = Asked {
        world: &world,
        request: &request,
        proofs: &[],
        target: me,
        node,
    };
    if !world.is_silent(node) {
        let sentence = Sentence::RefusedReplaceAnswers { node: node.clone() };
        let mut next = Vec::new();
        if world.is_ready(node) {
            let service = world.name();
            next.push(Advice::Switchover { service });
        }
        next.push(Advice::PowerOff { node: node.clone() });
        return Err(asked.refuse(RefusalCode::NodeInUse, sentence, next));
    }
    if !world.holders().contains(&me) || !world.is_complete(me) {
        let sentence = Sentence::RefusedReplaceMayHold {
            node: node.clone(),
            service: world.name(),
        };
        let mut next = vec![Advice::Takeover {
            service: world.name(),
        }];
        next.extend(asked.attest_advice());
        return Err(asked.refuse(RefusalCode::NodeInUse, sentence, next));
    }
    if let Some(witness) = asked.contradiction(how.into()) {
        return Err(asked.contradicted(how.into(), witness));
    }
    Ok(())
}
