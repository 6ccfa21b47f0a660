//! A real server in a unit of a systemd that is a stand-in.

use super::database::failure;
use super::systemd::{Acts, Answer, Group, StandIn};
use super::{World, as_postgres, in_own_namespace, signal};
use crate::act::application;
use crate::act::postgres::{Postgres, pid_file, process, start, stop, unit};
use crate::act::systemd::Systemd;
use rustix::process::Signal;
use siaga_model::Why;
use siaga_model::config::{Application, ApplicationRun};
use siaga_model::integrity::Judged;
use siaga_model::note::{Note, StopKind};
use siaga_model::observation::DatabaseState;
use siaga_runner::hands::{Acted, Did};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zbus::Variant;

// No cluster of this host has that name.
const UNIT: &str = "postgresql@15-siaga-test.service";

fn cluster() -> World {
    World::with_cluster("", |d| d.unit = Some(UNIT.to_owned()))
}

fn begin(server: &Postgres) -> Acted {
    start::start(server, &|_| Judged::Fine, &|_| {})
}

fn end(server: &Postgres) -> Acted {
    stop::stop(server, &|_| {})
}

/// What the unit starts: the server as its own account, in the unit's control group.
fn starter(world: &World, group: &Group) -> impl Fn() + Send + Sync + 'static {
    let (program, data) = (
        world.database.bin_dir.join("postgres"),
        world.database.data_dir.clone(),
    );
    let (port, doors) = (world.database.port.to_string(), group.doors());
    move || {
        let mut server = as_postgres(&program);
        server.arg("-D").arg(&data).args(["-p", &port]);
        server.stdout(Stdio::null()).stderr(Stdio::null());
        let account = crate::act::postgres::account::lookup("postgres").unwrap();
        let doors = doors.clone();
        let enter = move || {
            doors
                .iter()
                .try_for_each(|door| std::fs::write(door, "0"))?;
            crate::act::postgres::launch::become_account(account.uid, account.gid, &[])
        };
        // The doors are root's: first in, then another account.
        server.uid(0).gid(0);
        // SAFETY: only files are written, and the child has one thread.
        unsafe { server.pre_exec(enter) };
        let mut child = server.spawn().unwrap();
        std::thread::spawn(move || child.wait());
    }
}

/// A unit that starts with `start`, and stops as Debian's does: fast, and whoever else is in the group is asked to end.
fn acts(world: &World, start: impl Fn() + Send + Sync + 'static) -> Acts {
    let data: PathBuf = world.database.data_dir.clone();
    Arc::new(move |member: &str, _: &str| {
        match member {
            "StartUnit" => start(),
            _ => {
                let pid = pid_file::read(&data).unwrap().pid;
                signal(pid, Signal::INT);
                super::until("the end of the server", || pid_file::read(&data).is_none());
            }
        }
        Answer::Ends("done")
    })
}

fn of_group(group: &Group) -> Vec<(&'static str, Variant<'static>)> {
    vec![
        ("ControlGroup", Variant::from(group.name.clone())),
        ("ActiveState", Variant::from("active")),
    ]
}

/// A process in the group that has nothing to do with the data directory, and does not end when it is asked to.
fn straggler(group: &Group) -> Child {
    let mut sleep = Command::new("/bin/sh");
    sleep.args(["-c", "trap '' TERM; echo; exec sleep 1000"]);
    let mut sleep = sleep.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = [0];
    use std::io::Read;
    sleep.stdout.take().unwrap().read_exact(&mut line).unwrap();
    group.put(sleep.id());
    sleep
}

fn stopped(did: &Did) -> Option<(StopKind, bool)> {
    did.notes.iter().find_map(|note| match note {
        Note::Stopped { how, clean, .. } => Some((*how, *clean)),
        _ => None,
    })
}

#[test]
fn started_and_stopped_by_its_unit_until_nothing_is_left_in_its_group() {
    in_own_namespace(|| {
        let world = cluster();
        let group = Group::new();
        let systemd = StandIn::new(&of_group(&group), acts(&world, starter(&world, &group)));
        let server = world
            .server()
            .under(systemd.systemd(world.runtime.handle()));
        assert!(begin(&server).unwrap().changed);
        assert_eq!(server.look(), DatabaseState::Ready);
        let postmaster = world.postmaster();
        begin(&server).unwrap();
        assert_eq!(world.postmaster(), postmaster, "it runs");
        assert_eq!(systemd.calls(), [format!("StartUnit {UNIT}")]);
        let mut left = straggler(&group);
        let did = end(&server).unwrap();
        assert_eq!(stopped(&did), Some((StopKind::Fast, true)), "{did:?}");
        let dead = left.try_wait().unwrap();
        let _ = left.kill();
        assert!(dead.is_some(), "what was left in the group runs on");
        assert_eq!(systemd.calls()[1..], [format!("StopUnit {UNIT}")]);
        assert_eq!(server.look(), DatabaseState::Stopped);
        assert_eq!(end(&server), Ok(Did::nothing()));
    });
}

