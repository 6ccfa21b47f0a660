//! What people still have to do, and of what they are reminded now. Values in, values out: the caller brings the
//! records, the clock and the site's day.

use crate::calendar::day_number;
use siaga_model::downtime::Rules;
use siaga_model::duty::Duty;
use siaga_model::incident::TimeKind;
use siaga_model::notice::{Moment, Window};
use siaga_model::record::{IncidentRecord, IncidentState};
use siaga_model::{NoticeId, UtcMicros};

/// How long before planned work its reminders go out, seconds: the longest first.
const AHEAD_S: [i64; 2] = [24 * 3600, 3600];
/// Who was reminded of something that is overdue, is reminded again after so many days.
const AGAIN_DAYS: i64 = 7;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// What the answer is made of.
pub struct Desk<'a> {
    pub now: UtcMicros,
    /// The day of the site's calendar: `2026-11-25`.
    pub today: &'a str,
    pub rules: &'a Rules,
    /// Those that are open, or have open actions; others say nothing here.
    pub records: &'a [IncidentRecord],
    pub planned: &'a [Planned],
    /// The newest drill that was graded.
    pub last_drill: Option<UtcMicros>,
    /// The first row of the log: without any drill the time is counted from there.
    pub began: Option<UtcMicros>,
}

/// A notice that announces planned work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    pub notice: NoticeId,
    pub window: Window,
    /// When it was released, or written where nobody has released it.
    pub since: UtcMicros,
    /// A person released it.
    pub released: bool,
}

/// Everything that is to be done now, gravest kinds first.
pub fn duties(desk: &Desk) -> Vec<Duty> {
    let mut all: Vec<Duty> = desk
        .records
        .iter()
        .flat_map(|r| of_incident(r, desk.now))
        .collect();
    all.extend(desk.planned.iter().filter_map(|p| soon(p, desk.now)));
    all.extend(drill(desk));
    let review = desk.rules.procedure_review_due.as_ref();
    all.extend(
        review
            .filter(|due| due.as_str() < desk.today)
            .map(|due| Duty::ReviewOverdue { due: due.clone() }),
    );
    all.extend(desk.records.iter().flat_map(|r| actions(r, desk.today)));
    all
}

/// What is to be done of one incident, apart from its corrective actions.
pub fn of_incident(record: &IncidentRecord, now: UtcMicros) -> Vec<Duty> {
    let late = late(record, now).map(|promised| Duty::UpdateLate {
        incident: record.id.clone(),
        key: record.key.clone(),
        services: record.services.clone(),
        promised,
    });
    let over = over(record, now).map(|(given_at, over_since)| Duty::EstimateOver {
        incident: record.id.clone(),
        key: record.key.clone(),
        services: record.services.clone(),
        given_at,
        over_since,
    });
    let times = missing(record);
    let missing = (!times.is_empty()).then(|| Duty::TimesMissing {
        incident: record.id.clone(),
        times,
    });
    [late, over, missing].into_iter().flatten().collect()
}

/// The time of the next news that was promised last, and who heard of it.
struct Promise {
    made_at: UtcMicros,
    at: UtcMicros,
    /// In a notice to the units, not in the record alone.
    told: bool,
}

fn promise(record: &IncidentRecord) -> Option<Promise> {
    let said = record.estimates.iter().map(|e| Promise {
        made_at: e.given_at,
        at: e.next_update_at,
        told: false,
    });
    let told = record.notices.iter().filter_map(|n| {
        Some(Promise {
            made_at: n.released_at?,
            at: n.next_update_at?,
            told: true,
        })
    });
    said.chain(told).max_by_key(|p| p.made_at)
}

/// The promise that was not kept: its time.
pub fn late(record: &IncidentRecord, now: UtcMicros) -> Option<UtcMicros> {
    let promise = promise(record).filter(|p| p.at < now)?;
    let waited_for = match record.state {
        IncidentState::Suspected | IncidentState::Confirmed => true,
        // It works again: the units that were promised news wait until they are told so.
        IncidentState::UnderWatch => promise.told && !ending_told(record, promise.made_at),
        IncidentState::AllClear
        | IncidentState::Closed
        | IncidentState::Withdrawn
        | IncidentState::Merged => false,
    };
    waited_for.then_some(promise.at)
}

fn ending_told(record: &IncidentRecord, after: UtcMicros) -> bool {
    let ends = |moment| {
        matches!(
            moment,
            Moment::Restored | Moment::AllClear | Moment::Withdrawn
        )
    };
    record
        .notices
        .iter()
        .any(|n| ends(n.moment) && n.released_at.is_some_and(|at| at > after))
}

/// The newest estimate is over, and the service is not back: when it was given, and when it ended.
pub fn over(record: &IncidentRecord, now: UtcMicros) -> Option<(UtcMicros, UtcMicros)> {
    let down = matches!(
        record.state,
        IncidentState::Suspected | IncidentState::Confirmed
    );
    let given = record.estimates.last().filter(|_| down)?;
    let end = after(given.given_at, given.range?.high_s);
    (end < now).then_some((given.given_at, end))
}

