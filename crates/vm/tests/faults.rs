//! What breaks besides the power: the kernel, cables, and an old server that comes back with everything set to start.

use siaga_vm::{Network, Site, say, wait_until};

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_kernel_panic_and_a_return_with_everything_set_to_start() {
    let site = Site::running();
    let load = site.load();
    // Left as somebody may leave it: Debian's own start of the database, and the file system in fstab, at boot.
    site.serverdb
        .run(
            "systemctl enable -q postgresql
            echo \"$(findmnt -n -o SOURCE /srv/simrs) /srv/simrs ext4 nofail 0 0\" >>/etc/fstab",
        )
        .expect(0);
    for what in ["postgresql", "/etc/fstab"] {
        wait_until("the check warns of it", || {
            site.warns_of_start("serverdb", what)
        });
    }
    say("the check warns of what starts at boot");
    // Without a reservation nothing but that warning keeps a server from a mount of its own.
    site.serverdb
        .run("sed -i '\\|/srv/simrs|d' /etc/fstab && sync")
        .expect(0);
    site.serverdb.try_run("echo c > /proc/sysrq-trigger", 5);
    wait_until("serverdb is dead", || {
        site.serverdb.try_run("true", 10).code != Some(0)
    });
    assert!(site.serverdb.is_on(), "a panic leaves the power on");
    say("the kernel of serverdb has panicked");
    let taken = site.takeover("backup", "");
    assert!(
        taken["proof"][0]
            .as_str()
            .is_some_and(|p| p.starts_with("fenced serverdb")),
        "{taken}"
    );
    assert!(!site.serverdb.is_on());
    say("backup has taken over, by the power fence");
    site.backup
        .siaga("power on serverdb --yes --as budi")
        .expect(0);
    site.serverdb.wait_up();
    site.wait_for_agents();
    // Whatever wanted to start has had its chance.
    site.serverdb
        .run("systemctl is-system-running --wait >/dev/null; true")
        .expect(0);
    site.whole_service_on("backup");
    say("serverdb is back, and nothing runs twice");
    site.serverdb
        .run("systemctl disable --now -q postgresql")
        .expect(0);
    site.home_again();
    load.nothing_lost();
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn the_lan_cable_then_the_storage_cable_then_both() {
    let site = Site::running();
    let load = site.load();
    // Who only watches loses sight of the disk: it says so, answers, and knows who has the service.
    site.backup.cable(Network::Storage, false);
    wait_until("backup says that it can't read the disk", || {
        site.backup.witness_of_the_disk() == "unknown"
    });
    assert_eq!(site.active("backup").as_deref(), Some("serverdb"));
    site.backup.cable(Network::Storage, true);
    wait_until("backup reads the disk again", || {
        site.backup.witness_of_the_disk() != "unknown"
    });
    say("backup had lost its storage, and answered all along");

    // Clients see nothing, both servers are well and talk over their second path: a planned move.
    site.serverdb.cable(Network::Lan, false);
    say("serverdb has lost its LAN");
    let moved = site
        .backup
        .siaga("switchover --yes --json --as budi --reason 'no LAN on serverdb'")
        .expect(0)
        .json();
    assert_eq!(moved["outcome"], "done", "{moved}");
    site.whole_service_on("backup");
    say("the service has moved to backup");
    site.serverdb.cable(Network::Lan, true);
    site.home_again();

    // The server lives and its disk is gone: it can't let go in order, so it is switched off.
    site.serverdb.cable(Network::Storage, false);
    say("serverdb has lost its storage");
    wait_until("the loss shows", || {
        site.active("backup").as_deref() != Some("serverdb")
    });
    take_over_from_a_cut_off_server(&site);
    return_of_serverdb(&site);

    site.serverdb.cable(Network::Lan, false);
    site.serverdb.cable(Network::Storage, false);
    say("serverdb has lost its LAN and its storage");
    wait_until("the loss shows", || {
        site.active("backup").as_deref() != Some("serverdb")
    });
    take_over_from_a_cut_off_server(&site);
    return_of_serverdb(&site);
    load.nothing_lost();
}

/// A server whose agent answers and whose disk is gone is asked to let go first. It can't prove that it has: the run goes on
/// with the fence by itself.
fn take_over_from_a_cut_off_server(site: &Site) {
    let order = "takeover --yes --json --as budi --reason 'a test'";
    site.backup.siaga(order).expect(0);
    assert!(!site.serverdb.is_on(), "its power was not cut");
    assert_eq!(site.mounted(&["backup"]), ["backup"]);
    say("backup has taken over, by the power fence");
}

/// With its cables in, and its power on.
fn return_of_serverdb(site: &Site) {
    site.backup
        .siaga("power on serverdb --yes --as budi")
        .expect(0);
    site.serverdb.wait_up();
    site.wait_for_agents();
    site.whole_service_on("backup");
    site.home_again();
}
