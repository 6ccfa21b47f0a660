//! Programs of a site.

use crate::{channel, outgoing};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use siaga_comms::{Retry, SendError};
use siaga_model::config::Argv;
use siaga_model::downtime::ChannelKind;
use std::time::Duration;

fn run(script: &str, timeout: Duration) -> Result<String, SendError> {
    let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let kind = ChannelKind::Program { run: Argv(argv) };
    let sent = channel(kind, timeout).send(&outgoing("+62 800 0000 0001"));
    sent.map(|r| r.0)
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn the_text_comes_on_standard_input_and_the_facts_in_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sent");
    let script = format!(
        "{{ cat; echo; env | grep ^NOTICE_ | sort; }} > {}; echo terkirim 17",
        file.display()
    );
    assert_eq!(run(&script, LONG).unwrap(), "terkirim 17");
    let sent = std::fs::read_to_string(&file).unwrap();
    assert!(sent.starts_with("[SIMRS][HENTI] Tidak dapat digunakan – percobaan\nMohon maaf.\n"));
    for fact in [
        "NOTICE_ADDRESS=+62 800 0000 0001",
        "NOTICE_DELIVERY=n1.igd.0",
        "NOTICE_DRILL=no",
        "NOTICE_KIND=confirmed",
        "NOTICE_LANGUAGE=id",
        "NOTICE_TO=Instalasi Gawat Darurat",
    ] {
        assert!(sent.contains(&format!("\n{fact}\n")), "{fact}: {sent}");
    }
}

#[test]
fn how_it_ends_says_whether_to_try_again() {
    let error = run("echo no modem >&2; exit 1", LONG).unwrap_err();
    assert_eq!(error.why, "exit code 1: no modem");
    assert_eq!(error.retry, Retry::Backoff);
    assert_eq!(run("exit 67", LONG).unwrap_err().retry, Retry::Never);
    assert_eq!(run("kill -9 $$", LONG).unwrap_err().retry, Retry::Backoff);
    // It need not read what it is given.
    assert!(run("exec 0<&-; exit 0", LONG).is_ok());
    let kind = ChannelKind::Program {
        run: Argv(vec!["/nowhere/program".to_owned()]),
    };
    let error = channel(kind, LONG).send(&outgoing("")).unwrap_err();
    assert_eq!(error.retry, Retry::Backoff);
}

#[test]
fn a_program_that_does_not_end_is_killed_with_all_that_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; wait", file.display());
    let error = run(&script, Duration::from_millis(500)).unwrap_err();
    assert!(error.why.contains("killed"), "{error}");
    let pid: i32 = std::fs::read_to_string(&file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(ends(pid), "what it started still runs");
}

/// Does the process end, within a time that only a mistake needs?
fn ends(pid: i32) -> bool {
    let pid = Pid::from_raw(pid).unwrap();
    let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else {
        return true;
    };
    let most = Timespec {
        tv_sec: 5,
        tv_nsec: 0,
    };
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&most)).unwrap() > 0
}

#[test]
fn what_it_leaves_behind_does_not_hold_the_sender_up() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; echo ok", file.display());
    // The child keeps the standard output open; the sender does not wait for it.
    assert!(run(&script, LONG).is_ok());
    let pid: i32 = std::fs::read_to_string(&file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
