//! What units read: every moment in both languages.

use siaga_comms::{
    AlertFacts, CallRow, Drill, Facts, Field, Sign, TemplateFault, Templates, alert, announcement,
    call_list, drill_mark, fit, moment_by_name, moment_name, sample, whole,
};
use siaga_model::UtcMicros;
use siaga_model::config::{Config, Language};
use siaga_model::notice::{Moment, Text};
use std::path::Path;

const BOTH: [Language; 2] = [Language::English, Language::Indonesian];
/// 2026-11-25 14:05:00 in Jakarta.
const NOW: UtcMicros = UtcMicros(1_795_590_300_000_000);

fn config(zone: &str, templates: Option<&Path>) -> Config {
    let mut downtime = siaga_model::downtime::Downtime::default();
    downtime.rules.contact = "ext. 123".to_owned();
    downtime.rules.template_dir = templates.map(Path::to_owned);
    Config {
        site: siaga_model::config::Site {
            name: "RSUD Contoh".to_owned(),
            language: Language::Indonesian,
            time_zone: zone.to_owned(),
        },
        document: siaga_model::config::Document::default(),
        people: Vec::new(),
        nodes: Vec::new(),
        services: Vec::new(),
        policy: siaga_model::config::Policy::default(),
        downtime,
    }
}

fn shipped(zone: &str) -> Templates {
    let (templates, faults) = Templates::load(&config(zone, None));
    assert_eq!(faults, []);
    templates
}

fn every_text() -> Vec<(Moment, Text)> {
    let templates = shipped("Asia/Jakarta");
    let mut all = Vec::new();
    for moment in Moment::ALL {
        for language in BOTH {
            for facts in [sample(language, NOW, false), sample(language, NOW, true)] {
                all.push((moment, templates.text(moment, language, &facts)));
            }
        }
    }
    all
}

#[test]
fn every_moment_has_a_subject_and_a_text_in_both_languages() {
    for (moment, text) in every_text() {
        assert!(text.subject.contains("[SIMRS]["), "{moment:?}: {text:?}");
        assert!(text.body.lines().count() >= 4, "{moment:?}: {text:?}");
        assert!(!text.body.contains(['{', '}']), "{moment:?}: {text:?}");
        assert!(text.body.contains("ext. 123"), "{moment:?}: {text:?}");
        assert!(whole(&text).chars().count() < 620, "{moment:?}: {text:?}");
    }
}

#[test]
fn the_products_name_is_in_no_text() {
    let never = |text: &str| assert!(!text.to_lowercase().contains("siaga"), "{text}");
    for (_, text) in every_text() {
        never(&whole(&text));
        never(&text.body);
    }
    let templates = shipped("Asia/Jakarta");
    for language in BOTH {
        for drill in [false, true] {
            never(&announcement(language, drill));
            for sign in [
                Sign::ClientTestsFail,
                Sign::CannotTell,
                Sign::UpdateLate,
                Sign::EstimateOver,
            ] {
                never(&whole(&alert(&templates, language, &alerted(sign, drill))));
            }
        }
    }
}

fn alerted(sign: Sign, drill: bool) -> AlertFacts {
    AlertFacts {
        sign,
        service: "simrs".to_owned(),
        since: NOW,
        now: NOW,
        number: Some("DT-2026-007".to_owned()),
        notice: "a-1".to_owned(),
        drill,
    }
}

#[test]
fn a_drill_is_marked_at_the_start_and_at_the_end() {
    for (moment, text) in every_text() {
        let mark = drill_mark(text.language);
        let marked = text.subject.starts_with(mark);
        let drill = text.body.contains(mark);
        assert_eq!(marked, drill);
        if drill {
            assert!(
                text.body.starts_with(mark) && text.body.ends_with(mark),
                "{moment:?}"
            );
            let joined = whole(&text);
            assert!(joined.starts_with(mark) && joined.ends_with(mark));
            assert_eq!(joined.matches(mark).count(), 2, "{joined}");
        }
    }
    let templates = shipped("Asia/Jakarta");
    let mut facts = sample(Language::Indonesian, NOW, true);
    let says = "Layanan benar-benar berhenti";
    let text = |f: &Facts| templates.text(Moment::Action, Language::Indonesian, f).body;
    assert!(text(&facts).contains(says));
    facts.drill = Some(Drill {
        stops_service: false,
    });
    assert!(!text(&facts).contains(says));
    let text = alert(
        &templates,
        Language::Indonesian,
        &alerted(Sign::CannotTell, true),
    );
    let mark = drill_mark(Language::Indonesian);
    assert!(text.subject.starts_with(mark) && text.body.ends_with(mark));
}

