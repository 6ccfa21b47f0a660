//! Decides; does nothing. Every function here is pure: values in, a value out; no clock, file, socket or randomness,
//! so that the same world gives the same answer on every node, in a test and in a report from the field.
//!
//! | question | function | file |
//! | --- | --- | --- |
//! | who coordinates, and where is the service to be? | [`goal()`] | `goal.rs` |
//! | which steps bring it there, or why not? | [`plan`] | `planned.rs`, `guards.rs`, `takeover.rs`, `neighbours.rs`, `moving.rs`, `steps.rs` |
//! | what is true now, and what should be done? | [`verdict()`] | `verdict.rs`, `danger.rs` |
//! | could we take over now? | [`readiness()`] | `readiness.rs` |
//! | what differs between the nodes? | [`drift::compare`] | `drift.rs` |
//! | what broke? | [`diagnose()`] | `diagnose.rs` |
//! | may the service be rehearsed, and what came of it? | [`rehearsal`] | `rehearsal.rs` |
//! | is the data what was last seen? | [`integrity`] | `integrity.rs` |
//! | what do people still have to do? | [`duties::duties`] | `duties.rs` |
//!
//! Read `takeover.rs` first: it is the table that says when a silent node may be passed over. Each of its cells is a
//! file under `snapshots/takeover-table/`.
//!
//! Three invariants, each held by a property test in `tests/properties.rs`:
//! - no plan takes the disk set without a release, a fence or an attestation about every other node before it;
//! - a planned move never fences;
//! - what is unknown is never treated as free.

#![allow(
    clippy::result_large_err,
    reason = "a refusal is an answer like a plan is: made once per question, never passed up through a hot path"
)]

mod calendar;
mod danger;
mod diagnose;
pub mod drift;
pub mod duties;
pub mod estimate;
mod evidence;
mod goal;
mod guards;
pub mod incident;
pub mod integrity;
mod moving;
mod neighbours;
mod planned;
mod readiness;
pub mod rehearsal;
mod replacing;
mod steps;
mod takeover;
mod verdict;
mod world;

pub use diagnose::diagnose;
pub use goal::goal;
pub use planned::plan;
pub use readiness::{of_fence, readiness};
pub use replacing::may_replace;
pub use verdict::verdict;
