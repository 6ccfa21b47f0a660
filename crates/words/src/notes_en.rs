//! Notes, progress and evidence in English: clauses, without a full stop.

use crate::voice::{Voice, duration, quoted};
use crate::why::{holders, said, with_people};
use siaga_model::config::Language::English;
use siaga_model::evidence::{
    BootStart, Cleaned, Evidence as E, FileLine, LogProblem, OnlyAPerson, ProblemKind,
};
use siaga_model::note::{ControlState, Note as N, Progress as P, StopKind};
use siaga_model::why::Why;

#[rustfmt::skip] // a table of words
pub(crate) fn note(voice: &Voice, note: &N) -> String {
    match note {
        N::MmpWaits => "multiple-mount protection is set and not cleared: the mount waits for it".into(),
        N::MmpWaitsWithoutTool => "tune2fs is not installed: the mount waits for multiple-mount protection".into(),
        N::MmpCleared => "multiple-mount protection cleared: the other node's power is off".into(),
        N::WasStartingAlready => "it was starting already".into(),
        N::NoServerLog { said } => format!("no log: {}", quoted(said)),
        N::ReadyIn { ms } => format!("ready in {}", duration(voice, *ms)),
        N::ControlLeft { control } => {
            format!("its control file: checkpoint {} on timeline {}", control.lsn(), control.timeline)
        }
        N::ControlFound { control } => {
            format!("found checkpoint {} on timeline {}", control.lsn(), control.timeline)
        }
        N::ControlRewritten => "the control file is not the one that the last stop left".into(),
        N::NeedsRecovery => "it was not shut down: recovery".into(),
        N::WalToWriteBack { bytes } => {
            format!("changes to write back: {} MiB of WAL", bytes.div_ceil(1 << 20))
        }
        N::WalToRedo { bytes } => format!("WAL to redo: {} MiB", bytes.div_ceil(1 << 20)),
        N::LockFileKept { path, pid, process } => {
            format!("{} named process {pid} ({process}), which is no server: kept aside", path.display())
        }
        N::Stopped { ms, how, control, clean } => {
            let how = match how {
                StopKind::Fast => "fast",
                StopKind::Immediate => "immediate",
                StopKind::Killed => "killed",
                StopKind::LeftOversEnded => "left-over processes ended",
            };
            let control = match control {
                ControlState::Says(state) => quoted(state),
                ControlState::Unreadable { said } => quoted(said),
            };
            let clean = if *clean { "clean" } else { "not clean" };
            format!("stopped in {} ({how}); pg_control: {control}; {clean}", duration(voice, *ms))
        }
        N::UnitNotAsked { unit, why } => {
            format!("stopped by signals, {unit} could not be asked: {}", said(English, why))
        }
        N::AppStarted { name } => format!("{name} started"),
        N::AppStopped { name } => format!("{name} stopped"),
        N::CommandDone { name } => format!("{name} done"),
        N::DuplicateCleared { address } => format!("the kernel had found a duplicate of {address}: it is added afresh"),
        N::AnsweredAndDefended { address, hardware } => {
            format!("{hardware} still answers at {address}: the address is added and defended")
        }
        N::FenceComplained { why } => format!("it complained, and confirms it: {}", said(English, why)),
        N::TookNoWrites { said } => format!("it was mounted and took no writes ({})", quoted(said)),
        N::FenceShared => "shared with another run's fence".into(),
        N::System(text) => quoted(text),
    }
}

pub(crate) fn progress(at: &P) -> String {
    match at {
        P::FastStop => "fast stop".into(),
        P::ImmediateStop => "immediate stop".into(),
        P::Killing => "killing".into(),
        P::EndingLeftOvers => "ending left-over processes".into(),
        P::KillingLeftOvers => "killing left-over processes".into(),
        P::Starting => "starting".into(),
        P::Redo {
            percent: Some(percent),
        } => format!("redo {percent} %"),
        P::Redo { percent: None } => "redo".into(),
        P::EndOfRecoveryCheckpoint => "checkpoint at the end of recovery".into(),
        P::Told(told) => quoted(told),
    }
}

