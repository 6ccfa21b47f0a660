//! What an estimate is, and how it is scored.

use crate::records::{measured, record};
use siaga_model::UtcMicros;
use siaga_model::incident::{Basis, Estimate, Range, TimeKind};
use siaga_model::record::IncidentState as State;
use siaga_planner::estimate::{History, Phase, StepLeft, estimate, score};

const NOW: UtcMicros = UtcMicros(1_000_000_000);

fn own(action: &str, times: &[u64]) -> History {
    History {
        steps: [(action.to_owned(), times.to_vec())].into(),
        ..History::default()
    }
}

fn left(steps: &[(&str, Option<u64>)]) -> Phase {
    Phase::Running {
        left: steps
            .iter()
            .map(|(action, elapsed_ms)| StepLeft {
                action: (*action).into(),
                elapsed_ms: *elapsed_ms,
            })
            .collect(),
    }
}

#[test]
fn own_runs_replace_the_prior_and_the_newest_weigh_most() {
    let steps = left(&[("start_database", None)]);
    let (prior, based_on) = estimate(&History::default(), &steps);
    assert_eq!(
        based_on,
        [Basis::Prior {
            action: "start_database".into()
        }]
    );
    let (measured, based_on) = estimate(&own("start_database", &[40_000; 8]), &steps);
    assert_eq!(
        based_on,
        [Basis::OwnRuns {
            action: "start_database".into(),
            times: 8
        }]
    );
    assert_eq!(measured.likely_s, 40);
    assert!(measured.high_s - measured.low_s < prior.high_s - prior.low_s);
    let times: Vec<u64> = [10_000; 6].into_iter().chain([60_000; 6]).collect();
    assert_eq!(
        estimate(&own("start_database", &times), &steps).0.likely_s,
        60
    );
}

#[test]
fn it_moves_with_the_run_and_a_step_that_overruns_is_not_nearly_done() {
    let history = own("start_database", &[40_000; 8]);
    let of = |elapsed| estimate(&history, &left(&[("start_database", Some(elapsed))])).0;
    assert_eq!(of(0).likely_s, 40);
    assert_eq!(of(30_000).likely_s, 10);
    let over = of(400_000);
    assert!(over.likely_s >= 40 && over.high_s >= 200, "{over:?}");
    let two = estimate(
        &history,
        &left(&[("start_database", None), ("client_test", None)]),
    )
    .0;
    assert!(two.likely_s > 40);
    assert!(of(30_000).low_s <= of(30_000).likely_s && of(30_000).likely_s <= of(30_000).high_s);
}

#[test]
fn before_a_decision_the_time_of_people_counts_and_is_measured_too() {
    let phase = Phase::Undecided { waited_ms: 0 };
    let (prior, based_on) = estimate(&History::default(), &phase);
    assert_eq!(based_on[0], Basis::DecisionPrior);
    assert!(prior.likely_s > 400 && prior.high_s > 1400, "{prior:?}");
    let quick = History {
        decisions_ms: vec![30_000; 8],
        ..History::default()
    };
    let (own, based_on) = estimate(&quick, &phase);
    assert_eq!(based_on[0], Basis::Decisions { times: 8 });
    assert!(own.likely_s < 60, "{own:?}");
    assert_eq!(
        estimate(&quick, &Phase::Serving).0,
        Range {
            low_s: 0,
            likely_s: 0,
            high_s: 0
        }
    );
}

#[test]
fn estimates_are_scored_against_what_happened() {
    let given = |at_s: i64, range| Estimate {
        range,
        given_at: UtcMicros(at_s * 1_000_000),
        next_update_at: NOW,
        based_on: Vec::new(),
    };
    let range = |low_s, likely_s, high_s| {
        Some(Range {
            low_s,
            likely_s,
            high_s,
        })
    };
    let mut over = measured(record("a", State::Closed), TimeKind::ClientOk, 100_000_000);
    over.estimates = vec![
        given(0, range(60, 90, 120)),
        given(50, range(1, 10, 20)),
        given(60, None),
        // After the end: no estimate any more.
        given(101, range(0, 0, 0)),
    ];
    let mut open = record("b", State::Confirmed);
    open.estimates = vec![given(0, range(1, 2, 3))];
    let score = score(&[over, open]);
    assert_eq!(
        (score.given, score.in_range, score.without_range),
        (2, 1, 1)
    );
    assert_eq!(
        (score.median_width_s, score.median_error_s),
        (Some(60), Some(40))
    );
}

#[test]
fn the_wal_that_is_to_be_redone_counts_at_the_rate_of_own_recoveries() {
    let steps = left(&[("start_database", None)]);
    let with = |wal_bytes, rates: &[u64]| {
        let history = History {
            wal_bytes,
            redo_kib_per_s: rates.to_vec(),
            ..own("start_database", &[2_000; 8])
        };
        estimate(&history, &steps)
    };
    let (none, based_on) = with(None, &[]);
    assert!(!based_on.iter().any(|b| matches!(b, Basis::Redo { .. })));
    let gib = 8u64 << 30;
    let (stated, based_on) = with(Some(gib), &[]);
    let redo = Basis::Redo {
        bytes: gib,
        bytes_per_s: 40 << 20,
    };
    assert!(based_on.contains(&redo), "{based_on:?}");
    assert!(stated.likely_s > 200 && stated.high_s > 800, "{stated:?}");
    let (measured, _) = with(Some(gib), &[100 << 10; 8]);
    assert!((80..90).contains(&measured.likely_s), "{measured:?}");
    assert!(measured.high_s - measured.low_s < stated.high_s - stated.low_s);
    // Next to nothing to redo changes nothing.
    assert_eq!(with(Some(1 << 20), &[]).0.likely_s, none.likely_s);
}

#[test]
fn what_is_to_be_written_back_before_a_stop_counts_once() {
    let move_ = [
        ("checkpoint", None),
        ("stop_database", None),
        ("start_database", None),
    ];
    let with = |steps: &[(&str, Option<u64>)], wal_bytes, rates: &[u64]| {
        let history = History {
            wal_bytes,
            write_back_kib_per_s: rates.to_vec(),
            ..History::default()
        };
        estimate(&history, &left(steps))
    };
    let gib = 4u64 << 30;
    let (stated, based_on) = with(&move_, Some(gib), &[]);
    let back = Basis::WriteBack {
        bytes: gib,
        bytes_per_s: 20 << 20,
    };
    assert!(based_on.contains(&back), "{based_on:?}");
    // Written back, it is not redone.
    assert!(!based_on.iter().any(|b| matches!(b, Basis::Redo { .. })));
    assert!(stated.likely_s > 200, "{stated:?}");
    let (measured, _) = with(&move_, Some(gib), &[100 << 10; 8]);
    assert!((45..60).contains(&measured.likely_s), "{measured:?}");
    // Without a checkpoint before it the stop itself writes it back.
    let (_, based_on) = with(&move_[1..], Some(gib), &[]);
    assert!(based_on.contains(&back), "{based_on:?}");
    let (_, based_on) = with(&move_[2..], Some(gib), &[]);
    assert!(based_on.iter().any(|b| matches!(b, Basis::Redo { .. })));
}
