//! A new version on one server after the other under load, the way back, and the removal.

use siaga_vm::{SERVERS, Site, say};
use std::path::PathBuf;

#[test]
#[ignore = "virtual machines: make vm-test"]
fn upgrade_one_after_the_other_and_remove() {
    let site = Site::running();
    let (older, newer) = versions(&site);
    for name in SERVERS {
        site.server(name).send(&older, "/root/older.deb");
    }
    // Another program, where `SIAGA_OLD_DEB` names it; else this very package, and nothing happens.
    for name in SERVERS {
        on_a_living_database(&site, "serverdb", || {
            site.server(name).run("dpkg -i /root/older.deb").expect(0);
        });
    }
    say("both have the older package");
    let load = site.load();

    // The one that carries the service, under load.
    on_a_living_database(&site, "serverdb", || {
        site.serverdb.send(&newer, "/root/newer.deb");
        site.serverdb.run("dpkg -i /root/newer.deb").expect(0);
    });
    say("serverdb has the newer package, backup the older one");
    let moved = site
        .backup
        .siaga("switchover --yes --json --as budi --reason 'mixed versions'")
        .expect(0);
    assert_eq!(moved.json()["outcome"], "done");
    site.whole_service_on("backup");
    on_a_living_database(&site, "backup", || {
        site.backup.send(&newer, "/root/newer.deb");
        site.backup.run("dpkg -i /root/newer.deb").expect(0);
    });
    say("both have the newer package");
    on_a_living_database(&site, "backup", || {
        site.backup.run("dpkg -i /root/older.deb").expect(0);
    });
    say("backup has the older package again");
    on_a_living_database(&site, "backup", || {
        site.backup.run("dpkg -i /root/newer.deb").expect(0);
    });

    // An agent that is killed, and the package's removal.
    on_a_living_database(&site, "backup", || {
        site.backup
            .run("systemctl kill --kill-whom=main -s KILL siaga")
            .expect(0);
    });
    let before = postmaster(&site, "backup");
    site.backup.run("dpkg -r siaga").expect(0);
    assert_eq!(postmaster(&site, "backup"), before);
    assert_eq!(site.has("backup"), "mounted\ndatabase\naddress\n");
    say("the package is removed from backup, and its database runs");
    load.nothing_lost();
    // Put back, the agent adopts what it finds.
    on_a_living_database(&site, "backup", || {
        site.backup.run("dpkg -i /root/newer.deb").expect(0);
        site.backup.run("systemctl enable --now -q siaga").expect(0);
    });
    assert_eq!(site.active("backup").as_deref(), Some("backup"));
}

/// The older and the newer package.
fn versions(site: &Site) -> (PathBuf, PathBuf) {
    match std::env::var_os("SIAGA_OLD_DEB") {
        Some(older) => (older.into(), site.package()),
        None => (site.package(), site.newer_package()),
    }
}

/// The pid of the database's first process.
fn postmaster(site: &Site, name: &str) -> String {
    let file = "head -n 1 /srv/simrs/postgresql/15/main/postmaster.pid";
    site.server(name).run(file).expect(0).out
}

/// What is done to the agent of `name` is not felt by its database; and the agents hear each other again.
fn on_a_living_database(site: &Site, name: &str, act: impl FnOnce()) {
    let before = postmaster(site, name);
    act();
    for server in SERVERS {
        site.wait_for_agent(server);
    }
    site.whole_service_on(name);
    assert_eq!(postmaster(site, name), before);
}
