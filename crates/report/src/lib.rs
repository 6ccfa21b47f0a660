//! Papers: the log book, availability, reports and the written procedure, as PDF, HTML and plain text.
//!
//! A paper is a [`document::Document`]: values, made by pure functions from what the caller read. It is printed by
//! [`pdf::render`], [`html::render`] and [`text::render`]. The same paper gives the same bytes.

pub mod availability;
mod blocks;
pub mod document;
pub mod drill;
pub mod figures;
mod flow;
pub mod html;
pub mod incident;
pub mod log_book;
mod metrics;
mod moves;
pub mod pdf;
pub mod report;
pub mod sheet;
pub mod sop;
pub mod text;
pub mod truth;
mod wrap;

use siaga_model::incident::SignedAs;
use siaga_words::{Voice, signed_as};

/// The three who sign a report.
pub(crate) fn signers(voice: &Voice) -> Vec<(String, String)> {
    [
        SignedAs::Performer,
        SignedAs::Verifier,
        SignedAs::Management,
    ]
    .map(|part| (capital(signed_as(voice, part)), String::new()))
    .to_vec()
}

/// With a capital at the beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
