//! One file per verb: its options, its help with examples, and what it does.

pub mod abort;
pub mod agent;
pub mod check;
pub mod completions;
pub mod config;
pub mod diagnose;
pub mod drill;
pub mod events;
pub mod failback;
pub mod init;
pub mod join;
pub mod lab;
pub mod log;
pub mod man;
pub mod notice;
pub mod power;
pub mod probe;
pub mod restart;
pub mod resume;
pub mod start;
pub mod status;
pub mod stop;
pub mod switchover;
pub mod takeover;
pub mod token;
pub mod version;
