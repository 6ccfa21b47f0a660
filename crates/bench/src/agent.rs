//! What an agent needs while nothing happens, and how soon it serves.

use crate::clock::Moment;
use crate::error::{Doing, Result, unexpected};
use crate::lab::{Lab, NODES, run};
use crate::table::{Line, Spread};
use siaga_journal::{Durability, Journal, SystemClock};
use siaga_model::NodeName;
use siaga_model::event::{Event, EventBody};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What the agent's own answer is asked for: it needs no look at anything.
const QUESTION: &[u8] = b"GET /v1/config HTTP/1.1\r\nHost: siaga\r\nConnection: close\r\n\r\n";
const POLL: Duration = Duration::from_micros(200);
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
const SOCKET: &str = "/run/siaga/siaga.sock";
const STATE_DIR: &str = "/var/lib/siaga";
/// A year of a busy site, and more.
const LONG_LOG_ROWS: usize = 50_000;
const COLD_STARTS: u32 = 7;

/// The goals: megabytes resident, percent of a core, milliseconds.
const MEMORY_MB: f64 = 20.0;
const IDLE_PERCENT: f64 = 0.3;
const COLD_START_MS: f64 = 50.0;

/// Memory and idle CPU of both agents of a lab whose service runs.
pub fn idle(lab: &Lab, window: Duration) -> Result<Vec<Line>> {
    let pids = NODES.map(|node| lab.agent_pid(node));
    let pids = pids.into_iter().collect::<Result<Vec<i32>>>()?;
    let before = pids
        .iter()
        .map(|pid| cpu_ms(*pid))
        .collect::<Result<Vec<f64>>>()?;
    std::thread::sleep(window);
    let mut percent = Vec::new();
    for (pid, before) in pids.iter().zip(before) {
        percent.push((cpu_ms(*pid)? - before) / (window.as_secs_f64() * 1e3) * 100.0);
    }
    let memory = |key| {
        pids.iter()
            .map(|pid| memory_mb(*pid, key))
            .collect::<Result<Vec<f64>>>()
    };
    let (resident, proportional) = (memory("Rss:")?, memory("Pss:")?);
    Ok([
        line(
            "agent: resident memory (RSS)",
            "MB",
            &resident,
            Some(MEMORY_MB),
        ),
        line("agent: its share of it (PSS)", "MB", &proportional, None),
        line("agent: idle CPU", "%", &percent, Some(IDLE_PERCENT)),
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// Resident memory of both agents, after what they were asked. No goal: a long log was read.
pub fn memory(lab: &Lab, case: &str) -> Result<Option<Line>> {
    let one = |node: &&str| memory_mb(lab.agent_pid(node)?, "Rss:");
    let all = NODES.iter().map(one).collect::<Result<Vec<f64>>>()?;
    Ok(line(case, "MB", &all, None))
}

fn line(case: &str, unit: &'static str, values: &[f64], goal: Option<f64>) -> Option<Line> {
    Spread::of(values).map(|s| {
        let mut line = Line::alone(case, unit, s, goal);
        // Of two nodes the worse one counts.
        line.value = s.most;
        line
    })
}

/// CPU time of a process, all its threads and what it started and waited for.
fn cpu_ms(pid: i32) -> Result<f64> {
    let stat =
        std::fs::read_to_string(format!("/proc/{pid}/stat")).doing("read an agent's CPU time")?;
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    // utime, stime, cutime, cstime, counted from the state, which follows the name.
    let ticks: f64 = fields
        .iter()
        .skip(11)
        .take(4)
        .filter_map(|f| f.parse::<f64>().ok())
        .sum();
    Ok(ticks * 1000.0 / rustix::param::clock_ticks_per_second() as f64)
}

fn memory_mb(pid: i32, key: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .doing("read an agent's memory")?;
    let kilobytes = text.lines().find_map(|l| {
        l.strip_prefix(key)?
            .trim()
            .strip_suffix(" kB")?
            .parse::<f64>()
            .ok()
    });
    kilobytes
        .map(|kb| kb * 1024.0 / 1e6)
        .ok_or_else(|| unexpected(format!("no {key} in smaps_rollup")))
}

/// Cold starts: with the log as it is, then with a long one. Afterwards the agent of the second node runs again.
pub fn cold_starts(lab: &Lab) -> Result<Vec<Line>> {
    let node = NODES[1];
    let siaga = lab.binary().display().to_string();
    lab.lab(&["stop-agent", node])?;
    let short = starts(lab, node, &siaga)?;
    let rows = LONG_LOG_ROWS.to_string();
    let longer = lab.bench(
        node,
        &[
            "__long-log",
            "--state-dir",
            STATE_DIR,
            "--node",
            node,
            "--rows",
            &rows,
        ],
    );
    run(longer, "making the log long")?;
    let long = starts(lab, node, &siaga)?;
    lab.lab(&["start-agent", node])?;
    let case = format!("agent: cold start, {LONG_LOG_ROWS} rows more");
    let lines = [("agent: cold start".to_owned(), short), (case, long)];
    Ok(lines
        .iter()
        .filter_map(|(case, v)| {
            Spread::of(v).map(|s| Line::alone(case, "ms", s, Some(COLD_START_MS)))
        })
        .collect())
}

/// Cold starts with the log as it is. Afterwards the agent of the second node runs again.
pub fn cold_starts_as_it_is(lab: &Lab, case: &str) -> Result<Option<Line>> {
    let node = NODES[1];
    lab.lab(&["stop-agent", node])?;
    let took = starts(lab, node, &lab.binary().display().to_string())?;
    lab.lab(&["start-agent", node])?;
    Ok(Spread::of(&took).map(|s| Line::alone(case, "ms", s, Some(COLD_START_MS))))
}

fn starts(lab: &Lab, node: &str, siaga: &str) -> Result<Vec<f64>> {
    let one = |_| -> Result<f64> {
        let args = ["__cold-start", "--siaga", siaga, "--socket", SOCKET];
        let output = run(lab.bench(node, &args), "a cold start")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim()
            .parse()
            .map_err(|_| unexpected(format!("the cold start said {text:?}")))
    };
    (0..COLD_STARTS).map(one).collect()
}

/// Inside a node: starts an agent, prints the milliseconds until it answered a request, and ends it.
pub fn cold_start(siaga: &Path, socket: &Path) -> Result<()> {
    let _ = std::fs::remove_file(socket);
    let mut command = Command::new(siaga);
    command
        .arg("agent")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begun = Moment::now();
    let mut agent = command.spawn().doing("start the agent")?;
    let mut answered = false;
    while !answered && Moment::now().since(begun) < ANSWER_WITHIN.as_secs_f64() * 1e3 {
        answered = asked(socket).unwrap_or(false);
        if !answered {
            std::thread::sleep(POLL);
        }
    }
    let took = Moment::now().since(begun);
    if let Some(pid) = i32::try_from(agent.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    agent.wait().doing("end the agent")?;
    if !answered {
        return Err(unexpected("the agent never answered"));
    }
    println!("{took:.2}");
    Ok(())
}

fn asked(socket: &Path) -> std::io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(QUESTION)?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(&head == b"HTTP/1.1 200")
}

/// Inside a node: appends rows to its event log.
pub fn lengthen(state_dir: &Path, node: &str, rows: usize) -> Result<()> {
    let failed = |e: siaga_journal::JournalError| unexpected(format!("the event log: {e}"));
    let opened = Journal::open(state_dir, NodeName::from(node), Box::new(SystemClock));
    let (mut journal, _) = opened.map_err(failed)?;
    // What fills real logs: a link that comes and goes.
    let event = |body| Event {
        service: None,
        run: None,
        actor: None,
        body,
    };
    let peer = NodeName::from(crate::lab::other(node));
    let silent = event(EventBody::PeerSilent { node: peer.clone() });
    let answers = event(EventBody::PeerAnswers {
        node: peer,
        boot: "6a1f3c52-0d0f-4c55-9a37-b1f3d6b1c001".into(),
    });
    let pairs = vec![[silent.clone(), answers.clone()]; 250].concat();
    for _ in 0..rows.div_ceil(pairs.len()) {
        journal
            .append_all(pairs.clone(), Durability::Lazy)
            .map_err(failed)?;
    }
    journal.append(silent, Durability::Sync).map_err(failed)?;
    Ok(())
}
