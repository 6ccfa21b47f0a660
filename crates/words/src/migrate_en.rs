//! The move of a data directory, in English.

use crate::migrate::{Migrate, bytes, lsn, migrate_fail, migrate_refusal, migrate_step, paths};
use crate::voice::{Voice, duration};
use crate::{holder, why};
use siaga_model::Holder;
use siaga_model::migrate::{Direction, Fail, Plan, Pointing, Record, Refusal, Step};

pub(crate) fn step(step: Step) -> &'static str {
    match step {
        Step::Format => "make an ext4 on the empty device",
        Step::Mount => "mount the device",
        Step::Copy => {
            "copy while the database runs, and compare what was written with what is read from the disk"
        }
        Step::Stop => "stop the database, and see that it was shut down in order",
        Step::DisableOld => "see to it that no server starts from the old directory",
        Step::CopyRest => "copy and compare what changed since",
        Step::KeepOld => "rename the old directory",
        Step::Point => "point the configuration to the new directory",
        Step::EnableNew => "make the new directory one that a server starts from",
        Step::StartNew => "start the database from the new directory",
        Step::Verify => "connect, and see that it is the same database and nothing older",
        Step::CopyBack => "copy back what changed, while the database runs",
        Step::StopNew => "stop the database in the new directory",
        Step::DisableNew => "see to it that no server starts from the new directory",
        Step::CopyBackRest => "copy back and compare what changed since",
        Step::PointBack => "point the configuration to the old directory",
        Step::RestoreOld => "give the old directory its name again",
        Step::EnableOldAsItWas => "make the old directory one that a server starts from, as it was",
        Step::EnableOld => {
            "make the old directory one that a server starts from, with what was copied back"
        }
        Step::StartOld => "start the database from the old directory",
        Step::VerifyOld => "connect, and see that it is the same database",
        Step::Tidy => "remove what was half copied, and unmount the device",
    }
}

fn estimate(seconds: Option<u64>) -> String {
    match seconds {
        Some(s) => format!(
            "about {}",
            duration(siaga_model::config::Language::English, s * 1000)
        ),
        None => "not known (nothing could be measured)".to_owned(),
    }
}

fn plan(voice: &Voice, plan: &Plan) -> String {
    let facts = &plan.facts;
    let steps: Vec<String> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(i, s)| format!("  {:>2}. {}", i + 1, migrate_step(voice, *s)))
        .collect();
    let pointing = match &facts.pointing {
        Pointing::ConfigFile { file } => format!(
            "data_directory in {} is changed; the file is kept beside as *.before-migrate",
            file.display()
        ),
        Pointing::Link => format!(
            "{} becomes a link to the new directory",
            facts.server.data_dir.display()
        ),
    };
    let unit = facts
        .server
        .unit
        .as_deref()
        .unwrap_or("none: started and stopped as a process");
    format!(
        "PostgreSQL {} runs from {} (port {}, unit: {unit}).\nIt moves to {} on {}, mounted at {}.\n{pointing}.\n\
         To copy: {} in {} files. Free on the device: {}, needed: {}.\n\
         Estimates, from a measured read rate of {} a second (writing was not tried):\n  \
         copying while the database runs: {}\n  the database is away: {}, as long as no more changes than in the last 15 minutes\n\
         Steps (the database is away from \"stop\" to \"connect\"):\n{}\n\
         The old directory is kept as {}: the way back is siaga migrate back.",
        facts.version,
        facts.server.data_dir.display(),
        facts.server.port,
        facts.to.display(),
        facts.device.display(),
        facts.mount_point.display(),
        bytes(voice, plan.bytes),
        plan.files,
        bytes(voice, plan.free_bytes),
        bytes(voice, plan.needed_bytes),
        plan.reads_per_s
            .map_or_else(|| "?".to_owned(), |r| bytes(voice, r)),
        estimate(plan.copy_s),
        estimate(plan.away_s),
        steps.join("\n"),
        facts.kept.display(),
    )
}

