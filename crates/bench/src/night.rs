//! One downtime and one drill as rows, like those that agents and people write.

use crate::error::Result;
use crate::years::{BIG_MONTH, Pen, SERVICE};
use siaga_model::api::{Outage, SeenBy};
use siaga_model::config::Language;
use siaga_model::event::EventBody;
use siaga_model::incident::{
    BackEntry, CauseCategory, CorrectiveAction, Estimate, FirstSign, IncidentEntry as E,
    IncidentKind, Level, Origin, Range, Review, SignedAs, UnitImpact,
};
use siaga_model::notice::{AckHow, AlertCause, Moment, NoticeEntry, Recipient, Text};
use siaga_model::plan::{Action, MandatedPlan, MoveKind, Placement, Plan, Step};
use siaga_model::refusal::Sentence;
use siaga_model::run::{RunOutcome, StepOutcome, StepReport};
use siaga_model::{
    Epoch, IncidentKey, NodeName, NoticeId, PlanId, RunId, ServiceName, StepId, UnitName, UtcMicros,
};

/// Units and channels of each of the site that is measured.
pub const UNITS: usize = 100;
pub const CHANNELS: usize = 5;
const FEW_UNITS: usize = 6;
const SECOND: i64 = 1_000_000;

/// The number that people see: by the year of its beginning in UTC.
pub fn number(month: i64, at: i64, drill: bool) -> String {
    let year = jiff::Timestamp::from_microsecond(at).map_or(1970, |t| {
        t.to_zoned_datetime(jiff::tz::TimeZone::UTC).year()
    });
    format!("DT-{year}-{:03}", month * 2 + i64::from(drill) + 1)
}

fn row(key: &IncidentKey, entry: E) -> EventBody {
    EventBody::Incident {
        incident: key.clone(),
        entry: Box::new(entry),
    }
}

/// A night: found by the client tests, taken over, told, watched, entered again, reviewed and signed.
pub fn downtime(pen: &mut Pen, month: i64, at: i64) -> Result<()> {
    let key = IncidentKey::new(format!("{at:014x}-{}", pen.node));
    let run = RunId::new(format!("{at:014x}-t"));
    let s = |seconds: i64| at + seconds * SECOND;
    let opened = E::Opened {
        number: number(month, at, false),
        kind: IncidentKind::Unplanned,
        origin: Origin::ClientTests,
        services: vec![ServiceName::from(SERVICE)],
        first: FirstSign::default(),
    };
    pen.at(s(0), "", vec![row(&key, opened)])?;
    alert(pen, &key, s(1))?;
    let classified = E::Classified {
        kind: None,
        scope: None,
        level: Some(Level::G2),
    };
    let confirmed = vec![row(&key, E::Confirmed), row(&key, classified)];
    pen.at(s(60), "budi", confirmed)?;
    pen.at(s(70), "budi", vec![row(&key, estimate(s(70)))])?;
    let units = match month % 12 == BIG_MONTH {
        true => UNITS,
        false => FEW_UNITS,
    };
    let channels = if units == UNITS { CHANNELS } else { 1 };
    for (index, moment) in [
        Moment::Suspected,
        Moment::Confirmed,
        Moment::Action,
        Moment::Restored,
        Moment::AllClear,
    ]
    .into_iter()
    .enumerate()
    {
        let from = s(80 + 200 * i64::try_from(index).unwrap_or(0));
        notice(pen, &key, moment, from, (units, channels))?;
        if moment == Moment::Confirmed {
            pen.at(
                s(290),
                "",
                vec![row(&key, E::RunJoined { run: run.clone() })],
            )?;
            moved(pen, &run, month as u64 * 4 + 1, MoveKind::Takeover, s(300))?;
        }
    }
    papers(pen, &key, s(1200), units)
}

/// The drill of a month.
pub fn drill(pen: &mut Pen, month: i64, at: i64) -> Result<()> {
    let key = IncidentKey::new(format!("{at:014x}-{}", pen.node));
    let run = RunId::new(format!("{at:014x}-d"));
    let opened = E::Opened {
        number: number(month, at, true),
        kind: IncidentKind::Drill,
        origin: Origin::Run { run: run.clone() },
        services: vec![ServiceName::from(SERVICE)],
        first: FirstSign::default(),
    };
    moved(pen, &run, month as u64 * 4 + 3, MoveKind::Drill, at)?;
    let restored = E::Restored {
        watch_until: UtcMicros(at + 1000 * SECOND),
    };
    let rows = [opened, restored].map(|e| row(&key, e)).to_vec();
    pen.at(at + 2 * SECOND, "", rows)?;
    let over = [E::AllClear, E::Closed { reason: None }];
    let rows = over.map(|e| row(&key, e)).to_vec();
    pen.at(at + 900 * SECOND, "sari", rows)
}

