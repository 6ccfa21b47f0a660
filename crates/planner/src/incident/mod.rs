//! What may be written into an incident's record: values in, rows or a refusal out.
//!
//! A row is never changed or taken back, so what is wrong must not get in. What is merely unknown may: it stays blank.

mod checks;
mod opening;

use checks::{is_day, needed, short};
pub use opening::{open, select};
use siaga_model::downtime::Rules;
use siaga_model::incident::{BackEntry, CorrectiveAction, Estimate, IncidentEntry, TimeKind};
use siaga_model::incident_api::{IncidentAct, IncidentRefusal, PersonEstimate};
use siaga_model::record::{IncidentRecord, IncidentState};
use siaga_model::{PersonName, ServiceName, UnitName, UtcMicros};

/// The longest text of one row, in bytes.
pub const TEXT_AT_MOST: usize = 4000;
/// How far a person's clock may be ahead, microseconds.
const AHEAD: i64 = 60_000_000;

/// What the rows are held against.
pub struct Desk<'a> {
    pub units: &'a [UnitName],
    pub services: &'a [ServiceName],
    pub rules: &'a Rules,
    pub now: UtcMicros,
    /// The person of the list who writes, where that is known.
    pub person: Option<&'a PersonName>,
    /// What the estimate computed for this incident is now.
    pub computed: Option<&'a Estimate>,
    /// Does a fresh witness see the service working? `None`: nobody can tell.
    pub serving: Option<bool>,
}

/// The rows that an act adds to `record`.
///
/// # Errors
/// Where it may not be written, or can't be right.
pub fn admit(
    act: &IncidentAct,
    record: &IncidentRecord,
    others: &[IncidentRecord],
    desk: &Desk,
) -> Result<Vec<IncidentEntry>, IncidentRefusal> {
    may_go_on(act, record)?;
    let one = |entry| Ok(vec![entry]);
    match act {
        IncidentAct::Open { .. } => Ok(Vec::new()),
        IncidentAct::Confirm { scope, level } => {
            let mut rows = Vec::new();
            if record.state == IncidentState::Suspected {
                rows.push(IncidentEntry::Confirmed);
            }
            if scope.is_some() || level.is_some() {
                rows.push(classified(None, *scope, *level));
            }
            Ok(rows)
        }
        IncidentAct::Classify { kind, scope, level } => one(classified(*kind, *scope, *level)),
        IncidentAct::EnterTime { time, at, reason } => {
            time_entered(*time, *at, reason, record, desk).map(|row| vec![row])
        }
        IncidentAct::GiveCause { category, text } => {
            short("--text", text)?;
            one(IncidentEntry::CauseGiven {
                category: *category,
                text: text.clone(),
            })
        }
        IncidentAct::Decide { decision, decider } => {
            needed("--text", decision)?;
            one(IncidentEntry::Decided {
                decision: decision.clone(),
                decider: decider.clone(),
            })
        }
        IncidentAct::Estimate { by_person } => Ok(vec![IncidentEntry::Estimated {
            estimate: estimate(by_person.as_ref(), desk),
        }]),
        IncidentAct::Update { text } => {
            needed("--text", text)?;
            one(IncidentEntry::Updated { text: text.clone() })
        }
        IncidentAct::Note { text } => {
            needed("--text", text)?;
            one(IncidentEntry::Noted { text: text.clone() })
        }
        IncidentAct::Acknowledge => one(IncidentEntry::Acknowledged {
            person: desk.somebody()?,
        }),
        IncidentAct::Restored => one(IncidentEntry::Restored {
            watch_until: desk.after(desk.rules.watch_for),
        }),
        IncidentAct::AllClear => all_clear(record, desk),
        IncidentAct::Withdraw { reason } => {
            needed("--reason", reason)?;
            one(IncidentEntry::Withdrawn {
                reason: reason.clone(),
            })
        }
        IncidentAct::MergeInto { incident } => {
            let into = select(others, Some(incident))?;
            if into.key == record.key {
                return Err(IncidentRefusal::IncidentUnknown {
                    asked: incident.clone(),
                });
            }
            one(IncidentEntry::MergedInto {
                incident: into.key.clone(),
            })
        }
        IncidentAct::Impact { impact } => {
            desk.knows(&impact.unit)?;
            short("--note", &impact.note)?;
            one(IncidentEntry::Impact {
                impact: impact.clone(),
            })
        }
        IncidentAct::BackEntry { entry } => {
            back_entry(entry, desk)?;
            one(IncidentEntry::BackEntry {
                entry: entry.clone(),
            })
        }
        IncidentAct::Review { review } => {
            needed("--root-cause", &review.root_cause)?;
            for (name, text) in [
                ("--went-well", &review.went_well),
                ("--went-badly", &review.went_badly),
            ] {
                short(name, text)?;
            }
            one(IncidentEntry::Reviewed {
                review: review.clone(),
            })
        }
        IncidentAct::Action {
            number,
            text,
            owner,
            due,
        } => {
            let action = action(*number, text, owner, due, record)?;
            one(IncidentEntry::Action { action })
        }
        IncidentAct::ActionDone { number } => {
            let known = record.actions.iter().find(|a| a.number == *number);
            let Some(known) = known else {
                return Err(IncidentRefusal::ActionUnknown { number: *number });
            };
            one(IncidentEntry::Action {
                action: CorrectiveAction {
                    done: true,
                    ..known.clone()
                },
            })
        }
        IncidentAct::Sign { part } => one(IncidentEntry::Signed {
            part: *part,
            person: desk.somebody()?,
        }),
        IncidentAct::Close { reason } => close(reason.as_ref(), record),
    }
}

