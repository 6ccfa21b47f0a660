//! Volume groups, persistent reservations and DRBD on a real kernel, call by call. Run inside a guest as root, where
//! `tests/guest/two-nexuses.sh` made one LUN behind two SCSI hosts: the first disk is how `serverdb` sees it, the second
//! how `backup` does. `SIAGA_GUEST_DISKS="/dev/sda /dev/sdb"` names them; everything on them is lost. The test of LVM
//! wants its programs, and rewrites `/etc/lvm/lvm.conf`.
//!
//! `make guest-test` makes a folder of it whose `run.sh` does all of that (`docs/vm-test.md`).
#![allow(clippy::unwrap_used)]

use siaga_model::config::{
    Config, Database, DiskSet as DiskSetConfig, DiskSetDriver, Document, Language, Node, Policy,
    Service, Site,
};
use siaga_model::observation::{FenceState, Holding, NodeFacts, ProbeSighting, PromiseFacts};
use siaga_model::reservation::ReservationKey;
use siaga_model::{Epoch, NodeName, RunId, ServiceName, UtcMicros, Why};
use siaga_node::act::disk_set::drbd::Resource;
use siaga_node::act::disk_set::layered::{Layer, Layered};
use siaga_node::act::disk_set::lvm::{RELEASED, VolumeGroup};
use siaga_node::act::disk_set::reservation::{Reservation, kernel};
use siaga_node::act::disk_set::under_way::UnderWay;
use siaga_node::act::disk_set::{DiskSet, TakeOrder, Volumes};
use siaga_node::act::taken::{Taken, TakenStore};
use siaga_node::hands::NodeHands;
use siaga_node::observe::witness::LifeSigns;
use siaga_runner::hands::{Did, Trouble};
use siaga_runner::permit::OldData;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

fn disks() -> [PathBuf; 2] {
    let disks = std::env::var("SIAGA_GUEST_DISKS").expect("SIAGA_GUEST_DISKS names two disks");
    let disks: Vec<PathBuf> = disks.split_whitespace().map(PathBuf::from).collect();
    disks.try_into().expect("two disks")
}

fn epoch(counter: u64, issuer: &str) -> Epoch {
    Epoch {
        counter,
        issuer: issuer.into(),
        run: RunId::from("r"),
    }
}

fn order(epoch: &Epoch) -> TakeOrder<'_> {
    TakeOrder {
        epoch,
        all_released: false,
        accepted: None,
    }
}

/// Both nodes' reservations of the one LUN, with nobody registered.
fn both() -> [Arc<Reservation>; 2] {
    let [a, b] = disks();
    for disk in [&a, &b] {
        kernel::unregister(&kernel::open(disk).unwrap()).unwrap();
    }
    let (serverdb, backup) = (NodeName::from("serverdb"), NodeName::from("backup"));
    [
        Arc::new(Reservation::new(a, serverdb.clone(), vec![backup.clone()])),
        Arc::new(Reservation::new(b, backup, vec![serverdb])),
    ]
}

/// One block past the page cache. `Err`: the disk refused it.
fn write(disk: &Path) -> std::io::Result<()> {
    #[repr(align(4096))]
    struct Block([u8; 4096]);
    let mut file = OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_DIRECT)
        .open(disk)?;
    file.write_all(&Block([7; 4096]).0)
}

