//! Services and what belongs to them.

use super::Context;
use super::disk_set::disk_set;
use crate::cause::{Cause, Thing};
use crate::choices::{TestKind, TestWord};
use crate::host::{secret_problem, user_is_missing};
use crate::raw;
use crate::read::{List, Many, Opt, Req, Spot};
use crate::scalars::Text;
use siaga_model::config::{
    Application, ApplicationRun, Argv, BackupAge, ClientTest, ClientTestKind, Database,
    NamedCommand, Rehearsal, Service, VirtualIp,
};
use siaga_model::{NodeName, ServiceName};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn services(
    services: &Many<raw::Service>,
    context: &mut Context<'_>,
) -> Option<Vec<Service>> {
    if services.0.is_empty() {
        context.sink.push(&(0..0), "service", Cause::NoService);
    }
    context.unique(
        Thing::Service,
        services.0.iter().filter_map(|s| s.value.name.0.as_ref()),
        |n| n.0.clone(),
    );
    let services: Vec<Option<Service>> = services.0.iter().map(|s| service(s, context)).collect();
    services.into_iter().collect()
}

fn service(spot: &Spot<raw::Service>, context: &mut Context<'_>) -> Option<Service> {
    let raw = &spot.value;
    if let Some(name) = &raw.preferred_node.0 {
        context.known_node(&Spot {
            value: name.value.0.clone(),
            at: name.at.clone(),
            key: name.key.clone(),
        });
    }
    let disk_set = disk_set(&raw.disk_set, context);
    let file_systems = super::file_systems::file_systems(spot, context);
    let virtual_ips: Vec<_> = raw
        .virtual_ip
        .0
        .iter()
        .map(|v| virtual_ip(&v.value, context))
        .collect();
    let database = database(&raw.database, context);
    let applications = applications(&raw.application, context);
    let client_tests = client_tests(&raw.client_test, context);
    let after_move = after_move(&raw.after_move, context);
    let backup = raw.backup.value().and_then(|b| backup(b, context));
    Some(Service {
        name: ServiceName::new(raw.name.value()?.0.clone()),
        preferred_node: NodeName::new(raw.preferred_node.value()?.0.clone()),
        disk_set: disk_set?,
        file_systems: file_systems?,
        virtual_ips: virtual_ips.into_iter().collect::<Option<_>>()?,
        database: database?,
        applications: applications?,
        client_tests: client_tests?,
        after_move: after_move?,
        backup,
        rehearsal: rehearsal(raw, context),
    })
}

/// The largest rate that `pg_basebackup` takes.
const MAX_RATE: u32 = 1024;

fn rehearsal(service: &raw::Service, context: &mut Context<'_>) -> Rehearsal {
    let default = Rehearsal::default();
    let Some(raw) = service.rehearsal.value() else {
        return default;
    };
    folder_is_apart(service, raw, context);
    if let Some(file) = &raw.password_file.spot
        && let Some(cause) = secret_problem(&file.value.0, context.host)
    {
        context.sink.at(file, cause);
    }
    let rate = raw.max_rate.value().map(|c| c.0.min(MAX_RATE));
    Rehearsal {
        user: raw.user.value().map(|t| t.0.clone()),
        password_file: raw.password_file.value().map(|p| p.0.clone()),
        max_rate_mebibytes: rate.unwrap_or(default.max_rate_mebibytes),
        folder: raw.folder.value().map(|p| p.0.clone()),
        within: raw.within.or_seconds(default.within.as_secs()),
        amcheck: raw.amcheck.or_seconds(default.amcheck.as_secs()),
    }
}

/// A copy below a mount point would be hidden by the next mount, with patients' data in it.
fn folder_is_apart(service: &raw::Service, raw: &raw::Rehearsal, context: &mut Context<'_>) {
    let Some(folder) = &raw.folder.spot else {
        return;
    };
    let mounts = service.file_system.0.iter();
    let mounts = mounts.filter_map(|f| f.value.mount_point.value().map(|p| p.0.as_path()));
    let kernel = ["/proc", "/sys", "/dev", "/run"].map(Path::new);
    let place = folder.value.0.as_path();
    let other = mounts
        .chain(kernel)
        // A mount point that is refused itself says nothing more here.
        .filter(|other| *other != Path::new("/"))
        .find(|other| place.starts_with(other) || other.starts_with(place));
    if let Some(other) = other {
        let (path, other) = (place.to_owned(), other.to_owned());
        context
            .sink
            .at(folder, Cause::FolderNotApart { path, other });
    }
}

