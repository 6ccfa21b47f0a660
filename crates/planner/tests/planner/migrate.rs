//! Worlds in which a data directory is to move, and what is planned or refused in each.

use crate::common;

use siaga_model::Why;
use siaga_model::config::{Database, FileSystemKind};
use siaga_model::migrate::*;
use siaga_model::why::Holder;
use siaga_planner::migrate::{job, plan};
use std::path::PathBuf;

pub const GIB: u64 = 1 << 30;

fn cluster() -> Cluster {
    let data_dir = "/var/lib/postgresql/15/main".into();
    let config_file: PathBuf = "/etc/postgresql/15/main/postgresql.conf".into();
    Cluster {
        server: Database {
            data_dir,
            config_file: Some(config_file.clone()),
            unit: Some("postgresql@15-main.service".into()),
            ..common::config("pair").services[0].database.clone()
        },
        version: "15".into(),
        programs: Some("15".into()),
        stranger_unit: None,
        options: Vec::new(),
        config_unreadable: None,
        file_system: 1,
        is_mount_point: false,
        bytes: 10 * GIB,
        files: 10_000,
        recent_bytes: GIB,
        astray: Vec::new(),
        mounts_inside: Vec::new(),
        follows: false,
        kept_there: false,
        answers: Answers::Says {
            in_recovery: false,
            set_in: vec![config_file],
            naming: Vec::new(),
        },
    }
}

pub fn device(carries: Carries) -> Device {
    Device::There {
        number: 2,
        bytes: 100 * GIB,
        mounted_at: Vec::new(),
        held_by: Vec::new(),
        drbd: Drbd::No,
        carries,
    }
}

fn empty() -> Carries {
    Carries::Ext4 {
        uuid: "u".into(),
        clean: true,
        is_empty: true,
        free_bytes: 90 * GIB,
    }
}

pub fn seen() -> Seen {
    Seen {
        is_root: true,
        clusters: vec![cluster()],
        not_roots: Vec::new(),
        device: device(empty()),
        place: Place::Missing,
        configured: Configured::No,
        of_a_site: false,
        can_format: true,
        reads_per_s: Some(GIB),
        date: "20250801".into(),
    }
}

pub fn wish() -> Wish {
    Wish {
        from: None,
        device: "/dev/sdb".into(),
        mount_point: "/srv/simrs".into(),
        format: false,
    }
}

pub const FORWARD: [Step; 10] = [
    Step::Mount,
    Step::Copy,
    Step::Stop,
    Step::DisableOld,
    Step::CopyRest,
    Step::KeepOld,
    Step::Point,
    Step::EnableNew,
    Step::StartNew,
    Step::Verify,
];

#[test]
fn debians_layout_moves_by_its_configuration() {
    let plan = plan(&seen(), &wish()).unwrap();
    assert_eq!(plan.steps, FORWARD);
    let facts = &plan.facts;
    assert_eq!(facts.to, PathBuf::from("/srv/simrs/15/main"));
    let kept = "/var/lib/postgresql/15/main.before-migrate-20250801";
    assert_eq!(facts.kept, PathBuf::from(kept));
    let file = "/etc/postgresql/15/main/postgresql.conf".into();
    assert_eq!(facts.pointing, Pointing::ConfigFile { file });
    assert_eq!(plan.needed_bytes, 12 * GIB + (64 << 20));
    // Written and read again: 20 s for all of it, 2 s for what changes meanwhile; and what the files take.
    assert_eq!((plan.copy_s, plan.away_s), (Some(23), Some(9)));
    let job = job(&plan);
    assert_eq!((job.direction, job.left), (Direction::Forward, plan.steps));
}

#[test]
fn a_configuration_with_the_data_is_pointed_to_by_a_link() {
    let mut seen = seen();
    let cluster = &mut seen.clusters[0];
    cluster.server.config_file = None;
    cluster.server.data_dir = "/var/lib/pgsql/15/data".into();
    cluster.answers = Answers::Says {
        in_recovery: false,
        set_in: Vec::new(),
        naming: vec!["log_directory".into()],
    };
    let plan = plan(&seen, &wish()).unwrap();
    assert_eq!(plan.facts.pointing, Pointing::Link);
    assert_eq!(plan.facts.to, PathBuf::from("/srv/simrs/15/data"));
}

#[test]
fn a_file_system_is_made_only_with_consent_and_only_where_nothing_is() {
    let mut blank = seen();
    blank.device = device(Carries::Nothing);
    let consent = Wish {
        format: true,
        ..wish()
    };
    let made = plan(&blank, &consent).unwrap();
    assert_eq!(made.steps[0], Step::Format);
    assert_eq!(made.steps[1..], FORWARD);
    let code = |seen: &Seen, wish: &Wish| codes(plan(seen, wish));
    assert_eq!(code(&blank, &wish()), ["MIGRATE_DEVICE_BLANK"]);
    // Consent is to format nothing else, also not an empty file system.
    assert_eq!(code(&seen(), &consent), ["MIGRATE_DEVICE_CARRIES"]);
    blank.can_format = false;
    assert_eq!(code(&blank, &consent), ["MIGRATE_NO_MKFS"]);
}