#[test]
#[ignore = "needs a guest with one LUN behind two SCSI hosts"]
fn a_reservation_is_taken_preempted_and_given_up() {
    let [serverdb, backup] = both();
    let [a, b] = disks();
    let (first, second) = (epoch(3, "serverdb"), epoch(4, "backup"));
    assert_eq!(serverdb.state(), Holding::Free);
    assert!(serverdb.take(&order(&first)).unwrap().changed);
    assert_eq!(serverdb.take(&order(&first)), Ok(Did::nothing()));
    assert!(matches!(serverdb.state(), Holding::Held { .. }));
    assert_eq!(backup.state(), Holding::Free);
    // The witness: read by the other node, without a word of the holder.
    assert_eq!(backup.state_of(&"serverdb".into()), FenceState::Open);
    assert_eq!(serverdb.state_of(&"backup".into()), FenceState::Fenced);
    write(&a).unwrap();
    assert!(write(&b).is_err(), "who is not registered does not write");

    // The fence.
    assert!(backup.reserve(&second).unwrap().changed);
    assert_eq!(backup.state_under(&second), FenceState::Fenced);
    assert_eq!(backup.state_under(&first), FenceState::Open);
    assert_eq!(backup.state_of(&"serverdb".into()), FenceState::Fenced);
    assert!(write(&a).is_err(), "who was preempted does not write");
    write(&b).unwrap();
    assert_eq!(serverdb.is_gone(), Ok(true));
    assert_eq!(serverdb.state(), Holding::Free);
    // What is gone is given up already: nobody else's registration goes with it.
    assert_eq!(serverdb.release(), Ok(Did::nothing()));
    assert_eq!(backup.state_under(&second), FenceState::Fenced);

    // Under its next mandate the same node keeps it, without a gap in which another may write.
    let third = epoch(5, "backup");
    assert!(backup.take(&order(&third)).unwrap().changed);
    assert_eq!(backup.state_under(&second), FenceState::Open);
    assert_eq!(backup.state_under(&third), FenceState::Fenced);
    assert!(write(&a).is_err());

    assert!(backup.release().unwrap().changed);
    assert_eq!(backup.state(), Holding::Free);
    // Left by a session of before the boot: it goes as well, and nobody else's with it.
    let session = kernel::open(&a).unwrap();
    kernel::register(&session, ReservationKey::new(&"backup".into(), 4)).unwrap();
    assert!(backup.release().unwrap().changed);
    assert_eq!(backup.state(), Holding::Free);
    assert_eq!(backup.state_of(&"serverdb".into()), FenceState::Open);
    write(&a).unwrap();
}

#[test]
#[ignore = "needs a guest with one LUN behind two SCSI hosts"]
fn a_conflict_is_never_success_and_a_stranger_is_left_alone() {
    let [_, backup] = both();
    let [a, b] = disks();
    let strange = ReservationKey::read(0xa1);
    let theirs = kernel::open(&a).unwrap();
    kernel::register(&theirs, strange).unwrap();
    kernel::reserve(&theirs, strange).unwrap();
    // Not registered, and so refused: on some kernels as a positive number.
    let ours = kernel::open(&b).unwrap();
    assert!(kernel::reserve(&ours, ReservationKey::new(&"backup".into(), 1)).is_err());
    let Err(Trouble::Failed(failure)) = backup.reserve(&epoch(1, "backup")) else {
        panic!("taken from a stranger")
    };
    assert!(matches!(failure.detail, Why::ReservationStranger { .. }));
    let seen = kernel::read(&ours).unwrap();
    assert_eq!(seen.keys, [strange], "nothing was changed");
    kernel::unregister(&theirs).unwrap();
    assert!(backup.problems().iter().all(|p| !p.blocking));
}

#[test]
#[ignore = "needs a guest with one LUN behind two SCSI hosts"]
fn the_whole_disk_set_of_a_reserved_disk() {
    let [serverdb, backup] = both();
    let [a, b] = disks();
    let set = |disk: &Path, layer: Arc<Reservation>| {
        let block = Volumes::new(disk.to_owned(), []);
        Layered::new(
            block,
            vec![Box::new(layer)],
            UnderWay::of(&"guest-scsi".into()),
        )
    };
    let (here, there) = (set(&a, serverdb), set(&b, backup));
    let first = epoch(3, "serverdb");
    here.take(&order(&first)).unwrap();
    assert!(matches!(here.look(), Holding::Held { .. }));
    assert_eq!(there.look(), Holding::Free);
    // Only read, and only from the node that does not hold it.
    assert!(there.volumes().raw()().is_ok());
    here.release().unwrap();
    assert_eq!((here.look(), there.look()), (Holding::Free, Holding::Free));
}

