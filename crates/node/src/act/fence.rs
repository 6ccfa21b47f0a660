//! Fence devices, through any program of the fence-agents family: `key=value` lines on standard input, and the exit
//! code of `action=status` (0 on; 2 off, which it also says in so many words). For a power device *off* means that the node
//! has no power, for a fabric device that its way to the storage is cut. The action is never `reboot`.

use crate::command::{self, CommandResult};
use siaga_model::config::Fence;
use siaga_model::observation::FenceState;
use siaga_model::run::FailureKind;
use siaga_model::why::FenceCall;
use siaga_model::{Note, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Exit code of `action=status`: on.
const STATUS_ON: i32 = 0;
/// Exit code of `action=status`: off.
const STATUS_OFF: i32 = 2;
/// How much of an agent's output goes into a failure, in characters.
const TAIL: usize = 400;
/// A secret is a password, not a disk image.
const SECRET_LIMIT: u64 = 4096;

/// What is asked of an agent. There is no reboot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Off,
    On,
    Status,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Action::Off => "off",
            Action::On => "on",
            Action::Status => "status",
        }
    }
}

/// Switches off, or cuts off. Done only where the device then confirms it; what the agent says of its own `off` counts
/// for nothing. `off` is asked for at once: on a node that is off already the agents do nothing, and say so.
pub fn act_off(fence: &Fence) -> Acted {
    act(fence, Action::Off)
}

/// Switches on, or reconnects, and has the device confirm it.
pub fn act_on(fence: &Fence) -> Acted {
    act(fence, Action::On)
}

/// Asks the device. Of several outlets one that is on is enough: the node lives.
pub fn state(fence: &Fence) -> FenceState {
    let each = at_once(fence, |one| match Call::prepare(one) {
        Ok(call) => call.state(),
        Err(why) => FenceState::Failed { why },
    });
    let mut sum = FenceState::Fenced;
    for state in each {
        sum = match (sum, state) {
            (FenceState::Open, _) | (_, FenceState::Open) => FenceState::Open,
            (failed @ FenceState::Failed { .. }, _) | (_, failed @ FenceState::Failed { .. }) => {
                failed
            }
            (FenceState::Fenced, FenceState::Fenced) => FenceState::Fenced,
        };
    }
    sum
}

fn act(fence: &Fence, action: Action) -> Acted {
    let mut sum = Did::nothing();
    for acted in at_once(fence, |one| act_one(one, action)) {
        let did = acted?;
        sum.changed |= did.changed;
        sum.notes.extend(did.notes);
    }
    Ok(sum)
}

