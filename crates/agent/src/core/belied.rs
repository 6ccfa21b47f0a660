//! Power fences whose word is false: they say that a machine is off which answers. Such a fence belongs to another machine,
//! most often to the one that was replaced. Its "off" would pass for a proof later, when the machine does not answer any more, and
//! its switch would hit another one; so it counts as a fence that does not work until it says "on" of a machine that answers.

use siaga_model::config::FenceKind;
use siaga_model::observation::{FenceState, FenceView};
use siaga_model::{NodeName, Why};
use siaga_node::act::durable_file;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const FILE: &str = "fences-belied.json";

/// The fences that were seen to be wrong. Kept over a restart: the machine may be silent by then.
pub struct BeliedFences {
    path: PathBuf,
    known: Mutex<BTreeSet<(NodeName, String)>>,
}

impl BeliedFences {
    /// Those that are known below `state_dir`.
    pub fn load(state_dir: &Path) -> Self {
        let path = state_dir.join(FILE);
        let read = durable_file::read(&path).and_then(|content| {
            let content = content.unwrap_or_else(|| b"[]".to_vec());
            serde_json::from_slice(&content).map_err(std::io::Error::other)
        });
        let known = read.unwrap_or_else(|error| {
            // They are found again as soon as the machine answers.
            tracing::warn!(path = %path.display(), %error, "which fences were seen to be wrong is not known");
            BTreeSet::new()
        });
        Self {
            path,
            known: Mutex::new(known),
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<(NodeName, String)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a power fence say "off", so that an answer of the node that comes after it gives the lie to it?
    pub fn is_at_stake(fences: &[FenceView]) -> bool {
        fences.iter().any(says_off)
    }

    /// Takes note of what the fences said of `node`, and takes its word from each that is known to be wrong.
    /// `answered`: the node's agent answered, before the fences were asked and after it.
    pub fn judge(&self, node: &NodeName, fences: &mut [FenceView], answered: bool) {
        if answered {
            self.learn(node, fences);
        }
        for fence in fences {
            fence.state = self.word(node, &fence.name, fence.state.clone());
        }
    }

    /// What a device's word on `node` counts for.
    pub fn word(&self, node: &NodeName, device: &str, state: FenceState) -> FenceState {
        match self.why_not(node, device) {
            // Its "on" is of the other machine too: it would be switched, and then say "off".
            Some(why) => FenceState::Failed { why },
            None => state,
        }
    }

    /// Why the device is not to be switched for `node`, where it is known to be another machine's.
    pub fn why_not(&self, node: &NodeName, device: &str) -> Option<Why> {
        let known = self.known().contains(&(node.clone(), device.to_owned()));
        known.then(|| Why::FenceBelied { node: node.clone() })
    }

    fn learn(&self, node: &NodeName, fences: &[FenceView]) {
        let mut known = self.known();
        let before = known.clone();
        for fence in fences.iter().filter(|f| f.kind == FenceKind::Power) {
            let key = (node.clone(), fence.name.clone());
            match fence.state {
                FenceState::Fenced => drop(known.insert(key)),
                FenceState::Open => drop(known.remove(&key)),
                FenceState::Failed { .. } => {}
            }
        }
        if *known != before {
            self.save(&known);
        }
    }

    fn save(&self, known: &BTreeSet<(NodeName, String)>) {
        let saved = serde_json::to_vec(known)
            .map_err(std::io::Error::other)
            .and_then(|content| durable_file::replace(&self.path, &content));
        if let Err(error) = saved {
            tracing::warn!(path = %self.path.display(), %error, "a wrong fence is remembered until the agent's restart only");
        }
    }
}

fn says_off(fence: &FenceView) -> bool {
    fence.kind == FenceKind::Power && fence.state == FenceState::Fenced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(kind: FenceKind, state: FenceState) -> FenceView {
        FenceView {
            name: "ipmi".into(),
            kind,
            state,
        }
    }

    fn power(state: FenceState) -> [FenceView; 1] {
        [fence(FenceKind::Power, state)]
    }

    #[test]
    fn an_off_that_an_answer_belies_counts_for_nothing_until_it_says_on() {
        let place = tempfile::tempdir().unwrap();
        let node = NodeName::from("serverdb");
        let belied = BeliedFences::load(place.path());
        let seen = |belied: &BeliedFences, state, answered| {
            let mut fences = power(state);
            belied.judge(&node, &mut fences, answered);
            fences[0].state.clone()
        };
        let wrong = FenceState::Failed {
            why: Why::FenceBelied { node: node.clone() },
        };
        // A machine that is really off does not answer.
        assert_eq!(seen(&belied, FenceState::Fenced, false), FenceState::Fenced);
        assert_eq!(seen(&belied, FenceState::Fenced, true), wrong);
        // From now on, also where it is silent, and after a restart.
        assert_eq!(seen(&belied, FenceState::Fenced, false), wrong);
        let belied = BeliedFences::load(place.path());
        assert_eq!(seen(&belied, FenceState::Fenced, false), wrong);
        // The old machine was switched on: that says nothing of this one, and it is not switched off in its place.
        assert_eq!(seen(&belied, FenceState::Open, false), wrong);
        assert_eq!(seen(&belied, FenceState::Fenced, false), wrong);
        // It was given the right machine.
        assert_eq!(seen(&belied, FenceState::Open, true), FenceState::Open);
        assert_eq!(seen(&belied, FenceState::Fenced, false), FenceState::Fenced);
        let belied = BeliedFences::load(place.path());
        assert_eq!(seen(&belied, FenceState::Fenced, false), FenceState::Fenced);
    }

    #[test]
    fn a_node_that_is_cut_from_the_storage_may_answer() {
        let place = tempfile::tempdir().unwrap();
        let node = NodeName::from("serverdb");
        let belied = BeliedFences::load(place.path());
        for kind in [FenceKind::Fabric, FenceKind::Reservation] {
            let mut fences = [fence(kind, FenceState::Fenced)];
            assert!(!BeliedFences::is_at_stake(&fences));
            belied.judge(&node, &mut fences, true);
            assert_eq!(fences[0].state, FenceState::Fenced);
        }
    }

    #[test]
    fn a_damaged_file_is_begun_anew() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join(FILE), b"{").unwrap();
        let node = NodeName::from("serverdb");
        let belied = BeliedFences::load(place.path());
        let word = belied.word(&node, "ipmi", FenceState::Fenced);
        assert_eq!(word, FenceState::Fenced);
    }
}