fn measured(voice: &Voice, record: &Record) -> String {
    let compared: u64 = record.passes.iter().map(|p| p.compared_files).sum();
    let copied: u64 = record.passes.iter().map(|p| p.copied_bytes).sum();
    let away = match record.away_ms {
        Some(ms) => format!("A client got no answer for {}.", duration(voice, ms)),
        None => "How long clients got no answer was not measured whole: the work was broken off in between.".to_owned(),
    };
    format!(
        "Copied: {}; compared by SHA-256, as read from the disk: {compared} files. {away}",
        bytes(voice, copied)
    )
}

#[rustfmt::skip] // a table of words
pub(crate) fn text(voice: &Voice, text: &Migrate) -> String {
    use Migrate as M;
    match text {
        M::Plan { plan: p } => plan(voice, p),
        M::AwayFrom => "The database is away from here on.".into(),
        M::AskForward { plan } => match plan.steps.contains(&Step::Format) {
            true => format!("A file system is made on {}, which carries nothing. Do all of this now? Type yes:", plan.facts.device.display()),
            false => "Do all of this now? Type yes:".into(),
        },
        M::AskBack { direction: Direction::BackAsItWas, ahead } => {
            let lost = match ahead {
                Some(bytes_) => format!("{} of changes (WAL)", bytes(voice, *bytes_)),
                None => "everything".to_owned(),
            };
            format!("Everything that was written since the move is LOST: {lost}. Go back to the old copy as it was? Type yes:")
        }
        M::AskBack { .. } => "Go back to the old directory? What was written in the new one is copied back; no row is lost. Type yes:".into(),
        M::AskGoOn => "Go on with it? Type yes:".into(),
        M::MountsFirst { device, mount_point } => format!("The new place is not mounted here: first {} is mounted at {}, to see what was written there. If another server has it mounted, unmount it there before you go on.", device.display(), mount_point.display()),
        M::NothingDone => "Nothing was done.".into(),
        M::WhereTo => "error: which device is to carry the data? siaga migrate --to DEVICE --at MOUNT_POINT plans, and changes nothing".into(),
        M::NoJob => "No data directory was moved on this server.".into(),
        M::Stands { direction, left } => {
            let way = match direction {
                Direction::Forward => "A move of the data directory is not ended.",
                Direction::Back | Direction::BackAsItWas => "A way back to the old directory is not ended.",
            };
            let next = left.first().map_or("", |s| migrate_step(voice, *s));
            let back = match direction {
                Direction::Forward => "; siaga migrate back goes back, and loses nothing either",
                Direction::Back | Direction::BackAsItWas => "",
            };
            format!("{way} The next step: {next}. {} steps are left. Nothing is lost.\nsiaga migrate --yes goes on{back}.", left.len())
        }
        M::NotNow => "The database is away now: this is ended first, so that it comes back soon.".into(),
        M::StepFailed { step, fail } => format!("Failed at \"{}\": {}", migrate_step(voice, *step), migrate_fail(voice, fail)),
        M::RunsOn => "Nothing was switched over: the database goes on from where it was. siaga migrate --yes tries again, siaga migrate back removes what was copied.".into(),
        M::GoingBack => "Going back.".into(),
        M::Interrupted => "Broken off while copying; the database goes on from where it was. siaga migrate --yes goes on, siaga migrate back removes what was copied.".into(),
        M::Restored => "The database runs from the old directory, as before.".into(),
        M::Stuck => "Neither way could be ended. The data is whole in one of the two directories, and no server starts from the other one. Mend the cause; then siaga migrate back --yes, or siaga migrate --yes.".into(),
        M::Done { record, from, kept, to, link } => {
            let lsn_ = record.started_at_lsn.map_or_else(|| "?".to_owned(), lsn);
            let other = match link {
                true => format!("a link {} -> {}", from.display(), to.display()),
                false => "the same data_directory in its postgresql.conf".to_owned(),
            };
            format!(
                "The database runs from {}: the same database, at WAL {lsn_}.\n{}\n\
                 The old directory is kept: {}. No server starts from it. Way back: siaga migrate back, until siaga init. Delete it after a week without trouble and a good backup.\n\
                 Next: on the other server {other}; no line of the device in /etc/fstab; then siaga init here. After a boot before that, nothing mounts the device: mount it, then start the unit.",
                to.display(), measured(voice, record), kept.display(),
            )
        }
        M::Returned { record, from, to, untouched } => {
            let new = match untouched {
                true => String::new(),
                false => format!(" What is in {} is not used any more, and no server starts from it; empty the device before another move.", to.display()),
            };
            format!("The database runs from {} again. {}{new}", from.display(), measured(voice, record))
        }
        M::Note { from, to } => format!(
            "This is the data directory {} as it was when it was moved to {}.\n\
             No server starts from it: global/pg_control is renamed to global/pg_control.siaga-migrate.\n\
             The way back: siaga migrate back. It brings along what was written since.\n\
             By hand, without Siaga, and without what was written since: stop the server, rename pg_control back, give this\n\
             directory its old name, remove this file, set data_directory (or remove the link in its place), start.\n",
            from.display(), to.display()
        ),
    }
}

