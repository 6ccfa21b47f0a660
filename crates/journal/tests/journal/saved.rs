//! A restored log is an old log.

use siaga_journal::{Durability, Filter, History, Journal, Start, SystemClock, saved, verify_dir};
use siaga_model::event::{Event, EventBody};
use std::path::Path;

fn open(state: &Path) -> (Journal, siaga_journal::OpenReport) {
    Journal::open(state, "serverdb".into(), Box::new(SystemClock)).unwrap()
}

fn write(journal: &mut Journal, reason: &str) {
    let event = Event {
        service: None,
        run: None,
        actor: None,
        body: EventBody::Paused {
            until: siaga_model::UtcMicros(0),
            reason: reason.into(),
        },
    };
    journal.append(event, Durability::Sync).unwrap();
}

fn copy(from: &Path, to: &Path) {
    assert!(saved::is_empty(to).unwrap());
    saved::begin_restored(to, "restored from a backup").unwrap();
    for name in saved::names_of(from).unwrap() {
        let file = saved::read(from, &name).unwrap();
        assert!(saved::put_back(to, &file).unwrap());
    }
}

#[test]
fn a_restored_log_goes_on_in_a_new_incarnation_and_is_unconfirmed() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut journal, first) = open(old.path());
    journal.confirm_history().unwrap();
    write(&mut journal, "before the backup");
    // While the agent writes.
    copy(old.path(), new.path());
    write(&mut journal, "after it");
    drop(journal);
    assert!(!saved::is_empty(new.path()).unwrap());
    assert!(!new.path().join("keys").exists(), "no key goes along");
    let (mut restored, report) = open(new.path());
    assert_eq!(report.start, Start::NewIncarnation);
    assert!(report.incarnation > first.incarnation);
    assert!(matches!(report.history, History::Unconfirmed { .. }));
    write(&mut restored, "on the new machine");
    assert_eq!(restored.events(&Filter::default()).unwrap().len(), 2);
    let trusted = restored.trusted().clone();
    assert_eq!(verify_dir(new.path(), &trusted).problems, []);
    // Also after a restart.
    drop(restored);
    assert!(matches!(
        open(new.path()).1.history,
        History::Unconfirmed { .. }
    ));
}

#[test]
fn only_files_of_a_log_are_put_back() {
    let state = tempfile::tempdir().unwrap();
    saved::begin_restored(state.path(), "restored").unwrap();
    for strange in [
        "../keys/node.key",
        "history-unconfirmed",
        "/etc/passwd",
        "reserve",
    ] {
        let file = saved::SavedFile {
            file: strange.into(),
            text: "x".into(),
        };
        assert!(!saved::put_back(state.path(), &file).unwrap(), "{strange}");
    }
    assert!(saved::is_empty(state.path()).unwrap());
}
