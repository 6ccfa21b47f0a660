//! No SAN: the servers replicate their own disks.

use siaga_vm::{Kind, Network, Site, say, wait_until};

/// The states of connection and data, as this server's kernel tells them.
fn drbd(site: &Site, name: &str) -> String {
    let script = "drbdadm cstate simrs; drbdadm dstate simrs; drbdadm role simrs";
    site.server(name).run(script).out
}

/// Rows of the load, as the database on `serverdb` counts them.
fn rows(site: &Site) -> u64 {
    let script = "su postgres -c 'cd / && psql -qXAtc \"select count(*) from siaga_load\"'";
    let told = site.server("serverdb").run(script).expect(0).out;
    told.trim().parse().expect("a number")
}

/// The newest row of the client probe, as the database on `serverdb` has it.
fn newest_of_the_probe(site: &Site) -> u64 {
    let script = "su postgres -c 'cd / && psql -qXAtc \"select max(id) from siaga_probe\"'";
    let told = site.server("serverdb").run(script).expect(0).out;
    told.trim().parse().expect("a number")
}

#[track_caller]
fn whole_pair(site: &Site) {
    wait_until("both copies are whole and connected", || {
        siaga_vm::SERVERS.iter().all(|name| {
            let told = drbd(site, name);
            assert!(!told.contains("StandAlone"), "split brain: {told}");
            told.starts_with("Connected\nUpToDate/UpToDate\n")
        })
    });
}

/// What `siaga witness` on `backup` says of `serverdb`, by the connection of the pair.
#[track_caller]
fn told_by_the_replica(site: &Site) -> String {
    let told = site.backup.siaga("witness --json").expect(0).json();
    let rows = told[0]["witnesses"].as_array().cloned().expect("witnesses");
    let row = rows.into_iter().find(|w| w["witness"] == "replica");
    let row = row.unwrap_or_else(|| panic!("no replica among the witnesses: {told}"));
    assert_eq!(
        (&row["of"], &row["name"]),
        (&"serverdb".into(), &"simrs".into())
    );
    row["says"].as_str().expect("a word").to_owned()
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_drill_and_a_power_cut_without_a_san() {
    let site = Site::running_on(Kind::Drbd);
    let load = site.load();
    site.drill();
    whole_pair(&site);
    site.serverdb.power_off();
    say("serverdb has lost its power");
    site.fenced_takeover();
    // Back: it copies what it missed, and is good for a failback only then.
    site.back_on();
    whole_pair(&site);
    say("serverdb has copied what it missed");
    site.home_again();
    whole_pair(&site);
    load.nothing_lost();
    site.stop("the test is over");
}

/// Waits until that order is refused at `backup`, before anything is done, for its data is old.
#[track_caller]
fn refused(site: &Site, verb: &str) {
    wait_until("backup is refused", || {
        let order = format!("{verb} --yes --json --as budi --reason 'a test'");
        let refused = site.backup.siaga(&order);
        assert_eq!(refused.code, Some(3), "{refused:?}");
        refused.json()["code"] == "TARGET_NOT_READY"
    });
}

/// DRBD takes a dead peer for primary until its own pings fail. The fence comes sooner.
#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_server_is_switched_off_while_drbd_still_takes_it_for_primary() {
    let site = Site::running_on(Kind::Drbd);
    let load = site.load();
    whole_pair(&site);
    for name in siaga_vm::SERVERS {
        // Longer than a fence takes in an emulated machine.
        site.server(name)
            .run("drbdadm net-options --ping-int=60 simrs")
            .expect(0);
    }
    site.serverdb.freeze();
    say("serverdb sleeps");
    site.fenced_takeover();
    site.back_on();
    whole_pair(&site);
    site.home_again();
    load.nothing_lost();
    site.stop("the test is over");
}

