//! What would start the service at boot, found in the files of a made-up host.

use super::{FileSystemKind, NodeName, Path, PathBuf};
use crate::observe::boot::starts;
use siaga_model::config::{Application, ApplicationRun, Service, VirtualIp};
use siaga_model::evidence::BootStart;
use std::time::Duration;

fn service() -> Service {
    let mount_point = Path::new("/srv/simrs");
    let mut database = super::database(mount_point, Path::new("/run/postgresql"));
    database.config_file = Some("/etc/postgresql/15/main/postgresql.conf".into());
    let device = Path::new("/dev/disk/by-id/lun");
    let config = super::config(device, mount_point, FileSystemKind::Ext4, &database);
    let mut service = config.services.into_iter().next().unwrap();
    service.applications = vec![Application {
        name: "web".into(),
        run: ApplicationRun::Unit("tomcat10.service".into()),
        test: None,
        timeout: Duration::from_secs(1),
    }];
    service.virtual_ips = ["192.0.2.50", "2001:db8::50"]
        .map(|address| VirtualIp {
            address: address.parse().unwrap(),
            interfaces: Vec::new(),
        })
        .into();
    service
}

/// What is found on a host with these files.
fn found(files: &[(&str, &str)]) -> Vec<BootStart> {
    found_of(&service(), files)
}

fn found_of(service: &Service, files: &[(&str, &str)]) -> Vec<BootStart> {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let file = root.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    starts(service, &NodeName::from("backup"), root.path())
}

const WANTS: &str = "etc/systemd/system/multi-user.target.wants";

#[test]
fn the_unit_that_siaga_starts_must_not_start_by_itself() {
    let mut service = service();
    let name = "simrs-database.service";
    let wants = format!("{WANTS}/{name}");
    assert_eq!(found_of(&service, &[(&wants, "")]), []);
    service.database.unit = Some(name.into());
    let unit = BootStart::Unit { name: name.into() };
    assert_eq!(found_of(&service, &[(&wants, "")]), [unit]);
}

#[test]
fn enabled_units_of_the_database_and_of_applications_are_found() {
    let unit = |name: &str| BootStart::Unit { name: name.into() };
    for name in ["postgresql@15-main.service", "tomcat10.service"] {
        assert_eq!(found(&[(&format!("{WANTS}/{name}"), "")]), [unit(name)]);
    }
    for name in [
        "siaga.service",
        "postgresql-common.timer",
        // Databases of somebody else: `check --fix` would switch them off.
        "postgresql@15-other.service",
        "postgresql@13-main.service",
        "postgresql-15.service",
        "tomcat9.service",
    ] {
        assert_eq!(found(&[(&format!("{WANTS}/{name}"), "")]), []);
    }
    let mut rpm = service();
    rpm.database.config_file = None;
    rpm.database.bin_dir = "/usr/pgsql-15/bin".into();
    let of_rpm = |name: &str| found_of(&rpm, &[(&format!("{WANTS}/{name}"), "")]);
    assert_eq!(
        of_rpm("postgresql-15.service"),
        [unit("postgresql-15.service")]
    );
    assert_eq!(of_rpm("postgresql-12.service"), []);
    assert_eq!(of_rpm("postgresql@15-main.service"), []);
}

#[test]
fn a_cluster_of_debian_starts_where_its_start_conf_says_so() {
    let all = format!("{WANTS}/postgresql.service");
    let conf = "etc/postgresql/15/main/start.conf";
    let auto = [BootStart::Cluster {
        file: PathBuf::from("/").join(conf),
    }];
    assert_eq!(found(&[(&all, ""), (conf, "# when?\nauto\n")]), auto);
    // Without the file it is started too.
    assert_eq!(found(&[(&all, "")]), auto);
    assert_eq!(found(&[(&all, ""), (conf, "manual\n")]), []);
    // The unit for all clusters is off.
    assert_eq!(found(&[(conf, "auto\n")]), []);
}

/// systemd mounts what a unit asks for, also where it says `noauto`.
#[test]
fn with_a_unit_any_line_of_fstab_is_found() {
    let files = [("etc/fstab", "UUID=1-2 /srv/simrs ext4 noatime,noauto 0 2\n")];
    assert_eq!(found(&files), []);
    let mut service = service();
    service.database.unit = Some("postgresql@15-main.service".into());
    let with_unit = found_of(&service, &files);
    let line = BootStart::Fstab {
        mount_point: "/srv/simrs".into(),
        line: 1,
    };
    assert_eq!(with_unit, [line]);
}

