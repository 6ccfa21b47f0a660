//! Up, down, and what is left in between.
#![allow(clippy::unwrap_used)]

mod common;

use common::{TestLab, all_pids, good, run, text};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

fn pid_namespace(pid: i32) -> Option<std::path::PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok()
}

/// The moment of a process's start; `None` when it has gone.
fn start_of(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    if fields.next()? == "Z" {
        None
    } else {
        fields.nth(18)?.parse().ok()
    }
}

#[test]
fn down_leaves_nothing_of_what_up_made() {
    let began = Instant::now();
    let lab = TestLab::up("whole", &[]);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "took {:?}",
        began.elapsed()
    );
    let status = lab.status();
    // The contract of `status --json`.
    for node in status["nodes"].as_array().unwrap() {
        for key in [
            "name", "netns", "init_pid", "device", "address", "powered", "frozen",
        ] {
            assert!(!node[key].is_null(), "{key}");
        }
        assert!(Path::new(node["netns"].as_str().unwrap()).exists());
    }
    for key in ["name", "vip", "port", "dsn", "mount"] {
        assert!(!status["service"][key].is_null(), "{key}");
    }
    assert!(status["client"]["netns"].is_string() && status["client"]["address"].is_string());
    assert!(status.as_object().unwrap().contains_key("console"));
    // Something that runs inside, started by hand, ends with the lab.
    lab.exec("serverdb", &["sh", "-c", "sleep 1000 >/dev/null 2>&1 &"]);
    let namespace = pid_namespace(lab.init_pid("serverdb"));
    let inside = || -> Vec<(i32, u64)> {
        let pids = all_pids()
            .into_iter()
            .filter(|pid| pid_namespace(*pid) == namespace);
        pids.filter_map(|pid| Some((pid, start_of(pid)?))).collect()
    };
    let ran = inside();
    assert!(ran.len() >= 2);
    assert!(lab.mount("serverdb").status.success());
    assert!(!lab.traces().is_empty());
    lab.down();
    assert_eq!(lab.traces(), Vec::<String>::new());
    // A namespace's number is given out again at once, a process's number and start are not.
    assert!(
        !ran.iter()
            .any(|(pid, start)| start_of(*pid) == Some(*start))
    );
    // The second time there is nothing to do, and that is no error.
    lab.down();
}

#[test]
fn the_hosts_own_network_and_mount_points_are_as_before() {
    let lab = TestLab::up("host", &[]);
    let links = good(Command::new("ip").args(["-o", "link"]).output().unwrap());
    let address = lab.node("serverdb")["hardware_addresses"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        !links.contains(&address[..11]),
        "the lab has a link in the host's namespace: {links}"
    );
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(
        !mounts.contains(&lab.device("serverdb")),
        "the shared disk is mounted outside the nodes"
    );
    assert!(!mounts.contains("/var/lib/siaga") && !mounts.contains("/srv/simrs"));
    // What is written below the empty mount point stays in the node.
    lab.exec(
        "serverdb",
        &[
            "touch",
            "/srv/simrs/by-mistake",
            "/run/mine",
            "/tmp/mine",
            "/dev/shm/mine",
        ],
    );
    for path in [
        "/srv/simrs/by-mistake",
        "/run/mine",
        "/tmp/mine",
        "/dev/shm/mine",
    ] {
        assert!(!Path::new(path).exists(), "{path}");
        assert!(
            !lab.try_exec("backup", &["test", "-e", path])
                .status
                .success(),
            "{path} is in backup too"
        );
    }
}

#[test]
fn two_labs_run_side_by_side() {
    let one = TestLab::up("one", &[]);
    let two = TestLab::up("two", &[]);
    assert_ne!(one.address("serverdb"), two.address("serverdb"));
    let (_a, _b) = (one.listen("serverdb", 7000), two.listen("serverdb", 7000));
    assert!(one.reaches("client", &one.address("serverdb"), 7000));
    assert!(two.reaches("client", &two.address("serverdb"), 7000));
    assert!(!one.reaches("client", &two.address("serverdb"), 7000));
    one.down();
    // The mount points are shared: the end of one lab must not take the other's away.
    assert!(
        two.exec("serverdb", &["cat", "/etc/siaga/siaga.toml"])
            .contains(&two.name)
    );
    assert!(
        two.exec("backup", &["cat", "/proc/mounts"])
            .contains(" /var/lib/siaga ext4 ")
    );
    assert!(two.reaches("client", &two.address("serverdb"), 7000));
}

