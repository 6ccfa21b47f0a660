//! The client's side: does the service answer where its users reach it, and for how long did it not?
//!
//! `run` is the probe of a client machine; `load` writes rows as fast as told and proves afterwards that none of
//! the acknowledged ones is lost. Both measure on the monotonic clock, through the service's virtual address.

mod arp;
mod attempt;
mod config;
mod gaps;
pub mod load;
mod rows;
mod run;
mod sql;
mod target;

pub use attempt::Pace;

pub use config::{AgentEntry, Check, ConfigError, Dsn, Mistake, ProbeConfig};
pub use gaps::{Gap, GapTracker};
pub use run::{Reporter, run};