#[rustfmt::skip] // a table of words
pub(crate) fn fail(voice: &Voice, fail: &Fail) -> String {
    match fail {
        Fail::Why(w) => why(voice, w),
        Fail::Refused { refusal } => migrate_refusal(voice, refusal),
        Fail::CopyDiffers { path } => format!("{} is not read from the disk as it was written: look at the disk, its cables and its controller", path.display()),
        Fail::NotShutDown { state } => format!("the database did not shut down in order: its control file says \"{state}\""),
        Fail::StillRuns { processes } => format!("still running: {}", processes.join(", ")),
        Fail::StartedMeanwhile => "somebody started the database between its stop and the switch".into(),
        Fail::TargetNotEmpty { entries } => format!("the file system on the device is not empty: {}", entries.join(", ")),
        Fail::OtherFileSystem { device } => format!("{} carries another file system than before", device.display()),
        Fail::DeviceCarries { device } => format!("{} carries something, or is in use: it is not formatted", device.display()),
        Fail::InTheWay { path } => format!("{} is there, and must not be", path.display()),
        Fail::NotPointed { file } => format!("data_directory in {} is not as it was left", file.display()),
        Fail::OtherDatabase { was, is } => format!("another database answers: system identifier {is}, not {was}"),
        Fail::OlderData { was, is } => format!("the data is older than what was stopped: WAL {}, not {}", lsn(*is), lsn(*was)),
        Fail::RunsElsewhere { data_dir } => format!("the database that answers runs from {}", data_dir.display()),
        Fail::Interrupted => "broken off".into(),
    }
}

fn holders(voice: &Voice, by: &[Holder]) -> String {
    by.iter()
        .map(|h| holder(voice, h))
        .collect::<Vec<_>>()
        .join(", ")
}

