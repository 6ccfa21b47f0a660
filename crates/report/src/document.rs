//! What a paper consists of, whatever it is printed as.

use siaga_model::api::SiteView;
use siaga_model::config::Language;
use siaga_words::{Paper, Voice, paper};

/// A paper: head box, content, foot.
#[derive(Clone, PartialEq, Debug)]
pub struct Document {
    pub language: Language,
    pub head: Head,
    pub blocks: Vec<Block>,
    /// In small print at the foot of every page: the heads of the event chains. Empty: none.
    pub foot: String,
    /// What the paper was made from, as JSON, carried inside the file. `None`: nothing.
    pub data: Option<String>,
}

/// The head box in the layout of a hospital's written procedures.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// The hospital.
    pub site: String,
    /// What sort of paper: `STANDAR PROSEDUR OPERASIONAL`.
    pub sort: String,
    pub title: String,
    pub number: String,
    pub revision: String,
    /// Its date.
    pub date: String,
    pub approved_by: String,
}

impl Head {
    /// The box of a report. It has a number of its own, which is written by hand; its date comes when it is printed.
    pub fn of_report(voice: &Voice, site: &SiteView, title: &str) -> Self {
        Self {
            site: site.site.clone(),
            sort: paper(voice, Paper::SortReport).to_owned(),
            title: title.to_owned(),
            approved_by: site.document.approved_by.clone(),
            ..Self::default()
        }
    }
}

/// A part of a paper.
#[derive(Clone, PartialEq, Debug)]
pub enum Block {
    Heading(String),
    Text(String),
    /// In a frame, so that nobody reads over it.
    Warning(String),
    /// Names with their values; an empty value is a line to fill by hand.
    Fields(Vec<(String, String)>),
    Table {
        columns: Vec<Column>,
        rows: Vec<Vec<String>>,
    },
    /// Things to do, each with a box for the hour and one for the initials.
    Steps(Vec<Step>),
    Bars(Vec<Bar>),
    Timeline(Vec<Span>),
    /// So many empty lines to write on.
    Lines(u8),
    /// Who signs: as what, and the name where it is known.
    Signatures(Vec<(String, String)>),
    /// A row of the layout: its name at the left, its content at the right.
    Section {
        label: String,
        blocks: Vec<Block>,
    },
}

/// A column of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    pub title: String,
    /// Its share of the width.
    pub weight: f32,
    /// Numbers stand at the right.
    pub right: bool,
}

impl Column {
    /// A column of text.
    pub fn text(title: impl Into<String>, weight: f32) -> Self {
        Self {
            title: title.into(),
            weight,
            right: false,
        }
    }

    /// A column of numbers.
    pub fn number(title: impl Into<String>, weight: f32) -> Self {
        Self {
            right: true,
            ..Self::text(title, weight)
        }
    }
}

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Step {
    /// `A.3`.
    pub number: String,
    pub text: String,
    /// To be typed as they stand.
    pub commands: Vec<String>,
}

/// A bar of a trend.
#[derive(Clone, PartialEq, Debug)]
pub struct Bar {
    pub label: String,
    /// How long the bar is, from 0 to 1. `None`: not known.
    pub share: Option<f64>,
    /// What stands at its end.
    pub text: String,
}

/// A span on a timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    pub label: String,
    /// From the timeline's begin, in milliseconds.
    pub from_ms: u64,
    pub length_ms: u64,
    /// What stands at its end.
    pub text: String,
    /// A downtime, or a step that failed: drawn darker.
    pub strong: bool,
}
