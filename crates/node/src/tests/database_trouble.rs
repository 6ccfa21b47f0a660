//! Servers that do not go, and what they leave behind.

use super::database::{failure, start, state, stop};
use super::{Guard, World, as_postgres, in_own_namespace, signal, until};
use crate::observe::pg_control::{self, ClusterState};
use rustix::process::Signal;
use siaga_model::Why;
use siaga_model::note::{Note, StopKind};
use siaga_model::observation::DatabaseState;
use siaga_runner::hands::Did;
use siaga_runner::hands::Hands;
use std::time::{Duration, Instant};

fn quick(database: &mut siaga_model::config::Database) {
    database.stop_fast = Duration::from_millis(600);
    database.stop_immediate = Duration::from_millis(600);
}

/// A client whose backend is stopped in the middle of a statement.
fn stopped_backend(world: &World) -> (Guard, i32) {
    let client = Guard::spawn(&mut world.psql("select pg_sleep(1000)"));
    let mut backend = None;
    until("the backend", || {
        backend = world.titled("[local] SELECT");
        backend.is_some()
    });
    signal(backend.unwrap(), Signal::STOP);
    (client, backend.unwrap())
}

/// How the note says that it stopped, and whether cleanly.
fn how_stopped(did: &Did) -> Option<(StopKind, bool)> {
    match did.notes.first()? {
        Note::Stopped { how, clean, .. } => Some((*how, *clean)),
        _ => None,
    }
}

#[test]
fn a_stopped_backend_is_killed_in_the_end() {
    in_own_namespace(|| {
        let world = World::with_cluster("", quick);
        start(&world).unwrap();
        let (_client, _) = stopped_backend(&world);
        let did = stop(&world).unwrap();
        assert!(
            how_stopped(&did) == Some((StopKind::Killed, false)),
            "{:?}",
            did.notes[0]
        );
        assert!(world.processes().is_empty());
        world.hands.unmount(&world.service).unwrap();
    });
}

#[test]
fn an_immediate_stop_is_enough_for_a_busy_checkpointer() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |d| d.stop_fast = Duration::from_millis(300));
        start(&world).unwrap();
        signal(world.titled("checkpointer").unwrap(), Signal::STOP);
        // PostgreSQL itself kills what does not heed an immediate stop for five seconds.
        let did = stop(&world).unwrap();
        assert!(
            how_stopped(&did) == Some((StopKind::Immediate, false)),
            "{:?}",
            did.notes[0]
        );
        assert!(world.processes().is_empty());
    });
}

/// `pg_control` says "shut down" while postmaster and archiver still run.
#[test]
fn a_hung_archive_command_is_not_stopped_until_all_is_gone() {
    in_own_namespace(|| {
        let settings = "archive_mode = on\narchive_command = 'sleep 1000; false'";
        let world = World::with_cluster(settings, |d| d.stop_fast = Duration::from_secs(3));
        start(&world).unwrap();
        world.query("create table row (n int)");
        world.query("select pg_switch_wal()");
        let signature = world.server().signature();
        let anybody = || super::process::find_anybody(&signature).unwrap();
        until("the archive command", || {
            anybody().iter().any(|p| p.title.starts_with("sleep 1000"))
        });
        let did = std::thread::scope(|scope| {
            let stopping = scope.spawn(|| stop(&world));
            until("the shutdown checkpoint", || {
                pg_control::read(&world.database.data_dir)
                    .is_ok_and(|c| c.state == ClusterState::ShutDown)
            });
            assert!(
                matches!(state(&world), DatabaseState::NotServing { why } if why == Why::ServerShutsDown)
            );
            stopping.join().unwrap().unwrap()
        });
        assert!(
            matches!(how_stopped(&did), Some((how, false)) if how != StopKind::Fast),
            "{:?}",
            did.notes[0]
        );
        assert_eq!(anybody(), Vec::new());
        world.hands.unmount(&world.service).unwrap();
    });
}

