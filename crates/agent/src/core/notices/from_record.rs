//! What a notice says of its incident, where the person did not say it: numbers and times come from the record, so that
//! nobody copies them by hand at three in the morning.

use crate::core::incidents::records;
use crate::core::state::Core;
use siaga_journal::JournalError;
use siaga_model::IncidentKey;
use siaga_model::UtcMicros;
use siaga_model::downtime::Rules;
use siaga_model::incident::{IncidentKind, Level, TimeKind};
use siaga_model::notice::Moment;
use siaga_model::notice_api::NoticeFacts;
use siaga_model::record::{IncidentRecord, IncidentState};

/// The incident that a notice belongs to: the one that is named, by number or key, or the only one that is going on.
/// The inner `None`: the one named does not exist.
///
/// # Errors
/// Where the log can't be read.
pub fn meant(
    core: &Core,
    moment: Moment,
    asked: Option<&IncidentKey>,
) -> Result<Option<Option<IncidentRecord>>, JournalError> {
    if let (Moment::Planned, None) = (moment, asked) {
        return Ok(None);
    }
    let records = records(core)?;
    if let Some(asked) = asked {
        return Ok(Some(
            siaga_journal::incidents::find(&records, asked.as_str()).cloned(),
        ));
    }
    let going_on = |r: &&IncidentRecord| r.state.is_open() || fits_after(moment, r.state);
    let mut all = records.iter().filter(going_on);
    // Of several nobody knows which is meant.
    let one = all.next().filter(|_| all.next().is_none());
    Ok(one.map(|record| Some(record.clone())))
}

fn fits_after(moment: Moment, state: IncidentState) -> bool {
    match moment {
        Moment::AllClear => state == IncidentState::AllClear,
        Moment::FollowUp => matches!(state, IncidentState::AllClear | IncidentState::Closed),
        Moment::Withdrawn => state == IncidentState::Withdrawn,
        Moment::Suspected
        | Moment::Confirmed
        | Moment::Update
        | Moment::Action
        | Moment::Restored
        | Moment::Planned => false,
    }
}

/// Adds what the record knows to what the person gave; a person's word goes first.
pub fn fill(
    record: &IncidentRecord,
    moment: Moment,
    rules: &Rules,
    now: UtcMicros,
    given: NoticeFacts,
) -> NoticeFacts {
    let time = |kind| record.time(kind);
    let estimate = record.estimates.last();
    let range = estimate.and_then(|e| Some((e.given_at, e.range?)));
    let after = |at: UtcMicros, seconds: u64| {
        let micros = i64::try_from(seconds)
            .unwrap_or(0)
            .saturating_mul(1_000_000);
        UtcMicros(at.0.saturating_add(micros))
    };
    let earlier = record.notices.iter().filter_map(|n| n.first_sent_at).min();
    let changed = match record.estimates.as_slice() {
        [.., before, now] => Some(before.range != now.range),
        _ => None,
    };
    let services = match given.services.is_empty() {
        true => record.services.clone(),
        false => given.services,
    };
    NoticeFacts {
        number: given.number.or_else(|| Some(record.id.clone())),
        drill: given.drill || record.kind == IncidentKind::Drill,
        // A drill of this program moves the real service.
        stops_service: given.stops_service || record.kind == IncidentKind::Drill,
        services,
        reported: given
            .reported
            .or(time(TimeKind::Reported))
            .or(time(TimeKind::Detected)),
        start: given
            .start
            .or(time(TimeKind::Offline))
            .or(Some(record.opened_at)),
        estimate_from: given
            .estimate_from
            .or(range.map(|(at, r)| after(at, r.low_s))),
        estimate_to: given
            .estimate_to
            .or(range.map(|(at, r)| after(at, r.high_s))),
        estimate_changed: given.estimate_changed.or(changed),
        // A time that has passed promises nothing: then the site's rule says the next.
        next_update: given
            .next_update
            .or(estimate.map(|e| e.next_update_at).filter(|at| *at > now)),
        paper: given.paper.or(record.level.map(|level| level >= Level::G2)),
        restored: given.restored.or(time(TimeKind::ClientOk)),
        watch_until: given.watch_until.or(record.watch_until),
        downtime_s: given
            .downtime_s
            .or(record.figures.down_ms.map(|ms| ms.div_ceil(1000))),
        back_entry_due: given
            .back_entry_due
            .or(time(TimeKind::AllClear).map(|at| after(at, rules.back_entry_within.as_secs()))),
        window_from: given.window_from,
        window_to: given.window_to,
        earlier: given.earlier.or(earlier),
        sentence: given.sentence.or_else(|| sentence(record, moment)),
    }
}

