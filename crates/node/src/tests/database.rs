//! A real server on a real file system: start, ready, stop, and recovery.

use super::{World, in_own_namespace, signal, until};
use crate::act::postgres::at_the_port;
use crate::act::postgres::connect::Answer;
use crate::act::postgres::launch::{Launch, launch};
use rustix::process::Signal;
use siaga_model::Why;
use siaga_model::note::{ControlState, Note, Progress, StopKind};
use siaga_model::observation::DatabaseState;
use siaga_model::run::FailureKind;
use siaga_runner::hands::{Acted, Did, Hands, Trouble};
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::time::Duration;

pub fn start(world: &World) -> Acted {
    world.hands.start_database(&world.service, &|_| {})
}

pub fn stop(world: &World) -> Acted {
    world.hands.stop_database(&world.service, &|_| {})
}

pub fn state(world: &World) -> DatabaseState {
    world.hands.look(&world.service).database
}

pub fn failure(acted: Acted) -> Why {
    match acted {
        Err(Trouble::Failed(failure)) => failure.detail,
        other => panic!("{other:?}"),
    }
}

fn status_line(pid: i32, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    text.lines()
        .find_map(|l| l.strip_prefix(name))
        .unwrap()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_kernel_spares_the_postmaster_and_not_its_children() {
    in_own_namespace(|| {
        // The unit asks for less than nothing, which not every root may write: what goes along shows as well this way.
        let own = "/proc/self/oom_score_adj";
        std::fs::write(own, "100").unwrap();
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        std::fs::write(own, "0").unwrap();
        // A worker may be over by now.
        let score = |pid: i32| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).ok()?;
            text.trim().parse::<i32>().ok()
        };
        let postmaster = world.postmaster();
        assert_eq!(score(postmaster), Some(100));
        let children = world
            .processes()
            .into_iter()
            .filter(|p| p.parent == postmaster);
        let scores: Vec<i32> = children.filter_map(|p| score(p.pid)).collect();
        assert!(
            !scores.is_empty() && scores.iter().all(|s| *s == 0),
            "{scores:?}"
        );
        stop(&world).unwrap();
    });
}

#[test]
fn started_ready_and_stopped_clean() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        assert_eq!(state(&world), DatabaseState::Stopped);
        assert!(start(&world).unwrap().changed);
        assert_eq!(state(&world), DatabaseState::Ready);
        assert_eq!(start(&world), Ok(Did::nothing()));
        assert_eq!(
            world.query("select current_setting('port'), pg_is_in_recovery()"),
            "5432|f"
        );
        assert!(world.hands.checkpoint(&world.service).unwrap().changed);

        let postmaster = world.postmaster();
        // Nobody's child, own session, own account, and nothing inherited.
        assert_ne!(
            status_line(postmaster, "PPid:"),
            std::process::id().to_string()
        );
        let account = crate::act::postgres::account::lookup("postgres").unwrap();
        assert_eq!(
            status_line(postmaster, "Uid:"),
            [account.uid.to_string().as_str(); 4].join(" ")
        );
        let mut groups: Vec<u32> = status_line(postmaster, "Groups:")
            .split(' ')
            .map(|g| g.parse().unwrap())
            .collect();
        let mut expected = account.groups.clone();
        groups.sort_unstable();
        expected.sort_unstable();
        assert_eq!(groups, expected);
        let process = world
            .processes()
            .into_iter()
            .find(|p| p.pid == postmaster)
            .unwrap();
        assert_eq!(process.session, postmaster);
        let log = world.server().log_path;
        assert_eq!(
            std::fs::metadata(&log).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let inherited = |link: &std::path::Path| {
            let target = std::fs::read_link(link).unwrap_or_default();
            target.starts_with(world.directory.path())
                && target != log
                && !target.starts_with(&world.database.data_dir)
        };
        let descriptors = std::fs::read_dir(format!("/proc/{postmaster}/fd")).unwrap();
        assert!(
            !descriptors
                .filter_map(Result::ok)
                .any(|d| inherited(&d.path()))
        );
        assert!(!super::process::title(postmaster).contains("syncfs"));

        let did = stop(&world).unwrap();
        assert!(
            matches!(&did.notes[0], Note::Stopped { how: StopKind::Fast, control: ControlState::Says(said), clean: true, .. }
                if said == "shut down"),
            "{:?}",
            did.notes[0]
        );
        assert_eq!(state(&world), DatabaseState::Stopped);
        assert_eq!(stop(&world), Ok(Did::nothing()));
        world.hands.unmount(&world.service).unwrap();
        world.hands.prove_released(&world.service).unwrap();
        assert!(matches!(failure(start(&world)), Why::NotMounted { .. }));
    });
}

#[test]
fn after_a_crash_it_recovers_with_one_sync_of_the_file_system() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        world.query("create table row (n int)");
        world.query("insert into row values (7)");
        for process in world.processes() {
            signal(process.pid, Signal::KILL);
        }
        until("the crash", || state(&world) == DatabaseState::Stopped);
        // The stale lock file is PostgreSQL's to clear.
        assert!(world.database.data_dir.join("postmaster.pid").exists());
        let did = start(&world).unwrap();
        assert!(did.notes.contains(&Note::NeedsRecovery), "{:?}", did.notes);
        assert!(
            super::process::title(world.postmaster()).contains("recovery_init_sync_method=syncfs")
        );
        assert_eq!(world.query("select n from row"), "7");
        assert!(matches!(
            stop(&world).unwrap().notes[0],
            Note::Stopped { .. }
        ));
    });
}

