//! A whole LUN with persistent reservations: the storage itself keeps the other server out, and taking its registration away is
//! a fence.

use siaga_vm::{Kind, Network, Site, say, wait_until};

/// What the LUN says of its reservation, read by that server.
fn reservation(site: &Site, server: &str) -> String {
    let script = "sg_persist -n -i -r /dev/disk/by-id/wwn-0x6001405*";
    site.server(server).run(script).expect(0).out
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_drill_by_reservation_and_keys_that_are_lost_behind_our_back() {
    let site = Site::running_on(Kind::Scsi);
    let load = site.load();
    site.drill();
    assert!(reservation(&site, "backup").contains("Write Exclusive, registrants only"));

    // Somebody with root on the other server takes every registration away, for whatever reason.
    site.backup
        .run(
            "set -e
            lun=$(ls /dev/disk/by-id/wwn-0x6001405*)
            sg_persist -n -o -G -S 0xbad $lun
            sg_persist -n -o -C -K 0xbad $lun",
        )
        .expect(0);
    say("every registration was cleared by hand");
    lets_go(&site);
    // A person brings it back, where it was.
    site.serverdb
        .siaga("start --yes --json --as budi --reason 'somebody cleared the reservation'")
        .expect(0);
    site.whole_service_on("serverdb");
    say("a person has started it again");
    load.nothing_lost();
    site.stop("the test is over");
}

/// The server whose key is gone lets go, says so, and nothing starts by itself anywhere.
fn lets_go(site: &Site) {
    wait_until("serverdb has let go", || site.has("serverdb").is_empty());
    site.let_go_in_time("serverdb");
    assert_eq!(site.has("backup"), "", "something started by itself");
    for name in siaga_vm::SERVERS {
        wait_until(&format!("{name} says why"), || {
            let told = site.server(name).siaga("events --json --limit 60").out;
            told.contains("RESERVATION_LOST") || told.contains("reservation_lost")
        });
    }
    say("serverdb has let go, and both say why");
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn the_reservation_is_the_fence_of_a_server_that_sleeps() {
    let mut site = Site::running_on(Kind::Scsi);
    let load = site.load();
    // Its management processor is dead too: the reservation alone speaks.
    site.serverdb_bmc.power_off();
    site.serverdb.freeze();
    say("serverdb sleeps with a live database, and its power fence is dead");
    site.fenced_takeover_by("reservation");
    assert!(site.serverdb.is_on());
    // Nobody tells it: only the disk does.
    site.serverdb.cable(Network::Lan, false);
    site.serverdb.thaw();
    wait_until("serverdb has let go", || site.has("serverdb").is_empty());
    site.let_go_in_time("serverdb");
    let told = site.serverdb.siaga("events --json --limit 60").out;
    assert!(
        told.contains("RESERVATION_LOST") || told.contains("reservation_lost"),
        "{told}"
    );
    // What it would write by any other way is refused as well: its own first block, as it was read.
    let written = site.serverdb.run(
        "lun=$(ls /dev/disk/by-id/wwn-0x6001405*)
        dd if=$lun of=/root/block bs=4096 count=1 iflag=direct && dd if=/root/block of=$lun bs=4096 count=1 oflag=direct",
    );
    assert_ne!(written.code, Some(0), "{written:?}");
    say("serverdb has let go by itself, and can't write");
    site.serverdb.cable(Network::Lan, true);
    site.serverdb_bmc.power_on();
    site.whole_service_on("backup");
    site.wait_for_agents();
    site.home_again();

    load.nothing_lost();
    site.stop("the test is over");
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_power_cut_by_reservation_and_a_return_with_everything_set_to_start() {
    let mut site = Site::running_on(Kind::Scsi);
    let load = site.load();
    // Left as somebody may leave it: the database, and the file system by another name of its device, at boot.
    site.serverdb
        .run(
            "systemctl enable -q postgresql
            echo \"UUID=$(findmnt -n -o UUID /srv/simrs) /srv/simrs ext4 nofail 0 0\" >>/etc/fstab
            sync",
        )
        .expect(0);
    for what in ["postgresql", "/etc/fstab"] {
        wait_until("the check warns of it", || {
            site.warns_of_start("serverdb", what)
        });
    }
    say("the check warns of what starts at boot");
    site.serverdb.power_off();
    site.serverdb_bmc.power_off();
    say("serverdb has lost its power, and its management processor too");
    site.fenced_takeover_by("reservation");
    site.serverdb_bmc.power_on();
    wait_until("the management processor answers", || {
        site.backup.siaga("power on serverdb --yes --as budi").code == Some(0)
    });
    site.serverdb.wait_up();
    site.wait_for_agents();
    // Whatever wanted to start has had its chance.
    site.serverdb
        .run("systemctl is-system-running --wait >/dev/null; true")
        .expect(0);
    assert_eq!(site.has("serverdb"), "", "something started at the boot");
    site.whole_service_on("backup");
    say("serverdb is back with everything set to start, and the disk let it mount nothing");
    site.serverdb
        .run(
            "sed -i '\\|/srv/simrs|d' /etc/fstab
            systemctl daemon-reload
            systemctl disable -q postgresql
            systemctl reset-failed",
        )
        .expect(0);
    site.home_again();
    load.nothing_lost();
    site.stop("the test is over");
}