/// What is over takes no more than remarks, paperwork and signatures; what is signed, no change of what was signed.
fn may_go_on(act: &IncidentAct, record: &IncidentRecord) -> Result<(), IncidentRefusal> {
    let always = matches!(
        act,
        IncidentAct::Note { .. }
            | IncidentAct::Action { .. }
            | IncidentAct::ActionDone { .. }
            | IncidentAct::Sign { .. }
    );
    if always {
        return Ok(());
    }
    let paperwork = matches!(
        act,
        IncidentAct::EnterTime { .. }
            | IncidentAct::GiveCause { .. }
            | IncidentAct::Impact { .. }
            | IncidentAct::BackEntry { .. }
            | IncidentAct::Review { .. }
            | IncidentAct::Classify { .. }
            | IncidentAct::Decide { .. }
    );
    if !record.signatures.is_empty() && paperwork {
        return Err(IncidentRefusal::Signed {
            id: record.id.clone(),
        });
    }
    let over = || IncidentRefusal::IncidentOver {
        id: record.id.clone(),
        state: record.state,
    };
    match record.state {
        IncidentState::Suspected | IncidentState::Confirmed | IncidentState::UnderWatch => Ok(()),
        IncidentState::AllClear if paperwork || matches!(act, IncidentAct::Close { .. }) => Ok(()),
        IncidentState::Closed if paperwork => Ok(()),
        IncidentState::AllClear
        | IncidentState::Closed
        | IncidentState::Withdrawn
        | IncidentState::Merged => Err(over()),
    }
}

fn classified(
    kind: Option<siaga_model::incident::IncidentKind>,
    scope: Option<siaga_model::incident::Scope>,
    level: Option<siaga_model::incident::Level>,
) -> IncidentEntry {
    IncidentEntry::Classified { kind, scope, level }
}

