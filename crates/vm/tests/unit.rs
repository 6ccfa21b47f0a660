//! The database as a systemd unit: adopted, moved, and left alone by its agent.

use siaga_vm::{Kind, Site, say};

const UNIT: &str = "postgresql@15-main.service";

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_cluster_that_systemd_runs_is_adopted_and_moved_by_its_unit() {
    let (site, before) = Site::by_hand(Kind::Block);
    assert!(before.ends_with(UNIT), "{before}");
    site.adopt();
    assert_eq!(site.postmaster("serverdb"), before, "it was restarted");
    // Its address, and the database as it was.
    site.serverdb
        .siaga("start --yes --json --as budi --reason 'the virtual address'")
        .expect(0);
    site.whole_service_on("serverdb");
    assert_eq!(site.postmaster("serverdb"), before, "it was restarted");
    say("adopted: the same postmaster, and its address");
    for name in siaga_vm::SERVERS {
        let check = site.server(name).siaga("check --json --all").out;
        let check: serde_json::Value = serde_json::from_str(&check).expect("JSON");
        let findings = check["services"][0]["findings"].as_array();
        let findings = findings.or(check["findings"].as_array()).expect("a list");
        let unit: Vec<_> = findings
            .iter()
            .filter(|f| f["id"] == "database_unit")
            .collect();
        assert!(
            unit.len() == 2 && unit.iter().all(|f| f["status"] == "pass"),
            "{unit:?} in {check}"
        );
    }

    let load = site.load();
    let drill = site
        .serverdb
        .siaga("drill --yes --json --as budi --reason 'first rehearsal'")
        .expect(0)
        .json();
    assert_eq!(drill["outcome"], "done", "{drill}");
    site.whole_service_on("serverdb");
    let after = site.postmaster("serverdb");
    assert_ne!(after, before);
    assert!(after.ends_with(UNIT), "started by its unit: {after}");
    say("the drill has passed");

    site.serverdb.run("systemctl restart siaga").expect(0);
    site.wait_for_agents();
    site.whole_service_on("serverdb");
    assert_eq!(site.postmaster("serverdb"), after, "with its agent");
    say("the agent was restarted, and the database does not know");
    load.nothing_lost();

    without_the_bus(&site, &after);
    an_application_moves_along(&site);

    // A person's start where the disk set is not: it comes to nothing.
    site.backup.run(&format!("systemctl start {UNIT}; true"));
    assert_eq!(site.has("backup"), "");
    site.serverdb.shut_down();
    site.serverdb.power_on();
    site.serverdb.wait_up();
    site.wait_for_agents();
    site.serverdb
        .run("systemctl is-system-running --wait >/dev/null; true")
        .expect(0);
    assert_eq!(site.has("serverdb"), "", "nothing starts by itself");
    say("serverdb has booted, and nothing has started by itself");
}

const BUS: &str = "/run/dbus/system_bus_socket";

/// `serverdb` loses its bus, and an order to restart sticks.
#[track_caller]
fn sticks_without_the_bus(site: &Site) {
    site.serverdb.run(&format!("mv {BUS} {BUS}.away")).expect(0);
    let stuck = site
        .serverdb
        .siaga("restart --yes --json --as budi --reason 'no bus'");
    assert!(
        stuck.code != Some(0) && stuck.out.contains("systemd_silent"),
        "{stuck:?}"
    );
}

#[track_caller]
fn goes_on_with_the_bus(site: &Site) {
    site.serverdb.run(&format!("mv {BUS}.away {BUS}")).expect(0);
    site.serverdb
        .siaga("resume --yes --json --as budi")
        .expect(0);
    site.whole_service_on("serverdb");
}

/// Without the bus the database can be stopped, and a start says why not.
fn without_the_bus(site: &Site, before: &str) {
    sticks_without_the_bus(site);
    assert_eq!(site.has("serverdb"), "mounted\naddress\n");
    goes_on_with_the_bus(site);
    let again = site.postmaster("serverdb");
    assert!(again != before && again.ends_with(UNIT), "{again}");
    say("stopped without the bus, and started by its unit with it");
}

/// An application that is a unit of its own: it runs where the database does, and nowhere else.
fn an_application_moves_along(site: &Site) {
    for name in siaga_vm::SERVERS {
        let server = site.server(name);
        server.write(
            "/etc/systemd/system/pool.service",
            "0644",
            "[Service]\nExecStart=/bin/sleep infinity\n",
        );
        server
            .run(
                "set -e
                systemctl daemon-reload
                printf '\n[[service.application]]\nname = \"pool\"\nunit = \"pool.service\"\n' >>/etc/siaga/siaga.toml
                siaga config check
                systemctl restart siaga",
            )
            .expect(0);
    }
    site.wait_for_agents();
    let load = site.load();
    let runs_on = |name: &str| {
        let script = "systemctl is-active -q pool.service";
        site.server(name).run(script).code == Some(0)
    };
    site.backup
        .siaga("switchover --yes --json --as budi --reason 'with its application'")
        .expect(0);
    site.whole_service_on("backup");
    assert!(runs_on("backup") && !runs_on("serverdb"));
    site.serverdb
        .siaga("failback --yes --json --as budi --reason 'with its application'")
        .expect(0);
    site.whole_service_on("serverdb");
    assert!(runs_on("serverdb") && !runs_on("backup"));
    load.nothing_lost();
    say("an application that is a unit has moved along, and back");
    // Its unit can't be stopped without the bus, and the database under it is not stopped then.
    sticks_without_the_bus(site);
    assert_eq!(site.has("serverdb"), "mounted\ndatabase\naddress\n");
    assert!(runs_on("serverdb"));
    goes_on_with_the_bus(site);
    say("without the bus nothing was stopped under an application that is a unit");
}
