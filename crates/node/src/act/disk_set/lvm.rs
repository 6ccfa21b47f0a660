//! A volume group with a system ID. LVM lets only the host with that ID activate its volumes: a second lock below the
//! proofs, and none by itself, since any host may change the ID. A release gives the group an ID that no host has, so
//! that nothing activates it at a boot.

mod extents;
mod members;
mod report;

use super::drbd::Resource;
use super::layered::Layer;
use super::reservation::of_paths;
use super::under_way::UnderWay;
use super::watch::Watch;
use super::{Problem, TakeOrder};
use crate::command::{self, CommandResult};
use extents::Extents;
use report::{Group, Look};
use siaga_model::observation::Holding;
use siaga_model::run::FailureKind;
use siaga_model::why::Holder;
use siaga_model::{ServiceName, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The system ID of a volume group that nobody holds.
pub const RELEASED: &str = "siaga-released";
/// How long one of LVM's programs may take.
const WITHIN: Duration = Duration::from_secs(30);
/// A group does not change its disks by itself, nor does it go away.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long a release waits for a look of its own that is under way.
const REST_WITHIN: Duration = Duration::from_secs(5);
/// A volume grows by hand only.
const EXTENTS_EVERY: Duration = Duration::from_secs(30);
const BLOCK_DEVICES: &str = "/sys/block";

/// A volume group.
pub struct VolumeGroup {
    name: String,
    on: Option<On>,
    under_way: UnderWay,
    looks: Arc<Watch<Seen>>,
    extents: Arc<Watch<Result<Vec<Extents>, Why>>>,
}

/// What a look found that reads the disks of the host.
#[derive(Clone)]
struct Seen {
    unreadable: Option<Why>,
    /// [`Why::VolumeGroupElsewhere`]
    elsewhere: Option<Why>,
}

/// What a group lies on that is kept from the other nodes, and must lie on alone.
pub enum On {
    /// A disk with a reservation.
    Reserved(PathBuf),
    Replica(Arc<Resource>),
}

impl VolumeGroup {
    /// The group `name` that carries `service`. `on`: what it must lie on alone.
    pub fn new(name: &str, on: Option<On>, service: &ServiceName) -> Self {
        Self {
            name: name.to_owned(),
            on,
            under_way: UnderWay::of(service),
            looks: Arc::new(Watch::new(LOOK_EVERY)),
            extents: Arc::new(Watch::new(EXTENTS_EVERY)),
        }
    }

    fn owner(&self) -> Result<String, Why> {
        Ok(Look::of(&self.name)?.group.vg_systemid)
    }

    fn look(&self, disks: bool) -> Result<Look, Why> {
        match disks {
            true => Look::with_disks(&self.name),
            false => Look::of(&self.name),
        }
    }

    /// Disks of the group that nothing keeps from the other nodes. Where the group can't be read, none is seen.
    ///
    /// # Errors
    /// [`Why::VolumeGroupElsewhere`], or why it can't be told.
    pub fn lies_on_what_is_kept(&self) -> Result<(), Why> {
        match &self.on {
            None => Ok(()),
            Some(_) => self.lies_alone(&Look::with_disks(&self.name)?.disks),
        }
    }

    /// The same, of `disks` that were looked at just now.
    fn lies_alone(&self, disks: &[String]) -> Result<(), Why> {
        let kept = match &self.on {
            None => return Ok(()),
            Some(On::Reserved(disk)) => vec![disk.clone()],
            Some(On::Replica(resource)) => resource.devices()?,
        };
        let disks = members::elsewhere(disks, &kept)?;
        let name = self.name.clone();
        match disks.is_empty() {
            true => Ok(()),
            false => Err(Why::VolumeGroupElsewhere { name, disks }),
        }
    }

    /// A group on a replica with another disk, or with the disk below the replica: the other node has no such disk, and what is
    /// written there passes by the replica. (On a reserved disk it makes the reservation no fence, and stops nobody.)
    /// What can't be told is not in order: nothing is written then.
    fn keeps_to_the_replica(&self, look: &Look) -> Result<(), Why> {
        match self.on_replica() {
            true => self.lies_alone(&look.disks),
            false => Ok(()),
        }
    }

    fn on_replica(&self) -> bool {
        matches!(self.on, Some(On::Replica(_)))
    }

    fn problems_of(&self, look: &Look) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut add = |blocking, why| problems.push(Problem { blocking, why });
        let name = || self.name.clone();
        if look.group.vg_missing_pv_count != "0" {
            add(true, Why::VolumeGroupPartial { name: name() });
        } else if let Err(why) = self.lies_alone(&look.disks) {
            // A reservation that is no fence takes nothing from the other ways.
            add(self.on_replica(), why);
        }
        // Of a reserved disk the reservation says it.
        if self.on.is_none() {
            let paths = look.disks.iter().flat_map(|d| of_paths(Path::new(d)));
            problems.extend(paths);
        }
        let mut add = |blocking, why| problems.push(Problem { blocking, why });
        if look.group.vg_systemid.is_empty() {
            add(false, Why::VolumeGroupOfNobody { name: name() });
        }
        match look.activates_itself {
            Some(true) => add(false, Why::VolumeGroupActivatesItself { name: name() }),
            // LVM is older than the setting, and activates whatever its own configuration lets it.
            None => add(false, Why::VolumeGroupActivationUntold { name: name() }),
            Some(false) => (),
        }
        problems
    }

    fn see(&self) -> Seen {
        self.seen_in(&self.look(self.on.is_some()))
    }

    fn seen_in(&self, look: &Result<Look, Why>) -> Seen {
        let (unreadable, lies) = match look {
            Ok(look) => (None, self.lies_alone(&look.disks)),
            Err(why) => (Some(why.clone()), Ok(())),
        };
        let is_elsewhere = |why: &Why| matches!(why, Why::VolumeGroupElsewhere { .. });
        Seen {
            unreadable,
            elsewhere: lies.err().filter(is_elsewhere),
        }
    }

    /// What was seen a moment ago: LVM reads every disk of the host for it, and waits where one hangs.
    fn seen(self: &Arc<Self>) -> Option<Seen> {
        let group = Arc::clone(self);
        self.looks.seen(move || group.see())
    }

    /// [`Why::VolumeGroupElsewhere`], as it was seen a moment ago.
    pub fn seen_elsewhere(self: &Arc<Self>) -> Option<Why> {
        self.on.as_ref()?;
        self.seen()?.elsewhere
    }

    /// Why the group can't be read, as it was seen a moment ago. Before it was ever looked at that is waited for.
    fn unreadable(self: &Arc<Self>) -> Option<Why> {
        match self.seen() {
            Some(seen) => seen.unreadable,
            None => Look::of(&self.name).err(),
        }
    }

    /// What of the group that is held here would not come along with it.
    pub fn stays_behind(self: &Arc<Self>) -> Option<Why> {
        let seen = self.seen_elsewhere();
        seen.filter(|_| self.on_replica())
    }

    /// The volumes that are active in this host's kernel, by the kernel's own list: LVM's programs read every disk of the
    /// host first, and wait where one of them hangs.
    fn active(&self) -> Result<Vec<Holder>, Why> {
        let failed = |e: std::io::Error| Why::system(e).of(BLOCK_DEVICES);
        let mut active = Vec::new();
        for device in std::fs::read_dir(BLOCK_DEVICES).map_err(failed)? {
            let mapped = device.map_err(failed)?.path().join("dm");
            let told = |file: &str| std::fs::read_to_string(mapped.join(file)).unwrap_or_default();
            if !told("uuid").starts_with("LVM-") {
                continue;
            }
            if let Some(volume) = volume_of(&self.name, told("name").trim()) {
                let volume = format!("{}/{volume}", self.name);
                active.push(Holder::ActiveVolume { volume });
            }
        }
        Ok(active)
    }

    /// A program that changes the group. What it reached is looked at afterwards.
    fn change(&self, arguments: &[&str]) -> Result<(), Why> {
        let argv: Vec<String> = ["vgchange", "--yes"]
            .iter()
            .chain(arguments)
            .chain([&self.name.as_str()])
            .map(|a| (*a).to_owned())
            .collect();
        succeeded("vgchange", &self.under_way.run(&argv, WITHIN))
    }

    /// Makes the group this host's own. LVM changes a foreign group only for a host that claims its owner's ID too.
    fn own(&self, group: &Group, me: &str) -> Result<(), Why> {
        if group.vg_systemid == me {
            return Ok(());
        }
        // An ID is made of letters, digits and `_.-` only: nothing in it ends the quotes.
        let extra = format!("local/extra_system_ids=[\"{}\"]", group.vg_systemid);
        self.change(&["--config", &extra, "--systemid", me])
    }

    fn taken(&self, me: &str) -> Result<(), Why> {
        let owner = self.owner()?;
        if owner != me {
            let name = self.name.clone();
            return Err(Why::VolumeGroupOf { name, owner });
        }
        match self.active()?.is_empty() {
            true => Err(Why::NotHeldAfterTake),
            false => Ok(()),
        }
    }

    fn try_take(&self) -> Result<Did, Why> {
        let (me, look) = (system_id()?, self.look(self.on_replica())?);
        if look.group.vg_missing_pv_count != "0" {
            return Err(Why::VolumeGroupPartial {
                name: self.name.clone(),
            });
        }
        let active = !self.active()?.is_empty();
        // What is held here is held by a take that was let through.
        if active && look.group.vg_systemid == me {
            return Ok(Did::nothing());
        }
        // Before anything is changed.
        self.keeps_to_the_replica(&look)?;
        self.own(&look.group, &me)?;
        if look.activates_itself == Some(true) {
            // It matters at the next boot only; `check` says so where it can't be done.
            let _ = self.change(&["--setautoactivation", "n"]);
        }
        if !active {
            self.change(&["-aey"])?;
        }
        self.taken(&me)?;
        Ok(Did {
            changed: true,
            notes: Vec::new(),
        })
    }

    fn try_release(&self) -> Result<Did, Why> {
        if self.on_replica() {
            // A replica that is open stays primary.
            self.looks.rest(REST_WITHIN);
        }
        let (me, look) = (system_id()?, self.look(self.on_replica())?);
        let group = &look.group;
        let active = !self.active()?.is_empty();
        if active {
            // A foreign group's volumes that are still active here go as well.
            let extra = format!("local/extra_system_ids=[\"{}\"]", group.vg_systemid);
            self.change(&["--config", &extra, "-an"])?;
        }
        // Past the replica nothing is written, not even that.
        let mine = group.vg_systemid == me && self.keeps_to_the_replica(&look).is_ok();
        if mine {
            self.change(&["--systemid", RELEASED])?;
        }
        match self.active()?.is_empty() && !(mine && self.owner()? == me) {
            true => Ok(Did {
                changed: active || mine,
                notes: Vec::new(),
            }),
            false => Err(Why::HeldAfterRelease),
        }
    }
}