/// The newest sentence that was written for the units.
fn sentence(record: &IncidentRecord, moment: Moment) -> Option<String> {
    match moment {
        Moment::Update => record.updates.last().map(|u| u.text.clone()),
        Moment::FollowUp => record.review.as_ref().map(|r| r.root_cause.clone()),
        Moment::Suspected => record.symptom.clone(),
        Moment::Confirmed
        | Moment::Action
        | Moment::Restored
        | Moment::AllClear
        | Moment::Planned
        | Moment::Withdrawn => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::incident::{Estimate, Range};
    use siaga_model::record::Figures;

    fn record() -> IncidentRecord {
        let time = |time, at: Option<i64>| serde_json::json!({"time": time, "at": at, "source": null, "corrections": []});
        serde_json::from_value(serde_json::json!({
            "id": "DT-2026-007", "key": "k", "kind": "unplanned", "state": "confirmed",
            "scope": null, "level": "G2", "origin": {"by": "client_tests"}, "services": ["simrs"],
            "symptom": "x", "reported_by": null, "reported_unit": null, "medium": null,
            "opened_at": 9, "opened_by": null,
            "times": [time(TimeKind::Offline, Some(5_000_000)), time(TimeKind::ClientOk, None)],
            "figures": Figures::default(), "cause": null,
            "decision": null, "decider": null, "proofs": [], "runs": [], "estimates": [],
            "acknowledged_by": null, "updates": [], "notes": [], "notices": [], "impact": [],
            "back_entry": [], "papers_left": [], "watch_until": null, "review": null,
            "actions": [], "signatures": [], "closed_at": null, "closed_reason": null,
            "merged_into": null, "history": []
        }))
        .unwrap()
    }

    const NOW: UtcMicros = UtcMicros(20_000_000);

    #[test]
    fn a_promise_that_has_passed_is_not_made_again() {
        let mut record = record();
        record.estimates.push(Estimate {
            range: None,
            given_at: UtcMicros(1),
            next_update_at: UtcMicros(19_000_000),
            based_on: Vec::new(),
        });
        let rules = Rules::default();
        let facts = fill(&record, Moment::Update, &rules, NOW, NoticeFacts::default());
        assert_eq!(facts.next_update, None);
    }

    #[test]
    fn numbers_and_times_come_from_the_record_and_a_persons_word_goes_first() {
        let mut record = record();
        record.estimates.push(Estimate {
            range: Some(Range {
                low_s: 60,
                likely_s: 90,
                high_s: 120,
            }),
            given_at: UtcMicros(10_000_000),
            next_update_at: UtcMicros(99_000_000),
            based_on: Vec::new(),
        });
        let rules = Rules::default();
        let facts = fill(
            &record,
            Moment::Confirmed,
            &rules,
            NOW,
            NoticeFacts::default(),
        );
        assert_eq!(facts.number.as_deref(), Some("DT-2026-007"));
        assert_eq!(facts.start, Some(UtcMicros(5_000_000)));
        assert_eq!(facts.estimate_from, Some(UtcMicros(70_000_000)));
        assert_eq!(facts.estimate_to, Some(UtcMicros(130_000_000)));
        assert_eq!(facts.next_update, Some(UtcMicros(99_000_000)));
        assert_eq!(
            (facts.paper, facts.drill, facts.restored),
            (Some(true), false, None)
        );
        let said = NoticeFacts {
            start: Some(UtcMicros(1)),
            paper: Some(false),
            ..NoticeFacts::default()
        };
        let facts = fill(&record, Moment::Confirmed, &rules, NOW, said);
        assert_eq!(
            (facts.start, facts.paper),
            (Some(UtcMicros(1)), Some(false))
        );
        // A drill is marked, whoever writes the text.
        record.kind = IncidentKind::Drill;
        let facts = fill(
            &record,
            Moment::Confirmed,
            &rules,
            NOW,
            NoticeFacts::default(),
        );
        assert!(facts.drill && facts.stops_service);
    }
}