fn run(line: &str) -> String {
    let out = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(
        out.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap()
}

/// The host is the one or the other server: LVM knows it by its system ID, and sees the LUN by its own disk.
fn become_node(node: &str, disk: &Path) {
    let text = format!(
        "global {{ system_id_source=\"lvmlocal\" }}\nlocal {{ system_id=\"{node}\" }}\n\
         activation {{ udev_sync=0 udev_rules=0 }}\n\
         devices {{ use_devicesfile=0 hints=\"none\" global_filter=[\"a|^{}$|\",\"r|.*|\"] }}\n",
        disk.display()
    );
    std::fs::write("/etc/lvm/lvm.conf", text).unwrap();
}

#[test]
#[ignore = "needs a guest with one LUN behind two SCSI hosts, and lvm2"]
fn a_volume_group_is_taken_from_a_node_that_left_its_name() {
    let [serverdb, backup] = both();
    drop((serverdb, backup));
    let [a, b] = disks();
    become_node("serverdb", &a);
    run(&format!("wipefs -qa {}", a.display()));
    run(&format!("vgcreate -y vg_simrs {}", a.display()));
    run("lvcreate -y -an -Zn -Wn -n data -L 64M vg_simrs");
    let service = ServiceName::from("guest-lvm");
    let group = || Arc::new(VolumeGroup::new("vg_simrs", None, &service));
    let set = || {
        let block = Volumes::new("/dev/vg_simrs/data".into(), []);
        Layered::new(block, vec![Box::new(group())], UnderWay::of(&service))
    };
    let owner = || {
        run("vgs --foreign --noheadings -o systemid vg_simrs")
            .trim()
            .to_owned()
    };
    let first = epoch(1, "serverdb");

    // Given up in order: the name of nobody stays on the group, and no host may activate it.
    let here = set();
    assert_eq!(here.look(), Holding::Free);
    assert!(here.take(&order(&first)).unwrap().changed);
    assert_eq!(owner(), "serverdb");
    assert!(matches!(here.look(), Holding::Held { .. }));
    assert!(here.release().unwrap().changed);
    assert_eq!((here.look(), owner()), (Holding::Free, RELEASED.to_owned()));
    assert_eq!(here.release(), Ok(Did::nothing()));
    let refused = Command::new("vgchange").args(["-ay", "vg_simrs"]).output();
    assert!(!refused.unwrap().status.success());
    // It is not activated at a boot either, from the first take on.
    let auto = run("vgs --foreign --noheadings -o vg_autoactivation vg_simrs");
    assert_eq!(auto.trim(), "");

    // Left behind by a node that lost its power: the volume is gone from the kernel, the name stays.
    here.take(&order(&first)).unwrap();
    run("dmsetup remove vg_simrs-data");
    become_node("backup", &b);
    assert_eq!(owner(), "serverdb");
    let second = epoch(2, "backup");
    let there = set();
    assert_eq!(there.look(), Holding::Free);
    assert!(there.take(&order(&second)).unwrap().changed);
    assert_eq!(owner(), "backup");
    assert_eq!(there.retake(&order(&second)), Ok(Did::nothing()));
    assert!(there.release().unwrap().changed);

    // A group that is not there is unknown, and never free.
    let missing = Arc::new(VolumeGroup::new("vg_missing", None, &service));
    assert!(matches!(missing.state(), Holding::Unknown { .. }));
    assert!(missing.take(&order(&second)).is_err());
    assert!(missing.problems().iter().any(|p| p.blocking));
    run(
        "vgchange -y --config 'local/extra_system_ids=[\"siaga-released\"]' --systemid backup vg_simrs",
    );
    run("vgremove -qy vg_simrs");
}

/// Both sides of the pair that `tests/guest/two-replicas.sh` made: `here` is serverdb's, `there` backup's.
#[test]
#[ignore = "needs a guest with a DRBD pair, as tests/guest/two-replicas.sh makes it"]
fn only_up_to_date_data_is_promoted() {
    let service = ServiceName::from("guest-drbd");
    let set = |name: &str, device: &str| {
        let resource = Arc::new(Resource::new(name, &service));
        let block = Volumes::new(device.into(), []);
        Layered::new(block, vec![Box::new(resource)], UnderWay::of(&service))
    };
    let here = set("here", "/dev/drbd0");
    let there = set("there", "/dev/drbd1");
    let connected = "until drbdsetup events2 --now there | grep -q 'connection:Connected'; do sleep 0.2; done; \
                     until drbdsetup events2 --now there | grep -q ' disk:UpToDate'; do sleep 0.2; done";
    run(connected);
    let (first, second) = (epoch(1, "serverdb"), epoch(2, "backup"));
    assert_eq!((here.look(), there.look()), (Holding::Free, Holding::Free));
    assert!(here.take(&order(&first)).unwrap().changed);
    assert!(matches!(here.look(), Holding::Held { .. }));
    assert_eq!(there.look(), Holding::Free);
    write(Path::new("/dev/drbd0")).unwrap();
    // The other node is primary: not taken from it.
    let refused = |acted| match acted {
        Err(Trouble::Failed(failure)) => failure.detail,
        other => panic!("{other:?}"),
    };
    let why = refused(there.take(&order(&second)));
    assert!(matches!(why, Why::DrbdPeerPrimary { .. }), "{why:?}");

    // Cut apart, and told that its data is old.
    run("drbdadm disconnect there && drbdadm outdate there");
    let why = refused(there.take(&order(&second)));
    assert!(
        matches!(why, Why::DrbdData { ref state, .. } if state == "Outdated"),
        "{why:?}"
    );
    assert_eq!(there.unable(), Some(why));
    assert_eq!(there.look(), Holding::Free);
    assert!(there.problems().iter().any(|p| p.blocking));

    run(&format!(
        "drbdadm connect there; drbdadm connect here || true; {connected}"
    ));
    assert_eq!(there.unable(), None);
    // While it is open here, it is not given up.
    let open = std::fs::File::open("/dev/drbd0").unwrap();
    assert!(here.release().is_err());
    drop(open);
    assert!(here.release().unwrap().changed);
    assert!(there.take(&order(&second)).unwrap().changed);
    assert_eq!(there.retake(&order(&second)), Ok(Did::nothing()));
    assert!(there.release().unwrap().changed);
    // Old data: by a person's decision for this very copy in this very state, and not otherwise.
    run("drbdadm disconnect there && drbdadm outdate there");
    let old = |resource: &str, state: &str| OldData {
        resource: resource.into(),
        state: state.into(),
    };
    let promote = |old: &OldData| {
        there.take(&TakeOrder {
            accepted: Some(old),
            ..order(&second)
        })
    };
    for other in [old("here", "Outdated"), old("there", "Inconsistent")] {
        assert!(matches!(refused(promote(&other)), Why::DrbdData { .. }));
    }
    assert!(promote(&old("there", "Outdated")).unwrap().changed);
    assert!(there.release().unwrap().changed);
    // A resource that is not there is unknown, and never free.
    let missing = set("missing", "/dev/drbd9");
    assert!(matches!(missing.look(), Holding::Unknown { .. }));
}

/// The agent's watch asks this every second.
#[test]
#[ignore = "needs a guest with one LUN behind two SCSI hosts"]
fn a_key_that_is_gone_is_a_reason_only_where_it_was_taken_with_one() {
    let [serverdb, backup] = both();
    let config = config(disks());
    let run_dir = tempfile::tempdir().unwrap();
    let state_dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let hands = NodeHands::with_run_dir(
        Arc::new(config),
        "serverdb".into(),
        runtime.handle().clone(),
        state_dir.path().to_owned(),
        run_dir.path().to_owned(),
        Arc::new(Nobody),
    )
    .unwrap();
    let service = ServiceName::from("simrs");
    let first = epoch(3, "serverdb");
    let store = TakenStore::new(run_dir.path().to_owned(), siaga_node::boot_id().unwrap());
    let mut taken = Taken::new(
        service.clone(),
        first.clone(),
        siaga_node::boot_id().unwrap(),
        &[],
    );
    // Nothing was taken; then taken before there were reservations here.
    assert_eq!(hands.key_gone(&service), None);
    store.save(&taken).unwrap();
    assert_eq!(hands.key_gone(&service), None);
    taken.reserved = true;
    store.save(&taken).unwrap();
    serverdb.take(&order(&first)).unwrap();
    assert_eq!(hands.key_gone(&service), None);
    let view = hands.reservation_view(&service, &"backup".into()).unwrap();
    assert_eq!(view.state, FenceState::Fenced);
    backup.reserve(&epoch(4, "backup")).unwrap();
    assert!(matches!(
        hands.key_gone(&service),
        Some(Why::KeyGone { .. })
    ));
    // The other node's reservation explains it, and nothing is left here; without it nothing explains it.
    assert!(hands.loss_is_over(&service));
    backup.release().unwrap();
    assert!(!hands.loss_is_over(&service));
    serverdb.take(&order(&epoch(5, "serverdb"))).unwrap();
    assert!(hands.loss_is_over(&service));
    serverdb.release().unwrap();
}

/// Witnesses that know nothing.
struct Nobody;

impl LifeSigns for Nobody {
    fn peer_lives(&self, _: &NodeName, _: Duration) -> bool {
        false
    }
    fn peer_facts(&self, _: &ServiceName, _: &NodeName, _: Duration) -> Option<NodeFacts> {
        None
    }
    fn promise_facts(&self, _: &ServiceName, _: &NodeName, _: Duration) -> Option<PromiseFacts> {
        None
    }
    fn probes(&self, _: &ServiceName) -> Vec<ProbeSighting> {
        Vec::new()
    }
    fn now(&self) -> UtcMicros {
        UtcMicros(0)
    }
}

/// The site of `examples/minimal.toml`, in short, with reservations.
fn config([a, b]: [PathBuf; 2]) -> Config {
    let node = |name: &str| Node {
        name: name.into(),
        addresses: Vec::new(),
        hardware_addresses: Vec::new(),
        fences: Vec::new(),
        metrics: None,
    };
    let database = Database {
        bin_dir: "/usr/lib/postgresql/15/bin".into(),
        data_dir: "/srv/simrs/main".into(),
        config_file: None,
        unit: None,
        port: 5432,
        os_user: "postgres".into(),
        socket_dir: "/run/postgresql".into(),
        check_user: "postgres".into(),
        check_database: "postgres".into(),
        stop_fast: Duration::from_secs(30),
        stop_immediate: Duration::from_secs(10),
        start_stalled: Duration::from_secs(60),
    };
    let service = Service {
        name: "simrs".into(),
        preferred_node: "serverdb".into(),
        disk_set: DiskSetConfig {
            driver: DiskSetDriver::Scsi,
            devices: vec![("serverdb".into(), a), ("backup".into(), b)],
        },
        file_systems: Vec::new(),
        virtual_ips: Vec::new(),
        database,
        applications: Vec::new(),
        client_tests: Vec::new(),
        after_move: Vec::new(),
        backup: None,
        rehearsal: siaga_model::config::Rehearsal::default(),
    };
    Config {
        site: Site {
            name: "RSUD Contoh".into(),
            language: Language::English,
            time_zone: "Asia/Jakarta".into(),
        },
        document: Document::default(),
        people: Vec::new(),
        nodes: vec![node("serverdb"), node("backup")],
        services: vec![service],
        policy: Policy::default(),
        downtime: siaga_model::downtime::Downtime::default(),
    }
}
