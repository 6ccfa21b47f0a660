//! A site and its records.

use siaga_journal::availability::{Basis, Period, availability};
use siaga_journal::log_book::{DowntimeKind, LogBookRow, Subject};
use siaga_model::api::{SeenBy, SiteView};
use siaga_model::config::{Document, Language};
use siaga_model::seal::{LogHead, Seal};
use siaga_model::{NodeName, ServiceName, UtcMicros};
use siaga_report::report::{Content, Report};

pub const ZONE: &str = "Asia/Jakarta";
/// 2026-11-25T09:00:00Z
pub const NOW: UtcMicros = UtcMicros(1_795_597_200_000_000);

pub fn site() -> SiteView {
    SiteView {
        site: "RSUD Contoh".into(),
        language: Language::Indonesian,
        time_zone: ZONE.into(),
        people: vec!["budi".into()],
        services: vec!["simrs".into()],
        nodes: vec!["serverdb".into(), "backup".into()],
        document: Document {
            title: "Downtime System Data".into(),
            number: "445/000/SOP/2025".into(),
            revision: "01".into(),
            issued_on: "2025-08-01".into(),
            approved_by: "Direktur RSUD Contoh".into(),
            policy: vec!["Keputusan Direktur RSUD Contoh".into()],
            related_units: vec!["SIMRS".into(), "IGD".into()],
        },
        availability_target_milli_pct: Some(99_500),
        rto_s: Some(300),
    }
}

pub fn seal() -> Seal {
    let head = |node: &str, seq| LogHead {
        node: NodeName::from(node),
        incarnation: 1,
        seq,
        hash: "0123456789abcdef".repeat(4),
    };
    Seal {
        heads: vec![head("backup", 412), head("serverdb", 377)],
        begins_at: Some(UtcMicros(NOW.0 - 20 * 86_400_000_000)),
        run: None,
        rows: 0,
        digest: "ab".repeat(32),
    }
}

/// One downtime, so many hours before now.
pub fn row(kind: DowntimeKind, hours_ago: i64, minutes: i64, cause: &str) -> LogBookRow {
    let from = UtcMicros(NOW.0 - hours_ago * 3_600_000_000);
    let to = UtcMicros(from.0 + minutes * 60_000_000);
    LogBookRow {
        subject: Subject::Service(ServiceName::from("simrs")),
        kind,
        offline_at: Some(from),
        online_at: Some(to),
        duration_ms: Some(to.millis_since(from)),
        error_ms: Some(200),
        cause: Some(cause.into()),
        who: Some("budi".into()),
        seen_by: SeenBy::Probe,
        run: None,
        covered_by: None,
        entered_by: None,
    }
}

pub fn rows() -> Vec<LogBookRow> {
    let mut rows = vec![
        row(DowntimeKind::Drill, 300, 2, "simulasi triwulan"),
        row(
            DowntimeKind::Unplanned,
            100,
            34,
            "serverdb tidak menjawab: catu daya terputus, diambil alih oleh server cadangan",
        ),
        row(
            DowntimeKind::Planned,
            50,
            5,
            "pembaruan <b>firmware</b> & kabel",
        ),
    ];
    let mut machine = row(DowntimeKind::PoweredOff, 100, 0, "");
    machine.subject = Subject::Machine(NodeName::from("serverdb"));
    machine.online_at = None;
    machine.duration_ms = None;
    rows.push(machine);
    rows
}

pub fn log_book(many: usize) -> Report {
    let rows = rows().into_iter().cycle().take(many).collect();
    let content = Content::LogBook {
        period: "2026-11".into(),
        service: None,
        rows,
    };
    Report::new(site(), Language::Indonesian, NOW, seal(), content)
}

pub fn availability_report(language: Language) -> Report {
    let rows = rows();
    let basis = Basis {
        rows: &rows,
        now: NOW,
        target_milli_pct: Some(99_500),
        log_begins: seal().begins_at,
        records: &[],
    };
    let service = ServiceName::from("simrs");
    let month = Period::month("2026-11", ZONE).unwrap();
    let of = |p: &Period| availability(&service, p, &basis);
    let content = Content::Availability {
        period: "2026-11".into(),
        figures: vec![of(&month)],
        trend: month.months_up_to(ZONE, 12).iter().map(of).collect(),
    };
    Report::new(site(), language, NOW, seal(), content)
}
