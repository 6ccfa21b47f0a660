//! What agents, the command line and probes send each other: bodies of the HTTP/JSON API, version 1.

use crate::duty::Duty;
use crate::event::{Actor, Event, Finding};
use crate::ids::{NodeName, PersonName, RunId, ServiceName};
use crate::observation::{NodeFacts, Observation};
use crate::plan::{MoveKind, Plan};
use crate::proof::AttestKind;
use crate::refusal::{Advice, Refusal, Sentence};
use crate::run::{RunOutcome, StepOutcome};
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// `POST /v1/moves`: a person's order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MoveRequest {
    pub kind: MoveKind,
    /// May be left out where the site has one service.
    pub service: Option<ServiceName>,
    /// The target, where the verb lets it be chosen.
    pub to: Option<NodeName>,
    pub reason: String,
    pub attest: Vec<AttestRequest>,
    /// Of a takeover: promote the target's copy although it is old. Needs a named person and a reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_old_data: bool,
    pub dry_run: bool,
    /// Two requests with one key are one request.
    pub idempotency_key: String,
    pub requested_by: Option<PersonName>,
    pub approved_by: Option<PersonName>,
    /// `--as NAME`, from root.
    pub stated_actor: Option<PersonName>,
    /// Set by the agent that forwards to the coordinator. Believed from another node's agent only.
    pub forwarded_actor: Option<Actor>,
    /// Which person of the list that actor is, as the forwarding agent established it. Never guessed from a name.
    #[serde(default)]
    pub forwarded_person: Option<PersonName>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttestRequest {
    pub node: NodeName,
    pub how: AttestKind,
}

/// Answer to `POST /v1/moves`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum MoveAnswer {
    Accepted {
        run: RunId,
        coordinator: NodeName,
        plan: Box<Plan>,
    },
    DryRun {
        plan: Box<Plan>,
        observation: Box<Observation>,
    },
    Refused {
        refusal: Refusal,
    },
    /// The order was sent to its coordinator, and no answer came: the run may have begun there, or not. The same
    /// request with the same key is carried out once.
    Unknown {
        coordinator: NodeName,
        refusal: Refusal,
    },
}

/// `GET /v1/runs/{id}`: a run as far as it has come. `version` grows with every change (long poll with `?after=`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunView {
    pub version: u64,
    pub report: MoveReport,
    /// Steps that are being carried out now, by index into `report.steps`' order of start.
    pub running: Vec<RunningStep>,
    /// The steps of the current plan that have not begun: node and action.
    pub waiting: Vec<(NodeName, String)>,
    pub ended: bool,
    pub result: Option<RunOutcome>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunningStep {
    pub node: NodeName,
    pub action: String,
    pub elapsed_ms: u64,
    /// From this site's own runs, where there are any.
    pub expected_ms: Option<u64>,
    /// How far the step has come.
    pub progress: Option<crate::note::Progress>,
}

/// The JSON of a move.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MoveReport {
    pub run_id: RunId,
    /// The run that this one covers, because its coordinator fell silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<RunId>,
    pub kind: MoveKind,
    pub service: ServiceName,
    pub from: Option<NodeName>,
    pub to: Option<NodeName>,
    /// `done`, `refused`, `restored`, `stuck`, or `running`.
    pub outcome: String,
    pub code: Option<String>,
    pub message: Option<String>,
    /// How each other node was made to let go: `released serverdb`, `fenced serverdb by ipmi`.
    pub proof: Vec<String>,
    pub started_at: String,
    pub steps: Vec<StepView>,
    pub outages: Vec<Outage>,
    /// What client probes had been told is kept, and did not find again afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_rows: Vec<LostRows>,
    pub client_tests: Vec<ClientTestResult>,
}

/// Rows of a client probe that the database had acknowledged and that are gone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LostRows {
    pub probe: String,
    pub rows: u64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepView {
    pub node: NodeName,
    pub action: String,
    pub started_at: String,
    pub duration_ms: u64,
    pub outcome: StepOutcome,
    pub notes: Vec<crate::note::Note>,
}