fn codes(plan: Result<Plan, Vec<Refusal>>) -> Vec<&'static str> {
    plan.unwrap_err().iter().map(Refusal::code).collect()
}

pub fn refused(change: impl FnOnce(&mut Seen)) -> Vec<&'static str> {
    let mut seen = seen();
    change(&mut seen);
    codes(plan(&seen, &wish()))
}

#[test]
fn each_thing_of_the_server_that_stands_against_it_is_refused() {
    type Change = fn(&mut Cluster);
    let cases: [(&str, Change); 13] = [
        ("MIGRATE_NOT_OURS_TO_STOP", |c| {
            c.stranger_unit = Some("patroni.service".into())
        }),
        ("MIGRATE_PROGRAMS_DIFFER", |c| {
            c.programs = Some("16".into())
        }),
        ("MIGRATE_PROGRAMS_DIFFER", |c| c.programs = None),
        ("MIGRATE_IS_MOUNT_POINT", |c| c.is_mount_point = true),
        ("MIGRATE_KEPT_THERE", |c| c.kept_there = true),
        ("MIGRATE_LEADS_AWAY", |c| {
            c.astray = vec![("pg_wal".into(), "/wal".into())]
        }),
        ("MIGRATE_MOUNT_INSIDE", |c| {
            c.mounts_inside = vec!["/x/pg_wal".into()]
        }),
        ("MIGRATE_STANDBY", |c| c.follows = true),
        ("MIGRATE_NO_ANSWER", |c| {
            c.answers = Answers::Silent {
                why: Why::system("no"),
            }
        }),
        ("MIGRATE_STANDBY", |c| {
            c.answers = says(true, vec!["/etc/postgresql/15/main/postgresql.conf"], &[])
        }),
        ("MIGRATE_SET_ELSEWHERE", |c| {
            c.answers = says(false, vec!["/etc/conf.d/x.conf"], &[])
        }),
        ("MIGRATE_SET_ELSEWHERE", |c| {
            c.answers = says(false, Vec::new(), &[])
        }),
        ("MIGRATE_SETTINGS", |c| {
            c.answers = says(
                false,
                vec!["/etc/postgresql/15/main/postgresql.conf"],
                &["archive_command"],
            );
        }),
    ];
    for (code, change) in cases {
        assert_eq!(refused(|s| change(&mut s.clusters[0])), [code]);
    }
    // A unit goes on giving its options; a bare process does not.
    let options = |s: &mut Seen| s.clusters[0].options = vec!["-i".into()];
    let mut with_unit = seen();
    options(&mut with_unit);
    assert!(plan(&with_unit, &wish()).is_ok());
    let bare = refused(|s| {
        options(s);
        s.clusters[0].server.unit = None;
    });
    assert_eq!(bare, ["MIGRATE_OPTIONS"]);
}

fn says(in_recovery: bool, set_in: Vec<&str>, naming: &[&str]) -> Answers {
    Answers::Says {
        in_recovery,
        set_in: set_in.into_iter().map(PathBuf::from).collect(),
        naming: naming.iter().map(|n| (*n).to_owned()).collect(),
    }
}

