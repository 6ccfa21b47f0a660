//! The agent's core: what it knows, how it observes, and how it carries runs out.

pub mod actor;
pub mod alerts;
pub mod check;
pub mod cover;
pub mod diagnose;
pub mod drive;
pub mod ended;
pub mod forward;
pub mod lab_crash;
pub mod link;
pub mod live;
pub mod loss;
pub mod moves;
pub mod neighbours;
pub mod notices;
pub mod observe;
pub mod orders;
pub mod power;
pub mod probes;
pub mod runs;
pub mod state;
pub mod store;
pub mod upkeep;
pub mod watch;
pub mod witnesses;
