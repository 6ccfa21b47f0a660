use super::told::{handler, is_ahead, parse, setting};
use super::*;

const PAIR: &str = "exists resource name:simrs role:Secondary suspended:no\n\
    exists connection name:simrs peer-node-id:0 conn-name:peer connection:Connected role:Primary\n\
    exists device name:simrs volume:0 minor:0 disk:UpToDate\n\
    exists peer-device name:simrs peer-node-id:0 conn-name:peer volume:0 replication:Established peer-disk:UpToDate\n\
    exists -\n";

#[test]
fn a_resource_as_the_kernel_tells_it() {
    let seen = parse(PAIR, "simrs").unwrap();
    assert_eq!(seen.role, "Secondary");
    assert_eq!(seen.disks, ["UpToDate"]);
    assert_eq!(seen.peers, ["Primary"]);
    let alone = PAIR.replace("Connected role:Primary", "Connecting role:Unknown");
    assert!(parse(&alone, "simrs").unwrap().peers.is_empty());
}

#[test]
fn the_connection_tells_of_the_other_node() {
    let resource = Resource::new("simrs", &"simrs".into());
    let told = |peer: &str| {
        let text = PAIR.replace("Connected role:Primary", peer);
        resource.other_as(&parse(&text, "simrs").unwrap())
    };
    let name = || "simrs".to_owned();
    let primary = Why::DrbdPeerPrimary { resource: name() };
    assert_eq!(told("Connected role:Primary"), primary);
    let secondary = Why::DrbdPeerSecondary { resource: name() };
    assert_eq!(told("Connected role:Secondary"), secondary);
    let alone = Why::DrbdAlone { resource: name() };
    assert_eq!(told("Connecting role:Unknown"), alone);
}

#[test]
fn half_an_answer_is_none() {
    // Without its end, without the resource, or of a role that nobody knows.
    assert_eq!(parse(&PAIR.replace("exists -\n", ""), "simrs"), None);
    assert_eq!(parse("exists -\n", "simrs"), None);
    assert_eq!(parse(PAIR, "other"), None);
    assert_eq!(
        parse(&PAIR.replace("role:Secondary", "role:Unknown"), "simrs"),
        None
    );
}

#[test]
fn only_up_to_date_data_may_be_promoted() {
    let resource = Resource::new("simrs", &"simrs".into());
    let seen = |disk: &str, peer: &str| {
        let text = PAIR.replace(
            "disk:UpToDate\nexists peer",
            &format!("disk:{disk}\nexists peer"),
        );
        parse(&text.replace("Connected role:Primary", peer), "simrs").unwrap()
    };
    let alone = "Connecting role:Unknown";
    assert_eq!(resource.refuses(&seen("UpToDate", alone)), None);
    for old in [
        "Outdated",
        "Inconsistent",
        "Consistent",
        "Diskless",
        "DUnknown",
    ] {
        assert!(
            matches!(resource.refuses(&seen(old, alone)), Some(Why::DrbdData { state, .. }) if state == old)
        );
    }
    let primary = "Connected role:Primary";
    assert!(matches!(
        resource.refuses(&seen("UpToDate", primary)),
        Some(Why::DrbdPeerPrimary { .. })
    ));
    assert!(resource.refuses(&Seen::default()).is_some());
}

#[test]
fn settings_in_drbds_own_language() {
    let text = "resource simrs {\n    net {\n        fencing         \tresource-only;\n        \
                allow-two-primaries\tno; # default\n    }\n}\n";
    assert_eq!(setting(text, "fencing"), Some("resource-only"));
    assert_eq!(setting(text, "allow-two-primaries"), Some("no"));
    assert_eq!(setting(text, "quorum"), None);
}

#[test]
fn a_copy_that_wrote_alone_is_ahead() {
    let equal =
        "74C1A2B3C4D5E6F8:0000000000000000:1111111111111110:0000000000000004:1:1:0:1:0:0:0\n";
    assert!(!is_ahead(equal));
    assert!(is_ahead(
        &equal.replace(":0000000000000000:", ":99C1A2B3C4D5E6F8:")
    ));
    // What can't be read says nothing of the sort.
    assert!(!is_ahead("") && !is_ahead("drbdadm: no resource"));
}

#[test]
fn only_a_copy_that_nobody_can_tell_is_old_is_marked() {
    let with = |role: &str, disk: &str, peers: &[&str]| Seen {
        role: role.to_owned(),
        disks: vec![disk.to_owned()],
        minors: Vec::new(),
        peers: peers.iter().map(|p| (*p).to_owned()).collect(),
    };
    assert!(passes_for_current(&with("Secondary", "UpToDate", &[])));
    assert!(passes_for_current(&with("Secondary", "Consistent", &[])));
    assert!(!passes_for_current(&with("Secondary", "Outdated", &[])));
    assert!(!passes_for_current(&with("Secondary", "Inconsistent", &[])));
    assert!(!passes_for_current(&with("Primary", "UpToDate", &[])));
    assert!(!passes_for_current(&with(
        "Secondary",
        "UpToDate",
        &["Primary"]
    )));
}

#[test]
fn the_handler_stands_in_drbds_configuration() {
    let dump = "resource simrs {\n    handlers {\n        fence-peer       /usr/lib/siaga/drbd-fence-peer;\n    }\n}\n";
    assert_eq!(handler(dump), Some("/usr/lib/siaga/drbd-fence-peer"));
    let quoted = dump.replace("/usr/lib/siaga/drbd-fence-peer", "\"/opt/fence now\"");
    assert_eq!(handler(&quoted), Some("/opt/fence"));
    assert_eq!(
        handler("resource simrs {\n    disk { fencing resource-only; }\n}\n"),
        None
    );
}

