//! What a person's call can run into, as a value: said by the screen in the site's language.

use crate::ids::{NodeName, RunId, ServiceName};
use serde::{Deserialize, Serialize};

/// Why the agent has no answer for a call. The code for scripts is [`ApiProblem::code`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ApiProblem {
    NoSuchService {
        service: ServiceName,
        /// Those that there are.
        known: Vec<ServiceName>,
    },
    /// A call that needs one service named none.
    SeveralServices {
        known: Vec<ServiceName>,
    },
    NoSuchRun {
        run: RunId,
    },
    /// The node that carries a run out does not answer.
    CoordinatorSilent {
        node: NodeName,
        run: RunId,
    },
    /// `why` is the system's or the log's own word.
    LogUnreadable {
        why: String,
    },
    /// A look at the machine did not come to its end.
    NotTold {
        why: String,
    },
}

impl ApiProblem {
    /// The stable code of this problem.
    pub fn code(&self) -> &'static str {
        match self {
            ApiProblem::NoSuchService { .. }
            | ApiProblem::SeveralServices { .. }
            | ApiProblem::NoSuchRun { .. } => "NO_SUCH_THING",
            ApiProblem::CoordinatorSilent { .. } => crate::api::COORDINATOR_SILENT,
            ApiProblem::LogUnreadable { .. } => "LOG_UNREADABLE",
            ApiProblem::NotTold { .. } => "CHECK_FAILED",
        }
    }
}
