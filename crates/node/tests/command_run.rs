//! Programs are run without a shell, without a deadlock and within their time.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use siaga_node::command::{OUTPUT_LIMIT, run};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

/// Is that process there and not a zombie?
fn runs(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
}

#[test]
fn exit_codes_and_outputs_are_told_apart() {
    let result = run(
        &argv(&["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]),
        None,
        LONG,
    );
    assert_eq!(
        (result.exit, result.signal, result.timed_out),
        (Some(3), None, false)
    );
    assert_eq!(
        (result.stdout.as_str(), result.stderr.as_str()),
        ("out\n", "err\n")
    );
    assert!(!result.succeeded());
    assert_eq!(
        result.ending(" err "),
        siaga_model::Why::ProgramExit {
            code: 3,
            said: "err".into()
        }
    );
    assert!(run(&argv(&["/bin/true"]), None, LONG).succeeded());
    assert_eq!(
        run(&argv(&["/bin/sh", "-c", "kill -TERM $$"]), None, LONG).signal,
        Some(15)
    );
}

#[test]
fn what_can_not_start_says_so() {
    let result = run(&argv(&["/nonexistent/program"]), None, LONG);
    assert!(
        result
            .not_started
            .as_ref()
            .unwrap()
            .contains("/nonexistent/program")
    );
    assert!(!result.succeeded());
    assert!(run(&[], None, LONG).not_started.is_some());
}

#[test]
fn no_shell_and_a_small_environment() {
    let result = run(&argv(&["/bin/echo", "$HOME;", "`id`"]), None, LONG);
    assert_eq!(result.stdout, "$HOME; `id`\n");
    let mut names: Vec<String> = run(&argv(&["/usr/bin/env"]), None, LONG)
        .stdout
        .lines()
        .map(|l| l.split('=').next().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["LC_ALL", "PATH"]);
}

#[test]
fn big_output_on_both_pipes_and_big_input_do_not_deadlock() {
    let script = "import sys\nd = sys.stdin.buffer.read()\nfor i in range(200):\n sys.stderr.write('e'*9999+'\\n'); \
                  sys.stdout.write('o'*9999+'\\n')\nsys.stderr.write('end'+str(len(d)))";
    let input = vec![b'x'; 3_000_000];
    let result = run(
        &argv(&["/usr/bin/python3", "-c", script]),
        Some(&input),
        LONG,
    );
    assert!(result.succeeded(), "{:?}", result.ending(""));
    assert_eq!(
        (result.stdout.len(), result.stderr.len()),
        (OUTPUT_LIMIT, OUTPUT_LIMIT)
    );
    assert!(result.stdout.starts_with("oooo"), "the beginning is kept");
    assert!(result.stderr.ends_with("end3000000"), "the end is kept");
}

#[test]
fn a_program_that_reads_nothing_does_not_block() {
    let input = vec![b'x'; 3_000_000];
    assert!(run(&argv(&["/bin/true"]), Some(&input), LONG).succeeded());
    let result = run(
        &argv(&["/bin/sh", "-c", "exec 0<&-; sleep 0.1; echo done"]),
        Some(&input),
        LONG,
    );
    assert_eq!((result.exit, result.stdout.as_str()), (Some(0), "done\n"));
}

#[test]
fn a_timeout_kills_the_whole_group_and_nothing_else() {
    let mut bystander = std::process::Command::new("/bin/sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let script = "trap '' TERM; sleep 61 & echo $! $$; wait";
    let result = run(
        &argv(&["/bin/sh", "-c", script]),
        None,
        Duration::from_millis(300),
    );
    let took = begun.elapsed();
    let spared = bystander.try_wait().unwrap().is_none();
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    assert!(result.timed_out && result.exit.is_none() && !result.succeeded());
    assert!(
        took >= Duration::from_millis(300) && took < Duration::from_secs(3),
        "{took:?}"
    );
    assert!(spared);
    for pid in result.stdout.split_whitespace() {
        let until = Instant::now() + Duration::from_secs(5);
        while runs(pid) {
            assert!(Instant::now() < until, "{pid} still runs");
        }
    }
    assert_eq!(result.stdout.split_whitespace().count(), 2);
}

#[test]
fn a_daemon_left_behind_holds_nobody_up_and_lives() {
    let begun = Instant::now();
    let result = run(&argv(&["/bin/sh", "-c", "sleep 30 & echo $!"]), None, LONG);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "waited for a process that keeps the pipe open"
    );
    assert!(result.succeeded());
    let pid: i32 = result.stdout.trim().parse().unwrap();
    assert!(runs(&pid.to_string()));
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