#[test]
fn a_straggler_alone_is_not_everything_ended() {
    in_own_namespace(|| {
        let world = cluster();
        let group = Group::new();
        let systemd = StandIn::new(&of_group(&group), acts(&world, || {}));
        let server = world
            .server()
            .under(systemd.systemd(world.runtime.handle()));
        let mut left = straggler(&group);
        let did = end(&server).unwrap();
        let _ = left.kill();
        let _ = left.wait();
        assert_eq!(
            stopped(&did).map(|(how, _)| how),
            Some(StopKind::LeftOversEnded)
        );
    });
}

/// `Restart=` waits, or a start is still queued: no process is there, and one would come.
#[test]
fn a_unit_that_is_about_to_start_is_stopped_where_nothing_runs() {
    in_own_namespace(|| {
        let world = cluster();
        let group = Group::new();
        let state = |word: &'static str| {
            vec![
                ("ControlGroup", Variant::from(group.name.clone())),
                ("ActiveState", Variant::from(word)),
            ]
        };
        for (word, changed) in [("inactive", false), ("failed", false), ("activating", true)] {
            let systemd = StandIn::new(
                &state(word),
                Arc::new(|_: &str, _: &str| Answer::Ends("done")),
            );
            let server = world
                .server()
                .under(systemd.systemd(world.runtime.handle()));
            assert_eq!(end(&server).map(|did| did.changed), Ok(changed), "{word}");
            let asked = systemd.calls().iter().any(|c| c.starts_with("StopUnit"));
            assert_eq!(asked, changed, "{word}: {:?}", systemd.calls());
        }
    });
}

#[test]
fn a_dead_bus_keeps_nobody_from_letting_go() {
    in_own_namespace(|| {
        let world = cluster();
        let group = Group::new();
        let systemd = StandIn::new(&of_group(&group), acts(&world, starter(&world, &group)));
        let server = world
            .server()
            .under(systemd.systemd(world.runtime.handle()));
        begin(&server).unwrap();
        systemd.kill_bus();
        // The group's name is then the one that its processes have.
        let did = end(&server).unwrap();
        assert_eq!(stopped(&did), Some((StopKind::Fast, true)), "{did:?}");
        assert!(world.processes().is_empty());
        let why = failure(begin(&server));
        assert!(matches!(why, Why::SystemdSilent { .. }), "{why:?}");
    });
}

#[test]
fn a_start_that_systemd_does_not_make_is_told_as_what_it_is() {
    in_own_namespace(|| {
        let world = cluster();
        let rt = world.runtime.handle();
        let told = |answer: fn() -> Answer| {
            let systemd = StandIn::new(
                &[("Result", Variant::from("exit-code"))],
                Arc::new(move |_: &str, _: &str| answer()),
            );
            failure(begin(&world.server().under(systemd.systemd(rt))))
        };
        let unit = UNIT.to_owned();
        assert_eq!(
            told(|| Answer::Ends("failed")),
            Why::UnitJobFailed {
                unit: unit.clone(),
                result: "failed".into(),
                ended: "exit-code".into()
            }
        );
        assert_eq!(
            told(|| Answer::Refuses("org.freedesktop.systemd1.NoSuchUnit")),
            Why::UnitNotFound { unit: unit.clone() }
        );
        assert_eq!(
            told(|| Answer::Refuses("org.freedesktop.systemd1.UnitMasked")),
            Why::UnitMasked { unit: unit.clone() }
        );
        assert_eq!(told(|| Answer::BusDies), Why::SystemdLost);
        assert_eq!(
            told(|| Answer::Ends("done")),
            Why::UnitWithoutServer {
                unit,
                data_dir: world.database.data_dir.clone()
            }
        );
        assert!(world.processes().is_empty());
    });
}

/// Its clients would find another database at the service's address.
#[test]
fn what_a_unit_starts_of_other_data_does_not_stay() {
    in_own_namespace(|| {
        let mut world = cluster();
        let rt = world.runtime.handle().clone();
        let done = || Arc::new(|_: &str, _: &str| Answer::Ends("done"));
        let systemd = StandIn::new(&[], done());
        let why = failure(begin(&world.server().under(systemd.systemd(&rt))));
        assert!(matches!(why, Why::UnitWithoutServer { .. }), "{why:?}");
        let both = [format!("StartUnit {UNIT}"), format!("StopUnit {UNIT}")];
        assert_eq!(systemd.calls(), both);

        // Where its configuration says so, it is not even begun.
        let file = world.mount_point.join("postgresql.conf");
        std::fs::write(&file, "data_directory = '/nonexistent/main'\n").unwrap();
        world.database.config_file = Some(file);
        let systemd = StandIn::new(&[], done());
        let why = failure(begin(&world.server().under(systemd.systemd(&rt))));
        assert!(matches!(why, Why::ConfigNamesOtherData { .. }), "{why:?}");
        assert!(systemd.calls().is_empty());
    });
}

