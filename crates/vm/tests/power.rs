//! Power: the switch, its loss, and its loss together with the management processor.

use siaga_vm::{Site, say, wait_until};

/// The management processor is dead, and a second one, by another protocol, answers: no person is needed, neither for the fence
/// nor for the way back.
#[test]
#[ignore = "virtual machines: make vm-test"]
fn the_second_power_fence_where_the_first_is_dead() {
    let mut site = Site::running();
    site.with_a_second_fence();
    let load = site.load();
    site.serverdb_bmc.power_off();
    site.serverdb.freeze();
    say("serverdb sleeps, and its management processor is dead");
    let taken = site.takeover("backup", "");
    let proof = taken["proof"][0].as_str().unwrap_or_default();
    assert!(proof.starts_with("fenced serverdb by redfish"), "{taken}");
    assert!(!site.serverdb.is_on());
    assert_eq!(site.has("backup"), "mounted\ndatabase\naddress\n");
    say("backup has taken over, by Redfish");
    // The first fence does not answer still.
    site.backup
        .siaga("power on serverdb --yes --as budi --reason repaired")
        .expect(0);
    site.serverdb.wait_up();
    site.wait_for_agents();
    site.whole_service_on("backup");
    site.serverdb_bmc.power_on();
    site.home_again();
    load.nothing_lost();
}

/// A dead battery gives a server the date of its board, a mistake the far future: certificates are not yet, or no more, valid.
#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_wrong_clock_and_an_expired_certificate_block_no_takeover() {
    let site = Site::running();
    let load = site.load();
    for (taker, other, year) in [("backup", "serverdb", 2010), ("serverdb", "backup", 2049)] {
        let server = site.server(taker);
        let set = format!("systemctl stop siaga; date -s {year}-01-01; systemctl start siaga");
        server.run(&set).expect(0);
        wait_until("its agent answers", || site.status(taker).is_some());
        site.server(other).power_off();
        say(&format!(
            "{other} has lost its power, and it is {year} on {taker}"
        ));
        let taken = site.takeover(taker, "");
        let proof = taken["proof"][0].as_str().unwrap_or_default();
        assert!(proof.starts_with(&format!("fenced {other}")), "{taken}");
        assert_eq!(site.has(taker), "mounted\ndatabase\naddress\n");
        say("the takeover is done");
        server
            .siaga(&format!(
                "power on {other} --yes --as budi --reason repaired"
            ))
            .expect(0);
        site.server(other).wait_up();
        // Both hear each other in spite of it.
        site.wait_for_agents();
        site.whole_service_on(taker);
    }
    load.nothing_lost();
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn the_power_switch_and_a_cut_with_a_dead_management_processor() {
    let mut site = Site::running();
    let power = |words: &str| site.serverdb.siaga(&format!("power {words} --as budi"));
    let told = power("status backup").expect(0);
    assert!(told.out.contains("on"), "{told:?}");
    power("off backup --yes --reason 'a disk is changed'").expect(0);
    assert!(!site.backup.is_on());
    say("backup was switched off");
    // The one that carries the service is not switched off.
    let refused = power("off serverdb --yes --reason wrong").expect(3);
    assert!(site.serverdb.is_on(), "{refused:?}");
    power("on backup --yes --reason 'the disk was changed'").expect(0);
    site.backup.wait_up();
    site.wait_for_agents();
    site.whole_service_on("serverdb");
    say("backup is back");

    let load = site.load();
    site.serverdb.power_off();
    site.serverdb_bmc.power_off();
    say("serverdb has lost its power, and its management processor too");
    site.needs_attestation("backup");
    let taken = site.takeover("backup", "--attest-off serverdb --how unplugged");
    assert_eq!(taken["proof"][0], "attested serverdb", "{taken}");
    assert_eq!(site.mounted(&["backup"]), ["backup"]);
    say("backup has taken over, by attestation");
    site.serverdb_bmc.power_on();
    wait_until("the management processor answers", || {
        site.backup.siaga("power on serverdb --yes --as budi").code == Some(0)
    });
    site.serverdb.wait_up();
    site.wait_for_agents();
    site.whole_service_on("backup");
    site.home_again();
    load.nothing_lost();
}