#[rustfmt::skip] // a table of words
pub(crate) fn evidence(voice: &Voice, seen: &E) -> String {
    let age = |ms: u64| duration(voice, ms);
    match seen {
        E::Nothing => String::new(),
        E::Because { why } => said(English, why),
        E::Several { each } => each.iter().map(|e| evidence(voice, e)).collect::<Vec<_>>().join(", "),
        E::Thing { name } => quoted(name),
        // --- findings
        E::DeviceMissing { device } => format!("{} is not a block device here", device.display()),
        E::NoDeviceConfigured => "no device is configured".into(),
        E::PathMissing { path } => format!("{} does not exist", path.display()),
        E::InterfaceDown { interface } => format!("{interface} is down"),
        E::ProgramDoesNotRun { program } => format!("{} does not run", program.display()),
        E::AskedFrom { device, node, why } => format!("{device} asked from {node}: {}", said(English, why)),
        E::ConfigFilesDiffer => "siaga.toml is not the same on both".into(),
        E::Versions { one, one_has, other, other_has } => {
            let has = |v: &Option<String>| v.clone().unwrap_or_else(|| "none".into());
            format!("{one}: {}, {other}: {}", has(one_has), has(other_has))
        }
        E::UserIdsDiffer => "the user ids differ".into(),
        E::Sizes { one, one_bytes, other, other_bytes } => {
            format!("{one}: {one_bytes} bytes, {other}: {other_bytes} bytes")
        }
        E::ClockStepped { by_ms } if *by_ms < 0 => format!("it was set back by {}", age(by_ms.unsigned_abs())),
        E::ClockStepped { by_ms } => format!("it was set forward by {}", age(by_ms.unsigned_abs())),
        E::ClocksApart { ms } => format!("{} apart", age(*ms)),
        E::NotYetValid => "not valid yet: a clock is wrong".into(),
        E::DaysLeft { days } => format!("{days} days left"),
        E::AnswersAt { address, hardware, interface: Some(interface) } => {
            format!("{address} on {interface}: {hardware} answers")
        }
        E::AnswersAt { address, hardware, interface: None } => format!("{address}: {hardware} answers"),
        E::TornRow { bytes } => format!("{bytes} bytes of an unfinished row were cut off"),
        E::DamagedLog { problem } => log_problem(problem),
        E::DeclaredGone { mandate, cleaned } if cleaned.is_empty() => {
            format!("this node was declared gone under mandate {mandate}; nothing was left here")
        }
        E::DeclaredGone { mandate, cleaned } => {
            let cleaned: Vec<String> = cleaned.iter().map(self::cleaned).collect();
            format!("this node was declared gone under mandate {mandate}; {}", cleaned.join("; "))
        }
        E::KeyGone { why, cleaned } => {
            let mut cleaned: Vec<String> = cleaned.iter().map(self::cleaned).collect();
            if cleaned.is_empty() {
                cleaned.push("nothing was left here".into());
            }
            format!("{}; {}", said(English, why), cleaned.join("; "))
        }
        E::OnlyOn { node, names } => format!("only on {node}: {}", names.join(", ")),
        E::FilesDiffer { files } => {
            let line = |f: &FileLine| format!("{} from line {}", f.name, f.line);
            files.iter().map(line).collect::<Vec<_>>().join(", ")
        }
        E::Memory { needs_mebibytes, has_mebibytes } => {
            format!("shared_buffers is {needs_mebibytes} MiB, the memory {has_mebibytes} MiB")
        }
        E::HugePages { needs_mebibytes, has_mebibytes } => {
            format!("huge pages for {needs_mebibytes} MiB are needed, {has_mebibytes} MiB are reserved")
        }
        E::Recovery { mebibytes, seconds, goal_s } => {
            format!("{mebibytes} MiB of WAL take about {seconds} s; the goal is {goal_s} s")
        }
        E::StartsAtBoot { what } => match what {
            BootStart::Unit { name } => format!("the unit {name} is enabled"),
            BootStart::Cluster { file } => format!("{} says auto", file.display()),
            BootStart::Fstab { mount_point, line } => {
                format!("/etc/fstab line {line} mounts {} without noauto", mount_point.display())
            }
            BootStart::Address { file } => format!("{} holds the virtual IP", file.display()),
        },
        E::LeadsTo { path, to } => format!("{} leads to {}", path.display(), to.display()),
        E::Objects { count } => format!("{count} of them"),
        E::LastDrill { days: None, .. } => "no drill was graded yet".into(),
        E::LastDrill {
            days: Some(days),
            people,
        } => with_people(format!("{days} days ago"), "took part", people),
        E::PortSilent { from, address, port, why } => {
            format!("{from} asked {address}, port {port}: {}", said(English, why))
        }
        E::BackupAge { hours, at_most_hours } => format!("{hours} hours; at most {at_most_hours}"),
        E::BackupNoTime { program, said: line } => {
            format!("{program} prints no time as its last line, but {}", quoted(line))
        }
        E::NoBackupProgram => "no program is configured that tells it".into(),
        E::LastRehearsal { days: None, .. } => "there was none yet".into(),
        E::LastRehearsal { days: Some(days), node } => match node {
            Some(node) => format!("{days} days ago, on {node}"),
            None => format!("{days} days ago"),
        },
        E::Damaged { names } => format!("{} of them: {}", names.len(), crate::voice::list(names)),
        E::NeedsAPerson { because: OnlyAPerson::NoFence } => "it has no fence: if it falls silent, a person has to go there and attest".into(),
        E::NeedsAPerson { because: OnlyAPerson::NobodyListed } => "no fence of it answers: if it falls silent, a person has to go there and attest, and nobody stands in the list of people who may: write [[person]] into siaga.toml on both servers".into(),
        E::NeedsAPerson { because: OnlyAPerson::NoFenceAnswers } => "no fence of it answers: if it falls silent, a person has to go there and attest".into(),
        E::NeedsAPerson { because: OnlyAPerson::JournalLost } => "the server that would take over lost its event log: if this one falls silent, a person has to go there and attest".into(),
        E::RowsLost { probe, rows } => crate::rows_lost(English, probe, *rows),
        E::DatabasesNotAsked { count } => format!("so many databases could not be asked: {count}"),
        E::NoDefaultCollationVersion => "this PostgreSQL keeps no version of a database's default collation (15 and newer do): nobody can tell whether it changed".into(),
        E::NoChecksums => "the database was made without checksums".into(),
        E::IndexesChecked { checked, indexes } => format!("{checked} of {indexes} indexes"),
        E::DatabasesOpened { count } => format!("{count} databases opened, and a write committed"),
        E::NeedsApplication => "it needs the application, and a rehearsal has only the database".into(),
        E::NeedsClient => "it needs a client, and nobody outside can reach the copy".into(),
        // --- layers
        E::ApplicationRuns { name } => format!("{name} runs"),
        E::ApplicationStopped { name } => format!("{name} does not run"),
        E::PowerOn => "on".into(),
        E::PowerOff => "off".into(),
        E::NotKnown => "not known".into(),
        E::Answers => "answers".into(),
        E::Silent => "silent".into(),
        E::Free => "free".into(),
        E::Held { by } => holders(English, by),
        E::SpaceFree { path, mebibytes } => format!("{}: {mebibytes} MiB free", path.display()),
        E::MountedAndReadable => "mounted and readable".into(),
        E::NoKernelTrouble => "no I/O error, no out-of-memory kill".into(),
        E::NoShutdownInLog => "the log tells nothing of a shutdown".into(),
        E::ProcessRuns => "runs".into(),
        E::ProcessStarts => "starts".into(),
        E::ProcessesThere => "processes are there".into(),
        E::NoProcess => "no process".into(),
        E::WriteCommitted => "a write was committed".into(),
        E::Percent { percent } => format!("{percent} %"),
        E::ProbeReport { probe, age_ms } => format!("{probe}, {} ago", age(*age_ms)),
        // --- client tests
        E::Connected => "connected".into(),
        E::ProbeServed { probe, age_ms } => format!("probe {probe} read and wrote a row {} ago", age(*age_ms)),
        E::ProbeNotServed { probe, age_ms } => format!("probe {probe} was not served, {} ago", age(*age_ms)),
        E::NoProbeReports => "no client probe reports".into(),
        E::NoProbeWrites => "no client probe writes rows to look for".into(),
        E::NewestReportOld { probe, age_ms } => format!("the newest report, of {probe}, is {} old", age(*age_ms)),
        E::NoAddress { host } => format!("{host} has no address"),
        E::NotHttp { host } => format!("{host} does not speak HTTP"),
        E::System(text) => quoted(text),
    }
}