/// The device for each of its outlets, at the same time: one agent may take its whole time.
fn at_once<T: Send>(fence: &Fence, call: impl Fn(&Fence) -> T + Sync) -> Vec<T> {
    let each = fence.each_outlet();
    std::thread::scope(|scope| {
        let threads: Vec<_> = each.iter().map(|one| scope.spawn(|| call(one))).collect();
        let ended = threads.into_iter().map(|t| t.join());
        ended
            .map(|e| e.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn act_one(fence: &Fence, action: Action) -> Acted {
    let call = Call::prepare(fence).map_err(|why| Trouble::failed(FailureKind::Fence, why))?;
    let acted = call.run(action);
    let said = call.said(action, &acted);
    if acted.not_started.is_some() {
        return Err(Trouble::failed(FailureKind::Fence, said));
    }
    let confirmed = match (action, call.state()) {
        (Action::Off, FenceState::Fenced) | (Action::On, FenceState::Open) => Ok(()),
        (_, FenceState::Open) => Err(Why::FenceStillOn),
        (_, FenceState::Fenced) => Err(Why::FenceStillOff),
        (_, FenceState::Failed { why }) => Err(Why::FenceUnconfirmed { why: Box::new(why) }),
    };
    match confirmed {
        Ok(()) if was_so(&acted, action) => Ok(Did::nothing()),
        Ok(()) if acted.succeeded() => Ok(Did::changed(Vec::new())),
        // It complained, and the device confirms all the same: what the device says now is the evidence.
        Ok(()) => Ok(Did::changed(vec![Note::FenceComplained { why: said }])),
        Err(why) => Err(Trouble::failed(
            FailureKind::Fence,
            Why::all(vec![said, why]),
        )),
    }
}

/// The words of the fence-agents library where there was nothing to do.
fn was_so(acted: &CommandResult, action: Action) -> bool {
    acted.succeeded()
        && acted
            .stdout
            .to_lowercase()
            .contains(&format!("already {}", action.name()))
}

/// The words of the fence-agents library: `Status: OFF`. The exit code alone is no proof that a machine is off: an interpreter
/// that does not find its script, a shell at a syntax error and a program that is called wrongly end with 2 as well.
fn says_off(result: &CommandResult) -> bool {
    let words = result.stdout.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .into_iter()
        .any(|word| word.eq_ignore_ascii_case("off"))
}

/// One device with its secrets read. Its text never shows them.
struct Call<'a> {
    fence: &'a Fence,
    argv: [String; 1],
    secrets: Vec<(String, String)>,
}

impl<'a> Call<'a> {
    fn prepare(fence: &'a Fence) -> Result<Self, Why> {
        for (key, value) in &fence.options {
            check_option(key, value)?;
        }
        let mut secrets = Vec::new();
        for (key, path) in &fence.secret_options {
            check_option(key, "")?;
            secrets.push((key.clone(), read_secret(path)?));
        }
        let program = fence
            .agent
            .to_str()
            .ok_or_else(|| Why::system(fence.agent.display()))?
            .to_owned();
        Ok(Self {
            fence,
            argv: [program],
            secrets,
        })
    }

    /// The action comes first: should the rest be lost with us, no agent may fall back to its default, a reboot.
    fn input(&self, action: Action) -> Vec<u8> {
        let mut text = format!("action={}\n", action.name());
        for (key, value) in self.fence.options.iter().chain(&self.secrets) {
            text.push_str(&format!("{key}={value}\n"));
        }
        text.into_bytes()
    }

    fn run(&self, action: Action) -> CommandResult {
        command::run(&self.argv, Some(&self.input(action)), self.fence.timeout)
    }

    fn state(&self) -> FenceState {
        let result = self.run(Action::Status);
        match (result.timed_out, result.exit) {
            (false, Some(STATUS_ON)) => FenceState::Open,
            (false, Some(STATUS_OFF)) if says_off(&result) => FenceState::Fenced,
            (false, Some(STATUS_OFF)) => FenceState::Failed {
                why: Why::all(vec![
                    self.said(Action::Status, &result),
                    Why::FenceOffUnsaid,
                ]),
            },
            _ => FenceState::Failed {
                why: self.said(Action::Status, &result),
            },
        }
    }

    /// How a call ended, of which device and which action.
    fn said(&self, action: Action, result: &CommandResult) -> Why {
        Why::FenceSaid {
            device: self.fence.name.clone(),
            call: match action {
                Action::Off => FenceCall::Off,
                Action::On => FenceCall::On,
                Action::Status => FenceCall::Status,
            },
            why: Box::new(self.told(result)),
        }
    }

    /// How a call ended and the end of what it said, on one line and without secrets.
    fn told(&self, result: &CommandResult) -> Why {
        let result = CommandResult {
            not_started: result.not_started.as_ref().map(|why| self.redact(why)),
            ..result.clone()
        };
        let output = if result.stderr.trim().is_empty() {
            &result.stdout
        } else {
            &result.stderr
        };
        // Redacted before it is cut, so that no half of a secret is left.
        let line = self
            .redact(output)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let skip = line.chars().count().saturating_sub(TAIL);
        let tail: String = line.chars().skip(skip).collect();
        match result.timed_out {
            true => Why::NoAnswerWithin {
                ms: u64::try_from(self.fence.timeout.as_millis()).unwrap_or(u64::MAX),
            },
            false => result.ending(&tail),
        }
    }

    fn redact(&self, text: &str) -> String {
        let mut secrets: Vec<&str> = self
            .secrets
            .iter()
            .map(|(_, value)| value.as_str())
            .collect();
        // The longest first: one may be the beginning of another.
        secrets.sort_by_key(|s| std::cmp::Reverse(s.len()));
        secrets
            .into_iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// An option must not smuggle in another line, nor another action.
fn check_option(key: &str, value: &str) -> Result<(), Why> {
    let name = key.trim().to_ascii_lowercase();
    if name.is_empty()
        || key.contains(['=', '\n', '\r', '\0'])
        || value.contains(['\n', '\r', '\0'])
    {
        return Err(Why::FenceOption {
            option: key.to_owned(),
        });
    }
    if ["action", "option", "o"].contains(&name.as_str()) {
        return Err(Why::FenceOptionReserved {
            option: key.to_owned(),
        });
    }
    Ok(())
}

/// The secret in a file that nobody but its owner can read.
pub(crate) fn read_secret(path: &Path) -> Result<String, Why> {
    let failed = |said: String| Why::SecretFile {
        path: path.to_owned(),
        said,
    };
    let file = std::fs::OpenOptions::new()
        .read(true)
        // A pipe in its place must not keep us waiting.
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)
        .map_err(|e| failed(e.to_string()))?;
    let meta = file.metadata().map_err(|e| failed(e.to_string()))?;
    if !meta.is_file() {
        return Err(Why::SecretNotAFile {
            path: path.to_owned(),
        });
    }
    let trusted = [0, rustix::process::geteuid().as_raw()];
    if meta.mode() & 0o077 != 0 || !trusted.contains(&meta.uid()) {
        return Err(Why::SecretReadable {
            path: path.to_owned(),
        });
    }
    let mut text = String::new();
    // An error of the reading is named, never the content.
    file.take(SECRET_LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(|e| failed(e.kind().to_string()))?;
    let secret = text
        .strip_suffix('\n')
        .map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
    if secret.is_empty() || text.len() as u64 > SECRET_LIMIT || secret.contains(['\n', '\r', '\0'])
    {
        return Err(Why::SecretNotOneLine {
            path: path.to_owned(),
        });
    }
    Ok(secret.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::config::FenceKind;
    use std::time::Duration;

    fn fence(options: &[(&str, &str)]) -> Fence {
        Fence {
            name: "ipmi".into(),
            kind: FenceKind::Power,
            agent: "/nonexistent/fence_none".into(),
            options: options
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
            secret_options: Vec::new(),
            outlets: Vec::new(),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn the_action_is_the_first_line_and_never_reboot() {
        let fence = fence(&[("ip", "198.51.100.21"), ("method", "cycle")]);
        let call = Call::prepare(&fence).unwrap();
        for action in [Action::Off, Action::On, Action::Status] {
            let text = String::from_utf8(call.input(action)).unwrap();
            assert!(
                text.starts_with(&format!("action={}\n", action.name())),
                "{text}"
            );
            assert!(!text.contains("reboot"));
            assert!(text.ends_with("ip=198.51.100.21\nmethod=cycle\n"));
        }
    }

    #[test]
    fn no_option_changes_the_action() {
        for (key, value) in [
            ("action", "reboot"),
            ("Action", "on"),
            ("option", "reboot"),
            ("ip", "1\naction=on"),
            ("a=b", ""),
        ] {
            assert!(Call::prepare(&fence(&[(key, value)])).is_err(), "{key}");
        }
    }

    #[test]
    fn an_agent_that_is_not_there_is_a_failure() {
        let FenceState::Failed {
            why: Why::FenceSaid { call, why, .. },
        } = state(&fence(&[]))
        else {
            panic!("another state")
        };
        assert_eq!(call, FenceCall::Status);
        assert!(matches!(*why, Why::ProgramNotStarted { .. }), "{why:?}");
        assert!(
            matches!(act_off(&fence(&[])), Err(Trouble::Failed(f)) if f.kind == FailureKind::Fence)
        );
    }

    #[test]
    fn a_secret_that_begins_another_leaves_no_rest() {
        let fence = fence(&[]);
        let secrets = vec![
            ("a".to_owned(), "kunci".to_owned()),
            ("b".to_owned(), "kunci-panjang".to_owned()),
        ];
        let call = Call {
            fence: &fence,
            argv: ["/x".to_owned()],
            secrets,
        };
        assert_eq!(
            call.redact("login kunci-panjang, then kunci"),
            "login ***, then ***"
        );
    }
}