#[test]
fn a_line_of_fstab_without_noauto_is_found_with_its_number() {
    let line = |text: &str| {
        found(&[(
            "etc/fstab",
            &format!("proc /proc proc defaults 0 0\n{text}\n"),
        )])
    };
    let mounts = |mount_point: &str| {
        [BootStart::Fstab {
            mount_point: mount_point.into(),
            line: 2,
        }]
    };
    assert_eq!(
        line("UUID=1-2 /srv/simrs ext4 defaults 0 2"),
        mounts("/srv/simrs")
    );
    assert_eq!(
        line("/dev/disk/by-id/lun /mnt ext4 nofail 0 2"),
        mounts("/mnt")
    );
    assert_eq!(line("UUID=1-2 /srv/simrs ext4 noatime,noauto 0 2"), []);
    assert_eq!(line("#UUID=1-2 /srv/simrs ext4 defaults 0 2"), []);
    assert_eq!(line("UUID=1-2 /srv/other ext4 defaults 0 2"), []);
}

#[test]
fn a_line_of_fstab_by_another_name_of_the_device_is_found() {
    let line = "UUID=1-2 /mnt ext4 nofail 0 2\n";
    let root = tempfile::tempdir().unwrap();
    let link = |from: &str, to: &str| {
        let from = root.path().join(from);
        std::fs::create_dir_all(from.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, from).unwrap();
    };
    let found = |service: &Service| starts(service, &NodeName::from("backup"), root.path());
    std::fs::create_dir_all(root.path().join("etc")).unwrap();
    std::fs::write(root.path().join("etc/fstab"), line).unwrap();
    for disk in ["sda", "sdb"] {
        std::fs::create_dir_all(root.path().join("dev")).unwrap();
        std::fs::write(root.path().join("dev").join(disk), "").unwrap();
    }
    link("dev/disk/by-id/lun", "../../sdb");
    link("dev/disk/by-uuid/1-2", "../../sda");
    assert_eq!(found(&service()), [], "another disk");
    std::fs::remove_file(root.path().join("dev/disk/by-uuid/1-2")).unwrap();
    link("dev/disk/by-uuid/1-2", "../../sdb");
    let mounts = BootStart::Fstab {
        mount_point: "/mnt".into(),
        line: 1,
    };
    assert_eq!(found(&service()), [mounts]);
    // A volume of a group has two names, and is not there on this host.
    let mut of_group = service();
    let device = PathBuf::from("/dev/vg-simrs/data");
    of_group.disk_set.devices = vec![(NodeName::from("backup"), device)];
    let lines = |text: &str| found_of(&of_group, &[("etc/fstab", text)]).len();
    assert_eq!(lines("/dev/mapper/vg--simrs-data /mnt xfs nofail 0 2\n"), 1);
    assert_eq!(lines("/dev/mapper/vg--simrs-wal /mnt xfs nofail 0 2\n"), 0);
}

/// It waits until somebody looks into the folder, as `siaga check` itself does.
#[test]
fn an_automount_does_not_wait() {
    let line = "UUID=1-2 /srv/simrs ext4 noauto,x-systemd.automount 0 2\n";
    assert_eq!(found(&[("etc/fstab", line)]).len(), 1);
}

#[test]
fn enabled_units_that_mount_are_found() {
    let mut service = service();
    let of = |service: &Service, name: &str| {
        found_of(service, &[(&format!("{WANTS}/{name}"), "")]).len()
    };
    for name in ["srv-simrs.mount", "srv-simrs.automount"] {
        assert_eq!(of(&service, name), 1, "{name}");
    }
    for name in ["srv.mount", "srv-simrs-more.mount", "srv-simrs.service"] {
        assert_eq!(of(&service, name), 0, "{name}");
    }
    service.file_systems[0].mount_point = "/srv/sim-rs/.data b".into();
    assert_eq!(of(&service, "srv-sim\\x2drs-.data\\x20b.mount"), 1);
}

#[test]
fn a_virtual_address_in_the_networks_configuration_is_found() {
    let in_file = |path: &str, text: &str| !found(&[(path, text)]).is_empty();
    let interfaces = "etc/network/interfaces";
    assert!(in_file(
        interfaces,
        "iface eth0:0 inet static\n  address 192.0.2.50/24\n"
    ));
    assert!(in_file(
        "etc/netplan/50.yaml",
        "addresses: [\"2001:db8:0::50/64\"]\n"
    ));
    assert!(in_file(
        "etc/systemd/network/lan.network",
        "Address=192.0.2.50/32\n"
    ));
    assert!(!in_file(interfaces, "# address 192.0.2.50\n"));
    assert!(!in_file(
        interfaces,
        "address 192.0.2.5\naddress 192.0.2.150\n"
    ));
}
