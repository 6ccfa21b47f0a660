//! Records as the tests need them.

use siaga_model::UtcMicros;
use siaga_model::incident::TimeKind;
use siaga_model::record::{
    Figures, IncidentRecord, IncidentState as State, RecordTime, TimeSource,
};

/// An incident of which nothing is known but its state.
pub fn record(id: &str, state: State) -> IncidentRecord {
    let time = |time| RecordTime {
        time,
        at: None,
        source: None,
        corrections: Vec::new(),
    };
    serde_json::from_value(serde_json::json!({
        "id": id, "key": format!("key-{id}"), "kind": "unplanned", "state": state,
        "scope": null, "level": null, "origin": {"by": "person"}, "services": ["simrs"],
        "symptom": null, "reported_by": null, "reported_unit": null, "medium": null,
        "opened_at": 0, "opened_by": null,
        "times": TimeKind::ALL.map(time), "figures": Figures::default(), "cause": null,
        "decision": null, "decider": null, "proofs": [], "runs": [], "estimates": [],
        "acknowledged_by": null, "updates": [], "notes": [], "notices": [], "impact": [],
        "back_entry": [], "papers_left": [], "watch_until": null, "review": null,
        "actions": [], "signatures": [], "closed_at": null, "closed_reason": null,
        "merged_into": null, "history": []
    }))
    .unwrap()
}

/// The same with a measured time.
pub fn measured(mut record: IncidentRecord, kind: TimeKind, at: i64) -> IncidentRecord {
    let time = record.times.iter_mut().find(|t| t.time == kind).unwrap();
    (time.at, time.source) = (Some(UtcMicros(at)), Some(TimeSource::Probe));
    record
}