/// An entered time must not lie in the future, nor end the downtime before it began.
fn time_entered(
    time: TimeKind,
    at: Option<UtcMicros>,
    reason: &str,
    record: &IncidentRecord,
    desk: &Desk,
) -> Result<IncidentEntry, IncidentRefusal> {
    let measured = record.times.iter().find(|t| t.time == time);
    if measured.is_some_and(|t| t.at.is_some()) {
        // A correction says why.
        needed("--reason", reason)?;
    }
    short("--reason", reason)?;
    if let Some(at) = at {
        desk.is_past(at)?;
        let (start, end) = match time {
            TimeKind::Offline => (Some(at), record.time(TimeKind::ClientOk)),
            TimeKind::ClientOk | TimeKind::AllClear => (record.time(TimeKind::Offline), Some(at)),
            _ => (None, None),
        };
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            return Err(IncidentRefusal::EndBeforeStart { start, end });
        }
    }
    Ok(IncidentEntry::TimeEntered {
        time,
        at,
        reason: reason.to_owned(),
    })
}

fn estimate(by_person: Option<&PersonEstimate>, desk: &Desk) -> Estimate {
    let next_update_at = desk.after(desk.rules.update_every);
    match (by_person, desk.computed) {
        (Some(said), _) => Estimate {
            range: said.range,
            given_at: desk.now,
            next_update_at,
            based_on: vec![siaga_model::incident::Basis::Person],
        },
        (None, Some(computed)) => computed.clone(),
        (None, None) => Estimate {
            range: None,
            given_at: desk.now,
            next_update_at,
            based_on: Vec::new(),
        },
    }
}

/// The units may go on. Somebody must have seen the service work: a witness now, or a person who said so.
fn all_clear(record: &IncidentRecord, desk: &Desk) -> Result<Vec<IncidentEntry>, IncidentRefusal> {
    let restored = record.state == IncidentState::UnderWatch;
    match (restored, desk.serving) {
        (_, Some(false)) | (false, None) => Err(IncidentRefusal::NotRestored {
            id: record.id.clone(),
        }),
        (true, _) | (false, Some(true)) => Ok(vec![IncidentEntry::AllClear]),
    }
}

fn back_entry(entry: &BackEntry, desk: &Desk) -> Result<(), IncidentRefusal> {
    desk.knows(&entry.unit)?;
    match (entry.forms, entry.entered) {
        (Some(forms), Some(entered)) if entered > forms => {
            Err(IncidentRefusal::TooManyEntered { forms, entered })
        }
        _ => Ok(()),
    }
}

fn action(
    number: Option<u32>,
    text: &str,
    owner: &str,
    due: &str,
    record: &IncidentRecord,
) -> Result<CorrectiveAction, IncidentRefusal> {
    for (name, text) in [("--text", text), ("--owner", owner), ("--due", due)] {
        needed(name, text)?;
    }
    if !is_day(due) {
        return Err(IncidentRefusal::BadDay {
            name: "--due".to_owned(),
            found: due.to_owned(),
        });
    }
    let newest = record.actions.iter().map(|a| a.number).max().unwrap_or(0);
    if let Some(number) = number
        && !record.actions.iter().any(|a| a.number == number)
    {
        return Err(IncidentRefusal::ActionUnknown { number });
    }
    Ok(CorrectiveAction {
        number: number.unwrap_or(newest.saturating_add(1)),
        text: text.to_owned(),
        owner: owner.to_owned(),
        due: due.to_owned(),
        done: false,
    })
}

/// Closed with an all-clear and all papers entered, or with a reason.
fn close(
    reason: Option<&String>,
    record: &IncidentRecord,
) -> Result<Vec<IncidentEntry>, IncidentRefusal> {
    if let Some(reason) = reason {
        needed("--reason", reason)?;
    } else if record.state != IncidentState::AllClear {
        return Err(IncidentRefusal::AllClearMissing {
            id: record.id.clone(),
        });
    } else {
        if !record.papers_left.is_empty() {
            return Err(IncidentRefusal::BackEntryOpen {
                id: record.id.clone(),
                units: record.papers_left.clone(),
            });
        }
    }
    Ok(vec![IncidentEntry::Closed {
        reason: reason.cloned(),
    }])
}