#[test]
fn the_words_of_a_confirmed_downtime() {
    let text = shipped("Asia/Jakarta").text(
        Moment::Confirmed,
        Language::Indonesian,
        &sample(Language::Indonesian, NOW, false),
    );
    assert_eq!(text.subject, "[SIMRS][HENTI] Tidak dapat digunakan");
    assert_eq!(
        text.body,
        "Mohon maaf, SIMRS tidak dapat digunakan sejak pukul 13.33 WIB.\n\
         Layanan terdampak: LAYANAN CONTOH.\n\
         Perkiraan pulih: pukul 14.20-14.45 WIB.\n\
         Mohon gunakan formulir manual.\n\
         Kalimat ini hanya contoh.\n\
         Informasi berikutnya pukul 14.35 WIB.\n\
         No. log DT-0000-000.\n\
         Kontak: ext. 123."
    );
}

#[test]
fn each_zone_has_its_own_word() {
    for (zone, clock) in [
        ("Asia/Jakarta", "pukul 14.35 WIB"),
        ("Asia/Makassar", "pukul 15.35 WITA"),
        ("Asia/Jayapura", "pukul 16.35 WIT"),
    ] {
        let language = Language::Indonesian;
        let text = shipped(zone).text(Moment::Update, language, &sample(language, NOW, false));
        assert!(text.body.contains(clock), "{}", text.body);
    }
}

#[test]
fn what_is_not_known_is_said_or_left_out_and_never_guessed() {
    let templates = shipped("Asia/Jakarta");
    let facts = Facts {
        now: NOW,
        ..Facts::default()
    };
    let text = |moment, language| templates.text(moment, language, &facts).body;
    let id = text(Moment::Confirmed, Language::Indonesian);
    assert!(id.contains("belum dapat diperkirakan"), "{id}");
    assert!(id.contains("waktu yang belum diketahui"), "{id}");
    assert!(!id.contains("No. log") && !id.contains("Layanan"), "{id}");
    let en = text(Moment::AllClear, Language::English);
    assert!(!en.contains("down for"), "{en}");
}

#[test]
fn another_days_times_carry_their_day() {
    let language = Language::Indonesian;
    let body = |moment| {
        shipped("Asia/Jakarta")
            .text(moment, language, &sample(language, NOW, false))
            .body
    };
    assert!(body(Moment::AllClear).contains("Kamis, 26 November 2026 pukul 14.05 WIB"));
    assert!(body(Moment::Planned).contains("Sabtu, 28 November 2026 pukul 14.05-16.05 WIB"));
}

#[test]
fn a_sentence_is_one_line_and_no_template() {
    let templates = shipped("Asia/Jakarta");
    let facts = Facts {
        now: NOW,
        sentence: Some(format!(
            "Baris satu\r\n{{contact}}\u{7} {}",
            "x ".repeat(500)
        )),
        ..Facts::default()
    };
    let body = templates
        .text(Moment::Update, Language::Indonesian, &facts)
        .body;
    let line = body.lines().find(|l| l.contains("Baris satu")).unwrap();
    assert!(line.contains("Baris satu {contact} x"), "{line}");
    assert!(
        line.chars().count() < 340 && line.ends_with("[…]."),
        "{line}"
    );
}

#[test]
fn the_sites_own_text_stands_in_for_the_shipped_one() {
    let dir = tempfile::tempdir().unwrap();
    let own = "[SIMRS] Henti\nSejak {start}, {estimate}, {next_update}. {{x}}\n";
    std::fs::write(dir.path().join("confirmed.id.txt"), own).unwrap();
    let (templates, faults) = Templates::load(&config("Asia/Jakarta", Some(dir.path())));
    assert_eq!(faults, []);
    let facts = sample(Language::Indonesian, NOW, false);
    let text = templates.text(Moment::Confirmed, Language::Indonesian, &facts);
    assert_eq!(
        text.body,
        "Sejak pukul 13.33 WIB, pukul 14.20-14.45 WIB, pukul 14.35 WIB. {x}"
    );
    let other = templates.text(Moment::Confirmed, Language::English, &facts);
    assert!(other.body.starts_with("We are sorry"));
}

