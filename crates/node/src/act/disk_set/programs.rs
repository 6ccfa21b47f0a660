//! A disk set that programs of the site take and give up. What counts is what its status program says afterwards,
//! never an exit code of `take` or `release` alone.

use super::TakeOrder;
use super::layered::Layer;
use super::under_way::UnderWay;
use crate::command::{self, CommandResult};
use siaga_model::config::{Argv, DiskSetPrograms, Placeholder};
use siaga_model::observation::Holding;
use siaga_model::run::FailureKind;
use siaga_model::why::{DiskSetCall, Holder};
use siaga_model::{NodeName, ServiceName, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::path::Path;
use std::time::Duration;

/// Exit code of the status program: this node holds the disk set.
const HELD_HERE: i32 = 0;
/// Exit code of the status program: this node does not hold it. (Where nobody does, or another node.) As LSB's status
/// of a service that does not run; a program that fails ends with 1 or 2, and that is no answer.
const NOT_HELD_HERE: i32 = 3;
/// How much of what a program said goes into a reason, in characters.
const TAIL: usize = 400;

/// The programs with their placeholders filled in.
pub struct Programs {
    take: Argv,
    take_forced: Option<Argv>,
    release: Argv,
    status: Argv,
    timeout: Duration,
    under_way: UnderWay,
}

impl Programs {
    /// The programs of `service` on `node`.
    pub fn new(
        programs: &DiskSetPrograms,
        service: &ServiceName,
        node: &NodeName,
        device: &Path,
    ) -> Self {
        let value = |argument: &String| match Placeholder::of(argument) {
            Some(Placeholder::Service) => service.to_string(),
            Some(Placeholder::Node) => node.to_string(),
            Some(Placeholder::Device) => device.to_string_lossy().into_owned(),
            None => argument.clone(),
        };
        let filled = |argv: &Argv| Argv(argv.0.iter().map(value).collect());
        Self {
            take: filled(&programs.take),
            take_forced: programs.take_forced.as_ref().map(filled),
            release: filled(&programs.release),
            status: filled(&programs.status),
            timeout: programs.timeout,
            under_way: UnderWay::of(service),
        }
    }

    /// Runs one and asks for the status. `wanted`: what the status must then be.
    fn act(&self, call: DiskSetCall, argv: &Argv, wanted: &Holding) -> Acted {
        let kind = match call {
            DiskSetCall::Release => FailureKind::NotReleased,
            DiskSetCall::Take | DiskSetCall::TakeForced | DiskSetCall::Status => FailureKind::Io,
        };
        let result = self.under_way.run(&argv.0, self.timeout);
        let state = self.state();
        let as_wanted = matches!(
            (&state, wanted),
            (Holding::Held { .. }, Holding::Held { .. }) | (Holding::Free, Holding::Free)
        );
        match (result.succeeded(), as_wanted, state) {
            (true, true, _) => Ok(Did::changed(Vec::new())),
            // It complained: what it left undone is not known, whatever the status says.
            (false, _, Holding::Held { .. } | Holding::Free) => {
                Err(Trouble::failed(kind, told(call, &result)))
            }
            (true, false, Holding::Held { .. }) => {
                Err(Trouble::failed(kind, Why::HeldAfterRelease))
            }
            (true, false, Holding::Free) => Err(Trouble::failed(kind, Why::NotHeldAfterTake)),
            (succeeded, _, Holding::Unknown { why }) => {
                let mut each = vec![why];
                if !succeeded {
                    each.insert(0, told(call, &result));
                }
                Err(Trouble::Unknown(Why::all(each)))
            }
        }
    }
}

impl Layer for Programs {
    fn state(&self) -> Holding {
        let result = command::run(&self.status.0, None, self.timeout);
        match (result.timed_out, result.exit) {
            (false, Some(HELD_HERE)) => Holding::Held {
                by: vec![Holder::StatusProgram],
            },
            (false, Some(NOT_HELD_HERE)) => Holding::Free,
            _ => Holding::Unknown {
                why: told(DiskSetCall::Status, &result),
            },
        }
    }

    fn take(&self, order: &TakeOrder) -> Acted {
        let held = match self.state() {
            Holding::Unknown { why } => return Err(Trouble::failed(FailureKind::Io, why)),
            // Held here and nowhere else: the permit says so.
            Holding::Held { .. } => return Ok(Did::nothing()),
            Holding::Free => Holding::Held { by: Vec::new() },
        };
        match &self.take_forced {
            Some(forced) if !order.all_released => self.act(DiskSetCall::TakeForced, forced, &held),
            _ => self.act(DiskSetCall::Take, &self.take, &held),
        }
    }

    fn release(&self) -> Acted {
        match self.state() {
            Holding::Free => Ok(Did::nothing()),
            // What can't be told is given up as well; the status afterwards decides.
            Holding::Held { .. } | Holding::Unknown { .. } => {
                self.act(DiskSetCall::Release, &self.release, &Holding::Free)
            }
        }
    }

    fn device_stays(&self) -> bool {
        false
    }
}

/// How a program ended, with the end of what it said.
fn told(call: DiskSetCall, result: &CommandResult) -> Why {
    let line = result.last_line();
    let skip = line.chars().count().saturating_sub(TAIL);
    let said: String = line.chars().skip(skip).collect();
    Why::DiskSetProgram {
        call,
        why: Box::new(result.ending(&said)),
    }
}

#[cfg(test)]
mod tests;