/// One gap in the service as it was measured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outage {
    /// RFC 3339, UTC: the last success before. Empty where it was not seen.
    pub offline_at: Option<String>,
    /// RFC 3339, UTC: the first success after.
    pub online_at: Option<String>,
    pub downtime_ms: Option<u64>,
    /// The measuring interval: the true gap is within this of `downtime_ms`.
    pub error_ms: Option<u64>,
    pub seen_by: SeenBy,
    pub probe: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenBy {
    Probe,
    /// Not confirmed from a client.
    Node,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClientTestResult {
    pub name: String,
    /// The node that the service ran on.
    pub node: NodeName,
    /// `None`: not confirmed from a client.
    pub passed: Option<bool>,
    pub detail: crate::evidence::Evidence,
}

/// `GET /v1/status`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Status {
    pub node: NodeName,
    pub at: UtcMicros,
    pub version: String,
    pub services: Vec<ServiceStatus>,
    pub findings: Vec<Finding>,
    /// What people still have to do.
    #[serde(default)]
    pub duties: Vec<Duty>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ServiceStatus {
    pub verdict: Verdict,
    pub observation: Observation,
    pub run: Option<crate::observation::RunInProgress>,
    /// `None`: nobody has checked since this agent started.
    #[serde(default)]
    pub readiness: Option<ReadinessView>,
}

/// What the newest check said, and how old it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReadinessView {
    pub can_take_over: CanTakeOver,
    pub checked_at: UtcMicros,
    pub age_ms: u64,
    /// Too old to be believed.
    pub stale: bool,
}

/// One sentence of truth with its evidence, and the one recommended act.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    pub state: VerdictState,
    pub sentence: Sentence,
    pub evidence: Vec<Sentence>,
    pub advice: Vec<Advice>,
    /// The node where the service is active, where that is certain.
    pub active: Option<NodeName>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictState {
    Running,
    Stopped,
    /// Known to be down.
    Down,
    InTransition,
    /// Rests after a run that did not end well.
    Stuck,
    Unknown,
    /// Something is wrong that needs a person: two holders, an address conflict.
    Danger,
}

/// `GET /v1/facts?service=…` between agents.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FactsAnswer {
    pub node: NodeName,
    pub facts: NodeFacts,
    /// Hash of the configuration, to see drift.
    pub config_hash: String,
    pub now: UtcMicros,
}

/// `POST /v1/probe`: what a probe saw since its last report.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProbeReport {
    pub probe: String,
    pub service: ServiceName,
    /// Grows with every report of this process.
    pub sequence: u64,
    pub interval_ms: u64,
    /// True where the last attempt read and wrote.
    pub serving: bool,
    /// Milliseconds since the last success, on the probe's monotonic clock.
    pub last_success_age_ms: Option<u64>,
    pub answered_by: Option<String>,
    /// Gaps that ended or are open.
    pub gaps: Vec<ProbeGap>,
    pub error: Option<String>,
    /// Rows written and later not found again.
    pub lost_rows: u64,
    /// Does it write rows and look for them again? One that only connects misses none. (A probe of before this was asked wrote
    /// rows where it could.)
    #[serde(default = "writes")]
    pub writes_rows: bool,
}

fn writes() -> bool {
    true
}

/// A gap between two successes, on the probe's monotonic clock, with wall times for the record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProbeGap {
    pub id: u64,
    pub last_success: UtcMicros,
    /// `None` while it is open.
    pub first_success: Option<UtcMicros>,
    pub gap_ms: u64,
    pub error_ms: u64,
    /// The hardware address that answered first afterwards.
    pub answered_by: Option<String>,
}

/// `GET /v1/check`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CheckReport {
    pub service: ServiceName,
    pub can_take_over: CanTakeOver,
    pub findings: Vec<Finding>,
    /// Everything that was looked at, also what is in order and what was not tried.
    #[serde(default)]
    pub examined: Vec<crate::readiness::Examined>,
    /// When it was looked at, by the clock of the node that was asked.
    #[serde(default)]
    pub checked_at: UtcMicros,
    /// How long ago that is, milliseconds, by a clock that is never set. 0 in a check that was just made.
    #[serde(default)]
    pub age_ms: u64,
    /// How long the steps of a takeover would take.
    #[serde(default)]
    pub takeover: Option<crate::incident::Range>,
    /// What this check did not exercise.
    pub not_exercised: Vec<Sentence>,
    /// What people still have to do. None of it stands in the way of a takeover.
    #[serde(default)]
    pub duties: Vec<Duty>,
}

