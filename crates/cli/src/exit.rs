//! The exit codes: what a script can tell from the end of a command.

use crate::client::CallError;
use siaga_model::api::{COORDINATOR_SILENT, MoveReport, SeenBy};
use siaga_model::plan::MoveKind;
use siaga_model::run::RunOutcome;
use std::process::ExitCode;

/// What an agent says to a path that it does not know.
const NO_SUCH_ROUTE: &str = "NOT_FOUND";

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: done, and it holds. `check`: the service can be taken over.
    Done,
    /// 1: failed. `check`: it can't be taken over, or that is unknown. `events verify`: a row was changed.
    Failed,
    /// 2: the command line or the configuration is wrong; nothing was asked of the agent.
    Usage,
    /// 3: refused, with code, evidence and the next safe act; nothing was changed.
    Refused,
    /// 4: ended where it started: the run failed and the service runs as before, or the person did not confirm.
    Restored,
    /// 5: stuck: the run rests in a named state, and the next safe act was printed.
    Stuck,
    /// 6: the agent can't be reached.
    NoAgent,
    /// 7: the service runs, but a client test failed; or, for a drill, no client confirmed it.
    ClientTest,
    /// 130: the person pressed Ctrl-C. A run that was accepted goes on without this command.
    Interrupted,
}

/// The table as `siaga help` and the man pages print it.
pub const TABLE: &str = "Exit codes:
  0    done
  1    failed (check: no or unknown; events verify: something was changed)
  2    usage or configuration
  3    refused: nothing was changed
  4    ended where it started
  5    stuck: the state and the next safe act are printed
  6    the agent can't be reached
  7    the service runs, but a client test failed (drill: or no client confirmed it)
  130  Ctrl-C: a run that was accepted goes on";

impl Exit {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Restored => 4,
            Exit::Stuck => 5,
            Exit::NoAgent => 6,
            Exit::ClientTest => 7,
            Exit::Interrupted => 130,
        }
    }

    /// Of a run that ended.
    pub fn of_run(report: &MoveReport, result: Option<&RunOutcome>) -> Self {
        match result {
            Some(RunOutcome::Done) if client_unhappy(report) => Exit::ClientTest,
            Some(RunOutcome::Done) => Exit::Done,
            Some(RunOutcome::Refused { .. }) => Exit::Refused,
            Some(RunOutcome::Restored { .. }) => Exit::Restored,
            Some(RunOutcome::Stuck { .. }) => Exit::Stuck,
            None => Exit::Failed,
        }
    }

    /// Of a call that failed.
    pub fn of_call(error: &CallError) -> Self {
        match error {
            CallError::NotReachable { .. }
            | CallError::NotPermitted { .. }
            | CallError::Silent { .. } => Exit::NoAgent,
            CallError::Interrupted => Exit::Interrupted,
            // The agent of the node that carries the run out.
            CallError::Api { error, .. } if error.code == COORDINATOR_SILENT => Exit::NoAgent,
            CallError::Api {
                status: 400 | 422, ..
            } => Exit::Usage,
            CallError::Api {
                status: 403 | 409, ..
            } => Exit::Refused,
            // No such service, incident or run. A route that an older agent does not know has the plain code.
            CallError::Api { status: 404, error } if error.code != NO_SUCH_ROUTE => Exit::Refused,
            CallError::Api { .. } | CallError::Malformed { .. } | CallError::Local { .. } => {
                Exit::Failed
            }
        }
    }
}

/// A drill passes only with a client's word; another move fails only by it.
fn client_unhappy(report: &MoveReport) -> bool {
    let failed = report.client_tests.iter().any(|t| t.passed == Some(false));
    let lost = !report.lost_rows.is_empty();
    failed || lost || (report.kind == MoveKind::Drill && !confirmed_by_client(report))
}

/// True where a client tested and measured all of it.
pub fn confirmed_by_client(report: &MoveReport) -> bool {
    let tested = report.client_tests.iter().all(|t| t.passed == Some(true));
    let measured =
        !report.outages.is_empty() && report.outages.iter().all(|o| o.seen_by == SeenBy::Probe);
    tested && measured
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::api::ApiError;

    fn answered(status: u16, code: &str) -> CallError {
        CallError::Api {
            status,
            error: ApiError {
                code: code.to_owned(),
                message: String::new(),
                problem: None,
            },
        }
    }

    #[test]
    fn an_answer_of_the_agent_has_the_exit_code_of_the_table() {
        for (status, code, exit) in [
            (404, "NO_SUCH_SERVICE", Exit::Refused),
            (404, "NO_SUCH_RUN", Exit::Refused),
            // An older agent, asked for what it has not got.
            (404, "NOT_FOUND", Exit::Failed),
            (409, "RUN_IN_PROGRESS", Exit::Refused),
            (403, "NOT_ALLOWED", Exit::Refused),
            (400, "MALFORMED", Exit::Usage),
            (422, "BAD_FILTER", Exit::Usage),
            (503, COORDINATOR_SILENT, Exit::NoAgent),
            (500, "FAILED", Exit::Failed),
        ] {
            assert_eq!(
                Exit::of_call(&answered(status, code)),
                exit,
                "{status} {code}"
            );
        }
    }
}
