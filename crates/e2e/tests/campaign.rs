//! Hostile nights: random orders and random mishaps under load, seeded. Long, so it is run by `make campaign-lab` only.
//!
//! After each round: never two holders, no acknowledged row lost, every screen says what is true, and a person who does
//! only what the screen recommends has the service back.

use siaga_e2e::dice::Dice;
use siaga_e2e::{Beside, Lab, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const NODES: [&str; 2] = ["serverdb", "backup"];
const ORDERS: [&str; 7] = [
    "switchover",
    "failback",
    "drill",
    "takeover",
    "stop",
    "start",
    "restart",
];
/// How many commands a person types at the most until the service is back.
const MOST_COMMANDS: u32 = 12;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mishap {
    KillAgent,
    CutPower,
    Freeze,
    Partition,
    CutDisk,
}

const MISHAPS: [Mishap; 5] = [
    Mishap::KillAgent,
    Mishap::CutPower,
    Mishap::Freeze,
    Mishap::Partition,
    Mishap::CutDisk,
];

#[test]
#[ignore = "long: make campaign-lab"]
fn hostile_nights() {
    let seeds = std::env::var("SIAGA_SEEDS").unwrap_or_else(|_| "0-4".into());
    let rounds = std::env::var("SIAGA_ROUNDS").unwrap_or_else(|_| "8".into());
    let rounds: u32 = rounds.parse().expect("SIAGA_ROUNDS: a number");
    let (from, to) = seeds.split_once('-').unwrap_or((&seeds, &seeds));
    let from: u64 = from.parse().expect("SIAGA_SEEDS: FROM-TO");
    let to: u64 = to.parse().expect("SIAGA_SEEDS: FROM-TO");
    for seed in from..=to {
        night(seed, rounds);
    }
}

fn night(seed: u64, rounds: u32) {
    let mut dice = Dice::of(seed);
    let fence = dice.one(&["power", "fabric", "both", "none"]);
    eprintln!("=== seed {seed}: fence {fence}");
    let lab = Lab::up(&["--fence", fence]);
    for number in 1..=rounds {
        Round {
            lab: &lab,
            name: format!("seed {seed} round {number}"),
        }
        .play(&mut dice);
    }
    for node in NODES {
        lab.siaga(node, &["events", "verify"]).expect(0);
    }
}

struct Round<'a> {
    lab: &'a Lab,
    name: String,
}

