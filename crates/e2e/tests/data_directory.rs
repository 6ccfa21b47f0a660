//! A data directory that is not what it should be: the start says so in words, destroys nothing, and goes through once
//! it is mended.

use siaga_e2e::Lab;

const DATA: &str = "/srv/simrs/pg";

/// Changes something on the disk set by hand while nobody holds it.
fn by_hand(lab: &Lab, script: &str) {
    let device = lab.status()["nodes"][0]["device"]
        .as_str()
        .expect("a device")
        .to_owned();
    let whole = format!("mount {device} /srv/simrs && {{ {script}; }}; umount /srv/simrs");
    lab.exec("serverdb", &["sh", "-c", &whole]).expect(0);
}

/// Spoils, starts, mends, and goes on with what is recommended.
fn spoiled(lab: &Lab, spoil: &str, mend: &str, named: &str) {
    lab.siaga("serverdb", &["stop", "--yes", "--json"])
        .expect(0);
    by_hand(lab, spoil);
    let ended = lab
        .siaga("serverdb", &["start", "--yes", "--json"])
        .expect(5)
        .json();
    let said = ended["message"].as_str().unwrap_or_default();
    assert!(said.contains(named), "{ended}");
    assert_eq!(ended["outcome"], "stuck", "{ended}");
    // It rests on one node at the most, and no server was started on the wrong data.
    lab.holder();
    let left = "cat /proc/[0-9]*/comm | grep -c '^postgres$' || true";
    let left = lab.exec("serverdb", &["sh", "-c", left]);
    assert_eq!(left.out.trim(), "0", "{left:?}");
    lab.exec("serverdb", &["sh", "-c", mend]).expect(0);
    lab.siaga("serverdb", &["resume", "--yes", "--json"])
        .expect(0);
    assert_eq!(lab.active("serverdb").as_deref(), Some("serverdb"));
}

const CONTROL: &str = "/srv/simrs/pg/global/pg_control";

#[test]
fn a_data_directory_that_is_missing_foreign_or_newer_is_named_and_left_alone() {
    let lab = Lab::up(&[]);
    spoiled(
        &lab,
        &format!("mv {DATA} {DATA}.away"),
        &format!("mv {DATA}.away {DATA}"),
        "No such file",
    );
    spoiled(
        &lab,
        &format!("chown daemon {DATA}"),
        &format!("chown postgres {DATA}"),
        "belongs to user id",
    );
    spoiled(
        &lab,
        &format!("cp -p {DATA}/PG_VERSION {DATA}/kept && echo 99 > {DATA}/PG_VERSION"),
        &format!("mv {DATA}/kept {DATA}/PG_VERSION"),
        "99",
    );
    // Data of an earlier day: it would start, and lose what came after.
    lab.siaga("serverdb", &["stop", "--yes", "--json"])
        .expect(0);
    by_hand(&lab, &format!("cp -p {CONTROL} {CONTROL}.old"));
    lab.siaga("serverdb", &["start", "--yes", "--json"])
        .expect(0);
    spoiled(
        &lab,
        &format!("mv {CONTROL} {CONTROL}.new && mv {CONTROL}.old {CONTROL}"),
        &format!("mv {CONTROL}.new {CONTROL}"),
        "older than what was last seen",
    );
    let accept = ["events", "accept-data", "--service", "simrs"];
    let words = ["--reason", "restored", "--as", "budi", "--yes", "--json"];
    let said = lab.siaga("serverdb", &[&accept[..], &words[..]].concat());
    assert_eq!(said.expect(0).json()["answer"], "accepted");
}
