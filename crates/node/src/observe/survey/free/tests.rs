use super::super::tests::{debian, pairs};
use super::*;
use crate::observe::survey::detect;

const LUN: &str = "/dev/disk/by-id/wwn-0x5000000000000001";

/// The database is stopped and its disk is not mounted; the system is on a partition of another disk.
fn stopped() -> Gathered {
    let mut gathered = debian();
    gathered.processes.clear();
    gathered.mountinfo = "22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n".into();
    gathered.block[0].part_of = Some("vda".into());
    let part = |name: &str, number: &str| BlockText {
        name: name.into(),
        number: number.into(),
        bytes: 1 << 30,
        part_of: Some("vda".into()),
        ..BlockText::default()
    };
    let vda = BlockText {
        part_of: None,
        ..part("vda", "254:0")
    };
    gathered.block.extend([vda, part("vda2", "254:2")]);
    gathered.links.extend(pairs(&[
        ("/dev/disk/by-id/wwn-0x5000000000000009", "/dev/vda"),
        ("/dev/disk/by-id/wwn-0x5000000000000009-part2", "/dev/vda2"),
    ]));
    gathered.block[1].content = Some("ext4".into());
    gathered
}

fn free_of(gathered: &Gathered) -> Vec<(String, Option<String>)> {
    let free = detect(gathered).free.into_iter();
    let shown = |d: Disk| (d.device.display().to_string(), d.file_system);
    free.map(shown).collect()
}

#[test]
fn a_disk_that_nothing_uses_is_found_and_no_part_of_the_systems() {
    let mut gathered = stopped();
    let lun = |content: Option<&str>| vec![(LUN.to_owned(), content.map(str::to_owned))];
    assert_eq!(free_of(&gathered), lun(Some("ext4")));
    // An empty one may be it as well; what is another thing's may not.
    gathered.block[1].content = None;
    assert_eq!(free_of(&gathered), lun(None));
    for other in ["swap", "LVM2_member", "drbd", "ntfs"] {
        gathered.block[1].content = Some(other.into());
        assert_eq!(free_of(&gathered), [], "{other}");
    }
    gathered.block[1].content = None;
    // Something lies on it.
    gathered.block.push(BlockText {
        name: "md0".into(),
        number: "9:0".into(),
        bytes: 1,
        below: vec!["sdb".into()],
        ..BlockText::default()
    });
    assert_eq!(free_of(&gathered), []);
    gathered.block.pop();
    // It is mounted.
    let mounted = debian().mountinfo;
    assert_eq!(
        free_of(&Gathered {
            mountinfo: mounted,
            ..gathered
        }),
        []
    );
}

#[test]
fn fstab_tells_where_it_waits_to_be_mounted() {
    let mut gathered = stopped();
    gathered.block[1].uuid = Some("11-22".into());
    let at = |gathered: &mut Gathered, line: &str| {
        gathered.fstab = format!("/dev/vda1 / ext4 defaults 0 1\n{line}\n");
        detect(gathered).free.remove(0).waits_at
    };
    let simrs = Some(PathBuf::from("/srv/simrs"));
    let by_uuid = "UUID=\"11-22\" /srv/simrs ext4 noatime,noauto 0 0";
    assert_eq!(at(&mut gathered, by_uuid), simrs);
    assert_eq!(
        at(&mut gathered, "/dev/sdb /srv/simrs ext4 noauto 0 0"),
        simrs
    );
    assert_eq!(
        at(&mut gathered, "/dev/sdb /srv/simrs ext4 noatime 0 0"),
        None
    );
    assert_eq!(
        at(&mut gathered, "#/dev/sdb /srv/simrs ext4 noauto 0 0"),
        None
    );
    assert_eq!(
        at(&mut gathered, "UUID=33 /srv/simrs ext4 noauto 0 0"),
        None
    );
}

#[test]
fn a_volume_that_is_not_active_is_found_with_what_its_group_lies_on() {
    let mut gathered = stopped();
    gathered.block[1].content = Some("LVM2_member".into());
    gathered.block[1].reserves = true;
    let group = |disk: &str| {
        format!(
            r#"{{"report":[{{"vg":[{{"vg_name":"vg-simrs","vg_systemid":"","pv_name":"{disk}"}}]}}]}}"#
        )
    };
    gathered.vgs = Some(group("/dev/sdb"));
    gathered.lvs = Some(
        r#"{"report":[{"lv":[{"vg_name":"vg-simrs","lv_name":"data","lv_size":"67108864"},
            {"vg_name":"vg-other","lv_name":"data","lv_size":"1"}]}]}"#
            .into(),
    );
    let found = detect(&gathered).free;
    let [volume] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(volume.device, Path::new("/dev/vg-simrs/data"));
    assert_eq!(volume.bytes, 64 << 20);
    assert_eq!(volume.volume_group.as_deref(), Some("vg-simrs"));
    assert_eq!(volume.reserved.as_deref(), Some(Path::new(LUN)));
    // The system's own group.
    gathered.vgs = Some(group("/dev/vda2"));
    assert_eq!(free_of(&gathered), []);
    // One that is active is a device, and not found twice.
    gathered.vgs = Some(group("/dev/sdb"));
    gathered.block.push(BlockText {
        name: "dm-3".into(),
        number: "253:3".into(),
        bytes: 1 << 26,
        dm_name: Some("vg--simrs-data".into()),
        dm_uuid: Some("LVM-0123".into()),
        below: vec!["sdb".into()],
        content: Some("xfs".into()),
        ..BlockText::default()
    });
    let xfs = Some("xfs".to_owned());
    assert_eq!(free_of(&gathered), [("/dev/vg-simrs/data".to_owned(), xfs)]);
}

#[test]
fn the_disk_below_a_replica_is_not_free_and_the_replica_is() {
    let mut gathered = stopped();
    // DRBD was made on it after udev had looked.
    gathered.block[1].content = None;
    let told = "RESOURCE=simrs/0\nDEVICE=drbd0\nDISK=/dev/sdb\n";
    gathered.block.push(BlockText {
        name: "drbd0".into(),
        number: "147:0".into(),
        bytes: 1 << 30,
        drbd: super::super::storage::told_resource(told),
        below: super::super::storage::told_disk(told).into_iter().collect(),
        ..BlockText::default()
    });
    let found = detect(&gathered).free;
    let [replica] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(replica.drbd.as_deref(), Some("simrs"));
}