fn virtual_ip(virtual_ip: &raw::VirtualIp, context: &mut Context<'_>) -> Option<VirtualIp> {
    let interfaces = context.per_node(&virtual_ip.interface)?;
    Some(VirtualIp {
        address: virtual_ip.address.value()?.0,
        interfaces: interfaces
            .into_iter()
            .map(|(n, name)| (n, name.0))
            .collect(),
    })
}

fn database(database: &Req<raw::Database>, context: &mut Context<'_>) -> Option<Database> {
    let spot = database.0.as_ref()?;
    let raw = &spot.value;
    let os_user = raw.os_user.or_text("postgres");
    if context.host.users && user_is_missing(&os_user) {
        let (at, key) = raw
            .os_user
            .spot
            .as_ref()
            .map_or((&spot.at, &spot.key), |u| (&u.at, &u.key));
        context.sink.push(
            at,
            key,
            Cause::NoSuchUser {
                user: os_user.clone(),
            },
        );
    }
    Some(Database {
        bin_dir: raw.bin_dir.value()?.0.clone(),
        data_dir: raw.data_dir.value()?.0.clone(),
        config_file: raw.config_file.value().map(|p| p.0.clone()),
        unit: raw
            .unit
            .spot
            .as_ref()
            .map(|unit| check_unit(unit, &[".service"], context)),
        port: raw.port.value().map_or(5432, |p| p.0),
        os_user,
        socket_dir: raw
            .socket_dir
            .value()
            .map_or_else(|| PathBuf::from("/run/postgresql"), |p| p.0.clone()),
        check_user: raw.check_user.or_text("postgres"),
        check_database: raw.check_database.or_text("postgres"),
        stop_fast: raw.stop_fast.or_seconds(30),
        stop_immediate: raw.stop_immediate.or_seconds(10),
        start_stalled: raw.start_stalled.or_seconds(120),
    })
}

fn applications(
    list: &Many<raw::Application>,
    context: &mut Context<'_>,
) -> Option<Vec<Application>> {
    context.unique(
        Thing::Application,
        list.0.iter().filter_map(|a| a.value.name.0.as_ref()),
        |n| n.0.clone(),
    );
    let all: Vec<Option<Application>> = list.0.iter().map(|a| application(a, context)).collect();
    all.into_iter().collect()
}

fn application(spot: &Spot<raw::Application>, context: &mut Context<'_>) -> Option<Application> {
    let raw = &spot.value;
    let start = optional_argv(&raw.start, context);
    let stop = optional_argv(&raw.stop, context);
    let status = optional_argv(&raw.status, context);
    let test = optional_argv(&raw.test, context);
    let programs = raw.start.written || raw.stop.written || raw.status.written;
    let run = match (&raw.unit.spot, start, stop) {
        (Some(unit), ..) if !programs => {
            Some(ApplicationRun::Unit(check_unit(unit, &UNIT_KINDS, context)))
        }
        (Some(unit), ..) => {
            let cause = Cause::NotWith {
                name: "unit".to_owned(),
                other: "start, stop, status".to_owned(),
            };
            context.sink.at(unit, cause);
            None
        }
        (None, Some(start), Some(stop)) => Some(ApplicationRun::Programs {
            start,
            stop,
            status,
        }),
        (None, ..) => {
            // What is written and wrong is reported already.
            if !(raw.unit.written || raw.start.written && raw.stop.written) {
                let (at, key) = raw
                    .name
                    .0
                    .as_ref()
                    .map_or((&spot.at, &spot.key), |n| (&n.at, &n.key));
                let name = raw.name.value().map_or_else(String::new, |n| n.0.clone());
                context.sink.push(at, key, Cause::ApplicationRun { name });
            }
            None
        }
    };
    Some(Application {
        name: raw.name.value()?.0.clone(),
        run: run?,
        test,
        timeout: raw.timeout.or_seconds(60),
    })
}

pub(super) fn optional_argv(list: &Opt<List<Text>>, context: &mut Context<'_>) -> Option<Argv> {
    list.spot.as_ref().and_then(|l| context.argv(l))
}

/// What an application may be.
const UNIT_KINDS: [&str; 4] = [".service", ".target", ".socket", ".timer"];