/// Whoever pulls a cord may be quicker at the keyboard than DRBD's pings; and may have pulled another server's.
#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_cord_is_said_to_be_out() {
    let mut site = Site::running_on(Kind::Drbd);
    let load = site.load();
    whole_pair(&site);
    // serverdb can't be heard any more: no agent, no network card, no management processor. Its database works, and the
    // pair is connected.
    site.serverdb.run("systemctl stop siaga").expect(0);
    for network in [Network::Lan, Network::Management] {
        site.serverdb.cable(network, false);
    }
    site.serverdb_bmc.power_off();
    site.needs_attestation("backup");
    let attest =
        "takeover --yes --json --as budi --reason 'a test' --attest-off serverdb --how unplugged";
    let refused = site.backup.siaga(attest);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(
        refused.out.contains("attestation_contradicted"),
        "{refused:?}"
    );
    assert_eq!(told_by_the_replica(&site), "holds");
    assert_eq!(site.has("backup"), "");
    say("an untrue word was contradicted by the connection of the pair");

    site.serverdb.power_off();
    // The run rests, and the same person has looked again.
    let again = "resume --yes --json --as budi --attest-off serverdb --how unplugged";
    let taken = site.backup.siaga(again).expect(0).json();
    assert_eq!(taken["outcome"], "done", "{taken}");
    assert_eq!(taken["proof"][0], "attested serverdb", "{taken}");
    assert_eq!(site.mounted(&["backup"]), ["backup"]);
    say("backup has taken over, by a true word");
    // Whoever repairs it plugs in its cables as well.
    site.serverdb_bmc.power_on();
    wait_until("the management processor answers", || {
        site.backup.siaga("power status serverdb").code == Some(0)
    });
    site.back_on();
    whole_pair(&site);
    site.home_again();
    load.nothing_lost();
    site.stop("the test is over");
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn the_network_of_the_pair_is_cut() {
    let site = Site::running_on(Kind::Drbd);
    whole_pair(&site);
    assert_eq!(told_by_the_replica(&site), "holds");
    // Stopped, and then cut apart: no copy is known to be the newer one, and both servers answer. Nothing is begun.
    site.stop("the cable dies now");
    assert_eq!(told_by_the_replica(&site), "free");
    site.backup.cable(Network::Storage, false);
    wait_until("the pair is not connected", || {
        siaga_vm::SERVERS
            .iter()
            .all(|name| !drbd(&site, name).starts_with("Connected"))
    });
    assert_eq!(told_by_the_replica(&site), "silent");
    for server in [&site.serverdb, &site.backup] {
        let order = "start --yes --json --as budi --reason 'a test'";
        let refused = server.siaga(order);
        assert_eq!(refused.code, Some(3), "{refused:?}");
        assert!(refused.out.contains("may be the newer one"), "{refused:?}");
    }
    site.backup.cable(Network::Storage, true);
    whole_pair(&site);
    site.start("the cable is mended");
    say("a stopped service on an unconnected pair was refused, and starts with the cable");

    let load = site.load();
    site.backup.cable(Network::Storage, false);
    say("the pair is cut apart");
    // The holder goes on; the other copy is old from now on, and knows it.
    wait_until("backup's copy is marked as old", || {
        drbd(&site, "backup").contains("\nOutdated/")
    });
    site.whole_service_on("serverdb");
    let before = rows(&site);
    wait_until("clients go on", || rows(&site) > before + 20);
    refused(&site, "switchover");
    site.whole_service_on("serverdb");
    say("serverdb goes on, and backup is refused");
    // Also where the holder is gone then: its last rows are nowhere else.
    site.serverdb.power_off();
    refused(&site, "takeover");
    say("and is refused with serverdb without power, too");
    site.serverdb.power_on();
    site.serverdb.wait_up();
    site.backup.cable(Network::Storage, true);
    site.wait_for_agents();
    whole_pair(&site);
    say("connected again, without a split brain");
    site.start("it was the newest copy");
    load.nothing_lost();
    site.stop("the test is over");
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn the_newer_copy_is_gone_for_good() {
    let site = Site::running_on(Kind::Drbd);
    whole_pair(&site);
    site.backup.cable(Network::Storage, false);
    wait_until("backup's copy is marked as old", || {
        drbd(&site, "backup").contains("\nOutdated/")
    });
    // These rows are in the newer copy alone: what the decision will cost.
    let before = newest_of_the_probe(&site);
    wait_until("the client goes on", || {
        newest_of_the_probe(&site) > before + 2
    });
    site.serverdb.power_off();
    say("serverdb is gone, with the newer copy");
    refused(&site, "takeover");
    // Who decides says so by name, and why.
    let nameless = "takeover --accept-old-data --yes --json";
    assert_ne!(site.backup.siaga(nameless).code, Some(0));
    assert_eq!(site.has("backup"), "");
    let order = "takeover --yes --json --as budi --reason 'a test' --accept-old-data";
    let ended = site.backup.siaga(order);
    // 7 where the probe missed its rows before the run ended.
    assert!(matches!(ended.code, Some(0 | 7)), "{ended:?}");
    let taken = ended.json();
    assert_eq!(taken["outcome"], "done", "{taken}");
    let acts = taken["steps"].as_array().expect("steps");
    let decided = acts.iter().any(|s| s["action"] == "accept_old_data");
    assert!(decided, "{taken}");
    assert_eq!(site.has("backup"), "mounted\ndatabase\naddress\n");
    say("backup serves with the old copy, by a person's decision");
    wait_until("it is said that acknowledged rows are gone", || {
        let told = site.backup.siaga("check --json").json();
        let findings = told["findings"].as_array().cloned().unwrap_or_default();
        let gone = |f: &serde_json::Value| f["id"] == "rows" && f["status"] == "fail";
        told["ready"] == "no" && findings.iter().any(gone)
    });
    say("and says what that cost");
    // It comes back with another history: DRBD does not mix them, and nothing starts by itself.
    site.backup.cable(Network::Storage, true);
    site.back_on();
    site.serverdb
        .run("drbdadm disconnect simrs; drbdadm connect --discard-my-data simrs")
        .expect(0);
    site.backup.run("drbdadm connect simrs; true").expect(0);
    whole_pair(&site);
    say("serverdb has thrown its copy away, and has the other one");
    site.stop("the test is over");
}
