use super::*;

fn card(name: &str, addresses: &[&str]) -> Card {
    Card {
        name: name.into(),
        hardware: format!("02:00:5e:00:53:{}", name.len()),
        addresses: addresses.iter().map(|a| (*a).to_owned()).collect(),
        running: true,
        default_route: false,
    }
}

fn ground(cards: Vec<Card>) -> Ground {
    let found = Found {
        host: "ServerDB.rs.example".into(),
        cards,
        ..Found::default()
    };
    Ground {
        found,
        time_zone: None,
        operators: Vec::new(),
        language: "id",
    }
}

#[test]
fn an_address_without_a_network_is_the_one_that_moves() {
    let ground = ground(vec![
        card("eno1", &["198.51.100.11/24", "192.0.2.50/32"]),
        card("eno22", &[]),
    ]);
    let of = |q| ground.suggest(q, &Answers::default());
    assert_eq!(of(Question::ThisNode).as_deref(), Some("serverdb"));
    assert_eq!(
        of(Question::ThisAddresses).as_deref(),
        Some("198.51.100.11")
    );
    assert_eq!(
        of(Question::ThisHardware).as_deref(),
        Some("02:00:5e:00:53:4")
    );
    assert_eq!(of(Question::VirtualIp).as_deref(), Some("192.0.2.50"));
    assert_eq!(of(Question::Interface).as_deref(), Some("eno1"));
    assert!(ground.is_own("198.51.100.11") && !ground.is_own("192.0.2.50"));
    assert!(ground.is_here("192.0.2.50"));
    assert_eq!(of(Question::DataDir), None);
}

const LUN: &str = "/dev/disk/by-id/wwn-0x5000000000000001";

fn disk(device: &str) -> Disk {
    Disk {
        device: device.into(),
        kernel_name: String::new(),
        bytes: 1 << 30,
        mount_point: None,
        file_system: Some("ext4".into()),
        mount_options: Vec::new(),
        volume_group: None,
        drbd: None,
        reserved: None,
        replica_below: None,
        waits_at: None,
    }
}

fn mounted(device: &str, at: &str) -> Disk {
    Disk {
        mount_point: Some(at.into()),
        ..disk(device)
    }
}

fn stopped(has_data: bool, disk: Option<Disk>) -> Cluster {
    Cluster {
        version: "15".into(),
        name: "main".into(),
        config_file: "/etc/postgresql/15/main/postgresql.conf".into(),
        data_dir: "/srv/simrs/postgresql/15/main".into(),
        bin_dir: Some("/usr/lib/postgresql/15/bin".into()),
        port: 5433,
        socket_dir: "/var/run/postgresql".into(),
        has_data,
        disk,
    }
}

#[test]
fn where_no_database_runs_the_one_free_disk_is_suggested() {
    let mut ground = ground(Vec::new());
    let of = |ground: &Ground, q| ground.suggest(q, &Answers::default());
    ground.found.free = vec![Disk {
        waits_at: Some("/srv/simrs".into()),
        reserved: Some(LUN.into()),
        ..disk(LUN)
    }];
    for (question, answer) in [
        (Question::Device, LUN),
        (Question::Driver, "scsi"),
        (Question::FileSystem, "ext4"),
        (Question::MountPoint, "/srv/simrs"),
    ] {
        assert_eq!(of(&ground, question).as_deref(), Some(answer));
    }
    // Of two, only what both are.
    ground.found.free.push(Disk {
        reserved: Some("/dev/sdx".into()),
        file_system: None,
        ..disk("/dev/disk/by-id/wwn-0x5000000000000002")
    });
    assert_eq!(of(&ground, Question::Device), None);
    assert_eq!(of(&ground, Question::FileSystem), None);
    assert_eq!(of(&ground, Question::MountPoint), None);
    assert_eq!(of(&ground, Question::Driver).as_deref(), Some("scsi"));
}

#[test]
fn a_cluster_that_is_stopped_answers_for_the_database() {
    let mut ground = ground(Vec::new());
    let of = |ground: &Ground, q| ground.suggest(q, &Answers::default());
    ground.found.free = vec![disk(LUN)];
    ground.found.stopped = vec![stopped(false, None)];
    let answers = [
        (Question::DataDir, "/srv/simrs/postgresql/15/main"),
        (Question::BinDir, "/usr/lib/postgresql/15/bin"),
        (
            Question::ConfigFile,
            "/etc/postgresql/15/main/postgresql.conf",
        ),
        (Question::Port, "5433"),
    ];
    for (question, answer) in answers {
        assert_eq!(of(&ground, question).as_deref(), Some(answer));
    }
    assert_eq!(of(&ground, Question::SocketDir), None);
    assert_eq!(of(&ground, Question::Device).as_deref(), Some(LUN));
    // Its disk is mounted already: then it is that one.
    let at = mounted("/dev/sdz", "/srv/simrs");
    ground.found.stopped = vec![stopped(true, Some(at))];
    assert_eq!(of(&ground, Question::Device).as_deref(), Some("/dev/sdz"));
    // On the system's own disk it is no answer, and of two nobody knows which.
    let local = stopped(true, Some(mounted("/dev/sda1", "/")));
    ground.found.stopped = vec![local.clone()];
    assert!(is_local(&local));
    assert_eq!(of(&ground, Question::DataDir), None);
    ground.found.stopped = vec![stopped(false, None), stopped(false, None)];
    assert_eq!(of(&ground, Question::DataDir), None);
}