/// An answer that is older than three looks is no answer any more.
pub const CHECK_STALE: std::time::Duration = std::time::Duration::from_secs(1800);

impl CheckReport {
    /// Is it too old to be an answer?
    pub fn is_stale(&self) -> bool {
        u128::from(self.age_ms) > CHECK_STALE.as_millis()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CanTakeOver {
    Yes,
    No,
    Unknown,
}

/// `GET /v1/diagnose`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Diagnosis {
    pub service: ServiceName,
    pub layers: Vec<LayerFinding>,
    /// The first layer that is broken.
    pub cause: Option<LayerFinding>,
    pub advice: Vec<Advice>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LayerFinding {
    pub layer: Layer,
    pub node: NodeName,
    /// `None`: not known.
    pub ok: Option<bool>,
    pub evidence: crate::evidence::Evidence,
}

/// The paper's "check the cause at once", from the bottom up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    Power,
    NetworkPaths,
    Agent,
    DiskSet,
    FileSystem,
    FreeSpace,
    KernelLog,
    Process,
    LastShutdown,
    AcceptingConnections,
    Applications,
    ClientTest,
}

/// An event with its place: what `GET /v1/events` and `siaga events --json` give.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventView {
    pub node: NodeName,
    pub incarnation: u32,
    pub seq: u64,
    pub hlc: crate::event::Hlc,
    pub at: UtcMicros,
    pub event: Event,
}

/// The code of the API's error where the run that was asked for goes on at a node that does not answer now.
pub const COORDINATOR_SILENT: &str = "COORDINATOR_SILENT";

/// Every error of the API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApiError {
    pub code: String,
    /// In English.
    pub message: String,
    /// The same as a value, where a person can run into it: a screen says it in the site's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<crate::api_problem::ApiProblem>,
}

/// `GET /v1/config`: what a screen needs to know of the site.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SiteView {
    pub site: String,
    pub language: crate::config::Language,
    /// An IANA zone name, for display.
    pub time_zone: String,
    pub people: Vec<PersonName>,
    pub services: Vec<ServiceName>,
    pub nodes: Vec<NodeName>,
    /// The header box of its papers.
    #[serde(default)]
    pub document: crate::config::Document,
    /// In thousandths of a percent.
    #[serde(default)]
    pub availability_target_milli_pct: Option<u32>,
    /// The goal for one outage, in seconds.
    #[serde(default)]
    pub rto_s: Option<u64>,
}

/// `GET /v1/events`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventsAnswer {
    pub events: Vec<EventView>,
    /// What to give as `follow_after` to get only what came later.
    pub next: u64,
}

/// `GET /v1/events/verify`: empty where every row is as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VerifyAnswer {
    /// Each with its place.
    pub problems: Vec<crate::evidence::LogProblem>,
}

/// `POST /v1/events/accept-loss`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AcceptLossRequest {
    pub reason: String,
    /// `--as NAME`, from root.
    #[serde(default)]
    pub stated_actor: Option<PersonName>,
}

/// `POST /v1/events/accept-data`. Answered as `accept-loss` is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AcceptDataRequest {
    pub service: ServiceName,
    pub reason: String,
    /// `--as NAME`, from root.
    pub stated_actor: Option<PersonName>,
}

/// Answer to `POST /v1/events/accept-loss`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum AcceptLossAnswer {
    Accepted,
    Refused {
        refusal: Refusal,
    },
    /// The log could not be written.
    Failed {
        why: crate::why::Why,
    },
}

/// `POST /v1/power`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PowerRequest {
    pub node: NodeName,
    pub action: PowerAction,
    pub reason: String,
    /// `--as NAME`, from root.
    #[serde(default)]
    pub stated_actor: Option<PersonName>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerAction {
    Status,
    Off,
    On,
}

/// Answer to `POST /v1/power`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum PowerAnswer {
    Done {
        power: crate::observation::Power,
    },
    Refused {
        refusal: Refusal,
    },
    /// The device did not do it, or did not confirm it.
    Failed {
        why: crate::why::Why,
    },
}
