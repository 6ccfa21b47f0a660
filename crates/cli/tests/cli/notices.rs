//! What the units are told, as far as no agent is needed.

use crate::run;

const FULL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/full.toml");

#[test]
fn a_notice_is_shown_without_an_agent_and_says_that_it_is_made_up() {
    let said = run(&["notice", "preview", "all-clear", "--lang", "id"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("rekaan") && said.out.contains("DT-0000-000"));
    assert!(said.out.contains("Lama henti: 31 menit."), "{}", said.out);
    let drill = run(&["notice", "preview", "action", "--lang", "en", "--drill"]);
    assert_eq!(drill.out.matches("[DRILL - NOT A REAL EVENT]").count(), 3);
    let twice = run(&["notice", "preview", "announcement", "--lang", "id"]);
    assert_eq!(twice.out.matches("Perhatian").count(), 2);
    assert_eq!(run(&["notice", "preview", "nothing"]).code, 2);
}

#[test]
fn a_text_of_the_sites_own_with_a_fault_is_told_with_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let own = dir.path().join("suspected.id.txt");
    std::fs::write(&own, "S\n{next_update} {jam}\n").expect("written");
    let config = std::fs::read_to_string(FULL)
        .expect("the example")
        .replace("/etc/siaga/templates", &dir.path().display().to_string());
    let file = dir.path().join("siaga.toml");
    std::fs::write(&file, config).expect("written");
    let file = file.to_str().expect("text");
    let said = run(&["notice", "preview", "suspected", "--config", file]);
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("suspected.id.txt:2:15: TEMPLATE_UNKNOWN_FIELD"),
        "{}",
        said.err
    );
    assert!(said.err.contains("{next_update}") && said.err.contains("{jam}"));
}