#[rustfmt::skip] // a table of words
pub(crate) fn refusal(voice: &Voice, refusal: &Refusal) -> String {
    use Refusal as R;
    match refusal {
        R::NotRoot => "it mounts, stops and starts: run it as root".into(),
        R::NoServer => "no PostgreSQL runs here. Start it: only of one that runs it is known how it is started and stopped".into(),
        R::SeveralServers { data_dirs } => format!("several servers run here: {}. Say which: --from DIR", paths(data_dirs)),
        R::NotThatServer { from } => format!("no server that is known runs from {}", from.display()),
        R::NotRoots { program } => format!("a PostgreSQL that runs as {} does not count: others than root could change this program, and root would run it. Give the program and every folder above it to root, and take the right to write from group and others", program.display()),
        R::Configured { service, data_dir } => format!("Siaga's service {service} already has {}: its agent starts and stops it, and another place would be a danger. Take the service out of siaga.toml on both servers first", data_dir.display()),
        R::ConfigUnreadable { file, said } => format!("{} can't be read, so it is not known whether an agent has this database: {said}", file.display()),
        R::StrangerUnit { unit } => format!("the server runs in {unit}, which starts and stops it: it is not ours to stop. Take it out of there first"),
        R::Options { options } => format!("its command line has options that no file has: {}. Write them into postgresql.conf, and restart", options.join(" ")),
        R::NoAnswer { why: w } => format!("the server does not answer to its own account through its socket: {}", why(voice, w)),
        R::Standby => "it is a standby or in recovery (standby.signal, recovery.signal): only a primary can be moved".into(),
        R::ProgramsDiffer { data, programs } => format!("the data is of version {data}, the programs are of {programs}"),
        R::IsMountPoint { path } => format!("{} is a mount point, and can't be renamed. Move it one folder down by hand first", path.display()),
        R::LeadsAway { link, to } => format!("{} leads to {}: table spaces, WAL and other parts that are links do not move along. Bring them into the data directory first", link.display(), to.display()),
        R::MountInside { path } => format!("a file system is mounted in it, at {}: its files would not move along", path.display()),
        R::SetElsewhere { files } => format!("data_directory has to stand once, in the configuration file itself, or nowhere where the configuration lies with the data. It stands in: {}", paths(files)),
        R::ConfigFile { file, why: w } => format!("{} would be changed, and can't be: {}. It has to be a plain file, and its folders no links of others than root", file.display(), why(voice, w)),
        R::Named { settings } => format!("these settings name the old directory: {}. Change them first", settings.join(", ")),
        R::KeptThere { path } => format!("beside {} lies a directory that was kept today already: move it away", path.display()),
        R::DeviceUnusable { device, why: w } => format!("{}: {}", device.display(), why(voice, w)),
        R::SameFileSystem => "the data is on this device already".into(),
        R::MountedElsewhere { at } => format!("the device is mounted at {}", paths(at)),
        R::DeviceHeld { by } => format!("the device is in use: {}", holders(voice, by)),
        R::DrbdNotReady { resource, state } => format!("DRBD resource {resource} is {state} here. Only a primary with up-to-date data is written: drbdadm primary {resource}"),
        R::DeviceUnreadable { why: w } => format!("what is on the device is not known: {}", why(voice, w)),
        R::Carries { what } if what.is_empty() => "the device is not empty: there is data of an unknown kind on it. If it may be lost, its owner clears it (blkdiscard -z, or dd from /dev/zero)".into(),
        R::Carries { what } => format!("the device carries {what}. If it may be lost, its owner clears it"),
        R::Blank { device } => format!("nothing is on {}. With --format ext4 a file system is made on it", device.display()),
        R::NoMkfs => "mkfs.ext4 is not installed (e2fsprogs)".into(),
        R::NotClean => "the file system was not unmounted, or is mounted on the other server at this moment. Make sure of that; then e2fsck".into(),
        R::NotEmpty { entries } if entries.is_empty() => "the file system on the device is not empty".into(),
        R::NotEmpty { entries } => format!("the file system on the device is not empty: {}", entries.join(", ")),
        R::OtherFileSystem => "only ext4 and XFS are moved between servers. (An XFS has to be mounted at its place first.)".into(),
        R::PlaceNotEmpty { mount_point } => format!("{} is not empty: what is in it would be covered", mount_point.display()),
        R::PlaceTaken { mount_point } => format!("{} is no folder, or something else is mounted there", mount_point.display()),
        R::TooSmall { needed, free } => format!("needed are {}, free are {}", bytes(voice, *needed), bytes(voice, *free)),
        R::UnderWay => "another move is not ended: siaga migrate --yes goes on with it, siaga migrate back goes back".into(),
        R::Busy => "somebody carries it out at this moment".into(),
        R::NothingToGoBack => "there is no way back: nothing was moved, or it is back already".into(),
        R::OldGone { path } => format!("the old directory is not there any more: {}", path.display()),
        R::NewUnknown => "the new place can't be read, so it is not known what was written there. Bring its device back; or, without what was written there, siaga migrate back --as-it-was".into(),
        R::NotMounted { device, mount_point } => format!("the new place is not mounted here, so it is not known what was written there: mount {} at {}, where no other server has it", device.display(), mount_point.display()),
        R::SiteNode { device, mount_point } => format!("this server is a node of a Siaga site, and {} is not mounted at {} here: the other server may have it, and two that mount it destroy the file system. Only Siaga mounts it from now on. For the way back, bring the service here (siaga switchover) before you take it out of siaga.toml. For a move to a new device, mount that one there by hand first", device.display(), mount_point.display()),
        R::NotAsItWas => "the old copy is not as it was any more: copying back has begun. Go on with it: siaga migrate back".into(),
    }
}
