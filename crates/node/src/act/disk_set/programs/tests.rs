use super::*;
use siaga_model::{Epoch, RunId};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

/// A site whose disk set is a file: it is there while the disk set is held.
struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn program(&self, name: &str, body: &str) -> Argv {
        let path = self.path(name);
        let held = self.path("held");
        let text = format!("#!/bin/sh\nHELD={}\n{body}\n", held.display());
        crate::tests::executable(&path, &text);
        let placeholders = ["{service}", "{node}", "{device}"].map(str::to_owned);
        Argv([vec![path.display().to_string()], placeholders.to_vec()].concat())
    }

    fn programs(&self, take: &str, release: &str, status: &str) -> Programs {
        let programs = DiskSetPrograms {
            take: self.program("take", take),
            take_forced: Some(self.program("force", "echo forced > $HELD")),
            release: self.program("release", release),
            status: self.program("status", status),
            timeout: Duration::from_secs(5),
        };
        // A service of its own for every test: the mark is found by it.
        let service = ServiceName::new(self.dir.path().display().to_string());
        Programs::new(&programs, &service, &"backup".into(), Path::new("/dev/x"))
    }
}

const TAKE: &str = "echo \"$2 $3\" > $HELD";
const RELEASE: &str = "rm $HELD";
const STATUS: &str = "[ -e $HELD ] || exit 3";

fn order(all_released: bool, test: impl FnOnce(&TakeOrder)) {
    let epoch = Epoch {
        counter: 3,
        issuer: "backup".into(),
        run: RunId::from("r"),
    };
    test(&TakeOrder {
        epoch: &epoch,
        all_released,
        accepted: None,
    });
}

#[test]
fn taken_given_up_and_each_only_once() {
    let site = Site::new();
    let programs = site.programs(TAKE, RELEASE, STATUS);
    order(true, |order| {
        assert_eq!(programs.state(), Holding::Free);
        assert_eq!(programs.release(), Ok(Did::nothing()));
        assert!(programs.take(order).unwrap().changed);
        let given = fs::read_to_string(site.path("held")).unwrap();
        assert_eq!(given.trim(), "backup /dev/x");
        assert_eq!(programs.take(order), Ok(Did::nothing()));
        assert!(programs.release().unwrap().changed);
        assert_eq!(programs.state(), Holding::Free);
    });
}

#[test]
fn force_only_where_the_other_node_did_not_let_go() {
    let site = Site::new();
    let programs = site.programs(TAKE, RELEASE, STATUS);
    order(false, |order| {
        programs.take(order).unwrap();
        let given = fs::read_to_string(site.path("held")).unwrap();
        assert_eq!(given.trim(), "forced");
    });
}

#[test]
fn an_exit_code_alone_is_not_believed() {
    let site = Site::new();
    order(true, |order| {
        let lazy = site.programs("true", "true", STATUS);
        let failed = |acted: Acted| match acted {
            Err(Trouble::Failed(failure)) => failure.detail,
            other => panic!("{other:?}"),
        };
        assert_eq!(failed(lazy.take(order)), Why::NotHeldAfterTake);
        fs::write(site.path("held"), "").unwrap();
        assert_eq!(failed(lazy.release()), Why::HeldAfterRelease);
        // Nor the status alone, against a program that says that it failed.
        fs::remove_file(site.path("held")).unwrap();
        let torn = site.programs("touch $HELD; echo half >&2; exit 1", RELEASE, STATUS);
        let Why::DiskSetProgram { call, why } = failed(torn.take(order)) else {
            panic!("another reason")
        };
        assert_eq!(call, DiskSetCall::Take);
        assert!(matches!(*why, Why::ProgramExit { code: 1, said } if said == "half"));
    });
}

#[test]
fn any_other_answer_of_the_status_is_unknown() {
    let site = Site::new();
    for status in ["exit 1", "exit 2", "exit 4", "kill -9 $$", "sleep 60"] {
        let programs = Programs {
            timeout: Duration::from_millis(300),
            ..site.programs(TAKE, RELEASE, status)
        };
        assert!(
            matches!(programs.state(), Holding::Unknown { .. }),
            "{status}"
        );
        order(true, |order| assert!(programs.take(order).is_err()));
        assert!(!site.path("held").exists(), "{status}");
    }
    let gone = Programs {
        status: Argv(vec!["/nonexistent/status".into()]),
        ..site.programs(TAKE, RELEASE, STATUS)
    };
    assert!(matches!(gone.state(), Holding::Unknown { .. }));
}

#[test]
fn a_program_of_another_account_does_not_pass_for_ours() {
    let service = ServiceName::from("a-name-that-is-known");
    let mut command = std::process::Command::new("/bin/sleep");
    command
        .arg("60")
        .env("SIAGA_DISK_SET", service.as_str())
        .uid(65534);
    let _theirs = crate::tests::Guard::spawn(&mut command);
    assert_eq!(UnderWay::of(&service).look(), Holding::Free);
    // Not as root either: so does a program that asks for a password first.
    command.uid(0);
    let _as_root = crate::tests::Guard::spawn(&mut command);
    assert_eq!(UnderWay::of(&service).look(), Holding::Free);
}

#[test]
fn a_program_that_still_runs_counts_as_held() {
    let site = Site::new();
    let programs = site.programs("sleep 60 >/dev/null 2>&1 & touch $HELD", RELEASE, STATUS);
    order(true, |order| programs.take(order).map(drop).unwrap());
    // It is the shell at first, and found as well.
    let pid = loop {
        let Holding::Held { by } = programs.under_way.look() else {
            panic!("not found")
        };
        match by.as_slice() {
            [Holder::ProgramRuns { pid, command }] if command == "sleep" => break *pid,
            [Holder::ProgramRuns { .. }] => std::thread::yield_now(),
            _ => panic!("{by:?}"),
        }
    };
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    while programs.under_way.look() != Holding::Free {
        std::thread::yield_now();
    }
}