/// The times of a move made by hand that nobody has entered: those that the log book needs.
fn missing(record: &IncidentRecord) -> Vec<TimeKind> {
    let gone = matches!(
        record.state,
        IncidentState::Withdrawn | IncidentState::Merged
    );
    if !record.moved_by_hand() || gone || !record.signatures.is_empty() {
        return Vec::new();
    }
    // Somebody who said that it is not known has answered.
    let unanswered = |kind: &TimeKind| {
        let time = record.times.iter().find(|t| t.time == *kind);
        time.is_none_or(|t| t.counts().is_none() && t.source.is_none())
    };
    [TimeKind::Offline, TimeKind::ClientOk]
        .into_iter()
        .filter(unanswered)
        .collect()
}

fn soon(planned: &Planned, now: UtcMicros) -> Option<Duty> {
    let from = planned.window.from;
    let near = UtcMicros(from.0.saturating_sub(AHEAD_S[0] * SECOND));
    (near <= now && now < from).then(|| Duty::PlannedWork {
        notice: planned.notice.clone(),
        starts_at: from,
        released: planned.released,
    })
}

fn drill(desk: &Desk) -> Option<Duty> {
    let every_days = desk.rules.drill_every_days;
    let from = desk.last_drill.or(desk.began)?;
    let overdue_since = UtcMicros(from.0.saturating_add(i64::from(every_days) * DAY));
    (overdue_since < desk.now).then_some(Duty::DrillOverdue {
        last: desk.last_drill,
        every_days,
        overdue_since,
    })
}

fn actions(record: &IncidentRecord, today: &str) -> Vec<Duty> {
    let gone = matches!(
        record.state,
        IncidentState::Withdrawn | IncidentState::Merged
    );
    let open = record.actions.iter().filter(|a| !a.done && !gone);
    open.filter(|a| a.due.as_str() < today)
        .map(|a| Duty::ActionOverdue {
            incident: record.id.clone(),
            number: a.number,
            text: a.text.clone(),
            owner: a.owner.clone(),
            due: a.due.clone(),
        })
        .collect()
}

/// A reminder that goes out now, unless it went out before under the same name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reminder {
    pub duty: Duty,
    /// When its period began, and a word for what it is about: together they are its name on every node.
    pub period: UtcMicros,
    pub tag: String,
    /// It may wait for the morning.
    pub in_the_day: bool,
}

/// The reminders of now. A promise that is late is no reminder but an alert.
pub fn reminders(desk: &Desk) -> Vec<Reminder> {
    let all = duties(desk);
    all.into_iter().filter_map(|d| reminder(d, desk)).collect()
}

fn reminder(duty: Duty, desk: &Desk) -> Option<Reminder> {
    let (period, tag, in_the_day) = match &duty {
        Duty::UpdateLate { .. } | Duty::EstimateOver { .. } => return None,
        // The screens ask for them.
        Duty::TimesMissing { .. } | Duty::StartWaits { .. } => return None,
        Duty::PlannedWork {
            notice, starts_at, ..
        } => {
            let planned = desk.planned.iter().find(|p| &p.notice == notice)?;
            let begins = |s: &i64| UtcMicros(starts_at.0.saturating_sub(s * SECOND));
            // The last one whose time has come; who was told later than that has just been told.
            let stage = AHEAD_S.iter().rfind(|s| begins(s) <= desk.now)?;
            if planned.since >= begins(stage) {
                return None;
            }
            let tag = format!("planned-{}h-{notice}", stage / 3600);
            (begins(stage), tag, false)
        }
        Duty::DrillOverdue { overdue_since, .. } => {
            let periods = (desk.now.0.saturating_sub(overdue_since.0)) / (AGAIN_DAYS * DAY);
            let period = overdue_since.0.saturating_add(periods * AGAIN_DAYS * DAY);
            (UtcMicros(period), "drill".to_owned(), true)
        }
        Duty::ReviewOverdue { due } => (week(due, desk.today)?, "review".to_owned(), true),
        Duty::ActionOverdue {
            incident,
            number,
            due,
            ..
        } => {
            let tag = format!("action-{incident}-{number}");
            (week(due, desk.today)?, tag, true)
        }
    };
    Some(Reminder {
        duty,
        period,
        tag,
        in_the_day,
    })
}

/// The beginning of the week, counted from the day after `due`, that today lies in.
fn week(due: &str, today: &str) -> Option<UtcMicros> {
    let first = day_number(due)?.saturating_add(1);
    let weeks = day_number(today)?
        .saturating_sub(first)
        .div_euclid(AGAIN_DAYS);
    let day = first.saturating_add(weeks.saturating_mul(AGAIN_DAYS));
    Some(UtcMicros(day.saturating_mul(DAY)))
}

fn after(at: UtcMicros, seconds: u64) -> UtcMicros {
    let micros = i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(SECOND);
    UtcMicros(at.0.saturating_add(micros))
}
