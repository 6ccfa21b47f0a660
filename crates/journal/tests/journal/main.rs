//! The tests of this crate from outside: one program, which is built and linked once.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

mod availability;
mod common;
mod copies;
mod incident_files;
mod incidents;
mod log_book;
mod many_rows;
mod notices;
mod older_rows;
mod outbox;
mod outbox_guards;
mod own_log;
mod people;
mod projections;
mod saved;
mod seal;
mod summary;
mod verify;