#[test]
fn what_an_archive_command_leaves_after_a_kill_is_ended_too() {
    in_own_namespace(|| {
        let settings = "archive_mode = on\narchive_command = 'sleep 1000; false'";
        let world = World::with_cluster(settings, quick);
        start(&world).unwrap();
        world.query("create table row (n int)");
        world.query("select pg_switch_wal()");
        let signature = world.server().signature();
        let anybody = || super::process::find_anybody(&signature).unwrap();
        until("the archive command", || {
            anybody().iter().any(|p| p.title.starts_with("sleep 1000"))
        });
        // The archiver can't pass any request on to its shell: only a kill helps.
        signal(world.titled("archiver").unwrap(), Signal::STOP);
        signal(world.postmaster(), Signal::STOP);
        assert_eq!(
            how_stopped(&stop(&world).unwrap()).map(|s| s.0),
            Some(StopKind::Killed)
        );
        assert_eq!(anybody(), Vec::new());
    });
}

#[test]
fn backends_that_outlive_their_postmaster_are_not_stopped() {
    in_own_namespace(|| {
        let world = World::with_cluster("", quick);
        start(&world).unwrap();
        let (_client, backend) = stopped_backend(&world);
        signal(world.postmaster(), Signal::KILL);
        until("the orphan", || world.processes().len() == 1);
        assert!(matches!(
            state(&world),
            DatabaseState::NotServing {
                why: Why::PostmasterGone { .. }
            }
        ));
        let why = failure(start(&world));
        assert!(
            matches!(&why, Why::LeftFromEarlierStart { processes }
                if processes.iter().any(|p| p.contains(&format!("pid {backend}")))),
            "{why:?}"
        );
        let did = stop(&world).unwrap();
        assert_eq!(
            how_stopped(&did).map(|s| s.0),
            Some(StopKind::LeftOversEnded)
        );
        assert_eq!(state(&world), DatabaseState::Stopped);
        start(&world).unwrap();
        assert_eq!(state(&world), DatabaseState::Ready);
    });
}

/// A pid that came along with the disk set from the other node, and here belongs to somebody else.
#[test]
fn a_lock_file_with_a_chance_pid_is_kept_as_evidence() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        let postmaster = world.postmaster();
        for process in world.processes() {
            signal(process.pid, Signal::KILL);
        }
        until("the crash", || state(&world) == DatabaseState::Stopped);
        let mut chance = Guard::spawn(as_postgres("/bin/sleep").arg("1000"));
        let lock = world.database.data_dir.join("postmaster.pid");
        let text = std::fs::read_to_string(&lock).unwrap();
        let text = text.replacen(&postmaster.to_string(), &chance.pid().to_string(), 1);
        std::fs::write(&lock, &text).unwrap();

        let did = start(&world).unwrap();
        let note = |n: &Note| {
            matches!(n, Note::LockFileKept { path, process, .. }
                if path.ends_with("postmaster.pid") && process.contains("sleep 1000"))
        };
        assert!(did.notes.iter().any(note), "{:?}", did.notes);
        assert_eq!(state(&world), DatabaseState::Ready);
        assert!(chance.is_alive());
        let entries = std::fs::read_dir(&world.database.data_dir)
            .unwrap()
            .map(|e| e.unwrap().path());
        let kept: Vec<_> = entries
            .filter(|p| p.to_str().unwrap().contains("postmaster.pid.siaga-"))
            .collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(std::fs::read_to_string(&kept[0]).unwrap(), text);
    });
}

/// Whoever works in the data directory may be a server in a container: its lock file is its own.
#[test]
fn a_lock_file_stays_where_somebody_works_in_the_data_directory() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        let data_dir = &world.database.data_dir;
        let somebody = Guard::spawn(as_postgres("/bin/sleep").arg("1000").current_dir(data_dir));
        let lock = data_dir.join("postmaster.pid");
        let text = format!(
            "{}\n{}\n1764000000\n5432\n\n\n 1 1\nready   \n",
            somebody.pid(),
            data_dir.display()
        );
        std::fs::write(&lock, &text).unwrap();
        super::run(&["/bin/chown", "postgres", lock.to_str().unwrap()]);
        let why = failure(start(&world));
        assert!(
            format!("{why:?}").contains("WorksInDataDir")
                && format!("{why:?}").contains("sleep 1000"),
            "{why:?}"
        );
        assert_eq!(std::fs::read_to_string(&lock).unwrap(), text);
    });
}

