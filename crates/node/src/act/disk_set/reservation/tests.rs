//! A disk with reservations that lives in memory, and fails where it is told to. It does what SPC-4 says of write
//! exclusive, registrants only. (The real ones are in the guests.)

use super::kernel::Holder;
use super::*;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// How a change fails.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fails {
    /// Nothing was done.
    Before,
    /// It was done, and the answer was lost.
    After,
}

#[derive(Default)]
struct Disk {
    /// By the way to it.
    keys: BTreeMap<PathBuf, ReservationKey>,
    holder: Option<PathBuf>,
    /// The change or the question with that number fails, counted from zero.
    change_fails: Option<(usize, Fails)>,
    read_fails: Option<usize>,
    changes: Vec<Change>,
    reads: usize,
}

const CONFLICT: PrError = PrError::Status(0x18);

impl Disk {
    fn make(&mut self, way: &Path, change: Change) -> Result<(), PrError> {
        let registered = self.keys.get(way).copied();
        match change {
            Change::Register(key) => drop(self.keys.insert(way.to_owned(), key)),
            Change::Unregister => {
                self.keys.remove(way);
                self.holder.take_if(|h| h == way);
            }
            Change::Reserve(key) if registered == Some(key) && self.holder.is_none() => {
                self.holder = Some(way.to_owned());
            }
            Change::Preempt { own, victim }
                if registered == Some(own) && self.keys.values().any(|k| *k == victim) =>
            {
                let holds = |h: &PathBuf| self.keys.get(h) == Some(&victim);
                if self.holder.as_ref().is_some_and(holds) {
                    self.holder = Some(way.to_owned());
                }
                self.keys.retain(|by, k| by == way || *k != victim);
            }
            Change::Reserve(_) | Change::Preempt { .. } => return Err(CONFLICT),
        }
        Ok(())
    }
}

#[derive(Clone)]
struct Shared {
    inner: Arc<Mutex<Disk>>,
    /// Each node's way to it is a file here.
    ways: Arc<tempfile::TempDir>,
}

impl Calls for Shared {
    fn read(&self, _way: &Path) -> Result<Seen, PrError> {
        let mut disk = self.inner.lock().unwrap();
        disk.reads += 1;
        if disk.read_fails.is_some_and(|at| at + 1 == disk.reads) {
            return Err(PrError::Short);
        }
        let holder = disk.holder.as_ref().map(|way| Holder {
            key: disk.keys[way],
            registrants_write: true,
        });
        Ok(Seen {
            keys: disk.keys.values().copied().collect(),
            holder,
        })
    }

    fn change(&self, way: &Path, change: Change) -> Result<(), PrError> {
        let mut disk = self.inner.lock().unwrap();
        let fails = disk
            .change_fails
            .filter(|(at, _)| *at == disk.changes.len());
        disk.changes.push(change);
        match fails {
            None => disk.make(way, change),
            Some((_, Fails::Before)) => Err(PrError::Short),
            Some((_, Fails::After)) => disk.make(way, change).and(Err(PrError::Short)),
        }
    }
}

impl Shared {
    fn new() -> Self {
        let ways = tempfile::tempdir().unwrap();
        for node in ["serverdb", "backup"] {
            std::fs::write(ways.path().join(node), "").unwrap();
        }
        Self {
            inner: Arc::default(),
            ways: Arc::new(ways),
        }
    }

    fn way(&self, name: &str) -> PathBuf {
        self.ways.path().join(name)
    }

    /// As `me` has it, of `serverdb` and `backup`. Its only way has its name.
    fn of(&self, me: &str) -> Arc<Reservation> {
        let others = ["serverdb", "backup"].into_iter().filter(|n| *n != me);
        let others = others.map(NodeName::from).collect();
        Arc::new(Reservation {
            calls: Arc::new(self.clone()),
            ..Reservation::new(self.way(me), me.into(), others)
        })
    }

    /// A registration by another way: of an earlier session, or of somebody else.
    fn put(&self, way: &str, key: ReservationKey) {
        self.inner.lock().unwrap().keys.insert(self.way(way), key);
    }

    fn keys(&self) -> Vec<ReservationKey> {
        self.inner.lock().unwrap().keys.values().copied().collect()
    }
}

fn epoch(counter: u64, issuer: &str) -> Epoch {
    Epoch {
        counter,
        issuer: issuer.into(),
        run: siaga_model::RunId::from("r"),
    }
}

fn key(node: &str, counter: u64) -> ReservationKey {
    ReservationKey::new(&node.into(), counter)
}

