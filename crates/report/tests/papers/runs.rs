//! Reports of runs.

use crate::samples::{NOW, seal, site};
use crate::tools::{Pdf, keep};
use siaga_model::api::{ClientTestResult, EventView, MoveReport, Outage, SeenBy, StepView};
use siaga_model::config::Language;
use siaga_model::event::{Actor, ActorProof, Event, EventBody, Hlc};
use siaga_model::incident::{
    BackEntry, CauseCategory, CorrectiveAction, FirstSign, Review, SignedAs, TimeKind, UnitImpact,
};
use siaga_model::integrity::IntegrityReport;
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::record::IntegritySeen;
use siaga_model::rehearsal::{IndexCheck, Tried};
use siaga_model::run::{RunOutcome, StepOutcome};
use siaga_model::{NodeName, RunId, ServiceName, UtcMicros};
use siaga_report::drill::DrillDocument;
use siaga_report::incident::{IncidentDocument, NoticeLine, RecordedTime};
use siaga_report::report::{Content, Form, Report, find};
use siaga_report::text;
use siaga_report::truth::{Truth, agrees};

pub const RUN: &str = "00063b5f-backup";

fn instant(seconds: i64) -> String {
    let at = UtcMicros(NOW.0 - 3_600_000_000 + seconds * 1_000_000);
    siaga_journal::csv::instant(at)
}

fn step(node: &str, action: &str, at: i64, ms: u64) -> StepView {
    StepView {
        node: NodeName::from(node),
        action: action.into(),
        started_at: instant(at),
        duration_ms: ms,
        outcome: StepOutcome::Done { changed: true },
        notes: Vec::new(),
    }
}

fn outage(at: i64, ms: u64) -> Outage {
    Outage {
        offline_at: Some(instant(at)),
        online_at: Some(instant(at + i64::try_from(ms).unwrap() / 1000)),
        downtime_ms: Some(ms),
        error_ms: Some(100),
        seen_by: SeenBy::Probe,
        probe: Some("igd".into()),
    }
}

fn test(node: &str, passed: Option<bool>) -> ClientTestResult {
    serde_json::from_value(serde_json::json!({
        "name": "rows", "node": node, "passed": passed, "detail": "",
    }))
    .unwrap()
}

pub fn run(kind: MoveKind) -> MoveReport {
    let mut steps = vec![
        step("serverdb", "stop_applications", 1, 900),
        step("serverdb", "stop_database", 2, 2400),
        step("serverdb", "remove_virtual_ip", 5, 40),
        step("serverdb", "unmount", 5, 120),
        step("serverdb", "release", 6, 30),
        step("backup", "take", 6, 80),
        step("backup", "mount", 7, 200),
        step("backup", "add_virtual_ip", 7, 60),
        step("backup", "start_database", 8, 3100),
        step("backup", "client_test", 12, 700),
    ];
    if kind == MoveKind::Takeover {
        steps.splice(0..5, [step("backup", "fence", 1, 5100)]);
    }
    MoveReport {
        run_id: RunId::from(RUN),
        covers: None,
        kind,
        service: ServiceName::from("simrs"),
        from: Some("serverdb".into()),
        to: Some("backup".into()),
        outcome: "done".into(),
        code: None,
        message: None,
        proof: Vec::new(),
        started_at: instant(0),
        steps,
        outages: vec![outage(2, 9800), outage(60, 8700)],
        lost_rows: Vec::new(),
        client_tests: vec![test("backup", Some(true)), test("serverdb", Some(true))],
    }
}

pub fn view(seq: u64, at: i64, body: EventBody) -> EventView {
    let at = UtcMicros(NOW.0 - 3_600_000_000 + at * 1_000_000);
    EventView {
        node: NodeName::from("backup"),
        incarnation: 1,
        seq,
        hlc: Hlc { wall: at, count: 0 },
        at,
        event: Event {
            service: Some(ServiceName::from("simrs")),
            run: Some(RunId::from(RUN)),
            actor: Some(Actor {
                name: "budi".into(),
                how: ActorProof::Stated,
            }),
            body,
        },
    }
}

pub fn accepted(kind: MoveKind) -> EventBody {
    EventBody::RunAccepted {
        move_kind: kind,
        goal: Placement::ActiveOn("backup".into()),
        reason: "simulasi triwulan".into(),
        requested_by: Some("sari".into()),
        approved_by: Some("direktur".into()),
        idempotency_key: "k".into(),
        covers: None,
    }
}

