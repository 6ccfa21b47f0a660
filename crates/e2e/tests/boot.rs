//! What nodes do, and do not do, when they come back to power.

use siaga_e2e::{Beside, Lab, wait_until};

fn nothing_lost(load: Beside) {
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
}

/// The site changes its mind before the night, on both nodes; the agents read it at their next start.
fn policy(lab: &Lab, line: &str) {
    for node in ["serverdb", "backup"] {
        let add = format!("/^\\[policy\\]/a {line}");
        lab.exec(node, &["sed", "-i", &add, "/etc/siaga/siaga.toml"])
            .expect(0);
    }
}

/// Both go off, and come back one after the other, as servers do.
fn building_loses_power(lab: &Lab) {
    for node in ["serverdb", "backup"] {
        lab.lab(&["cut-power", node]).expect(0);
    }
    for node in ["serverdb", "backup"] {
        lab.lab(&["power-on", node]).expect(0);
        lab.wait_for_agent(node);
    }
}

/// The runs that an agent began by itself, as `node` knows them.
fn by_itself(lab: &Lab, node: &str) -> usize {
    let events = lab
        .siaga(node, &["events", "--json", "--kind", "run_accepted"])
        .expect(0);
    let by_agents = |line: &&str| line.contains("\"agent@");
    events.out.lines().filter(by_agents).count()
}

#[test]
fn after_a_building_power_loss_the_policy_lets_the_preferred_node_start() {
    let lab = Lab::up(&[]);
    policy(&lab, "start_after_building_power_loss = true");
    let load = lab.load(12);
    building_loses_power(&lab);
    // Nobody orders anything.
    wait_until("the service is back", || {
        lab.holder().as_deref() == Some("serverdb")
    });
    lab.wait_for_agents();
    wait_until("it runs", || lab.state("serverdb") == "running");
    assert_eq!(by_itself(&lab, "serverdb"), 1);
    nothing_lost(load);
}

#[test]
fn a_pause_holds_up_the_start_after_a_building_power_loss_and_the_screens_say_so() {
    let lab = Lab::up(&[]);
    policy(&lab, "start_after_building_power_loss = true");
    lab.siaga(
        "serverdb",
        &["pause", "--for", "1h", "--reason", "work on the cabinet"],
    )
    .expect(0);
    wait_until("both nodes know of the pause", || {
        let kinds = ["events", "--json", "--kind", "paused"];
        lab.siaga("backup", &kinds)
            .expect(0)
            .out
            .contains("work on the cabinet")
    });
    building_loses_power(&lab);
    for node in ["serverdb", "backup"] {
        wait_until("the screen says what it waits for", || {
            let status = lab.siaga(node, &["status", "--json"]).expect(0).json();
            status["duties"][0]["duty"] == "start_waits"
        });
    }
    let text = lab
        .siaga("backup", &["status", "--lang", "en"])
        .expect(0)
        .out;
    assert!(text.contains("siaga resume-alerts"), "{text}");
    assert_eq!(lab.holder(), None);
    assert_eq!(by_itself(&lab, "serverdb"), 0);
    lab.siaga("backup", &["resume-alerts"]).expect(0);
    wait_until("the service is back", || {
        lab.holder().as_deref() == Some("serverdb")
    });
}

#[test]
fn the_policy_waits_for_the_other_node_and_starts_nothing_that_was_stopped() {
    let lab = Lab::up(&[]);
    policy(&lab, "start_after_building_power_loss = true");
    lab.siaga("serverdb", &["stop", "--yes", "--json"])
        .expect(0);
    building_loses_power(&lab);
    // By then its watch has looked.
    lab.siaga("backup", &["start", "--to", "backup", "--yes", "--json"])
        .expect(0);
    assert_eq!(lab.holder().as_deref(), Some("backup"));
    assert_eq!(by_itself(&lab, "backup"), 0);
    // The service runs on backup; serverdb boots alone while backup holds it, and takes nothing.
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    lab.lab(&["power-on", "serverdb"]).expect(0);
    lab.wait_for_agent("serverdb");
    wait_until("serverdb sees where it is", || {
        lab.active("serverdb").as_deref() == Some("backup")
    });
    assert_eq!(lab.holder().as_deref(), Some("backup"));
}

#[test]
fn both_nodes_lose_power_and_one_command_starts_the_service() {
    let lab = Lab::up(&[]);
    let load = lab.load(12);
    building_loses_power(&lab);
    assert_eq!(lab.holder(), None);
    lab.siaga("backup", &["start", "--yes", "--json"]).expect(0);
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    // The policy is off unless the site says otherwise: only the person began something.
    assert_eq!(by_itself(&lab, "backup"), 0);
    nothing_lost(load);
}

#[test]
fn a_node_that_boots_with_its_database_unit_enabled_stays_with_nothing() {
    let lab = Lab::up(&[]);
    let load = lab.load(15);
    // What an enabled unit with Restart= does at boot: it tries, and tries again.
    let unit = "#!/bin/sh
touch /run/unit-began
for attempt in $(seq 100); do
  setpriv --reuid postgres --regid postgres --clear-groups \
    PGBIN/pg_ctl -w -t 5 -D /srv/simrs/pg start && touch /run/unit-started
  touch /run/unit-tried
  sleep 0.1
done
";
    let bin = lab.exec(
        "serverdb",
        &["sh", "-c", "ls -d /usr/lib/postgresql/*/bin | tail -1"],
    );
    let unit = unit.replace("PGBIN", bin.out.trim());
    let write = format!("cat > /etc/siaga/boot <<'EOF'\n{unit}EOF\nchmod 755 /etc/siaga/boot");
    lab.exec("serverdb", &["sh", "-c", &write]).expect(0);
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    lab.siaga("backup", &["takeover", "--yes", "--json"])
        .expect(0);
    lab.lab(&["power-on", "serverdb"]).expect(0);
    lab.wait_for_agent("serverdb");
    wait_until("the unit has tried", || {
        lab.exec("serverdb", &["test", "-e", "/run/unit-tried"])
            .code
            == 0
    });
    assert_eq!(lab.holder().as_deref(), Some("backup"));
    assert_ne!(
        lab.exec("serverdb", &["test", "-e", "/run/unit-started"])
            .code,
        0
    );
    assert_eq!(lab.active("serverdb").as_deref(), Some("backup"));
    nothing_lost(load);
}

#[test]
fn a_node_that_reboots_with_an_old_proof_takes_nothing() {
    let lab = Lab::up(&[]);
    let load = lab.load(12);
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    lab.siaga("backup", &["takeover", "--yes", "--json"])
        .expect(0);
    // The winner, with its used proof in its journal, loses its power too.
    lab.lab(&["cut-power", "backup"]).expect(0);
    lab.lab(&["power-on", "backup"]).expect(0);
    lab.wait_for_agent("backup");
    assert_eq!(lab.holder(), None);
    lab.siaga("backup", &["start", "--yes", "--json"]).expect(0);
    assert_eq!(lab.holder().as_deref(), Some("backup"));
    nothing_lost(load);
}
