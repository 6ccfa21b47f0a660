//! A server that is started and stopped by its systemd unit.

use super::process::{self, Handle, Process, Signature};
use crate::act::systemd::{Call, Job, Systemd};
use crate::observe::cgroup::{ControlGroup, group_of};
use siaga_model::Why;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often the server is looked for while systemd starts it.
const TICK: Duration = Duration::from_millis(5);

/// How long a unit that started something else may take to stop again.
const STOP_AGAIN: Duration = Duration::from_secs(30);

/// The unit of one server.
pub struct Unit {
    pub(crate) name: String,
    pub(crate) systemd: Systemd,
}

impl Unit {
    /// Has systemd start it, and gives the server's first process as soon as it is there: a recovery takes longer than what
    /// starts it may wait.
    pub(super) fn launch(
        &self,
        signature: &Signature,
        data_dir: &Path,
        within: Duration,
    ) -> Result<(Handle, Job), Why> {
        let mut job = self.systemd.begin(&self.name, Call::Start)?;
        let begun = Instant::now();
        let mut done = None;
        loop {
            match done {
                None => done = job.ended(TICK),
                Some(_) => std::thread::sleep(TICK),
            }
            if let Some(handle) = first_process(signature)? {
                let known = done.map(|result| Job::known(&self.name, result));
                return Ok((handle, known.unwrap_or(job)));
            }
            let over = begun.elapsed() >= within;
            match &done {
                Some(Err(why)) => return Err(why.clone()),
                // For some units it is done as soon as there is a process, which may be no server yet.
                Some(Ok(())) if over || !self.systemd.runs(&self.name)? => {
                    return Err(self.started_something_else(data_dir));
                }
                None if over => return Err(job.unended(within)),
                Some(Ok(())) | None => {}
            }
        }
    }

    /// What it started is not this server, and must not answer clients at the service's address.
    fn started_something_else(&self, data_dir: &Path) -> Why {
        let why = Why::UnitWithoutServer {
            unit: self.name.clone(),
            data_dir: data_dir.to_owned(),
        };
        match self.systemd.finish(&self.name, Call::Stop, STOP_AGAIN) {
            Ok(()) => why,
            Err(stop) => Why::all(vec![why, stop]),
        }
    }

    /// What went wrong in it, with the place of its own words.
    pub(super) fn words(&self, why: Why) -> Why {
        Why::InUnit {
            unit: self.name.clone(),
            why: Box::new(why),
        }
    }

    /// Its control group, as systemd names it at this moment, or else as its processes do.
    pub(super) fn group(&self, servers: &[Process]) -> Result<ControlGroup, Why> {
        match self.systemd.control_group(&self.name) {
            Ok(Some(name)) => ControlGroup::named(&name),
            Ok(None) | Err(_) => self.group_by_processes(servers),
        }
    }

    /// The same without systemd.
    pub(super) fn group_by_processes(&self, servers: &[Process]) -> Result<ControlGroup, Why> {
        let of_unit = |process: &Process| {
            let group = group_of(process.pid)?;
            let parts: Vec<&str> = group.split('/').collect();
            let at = parts.iter().position(|part| *part == self.name)?;
            Some(parts[..=at].join("/"))
        };
        let name = servers.iter().find_map(of_unit);
        ControlGroup::named(&name.unwrap_or_else(|| usual_group(&self.name)))
    }
}

/// What keeps the unit from starting its database, or lets systemd start or end it by itself.
pub fn troubles(systemd: &Systemd, unit: &str) -> Vec<Why> {
    let seen = match systemd.look(unit) {
        Ok(seen) => seen,
        Err(why) => return vec![why],
    };
    let unit = unit.to_owned();
    match seen.load.as_str() {
        "loaded" => {}
        "masked" => return vec![Why::UnitMasked { unit }],
        "not-found" => return vec![Why::UnitNotFound { unit }],
        other => return vec![Why::system(other).of(unit)],
    }
    let mut found = Vec::new();
    if let Some(limit) = seen.start_limit {
        found.push(Why::UnitStartLimited {
            unit: unit.clone(),
            seconds: limit.as_secs(),
        });
    }
    if seen.restart != "no" {
        found.push(Why::UnitRestarts {
            unit,
            restart: seen.restart,
        });
    }
    found
}

fn first_process(signature: &Signature) -> Result<Option<Handle>, Why> {
    let found = process::find(signature)?;
    match process::postmaster(&found, None) {
        Some(postmaster) => Handle::open(postmaster.pid, |pid| signature.matches(pid)),
        None => Ok(None),
    }
}

/// Where systemd puts a service that nobody has put elsewhere: instances of a template below a slice of the template's own.
fn usual_group(unit: &str) -> String {
    match unit.split_once('@') {
        Some((template, _)) => {
            let template = template.replace('-', "\\x2d");
            format!("/system.slice/system-{template}.slice/{unit}")
        }
        None => format!("/system.slice/{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_have_a_slice_of_their_templates() {
        for (unit, group) in [
            (
                "postgresql@15-main.service",
                "/system.slice/system-postgresql.slice/postgresql@15-main.service",
            ),
            (
                "postgresql-15.service",
                "/system.slice/postgresql-15.service",
            ),
            (
                "my-db@1.service",
                "/system.slice/system-my\\x2ddb.slice/my-db@1.service",
            ),
        ] {
            assert_eq!(usual_group(unit), group);
        }
    }
}