/// The faults of one file, as line, column and code.
fn faults(name: &str, text: &str) -> Vec<(usize, usize, &'static str)> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(name), text).unwrap();
    let (templates, faults) = Templates::load(&config("Asia/Jakarta", Some(dir.path())));
    for fault in &faults {
        assert!(fault.file.ends_with(name));
        for language in BOTH {
            assert!(fault.render(language).contains(fault.fault.code()));
        }
    }
    // The shipped text stands in.
    let facts = sample(Language::Indonesian, NOW, false);
    let text = templates.text(Moment::Suspected, Language::Indonesian, &facts);
    assert!(
        faults.is_empty() || text.body.starts_with("Yth."),
        "{text:?}"
    );
    faults
        .iter()
        .map(|f| (f.line, f.column, f.fault.code()))
        .collect()
}

#[test]
fn a_template_with_a_fault_is_refused_with_its_place() {
    let of = |text: &str| faults("suspected.id.txt", text);
    assert_eq!(of("S\n{next_update}\n"), []);
    assert_eq!(
        of("S\nPukul {jam} {next_update}"),
        [(2, 7, "TEMPLATE_UNKNOWN_FIELD")]
    );
    assert_eq!(of("S\nx"), [(0, 0, "TEMPLATE_FIELD_MISSING")]);
    assert_eq!(
        of("S\n{next_update}\n{estimate}"),
        [(3, 1, "TEMPLATE_FIELD_NOT_HERE")]
    );
    assert_eq!(of("S\n{next_update} {"), [(2, 15, "TEMPLATE_BRACE")]);
    assert_eq!(of("S\n{next_update} }"), [(2, 15, "TEMPLATE_BRACE")]);
    assert_eq!(of("S {next_update}"), [(1, 1, "TEMPLATE_NO_BODY")]);
    assert_eq!(
        of("S\n{next_update} sistem Siaga"),
        [(2, 22, "TEMPLATE_PRODUCT_NAME")]
    );
    assert_eq!(
        faults("suspected.ms.txt", "S\n{next_update}"),
        [(0, 0, "TEMPLATE_FILE_NAME")]
    );
    let long = format!("S\n{{next_update}}\n{}", "x".repeat(5000));
    assert_eq!(of(&long), [(0, 0, "TEMPLATE_TOO_LONG")]);
}

#[test]
fn an_unknown_field_names_the_known_ones() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("update.en.txt"),
        "S\n{sentence}{estimate}{next_update}{when}",
    )
    .unwrap();
    let (_, faults) = Templates::load(&config("Asia/Jakarta", Some(dir.path())));
    assert!(matches!(&faults[0].fault, TemplateFault::Unknown { found, .. } if found == "when"));
    let said = faults[0].render(Language::English);
    for field in Field::ALL {
        assert!(said.contains(field.name()), "{said}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_told_and_the_shipped_texts_stand_in() {
    let (templates, faults) = Templates::load(&config("Asia/Jakarta", Some(Path::new("/nowhere"))));
    assert_eq!(faults[0].fault.code(), "TEMPLATE_UNREADABLE");
    let facts = sample(Language::English, NOW, false);
    let text = templates.text(Moment::Action, Language::English, &facts);
    assert!(text.body.contains("standby server"));
}

#[test]
fn moments_go_by_their_names() {
    for moment in Moment::ALL {
        assert_eq!(moment_by_name(moment_name(moment)), Some(moment));
    }
    assert_eq!(moment_by_name("all-clear"), Some(Moment::AllClear));
    assert_eq!(moment_by_name("other"), None);
}

#[test]
fn an_announcement_is_read_twice() {
    let text = announcement(Language::Indonesian, false);
    assert_eq!(text.matches("Perhatian kepada seluruh petugas.").count(), 2);
    assert!(text.contains("Mohon menggunakan formulir manual."));
    assert!(announcement(Language::Indonesian, true).contains("simulasi"));
}

#[test]
fn a_call_list_has_a_place_for_the_time_and_a_box() {
    let row = |unit: &str, number: &str, done: Option<&str>| CallRow {
        unit: unit.to_owned(),
        contact: "kepala ruang".to_owned(),
        number: number.to_owned(),
        done: done.map(str::to_owned),
    };
    let text = call_list(
        Language::Indonesian,
        &[
            row("Instalasi Gawat Darurat", "ext. 101", None),
            row("Farmasi", "ext. 7", Some("pukul 14.05 WIB")),
        ],
    );
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "Unit                     Kontak        Nomor     Jam              Selesai"
    );
    assert!(lines[2].ends_with("__.__            [ ]"), "{text}");
    assert!(lines[3].ends_with("pukul 14.05 WIB  [x]"), "{text}");
}

#[test]
fn a_text_fits_its_channel() {
    let (_, text) = every_text().remove(1);
    let short = fit(&whole(&text), 120, text.language);
    assert!(short.ends_with(drill_mark(text.language)), "{short}");
}