impl Layer for Arc<VolumeGroup> {
    /// Held where a volume is active in this kernel. The ID alone holds nothing: a node that lost its power still has
    /// its ID on the group.
    fn state(&self) -> Holding {
        match self.active() {
            // Under that name there may be nothing at all: a group that can't be read is not known to be free.
            Ok(by) if by.is_empty() => match self.unreadable() {
                None => Holding::Free,
                Some(why) => Holding::Unknown { why },
            },
            Ok(by) => Holding::Held { by },
            Err(why) => Holding::Unknown { why },
        }
    }

    /// The kernel's own list tells, also of a group that can't be read.
    fn state_while_below_is_free(&self) -> Holding {
        match self.active() {
            Ok(by) if by.is_empty() => Holding::Free,
            Ok(by) => Holding::Held { by },
            Err(why) => Holding::Unknown { why },
        }
    }

    fn take(&self, _order: &TakeOrder) -> Acted {
        self.try_take()
            .map_err(|why| Trouble::failed(FailureKind::Io, why))
    }

    fn release(&self) -> Acted {
        self.try_release()
            .map_err(|why| Trouble::failed(FailureKind::NotReleased, why))
    }

    fn device_stays(&self) -> bool {
        false
    }

    fn problems(&self) -> Vec<Problem> {
        let host = system_id().err();
        let blocking = |why| Problem {
            blocking: true,
            why,
        };
        let begun = Instant::now();
        let look = Look::with_disks(&self.name);
        // What a check says is true of the next order as well.
        self.looks.keep(begun, self.seen_in(&look));
        let group = match look {
            Ok(look) => self.problems_of(&look),
            Err(why) => vec![blocking(why)],
        };
        host.into_iter().map(blocking).chain(group).collect()
    }