#[test]
fn a_name_or_a_directory_in_use_is_refused_and_untouched() {
    let lab = TestLab::up("used", &[]);
    let again = lab.try_up(&[]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again.stderr).contains("lab-exists"),
        "{}",
        text(&again.stderr)
    );
    let elsewhere = lab.try_up(&["--dir", &format!("{}-b", lab.dir().display())]);
    assert!(
        text(&elsewhere.stderr).contains("lab-exists"),
        "{}",
        text(&elsewhere.stderr)
    );
    lab.exec("serverdb", &["true"]);

    let dir = std::env::temp_dir().join(format!("siaga-foreign-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("precious"), "data").unwrap();
    let path = dir.to_str().unwrap();
    let foreign = TestLab::named("foreign");
    let refused = foreign.try_up(&["--dir", path]);
    let removed = foreign.try_do("down", &["--dir", path]);
    let kept = std::fs::read_to_string(dir.join("precious"));
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(removed.status.success());
    assert_eq!(kept.unwrap(), "data");
}

#[test]
fn a_lab_below_tmp_is_seen_inside_its_machines() {
    let dir = std::env::temp_dir().join(format!("siaga-lab-dir-{}", std::process::id()));
    let lab = TestLab::up("tmp", &["--dir", dir.to_str().unwrap()]);
    let seen = lab.try_exec(
        "backup",
        &["test", "-S", dir.join("control.sock").to_str().unwrap()],
    );
    let link = lab.try_exec(
        "backup",
        &["test", "-b", dir.join("nodes/backup/lun").to_str().unwrap()],
    );
    lab.down();
    assert!(seen.status.success() && link.status.success());
    assert!(!dir.exists());
}

#[test]
fn down_works_after_the_death_of_anything() {
    let lab = TestLab::up("killed", &[]);
    for pid in lab.processes() {
        kill(pid);
    }
    assert!(!lab.traces().is_empty());
    lab.down();
    assert_eq!(lab.traces(), Vec::<String>::new());
}

#[test]
fn down_works_after_a_killed_up() {
    for after in [20, 80, 200, 400, 700, 1100] {
        let lab = TestLab::named(&format!("half{after}"));
        let mut up = Command::new(common::program())
            .args(["up", "--name", &lab.name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(after));
        up.kill().unwrap();
        up.wait().unwrap();
        lab.down();
        assert_eq!(
            lab.traces(),
            Vec::<String>::new(),
            "killed after {after} ms"
        );
    }
}

#[test]
fn down_works_with_a_broken_state_file() {
    let lab = TestLab::up("broken", &[]);
    std::fs::write(lab.dir().join("lab.json"), "{").unwrap();
    lab.down();
    assert_eq!(lab.traces(), Vec::<String>::new());
}

#[test]
fn a_failed_up_leaves_nothing() {
    let lab = TestLab::named("failed");
    // The shared disk is large enough for the options, not for the file system: more rows than fit.
    let output = lab.try_up(&[
        "--size",
        "270M",
        "--scale",
        "3",
        "--sector-size",
        "4096",
        "--fs",
        "ext4",
    ]);
    if output.status.success() {
        // It did fit: make it fail for certain, by a namespace that is in the way.
        lab.down();
        std::fs::create_dir_all("/run/netns").unwrap();
        let path = format!("/run/netns/siaga-{}-backup", lab.name);
        std::fs::write(&path, "").unwrap();
        let failed = lab.try_up(&[]);
        let _ = std::fs::remove_file(&path);
        assert_eq!(failed.status.code(), Some(1));
    }
    assert_eq!(lab.traces(), Vec::<String>::new());
}

#[test]
fn exec_passes_streams_and_exit_codes_on() {
    let lab = TestLab::up("exec", &[]);
    let output = lab.exec_with(
        "backup",
        &["sh", "-c", "cat; echo err >&2; exit 37"],
        "from outside",
    );
    assert_eq!(output.status.code(), Some(37));
    assert_eq!(
        (text(&output.stdout), text(&output.stderr)),
        ("from outside".into(), "err".into())
    );
    assert_eq!(lab.exec("backup", &["hostname"]), "backup");
    assert_eq!(lab.exec("client", &["hostname"]), "client");
    assert_eq!(
        lab.exec("backup", &["sh", "-c", "echo $HOME $PWD"]),
        "/root /"
    );
    // Its own processes only, the first of them the lab's.
    assert!(
        lab.exec("backup", &["cat", "/proc/1/cmdline"])
            .contains("__init")
    );
    assert_eq!(
        lab.try_exec("backup", &["/no/such/program"]).status.code(),
        Some(127)
    );
    assert_eq!(
        lab.try_exec("backup", &["/etc/passwd"]).status.code(),
        Some(126)
    );
    assert_eq!(
        lab.try_exec("backup", &["sh", "-c", "kill -9 $$"])
            .status
            .code(),
        Some(137)
    );
    assert_eq!(
        run(&["exec", "--name", &lab.name, "nobody", "--", "true"])
            .status
            .code(),
        Some(2)
    );
    // Whoever kills the outer process ends the inner one.
    let mut outer = Command::new(common::program())
        .args([
            "exec",
            "--name",
            &lab.name,
            "backup",
            "--",
            "sh",
            "-c",
            "echo $$; exec sleep 1000",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(outer.stdout.as_mut().unwrap()),
        &mut first,
    )
    .unwrap();
    outer.kill().unwrap();
    assert_eq!(outer.wait().unwrap().signal(), Some(9));
    let deadline = Instant::now() + Duration::from_secs(5);
    while lab
        .try_exec(
            "backup",
            &["test", "-d", &format!("/proc/{}", first.trim())],
        )
        .status
        .success()
    {
        assert!(Instant::now() < deadline, "the command outlived `lab exec`");
    }
}

#[test]
fn what_is_written_wrongly_is_refused_before_anything_is_made() {
    let lab = TestLab::named("wrong");
    for options in [
        &["--size", "10M"][..],
        &["--size", "3x"],
        &["--sector-size", "100"],
        &["--fs", "btrfs"],
        &["--fence", "maybe"],
        &["--dir", "relative"],
        &["--fs", "xfs", "--size", "300M"],
    ] {
        let output = lab.try_up(options);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{options:?}: {}",
            text(&output.stderr)
        );
        assert_eq!(lab.traces(), Vec::<String>::new());
    }
    assert_eq!(run(&["up", "--name", "Bad/Name"]).status.code(), Some(2));
    for verb in [
        "cut-power",
        "power-on",
        "freeze",
        "thaw",
        "cut-disk",
        "restore-disk",
    ] {
        assert_eq!(
            lab.try_do(verb, &["client"]).status.code(),
            Some(2),
            "{verb} of the client"
        );
        let output = lab.try_do(verb, &["backup"]);
        assert!(
            text(&output.stderr).contains("lab-not-up"),
            "{verb}: {}",
            text(&output.stderr)
        );
    }
}