/// A disk on which one call failed, which call that was, and what it had been asked to change.
struct Failure {
    disk: Shared,
    what: String,
    change: Option<(Change, Fails)>,
}

/// Every disk as `world` makes it, on which one call of `act` failed; and each works again.
fn each_failure(world: fn() -> Shared, act: impl Fn(&Shared) -> Acted) -> Vec<Failure> {
    let run = |change_fails, read_fails| {
        let disk = world();
        let set = |change_fails, read_fails| {
            let mut inner = disk.inner.lock().unwrap();
            (inner.reads, inner.changes) = (0, Vec::new());
            (inner.change_fails, inner.read_fails) = (change_fails, read_fails);
        };
        set(change_fails, read_fails);
        let done = act(&disk);
        let told = disk.inner.lock().unwrap().changes.clone();
        let reads = disk.inner.lock().unwrap().reads;
        set(None, None);
        (disk, done, told, reads)
    };
    let (_, done, changes, reads) = run(None, None);
    done.unwrap();
    let mut all = Vec::new();
    for how in [Fails::Before, Fails::After] {
        for (at, change) in changes.iter().enumerate() {
            let (disk, done, ..) = run(Some((at, how)), None);
            let what = format!("{at}: {change:?} {how:?}");
            assert!(done.is_err(), "{what}");
            let change = Some((*change, how));
            all.push(Failure { disk, what, change });
        }
    }
    for at in 0..reads {
        let (disk, done, ..) = run(None, Some(at));
        let (what, change) = (format!("question {at}"), None);
        assert!(done.is_err(), "{what}");
        all.push(Failure { disk, what, change });
    }
    all
}

fn fence(disk: &Shared) -> Acted {
    disk.of("backup").reserve(&epoch(4, "backup"))
}

fn is_backups(key: &ReservationKey) -> bool {
    key.is_of(&"backup".into())
}

#[test]
fn a_fence_that_failed_leaves_no_registration_of_its_own_and_is_repeated() {
    let free = Shared::new;
    let held = || {
        let disk = Shared::new();
        disk.of("serverdb").reserve(&epoch(3, "serverdb")).unwrap();
        // By a second way, and from a mandate before.
        disk.put("serverdb-2", key("serverdb", 2));
        disk
    };
    for world in [free as fn() -> Shared, held] {
        let failures = each_failure(world, fence);
        assert!(failures.len() >= 8);
        for Failure { disk, what, .. } in failures {
            assert!(!disk.keys().iter().any(is_backups), "{what}");
            assert!(fence(&disk).unwrap().changed, "{what}");
            assert_eq!(disk.keys(), [key("backup", 4)], "{what}");
            let word = disk.of("backup").state_of(&"serverdb".into());
            assert_eq!(word, FenceState::Fenced, "{what}");
        }
    }
}

#[test]
fn a_mandate_more_that_failed_lets_nothing_go() {
    let held = || {
        let disk = Shared::new();
        disk.of("backup").reserve(&epoch(3, "backup")).unwrap();
        disk
    };
    for Failure { disk, what, .. } in each_failure(held, fence) {
        assert!(disk.keys().iter().all(is_backups), "{what}");
        assert!(disk.inner.lock().unwrap().holder.is_some(), "{what}");
        fence(&disk).unwrap();
        let word = disk.of("backup").state_under(&epoch(4, "backup"));
        assert_eq!(word, FenceState::Fenced, "{what}");
    }
}

#[test]
fn a_release_that_failed_is_repeated() {
    let held = || {
        let disk = Shared::new();
        fence(&disk).unwrap();
        disk
    };
    for Failure { disk, what, .. } in each_failure(held, |d| d.of("backup").release()) {
        disk.of("backup").release().unwrap();
        assert_eq!(disk.keys(), [], "{what}");
    }
}

#[test]
fn what_an_earlier_session_left_is_cleared_and_nothing_of_that_stays() {
    let left = || {
        let disk = Shared::new();
        disk.put("backup-before", key("backup", 3));
        disk.put("serverdb", key("serverdb", 2));
        disk
    };
    let release = |disk: &Shared| disk.of("backup").release();
    for Failure { disk, what, change } in each_failure(left, release) {
        // Where the way back itself failed, nothing else could be done.
        let no_way_back = change == Some((Change::Unregister, Fails::Before));
        let stays = disk.keys().contains(&key("backup", 0));
        assert!(!stays || no_way_back, "{what}");
        release(&disk).unwrap();
        assert_eq!(disk.keys(), [key("serverdb", 2)], "{what}");
    }
}