fn alert(pen: &mut Pen, key: &IncidentKey, at: i64) -> Result<()> {
    let notice = NoticeId::new(format!("n{at:014x}-{}", pen.node));
    let entry = |entry| EventBody::Notice {
        notice: notice.clone(),
        entry: Box::new(entry),
    };
    let alert = entry(NoticeEntry::Alert {
        incident: key.clone(),
        cause: AlertCause::Trouble,
        text: text("PERINGATAN: SIMRS tidak menjawab klien."),
        round: 1,
        to: "budi".into(),
    });
    pen.at(at, "", vec![alert])?;
    let read = entry(NoticeEntry::AlertAcknowledged {
        person: "budi".into(),
    });
    pen.at(at + 30 * SECOND, "budi", vec![read])
}

fn text(body: &str) -> Text {
    Text {
        language: Language::Indonesian,
        subject: "[SIMRS][HENTI] SIMRS tidak dapat digunakan".to_owned(),
        body: format!(
            "{body} Mohon gunakan formulir manual. Informasi berikutnya pukul 02.45 WIB. Kontak: ext. 123."
        ),
    }
}

fn notice(
    pen: &mut Pen,
    key: &IncidentKey,
    moment: Moment,
    at: i64,
    (units, channels): (usize, usize),
) -> Result<()> {
    let notice = NoticeId::new(format!("n{at:014x}-{}", pen.node));
    let entry = |entry| EventBody::Notice {
        notice: notice.clone(),
        entry: Box::new(entry),
    };
    let names: Vec<UnitName> = (0..units).map(unit).collect();
    let drafted = entry(NoticeEntry::Drafted {
        moment,
        incident: Some(key.clone()),
        texts: vec![text(
            "Mohon maaf, SIMRS tidak dapat digunakan sejak pukul 02.14 WIB.",
        )],
        units: names.clone(),
        next_update: None,
        window: None,
        reminds_of: None,
    });
    let released = entry(NoticeEntry::Released { bypass: false });
    pen.at(at, "sari", vec![drafted, released])?;
    let mut rows = Vec::new();
    for (index, name) in names.iter().enumerate() {
        for channel in 0..channels {
            let delivery = format!("{notice}.{name}.channel{channel}.{:08x}", index * 7919);
            rows.push(entry(NoticeEntry::Trying {
                delivery: delivery.as_str().into(),
                attempt: 1,
            }));
            rows.push(entry(NoticeEntry::Sent {
                delivery: delivery.as_str().into(),
                to: Recipient::Unit(name.clone()),
                channel: format!("channel{channel}").as_str().into(),
                receipt: "250 2.0.0 Ok: queued as 4C2F1A0B7E".to_owned(),
            }));
        }
    }
    pen.at(at + SECOND, "", rows)?;
    let read = names.iter().take(FEW_UNITS).map(|unit| {
        entry(NoticeEntry::Acknowledged {
            unit: unit.clone(),
            how: AckHow::ByHand,
            by: "kepala ruang".to_owned(),
        })
    });
    let read = read.collect();
    pen.at(at + 60 * SECOND, "sari", read)
}

/// The short name of a unit.
pub fn unit(index: usize) -> UnitName {
    UnitName::new(format!("unit{index:03}"))
}

fn estimate(at: i64) -> E {
    E::Estimated {
        estimate: Estimate {
            range: Some(Range {
                low_s: 120,
                likely_s: 300,
                high_s: 900,
            }),
            given_at: UtcMicros(at),
            next_update_at: UtcMicros(at + 900 * SECOND),
            based_on: Vec::new(),
        },
    }
}

/// What people write after the night.
fn papers(pen: &mut Pen, key: &IncidentKey, at: i64, units: usize) -> Result<()> {
    let mut rows = vec![row(key, E::AllClear)];
    for index in 0..units {
        let impact = UnitImpact {
            unit: unit(index),
            affected: Some(true),
            went_to_paper: Some(true),
            count: Some(12),
            note: String::new(),
        };
        let entry = BackEntry {
            unit: unit(index),
            forms: Some(12),
            entered: Some(12),
            verified_by: Some("sari".to_owned()),
        };
        rows.push(row(key, E::Impact { impact }));
        rows.push(row(key, E::BackEntry { entry }));
    }
    pen.at(at, "sari", rows)?;
    let action = |number| CorrectiveAction {
        number,
        text: "pasang catu daya kedua".to_owned(),
        owner: "budi".to_owned(),
        due: "2030-12-15".to_owned(),
        done: true,
    };
    let review = Review {
        root_cause: "satu kabel daya".to_owned(),
        ..Review::default()
    };
    let cause = E::CauseGiven {
        category: CauseCategory::Power,
        text: "catu daya serverdb".to_owned(),
    };
    let signed = |part| E::Signed {
        part,
        person: "sari".into(),
    };
    let rows = [
        cause,
        E::Reviewed { review },
        E::Action { action: action(1) },
        E::Action { action: action(2) },
        signed(SignedAs::Performer),
        signed(SignedAs::Verifier),
        E::Closed { reason: None },
    ];
    let rows = rows.map(|e| row(key, e)).to_vec();
    pen.at(at + 86_400 * SECOND, "sari", rows)
}