pub fn drill() -> DrillDocument {
    let events = [
        view(1, 0, accepted(MoveKind::Drill)),
        view(
            2,
            90,
            EventBody::RunEnded {
                outcome: RunOutcome::Done,
                plan: None,
            },
        ),
    ];
    DrillDocument::of_run(run(MoveKind::Drill), &events)
}

pub fn report(content: Content) -> Report {
    Report::new(site(), Language::Indonesian, NOW, seal(), content)
}

#[test]
fn a_drills_report_has_what_was_measured_and_room_for_the_rest() {
    let report = report(Content::Drill(Box::new(drill())));
    let bytes = report.print(Form::Pdf);
    keep("drill.pdf", &bytes);
    let file = Pdf::new(&bytes);
    file.is_valid();
    let said = file.text();
    for part in [
        "LAPORAN SIMULASI",
        "Skenario",
        "Peserta",
        "LAYANAN HENTI",
        "9,8 detik",
        "tercapai",
        "direktur",
        "sari",
        "Kesimpulan",
        "Tanda tangan",
        "Tindak lanjut",
        "Lulus / lulus",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(find(&bytes).unwrap().as_printed, Some(true));
}

#[test]
fn a_drill_is_graded_by_what_was_measured() {
    let verdict = |change: &dyn Fn(&mut DrillDocument)| {
        let mut drill = drill();
        change(&mut drill);
        let content = Content::Drill(Box::new(drill));
        let report = Report::new(site(), Language::English, NOW, seal(), content);
        let text = text::render(&report.document());
        let line = text.lines().find(|l| l.starts_with("By what was measured"));
        line.unwrap().to_owned()
    };
    let passed = verdict(&|_| {});
    let late = verdict(&|d| d.run.outages[1].downtime_ms = Some(301_000));
    let stuck = verdict(&|d| d.run.outcome = "stuck".into());
    let failed = verdict(&|d| d.run.client_tests[0].passed = Some(false));
    let unseen = verdict(&|d| d.run.client_tests[0].passed = None);
    let once = verdict(&|d| d.run.outages.truncate(1));
    let lost = verdict(&|d| d.run.lost_rows.push(lost_rows()));
    assert!(
        late == stuck && stuck == failed && failed == lost && late != passed,
        "{late} {passed}"
    );
    assert!(
        unseen == once && unseen != passed && unseen != late,
        "{unseen}"
    );
}

#[test]
fn an_incident_leaves_blank_what_nobody_knows() {
    let events = [view(1, 0, accepted(MoveKind::Takeover))];
    let bare = IncidentDocument::of_run(run(MoveKind::Takeover), &events);
    assert!(bare.times.contains_key(&TimeKind::Fenced));
    assert!(!bare.times.contains_key(&TimeKind::Detected));
    let report = report(Content::Incident(Box::new(bare)));
    let bytes = report.print(Form::Pdf);
    keep("incident-bare.pdf", &bytes);
    Pdf::new(&bytes).is_valid();
    let text = text::render(&report.document());
    let line = |name: &str| {
        text.lines()
            .find(|l| l.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("Akar masalah").contains("____"),
        "{}",
        line("Akar masalah")
    );
    assert!(line("Waktu sampai terdeteksi").contains("____"));
    assert!(
        !line("Waktu teknis").contains("____"),
        "{}",
        line("Waktu teknis")
    );
    // Every unit of the site has its row.
    assert!(text.contains("SIMRS") && text.contains("IGD"));
}

fn lost_rows() -> siaga_model::api::LostRows {
    siaga_model::api::LostRows {
        probe: "loket-1".into(),
        rows: 3,
    }
}

#[test]
fn rows_that_are_gone_stand_in_the_report_of_the_incident() {
    let events = [view(1, 0, accepted(MoveKind::Takeover))];
    let paper = |run: MoveReport| {
        let document = IncidentDocument::of_run(run, &events);
        let report = report(Content::Incident(Box::new(document)));
        // Long lines are broken.
        let text = text::render(&report.document());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut lossy = run(MoveKind::Takeover);
    lossy.lost_rows.push(lost_rows());
    let said = "probe loket-1: 3 baris yang sudah dikonfirmasi basis data hilang";
    assert!(paper(lossy).contains(said));
    assert!(!paper(run(MoveKind::Takeover)).contains("loket-1"));
}

/// Two damaged pages, and an index that is not in order.
fn looked_through() -> IntegritySeen {
    IntegritySeen {
        at: NOW,
        report: IntegrityReport {
            service: "simrs".into(),
            node: "backup".into(),
            checksums: Some(true),
            checksum_failures: Some(2),
            new_failures: Some(2),
            indexes: IndexCheck {
                status: Tried::Failed,
                checked: 7,
                indexes: 9,
                damaged: vec!["pasien_pkey: item order invariant violated".into()],
                why: None,
                duration_ms: 40,
            },
        },
    }
}

#[test]
fn an_incident_shows_a_correction_beside_what_was_measured() {
    let events = [view(1, 0, accepted(MoveKind::Takeover))];
    let mut full = IncidentDocument {
        number: Some("DT-2026-007".into()),
        first: FirstSign {
            symptom: "layar loket membeku".into(),
            reported_by: Some("Rina".into()),
            unit: Some("igd".into()),
            medium: Some("telepon".into()),
        },
        cause: Some((CauseCategory::Power, "catu daya serverdb".into())),
        notices: vec![NoticeLine {
            at: NOW,
            moment: siaga_model::notice::Moment::Confirmed,
            channel: "mail".into(),
            to: "Farmasi".into(),
            by: "sari".into(),
            received: Some(true),
        }],
        units: vec![
            ("igd".into(), "IGD".into()),
            ("farmasi".into(), "Farmasi".into()),
        ],
        impacts: vec![UnitImpact {
            unit: "igd".into(),
            affected: Some(true),
            went_to_paper: Some(true),
            count: Some(12),
            note: "antrean".into(),
        }],
        back_entries: vec![BackEntry {
            unit: "igd".into(),
            forms: Some(12),
            entered: Some(9),
            verified_by: None,
        }],
        review: Some(Review {
            root_cause: "satu kabel daya".into(),
            ..Review::default()
        }),
        actions: vec![CorrectiveAction {
            number: 1,
            text: "pasang catu daya kedua".into(),
            owner: "budi".into(),
            due: "2026-12-15".into(),
            done: false,
        }],
        integrity: vec![looked_through()],
        ..IncidentDocument::of_run(run(MoveKind::Takeover), &events)
    };
    full.signed.insert(SignedAs::Verifier, "sari".into());
    let offline = full.times.get_mut(&TimeKind::Offline).unwrap();
    offline.push(RecordedTime {
        at: Some(UtcMicros(NOW.0 - 3_700_000_000)),
        measured: false,
        by: "sari".into(),
        reason: "jam loket".into(),
    });
    let report = report(Content::Incident(Box::new(full)));
    let bytes = report.print(Form::Pdf);
    keep("incident.pdf", &bytes);
    let file = Pdf::new(&bytes);
    file.is_valid();
    let said = file.text();
    for part in [
        "DT-2026-007",
        "diukur oleh igd",
        "diisi oleh sari: jam loket",
        "catu daya serverdb",
        "antrean",
        "pasang catu daya kedua",
        "Berkas basis data setelah pemindahan",
        "backup: amcheck: GAGAL",
        "RUSAK",
        "pasien_pkey",
        "BERITA ACARA",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // A long step has its whole name, in the table and beside its bar.
    assert_eq!(said.matches("menjawab").count(), 2, "{said}");
    // 12 forms, 9 entered.
    let row = said
        .lines()
        .find(|l| l.contains("IGD") && l.contains("12"))
        .unwrap();
    let numbers: Vec<&str> = row.split_whitespace().collect();
    assert!(numbers.contains(&"3"), "{row}");
    assert_eq!(find(&bytes).unwrap().report, report);
}

/// Somebody changes text and record together, and leaves the seal alone.
#[test]
fn a_record_that_the_log_does_not_give_is_found() {
    let events = vec![
        view(1, 0, accepted(MoveKind::Drill)),
        view(
            2,
            90,
            EventBody::RunEnded {
                outcome: RunOutcome::Done,
                plan: None,
            },
        ),
    ];
    let honest = report(Content::Drill(Box::new(drill())));
    let measured = run(MoveKind::Drill);
    let truth = Truth::Run {
        run: &measured,
        events: &events,
    };
    assert!(agrees(&honest, &truth));
    let mut shorter = drill();
    shorter.run.outages[0].downtime_ms = Some(900);
    let forged = report(Content::Drill(Box::new(shorter)));
    assert_eq!(
        find(&forged.print(Form::Pdf)).unwrap().as_printed,
        Some(true)
    );
    assert!(!agrees(&forged, &truth));
    let mut other = drill();
    other.order.approved_by = Some("siapa saja".into());
    let forged = report(Content::Drill(Box::new(other)));
    assert!(!agrees(&forged, &truth));
}
