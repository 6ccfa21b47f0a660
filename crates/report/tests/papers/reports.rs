//! The log book and availability.

use crate::samples::*;
use crate::tools::{Pdf, keep};
use siaga_model::config::Language;
use siaga_report::report::{Form, find};
use siaga_report::text;

#[test]
fn a_report_is_a_valid_pdf_with_its_text_title_and_language() {
    let report = availability_report(Language::Indonesian);
    let bytes = report.print(Form::Pdf);
    keep("availability.pdf", &bytes);
    let pdf = Pdf::new(&bytes);
    pdf.is_valid();
    let info = pdf.info();
    assert!(info.contains("Ketersediaan Layanan 2026-11"), "{info}");
    assert!(info.contains("RSUD Contoh"), "{info}");
    let said = pdf.text();
    for part in ["HALAMAN", "25 November 2026", "0123456789abcdef", "Tren"] {
        assert!(
            said.to_uppercase().contains(&part.to_uppercase()),
            "{part}: {said}"
        );
    }
}

#[test]
fn a_long_table_repeats_its_head_on_every_page() {
    let bytes = log_book(120).print(Form::Pdf);
    keep("log.pdf", &bytes);
    let pdf = Pdf::new(&bytes);
    pdf.is_valid();
    let text = pdf.text();
    let pages: Vec<&str> = text
        .split('\u{c}')
        .filter(|p| !p.trim().is_empty())
        .collect();
    assert!(pages.len() > 3, "{}", pages.len());
    for (index, page) in pages[..pages.len() - 1].iter().enumerate() {
        assert!(page.contains("Petugas"), "page {}: {page}", index + 1);
        let number = format!("{} dari {}", index + 1, pages.len());
        assert!(page.contains(&number), "{number}: {page}");
    }
    // Every row once.
    assert!(text.contains("simulasi triwulan"));
}

#[test]
fn markup_in_a_cause_is_text() {
    let bytes = log_book(4).print(Form::Html);
    keep("log.html", &bytes);
    let html = String::from_utf8(bytes).unwrap();
    assert!(html.contains("&lt;b&gt;firmware&lt;/b&gt; &amp; kabel"));
    assert!(
        !html.contains("<b>firmware"),
        "nowhere, in the data neither"
    );
    assert!(html.contains("<html lang=\"id\">"));
}

#[test]
fn a_report_is_found_again_in_each_form() {
    for report in [availability_report(Language::English), log_book(9)] {
        for form in [Form::Pdf, Form::Html, Form::Json] {
            let bytes = report.print(form);
            let found = find(&bytes).unwrap();
            assert_eq!(found.report, report, "{form:?}");
            assert_eq!((found.form, found.as_printed), (form, Some(true)));
        }
    }
}

/// Whatever of the text is changed shows, though the data in the file was left alone.
#[test]
fn a_changed_text_is_not_as_it_was_printed() {
    let report = log_book(4);
    for form in [Form::Pdf, Form::Html] {
        let bytes = report.print(form);
        let at = bytes
            .windows(8)
            .position(|w| w == b"triwulan")
            .expect("the text stands in the file");
        let mut changed = bytes.clone();
        changed[at] = b'T';
        let found = find(&changed).unwrap();
        assert_eq!(found.as_printed, Some(false), "{form:?}");
    }
    let json = String::from_utf8(availability_report(Language::English).print(Form::Json)).unwrap();
    let changed = json.replacen(
        "\"downtime_unplanned_min\": 34.0",
        "\"downtime_unplanned_min\": 3.0",
        1,
    );
    assert_ne!(json, changed);
    assert_eq!(find(changed.as_bytes()).unwrap().as_printed, Some(false));
}

#[test]
fn another_versions_print_is_not_judged() {
    let mut report = log_book(2);
    report.made_by = "0.0.1".into();
    let found = find(&report.print(Form::Html)).unwrap();
    assert_eq!(found.as_printed, None);
}

#[test]
fn what_carries_no_report_has_none() {
    for bytes in [
        &b"%PDF-1.7 nothing"[..],
        b"{}",
        b"{\"report\": 5}",
        b"<html>",
        b"",
        b"\xff\xfe",
    ] {
        assert!(find(bytes).is_none(), "{bytes:?}");
    }
    let whole = log_book(2).print(Form::Pdf);
    for end in [10, whole.len() / 4] {
        let _ = find(&whole[..end]);
    }
}

#[test]
fn the_json_has_the_figures_at_its_top() {
    let json = availability_report(Language::English).print(Form::Json);
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(value["minutes_in_month"], 43_200);
    assert_eq!(value["downtime_planned_min"], 7.0);
    assert_eq!(value["downtime_unplanned_min"], 34.0);
    assert_eq!(value["incidents"], 3);
    assert_eq!(value["report"]["siaga_report"], 1);
}

#[test]
fn the_text_is_not_wider_than_a_page() {
    let text = text::render(&log_book(12).document());
    assert!(text.lines().all(|l| l.chars().count() <= 78), "{text}");
}
