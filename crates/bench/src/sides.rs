//! The two that are compared: Siaga, and the floor. Each moves the service of a lab of its own.

use crate::clock::Moment;
use crate::error::{Doing, Result, unexpected};
use crate::lab::{Client, Lab, NODES, other, run};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// How long an agent may take to be back after a boot, and a takeover to become possible after a power cut.
const PATIENCE: Duration = Duration::from_secs(30);
const FLOOR_WAITS: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(100);

/// One measured move.
#[derive(Clone, Debug)]
pub struct Sample {
    /// From the accepted command, or the fence's confirmation, to the client's first committed write.
    pub total_ms: f64,
    /// What the client saw: from the last commit of the old server to the first of the new one.
    pub gap_ms: f64,
    /// The steps, with when they began and ended after the clock's start.
    pub steps: Vec<String>,
}

/// One side of the comparison.
pub trait Side {
    /// The service's lab.
    fn lab(&self) -> &Lab;
    /// Moves the service to the other node while both are healthy.
    fn planned(&mut self) -> Result<Sample>;
    /// Cuts the power of the node that has the service; the other one takes over. Afterwards both run again.
    fn power_cut(&mut self) -> Result<Sample>;
    /// Writes so much WAL that no checkpoint covers.
    fn dirty(&self, megabytes: u64) -> Result<()> {
        let lab = self.lab();
        let megabytes = megabytes.to_string();
        let command = lab.bench(
            "client",
            &[
                "__fill",
                "--dsn",
                lab.service("dsn"),
                "--megabytes",
                &megabytes,
            ],
        );
        run(command, "filling the database").map(drop)
    }
}

/// Siaga as it is shipped.
pub struct Siaga {
    lab: Lab,
    active: &'static str,
}

impl Siaga {
    /// A lab with agents and the probe, the service started on the first node.
    pub fn up(siaga: &Path, name: &str) -> Result<Self> {
        let lab = Lab::up(siaga, name, true)?;
        for node in NODES {
            wait_for_agent(&lab, node)?;
        }
        lab.siaga(NODES[0], &["start", "--yes", "--json", "--reason", "bench"])?;
        Ok(Self {
            lab,
            active: NODES[0],
        })
    }

    fn sample(report: &Value, start: Moment, client: Client) -> Result<Sample> {
        let seen = client.first_commit()?;
        let step = |s: &Value| {
            let began = wall(s["started_at"].as_str()?)?.since(start);
            let took = s["duration_ms"].as_f64()?;
            let notes: Vec<&str> = s["notes"]
                .as_array()?
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let (action, node) = (s["action"].as_str()?, s["node"].as_str()?);
            Some(format!(
                "{action}/{node} {began:.0}+{took:.0} {}",
                notes.join("; ")
            ))
        };
        let steps = report["steps"].as_array().cloned().unwrap_or_default();
        Ok(Sample {
            total_ms: seen.first.since(start),
            gap_ms: seen.first.since(seen.last),
            steps: steps.iter().filter_map(step).collect(),
        })
    }
}

/// An RFC 3339 time of the report. It has whole milliseconds, cut off: the clock starts up to one early.
fn wall(text: &str) -> Option<Moment> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Moment::of_wall(at.as_microsecond()))
}

fn wait_for_agent(lab: &Lab, node: &str) -> Result<()> {
    wait_for(&format!("the agent of {node}"), || {
        lab.siaga(node, &["status", "--json"]).map(drop)
    })
}

fn wait_for<T>(what: &str, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(error) if begun.elapsed() > PATIENCE => {
                return Err(unexpected(format!("{what}: {error}")));
            }
            Err(_) => std::thread::sleep(AGAIN),
        }
    }
}

fn only(mut values: Vec<Value>) -> Result<Value> {
    match (values.pop(), values.is_empty()) {
        (Some(value), true) => Ok(value),
        _ => Err(unexpected(
            "siaga printed another number of answers than one",
        )),
    }
}

impl Side for Siaga {
    fn lab(&self) -> &Lab {
        &self.lab
    }

    fn planned(&mut self) -> Result<Sample> {
        let target = other(self.active);
        let verb = if target == NODES[0] {
            "failback"
        } else {
            "switchover"
        };
        let client = Client::steady(&self.lab)?;
        let report = only(
            self.lab
                .siaga(target, &[verb, "--yes", "--json", "--reason", "bench"])?,
        )?;
        self.active = target;
        let accepted = report["started_at"].as_str().and_then(wall);
        let accepted = accepted.ok_or_else(|| unexpected("the run has no beginning"))?;
        Self::sample(&report, accepted, client)
    }

