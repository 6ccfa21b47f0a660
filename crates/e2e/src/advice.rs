//! A person who does what the screen recommends, and nothing else.

use crate::{Lab, Ran};
use serde_json::Value;
use std::time::Duration;

/// What stands before the recommended commands on the screen.
const RECOMMENDED: &str = "Recommended now:";
/// How long a person looks before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// What the screen of a node shows.
#[derive(Clone, PartialEq, Debug)]
pub struct Shown {
    pub state: String,
    pub active: Option<String>,
    /// The recommended commands, best first.
    pub commands: Vec<String>,
    /// A run goes on now.
    pub live: bool,
}

impl Lab {
    /// What `siaga status` on `node` shows, where its agent answers.
    pub fn shown(&self, node: &str) -> Option<Shown> {
        let json = self.siaga(node, &["status", "--json"]);
        let text = self.siaga(node, &["status"]);
        if json.code != 0 || text.code != 0 {
            return None;
        }
        let service = json.json()["services"][0].clone();
        let verdict = &service["verdict"];
        let lines = text.out.lines();
        let commands = lines
            .skip_while(|line| line.trim() != RECOMMENDED)
            .skip(1)
            .take_while(|line| line.starts_with("  "))
            .filter(|line| !line.starts_with("   "))
            .map(|line| line.trim().to_owned())
            .collect();
        Some(Shown {
            state: verdict["state"].as_str().unwrap_or_default().to_owned(),
            active: verdict["active"].as_str().map(str::to_owned),
            commands,
            live: service["run"]["live"] == true,
        })
    }

    /// Types the first command that the screen of `node` recommends, and where that is refused, the first that the
    /// refusal recommends. Says what was typed and what came of it.
    pub fn obey(&self, node: &str, shown: &Shown) -> String {
        let Some(command) = shown.commands.first() else {
            return format!("{}: nothing is recommended", shown.state);
        };
        let (said, refused) = self.type_in(node, command);
        match refused.as_deref() {
            Some(next) if next != command => {
                let (then, _) = self.type_in(node, next);
                format!("{}: {said}; then {then}", shown.state)
            }
            _ => format!("{}: {said}", shown.state),
        }
    }

    /// Types a recommended command on `node`. Returns what was done, and the next command where it was refused.
    fn type_in(&self, node: &str, command: &str) -> (String, Option<String>) {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["siaga", "status" | "diagnose", ..] | ["df" | "ip", ..] | [] => {
                std::thread::sleep(LOOK_AGAIN);
                (format!("`{command}`"), None)
            }
            ["siaga", "check"] => {
                let ran = self.siaga(node, &["check"]);
                (format!("`{command}`: {}", ran.code), None)
            }
            ["siaga", "power", ..] => {
                let ran = self.typed(node, &words[1..], &["--yes"]);
                (format!("`{command}`: {}", ran.code), None)
            }
            ["siaga", verb @ ..] => {
                let more = self.do_what_is_attested(verb);
                let ran = self.typed(node, verb, &more);
                let report: Value = serde_json::from_str(&ran.out).unwrap_or_default();
                let code = report["code"].as_str().unwrap_or_default();
                let next = report["next"][0].as_str().filter(|_| ran.code == 3);
                let said = format!("`{command}`: {} {code}", ran.code);
                (said, next.map(str::to_owned))
            }
            other => {
                let ran = self.exec(node, other);
                (format!("`{command}`: {}", ran.code), None)
            }
        }
    }

    fn typed(&self, node: &str, words: &[&str], more: &[&str]) -> Ran {
        let mut args = words.to_vec();
        args.extend(more);
        self.siaga(node, &args)
    }

    /// Whoever attests goes to the machine first.
    fn do_what_is_attested(&self, words: &[&str]) -> Vec<&'static str> {
        let after = |flag: &str| {
            let at = words.iter().position(|w| *w == flag)?;
            words.get(at + 1).copied()
        };
        let mut more = vec!["--yes", "--json"];
        if let (Some(node), Some(how)) = (after("--attest-off"), after("--how")) {
            let verb = if how == "storage-disconnected" {
                "cut-disk"
            } else {
                "cut-power"
            };
            self.lab(&[verb, node]).expect(0);
            more.extend(["--as", "budi"]);
        }
        more
    }
}