impl Round<'_> {
    fn say(&self, text: &str) {
        eprintln!("{}: {text}", self.name);
    }

    fn play(&self, dice: &mut Dice) {
        let guard = TwoHolders::watch(self.lab);
        let load = self.lab.load(5);
        let mut orders = Vec::new();
        for _ in 0..=dice.below(2) {
            self.act(dice, &mut orders);
        }
        // Some nights are worked through before anything is repaired.
        if dice.once_in(2) {
            let survivor = dice.one(&NODES);
            self.work(survivor, 3);
        }
        self.repair();
        for (what, order) in orders {
            let ran = order.end();
            self.say(&format!(
                "{what} ended with {}: {}",
                ran.code,
                first_line(&ran.out)
            ));
        }
        self.come_back(dice.one(&NODES));
        self.truth();
        let load = load.end();
        self.say(&format!("load: {}", load.out.replace(['\n', ' '], "")));
        assert_eq!(load.code, 0, "{}: {load:?}", self.name);
        assert_eq!(load.json()["rows_lost"], 0, "{}", self.name);
        guard.end(&self.name);
        self.nobody_panicked();
    }

    /// One order with a mishap in its midst, or a mishap with an order after it, or one of both.
    fn act(&self, dice: &mut Dice, orders: &mut Vec<(String, Beside)>) {
        let order = dice.one(&ORDERS);
        let drawn = dice.one(&NODES);
        // A machine that is off or frozen takes no orders.
        let at = match NODES.into_iter().find(|n| *n != drawn) {
            Some(other) if !self.reachable(drawn) && self.reachable(other) => other,
            _ => drawn,
        };
        let mishap = dice.one(&MISHAPS);
        let victim = dice.one(&NODES);
        let delay = Duration::from_millis(dice.below(900));
        match dice.below(5) {
            0 => self.order(at, order, orders),
            1 => self.mishap(mishap, victim),
            2 => {
                self.mishap(mishap, victim);
                self.order(at, order, orders);
                std::thread::sleep(delay);
            }
            _ => {
                self.order(at, order, orders);
                std::thread::sleep(delay);
                self.mishap(mishap, victim);
            }
        }
    }

    fn order(&self, node: &str, order: &str, orders: &mut Vec<(String, Beside)>) {
        self.say(&format!("{order} on {node}"));
        let beside = self.lab.siaga_beside(node, &[order, "--yes", "--json"]);
        orders.push((format!("{order} on {node}"), beside));
    }

    fn mishap(&self, mishap: Mishap, node: &str) {
        let verb = match mishap {
            Mishap::KillAgent => vec!["crash-agent", node],
            Mishap::CutPower => vec!["cut-power", node],
            Mishap::Freeze => vec!["freeze", node],
            Mishap::Partition => vec!["partition"],
            Mishap::CutDisk => vec!["cut-disk", node],
        };
        // What is off already can't be frozen: that is no mishap of the program's.
        let ran = self.lab.lab(&verb);
        self.say(&format!("{}: {}", verb.join(" "), ran.code));
    }

    /// A person at `node` does what its screen recommends, so often.
    fn work(&self, node: &str, commands: u32) {
        for _ in 0..commands {
            let Some(shown) = self.reachable(node).then(|| self.lab.shown(node)).flatten() else {
                return;
            };
            if shown.state == "running" {
                return;
            }
            let said = self.lab.obey(node, &shown);
            self.say(&format!("{node}: {said}"));
        }
    }

    /// A frozen machine answers nobody, and a command typed there would hang with it.
    fn reachable(&self, node: &str) -> bool {
        let status = self.lab.status();
        let nodes = status["nodes"].as_array().cloned().unwrap_or_default();
        nodes
            .iter()
            .any(|n| n["name"] == node && n["powered"] == true && n["frozen"] == false)
    }

    /// Everything works again; nobody has given an order for it yet.
    fn repair(&self) {
        for node in NODES {
            if self.lab.status()["nodes"].as_array().is_some_and(|nodes| {
                nodes
                    .iter()
                    .any(|n| n["name"] == node && n["frozen"] == true)
            }) {
                self.lab.lab(&["thaw", node]).expect(0);
            }
            self.lab.lab(&["power-on", node]).expect(0);
            self.lab.lab(&["restore-disk", node]).expect(0);
        }
        self.lab.lab(&["heal"]).expect(0);
        self.lab.wait_for_agents();
    }

    /// The service comes back by what the screen recommends.
    fn come_back(&self, node: &str) {
        let mut typed = Vec::new();
        let begun = Instant::now();
        loop {
            let shown = self.lab.shown(node);
            match &shown {
                Some(shown) if shown.state == "running" && !shown.live => return,
                Some(shown) if !shown.live => {
                    let said = self.lab.obey(node, shown);
                    self.say(&format!("{node}: {said}"));
                    typed.push(said);
                }
                _ => std::thread::sleep(Duration::from_millis(200)),
            }
            let tired =
                typed.len() > MOST_COMMANDS as usize || begun.elapsed() > Duration::from_secs(120);
            assert!(
                !tired,
                "{}: the service is not back by what {node} recommends: {shown:?}\n{}",
                self.name,
                typed.join("\n")
            );
            // What the commands did may have switched a machine off.
            for other in NODES {
                if !self.reachable(other) {
                    self.lab.lab(&["power-on", other]).expect(0);
                }
            }
        }
    }

    /// Each screen says where the service really is.
    fn truth(&self) {
        for node in NODES {
            wait_until(&format!("{}: {node} says what is true", self.name), || {
                let holder = self.lab.holder();
                self.lab
                    .shown(node)
                    .is_some_and(|s| holder.is_some() && s.active == holder)
            });
        }
    }

    fn nobody_panicked(&self) {
        for node in self.lab.status()["nodes"].as_array().expect("nodes") {
            let log = node["agent_log"].as_str().expect("a path");
            let log = std::fs::read_to_string(log).unwrap_or_default();
            assert!(!log.contains("panicked"), "{}: {log}", self.name);
        }
    }
}

fn first_line(text: &str) -> String {
    let parsed: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    format!("{} {}", parsed["outcome"], parsed["code"])
}

/// Looks from outside, all the time, whether both nodes have the disk set mounted and reach it.
struct TwoHolders {
    end: Arc<AtomicBool>,
    found: std::thread::JoinHandle<Option<String>>,
}

impl TwoHolders {
    fn watch(lab: &Lab) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let (over, lab) = (end.clone(), lab.eye());
        let found = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                // A fence that cuts a node's disk changes the status a moment later: twice is no moment.
                if lab.both_hold().is_some()
                    && let Some(both) = lab.both_hold()
                {
                    return Some(both);
                }
                std::thread::sleep(Duration::from_millis(150));
            }
            None
        });
        Self { end, found }
    }

    #[track_caller]
    fn end(self, name: &str) {
        self.end.store(true, Ordering::Relaxed);
        let found = self.found.join().expect("the watcher lives");
        assert_eq!(found, None, "{name}: two holders");
    }
}
