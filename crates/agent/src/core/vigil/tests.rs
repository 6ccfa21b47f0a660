use super::*;
use siaga_model::RunId;

fn record(key: &str, opened_at: i64, origin: Origin, state: IncidentState) -> IncidentRecord {
    serde_json::from_value(serde_json::json!({
        "id": key, "key": key, "kind": "unplanned", "state": state,
        "scope": null, "level": null, "origin": origin, "services": ["simrs"],
        "symptom": null, "reported_by": null, "reported_unit": null, "medium": null,
        "opened_at": opened_at, "opened_by": null, "times": [],
        "figures": siaga_model::record::Figures::default(),
        "cause": null, "decision": null, "decider": null, "proofs": [], "runs": [],
        "estimates": [], "acknowledged_by": null, "updates": [], "notes": [], "notices": [],
        "impact": [], "back_entry": [], "papers_left": [], "watch_until": null,
        "review": null, "actions": [], "signatures": [], "closed_at": null,
        "closed_reason": null, "merged_into": null, "history": []
    }))
    .unwrap()
}

fn merged(records: &[IncidentRecord]) -> Vec<(String, String)> {
    let pairs = twins(records).into_iter();
    pairs
        .map(|(later, earlier)| (later.to_string(), earlier.to_string()))
        .collect()
}

fn pair(later: &str, earlier: &str) -> Vec<(String, String)> {
    vec![(later.to_owned(), earlier.to_owned())]
}

#[test]
fn the_later_proposal_goes_into_the_earlier_one() {
    use IncidentState::{Confirmed, Suspected};
    let a = record("a", 10, Origin::ClientTests, Suspected);
    let b = record("b", 20, Origin::CannotTell, Suspected);
    assert_eq!(merged(&[a.clone(), b.clone()]), pair("b", "a"));
    assert_eq!(merged(&[b.clone(), a.clone()]), pair("b", "a"));
    // Opened at once: both nodes choose the same.
    let twin = record("c", 10, Origin::ClientTests, Suspected);
    assert_eq!(merged(&[twin, a.clone()]), pair("c", "a"));
    // What a person or a run opened takes a proposal in, and is never merged away itself.
    let person = record("p", 5, Origin::Person, Confirmed);
    assert_eq!(merged(&[person.clone(), b.clone()]), pair("b", "p"));
    let run = Origin::Run {
        run: RunId::from("r"),
    };
    let late = record("r", 30, run, Confirmed);
    assert!(merged(&[b, late]).is_empty());
}

#[test]
fn what_is_over_watched_or_of_another_service_is_no_twin() {
    use IncidentState::{AllClear, Closed, Merged, Suspected, UnderWatch, Withdrawn};
    let later = record("b", 20, Origin::ClientTests, Suspected);
    for state in [AllClear, Closed, Merged, UnderWatch, Withdrawn] {
        let earlier = record("a", 10, Origin::ClientTests, state);
        assert!(
            merged(&[earlier.clone(), later.clone()]).is_empty(),
            "{state:?}"
        );
        let over = IncidentRecord {
            state,
            ..later.clone()
        };
        let open = IncidentRecord {
            state: Suspected,
            ..earlier
        };
        assert!(merged(&[open, over]).is_empty(), "{state:?}");
    }
    let other = IncidentRecord {
        services: vec!["pacs".into()],
        ..record("a", 10, Origin::ClientTests, Suspected)
    };
    assert!(merged(&[other, later]).is_empty());
}

#[test]
fn a_node_knows_since_when_it_looks_and_a_probe_since_its_last_success() {
    let failing = |since, by| Seen::Failing {
        since: UtcMicros(since),
        by,
    };
    let now = UtcMicros(60_000_000);
    let for_so_long = Duration::from_secs(15);
    let of = |seen| begun(seen, now, for_so_long);
    assert_eq!(
        of(failing(60_000_000, SeenBy::Node)),
        failing(45_000_000, SeenBy::Node)
    );
    assert_eq!(
        of(failing(40_000_000, SeenBy::Probe)),
        failing(40_000_000, SeenBy::Probe)
    );
    assert_eq!(of(Seen::CannotTell), Seen::CannotTell);
}

#[test]
fn only_what_the_agents_opened_is_alerted_by_them() {
    let by = |origin| by_agents(&record("a", 0, origin, IncidentState::Suspected));
    assert!(by(Origin::ClientTests) && by(Origin::CannotTell));
    assert!(!by(Origin::Person) && !by(Origin::ByHand));
}
