//! The tests of this crate from outside: one program, which is built and linked once.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

mod common;
mod executor_acts;
mod executor_in_flight;
mod executor_old_data;
mod executor_record;
mod executor_reservation;
mod fencing;
mod ledger_for_fence;
mod ledger_mandate;
mod ledger_promise;
mod ledger_proof;
mod run_failure;
mod run_graph;
mod run_home;
mod run_refusal;
