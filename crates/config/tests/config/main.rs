//! The configuration as a site writes it.

mod common;
mod examples;
mod host;
mod relations;
mod values;