    /// It is seen all the same where LVM reads the disk that DRBD copies: then it would be written past DRBD. What this host
    /// itself lacks is known.
    fn problems_while_below_is_free(&self) -> Vec<Problem> {
        let host = system_id().err();
        let blocking = |why| Problem {
            blocking: true,
            why,
        };
        let begun = Instant::now();
        let seen = self.see();
        self.looks.keep(begun, seen.clone());
        host.into_iter()
            .chain(seen.elsewhere)
            .map(blocking)
            .collect()
    }

    /// Asked before anything is done for a take: LVM here would change nothing of such a group, and the fence comes before.
    fn unable(&self) -> Option<Why> {
        let held = self.active().map_or(true, |by| !by.is_empty());
        self.stays_behind().filter(|_| !held)
    }
}

/// The volume of `group` that device mapper calls `mapped`. It joins the names by a hyphen and doubles those within.
fn volume_of(group: &str, mapped: &str) -> Option<String> {
    let rest = mapped.strip_prefix(&group.replace('-', "--"))?;
    let volume = rest.strip_prefix('-')?;
    (!volume.starts_with('-')).then(|| volume.replace("--", "-"))
}

/// This host's system ID.
fn system_id() -> Result<String, Why> {
    let result = command::run(&["lvm".to_owned(), "systemid".to_owned()], None, WITHIN);
    succeeded("lvm systemid", &result)?;
    match result
        .stdout
        .split_once("system ID:")
        .map(|(_, id)| id.trim())
    {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err(Why::NoLvmSystemId),
    }
}

