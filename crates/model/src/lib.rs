//! The nouns of Siaga: what a node, a service, an observation, a plan, a proof and an event *are*.
//!
//! This crate holds values only. It depends on `serde` and nothing else, reads no clock, opens no file and
//! decides nothing, so that the planner, the runner, the agents, the command line and an older or newer peer
//! can all be built against it.

pub mod api;
pub mod api_problem;
pub mod config;
pub mod downtime;
pub mod duty;
pub mod event;
pub mod evidence;
pub mod ids;
pub mod incident;
pub mod incident_api;
pub mod integrity;
pub mod keys_api;
pub mod mandate;
pub mod migrate;
pub mod note;
pub mod notice;
pub mod notice_api;
pub mod observation;
pub mod plan;
pub mod proof;
pub mod question;
pub mod readiness;
pub mod record;
pub mod refusal;
pub mod rehearsal;
pub mod reservation;
pub mod run;
pub mod seal;
mod secrets;
pub mod time;
pub mod why;
pub mod witness;

pub use evidence::Evidence;
pub use ids::{
    BootId, ChannelName, DeliveryId, IncidentKey, NodeName, NoticeId, PersonName, PlanId, RunId,
    ServiceName, StepId, UnitName,
};
pub use mandate::Epoch;
pub use note::{Note, Progress};
pub use time::UtcMicros;
pub use why::{Holder, Why};
