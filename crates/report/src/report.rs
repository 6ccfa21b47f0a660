//! A report: its content, the seal that ties it to the event log, and the file that carries both, so that `verify`
//! can print it again and compare.

use crate::document::{Document, Head};
use crate::drill::DrillDocument;
use crate::html::{DATA_CLOSE, DATA_OPEN};
use crate::incident::IncidentDocument;
use crate::{availability, drill, html, incident, log_book, pdf};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use siaga_journal::availability::Availability;
use siaga_journal::log_book::LogBookRow;
use siaga_model::api::SiteView;
use siaga_model::config::Language;
use siaga_model::seal::{LogHead, Seal};
use siaga_model::{ServiceName, UtcMicros};
use siaga_words::{Paper, Voice, paper};
use std::collections::BTreeMap;

/// The version of the form below.
const FORM: u32 = 1;
/// How the data begins, wherever it is carried.
const BEGIN: &str = "{\"siaga_report\":1,";

/// A report as data.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// First of all fields: it marks the data in a file.
    pub siaga_report: u32,
    /// The version of the program that made it.
    pub made_by: String,
    pub made_at: UtcMicros,
    pub language: Language,
    pub site: SiteView,
    pub seal: Seal,
    pub content: Content,
}

/// What it reports.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "content")]
pub enum Content {
    Availability {
        period: String,
        figures: Vec<Availability>,
        trend: Vec<Availability>,
    },
    LogBook {
        /// A month; empty: all.
        period: String,
        /// Of this service alone (and of the machines).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<ServiceName>,
        rows: Vec<LogBookRow>,
    },
    Drill(Box<DrillDocument>),
    Incident(Box<IncidentDocument>),
}

/// The forms that carry their data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Pdf,
    Html,
    Json,
}

impl Report {
    /// A report made by this program.
    pub fn new(
        site: SiteView,
        language: Language,
        made_at: UtcMicros,
        seal: Seal,
        content: Content,
    ) -> Self {
        Self {
            siaga_report: FORM,
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            language,
            site,
            seal,
            content,
        }
    }

    /// True where another version made it: its print may differ from ours.
    pub fn of_another_version(&self) -> bool {
        self.made_by != env!("CARGO_PKG_VERSION")
    }

    fn voice(&self) -> Voice {
        Voice::new(self.language, &self.site.time_zone)
            .naming_services(self.site.services.len() > 1)
    }

    /// The paper, with what it was made from.
    pub fn document(&self) -> Document {
        let voice = self.voice();
        let document = match &self.content {
            Content::Availability {
                period,
                figures,
                trend,
            } => availability::document(&voice, &self.site, period, figures, trend),
            Content::LogBook {
                period,
                service,
                rows,
            } => {
                let of: Vec<&str> = service.iter().map(ServiceName::as_str).collect();
                let title = [of.as_slice(), &[period]].concat().join(" ");
                log_book::document(&voice, &self.site, &title, rows)
            }
            Content::Drill(drill) => drill::document(&voice, &self.site, drill),
            Content::Incident(incident) => incident::document(&voice, &self.site, incident),
        };
        let head = Head {
            date: voice.day(self.made_at),
            ..document.head
        };
        Document {
            head,
            foot: foot(&voice, self.made_at, &self.seal),
            data: Some(self.data()),
            ..document
        }
    }

    fn data(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The file in a form.
    pub fn print(&self, form: Form) -> Vec<u8> {
        match form {
            Form::Pdf => pdf::render(&self.document()),
            Form::Html => html::render(&self.document()).into_bytes(),
            Form::Json => {
                let mut text = serde_json::to_string_pretty(&self.json()).unwrap_or_default();
                text.push('\n');
                text.into_bytes()
            }
        }
    }

    /// What scripts read: the content's fields at the top, and the whole report below `report`.
    fn json(&self) -> Value {
        let mut top = match &self.content {
            Content::Availability { figures, .. } => match figures.as_slice() {
                [one] => serde_json::to_value(one),
                several => serde_json::to_value(BTreeMap::from([("services", several)])),
            },
            Content::LogBook { rows, .. } => {
                serde_json::to_value(BTreeMap::from([("rows", rows.as_slice())]))
            }
            Content::Drill(drill) => serde_json::to_value(drill),
            Content::Incident(incident) => serde_json::to_value(incident),
        }
        .unwrap_or_default();
        if let (Some(top), Ok(all)) = (top.as_object_mut(), serde_json::to_value(self)) {
            top.insert("report".to_owned(), all);
        }
        top
    }
}

/// The heads in small print: the newest of each node. All of them are in the data.
pub(crate) fn foot(voice: &Voice, made_at: UtcMicros, seal: &Seal) -> String {
    let mut newest: BTreeMap<&str, &LogHead> = BTreeMap::new();
    for head in &seal.heads {
        let kept = newest.entry(head.node.as_str()).or_insert(head);
        if head.incarnation > kept.incarnation {
            *kept = head;
        }
    }
    let heads: Vec<String> = newest
        .values()
        .map(|h| format!("{}.{}/{} {}", h.node, h.incarnation, h.seq, h.hash))
        .collect();
    format!(
        "{} {}. {}: {}",
        paper(voice, Paper::MadeAt),
        voice.instant(made_at),
        paper(voice, Paper::ChainHeads),
        heads.join("; ")
    )
}

/// A report found in a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    pub report: Report,
    pub form: Form,
    /// The file is byte for byte what this program prints from the data in it. `None`: another version made it.
    pub as_printed: Option<bool>,
}

/// Looks for a report in a file. `None`: there is none.
pub fn find(bytes: &[u8]) -> Option<Found> {
    let (report, form) = if bytes.starts_with(b"%PDF-") {
        (data_at(bytes, BEGIN)?, Form::Pdf)
    } else if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        let report = value.get("report").filter(|r| r.is_object())?;
        (serde_json::from_value(report.clone()).ok()?, Form::Json)
    } else {
        (data_at(bytes, DATA_OPEN)?, Form::Html)
    };
    let report: Report = report;
    let as_printed = (!report.of_another_version()).then(|| report.print(form) == bytes);
    Some(Found {
        report,
        form,
        as_printed,
    })
}

/// The first JSON value behind a mark (or at it, where the mark is the value's own beginning).
fn data_at(bytes: &[u8], mark: &str) -> Option<Report> {
    let at = bytes
        .windows(mark.len())
        .position(|window| window == mark.as_bytes())?;
    let from = match mark.starts_with('{') {
        true => at,
        false => at + mark.len(),
    };
    let rest = &bytes[from..];
    let end = match mark.starts_with('{') {
        true => rest.len(),
        false => {
            let close = DATA_CLOSE.as_bytes();
            rest.windows(close.len()).position(|w| w == close)?
        }
    };
    serde_json::Deserializer::from_slice(&rest[..end])
        .into_iter::<Report>()
        .next()?
        .ok()
}