fn succeeded(program: &str, result: &CommandResult) -> Result<(), Why> {
    match result.succeeded() {
        true => Ok(()),
        false => Err(result.ending(result.last_line()).of(program.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_by_the_name_that_device_mapper_gives_it() {
        assert_eq!(
            volume_of("vg_simrs", "vg_simrs-data").as_deref(),
            Some("data")
        );
        assert_eq!(volume_of("a-b", "a--b-c--d").as_deref(), Some("c-d"));
        // Of another group whose name begins alike, and of none.
        assert_eq!(volume_of("a", "a--b-c"), None);
        assert_eq!(volume_of("vg", "vg_simrs-data"), None);
        assert_eq!(volume_of("vg_simrs", "simrs"), None);
    }

    #[test]
    fn a_group_whose_activation_an_old_lvm_does_not_tell_is_no_pass() {
        let group = VolumeGroup::new("vg", None, &ServiceName::from("simrs"));
        let name = || "vg".to_owned();
        let found = |activates_itself| {
            let group_told = Group {
                vg_systemid: "serverdb".into(),
                vg_missing_pv_count: "0".into(),
            };
            let look = Look {
                group: group_told,
                activates_itself,
                disks: Vec::new(),
            };
            group
                .problems_of(&look)
                .into_iter()
                .map(|p| p.why)
                .collect::<Vec<_>>()
        };
        assert_eq!(found(Some(false)), []);
        let itself = Why::VolumeGroupActivatesItself { name: name() };
        assert_eq!(found(Some(true)), [itself]);
        let untold = Why::VolumeGroupActivationUntold { name: name() };
        assert_eq!(found(None), [untold]);
    }
}
