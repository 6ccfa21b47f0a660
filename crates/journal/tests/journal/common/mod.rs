//! What the journal's tests share.
#![allow(dead_code)]

use siaga_journal::{Clock, Durability, Journal, OpenReport};
use siaga_model::api::{EventView, SeenBy};
use siaga_model::event::{Event, EventBody, Hlc};
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::run::RunOutcome;
use siaga_model::{BootId, Epoch, NodeName, PersonName, RunId, ServiceName, UtcMicros};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2026-01-01T00:00:00Z
pub const START: i64 = 1_767_225_600_000_000;

/// A clock that the test sets.
#[derive(Clone)]
pub struct TestClock(pub Arc<AtomicI64>);

impl TestClock {
    pub fn at(micros: i64) -> Self {
        Self(Arc::new(AtomicI64::new(micros)))
    }
    pub fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall(&self) -> UtcMicros {
        UtcMicros(self.0.fetch_add(10, Ordering::SeqCst))
    }
}

pub fn open(state: &Path, node: &str) -> (Journal, OpenReport) {
    open_at(state, node, &TestClock::at(START))
}

pub fn open_at(state: &Path, node: &str, clock: &TestClock) -> (Journal, OpenReport) {
    Journal::open(state, NodeName::from(node), Box::new(clock.clone())).unwrap()
}

/// A directory in memory, for tests that sync a thousand times.
pub fn memory_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// Gives this thread, and the programs it starts, mounts of its own. In the machine's own namespace any process that
/// makes a namespace copies our mount, and the copy keeps the file system alive after the unmount: a disk that was
/// shut down would come back shut down. What is left mounted goes away with the thread.
pub fn own_mounts() {
    use rustix::mount::{MountPropagationFlags, mount_change};
    // SAFETY: only this thread's view of the mounts (and its own working directory) changes; no memory is shared
    // in another way than before.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }
        .expect("this test makes mounts, so it runs as root");
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).unwrap();
}

/// An event that a test tells from another by its number.
pub fn event(number: u64) -> Event {
    let epoch = Epoch {
        counter: number,
        issuer: NodeName::from("serverdb"),
        run: RunId::from("r1"),
    };
    of_service(EventBody::EpochSeen { epoch })
}

pub fn of_service(body: EventBody) -> Event {
    Event {
        service: Some(ServiceName::from("simrs")),
        run: None,
        actor: None,
        body,
    }
}

pub fn number(view: &EventView) -> u64 {
    match &view.event.body {
        EventBody::EpochSeen { epoch } => epoch.counter,
        other => panic!("not a numbered event: {other:?}"),
    }
}

pub fn append(journal: &mut Journal, numbers: std::ops::RangeInclusive<u64>) {
    for n in numbers {
        journal.append(event(n), Durability::Sync).unwrap();
    }
}

pub fn numbers(journal: &Journal) -> Vec<u64> {
    journal
        .events(&Default::default())
        .unwrap()
        .iter()
        .map(number)
        .collect()
}

pub fn log_path(state: &Path, journal: &Journal) -> PathBuf {
    state
        .join("events")
        .join(format!("{}.{}.log", journal.node(), journal.incarnation()))
}

/// The file's lines without newline, and without the zero bytes behind them.
pub fn lines(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let rows = bytes[..end].split(|b| *b == b'\n').map(<[u8]>::to_vec);
    rows.filter(|line| !line.is_empty()).collect()
}

pub fn write_lines(path: &Path, lines: &[Vec<u8>]) {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    fs::write(path, bytes).unwrap();
}

/// Copies everything that `from` has and `to` has not, in batches of `max`.
pub fn copy(from: &mut Journal, to: &mut Journal, max: usize) {
    for ((node, inc), seq) in from.heads() {
        if (&node, inc) == (to.node(), to.incarnation()) {
            continue;
        }
        loop {
            let have = to.heads().get(&(node.clone(), inc)).copied().unwrap_or(0);
            if have >= seq {
                break;
            }
            let rows = from.rows_after(&node, inc, have, max).unwrap();
            assert!(!rows.is_empty());
            to.import(&rows).unwrap();
        }
    }
}

/// A view at a wall time of `seconds` after the start, for projections.
pub fn view(node: &str, seconds: i64, run: Option<&str>, body: EventBody) -> EventView {
    let at = UtcMicros(START + seconds * 1_000_000);
    let event = Event {
        run: run.map(RunId::from),
        ..of_service(body)
    };
    let hlc = Hlc { wall: at, count: 0 };
    EventView {
        node: NodeName::from(node),
        incarnation: 1,
        seq: 1,
        hlc,
        at,
        event,
    }
}

pub fn outage(from: i64, to: i64, seen_by: SeenBy) -> EventBody {
    let text = |s: i64| siaga_journal::csv::instant(UtcMicros(START + s * 1_000_000));
    EventBody::OutageMeasured {
        outage: siaga_model::api::Outage {
            offline_at: Some(text(from)),
            online_at: Some(text(to)),
            downtime_ms: Some((to - from) as u64 * 1000),
            error_ms: Some(10),
            seen_by,
            probe: None,
        },
    }
}

pub fn boot(text: &str) -> BootId {
    BootId::from(text)
}

pub fn accepted(kind: MoveKind, reason: &str) -> EventBody {
    EventBody::RunAccepted {
        move_kind: kind,
        goal: Placement::Stopped,
        reason: reason.to_owned(),
        requested_by: Some(PersonName::from("Sari")),
        approved_by: None,
        idempotency_key: "k".to_owned(),
        covers: None,
    }
}

pub fn ended() -> EventBody {
    EventBody::RunEnded {
        outcome: RunOutcome::Done,
        plan: None,
    }
}

pub fn silent(second: i64) -> EventView {
    view(
        "backup",
        second,
        None,
        EventBody::PeerSilent {
            node: NodeName::from("serverdb"),
        },
    )
}

pub fn answers(second: i64, of: &str) -> EventView {
    let node = NodeName::from("serverdb");
    view(
        "backup",
        second,
        None,
        EventBody::PeerAnswers {
            node,
            boot: boot(of),
        },
    )
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The seal, written apart from the crate's own code.
pub fn seal(body: &str, pkcs8: &[u8]) -> String {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(pkcs8).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    let signature = hex(pair.sign(digest.as_ref()).as_ref());
    format!(
        r#"{body},"hash":"{}","sig":"{signature}"}}"#,
        hex(digest.as_ref())
    )
}
