//! The drivers of a disk set and the keys of each.

use crate::common::{FULL, MINIMAL, edited, expect, expect_with};
use siaga_config::{HostChecks, parse};
use siaga_model::NodeName;
use siaga_model::config::{Below, DiskSetDriver, DiskSetPrograms};
use std::time::Duration;

const BLOCK: &str = "driver = \"block\"";

const DISK: &str = "/dev/disk/by-id/wwn-0x5000000000000001";

/// As the full example has it.
const DEVICES: &str = "device = { serverdb = \"/dev/disk/by-id/wwn-0x5000000000000001\", backup = \"/dev/disk/by-id/wwn-0x5000000000000001\" }";

const MINIMAL_TABLE: &str = "disk_set = { device";

/// Of the example with these keys. Its device is one of the group where there is one.
fn driver(keys: &str) -> DiskSetDriver {
    let table = format!("disk_set = {{ {keys}, device");
    let mut edits = vec![(MINIMAL_TABLE, table.as_str())];
    if keys.contains("\"lvm\"") {
        edits.push((DISK, "/dev/vg_simrs/data"));
    }
    let text = edited(MINIMAL, &edits);
    let (config, _) = parse(&text, &HostChecks::none()).unwrap_or_else(|e| panic!("{e}"));
    config.services[0].disk_set.driver.clone()
}

#[test]
fn programs_of_the_site() {
    let table = "driver = \"command\", take = [\"/usr/local/sbin/take\", \"{service}\"], \
                 release = [\"/usr/local/sbin/release\", \"{device}\"], status = [\"/usr/local/sbin/status\"]";
    let DiskSetDriver::Command(DiskSetPrograms {
        take,
        take_forced,
        timeout,
        ..
    }) = driver(table)
    else {
        panic!("another driver")
    };
    assert_eq!(take.0[1], "{service}");
    assert_eq!((take_forced, timeout), (None, Duration::from_secs(60)));
}

#[test]
fn the_worked_example() {
    let text = include_str!("../../../../examples/disk-set-command.toml");
    let (config, _) = parse(text, &HostChecks::none()).unwrap_or_else(|e| panic!("{e}"));
    let DiskSetDriver::Command(programs) = &config.services[0].disk_set.driver else {
        panic!("another driver")
    };
    let forced = programs.take_forced.as_ref().unwrap();
    assert_eq!(forced.0[1..], ["-s", "{service}", "-t", "-f"]);
}

#[test]
fn a_placeholder_is_a_whole_argument() {
    let programs = |argument: &str| {
        format!(
            "driver = \"command\"\ntake = [\"/t\", {argument}]\nrelease = [\"/r\"]\nstatus = [\"/s\"]"
        )
    };
    for bad in ["--set={service}", "{servis}", "{}", "a}b"] {
        let marked = programs(&format!("⟦BAD_PLACEHOLDER⟧\"{bad}\""));
        expect(&[(BLOCK, &marked)]);
    }
    let relative = programs("\"x\"").replace("[\"/t\"", "[⟦NOT_ABSOLUTE⟧\"t\"");
    expect(&[(BLOCK, &relative)]);
}

#[test]
fn each_driver_has_its_own_keys() {
    let missing = "driver = ⟦MISSING_KEY⟧\"command\"\ntake = [\"/t\"]\nrelease = [\"/r\"]";
    expect(&[(BLOCK, missing)]);
    expect(&[(BLOCK, "driver = \"block\"\nstatus = ⟦NOT_TOGETHER⟧[\"/s\"]")]);
    // Without a driver it is a plain block device.
    let table = "disk_set = { timeout = ⟦NOT_TOGETHER⟧\"5s\", device";
    expect_with(&HostChecks::none(), MINIMAL, &[(MINIMAL_TABLE, table)]);
    expect(&[(BLOCK, "driver = ⟦BAD_CHOICE⟧\"metaset\"")]);
}

