//! What may be written into an incident's record, and what an estimate is.

use crate::records::{measured, record};
use siaga_model::downtime::Rules;
use siaga_model::incident::{
    BackEntry, Basis, FirstSign, IncidentEntry, IncidentKind, Origin, SignedAs, TimeKind,
};
use siaga_model::incident_api::{IncidentAct as Act, IncidentRefusal as No, PersonEstimate};
use siaga_model::record::{IncidentRecord, IncidentState as State};
use siaga_model::{PersonName, ServiceName, UnitName, UtcMicros};
use siaga_planner::incident::{Desk, admit, open, select};

const NOW: UtcMicros = UtcMicros(1_000_000_000);

struct World {
    units: Vec<UnitName>,
    services: Vec<ServiceName>,
    rules: Rules,
    person: Option<PersonName>,
    serving: Option<bool>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            units: vec!["igd".into(), "farmasi".into()],
            services: vec!["simrs".into()],
            rules: Rules::default(),
            person: Some("budi".into()),
            serving: Some(true),
        }
    }
}

impl World {
    fn desk(&self) -> Desk<'_> {
        Desk {
            units: &self.units,
            services: &self.services,
            rules: &self.rules,
            now: NOW,
            person: self.person.as_ref(),
            computed: None,
            serving: self.serving,
        }
    }
    fn admit(&self, act: Act, record: &IncidentRecord) -> Result<Vec<IncidentEntry>, No> {
        admit(&act, record, &[], &self.desk())
    }
}

fn note() -> Act {
    Act::Note { text: "x".into() }
}

fn enter(time: TimeKind, at: i64, reason: &str) -> Act {
    Act::EnterTime {
        time,
        at: Some(UtcMicros(at)),
        reason: reason.into(),
    }
}

#[test]
fn the_record_meant_is_the_named_one_or_the_only_open_one() {
    let none: [IncidentRecord; 0] = [];
    assert_eq!(select(&none, None), Err(No::NoneOpen));
    let all = [
        record("DT-2026-001", State::Closed),
        record("DT-2026-002", State::AllClear),
        record("DT-2026-003", State::Confirmed),
    ];
    assert_eq!(select(&all, None).unwrap().id, "DT-2026-003");
    assert_eq!(select(&all, Some("dt-2026-001")).unwrap().id, "DT-2026-001");
    assert_eq!(
        select(&all, Some("key-DT-2026-001")).unwrap().id,
        "DT-2026-001"
    );
    let unknown = select(&all, Some("DT-2026-009"));
    assert_eq!(
        unknown,
        Err(No::IncidentUnknown {
            asked: "DT-2026-009".into()
        })
    );
    // After the all-clear there is paperwork: then that one is meant.
    assert_eq!(select(&all[..2], None).unwrap().id, "DT-2026-002");
    let two = [
        record("a", State::Suspected),
        record("b", State::UnderWatch),
    ];
    assert_eq!(
        select(&two, None),
        Err(No::SeveralOpen {
            ids: vec!["a".into(), "b".into()]
        })
    );
}

#[test]
fn an_incident_opens_with_what_is_known_and_nothing_that_does_not_exist() {
    let world = World::default();
    let act = |services: Vec<ServiceName>, unit: Option<UnitName>, offline_at| Act::Open {
        kind: IncidentKind::Unplanned,
        services,
        first: FirstSign {
            unit,
            ..FirstSign::default()
        },
        scope: None,
        level: None,
        offline_at,
    };
    let rows = open(
        &act(vec![], None, None),
        "DT-2026-001".into(),
        &world.desk(),
    )
    .unwrap();
    let [
        IncidentEntry::Opened {
            services,
            origin: Origin::Person,
            ..
        },
    ] = rows.as_slice()
    else {
        panic!("{rows:?}")
    };
    assert_eq!(services, &world.services);
    let refused = |act: Act| open(&act, "DT-2026-001".into(), &world.desk()).unwrap_err();
    assert!(matches!(
        refused(act(vec!["web".into()], None, None)),
        No::ServiceUnknown { .. }
    ));
    assert!(matches!(
        refused(act(vec![], Some("lab".into()), None)),
        No::UnitUnknown { .. }
    ));
    let tomorrow = UtcMicros(NOW.0 + 86_400_000_000);
    assert!(matches!(
        refused(act(vec![], None, Some(tomorrow))),
        No::InTheFuture { .. }
    ));
}

#[test]
fn an_end_before_its_start_and_a_time_to_come_are_refused() {
    let world = World::default();
    let offline = measured(
        record("a", State::Confirmed),
        TimeKind::Offline,
        500_000_000,
    );
    let refused = |act, record: &_| world.admit(act, record).unwrap_err();
    let early = enter(TimeKind::ClientOk, 499_000_000, "");
    assert!(matches!(
        refused(early, &offline),
        No::EndBeforeStart { .. }
    ));
    let online = measured(offline.clone(), TimeKind::ClientOk, 600_000_000);
    let late = enter(TimeKind::Offline, 601_000_000, "salah lihat");
    assert!(matches!(refused(late, &online), No::EndBeforeStart { .. }));
    let future = enter(TimeKind::ClientOk, NOW.0 + 3_600_000_000, "");
    assert!(matches!(refused(future, &offline), No::InTheFuture { .. }));
    assert!(
        world
            .admit(enter(TimeKind::ClientOk, 600_000_000, ""), &offline)
            .is_ok()
    );
}

