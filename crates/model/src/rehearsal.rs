//! A rehearsal: the service is started on the standby from a copy of its data, in namespaces of its own, and thrown
//! away again. Bodies of the API, and what is written into the log.

use crate::api::ClientTestResult;
use crate::event::Actor;
use crate::evidence::Evidence;
use crate::ids::{BootId, NodeName, PersonName, ServiceName};
use crate::mandate::Epoch;
use crate::observation::LastTake;
use crate::refusal::Refusal;
use crate::time::UtcMicros;
use crate::why::Why;
use serde::{Deserialize, Serialize};

/// `POST /v1/rehearsals`: a person's order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RehearsalRequest {
    /// May be left out where the site has one service.
    pub service: Option<ServiceName>,
    /// `--as NAME`, from root.
    pub stated_actor: Option<PersonName>,
    /// Set by the agent that sends it on to the standby. Believed from another node's agent only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded_actor: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded_person: Option<PersonName>,
}

/// Answer to it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum RehearsalAnswer {
    Started {
        service: ServiceName,
        /// The standby, where it goes on.
        node: NodeName,
    },
    Refused {
        refusal: Refusal,
    },
}

/// `POST /v1/rehearsals/stop`: break it off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RehearsalStop {
    pub service: ServiceName,
    /// Where it goes on.
    pub node: NodeName,
    /// `--as NAME`, from root.
    #[serde(default)]
    pub stated_actor: Option<crate::ids::PersonName>,
}

/// Answer to `GET /v1/rehearsals`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RehearsalView {
    /// How far the one is that goes on. `None`: none does.
    pub stage: Option<RehearsalStage>,
    /// The newest one that ended since the agent's start.
    pub report: Option<Box<RehearsalReport>>,
}

/// How far it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum RehearsalStage {
    /// Asking the holder.
    Looking,
    Copying {
        bytes: u64,
        of: u64,
    },
    Starting,
    Testing,
    /// The indexes.
    Checking,
    Removing,
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RehearsalOutcome {
    Passed,
    Failed,
    Refused,
}

/// What came of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    Passed,
    Failed,
    NotExercised,
}

impl Tried {
    /// Of a test's answer.
    pub const fn of(passed: Option<bool>) -> Self {
        match passed {
            Some(true) => Self::Passed,
            Some(false) => Self::Failed,
            None => Self::NotExercised,
        }
    }
}

/// One test of the copy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RehearsalTest {
    pub name: String,
    pub status: Tried,
    pub detail: Evidence,
}

impl From<ClientTestResult> for RehearsalTest {
    fn from(result: ClientTestResult) -> Self {
        Self {
            name: result.name,
            status: Tried::of(result.passed),
            detail: result.detail,
        }
    }
}

/// What amcheck found in a sample of the indexes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IndexCheck {
    pub status: Tried,
    pub checked: u64,
    pub indexes: u64,
    /// Each damaged index, with what PostgreSQL said of it. At most twenty.
    #[serde(default)]
    pub damaged: Vec<String>,
    /// Why it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    pub duration_ms: u64,
}

impl IndexCheck {
    /// It was not tried.
    pub fn not_exercised(why: Why) -> Self {
        Self {
            status: Tried::NotExercised,
            checked: 0,
            indexes: 0,
            damaged: Vec::new(),
            why: Some(why),
            duration_ms: 0,
        }
    }
}

/// What the copy in its namespaces told.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    pub copied_bytes: Option<u64>,
    pub backup_ms: Option<u64>,
    /// From the start of PostgreSQL until it was ready.
    pub start_ms: Option<u64>,
    pub tests_ms: Option<u64>,
}

/// The whole of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RehearsalReport {
    pub service: ServiceName,
    /// The standby, where it was tried.
    pub node: NodeName,
    pub holder: NodeName,
    pub outcome: RehearsalOutcome,
    /// Why it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    pub started_at: UtcMicros,
    pub duration_ms: u64,
    pub client_tests: Vec<RehearsalTest>,
    pub amcheck: IndexCheck,
    /// Asked before and after, not assumed. `None`: it could not be asked afterwards.
    pub production_untouched: Option<bool>,
    /// The copy is gone again.
    pub removed: bool,
    pub measured: Measured,
}

/// What must be the same before and after, told by a node of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceFacts {
    pub node: NodeName,
    pub boot: BootId,
    /// As text: it does not fit the numbers of every reader.
    pub system_identifier: Option<String>,
    pub timeline: Option<u32>,
    /// The first process of the running database: its number, and when the kernel started it.
    pub postmaster: Option<(i32, u64)>,
    /// What is mounted at the service's mount point: the kernel's number of the mount and of its device.
    pub mount: Option<String>,
    /// The highest mandate seen, and the newest take.
    pub highest: Option<Epoch>,
    pub last_take: LastTake,
}

/// What the holder tells before a copy is made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceAnswer {
    pub facts: SourceFacts,
    /// Of the data directory and its table spaces. Only where it was asked for.
    pub bytes: Option<u64>,
}
