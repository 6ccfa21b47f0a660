//! Is the data on the disk set what was last seen of this database?

use siaga_model::Why;
use siaga_model::integrity::{ControlSeen, Judged};

/// What was last seen, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastSeen {
    pub control: ControlSeen,
    pub when: When,
}

/// At what it was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// A start, or a stop after which another node may have gone on from there.
    Start,
    /// A stop after which nobody was to start it but by an order.
    Stop,
}

/// Judges. Older data, or another database, is never started: whoever writes to it loses what is newer elsewhere. Newer data
/// of the same database is: somebody who used it meanwhile is told of, and never costs a takeover.
pub fn judge(last: Option<&LastSeen>, found: &ControlSeen) -> Judged {
    let Some(LastSeen {
        control: last,
        when,
    }) = last
    else {
        return Judged::Fine;
    };
    let pair = || (Box::new(found.clone()), Box::new(last.clone()));
    if found.system_identifier != last.system_identifier {
        let (found, last) = pair();
        return Judged::Wrong(Why::DataOther { found, last });
    }
    if (found.timeline, found.checkpoint) < (last.timeline, last.checkpoint) {
        let (found, last) = pair();
        return Judged::Wrong(Why::DataOlder { found, last });
    }
    // The checksum is of the whole file, which whoever starts it rewrites.
    let same = found.checksum == last.checksum;
    match when {
        When::Stop if !same => Judged::Rewritten,
        When::Stop | When::Start => Judged::Fine,
    }
}
