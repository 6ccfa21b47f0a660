use super::*;
use siaga_model::config::{Below, DiskSetDriver};

const WHOLE: &str = r#"
site_name = "RSUD \"Contoh\""
language = "id"
time_zone = "Asia/Jakarta"
operators = "budi, sari"
this_node = "serverdb"
this_addresses = ["198.51.100.11", "203.0.113.11"]
this_hardware = "02:00:5e:00:53:11"
other_node = "backup"
other_addresses = "198.51.100.12"
other_hardware = "02:00:5e:00:53:21"
service = "simrs"
data_dir = "/srv/simrs/15/main"
bin_dir = "/usr/lib/postgresql/15/bin"
config_file = "/etc/postgresql/15/main/postgresql.conf"
unit = "postgresql@15-main.service"
port = 5433
mount_point = "/srv/simrs"
file_system = "ext4"
mount_options = "noatime"
device = "/dev/disk/by-id/wwn-0x5000000000000001"
virtual_ip = "192.0.2.50"
interface = "eno1"
other_interface = "eno2"
"#;

fn whole() -> Answers {
    Answers::read(WHOLE).unwrap()
}

#[test]
fn whole_answers_make_a_configuration_that_passes() {
    let answers = whole();
    assert_eq!(answers.missing(), []);
    let draft = Draft::of(&answers);
    let config = draft.check(&HostChecks::none()).unwrap();
    assert_eq!(config.site.name, "RSUD \"Contoh\"");
    let people: Vec<_> = config.people.iter().map(|p| p.login.as_deref()).collect();
    assert_eq!(people, [Some("budi"), Some("sari")]);
    assert!(config.somebody_may_attest());
    assert_eq!(config.nodes[0].addresses.len(), 2);
    let service = &config.services[0];
    assert_eq!(service.database.port, 5433);
    assert_eq!(
        service.database.unit.as_deref(),
        Some("postgresql@15-main.service")
    );
    assert_eq!(service.preferred_node.as_str(), "serverdb");
    assert_eq!(
        service.virtual_ips[0].interface(&"backup".into()),
        Some("eno2")
    );
    assert!(draft.text().contains("# Penyimpanan bersama."));
}

#[test]
fn the_same_answers_as_json() {
    let json = whole().to_json().to_string();
    assert_eq!(Answers::read(&json), Ok(whole()));
}

#[test]
fn drivers_and_fences_have_questions_of_their_own() {
    let mut answers = whole();
    answers.set(Question::Driver, "lvm");
    answers.set(Question::OtherFence, "198.51.100.22");
    assert_eq!(
        answers.missing(),
        [
            Question::VolumeGroup,
            Question::OtherFenceUser,
            Question::OtherFenceSecret
        ]
    );
    answers.set(Question::VolumeGroup, "vg-simrs");
    answers.set(Question::Device, "/dev/vg-simrs/data");
    answers.set(Question::OtherFenceUser, "siaga");
    answers.set(Question::OtherFenceSecret, "/etc/siaga/ipmi.secret");
    let config = Draft::of(&answers).check(&HostChecks::none()).unwrap();
    assert!(matches!(
        config.services[0].disk_set.driver,
        DiskSetDriver::Lvm { on: None, .. }
    ));
    assert_eq!(config.nodes[1].fences[0].name, "ipmi");
    // What it lies on: a replica, or a disk with reservations, where one is named.
    let on = |answers: &Answers| {
        let config = Draft::of(answers).check(&HostChecks::none()).unwrap();
        match config.services[0].disk_set.driver.clone() {
            DiskSetDriver::Lvm { on, .. } => on,
            other => panic!("{other:?}"),
        }
    };
    answers.set(Question::ReplicaBelow, "simrs");
    assert_eq!(on(&answers), Some(Below::Drbd("simrs".into())));
    answers.set(Question::ReservedDisk, "/dev/mapper/lun");
    assert!(matches!(on(&answers), Some(Below::Scsi(_))));
    assert!(!answers.asks(Question::ReplicaBelow));
}

#[test]
fn what_is_wrong_is_said_of_its_question() {
    for (question, answer, code) in [
        (Question::TimeZone, "Asia/Jakrta", "BAD_TIME_ZONE"),
        (Question::Port, "many", "WRONG_TYPE"),
        (Question::VirtualIp, "192.0.2.500", "BAD_ADDRESS"),
        (Question::DataDir, "/var/lib/postgresql", "DATA_DIR_OUTSIDE"),
        (Question::OtherNode, "serverdb", "DUPLICATE"),
        (Question::MountPoint, "/usr", "BAD_MOUNT_POINT"),
    ] {
        let mut answers = whole();
        answers.set(question, answer);
        let errors = Draft::of(&answers)
            .check(&HostChecks::none())
            .expect_err(answer);
        let of: Vec<_> = errors
            .iter()
            .filter(|(q, _)| *q == Some(question))
            .map(|(_, e)| e.code)
            .collect();
        assert!(of.contains(&code), "{question:?}: {errors:?}");
    }
}

#[test]
fn file_systems_for_wal_and_table_spaces_have_blocks_of_their_own() {
    let mut answers = whole();
    answers.set(
        Question::FurtherFileSystems,
        "/dev/disk/by-id/wwn-0x5000000000000002 /srv/simrs-wal xfs noatime, /dev/disk/by-id/wwn-0x5000000000000003 /srv/space ext4",
    );
    let check = |answers: &Answers| Draft::of(answers).check(&HostChecks::none());
    let config = check(&answers).unwrap();
    let all = &config.services[0].file_systems;
    let mounts: Vec<_> = all.iter().map(|f| f.mount_point.to_str()).collect();
    let expected = ["/srv/simrs", "/srv/simrs-wal", "/srv/space"].map(Some);
    assert_eq!(mounts, expected);
    assert_eq!(all[1].options, ["noatime"]);
    assert_eq!(
        Answers::read(&answers.to_json().to_string()),
        Ok(answers.clone())
    );
    // What is wrong with one is said of the answer, also where a part of it is missing.
    for (answer, code) in [
        ("/dev/sdc /srv/simrs-wal btrfs", "BAD_CHOICE"),
        ("/dev/sdc /srv/simrs-wal", "MISSING_KEY"),
        ("/dev/sdc /srv/simrs/wal xfs", "OVERLAPPING_MOUNTS"),
    ] {
        answers.set(Question::FurtherFileSystems, answer);
        let errors = check(&answers).expect_err(answer);
        let of = errors
            .iter()
            .filter(|(q, _)| *q == Some(Question::FurtherFileSystems));
        let codes: Vec<_> = of.map(|(_, e)| e.code).collect();
        assert!(codes.contains(&code), "{answer}: {errors:?}");
    }
}

#[test]
fn answers_that_are_none_are_refused_by_their_name() {
    assert!(matches!(
        Answers::read("virtul_ip = \"192.0.2.50\""),
        Err(AnswersError::NoSuchQuestion { suggestion: Some(s), .. }) if s == "virtual_ip"
    ));
    assert!(matches!(
        Answers::read("port = true"),
        Err(AnswersError::NotText { .. })
    ));
    assert!(matches!(
        Answers::read("port = "),
        Err(AnswersError::Syntax { .. })
    ));
}
