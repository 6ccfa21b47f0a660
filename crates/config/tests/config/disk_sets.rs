//! The drivers of a disk set and the keys of each.

use crate::common::{MINIMAL, edited, expect, expect_with};
use siaga_config::{HostChecks, parse};
use siaga_model::config::{DiskSetDriver, DiskSetPrograms};
use std::time::Duration;

const BLOCK: &str = "driver = \"block\"";

const MINIMAL_TABLE: &str = "disk_set = { device";

fn driver(keys: &str) -> DiskSetDriver {
    let text = edited(
        MINIMAL,
        &[(MINIMAL_TABLE, &format!("disk_set = {{ {keys}, device"))],
    );
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