#[test]
fn a_volume_group_and_what_it_lies_on() {
    let on = "driver = \"lvm\", volume_group = \"vg_simrs\", on = { driver = \"scsi\", device = \"/dev/mapper/lun\" }";
    let DiskSetDriver::Lvm { volume_group, on } = driver(on) else {
        panic!("another driver")
    };
    assert_eq!(volume_group, "vg_simrs");
    let Some(Below::Scsi(devices)) = on else {
        panic!("on nothing")
    };
    assert_eq!(devices.len(), 2);
    let plain = driver("driver = \"lvm\", volume_group = \"vg_simrs\"");
    assert!(matches!(plain, DiskSetDriver::Lvm { on: None, .. }));
    for bad in ["-a", "a b", "a/b", ".."] {
        let marked = format!("driver = \"lvm\"\nvolume_group = ⟦BAD_VOLUME_GROUP⟧\"{bad}\"");
        expect(&[(BLOCK, &marked)]);
    }
    expect(&[(BLOCK, "driver = ⟦MISSING_KEY⟧\"lvm\"")]);
    expect(&[(
        BLOCK,
        "driver = \"scsi\"\nvolume_group = ⟦NOT_TOGETHER⟧\"vg_simrs\"",
    )]);
}

#[test]
fn reservation_keys_tell_the_two_nodes_apart() {
    assert_eq!(driver("driver = \"scsi\""), DiskSetDriver::Scsi);
    // Two names with the same 16 bits, found by trying.
    let mark = siaga_model::reservation::node_mark;
    let wanted = mark(&NodeName::from("backup"));
    let twin = (0..1_000_000)
        .map(|i| format!("n{i}"))
        .find(|n| mark(&NodeName::from(n.as_str())) == wanted)
        .expect("there are only 65536");
    let text = edited(
        MINIMAL,
        &[(MINIMAL_TABLE, "disk_set = { driver = \"scsi\", device")],
    )
    .replace("\"serverdb\"", &format!("\"{twin}\""));
    let errors = parse(&text, &HostChecks::none()).expect_err("accepted");
    assert_eq!(errors.errors[0].code, "EQUAL_RESERVATION_MARKS", "{errors}");
}

#[test]
fn a_replicated_device() {
    let simrs = DiskSetDriver::Drbd {
        resource: "simrs".into(),
    };
    assert_eq!(driver("driver = \"drbd\", resource = \"simrs\""), simrs);
    let on = "driver = \"lvm\", volume_group = \"vg_simrs\", on = { driver = \"drbd\", resource = \"simrs\" }";
    assert!(matches!(
        driver(on),
        DiskSetDriver::Lvm { on: Some(Below::Drbd(r)), .. } if r == "simrs"
    ));
    expect(&[(BLOCK, "driver = ⟦MISSING_KEY⟧\"drbd\"")]);
    for bad in ["all", "-a", "a b"] {
        let marked = format!("driver = \"drbd\"\nresource = ⟦BAD_RESOURCE⟧\"{bad}\"");
        expect(&[(BLOCK, &marked)]);
    }
    let volumes = (DEVICES, "device = \"/dev/vg/data\"");
    let without =
        "driver = \"lvm\"\nvolume_group = \"vg\"\non = ⟦MISSING_KEY⟧{ driver = \"scsi\" }";
    expect(&[(BLOCK, without), volumes]);
    let both = "driver = \"lvm\"\nvolume_group = \"vg\"\n\
                on = { driver = \"drbd\", resource = \"r\", device = ⟦NOT_TOGETHER⟧\"/dev/x\" }";
    expect(&[(BLOCK, both), volumes]);
}

#[test]
fn the_device_is_a_volume_of_the_group() {
    let group = (BLOCK, "driver = \"lvm\"\nvolume_group = \"vg-simrs\"");
    // Device mapper doubles the hyphens of a name.
    for good in [
        "/dev/vg-simrs/data",
        "/dev/mapper/vg--simrs-data",
        "/dev/disk/by-id/dm-name-vg--simrs-data",
        "/dev/disk/by-uuid/0f1e",
    ] {
        let device = format!("device = \"{good}\"");
        let text = edited(FULL, &[group, (DEVICES, &device)]);
        assert!(parse(&text, &HostChecks::none()).is_ok(), "{text}");
    }
    for bad in [
        "/dev/vg-simrs2/data",
        "/dev/vg-simrs/",
        "/dev/mapper/vg-simrs-data",
        "/dev/mapper/vg--simrs--2-data",
        DISK,
    ] {
        let device = format!("device = ⟦FILE_SYSTEM_ELSEWHERE⟧\"{bad}\"");
        expect(&[group, (DEVICES, &device)]);
    }
    // On one of the servers.
    let device = format!(
        "device = {{ serverdb = \"/dev/vg-simrs/data\", backup = ⟦FILE_SYSTEM_ELSEWHERE⟧\"{DISK}\" }}"
    );
    expect(&[group, (DEVICES, &device)]);
}
