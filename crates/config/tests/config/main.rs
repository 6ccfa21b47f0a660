//! The configuration as a site writes it.

mod common;
mod downtime;
mod examples;
mod host;
mod relations;
mod values;
