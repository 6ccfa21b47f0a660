//! Volume groups: on a LUN with reservations, and on a DRBD pair.

use siaga_vm::{Kind, Site, say, wait_until};

/// The disk set of that server is found wanting, for a disk with this in its name.
#[track_caller]
fn found(site: &Site, server: &str, as_what: &str, disk: &str) {
    let checks = site.disk_set_checks(server);
    let told = |(status, text): &(String, String)| status == as_what && text.contains(disk);
    assert!(checks.iter().any(told), "{checks:?}");
}

/// What a look beside has found stands until the next one.
#[track_caller]
fn passes(site: &Site, server: &str) {
    let pass = |(status, _): &(String, String)| status == "pass";
    wait_until(&format!("the disk set of {server} is in order"), || {
        let checks = site.disk_set_checks(server);
        !checks.is_empty() && checks.iter().all(pass)
    });
}

/// A switchover to `backup` is refused, and the service goes on.
#[track_caller]
fn refused(site: &Site, why: &str) {
    wait_until(why, || {
        let order = "switchover --yes --json --as budi --reason 'a test'";
        let refused = site.backup.siaga(order);
        assert_ne!(refused.code, Some(0), "{refused:?}");
        refused.code == Some(3) && refused.json()["code"] == "TARGET_NOT_READY"
    });
    site.whole_service_on("serverdb");
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_drill_and_a_power_cut_with_a_volume_group_on_a_reservation() {
    let site = Site::running_on(Kind::Lvm);
    let load = site.load();
    site.drill();
    // Its volumes are on serverdb alone; what is written to them is seen on the disk.
    wait_until("backup sees that somebody writes", || {
        site.backup.witness_of_the_disk() == "changing"
    });
    say("what serverdb writes is seen by backup");
    // A second disk, which nothing keeps from the other server.
    passes(&site, "serverdb");
    site.serverdb
        .run(
            "set -e
            truncate -s 64M /root/second
            losetup /dev/loop6 /root/second
            vgextend -qq -y vg_simrs /dev/loop6",
        )
        .expect(0);
    found(&site, "serverdb", "warn", "/dev/loop6");
    site.serverdb
        .run("vgreduce -qq -y vg_simrs /dev/loop6 && pvremove -qq -y /dev/loop6 && losetup -d /dev/loop6")
        .expect(0);
    passes(&site, "serverdb");
    say("a disk without a reservation in the group is found");

    site.serverdb.power_off();
    say("serverdb has lost its power");
    site.fenced_takeover();
    // Its own name is on the group no more: it boots, sees the group, and activates nothing.
    site.back_on();
    let volume = site.serverdb.run("test -e /dev/vg_simrs/data").code;
    assert_eq!(volume, Some(1), "the group was activated at boot");
    site.home_again();
    load.nothing_lost();
    site.stop("the test is over");
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_migrated_cluster_in_a_volume_group_on_a_replicated_device() {
    let site = Site::running_on(Kind::LvmOnDrbd);
    let load = site.load();
    site.drill();
    for name in siaga_vm::SERVERS {
        passes(&site, name);
    }
    // LVM that reads the disk below DRBD would write past it.
    site.lvm_past_drbd("backup", true);
    found(&site, "backup", "fail", "/dev/vdb");
    refused(&site, "before the stop: backup can't take it");
    site.lvm_past_drbd("backup", false);
    passes(&site, "backup");
    // On the server that has the service LVM takes that disk for a second way to the pair.
    site.lvm_past_drbd("serverdb", true);
    found(&site, "serverdb", "fail", "/dev/vdb");
    refused(&site, "before the stop: serverdb can't give it up");
    site.lvm_past_drbd("serverdb", false);
    passes(&site, "serverdb");
    say(
        "LVM that reads the disk that DRBD copies is found, and nothing is stopped for a move then",
    );

    site.serverdb.power_off();
    say("serverdb has lost its power");
    site.fenced_takeover();
    site.back_on();
    wait_until("serverdb has copied what it missed", || {
        site.serverdb.run("drbdadm dstate simrs").out.trim() == "UpToDate/UpToDate"
    });
    let volume = site.serverdb.run("test -e /dev/vg_simrs/data").code;
    assert_eq!(volume, Some(1), "the group was activated at boot");
    site.home_again();
    load.nothing_lost();
    site.stop("the test is over");
}