#[test]
fn a_server_outside_its_unit_is_stopped_without_it() {
    in_own_namespace(|| {
        let world = cluster();
        let group = Group::new();
        let systemd = StandIn::new(&of_group(&group), acts(&world, || {}));
        let server = world
            .server()
            .under(systemd.systemd(world.runtime.handle()));
        // By hand, or by Siaga before it had a unit.
        let mut by_hand = world.server();
        by_hand.unit = None;
        begin(&by_hand).unwrap();
        let postmaster = world.postmaster();
        begin(&server).unwrap();
        assert_eq!(world.postmaster(), postmaster, "it runs");
        assert_eq!(
            stopped(&end(&server).unwrap()),
            Some((StopKind::Fast, true))
        );
        assert!(systemd.calls().is_empty(), "its unit does not run");
        assert!(process::find(&server.signature()).unwrap().is_empty());
    });
}

#[test]
fn what_a_unit_does_by_itself_is_found() {
    let world_rt = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let found = |load: &'static str, restart: &'static str, limit: u64| {
        let properties = [
            ("LoadState", Variant::from(load)),
            ("Restart", Variant::from(restart)),
            ("TimeoutStartUSec", Variant::from(limit)),
        ];
        let systemd = StandIn::new(&properties, Arc::new(|_: &str, _: &str| Answer::BusDies));
        unit::troubles(&systemd.systemd(world_rt.handle()), UNIT)
    };
    let unit = UNIT.to_owned();
    assert_eq!(found("loaded", "no", u64::MAX), []);
    assert_eq!(
        found("loaded", "on-failure", 90_000_000),
        [
            Why::UnitStartLimited {
                unit: unit.clone(),
                seconds: 90
            },
            Why::UnitRestarts {
                unit: unit.clone(),
                restart: "on-failure".into()
            }
        ]
    );
    assert_eq!(
        found("masked", "no", u64::MAX),
        [Why::UnitMasked { unit: unit.clone() }]
    );
    assert_eq!(found("not-found", "no", 0), [Why::UnitNotFound { unit }]);
    let nobody = Systemd::at(world_rt.handle().clone(), "unix:path=/nonexistent/bus");
    assert!(matches!(
        unit::troubles(&nobody, UNIT)[..],
        [Why::SystemdSilent { .. }]
    ));
}

#[test]
fn applications_go_the_same_way() {
    let rt = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let tomcat = Application {
        name: "web".into(),
        run: ApplicationRun::Unit("tomcat10.service".into()),
        test: None,
        timeout: Duration::from_secs(5),
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let acts: Acts = Arc::new({
        let seen = seen.clone();
        move |member: &str, _: &str| {
            seen.lock().unwrap().push(member.to_owned());
            Answer::Ends("failed")
        }
    });
    let stopped = StandIn::new(&[("ActiveState", Variant::from("inactive"))], acts.clone());
    let stopped = stopped.systemd(rt.handle());
    assert!(application::start_all(std::slice::from_ref(&tomcat), &stopped).is_err());
    assert_eq!(
        application::stop_all(std::slice::from_ref(&tomcat), &stopped),
        Ok(Did::nothing())
    );
    let running = StandIn::new(&[("ActiveState", Variant::from("active"))], acts.clone());
    let running = running.systemd(rt.handle());
    assert!(
        application::ask_all(
            std::slice::from_ref(&tomcat),
            &running,
            Duration::from_secs(5)
        )
        .facts()[0]
            .running
            .is(&true)
    );
    let tomcat = [tomcat];
    assert!(application::stop_all(&tomcat, &running).is_err());
    assert_eq!(*seen.lock().unwrap(), ["StartUnit", "StopUnit"]);
    // One that is still coming up, or is to be started again, would run once nobody looks any more.
    for (word, asked) in [("activating", 1), ("deactivating", 1), ("failed", 0)] {
        seen.lock().unwrap().clear();
        let unit = StandIn::new(&[("ActiveState", Variant::from(word))], acts.clone());
        let _ = application::stop_all(&tomcat, &unit.systemd(rt.handle()));
        assert_eq!(*seen.lock().unwrap(), vec!["StopUnit"; asked], "{word}");
    }
}
