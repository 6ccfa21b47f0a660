//! Carries a plan out. The runner decides nothing: all choices are in the planner, all effects behind [`hands::Hands`].
//!
//! | part | what it is |
//! |---|---|
//! | [`ledger`] | what this node has promised, admitted, minted and used up; the only maker of a [`permit::TakePermit`] |
//! | [`verify`] | the look at every proof right before the take |
//! | [`executor`] | one order on one node: check the mandate, act, look again, report |
//! | [`fencing`] | what the services of one node share about fences: the mandates of all that are hit, one fence at a time |
//! | [`run`] | the state machine of one run on its coordinator: events in, effects out, no I/O |
//! | [`hands`] | the narrow traits that real and pretend hands implement |

pub mod executor;
pub mod fencing;
pub mod hands;
pub mod ledger;
pub mod permit;
pub mod run;
pub mod verify;