#[test]
fn what_an_earlier_session_left_stays_while_another_node_has_the_disk() {
    let disk = Shared::new();
    disk.of("serverdb").reserve(&epoch(3, "serverdb")).unwrap();
    disk.put("backup-before", key("backup", 2));
    let before = disk.keys();
    let refused = disk.of("backup").release();
    let not_ours = |why: &Why| matches!(why, Why::ReservationNotOurs { .. });
    assert!(matches!(refused, Err(Trouble::Failed(f)) if not_ours(&f.detail)));
    // Its own registration was taken back, where it had one; none was made.
    assert_eq!(disk.keys(), before);
    let made = |c: &Change| !matches!(c, Change::Unregister);
    assert!(!disk.inner.lock().unwrap().changes.iter().skip(2).any(made));
}

/// A disk whose changes hang until they are let go on.
struct Hangs {
    begun: mpsc::Sender<()>,
    go_on: Mutex<mpsc::Receiver<()>>,
    disk: Shared,
}

impl Calls for Hangs {
    fn read(&self, way: &Path) -> Result<Seen, PrError> {
        self.disk.read(way)
    }

    fn change(&self, way: &Path, change: Change) -> Result<(), PrError> {
        self.begun.send(()).unwrap();
        let _ = self.go_on.lock().unwrap().recv();
        self.disk.change(way, change)
    }
}

#[test]
fn a_registration_that_hangs_is_held_and_nothing_is_promised() {
    let disk = Shared::new();
    let ((begin, begun), (go_on, gate)) = (mpsc::channel(), mpsc::channel());
    let hangs = Hangs {
        begun: begin,
        go_on: Mutex::new(gate),
        disk: disk.clone(),
    };
    let backup = Arc::new(Reservation {
        calls: Arc::new(hangs),
        ..Reservation::new(disk.way("backup"), "backup".into(), vec!["serverdb".into()])
    });
    assert_eq!(backup.state(), Holding::Free);
    std::thread::scope(|scope| {
        let register = || backup.change(&disk.way("backup"), Change::Register(key("backup", 4)));
        let registers = scope.spawn(register);
        begun.recv().unwrap();
        // No key is seen, and yet it may come.
        assert_eq!(backup.is_gone(), Ok(true));
        assert!(matches!(backup.state(), Holding::Held { .. }));
        let refused = backup.release();
        assert!(matches!(&refused, Err(Trouble::Failed(f)) if f.kind == FailureKind::NotReleased));
        drop(go_on);
        registers.join().unwrap().unwrap();
    });
    assert!(backup.release().unwrap().changed);
    assert_eq!(disk.keys(), []);
}

#[test]
fn a_strangers_registration_is_left_alone() {
    let disk = Shared::new();
    disk.put("theirs", ReservationKey::read(0xa1));
    let stranger = |why: &Why| matches!(why, Why::ReservationStranger { .. });
    assert!(matches!(fence(&disk), Err(Trouble::Failed(f)) if stranger(&f.detail)));
    assert!(disk.inner.lock().unwrap().changes.is_empty());
}

#[test]
fn a_stranger_is_known_before_anything_is_done_for_a_take() {
    let disk = Shared::new();
    let unable = |disk: &Shared| disk.of("backup").would_fail();
    // The file has no reservations of its own, and it is not asked by the kernel.
    assert_eq!(unable(&disk), None);
    disk.of("serverdb").reserve(&epoch(3, "serverdb")).unwrap();
    assert_eq!(unable(&disk), None);
    disk.put("theirs", ReservationKey::read(0xa1));
    assert!(matches!(
        unable(&disk),
        Some(Why::ReservationStranger { .. })
    ));
}

#[test]
fn a_registration_that_came_of_nothing_is_taken_back_once_another_node_has_the_disk() {
    let disk = Shared::new();
    let backup = disk.of("backup");
    let stays = || assert_eq!(backup.drop_stray(), Ok(Did::nothing()));
    stays();
    // Nobody has it: a take of this node's may be under way.
    disk.put("backup", key("backup", 4));
    stays();
    backup.reserve(&epoch(4, "backup")).unwrap();
    stays();
    backup.release().unwrap();
    disk.of("serverdb").reserve(&epoch(5, "serverdb")).unwrap();
    stays();
    disk.put("backup", key("backup", 6));
    assert!(backup.drop_stray().unwrap().changed);
    assert_eq!(disk.keys(), [key("serverdb", 5)]);
    assert!(disk.inner.lock().unwrap().holder.is_some());
}
