//! A volume group with a system ID. LVM lets only the host with that ID activate its volumes: a second lock below the
//! proofs, and none by itself, since any host may change the ID. A release gives the group an ID that no host has, so
//! that nothing activates it at a boot.

mod members;
mod watch;

use super::drbd::Resource;
use super::layered::Layer;
use super::under_way::UnderWay;
use super::{Problem, TakeOrder};
use crate::command::{self, CommandResult};
use serde::Deserialize;
use siaga_model::observation::Holding;
use siaga_model::run::FailureKind;
use siaga_model::why::Holder;
use siaga_model::{ServiceName, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use watch::Watch;

/// The system ID of a volume group that nobody holds.
pub const RELEASED: &str = "siaga-released";
/// How long one of LVM's programs may take.
const WITHIN: Duration = Duration::from_secs(30);
/// A group does not change its disks by itself.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const BLOCK_DEVICES: &str = "/sys/block";

/// A volume group.
pub struct VolumeGroup {
    name: String,
    on: Option<On>,
    under_way: UnderWay,
    disks: Arc<Watch>,
}

/// What a group lies on that is kept from the other nodes, and must lie on alone.
pub enum On {
    /// A disk with a reservation.
    Reserved(PathBuf),
    Replica(Arc<Resource>),
}

/// What LVM reports of a group.
#[derive(Debug, Deserialize)]
struct Group {
    vg_systemid: String,
    vg_missing_pv_count: String,
}

/// A disk that carries a group, whether LVM uses it or takes it for a second way to another one.
#[derive(Debug, Deserialize)]
struct Disk {
    pv_name: String,
}

#[derive(Deserialize)]
struct Output {
    report: Vec<Report>,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    vg: Vec<serde_json::Value>,
    #[serde(default)]
    pv: Vec<serde_json::Value>,
}

impl VolumeGroup {
    /// The group `name` that carries `service`. `on`: what it must lie on alone.
    pub fn new(name: &str, on: Option<On>, service: &ServiceName) -> Self {
        Self {
            name: name.to_owned(),
            on,
            under_way: UnderWay::of(service),
            disks: Arc::new(Watch::new(LOOK_EVERY)),
        }
    }

    fn group(&self) -> Result<Group, Why> {
        let fields = "vg_systemid,vg_missing_pv_count";
        let report = report(&["vgs", "--foreign", "-o", fields, &self.name])?;
        one(report.vg, "vgs")
    }

    /// Every disk that carries the group: also one that LVM does not use, since it takes it for a second way to another.
    fn disks(&self) -> Result<Vec<String>, Why> {
        let of_it = format!("vg_name=\"{}\"", self.name);
        let report = report(&["pvs", "--all", "--foreign", "-o", "pv_name", "-S", &of_it])?;
        let disks = report.pv.into_iter().map(|disk| read(disk, "pvs"));
        disks.map(|disk| disk.map(|d: Disk| d.pv_name)).collect()
    }

    /// Disks of the group that nothing keeps from the other nodes. Where the group can't be read, none is seen.
    ///
    /// # Errors
    /// [`Why::VolumeGroupElsewhere`], or why it can't be told.
    pub fn lies_on_what_is_kept(&self) -> Result<(), Why> {
        let kept = match &self.on {
            None => return Ok(()),
            Some(On::Reserved(disk)) => vec![disk.clone()],
            Some(On::Replica(resource)) => resource.devices()?,
        };
        let disks = members::elsewhere(&self.disks()?, &kept)?;
        let name = self.name.clone();
        match disks.is_empty() {
            true => Ok(()),
            false => Err(Why::VolumeGroupElsewhere { name, disks }),
        }
    }

    /// A group on a replica with another disk, or with the disk below the replica: the other node has no such disk, and what is
    /// written there passes by the replica. (On a reserved disk it makes the reservation no fence, and stops nobody.)
    /// What can't be told is not in order: nothing is written then.
    fn keeps_to_the_replica(&self) -> Result<(), Why> {
        match self.on {
            Some(On::Replica(_)) => self.lies_on_what_is_kept(),
            Some(On::Reserved(_)) | None => Ok(()),
        }
    }

    fn elsewhere(&self) -> Option<Why> {
        let found = self.lies_on_what_is_kept().err();
        found.filter(|why| matches!(why, Why::VolumeGroupElsewhere { .. }))
    }

    /// [`Why::VolumeGroupElsewhere`], as it was seen a moment ago: LVM reads every disk of the host for it.
    pub fn seen_elsewhere(self: &Arc<Self>) -> Option<Why> {
        self.on.as_ref()?;
        let group = Arc::clone(self);
        self.disks.seen(move || group.elsewhere())
    }

    /// What of the group that is held here would not come along with it.
    pub fn stays_behind(self: &Arc<Self>) -> Option<Why> {
        let seen = self.seen_elsewhere();
        seen.filter(|_| matches!(self.on, Some(On::Replica(_))))
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

    fn activates_itself(&self) -> Result<bool, Why> {
        let report = report(&["vgs", "--foreign", "-o", "vg_autoactivation", &self.name])?;
        let enabled = |v: &serde_json::Value| v["vg_autoactivation"] == "enabled";
        Ok(report.vg.iter().any(enabled))
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
    fn own(&self, group: &Group, me: &str) -> Result<bool, Why> {
        if group.vg_systemid == me {
            return Ok(false);
        }
        // An ID is made of letters, digits and `_.-` only: nothing in it ends the quotes.
        let extra = format!("local/extra_system_ids=[\"{}\"]", group.vg_systemid);
        self.change(&["--config", &extra, "--systemid", me])?;
        Ok(true)
    }

    fn taken(&self, me: &str) -> Result<(), Why> {
        let owner = self.group()?.vg_systemid;
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
        let me = system_id()?;
        let group = self.group()?;
        if group.vg_missing_pv_count != "0" {
            return Err(Why::VolumeGroupPartial {
                name: self.name.clone(),
            });
        }
        let held = group.vg_systemid == me && !self.active()?.is_empty();
        // Before anything is changed. What is held here is held by a take that was let through.
        if !held {
            self.keeps_to_the_replica()?;
        }
        let mut changed = self.own(&group, &me)?;
        if self.activates_itself().unwrap_or(false) {
            // It matters at the next boot only; `check` says so where it can't be done.
            let _ = self.change(&["--setautoactivation", "n"]);
        }
        if self.active()?.is_empty() {
            self.change(&["-aey"])?;
            changed = true;
        }
        self.taken(&me)?;
        Ok(Did {
            changed,
            notes: Vec::new(),
        })
    }

    fn try_release(&self) -> Result<Did, Why> {
        let (me, group) = (system_id()?, self.group()?);
        let active = !self.active()?.is_empty();
        if active {
            // A foreign group's volumes that are still active here go as well.
            let extra = format!("local/extra_system_ids=[\"{}\"]", group.vg_systemid);
            self.change(&["--config", &extra, "-an"])?;
        }
        // Past the replica nothing is written, not even that.
        let mine = group.vg_systemid == me && self.keeps_to_the_replica().is_ok();
        if mine {
            self.change(&["--systemid", RELEASED])?;
        }
        match self.active()?.is_empty() && !(mine && self.group()?.vg_systemid == me) {
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
            Ok(by) if by.is_empty() => match self.group() {
                Ok(_) => Holding::Free,
                Err(why) => Holding::Unknown { why },
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
        let mut problems = Vec::new();
        let mut add = |blocking, why| problems.push(Problem { blocking, why });
        let name = self.name.clone();
        let group = self.group();
        let readable = group.is_ok();
        match (system_id(), group) {
            (Err(why), _) | (_, Err(why)) => add(true, why),
            (Ok(_), Ok(group)) if group.vg_missing_pv_count != "0" => {
                add(true, Why::VolumeGroupPartial { name });
            }
            (Ok(_), Ok(group)) => {
                if let Err(why) = self.lies_on_what_is_kept() {
                    // A reservation that is no fence takes nothing from the other ways.
                    add(!matches!(self.on, Some(On::Reserved(_))), why);
                }
                if group.vg_systemid.is_empty() {
                    add(false, Why::VolumeGroupOfNobody { name });
                }
            }
        }
        if let Some(why) = starts_by_itself(&self.name, &self.activates_itself(), readable) {
            add(false, why);
        }
        problems
    }

    /// It is seen all the same where LVM reads the disk that DRBD copies: then it would be written past DRBD. What this host
    /// itself lacks is known.
    fn problems_while_below_is_free(&self) -> Vec<Problem> {
        let host = system_id().err();
        let blocking = |why| Problem {
            blocking: true,
            why,
        };
        host.into_iter()
            .chain(self.elsewhere())
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

/// What is to be said of the group's activation at boot. A group that could be read, and this word of it not: LVM is older
/// than the setting, and activates whatever its own configuration lets it.
fn starts_by_itself(name: &str, told: &Result<bool, Why>, readable: bool) -> Option<Why> {
    let name = name.to_owned();
    match told {
        Ok(true) => Some(Why::VolumeGroupActivatesItself { name }),
        Err(_) if readable => Some(Why::VolumeGroupActivationUntold { name }),
        Ok(false) | Err(_) => None,
    }
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

fn report(argv: &[&str]) -> Result<Report, Why> {
    let mut argv: Vec<String> = argv.iter().map(|a| (*a).to_owned()).collect();
    argv.splice(1..1, ["--reportformat".to_owned(), "json".to_owned()]);
    let result = command::run(&argv, None, WITHIN);
    succeeded(&argv[0], &result)?;
    parse(&result.stdout, &argv[0])
}

fn parse(text: &str, program: &str) -> Result<Report, Why> {
    let output: Output =
        serde_json::from_str(text).map_err(|e| Why::system(e).of(program.to_owned()))?;
    let first = output.report.into_iter().next();
    first.ok_or_else(|| Why::system("no report").of(program.to_owned()))
}

fn one<T: serde::de::DeserializeOwned>(
    values: Vec<serde_json::Value>,
    program: &str,
) -> Result<T, Why> {
    match values.into_iter().next() {
        Some(value) => read(value, program),
        None => Err(Why::system("no such volume group").of(program)),
    }
}

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value, program: &str) -> Result<T, Why> {
    serde_json::from_value(value).map_err(|e| Why::system(e).of(program))
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
        let found = |told: Result<bool, Why>, readable| starts_by_itself("vg", &told, readable);
        let name = "vg".to_owned();
        let error = || Err(Why::system("Unrecognised field: vg_autoactivation"));
        assert_eq!(found(Ok(false), true), None);
        let itself = Why::VolumeGroupActivatesItself { name: name.clone() };
        assert_eq!(found(Ok(true), true), Some(itself));
        let untold = Why::VolumeGroupActivationUntold { name };
        assert_eq!(found(error(), true), Some(untold));
        // A group that can't be read at all is told once.
        assert_eq!(found(error(), false), None);
    }

    #[test]
    fn the_report_of_a_group_and_of_its_volumes() {
        let text = r#"{"report":[{"vg":[{"vg_systemid":"serverdb","vg_missing_pv_count":"0"}]}]}"#;
        let group: Group = one(parse(text, "vgs").unwrap().vg, "vgs").unwrap();
        assert_eq!(group.vg_systemid, "serverdb");
        // A group that is not there is no free one.
        let none = parse(r#"{"report":[{"vg":[]}]}"#, "vgs").unwrap();
        assert!(one::<Group>(none.vg, "vgs").is_err());
        // A field that is missing is not an answer.
        let less = parse(r#"{"report":[{"vg":[{"vg_systemid":""}]}]}"#, "vgs").unwrap();
        assert!(one::<Group>(less.vg, "vgs").is_err());
        // Its disks, the ones that LVM does not use among them.
        let text = r#"{"report":[{"pv":[{"pv_name":"/dev/drbd0"},{"pv_name":"/dev/vdb"}]}]}"#;
        let disks = parse(text, "pvs").unwrap().pv;
        let names: Vec<String> = disks
            .into_iter()
            .map(|d| read::<Disk>(d, "pvs").unwrap().pv_name)
            .collect();
        assert_eq!(names, ["/dev/drbd0", "/dev/vdb"]);
        assert!(parse("", "vgs").is_err() && parse("{\"report\":[]}", "vgs").is_err());
    }
}
