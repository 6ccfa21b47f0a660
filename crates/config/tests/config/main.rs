//! The configuration as a site writes it.

mod common;
mod disk_sets;
mod downtime;
mod examples;
mod host;
mod relations;
mod values;