fn cleaned(cleaned: &Cleaned) -> String {
    let said = |what: &str, trouble: &Option<Why>| match trouble {
        None => what.to_owned(),
        Some(why) => format!("not {what}: {}", said(English, why)),
    };
    match cleaned {
        Cleaned::AddressRemoved { trouble } => said("address removed", trouble),
        Cleaned::ApplicationsStopped { trouble } => said("applications stopped", trouble),
        Cleaned::DatabaseStopped { trouble } => said("database stopped", trouble),
        Cleaned::Unmounted { trouble } => said("unmounted", trouble),
        Cleaned::LogUnwritten { why } => crate::why(English, why),
    }
}

/// A problem of an event log, with its place.
pub(crate) fn log_problem(problem: &LogProblem) -> String {
    let what = match problem.kind {
        ProblemKind::Changed => "the row was changed",
        ProblemKind::BadSignature => "the row was changed and sealed without the node's key",
        ProblemKind::Removed => "rows are missing from here on",
        ProblemKind::Reordered => "the row stands in another's place",
        ProblemKind::Inserted => "a line that is no row of this log stands here",
        ProblemKind::ChainBroken => "the row does not follow the one before it",
        ProblemKind::ForeignKey => "the key of the signatures is not known of this node",
        ProblemKind::Unreadable => "the file can't be read",
    };
    let line = problem
        .line
        .map_or(String::new(), |n| format!(", line {n}"));
    let row = problem
        .row
        .map_or(String::new(), |n| format!("row {n} of "));
    format!(
        "{}{line}: {row}{}.{}: {what} ({})",
        problem.file.display(),
        problem.node,
        problem.incarnation,
        quoted(&problem.detail)
    )
}