/// A database on a LUN, with its WAL on another.
fn with_wal(at: &str) -> Ground {
    let mut ground = ground(Vec::new());
    let wal = mounted("/dev/disk/by-id/wwn-0x5000000000000002", at);
    ground.found.servers = vec![Server {
        pid: 711,
        layout: siaga_agent::survey::Layout::Debian,
        version: "15".into(),
        bin_dir: "/usr/lib/postgresql/15/bin".into(),
        data_dir: "/srv/simrs/15/main".into(),
        config_file: None,
        port: 5432,
        socket_dir: "/run/postgresql".into(),
        os_user: "postgres".into(),
        unit: None,
        other_options: Vec::new(),
        outside: vec![("/srv/simrs/15/main/pg_wal".into(), Path::new(at).join("15"))],
        disk: Some(mounted(LUN, "/srv/simrs")),
        further: vec![Disk {
            mount_options: vec!["noatime".into()],
            ..wal
        }],
        roles: Vec::new(),
    }];
    ground
}

#[test]
fn wal_on_a_mount_of_its_own_becomes_a_file_system_that_passes() {
    let ground = with_wal("/srv/simrs-wal");
    let of = |answers: &Answers| ground.suggest(Question::FurtherFileSystems, answers);
    let expected = "/dev/disk/by-id/wwn-0x5000000000000002 /srv/simrs-wal ext4 noatime";
    assert_eq!(of(&Answers::default()).as_deref(), Some(expected));
    let mut answers = Answers::read(
        "site_name = 'RSUD Contoh'\ntime_zone = 'Asia/Jakarta'\nother_node = 'backup'\n\
         this_addresses = '198.51.100.11'\nthis_hardware = '02:00:5e:00:53:11'\n\
         other_addresses = '198.51.100.12'\nother_hardware = '02:00:5e:00:53:21'\n\
         virtual_ip = '192.0.2.50'\ninterface = 'eno1'",
    )
    .unwrap();
    for question in Question::ALL.iter().copied() {
        if let Some(found) = ground
            .suggest(question, &answers)
            .filter(|_| answers.asks(question))
            && !answers.is_settled(question)
        {
            answers.set(question, &found);
        }
    }
    let host = siaga_config::HostChecks::none();
    let config = siaga_config::draft::Draft::of(&answers)
        .check(&host)
        .unwrap();
    assert_eq!(config.services[0].file_systems.len(), 2);
    let [part] = &ground.parts_outside(&answers)[..] else {
        panic!("one part")
    };
    assert!(part.goes_along);
    // Left out on purpose, it is told what it would need.
    answers.set(Question::FurtherFileSystems, "");
    let [part] = &ground.parts_outside(&answers)[..] else {
        panic!("one part")
    };
    assert!(!part.goes_along && part.addable.is_some());
}

#[test]
fn what_the_checks_would_refuse_is_not_suggested() {
    let of = |ground: &Ground, answers: &Answers| {
        let fit = ground.suggest(Question::FurtherFileSystems, answers);
        let parts = ground.parts_outside(answers);
        (fit, parts[0].addable.is_some())
    };
    let fits = with_wal("/srv/simrs-wal");
    let mut answers = Answers::default();
    // A reservation is on one disk.
    answers.set(Question::Driver, "scsi");
    assert_eq!(of(&fits, &answers), (None, false));
    answers.set(Question::Driver, "lvm");
    answers.set(Question::VolumeGroup, "vg_simrs");
    assert_eq!(of(&fits, &answers), (None, true));
    answers.set(Question::Driver, "drbd");
    answers.set(Question::Resource, "simrs");
    assert_eq!(of(&fits, &answers), (None, true));
    // A mount inside of the first one, or another kind of file system.
    let inside = with_wal("/srv/simrs/15/main/pg_wal");
    assert_eq!(of(&inside, &Answers::default()), (None, false));
    let mut other = with_wal("/srv/simrs-wal");
    other.found.servers[0].further[0].file_system = Some("btrfs".into());
    assert_eq!(of(&other, &Answers::default()), (None, false));
}

#[test]
fn who_may_operate_is_who_became_root_and_who_is_in_the_group() {
    let groups = "root:x:0:\nsiagad:x:998:wati\nsiaga:x:999:budi,sari\nsudo:x:27:joko\n";
    let of = |sudo: Option<&str>, text: &str| operators(sudo.map(str::to_owned), text);
    assert_eq!(of(Some("sari"), groups), ["sari", "budi"]);
    assert_eq!(of(Some("root"), groups), ["budi", "sari"]);
    assert_eq!(of(None, "siaga:x:999:\n"), [""; 0]);
    assert_eq!(of(None, ""), [""; 0]);
}
