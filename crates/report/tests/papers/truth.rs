//! What `report verify` compares: everything that the log gives, and nothing that it does not.

use crate::runs::report;
use crate::samples::{NOW, ZONE, rows, seal, site};
use siaga_journal::availability::Period;
use siaga_journal::log_book::{LogBookRow, Subject};
use siaga_model::config::Language;
use siaga_model::incident::{IncidentKind, TimeKind};
use siaga_model::record::{IncidentLine, IncidentState};
use siaga_model::{ServiceName, UtcMicros};
use siaga_report::figures::{Figures, log_book};
use siaga_report::report::{Content, Report};
use siaga_report::truth::{Truth, agrees};

const MONTH: &str = "2026-11";

/// The samples' downtimes, and one of a second service.
fn two_services() -> Vec<LogBookRow> {
    let mut rows = rows();
    let mut other = rows[1].clone();
    other.subject = Subject::Service("pacs".into());
    rows.push(other);
    rows
}

fn incidents() -> Vec<IncidentLine> {
    let offline = UtcMicros(NOW.0 - 100 * 3_600_000_000);
    let times = [(TimeKind::Offline, 0), (TimeKind::ClientOk, 34)];
    let minutes = |m: i64| UtcMicros(offline.0 + m * 60_000_000);
    vec![IncidentLine {
        id: "DT-2026-001".into(),
        key: "k".into(),
        kind: IncidentKind::Unplanned,
        state: IncidentState::Closed,
        level: None,
        services: vec!["simrs".into()],
        symptom: None,
        offline_at: Some(offline),
        online_at: Some(minutes(34)),
        down_ms: None,
        opened_at: offline,
        times: times.map(|(kind, m)| (kind, minutes(m))).into(),
    }]
}

fn availability(only: Option<&str>) -> Report {
    let (rows, site, incidents) = (two_services(), site(), incidents());
    let source = Figures {
        site: &site,
        rows: &rows,
        incidents: &incidents,
        now: NOW,
        begins: seal().begins_at,
    };
    let services = match only {
        Some(one) => vec![ServiceName::from(one)],
        None => source.services(),
    };
    let period = Period::month(MONTH, ZONE).unwrap();
    let content = Content::Availability {
        period: MONTH.into(),
        figures: source.of(&services, &period),
        trend: source.trend(&services, &period),
    };
    Report::new(site.clone(), Language::English, NOW, seal(), content)
}

fn with(rows: &[LogBookRow], incidents: &[IncidentLine], report: &Report) -> bool {
    agrees(report, &Truth::Log { rows, incidents })
}

#[test]
fn an_availability_agrees_with_its_log_and_with_no_other() {
    let (rows, incidents) = (two_services(), incidents());
    for only in [None, Some("simrs"), Some("pacs")] {
        assert!(with(&rows, &incidents, &availability(only)), "{only:?}");
    }
    let honest = availability(None);
    let mut shorter = rows.clone();
    shorter[1].online_at = Some(UtcMicros(shorter[1].online_at.unwrap().0 - 60_000_000));
    assert!(!with(&shorter, &incidents, &honest), "a shorter downtime");
    assert!(!with(&rows[..2], &incidents, &honest), "a downtime less");
    assert!(!with(&rows, &[], &honest), "no incident: no mean times");
}

#[test]
fn nothing_of_an_availability_can_be_left_out_or_changed() {
    let (rows, incidents) = (two_services(), incidents());
    let forged = |change: &dyn Fn(&mut Content)| {
        let mut report = availability(None);
        change(&mut report.content);
        with(&rows, &incidents, &report)
    };
    let figures = |change: &dyn Fn(&mut Vec<siaga_journal::availability::Availability>)| {
        forged(&|content| {
            let Content::Availability { figures, .. } = content else {
                unreachable!()
            };
            change(figures);
        })
    };
    assert!(forged(&|_| {}));
    assert!(!figures(&|f| f.clear()), "no figures at all");
    assert!(!figures(&|f| f.reverse()), "another order");
    assert!(
        !figures(&|f| f.push(f[0].clone())),
        "a service of three lines"
    );
    assert!(!figures(&|f| f[0].times = None), "no mean times");
    assert!(
        !figures(&|f| f[0].times.as_mut().unwrap().mttr_s = Some(1.0)),
        "a better repair time"
    );
    let other = |change: &dyn Fn(&mut String, &mut Vec<_>)| {
        forged(&|content| {
            let Content::Availability { period, trend, .. } = content else {
                unreachable!()
            };
            change(period, trend);
        })
    };
    assert!(!other(&|period, _| *period = "2026-10".into()), "a month");
    assert!(!other(&|period, _| *period = "always".into()), "no month");
    assert!(!other(&|_, trend| trend.clear()), "no trend");
    assert!(!other(&|_, trend| trend.truncate(3)), "a shorter trend");
}

#[test]
fn a_service_that_the_site_has_can_not_be_left_out() {
    // The first service has more lines: without the second it would look like a report of both.
    let mut report = availability(None);
    report.site.services.push("lis".into());
    assert!(!with(&two_services(), &incidents(), &report));
}

fn book(month: &str, only: Option<&str>) -> Report {
    let only = only.map(ServiceName::from);
    let rows = log_book(&two_services(), month, ZONE, only.as_ref(), NOW).unwrap();
    report(Content::LogBook {
        period: month.into(),
        service: only,
        rows,
    })
}

#[test]
fn a_log_book_agrees_with_its_log_and_with_no_other() {
    let rows = two_services();
    for month in ["", MONTH, "2026-10"] {
        for only in [None, Some("simrs"), Some("pacs")] {
            assert!(with(&rows, &[], &book(month, only)), "{month} {only:?}");
        }
    }
    let honest = book(MONTH, None);
    for index in 0..rows.len() {
        let mut fewer = rows.clone();
        fewer.remove(index);
        assert!(!with(&fewer, &[], &honest), "without row {index}");
    }
}

#[test]
fn no_row_of_a_log_book_can_be_left_out() {
    let rows = two_services();
    let forged = |change: &dyn Fn(&mut String, &mut Vec<LogBookRow>)| {
        let mut report = book(MONTH, None);
        let Content::LogBook {
            period,
            rows: given,
            ..
        } = &mut report.content
        else {
            unreachable!()
        };
        change(period, given);
        with(&rows, &[], &report)
    };
    assert!(forged(&|_, _| {}));
    for index in 0..rows.len() {
        let removed = |_: &mut String, given: &mut Vec<LogBookRow>| {
            given.remove(index);
        };
        assert!(!forged(&removed), "row {index}");
    }
    assert!(!forged(&|_, given| given.clear()), "an empty book");
    assert!(!forged(
        &|_, given| given.retain(|r| matches!(r.subject, Subject::Machine(_)))
    ));
    assert!(!forged(&|period, _| *period = "2026-13".into()));
}

#[test]
fn a_report_agrees_with_its_own_kind_of_truth_only() {
    let log = Truth::Log {
        rows: &[],
        incidents: &[],
    };
    let drill = report(Content::Drill(Box::new(crate::runs::drill())));
    let incident = report(Content::Incident(Box::default()));
    assert!(!agrees(&drill, &log));
    assert!(!agrees(&incident, &log));
    let run = crate::runs::run(siaga_model::plan::MoveKind::Drill);
    let of_run = Truth::Run {
        run: &run,
        events: &[],
    };
    assert!(!agrees(&book("", None), &of_run));
    assert!(!agrees(&availability(None), &of_run));
}