#[test]
fn each_thing_of_the_device_and_the_place_that_stands_against_it_is_refused() {
    type Change = fn(&mut Seen);
    fn there(seen: &mut Seen, mount: Option<&str>, by: Vec<Holder>, is: Drbd, what: Carries) {
        seen.device = Device::There {
            number: 2,
            bytes: 100 * GIB,
            mounted_at: mount.map(PathBuf::from).into_iter().collect(),
            held_by: by,
            drbd: is,
            carries: what,
        };
    }
    fn ext4(clean: bool, is_empty: bool, free_bytes: u64) -> Carries {
        Carries::Ext4 {
            uuid: "u".into(),
            clean,
            is_empty,
            free_bytes,
        }
    }
    fn mounted(kind: Option<FileSystemKind>, entries: &[&str]) -> Carries {
        Carries::Mounted {
            kind,
            uuid: None,
            free_bytes: 90 * GIB,
            entries: entries.iter().map(|e| (*e).to_owned()).collect(),
        }
    }
    let cases: [(&str, Change); 18] = [
        ("MIGRATE_NOT_ROOT", |s| s.is_root = false),
        ("MIGRATE_CONFIGURED", |s| {
            s.configured = Configured::Carries {
                service: "simrs".into(),
                data_dir: "/d".into(),
            };
        }),
        ("MIGRATE_CONFIG_UNREADABLE", |s| {
            s.configured = Configured::Unreadable {
                file: "/f".into(),
                said: "?".into(),
            };
        }),
        ("MIGRATE_SAME_FILE_SYSTEM", |s| {
            s.clusters[0].file_system = 2
        }),
        ("MIGRATE_MOUNTED_ELSEWHERE", |s| {
            let xfs = Some(FileSystemKind::Xfs);
            there(s, Some("/mnt"), Vec::new(), Drbd::No, mounted(xfs, &[]));
        }),
        ("MIGRATE_FILE_SYSTEM", |s| {
            there(
                s,
                Some("/srv/simrs"),
                Vec::new(),
                Drbd::No,
                mounted(None, &[]),
            )
        }),
        ("MIGRATE_NOT_EMPTY", |s| {
            let xfs = Some(FileSystemKind::Xfs);
            there(
                s,
                Some("/srv/simrs"),
                Vec::new(),
                Drbd::No,
                mounted(xfs, &["x"]),
            );
        }),
        ("MIGRATE_DEVICE_HELD", |s| {
            there(
                s,
                None,
                vec![Holder::Invisible],
                Drbd::No,
                ext4(true, true, 90 * GIB),
            )
        }),
        ("MIGRATE_DRBD", |s| {
            let state = "Secondary".into();
            let not = Drbd::NotReady {
                resource: "r".into(),
                state,
            };
            there(s, None, Vec::new(), not, ext4(true, true, 90 * GIB));
        }),
        ("MIGRATE_DEVICE_UNREADABLE", |s| {
            let why = Why::system("?");
            there(
                s,
                None,
                Vec::new(),
                Drbd::Unknown { why },
                ext4(true, true, 90 * GIB),
            );
        }),
        ("MIGRATE_NOT_CLEAN", |s| {
            s.device = device(ext4(false, true, 90 * GIB))
        }),
        ("MIGRATE_NOT_EMPTY", |s| {
            s.device = device(ext4(true, false, 90 * GIB))
        }),
        ("MIGRATE_TOO_SMALL", |s| {
            s.device = device(ext4(true, true, 12 * GIB))
        }),
        ("MIGRATE_DEVICE_CARRIES", |s| {
            s.device = device(Carries::Something { what: "LVM".into() })
        }),
        ("MIGRATE_DEVICE_UNREADABLE", |s| {
            s.device = device(Carries::Unreadable {
                why: Why::system("?"),
            })
        }),
        ("MIGRATE_DEVICE", |s| {
            s.device = Device::Unusable {
                why: Why::system("?"),
            }
        }),
        ("MIGRATE_PLACE_NOT_EMPTY", |s| s.place = Place::NotEmpty),
        ("MIGRATE_PLACE_TAKEN", |s| {
            s.place = Place::Mounted { device: 7 }
        }),
    ];
    for (code, change) in cases {
        assert_eq!(refused(change), [code]);
    }
    let mut by_hand = seen();
    let xfs = Some(FileSystemKind::Xfs);
    there(
        &mut by_hand,
        Some("/srv/simrs"),
        Vec::new(),
        Drbd::Ready,
        mounted(xfs, &[]),
    );
    by_hand.place = Place::Mounted { device: 2 };
    assert_eq!(
        plan(&by_hand, &wish()).unwrap().facts.kind,
        FileSystemKind::Xfs
    );
}

#[test]
fn which_server_has_to_be_plain() {
    assert_eq!(refused(|s| s.clusters.clear()), ["MIGRATE_NO_SERVER"]);
    let mut two = seen();
    two.clusters.push(cluster());
    two.clusters[1].server.data_dir = "/other".into();
    assert_eq!(codes(plan(&two, &wish())), ["MIGRATE_SEVERAL_SERVERS"]);
    let from = |dir: &str| Wish {
        from: Some(dir.into()),
        ..wish()
    };
    assert_eq!(
        codes(plan(&two, &from("/third"))),
        ["MIGRATE_NOT_THAT_SERVER"]
    );
    let named = plan(&two, &from("/other")).unwrap();
    assert_eq!(named.facts.server.data_dir, PathBuf::from("/other"));
}

#[test]
fn everything_that_stands_against_it_is_said_at_once() {
    let all = refused(|s| {
        s.is_root = false;
        s.clusters[0].follows = true;
        s.place = Place::NotEmpty;
        s.device = device(Carries::Nothing);
    });
    let expected = [
        "MIGRATE_NOT_ROOT",
        "MIGRATE_STANDBY",
        "MIGRATE_DEVICE_BLANK",
        "MIGRATE_PLACE_NOT_EMPTY",
    ];
    assert_eq!(all, expected);
}

#[test]
fn it_says_why_a_server_is_not_taken_for_one() {
    let codes = refused(|s| {
        s.clusters.clear();
        s.not_roots = vec!["/home/x/postgres".into()];
    });
    assert_eq!(codes, ["MIGRATE_NO_SERVER", "MIGRATE_PROGRAM_OWNER"]);
    let mut beside = seen();
    beside.not_roots = vec!["/home/x/postgres".into()];
    assert!(plan(&beside, &wish()).is_ok());
}

#[test]
fn a_configuration_file_that_can_not_be_changed_is_found_before_anything_is_stopped() {
    let codes = refused(|s| s.clusters[0].config_unreadable = Some(Why::system("symbolic link")));
    assert_eq!(codes, ["MIGRATE_CONFIG_FILE"]);
}