#[test]
fn a_long_recovery_tells_how_far_it_is() {
    in_own_namespace(|| {
        let world = World::with_cluster("max_wal_size = 1GB\ncheckpoint_timeout = 1h", |_| {});
        start(&world).unwrap();
        // Single rows with an index: slow enough to redo to be seen.
        world.query("create table row (n int primary key, t text)");
        world.query(
            "insert into row select i, repeat(md5(i::text), 3) from generate_series(1, 400000) i",
        );
        for process in world.processes() {
            signal(process.pid, Signal::KILL);
        }
        until("the crash", || state(&world) == DatabaseState::Stopped);
        let told = Mutex::new(Vec::new());
        let tell = |at: Progress| told.lock().unwrap().push(at);
        world.hands.start_database(&world.service, &tell).unwrap();
        let told = told.into_inner().unwrap();
        let percents: Vec<u8> = told
            .iter()
            .filter_map(|at| match at {
                Progress::Redo { percent } => *percent,
                _ => None,
            })
            .collect();
        assert!(!percents.is_empty(), "{told:?}");
        assert!(percents.is_sorted(), "{told:?}");
        assert_eq!(world.query("select count(*) from row"), "400000");
    });
}

#[test]
fn a_server_that_is_starting_is_adopted() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        let postmaster = world.postmaster();
        // A second start waits for the first one's server and starts none of its own.
        let did = start(&world).unwrap();
        assert!(!did.changed);
        assert_eq!(world.postmaster(), postmaster);
    });
}

#[test]
fn another_server_at_the_same_socket_is_not_ours() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        let uid = crate::act::postgres::account::lookup("postgres")
            .unwrap()
            .uid;
        let (server, within) = (world.server(), Duration::from_secs(5));
        assert_eq!(server.ask(uid, world.postmaster(), within), Answer::Ready);
        assert!(matches!(
            server.ask(uid, world.postmaster() + 1, within),
            Answer::NoServer(_)
        ));
        // Peer authentication sees the account that was asked for.
        assert!(matches!(
            server.ask(0, world.postmaster(), within),
            Answer::CannotCheck(_)
        ));
    });
}

#[test]
fn a_start_that_fails_says_why_in_the_servers_words() {
    in_own_namespace(|| {
        let world = World::with_cluster("shared_preload_libraries = 'nosuchlibrary'", |_| {});
        let why = failure(start(&world));
        assert!(
            matches!(&why, Why::ServerEnded { log } if log.contains("nosuchlibrary")),
            "{why:?}"
        );
        assert_eq!(state(&world), DatabaseState::Stopped);
    });
}

#[test]
fn a_foreign_or_missing_data_directory_is_refused() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        let data_dir = &world.database.data_dir;
        let shown = data_dir.to_str().unwrap();
        super::run(&["/bin/chown", "daemon", shown]);
        assert!(matches!(
            failure(start(&world)),
            Why::DataDirOwner { owner: 1, .. }
        ));
        super::run(&["/bin/chown", "postgres", shown]);
        std::fs::rename(data_dir.join("PG_VERSION"), data_dir.join("away")).unwrap();
        assert!(matches!(failure(start(&world)), Why::NotADataDir { path } if path == *data_dir));
        assert!(
            matches!(start(&world), Err(Trouble::Failed(f)) if f.kind == FailureKind::DatabaseStart)
        );
    });
}

/// As Debian's package leaves it on a server that has a cluster of its own.
#[test]
fn a_configuration_of_other_data_does_not_lead_the_start_away() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |d| {
            d.config_file = Some(d.data_dir.with_file_name("postgresql.conf"));
        });
        let file = world.database.config_file.clone().unwrap();
        std::fs::write(file, "data_directory = '/nonexistent/main'\n").unwrap();
        start(&world).unwrap();
        assert_eq!(state(&world), DatabaseState::Ready);
    });
}

#[test]
fn another_server_at_the_port_stands_in_the_way() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        assert_eq!(at_the_port(&world.database, &[]), None, "it is its own");
        let mut other = world.database.clone();
        other.data_dir = other.data_dir.with_file_name("other");
        let (port, pid) = (other.port, world.postmaster());
        let by = format!("pid {pid} ({})", world.database.data_dir.display());
        let taken = Why::PortTaken { port, by: Some(by) };
        assert_eq!(at_the_port(&other, &[]), Some(taken));
        stop(&world).unwrap();
        assert_eq!(at_the_port(&other, &[]), None);
    });
}

/// A server that serves reads, and follows a primary that there is not.
#[test]
fn a_standby_is_neither_started_nor_ready() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        std::fs::write(world.database.data_dir.join("standby.signal"), b"").unwrap();
        assert!(matches!(failure(start(&world)), Why::StandbyDataDir { .. }));
        assert_eq!(state(&world), DatabaseState::Stopped);
        // Started by hand.
        let account = crate::act::postgres::account::lookup("postgres").unwrap();
        let arguments = ["-D".into(), world.database.data_dir.clone().into()];
        let by_hand = Launch {
            program: &world.database.bin_dir.join("postgres"),
            arguments: &arguments,
            account: &account,
            working_directory: &world.database.data_dir,
            log: None,
        };
        launch(by_hand).unwrap();
        until("reads", || {
            world.psql("select 1").output().unwrap().status.success()
        });
        assert!(matches!(
            state(&world),
            DatabaseState::NotServing {
                why: Why::ReadOnlyStandby | Why::ReadOnlyRecovery
            }
        ));
        stop(&world).unwrap();
    });
}