fn check_unit(unit: &Spot<Text>, kinds: &[&str], context: &mut Context<'_>) -> String {
    let name = unit.value.0.clone();
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c))
        && !name.starts_with('-');
    if !plain
        || !kinds
            .iter()
            .any(|k| name.len() > k.len() && name.ends_with(k))
    {
        context.sink.at(
            unit,
            Cause::BadUnit {
                found: name.clone(),
            },
        );
    }
    name
}

fn client_tests(
    list: &Many<raw::ClientTest>,
    context: &mut Context<'_>,
) -> Option<Vec<ClientTest>> {
    context.unique(
        Thing::ClientTest,
        list.0.iter().filter_map(|t| t.value.name.0.as_ref()),
        |n| n.0.clone(),
    );
    let all: Vec<Option<ClientTest>> = list.0.iter().map(|t| client_test(t, context)).collect();
    all.into_iter().collect()
}

fn client_test(spot: &Spot<raw::ClientTest>, context: &mut Context<'_>) -> Option<ClientTest> {
    let raw = &spot.value;
    let kind = raw.kind.0.as_ref()?;
    let run = optional_argv(&raw.run, context);
    check_keys(raw, kind, context);
    let test = match kind.value.0 {
        TestKind::Probe => ClientTestKind::Probe,
        TestKind::Tcp => ClientTestKind::Tcp {
            address: raw.address.value()?.0,
        },
        TestKind::Http => ClientTestKind::Http {
            url: raw.url.value()?.0.clone(),
            ca_file: raw.ca_file.value().map(|p| p.0.clone()),
        },
        TestKind::Program => ClientTestKind::Program(run?),
    };
    Some(ClientTest {
        name: raw.name.value()?.0.clone(),
        kind: test,
        timeout: raw.timeout.or_seconds(10),
    })
}

/// Each kind has keys of its own; any other does not go with it.
fn check_keys(raw: &raw::ClientTest, kind: &Spot<TestWord>, context: &mut Context<'_>) {
    let keys = [
        (
            "address",
            TestKind::Tcp,
            raw.address.written,
            raw.address.spot.as_ref().map(|a| (&a.at, &a.key)),
        ),
        (
            "url",
            TestKind::Http,
            raw.url.written,
            raw.url.spot.as_ref().map(|u| (&u.at, &u.key)),
        ),
        (
            "run",
            TestKind::Program,
            raw.run.written,
            raw.run.spot.as_ref().map(|r| (&r.at, &r.key)),
        ),
        (
            "ca_file",
            TestKind::Http,
            // It may be left out.
            true,
            raw.ca_file.spot.as_ref().map(|c| (&c.at, &c.key)),
        ),
    ];
    for (name, of, written, place) in keys {
        if of == kind.value.0 && !written {
            context.sink.at(
                kind,
                Cause::MissingKey {
                    name: name.to_owned(),
                },
            );
        }
        if let (true, Some((at, key))) = (of != kind.value.0, place) {
            context.sink.push(
                at,
                key,
                Cause::NotWith {
                    name: name.to_owned(),
                    other: "kind".to_owned(),
                },
            );
        }
    }
}

fn after_move(list: &Many<raw::AfterMove>, context: &mut Context<'_>) -> Option<Vec<NamedCommand>> {
    context.unique(
        Thing::AfterMove,
        list.0.iter().filter_map(|t| t.value.name.0.as_ref()),
        |n| n.0.clone(),
    );
    let all: Vec<Option<NamedCommand>> = list
        .0
        .iter()
        .map(|c| {
            let run = c.value.run.0.as_ref().and_then(|r| context.argv(r));
            Some(NamedCommand {
                name: c.value.name.value()?.0.clone(),
                run: run?,
                timeout: c.value.timeout.or_seconds(30),
            })
        })
        .collect();
    all.into_iter().collect()
}

/// A nightly backup, and two hours.
const DEFAULT_BACKUP_AGE: Duration = Duration::from_secs(26 * 3600);

fn backup(raw: &raw::Backup, context: &mut Context<'_>) -> Option<BackupAge> {
    Some(BackupAge {
        run: raw.run.0.as_ref().and_then(|r| context.argv(r))?,
        timeout: raw.timeout.or_seconds(10),
        at_most: raw
            .at_most
            .value()
            .map_or(DEFAULT_BACKUP_AGE, |span| span.0),
    })
}
