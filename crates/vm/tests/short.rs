//! The short form: from bare servers to a passed drill; power cut; freeze and thaw.

use siaga_vm::{Network, Site, say, wait_until};

#[test]
#[ignore = "virtual machines: make vm-test"]
fn from_bare_servers_to_a_passed_drill() {
    let site = Site::install();
    site.serverdb.siaga("check").expect(0);
    site.start("first start");
    let load = site.load();
    site.drill();
    load.nothing_lost();
    site.stop("the test is over");
    site.keep();
}

/// By an account that is not root, after a boot of each server.
#[track_caller]
fn operators_reach_the_agents(site: &Site) {
    for name in siaga_vm::SERVERS {
        let script = "useradd -m -G siaga wati && su - wati -c 'siaga status'";
        site.server(name).run(script).expect(0);
    }
    say("an account of the group reaches both agents");
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn power_cut_then_freeze_and_thaw() {
    let mut site = Site::running();
    let load = site.load();
    site.serverdb.power_off();
    say("serverdb has lost its power");
    let taken = site.takeover("backup", "");
    assert!(
        taken["proof"][0]
            .as_str()
            .is_some_and(|p| p.starts_with("fenced serverdb")),
        "{taken}"
    );
    assert_eq!(site.mounted(&["backup"]), ["backup"]);
    say("backup has taken over, by the power fence");
    // It comes back and takes nothing.
    site.backup
        .siaga("power on serverdb --yes --as budi --reason repaired")
        .expect(0);
    site.serverdb.wait_up();
    site.wait_for_agents();
    site.whole_service_on("backup");
    say("serverdb is back, and has taken nothing");
    operators_reach_the_agents(&site);
    site.home_again();

    // The machine sleeps with a live database; its storage cable is drawn, its fence is dead, and a person says so.
    site.serverdb.freeze();
    site.serverdb.cable(Network::Storage, false);
    site.serverdb_bmc.power_off();
    say("serverdb sleeps");
    site.needs_attestation("backup");
    let attested = "--attest-off serverdb --how storage-disconnected";
    let taken = site.takeover("backup", attested);
    assert_eq!(taken["proof"][0], "attested serverdb", "{taken}");
    say("backup has taken over, by attestation");
    site.serverdb.thaw();
    say("serverdb goes on, and believes that it serves");
    // It learns from its partner what happened: the address and the database go.
    wait_until("serverdb lets go", || {
        let has = site.has("serverdb");
        !has.contains("address") && !has.contains("database")
    });
    assert_eq!(site.active("backup").as_deref(), Some("backup"));
    say("serverdb has let go");
    load.nothing_lost();
}
