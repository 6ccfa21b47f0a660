//! Layouts as they are met, from texts as the kernel and the programs give them.

use super::*;
use std::path::Path;

pub(super) fn pairs(all: &[(&str, &str)]) -> Vec<(PathBuf, PathBuf)> {
    all.iter().map(|(a, b)| (a.into(), b.into())).collect()
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn interface(name: &str, hardware: [u8; 6], addresses: &[(&str, u8)]) -> Interface {
    Interface {
        name: name.into(),
        index: 2,
        up: true,
        running: true,
        hardware: Some(hardware),
        addresses: addresses
            .iter()
            .map(|(a, p)| (a.parse().unwrap(), *p))
            .collect(),
    }
}

/// A Debian server with its data on a LUN.
pub(super) fn debian() -> Gathered {
    let postmaster = ProcessText {
        pid: 711,
        parent: 1,
        uid: 101,
        exe: "/usr/lib/postgresql/15/bin/postgres".into(),
        not_roots: false,
        cwd: "/srv/simrs/postgresql/15/main".into(),
        arguments: words(
            "/usr/lib/postgresql/15/bin/postgres -D /srv/simrs/postgresql/15/main -c \
             config_file=/etc/postgresql/15/main/postgresql.conf",
        ),
        pgdata: None,
        told_real: Some("/srv/simrs/postgresql/15/main".into()),
        cgroup: "0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n".into(),
        pid_file: Some(
            "711\n/srv/simrs/postgresql/15/main\n1764000000\n5433\n/var/run/postgresql\n\
                        localhost\n  1234 5\nready   \n"
                .into(),
        ),
        pg_version: Some("15".into()),
        parts: pairs(&[(
            "/srv/simrs/postgresql/15/main/pg_wal",
            "/srv/simrs/postgresql/15/main/pg_wal",
        )]),
    };
    let checkpointer = ProcessText {
        pid: 714,
        parent: 711,
        arguments: vec!["postgres: 15/main: checkpointer ".into()],
        ..postmaster.clone()
    };
    Gathered {
        host: "serverdb.rs.example".into(),
        processes: vec![checkpointer, postmaster],
        mountinfo: "22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n\
                    36 22 8:16 / /srv/simrs rw,noatime shared:1 - ext4 /dev/sdb rw\n\
                    40 22 8:16 /sub /var/lib/elsewhere rw - ext4 /dev/sdb rw\n"
            .into(),
        passwd:
            "root:x:0:0:root:/root:/bin/sh\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n"
                .into(),
        block: vec![
            BlockText {
                number: "254:1".into(),
                name: "vda1".into(),
                bytes: 1 << 33,
                ..BlockText::default()
            },
            BlockText {
                number: "8:16".into(),
                name: "sdb".into(),
                bytes: 1 << 30,
                ..BlockText::default()
            },
        ],
        links: pairs(&[
            ("/dev/disk/by-id/scsi-SLIO-ORG_simrs", "/dev/sdb"),
            ("/dev/disk/by-id/wwn-0x5000000000000001", "/dev/sdb"),
            ("/dev/disk/by-id/scsi-35000000000000001", "/dev/sdb"),
        ]),
        vgs: None,
        lvs: None,
        fstab: String::new(),
        clusters: Vec::new(),
        routes: "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
                 eth1\t0064A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n\
                 eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n"
            .into(),
        interfaces: vec![
            interface("eth1", [2, 0, 0x5e, 0, 0x53, 0x12], &[("203.0.113.11", 24)]),
            interface(
                "eth0",
                [2, 0, 0x5e, 0, 0x53, 0x11],
                &[("198.51.100.11", 24), ("fe80::1", 64)],
            ),
        ],
        boot_units: vec!["postgresql.service".into()],
    }
}

#[test]
fn debians_layout_on_a_lun() {
    let found = detect(&debian());
    let [server] = &found.servers[..] else {
        panic!("{:?}", found.servers)
    };
    assert_eq!(server.pid, 711, "the postmaster, not what it forked");
    assert_eq!(server.layout, Layout::Debian);
    assert_eq!(
        server.config_file.as_deref(),
        Some(Path::new("/etc/postgresql/15/main/postgresql.conf"))
    );
    assert_eq!((server.port, server.os_user.as_str()), (5433, "postgres"));
    assert_eq!(server.socket_dir, Path::new("/var/run/postgresql"));
    assert_eq!(server.bin_dir, Path::new("/usr/lib/postgresql/15/bin"));
    assert_eq!(server.unit.as_deref(), Some("postgresql@15-main.service"));
    assert!(server.other_options.is_empty() && server.outside.is_empty());
    let disk = server.disk.as_ref().unwrap();
    assert_eq!(
        disk.device,
        Path::new("/dev/disk/by-id/wwn-0x5000000000000001")
    );
    assert_eq!(disk.mount_point.as_deref(), Some(Path::new("/srv/simrs")));
    assert_eq!(disk.file_system.as_deref(), Some("ext4"));
    assert_eq!(disk.mount_options, ["noatime"]);
    assert_eq!(found.cards[0].name, "eth0", "the default route first");
    assert_eq!(found.cards[0].addresses, ["198.51.100.11/24"]);
    assert_eq!(found.cards[0].hardware, "02:00:5e:00:53:11");
}

#[test]
fn an_rpm_layout_with_options_of_its_own_and_the_wal_elsewhere() {
    let mut gathered = debian();
    gathered.processes = vec![ProcessText {
        exe: "/usr/pgsql-15/bin/postgres".into(),
        cwd: "/var/lib/pgsql/15/data".into(),
        arguments: words(
            "/usr/pgsql-15/bin/postmaster -D /var/lib/pgsql/15/data/ -p 5434 -c work_mem=8MB -i --log-connections=on",
        ),
        told_real: Some("/var/lib/pgsql/15/data".into()),
        cgroup: "1:name=systemd:/system.slice/postgresql-15.service\n0::/\n".into(),
        parts: pairs(&[("/var/lib/pgsql/15/data/pg_wal", "/wal/15")]),
        ..gathered.processes[1].clone()
    }];
    gathered
        .mountinfo
        .push_str("41 22 8:32 / /wal rw - ext4 /dev/sdc rw\n");
    gathered.block.push(BlockText {
        number: "8:32".into(),
        name: "sdc".into(),
        bytes: 1 << 30,
        ..BlockText::default()
    });
    let server = detect(&gathered).servers.remove(0);
    assert_eq!(server.layout, Layout::Rpm);
    assert_eq!(server.config_file, None);
    assert_eq!(server.port, 5434, "the command line goes before the file");
    assert_eq!(
        server.other_options,
        ["-c work_mem=8MB", "-i", "-c log-connections=on"]
    );
    assert_eq!(
        server.outside,
        pairs(&[("/var/lib/pgsql/15/data/pg_wal", "/wal/15")])
    );
    let further: Vec<_> = server
        .further
        .iter()
        .map(|d| d.mount_point.clone())
        .collect();
    assert_eq!(further, [Some(PathBuf::from("/wal"))]);
    // On the system's own disk it can't move.
    gathered.block.last_mut().unwrap().part_of = Some("vda".into());
    gathered.block[0].part_of = Some("vda".into());
    gathered.block.push(BlockText {
        number: "254:0".into(),
        name: "vda".into(),
        bytes: 1 << 34,
        ..BlockText::default()
    });
    assert_eq!(detect(&gathered).servers[0].further, []);
    // The root file system: it can't move.
    assert_eq!(
        server.disk.and_then(|d| d.mount_point),
        Some(PathBuf::from("/"))
    );
}

#[test]
fn a_server_that_was_told_its_configurations_folder() {
    let mut gathered = debian();
    let postmaster = &mut gathered.processes[1];
    postmaster.arguments = words("postgres -D /etc/postgres-simrs");
    postmaster.told_real = Some("/etc/postgres-simrs".into());
    let server = detect(&gathered).servers.remove(0);
    assert_eq!(server.layout, Layout::Elsewhere);
    assert_eq!(
        server.config_file,
        Some("/etc/postgres-simrs/postgresql.conf".into())
    );
    // By its environment, and through a link: the data directory itself.
    let postmaster = &mut gathered.processes[1];
    postmaster.arguments = words("postgres");
    postmaster.pgdata = Some("/var/lib/postgresql/15/main".into());
    postmaster.told_real = Some("/srv/simrs/postgresql/15/main".into());
    let server = detect(&gathered).servers.remove(0);
    assert_eq!(server.layout, Layout::DataDirectory);
    assert_eq!(server.config_file, None);
}

#[test]
fn volumes_and_resources_are_named_by_what_does_not_change() {
    let mut gathered = debian();
    gathered.block[1] = BlockText {
        number: "8:16".into(),
        name: "dm-3".into(),
        bytes: 1 << 30,
        dm_name: Some("vg--simrs-data".into()),
        dm_uuid: Some("LVM-0123".into()),
        ..BlockText::default()
    };
    gathered.vgs =
        Some(r#"{"report":[{"vg":[{"vg_name":"vg-simrs","vg_systemid":"serverdb"}]}]}"#.into());
    let found = detect(&gathered);
    let disk = found.servers[0].disk.as_ref().unwrap();
    assert_eq!(disk.device, Path::new("/dev/vg-simrs/data"));
    assert_eq!(disk.volume_group.as_deref(), Some("vg-simrs"));
    assert_eq!(found.volume_groups[0].system_id, "serverdb");

    gathered.block[1] = BlockText {
        number: "8:16".into(),
        name: "drbd0".into(),
        bytes: 1 << 30,
        ..BlockText::default()
    };
    gathered.links = pairs(&[("/dev/drbd/by-res/simrs/0", "/dev/drbd0")]);
    gathered.vgs = Some("not json".into());
    let found = detect(&gathered);
    let disk = found.servers[0].disk.as_ref().unwrap();
    assert_eq!(disk.device, Path::new("/dev/drbd/by-res/simrs/0"));
    assert_eq!(disk.drbd.as_deref(), Some("simrs"));
    assert_eq!(found.drbd, ["simrs"]);
    assert!(found.volume_groups.is_empty());

    // Without a link by its name: the event that makes it came before DRBD knew the name.
    gathered.links = pairs(&[]);
    gathered.block[1].drbd = storage::told_resource("RESOURCE=simrs/0\nDEVICE=drbd0\nDISK=vdb\n");
    let found = detect(&gathered);
    let disk = found.servers[0].disk.as_ref().unwrap();
    assert_eq!(disk.device, Path::new("/dev/drbd0"));
    assert_eq!(disk.drbd.as_deref(), Some("simrs"));
    assert_eq!(found.drbd, ["simrs"]);
    assert_eq!(storage::told_resource(""), None);
}

#[test]
fn a_disk_with_reservations_is_found_also_below_a_volume_group() {
    let found = |gathered: &Gathered| {
        let server = detect(gathered).servers.remove(0);
        server.disk.unwrap().reserved
    };
    let mut gathered = debian();
    assert_eq!(found(&gathered), None);
    gathered.block[1].reserves = true;
    let lun = Path::new("/dev/disk/by-id/wwn-0x5000000000000001");
    assert_eq!(found(&gathered).as_deref(), Some(lun));
    // Below a volume, where the group has no other disk.
    let lun_below = BlockText {
        number: "8:32".into(),
        ..gathered.block[1].clone()
    };
    gathered.block[1] = BlockText {
        number: "8:16".into(),
        name: "dm-3".into(),
        bytes: 1 << 30,
        dm_name: Some("vg--simrs-data".into()),
        dm_uuid: Some("LVM-0123".into()),
        below: vec!["sdb".into()],
        ..BlockText::default()
    };
    gathered.block.push(lun_below);
    assert_eq!(found(&gathered).as_deref(), Some(lun));
    gathered.block[1].below.push("sdc".into());
    assert_eq!(found(&gathered), None);
}

#[test]
fn a_replica_below_a_volume_group_is_found() {
    let mut gathered = debian();
    gathered.block[1] = BlockText {
        number: "8:16".into(),
        name: "dm-3".into(),
        bytes: 1 << 30,
        dm_name: Some("vg--simrs-data".into()),
        dm_uuid: Some("LVM-0123".into()),
        below: vec!["drbd0".into()],
        ..BlockText::default()
    };
    gathered.block.push(BlockText {
        number: "147:0".into(),
        name: "drbd0".into(),
        bytes: 1 << 30,
        drbd: Some("simrs".into()),
        ..BlockText::default()
    });
    let found = |gathered: &Gathered| {
        let server = detect(gathered).servers.remove(0);
        let disk = server.disk.unwrap();
        (disk.volume_group, disk.replica_below, disk.drbd)
    };
    let group = || Some("vg-simrs".to_owned());
    let on_simrs = (group(), Some("simrs".to_owned()), None);
    assert_eq!(found(&gathered), on_simrs);
    // By udev's link alone.
    gathered.block.last_mut().unwrap().drbd = None;
    gathered.links = pairs(&[("/dev/drbd/by-res/simrs/0", "/dev/drbd0")]);
    assert_eq!(found(&gathered), on_simrs);
    // A second disk of the group is no replica.
    gathered.block[1].below.push("sdc".into());
    assert_eq!(found(&gathered), (group(), None, None));
}

#[test]
fn a_multipath_map_is_named_by_what_none_of_its_paths_has() {
    let mut gathered = debian();
    let map = "/dev/disk/by-id/dm-uuid-mpath-35000000000000001";
    gathered.links.push((map.into(), "/dev/sdb".into()));
    let disk = detect(&gathered).servers.remove(0).disk.unwrap();
    assert_eq!(disk.device, Path::new(map));
}

#[test]
fn a_host_without_a_database() {
    let mut gathered = debian();
    // `postgres --version` has no data directory.
    gathered.processes.truncate(1);
    gathered.processes[0].parent = 1;
    gathered.processes[0].arguments = words("postgres --version");
    gathered.processes[0].pg_version = None;
    assert!(detect(&gathered).servers.is_empty());
}

#[test]
fn a_neighbour_that_did_not_answer_has_no_hardware_address() {
    let arp = "IP address       HW type     Flags       HW address            Mask     Device\n\
               198.51.100.12    0x1         0x2         02:00:5E:00:53:21     *        eth0\n\
               198.51.100.13    0x1         0x0         00:00:00:00:00:00     *        eth0\n";
    let of = |address: &str| network::in_arp(arp, address.parse().unwrap());
    assert_eq!(of("198.51.100.12").as_deref(), Some("02:00:5e:00:53:21"));
    assert_eq!(of("198.51.100.13"), None);
    assert_eq!(of("198.51.100.14"), None);
}