/// A run that was accepted.
pub fn accepted(move_kind: MoveKind, goal: Placement, reason: &str) -> EventBody {
    EventBody::RunAccepted {
        move_kind,
        goal,
        reason: reason.to_owned(),
        requested_by: None,
        approved_by: None,
        idempotency_key: "bench".to_owned(),
        covers: None,
    }
}

fn actions(node: &NodeName, kind: MoveKind) -> Vec<Step> {
    let other = NodeName::from(crate::lab::other(node.as_str()));
    let leave = [
        Action::Enlist,
        Action::StopDatabase,
        Action::RemoveVirtualIp,
        Action::Unmount,
        Action::Release,
    ];
    let arrive = [
        Action::Take,
        Action::Mount,
        Action::AddVirtualIp,
        Action::StartDatabase,
        Action::ClientTest,
    ];
    let there = leave.iter().map(|a| (&other, a));
    let here = arrive.iter().map(|a| (node, a));
    let back = leave.iter().map(|a| (node, a));
    let home = arrive.iter().map(|a| (&other, a));
    let all: Vec<_> = match kind {
        MoveKind::Drill => there.chain(here).chain(back).chain(home).collect(),
        _ => here.collect(),
    };
    let step = |(id, (node, action)): (u16, (&NodeName, &Action))| Step {
        id: StepId(id),
        node: node.clone(),
        action: action.clone(),
        after: id.checked_sub(1).map(StepId).into_iter().collect(),
    };
    (0..).zip(all).map(step).collect()
}

/// A plan under its mandate.
pub fn planned(
    run: &RunId,
    counter: u64,
    kind: MoveKind,
    node: &str,
    steps: Vec<Step>,
) -> EventBody {
    let service = ServiceName::from(SERVICE);
    let goal = match kind {
        MoveKind::Stop => Placement::Stopped,
        _ => Placement::ActiveOn(node.into()),
    };
    EventBody::PlanRecorded {
        plan: Box::new(MandatedPlan {
            id: PlanId::new(format!("{run}.1")),
            parent: None,
            epoch: Epoch {
                counter,
                issuer: node.into(),
                run: run.clone(),
            },
            coordinator: node.into(),
            hit_mandates: Vec::new(),
            plan: Plan {
                sentence: Sentence::ServiceStopped {
                    service: service.clone(),
                },
                service,
                kind,
                goal,
                from: None,
                proofs: Vec::new(),
                hits: Vec::new(),
                steps,
                unproved: Vec::new(),
            },
        }),
    }
}

fn moved(pen: &mut Pen, run: &RunId, counter: u64, kind: MoveKind, at: i64) -> Result<()> {
    pen.in_run(Some(run));
    let node = pen.node.clone();
    let steps = actions(&node, kind);
    let goal = Placement::ActiveOn(node.clone());
    let plan = planned(run, counter, kind, node.as_str(), steps.clone());
    let begun = vec![accepted(kind, goal, "serverdb mati"), plan];
    pen.at(at, "budi", begun)?;
    let finished = |step: Step| EventBody::StepFinished {
        plan: PlanId::new(format!("{run}.1")),
        report: StepReport {
            outcome: StepOutcome::Done { changed: true },
            proof: None,
            tests: Vec::new(),
            notes: Vec::new(),
            started_at: UtcMicros(at + i64::from(step.id.0) * 200_000),
            duration_ms: 150,
        },
        step,
    };
    let mut rows: Vec<EventBody> = steps.into_iter().map(finished).collect();
    let outages = if kind == MoveKind::Drill { 2 } else { 1 };
    for number in 0..outages {
        let from = at + number * 60 * SECOND;
        rows.push(EventBody::OutageMeasured {
            outage: Outage {
                offline_at: Some(siaga_journal::csv::instant(UtcMicros(from))),
                online_at: Some(siaga_journal::csv::instant(UtcMicros(from + 9 * SECOND))),
                downtime_ms: Some(9000),
                error_ms: Some(20),
                seen_by: SeenBy::Probe,
                probe: Some("igd".to_owned()),
            },
        });
    }
    rows.push(EventBody::RunEnded {
        outcome: RunOutcome::Done,
        plan: None,
    });
    pen.at(at + 5 * SECOND, "", rows)?;
    pen.in_run(None);
    Ok(())
}
