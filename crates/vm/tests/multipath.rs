//! A LUN by two paths, with persistent reservations: each path has a registration of its own.

use siaga_vm::{Kind, Network, Site, say, wait_until};

/// How many registrations there are, and whether there is more than one key among them; read by that server.
fn registrations(site: &Site, server: &str) -> (usize, usize) {
    let script = "sg_persist -n -i -k /dev/mapper/simrs | grep -o '0x[0-9a-f]*$'; true";
    let told = site.server(server).run(script).expect(0).out;
    let mut keys: Vec<&str> = told.lines().collect();
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    (all, keys.len())
}

#[track_caller]
fn both_paths_registered(site: &Site, server: &str) {
    wait_until("both paths are registered, by one key", || {
        registrations(site, server) == (2, 1)
    });
}

/// What `siaga check` on this server says of the disk set's driver.
fn check(site: &Site, server: &str) -> String {
    site.server(server).siaga("check").out
}

/// The kernel's name of the path by that network.
fn path(site: &Site, server: &str, portal: &str) -> String {
    let script = format!("basename $(readlink /dev/disk/by-path/ip-{portal}:3260-*-lun-0)");
    let told = site.server(server).run(&script).expect(0).out;
    told.trim().to_owned()
}

/// Rows of the load, as the database on that server counts them.
fn rows(site: &Site, server: &str) -> u64 {
    let script = "su postgres -c 'cd / && psql -qXAtc \"select count(*) from siaga_load\"'";
    let told = site.server(server).run(script).expect(0).out;
    told.trim().parse().expect("a number")
}

#[track_caller]
fn clients_go_on(site: &Site, server: &str) {
    let before = rows(site, server);
    wait_until("clients go on", || rows(site, server) > before + 20);
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_takeover_with_one_path_dead_and_the_path_that_comes_back() {
    let site = Site::running_on(Kind::Multipath);
    let load = site.load();
    site.drill();
    both_paths_registered(&site, "serverdb");

    // The holder loses one path: nothing happens, and the check names it.
    site.serverdb.cable(Network::Storage, false);
    let gone = path(&site, "serverdb", "198.51.100.13");
    wait_until("the check names the path", || {
        let told = check(&site, "serverdb");
        told.contains("these paths do not work") && told.contains(&gone)
    });
    clients_go_on(&site, "serverdb");
    site.whole_service_on("serverdb");
    site.serverdb.cable(Network::Storage, true);
    wait_until("the path is back", || {
        !check(&site, "serverdb").contains("these paths do not work")
    });
    both_paths_registered(&site, "serverdb");
    say("the holder lost a path, and has it again");

    // The other server has one path only, on the night on which it is needed.
    site.backup.cable(Network::Storage, false);
    wait_until("the check names the path", || {
        check(&site, "backup").contains("these paths do not work")
    });
    site.serverdb.power_off();
    say("serverdb has lost its power, and backup a path");
    site.fenced_takeover();
    assert_eq!(registrations(&site, "backup"), (1, 1));
    site.backup.cable(Network::Storage, true);
    both_paths_registered(&site, "backup");
    // What goes by it is written: the other one is taken away.
    let other = path(&site, "backup", "203.0.113.13");
    site.backup
        .run(&format!("multipathd del path {other}"))
        .expect(0);
    clients_go_on(&site, "backup");
    site.backup
        .run(&format!("multipathd add path {other}"))
        .expect(0);
    both_paths_registered(&site, "backup");
    say("the path that came back was registered, and carries the database");
    site.back_on();
    site.home_again();
    both_paths_registered(&site, "serverdb");
    load.nothing_lost();
    site.stop("the test is over");
    assert_eq!(registrations(&site, "serverdb"), (0, 0));
}

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_server_that_sleeps_is_registered_by_nobody_when_it_wakes() {
    let mut site = Site::running_on(Kind::Multipath);
    let load = site.load();
    // Its management processor is dead: the reservation alone speaks. A path of it comes back only after it woke up.
    site.serverdb_bmc.power_off();
    site.serverdb.freeze();
    site.fenced_takeover();
    both_paths_registered(&site, "backup");
    site.serverdb.cable(Network::Lan, false);
    site.serverdb.cable(Network::Storage, false);
    site.serverdb.thaw();
    site.serverdb.cable(Network::Storage, true);
    wait_until("serverdb has let go", || site.has("serverdb").is_empty());
    site.let_go_in_time("serverdb");
    let told = site.serverdb.siaga("events --json --limit 60").out;
    assert!(
        told.contains("RESERVATION_LOST") || told.contains("reservation_lost"),
        "{told}"
    );
    // Its multipathd sees both paths work again, and leaves them as they are.
    wait_until("serverdb has both paths", || {
        let told = site.serverdb.run("multipathd show paths format '%d %t'");
        told.out.matches(" active").count() == 2
    });
    assert_eq!(registrations(&site, "backup"), (2, 1));
    say("serverdb has let go by itself, and is not registered");
    site.serverdb.cable(Network::Lan, true);
    site.serverdb_bmc.power_on();
    site.whole_service_on("backup");
    site.wait_for_agents();
    site.home_again();
    load.nothing_lost();
    site.stop("the test is over");
}
