//! The tests of this crate from outside: one program, which is built and linked once.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

mod common;
mod diagnosis;
mod drift;
mod duties;
mod estimate;
mod holding_back;
mod incident;
mod migrate;
mod migrate_back;
mod properties;
mod pure;
mod readiness;
mod records;
mod rehearsal;
mod replacing;
mod snapshots;
