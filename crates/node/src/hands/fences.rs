//! What stands against the word of a fence in the words of others.

use super::NodeHands;
use crate::act::{bounded, fence};
use siaga_model::config::{Fence, FenceKind};
use siaga_model::observation::FenceState;
use siaga_model::{NodeName, Why};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long the fences before the one that confirmed are asked. They have failed: one that is dead must not hold up the take.
const ASK_WITHIN: Duration = Duration::from_secs(2);

impl NodeHands {
    /// A power fence that stands before `device`, was tried before it and failed, and says that `victim` has power: there is a
    /// second cord, or `device` switches another machine. One that stands behind it says nothing: a strip is on while the machine
    /// on it is off.
    pub(super) fn says_on(&self, victim: &NodeName, device: &str) -> Option<Why> {
        let all = self.config.node(victim).map_or(&[][..], |n| &n.fences);
        before_says_on(all, device)
    }
}

fn before_says_on(fences: &[Fence], device: &str) -> Option<Why> {
    let power = fences.iter().filter(|f| f.kind == FenceKind::Power);
    let before: Vec<Fence> = power.take_while(|f| f.name != device).cloned().collect();
    let (tell, told) = mpsc::channel();
    for one in before {
        let tell = tell.clone();
        bounded::begin(move || drop(tell.send((fence::state(&one), one.name))));
    }
    drop(tell);
    let deadline = Instant::now() + ASK_WITHIN;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match told.recv_timeout(left).ok()? {
            (FenceState::Open, device) => return Some(Why::FenceSaysOpen { device }),
            (FenceState::Fenced | FenceState::Failed { .. }, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A fence that answers a question with that exit code: 0 says on, 2 off.
    fn fence(dir: &Path, name: &str, kind: FenceKind, code: u8) -> Fence {
        let agent = dir.join(name);
        let script =
            format!("#!/bin/sh\ncat >/dev/null\n[ {code} = 2 ] && echo Status: OFF\nexit {code}\n");
        crate::tests::executable(&agent, &script);
        Fence {
            name: name.into(),
            kind,
            agent,
            options: Vec::new(),
            secret_options: Vec::new(),
            outlets: Vec::new(),
            timeout: Duration::from_secs(10),
        }
    }

    #[test]
    fn an_off_by_the_second_fence_does_not_stand_while_the_first_says_on() {
        let dir = tempfile::tempdir().unwrap();
        let says = |first: u8, kind: FenceKind, used: &str| {
            let fences = [
                fence(dir.path(), "bmc", kind, first),
                fence(dir.path(), "strip", FenceKind::Power, 0),
            ];
            before_says_on(&fences, used)
        };
        let on = Why::FenceSaysOpen {
            device: "bmc".into(),
        };
        assert_eq!(says(0, FenceKind::Power, "strip"), Some(on));
        // Off as well, or dead; or no power fence at all.
        assert_eq!(says(2, FenceKind::Power, "strip"), None);
        assert_eq!(says(1, FenceKind::Power, "strip"), None);
        assert_eq!(says(0, FenceKind::Fabric, "strip"), None);
        // The strip goes on behind a management processor that switched the machine off.
        assert_eq!(says(0, FenceKind::Power, "bmc"), None);
    }
}
