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

    an_application_moves_along(&site);
    let after = site.postmaster("serverdb");

    site.serverdb.run("systemctl restart siaga").expect(0);
    site.wait_for_agents();
    site.whole_service_on("serverdb");
    assert_eq!(site.postmaster("serverdb"), after, "with its agent");
    say("the agent was restarted, and the database does not know");
    load.nothing_lost();

    // Without the bus it can be stopped, and a start says why not.
    let bus = "/run/dbus/system_bus_socket";
    site.serverdb.run(&format!("mv {bus} {bus}.away")).expect(0);
    let stuck = site
        .serverdb
        .siaga("restart --yes --json --as budi --reason 'no bus'");
    assert!(
        stuck.code != Some(0) && stuck.out.contains("systemd_silent"),
        "{stuck:?}"
    );
    assert_eq!(site.has("serverdb"), "mounted\naddress\n");
    site.serverdb.run(&format!("mv {bus}.away {bus}")).expect(0);
    site.serverdb
        .siaga("resume --yes --json --as budi")
        .expect(0);
    let again = site.postmaster("serverdb");
    assert!(again != after && again.ends_with(UNIT), "{again}");
    say("stopped without the bus, and started by its unit with it");

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
    say("an application that is a unit has moved along, and back");
}