#[test]
fn a_measured_time_is_corrected_only_with_a_reason() {
    let world = World::default();
    let offline = measured(
        record("a", State::Confirmed),
        TimeKind::Offline,
        500_000_000,
    );
    let silent = world.admit(enter(TimeKind::Offline, 400_000_000, " "), &offline);
    assert_eq!(
        silent,
        Err(No::TextMissing {
            name: "--reason".into()
        })
    );
    assert!(
        world
            .admit(enter(TimeKind::Offline, 400_000_000, "perawat"), &offline)
            .is_ok()
    );
    // What nobody measured is simply entered.
    assert!(
        world
            .admit(enter(TimeKind::Reported, 400_000_000, ""), &offline)
            .is_ok()
    );
}

#[test]
fn it_closes_with_an_all_clear_and_all_papers_or_with_a_reason() {
    let world = World::default();
    let close = |reason: Option<&str>| Act::Close {
        reason: reason.map(str::to_owned),
    };
    let open = record("a", State::Confirmed);
    assert!(matches!(
        world.admit(close(None), &open),
        Err(No::AllClearMissing { .. })
    ));
    assert!(world.admit(close(Some("selesai")), &open).is_ok());
    assert!(matches!(
        world.admit(close(Some("")), &open),
        Err(No::TextMissing { .. })
    ));
    let mut clear = record("a", State::AllClear);
    assert!(world.admit(close(None), &clear).is_ok());
    clear.papers_left = vec!["igd".into()];
    assert!(matches!(
        world.admit(close(None), &clear),
        Err(No::BackEntryOpen { .. })
    ));
    assert!(
        world
            .admit(close(Some("formulir tetap manual")), &clear)
            .is_ok()
    );
}

#[test]
fn the_all_clear_needs_somebody_who_saw_it_work() {
    let act = || Act::AllClear;
    let cases = [
        (State::Confirmed, Some(true), true),
        (State::Confirmed, None, false),
        (State::Confirmed, Some(false), false),
        (State::UnderWatch, None, true),
        (State::UnderWatch, Some(true), true),
        // It is seen to be down: then nobody may say that it is over.
        (State::UnderWatch, Some(false), false),
    ];
    for (state, serving, may) in cases {
        let world = World {
            serving,
            ..World::default()
        };
        let said = world.admit(act(), &record("a", state));
        assert_eq!(said.is_ok(), may, "{state:?} {serving:?}");
    }
}

#[test]
fn what_is_over_takes_notes_and_what_is_signed_keeps_its_content() {
    let world = World::default();
    let update = || Act::Update { text: "x".into() };
    for state in [
        State::AllClear,
        State::Closed,
        State::Withdrawn,
        State::Merged,
    ] {
        let over = record("a", state);
        assert!(world.admit(note(), &over).is_ok(), "{state:?}");
        assert!(
            matches!(world.admit(update(), &over), Err(No::IncidentOver { .. })),
            "{state:?}"
        );
    }
    let mut signed = record("a", State::Closed);
    let cause = || enter(TimeKind::Reported, 1, "");
    assert!(world.admit(cause(), &signed).is_ok());
    signed.signatures = vec![siaga_model::record::Signature {
        part: SignedAs::Performer,
        person: "budi".into(),
        at: NOW,
    }];
    assert!(matches!(
        world.admit(cause(), &signed),
        Err(No::Signed { .. })
    ));
    assert!(world.admit(note(), &signed).is_ok());
    assert!(
        world
            .admit(
                Act::Sign {
                    part: SignedAs::Verifier
                },
                &signed
            )
            .is_ok()
    );
}

#[test]
fn a_signature_needs_a_person_of_the_list() {
    let world = World {
        person: None,
        ..World::default()
    };
    for act in [
        Act::Sign {
            part: SignedAs::Performer,
        },
        Act::Acknowledge,
    ] {
        assert_eq!(
            world.admit(act, &record("a", State::Confirmed)),
            Err(No::PersonNeeded)
        );
    }
}

#[test]
fn figures_and_texts_that_can_not_be_right_are_refused() {
    let world = World::default();
    let open = record("a", State::AllClear);
    let entry = |forms, entered| Act::BackEntry {
        entry: BackEntry {
            unit: "igd".into(),
            forms,
            entered,
            verified_by: None,
        },
    };
    assert!(matches!(
        world.admit(entry(Some(3), Some(4)), &open),
        Err(No::TooManyEntered { .. })
    ));
    assert!(world.admit(entry(Some(3), None), &open).is_ok());
    let action = |due: &str| Act::Action {
        number: None,
        text: "x".into(),
        owner: "budi".into(),
        due: due.into(),
    };
    for bad in [
        "2026-13-01",
        "2026-02-29",
        "besok",
        "2026-1-1",
        "2026-04-31",
    ] {
        assert!(
            matches!(world.admit(action(bad), &open), Err(No::BadDay { .. })),
            "{bad}"
        );
    }
    let rows = world.admit(action("2028-02-29"), &open).unwrap();
    assert!(matches!(&rows[0], IncidentEntry::Action { action } if action.number == 1));
    assert!(matches!(
        world.admit(Act::ActionDone { number: 1 }, &open),
        Err(No::ActionUnknown { .. })
    ));
    let long = Act::Note {
        text: "x".repeat(4001),
    };
    assert!(matches!(world.admit(long, &open), Err(No::TooLong { .. })));
    assert!(matches!(
        world.admit(Act::Note { text: "\n".into() }, &open),
        Err(No::TextMissing { .. })
    ));
}

#[test]
fn not_yet_known_is_an_estimate() {
    let world = World::default();
    let said = Act::Estimate {
        by_person: Some(PersonEstimate { range: None }),
    };
    let rows = world.admit(said, &record("a", State::Confirmed)).unwrap();
    let [IncidentEntry::Estimated { estimate }] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!((estimate.range, estimate.given_at), (None, NOW));
    assert_eq!(estimate.based_on, [Basis::Person]);
    assert_eq!(estimate.next_update_at.0 - NOW.0, 30 * 60 * 1_000_000);
}
