//! A replicated device (DRBD 8.4 and 9): primary on the node that holds it. The kernel opens it for nobody while it is
//! secondary, and stays primary while it is open.
//!
//! Only up-to-date data is promoted; old data by force, where a person decided so for this very copy. A copy that is cut off
//! while the other node goes on is marked as old ([`Resource::mark_old`]): it would pass for up to date until then. What the two nodes know of each other's data is in
//! `drbdsetup events2`, which 8.4 and 9 write alike.

mod told;

use super::layered::Layer;
use super::under_way::UnderWay;
use super::{Problem, TakeOrder};
use crate::command;
use siaga_model::observation::Holding;
use siaga_model::run::FailureKind;
use siaga_model::why::Holder;
use siaga_model::{ServiceName, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use siaga_runner::permit::OldData;
use std::fs::Permissions;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use told::{Seen, handler, is_ahead, parse, setting};

/// How long a question may take.
const ASK_WITHIN: Duration = Duration::from_secs(10);
/// How long a change may take: a fence handler of the site's own may run in it.
const CHANGE_WITHIN: Duration = Duration::from_secs(60);
/// How often the connection to a peer that was switched off is looked at.
const POLL: Duration = Duration::from_millis(100);
const UP_TO_DATE: &str = "UpToDate";
/// Whole, and old, or perhaps old: it was up to date when it went down, and the other one may have gone on.
const WHOLE: [&str; 2] = ["Outdated", "Consistent"];
/// The package's handler `fence-peer`.
const HANDLER: &str = "drbd-fence-peer";
/// The setting of `fencing` with which DRBD stops all writing until its handler has an answer.
const STONITH: &str = "resource-and-stonith";
/// Where `packaging/drbd/drbd-fence-peer` looks whether a take is under way.
const TAKING: &str = "/run/siaga/drbd";

/// One resource on this node.
pub struct Resource {
    name: String,
    under_way: UnderWay,
}

impl Resource {
    /// The resource `name` that carries `service`.
    pub fn new(name: &str, service: &ServiceName) -> Self {
        Self {
            name: name.to_owned(),
            under_way: UnderWay::of(service),
        }
    }

    fn seen(&self) -> Result<Seen, Why> {
        let text = ask(&["drbdsetup", "events2", "--now", &self.name])?;
        parse(&text, &self.name).ok_or_else(|| Why::DrbdUntold {
            resource: self.name.clone(),
        })
    }

    /// The block devices of its volumes.
    pub fn devices(&self) -> Result<Vec<PathBuf>, Why> {
        let minors = self.seen()?.minors.into_iter();
        Ok(minors.map(|m| format!("/dev/drbd{m}").into()).collect())
    }

    /// A change by name, as the site's configuration of DRBD knows the resource.
    fn change(&self, verb: &[&str]) -> Result<(), Why> {
        let argv: Vec<String> = [&["drbdadm"], verb, &[&self.name]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let result = self.under_way.run(&argv, CHANGE_WITHIN);
        match result.succeeded() {
            true => Ok(()),
            false => Err(result.ending(result.last_line()).of("drbdadm")),
        }
    }

    /// Why this node's data may not be promoted.
    fn refuses(&self, seen: &Seen) -> Option<Why> {
        let resource = self.name.clone();
        if seen.peers.iter().any(|role| role == "Primary") {
            return Some(Why::DrbdPeerPrimary { resource });
        }
        let old = worst(&seen.disks);
        match (old, seen.disks.is_empty()) {
            (Some(disk), _) => Some(Why::DrbdData {
                resource,
                state: disk.clone(),
            }),
            (None, true) => Some(Why::DrbdUntold { resource }),
            (None, false) => None,
        }
    }

    /// Data here that is not up to date. Where it is not held, a take would be refused. Where it is, the service lives on the
    /// other node's copy: that one can take over, and nothing else is left.
    fn data_problem(&self, seen: &Seen) -> Option<Problem> {
        let disk = worst(&seen.disks)?.clone();
        let resource = self.name.clone();
        Some(match seen.role == "Primary" {
            false => Problem {
                blocking: true,
                why: Why::DrbdData {
                    resource,
                    state: disk,
                },
            },
            true => Problem {
                blocking: false,
                why: Why::DrbdOneCopy {
                    resource,
                    state: disk,
                },
            },
        })
    }

    /// A person decided for this very copy in this very state, it is whole, and the other one is out of reach.
    fn may_promote_old(&self, seen: &Seen, order: &TakeOrder) -> bool {
        let decided = |old: &&OldData| {
            let of_it = |d: &String| *d == old.state || d == UP_TO_DATE;
            old.resource == self.name && seen.disks.iter().all(of_it)
        };
        let whole = |disk: &String| WHOLE.contains(&disk.as_str()) || disk == UP_TO_DATE;
        let whole = !seen.disks.is_empty() && seen.disks.iter().all(whole);
        whole && seen.peers.is_empty() && order.accepted.filter(decided).is_some()
    }

    fn try_take(&self, order: &TakeOrder) -> Result<Did, Why> {
        let seen = self.seen()?;
        if seen.role == "Primary" {
            return Ok(Did::nothing());
        }
        let promote: &[&str] = match self.refuses(&seen) {
            None => &["primary"],
            Some(_) if self.may_promote_old(&seen, order) => &["primary", "--force"],
            Some(why) => return Err(why),
        };
        // The other node lives.
        if order.all_released && self.other_may_be_newer(&seen)? {
            return Err(self.other_unseen());
        }
        {
            // DRBD asks its handler about a node that is not connected: the permit of this take is the answer.
            let _taking = taking(&Path::new(TAKING).join(&self.name)).map_err(Why::system)?;
            self.change(promote)?;
        }
        match self.seen()?.role == "Primary" {
            true => Ok(Did::changed(Vec::new())),
            false => Err(Why::NotHeldAfterTake),
        }
    }

    /// The other copy is not seen: it may be the newer one, unless this one wrote last.
    fn other_may_be_newer(&self, seen: &Seen) -> Result<bool, Why> {
        if !seen.peers.is_empty() {
            return Ok(false);
        }
        let generations = ask(&["drbdadm", "get-gi", &self.name])?;
        Ok(!is_ahead(&generations))
    }

    fn other_unseen(&self) -> Why {
        Why::DrbdOtherUnseen {
            resource: self.name.clone(),
        }
    }

    fn try_release(&self) -> Result<Did, Why> {
        if self.seen()?.role == "Secondary" {
            return Ok(Did::nothing());
        }
        self.change(&["secondary"])?;
        match self.seen()?.role == "Secondary" {
            true => Ok(Did::changed(Vec::new())),
            false => Err(Why::HeldAfterRelease),
        }
    }

    /// Is this copy cut off, and would still pass for up to date?
    pub fn passes_for_current(&self) -> bool {
        self.seen().is_ok_and(|seen| passes_for_current(&seen))
    }

    /// What the connection tells of the other node. It is no fresh word: a node that died counts as connected until DRBD's own
    /// ping fails, ten seconds by default.
    pub fn other(&self) -> Why {
        self.seen()
            .map_or_else(|why| why, |seen| self.other_as(&seen))
    }

    fn other_as(&self, seen: &Seen) -> Why {
        let resource = self.name.clone();
        let primary = |role: &String| role == "Primary";
        match (seen.peers.is_empty(), seen.peers.iter().any(primary)) {
            (true, _) => Why::DrbdAlone { resource },
            (false, true) => Why::DrbdPeerPrimary { resource },
            (false, false) => Why::DrbdPeerSecondary { resource },
        }
    }

    /// Is it connected, and is its data up to date?
    pub fn is_whole(&self) -> bool {
        self.seen().is_ok_and(|seen| {
            !seen.peers.is_empty() && seen.disks.iter().all(|disk| disk == UP_TO_DATE)
        })
    }

    /// After the other node was switched off, or was said to be: waits until the kernel gives up its connection, as it does
    /// within its own `ping-int` and `ping-timeout`. Until then it takes that node for primary still, and promotes nothing. A
    /// node that goes on answering was not switched off.
    ///
    /// # Errors
    /// [`Why::DrbdPeerPrimary`] where it does; any other, why that can't be told.
    pub fn wait_until_peer_is_gone(&self) -> Result<(), Why> {
        let is_gone = || {
            self.seen()
                .map_or(true, |seen| seen.peers.iter().all(|role| role != "Primary"))
        };
        if is_gone() {
            return Ok(());
        }
        let deadline = Instant::now() + self.silence()?;
        while Instant::now() < deadline {
            std::thread::sleep(POLL);
            if is_gone() {
                return Ok(());
            }
        }
        Err(Why::DrbdPeerPrimary {
            resource: self.name.clone(),
        })
    }

    /// How long DRBD needs to find out that a peer is dead, and some.
    fn silence(&self) -> Result<Duration, Why> {
        let settings = self.settings()?;
        let number = |name, default| {
            let told = setting(&settings, name).and_then(|n| n.parse().ok());
            told.unwrap_or(default)
        };
        let ping = Duration::from_secs(number("ping-int", 10));
        // In tenths of a second.
        let answer = Duration::from_millis(100 * number("ping-timeout", 5));
        Ok(ping + answer + Duration::from_secs(5))
    }

    /// Marks this copy as old, durably, until it has what the other one has. DRBD refuses it where they are connected.
    pub fn mark_old(&self) -> Result<(), Why> {
        self.change(&["outdate"])
    }

    /// The other node writes without this one: why this copy was marked.
    pub fn why_old(&self) -> Why {
        Why::DrbdMarkedOld {
            resource: self.name.clone(),
        }
    }

    /// The value of a setting in DRBD's own configuration, as the kernel has it.
    fn settings(&self) -> Result<String, Why> {
        ask(&["drbdsetup", "show", "--show-defaults", &self.name])
    }
}

/// The state of the volume that is farthest from the newest data, where one is not up to date: one that is no database goes
/// before one that is old, and that before one that may be.
fn worst(disks: &[String]) -> Option<&String> {
    let rank = |disk: &&String| {
        WHOLE
            .iter()
            .rev()
            .position(|w| w == *disk)
            .map_or(usize::MAX, |at| at)
    };
    disks.iter().filter(|d| *d != UP_TO_DATE).max_by_key(rank)
}

impl Layer for Arc<Resource> {
    fn state(&self) -> Holding {
        match self.seen() {
            Ok(seen) if seen.role == "Secondary" => Holding::Free,
            Ok(_) => Holding::Held {
                by: vec![Holder::Primary {
                    resource: self.name.clone(),
                }],
            },
            Err(why) => Holding::Unknown { why },
        }
    }

    fn take(&self, order: &TakeOrder) -> Acted {
        self.try_take(order)
            .map_err(|why| Trouble::failed(FailureKind::Io, why))
    }

    fn release(&self) -> Acted {
        self.try_release()
            .map_err(|why| Trouble::failed(FailureKind::NotReleased, why))
    }

    fn device_stays(&self) -> bool {
        false
    }

    /// Asked before anything is done for a take: a fence must not come before the news that this node's data is old.
    fn unable(&self) -> Option<Why> {
        let seen = self.seen().ok()?;
        if let Some(old) = worst(&seen.disks) {
            return Some(Why::DrbdData {
                resource: self.name.clone(),
                state: old.clone(),
            });
        }
        let secondary = seen.role == "Secondary";
        let newer = secondary && self.other_may_be_newer(&seen).unwrap_or(true);
        newer.then(|| self.other_unseen())
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut add = |blocking, why| problems.push(Problem { blocking, why });
        let resource = || self.name.clone();
        match self.seen() {
            Err(why) => add(true, why),
            Ok(seen) => {
                if let Some(problem) = self.data_problem(&seen) {
                    add(problem.blocking, problem.why);
                }
                if seen.peers.is_empty() {
                    let resource = resource();
                    add(false, Why::DrbdAlone { resource });
                }
            }
        }
        let settings = match self.settings() {
            Ok(settings) => settings,
            Err(why) => {
                add(true, why);
                return problems;
            }
        };
        let set = |name| setting(&settings, name);
        let fencing = set("fencing");
        let fences = fencing.is_some_and(|f| f != "dont-care");
        let quorum = set("quorum").is_some_and(|q| q != "off");
        if !fences && !quorum {
            let resource = resource();
            add(true, Why::DrbdUnfenced { resource });
        }
        // Without it nothing is promoted while the other node is gone.
        match ask(&["drbdadm", "dump", &self.name]) {
            Ok(dump) if fences && handler(&dump).is_none() => {
                let resource = resource();
                add(true, Why::DrbdNoHandler { resource });
            }
            Ok(dump) if freezes(fencing, handler(&dump)) => {
                let resource = resource();
                add(false, Why::DrbdFreezes { resource });
            }
            Ok(_) => {}
            Err(why) => add(true, why),
        }
        if set("allow-two-primaries").is_some_and(|a| a != "no") {
            let resource = resource();
            add(true, Why::DrbdTwoPrimaries { resource });
        }
        if set("auto-promote").is_some_and(|a| a != "no") {
            let resource = resource();
            add(true, Why::DrbdPromotesItself { resource });
        }
        problems
    }
}

fn ask(argv: &[&str]) -> Result<String, Why> {
    let argv: Vec<String> = argv.iter().map(|a| (*a).to_owned()).collect();
    let result = command::run(&argv, None, ASK_WITHIN);
    match result.succeeded() {
        true => Ok(result.stdout),
        false => Err(result.ending(result.last_line()).of(&argv[0])),
    }
}

/// With `resource-and-stonith` a primary writes nothing until its handler says that the other node is gone, and the package's
/// handler never says so of a lost cable.
fn freezes(fencing: Option<&str>, handler: Option<&str>) -> bool {
    let ours = handler.is_some_and(|h| Path::new(h).file_name().is_some_and(|f| f == HANDLER));
    fencing == Some(STONITH) && ours
}

fn passes_for_current(seen: &Seen) -> bool {
    let claims = |disk: &String| [UP_TO_DATE, "Consistent"].contains(&disk.as_str());
    seen.role == "Secondary" && seen.peers.is_empty() && seen.disks.iter().any(claims)
}

/// Says that a take is under way for as long as the value lives, and no longer than this process.
fn taking(path: &Path) -> std::io::Result<OwnedFd> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Whoever may open it may lock it, and then DRBD takes this node for one whose other server is gone.
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    let lock = OwnedFd::from(file);
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
    Ok(lock)
}

#[cfg(test)]
mod tests;
