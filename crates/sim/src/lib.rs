//! Pretend hands over a small world of two nodes, one disk set, a network, a fence and clients, with seeded faults.
//! The planner, the runner, the ledger and the executor are the real ones.
//!
//! | part | what it is |
//! |---|---|
//! | [`world`] | what is true: power, mounts, databases, addresses, journals on disk |
//! | [`hands`] | [`siaga_runner::hands::Hands`] over that world, with a fault at a chosen call |
//! | [`cluster`] | the two agents: observe, plan, carry out, crash, restart |
//! | [`auditor`] | looks at the world alone, and shares no code with the planner: a bug must be made twice to pass |

pub mod auditor;
pub mod cluster;
pub mod hands;
mod said;
pub mod setup;
mod view;
pub mod world;