#[test]
fn a_hung_server_is_not_ready() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        let postmaster = world.postmaster();
        signal(postmaster, Signal::STOP);
        let begun = Instant::now();
        assert!(matches!(
            state(&world),
            DatabaseState::NotServing {
                why: Why::NoAnswerWithin { .. }
            }
        ));
        assert!(begun.elapsed() < Duration::from_secs(4));
        signal(postmaster, Signal::CONT);
        until("ready", || state(&world) == DatabaseState::Ready);
    });
}

/// Every connection takes a second, as on a machine with too much to do. The peer would wait for that long.
#[test]
fn a_slow_server_is_ready_all_the_same() {
    in_own_namespace(|| {
        let world = World::with_cluster("post_auth_delay = 1", |_| {});
        start(&world).unwrap();
        until("ready", || state(&world) == DatabaseState::Ready);
    });
}

/// Reads still work, and a commit does not come through.
#[test]
fn a_server_that_cannot_write_is_not_ready() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        start(&world).unwrap();
        let place = world.mount_point.to_str().unwrap();
        super::run(&["/sbin/fsfreeze", "-f", place]);
        let seen = state(&world);
        super::run(&["/sbin/fsfreeze", "-u", place]);
        assert!(matches!(seen, DatabaseState::NotServing { .. }), "{seen:?}");
        until("ready", || state(&world) == DatabaseState::Ready);
    });
}

#[test]
fn a_start_that_no_longer_advances_has_failed_and_is_not_killed() {
    in_own_namespace(|| {
        let settings = "restore_command = 'sleep 1000; false'";
        let world = World::with_cluster(settings, |d| d.start_stalled = Duration::from_secs(2));
        std::fs::write(world.database.data_dir.join("recovery.signal"), b"").unwrap();
        let begun = Instant::now();
        let why = failure(start(&world));
        assert!(matches!(why, Why::NoProgress { seconds: 2, .. }), "{why:?}");
        assert!(begun.elapsed() < Duration::from_secs(15));
        assert!(matches!(state(&world), DatabaseState::Starting { .. }));
        assert!(stop(&world).unwrap().changed);
        assert!(world.processes().is_empty());
    });
}

#[test]
fn what_leads_off_the_disk_set_is_not_started() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        let wal = world.database.data_dir.join("pg_wal");
        let moved = world.mount_point.join("wal");
        let lead = |to: &std::path::Path| {
            let _ = std::fs::remove_file(&wal);
            std::os::unix::fs::symlink(to, &wal).unwrap();
        };
        std::fs::rename(&wal, &moved).unwrap();
        lead(&moved);
        start(&world).unwrap();
        stop(&world).unwrap();
        // A stale copy that stayed on the local disk.
        let local = world.directory.path().join("wal");
        std::fs::create_dir(&local).unwrap();
        lead(&local);
        assert_eq!(
            failure(start(&world)),
            Why::DataLeadsOutside {
                link: wal.clone(),
                to: local.canonicalize().unwrap()
            }
        );
        // Another file system below the mount point is not on the disk set either.
        let other = world.mount_point.join("other");
        std::fs::create_dir(&other).unwrap();
        super::run(&[
            "/bin/mount",
            "-t",
            "tmpfs",
            "tmpfs",
            other.to_str().unwrap(),
        ]);
        lead(&other);
        let why = failure(start(&world));
        super::run(&["/bin/umount", other.to_str().unwrap()]);
        assert!(matches!(why, Why::DataLeadsOutside { .. }), "{why:?}");
        lead(&local.join("gone"));
        assert_eq!(
            failure(start(&world)),
            Why::DataLeadsNowhere { link: wal.clone() }
        );
        assert!(world.processes().is_empty());
        lead(&moved);
        start(&world).unwrap();
    });
}