#[test]
fn a_primary_that_waits_for_a_handler_without_an_answer_freezes() {
    let ours = Some("/usr/lib/siaga/drbd-fence-peer");
    assert!(freezes(Some("resource-and-stonith"), ours));
    assert!(!freezes(Some("resource-only"), ours));
    assert!(!freezes(None, ours));
    // What another program answers is not known here.
    assert!(!freezes(
        Some("resource-and-stonith"),
        Some("/usr/lib/drbd/stonith")
    ));
}

#[test]
fn data_that_would_not_be_promoted_is_a_problem_before_the_takeover() {
    let resource = Resource::new("simrs", &"simrs".into());
    let found = |role: &str, disks: &[&str]| {
        let seen = Seen {
            role: role.to_owned(),
            disks: disks.iter().map(|d| (*d).to_owned()).collect(),
            minors: Vec::new(),
            peers: vec!["Primary".to_owned()],
        };
        let problem = resource.data_problem(&seen);
        problem.map(|p| (p.blocking, p.why))
    };
    assert_eq!(found("Secondary", &["UpToDate"]), None);
    for state in ["Inconsistent", "Outdated", "Consistent", "Diskless"] {
        let (resource, state) = ("simrs".to_owned(), state.to_owned());
        let why = Why::DrbdData {
            resource: resource.clone(),
            state: state.clone(),
        };
        // Of several volumes the worst counts.
        let there = found("Secondary", &["UpToDate", &state]);
        assert_eq!(there, Some((true, why)));
        // The holder reads the other node's copy: that one can take over.
        let held = found("Primary", &["UpToDate", &state]);
        assert_eq!(held, Some((false, Why::DrbdOneCopy { resource, state })));
    }
}

/// What the package's handler answers DRBD.
fn asked(run_dir: &Path) -> Option<i32> {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../packaging/drbd/drbd-fence-peer"
    );
    let mut command = std::process::Command::new(script);
    command
        .env("DRBD_RESOURCE", "simrs")
        .env("SIAGA_RUN_DIR", run_dir);
    command.status().unwrap().code()
}

#[test]
fn the_handler_says_gone_during_a_take_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(asked(folder.path()), Some(1), "there was never a take");
    let lock = folder.path().join("drbd/simrs");
    let under_way = taking(&lock).unwrap();
    // Who else could lock it would say it too.
    let mode = std::fs::metadata(&lock).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(asked(folder.path()), Some(5));
    drop(under_way);
    assert_eq!(asked(folder.path()), Some(1), "the take is over");
}

#[test]
fn old_data_is_promoted_by_a_decision_for_that_very_copy() {
    let resource = Resource::new("simrs", &"simrs".into());
    let epoch = siaga_model::Epoch {
        counter: 3,
        issuer: "backup".into(),
        run: "r".into(),
    };
    let may = |disk: &str, peers: &[&str], decided: Option<(&str, &str)>| {
        let seen = Seen {
            role: "Secondary".to_owned(),
            disks: vec![disk.to_owned()],
            minors: Vec::new(),
            peers: peers.iter().map(|p| (*p).to_owned()).collect(),
        };
        let old = decided.map(|(resource, state)| OldData {
            resource: resource.to_owned(),
            state: state.to_owned(),
        });
        let order = TakeOrder {
            epoch: &epoch,
            all_released: false,
            accepted: old.as_ref(),
        };
        resource.may_promote_old(&seen, &order)
    };
    assert!(may("Outdated", &[], Some(("simrs", "Outdated"))));
    assert!(may("Consistent", &[], Some(("simrs", "Consistent"))));
    assert!(!may("Outdated", &[], None), "nobody decided");
    assert!(!may("Outdated", &[], Some(("other", "Outdated"))));
    // It changed after the person decided; the other copy is within reach; it is no database.
    assert!(!may("Outdated", &[], Some(("simrs", "Consistent"))));
    assert!(!may(
        "Outdated",
        &["Secondary"],
        Some(("simrs", "Outdated"))
    ));
    assert!(!may("Inconsistent", &[], Some(("simrs", "Inconsistent"))));
}

#[test]
fn of_several_volumes_the_worst_is_named_and_all_must_be_whole() {
    let disks = |states: &[&str]| states.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let named = |states: &[&str]| worst(&disks(states)).cloned();
    assert_eq!(named(&["UpToDate", "UpToDate"]), None);
    assert_eq!(
        named(&["Consistent", "Outdated"]).as_deref(),
        Some("Outdated")
    );
    let no_database = named(&["Outdated", "Inconsistent"]);
    assert_eq!(no_database.as_deref(), Some("Inconsistent"));
    let resource = Resource::new("simrs", &"simrs".into());
    let outdated = OldData {
        resource: "simrs".into(),
        state: "Outdated".into(),
    };
    let epoch = siaga_model::Epoch {
        counter: 1,
        issuer: "backup".into(),
        run: "r".into(),
    };
    let order = TakeOrder {
        epoch: &epoch,
        all_released: false,
        accepted: Some(&outdated),
    };
    let may = |states: &[&str]| {
        let seen = Seen {
            disks: disks(states),
            ..Seen::default()
        };
        resource.may_promote_old(&seen, &order)
    };
    assert!(may(&["UpToDate", "Outdated"]));
    assert!(!may(&["Outdated", "Consistent"]));
    assert!(!may(&["Outdated", "Inconsistent"]));
    assert!(!may(&[]));
}