    fn power_cut(&mut self) -> Result<Sample> {
        let (dead, target) = (self.active, other(self.active));
        let client = Client::steady(&self.lab)?;
        self.lab.lab(&["cut-power", dead])?;
        // Refused as long as a probe's word that the old node serves is fresh.
        let args = ["takeover", "--yes", "--json", "--reason", "bench"];
        let report = only(wait_for("the takeover", || self.lab.siaga(target, &args))?)?;
        self.active = target;
        let run = report["run_id"].as_str().unwrap_or_default();
        let events = self.lab.siaga(
            target,
            &["events", "--json", "--run", run, "--kind", "proof_made"],
        )?;
        let proof = events.iter().find_map(|e| {
            e.pointer("/event/body/proof/at")
                .or(e.pointer("/event/proof/at"))?
                .as_i64()
        });
        let confirmed = proof.ok_or_else(|| unexpected("the run has no proof"))?;
        let sample = Self::sample(&report, Moment::of_wall(confirmed), client)?;
        self.lab.lab(&["power-on", dead])?;
        wait_for_agent(&self.lab, dead)?;
        Ok(sample)
    }
}

/// The bare sequence, with one small program on each node that waits for its order.
pub struct Floor {
    lab: Lab,
    active: &'static str,
    nodes: Vec<(&'static str, Bare)>,
}

impl Floor {
    /// A lab without agents, the service started on the first node.
    pub fn up(siaga: &Path, name: &str) -> Result<Self> {
        let lab = Lab::up(siaga, name, false)?;
        let nodes = NODES
            .into_iter()
            .map(|node| Ok((node, Bare::on(&lab, node)?)))
            .collect::<Result<_>>()?;
        let mut floor = Self {
            lab,
            active: NODES[0],
            nodes,
        };
        floor.order(NODES[0], "take-clean")?;
        Ok(floor)
    }

    fn order(&mut self, node: &str, order: &str) -> Result<String> {
        let bare = self.nodes.iter_mut().find(|(name, _)| *name == node);
        bare.ok_or_else(|| unexpected("no such node"))?
            .1
            .order(order)
    }
}

impl Side for Floor {
    fn lab(&self) -> &Lab {
        &self.lab
    }

    fn planned(&mut self) -> Result<Sample> {
        let (source, target) = (self.active, other(self.active));
        let client = Client::steady(&self.lab)?;
        let start = Moment::now();
        let gone = self.order(source, "let-go")?;
        let there = self.order(target, "take-clean")?;
        self.active = target;
        let seen = client.first_commit()?;
        Ok(Sample {
            total_ms: seen.first.since(start),
            gap_ms: seen.first.since(seen.last),
            steps: vec![gone, there],
        })
    }

    fn power_cut(&mut self) -> Result<Sample> {
        let (dead, target) = (self.active, other(self.active));
        let client = Client::steady(&self.lab)?;
        self.lab.lab(&["cut-power", dead])?;
        // The client's attempts that hang on the dead node have run out, as they have when a person orders a takeover.
        std::thread::sleep(FLOOR_WAITS);
        let start = Moment::now();
        let there = self.order(target, "take-crashed")?;
        self.active = target;
        let seen = client.first_commit()?;
        self.lab.lab(&["power-on", dead])?;
        let bare = Bare::on(&self.lab, dead)?;
        self.nodes.retain(|(name, _)| *name != dead);
        self.nodes.push((dead, bare));
        Ok(Sample {
            total_ms: seen.first.since(start),
            gap_ms: seen.first.since(seen.last),
            steps: vec![there],
        })
    }
}

/// The bare program on one node.
struct Bare {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Bare {
    fn on(lab: &Lab, node: &str) -> Result<Self> {
        let state = std::fs::read(lab.dir().join("lab.json")).doing("read the lab's state")?;
        let state: Value = serde_json::from_slice(&state).map_err(|e| unexpected(e.to_string()))?;
        let nodes = lab.status["nodes"].as_array().cloned().unwrap_or_default();
        let device = nodes
            .iter()
            .find(|n| n["name"] == node)
            .and_then(|n| n["device_link"].as_str());
        let mount = lab.service("mount");
        let args = [
            "__floor",
            "--device",
            device.unwrap_or_default(),
            "--mount",
            mount,
            "--data-dir",
            &format!("{mount}/pg"),
            "--pg-bin",
            state["pg_bin"].as_str().unwrap_or_default(),
            "--vip",
            lab.service("vip"),
            "--vip6",
            lab.service("vip6"),
        ];
        let mut command = lab.bench(node, &args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().doing("start the floor")?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        match (orders, answers) {
            (Some(orders), Some(answers)) => Ok(Self {
                child,
                orders,
                answers: BufReader::new(answers),
            }),
            _ => Err(unexpected("the floor has no pipes")),
        }
    }

    fn order(&mut self, order: &str) -> Result<String> {
        writeln!(self.orders, "{order}").doing("order the floor")?;
        let mut answer = String::new();
        self.answers
            .read_line(&mut answer)
            .doing("hear the floor")?;
        match answer.trim_end().strip_prefix("ok ") {
            Some(steps) => Ok(format!("{order} {steps}")),
            None => Err(unexpected(format!("floor, {order}: {}", answer.trim_end()))),
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
