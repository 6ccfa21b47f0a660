//! The papers as files: whole, readable by other programs, and found again.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

mod samples;
mod tools;

mod reports;
mod runs;
mod sheets;
mod sop;
mod truth;
