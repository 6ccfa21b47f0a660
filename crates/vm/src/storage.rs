//! What stands below the file system, made ready by hand as `docs/disk-sets.md` says, on both servers.

use crate::kind::Kind;
use crate::machine::Machine;
use crate::site::Site;
use crate::{SERVERS, say, wait_until};

/// The LUN: by its serial number, so the same after every boot and on both servers.
const LUN: &str = "/dev/disk/by-id/wwn-0x6001405";
const TARGET: &str = "iqn.2026-01.example.rs:simrs";

/// The multipath map.
const MAP: &str = "/dev/mapper/simrs";

/// Makes it, and gives the device that the file system is for. What is exclusive is with `serverdb` then.
pub(crate) fn prepare(site: &Site) -> String {
    let servers = SERVERS.map(|name| site.server(name));
    if site.kind == Kind::Multipath {
        second_portal(site);
    }
    std::thread::scope(|scope| {
        for server in servers {
            scope.spawn(|| {
                nothing_starts(server);
                match site.kind {
                    Kind::Block | Kind::Scsi => lun(server),
                    Kind::Multipath => {
                        lun(server);
                        map(server);
                    }
                    Kind::Lvm => {
                        known_to_lvm(server);
                        lun(server);
                    }
                    Kind::Drbd => resource(server),
                    Kind::LvmOnDrbd => {
                        known_to_lvm(server);
                        not_past_drbd(server);
                        resource(server);
                    }
                }
            });
        }
    });
    match site.kind {
        Kind::Block | Kind::Scsi => one_lun(site),
        Kind::Multipath => {
            say("both servers have the LUN by two paths");
            MAP.to_owned()
        }
        Kind::Lvm => volume_group(site, &one_lun(site)),
        Kind::Drbd => pair(site),
        Kind::LvmOnDrbd => volume_group(site, &pair(site)),
    }
}

fn nothing_starts(server: &Machine) {
    server
        .run("systemctl disable --now -q postgresql && mkdir -p /srv/simrs")
        .expect(0);
}

/// The server sees the LUN.
fn lun(server: &Machine) {
    server
        .run(&format!(
            "set -e
            modprobe iscsi_tcp
            systemctl enable --now -q iscsid open-iscsi
            tries=0
            until iscsiadm -m discovery -t sendtargets -p 198.51.100.13 >/dev/null && iscsiadm -m node -T {TARGET} --login
            do tries=$((tries + 1)); [ $tries -lt 20 ]; sleep 1; done
            udevadm settle"
        ))
        .expect(0);
}

/// The SAN is there by the management network as well: a second path.
fn second_portal(site: &Site) {
    site.san
        .run(&format!(
            "touch /etc/vm-two-portals
            mkdir /sys/kernel/config/target/iscsi/{TARGET}/tpgt_1/np/203.0.113.13:3260"
        ))
        .expect(0);
}

/// Two paths, one map, as `docs/disk-sets.md` says.
fn map(server: &Machine) {
    server
        .run(
            "set -e
            wwid=$(/lib/udev/scsi_id -g -u /dev/sda)
            cat >/etc/multipath.conf <<END
defaults {
    user_friendly_names no
    find_multipaths no
    polling_interval 2
    max_polling_interval 2
    reservation_key file
    no_path_retry 12
}
blacklist {
    devnode ^vd
}
multipaths {
    multipath {
        wwid $wwid
        alias simrs
    }
}
END
            systemctl unmask -q multipathd.service multipathd.socket
            systemctl enable --now -q multipathd
            until [ $(ls /sys/block/dm-0/slaves | wc -l) = 2 ]; do sleep 0.5; done
            udevadm settle",
        )
        .expect(0);
}

fn one_lun(site: &Site) -> String {
    let device = stable_name(&site.serverdb);
    assert_eq!(device, stable_name(&site.backup), "one name for the LUN");
    say(&format!("both servers see the LUN: {device}"));
    device
}

/// The stable name of the LUN.
pub(crate) fn stable_name(server: &Machine) -> String {
    let mut found = String::new();
    wait_until("the LUN's stable name", || {
        found = server.run(&format!("ls {LUN}*")).out.trim().to_owned();
        !found.is_empty() && !found.contains('\n')
    });
    found
}

/// Once, before there is a group: each host is known to LVM by its name.
fn known_to_lvm(server: &Machine) {
    server
        .run(
            "sed -i 's/^\\t*# *system_id_source = .*/\\tsystem_id_source = \"uname\"/' /etc/lvm/lvm.conf
            lvmconfig global/system_id_source | grep -q uname",
        )
        .expect(0);
}

/// LVM reads the pair, and not the disk that it copies.
const FILTER: &str = "global_filter = [ \"r|^/dev/vdb$|\" ]";

fn not_past_drbd(server: &Machine) {
    server
        .run(&format!("sed -i '/^devices {{/a {FILTER}' /etc/lvm/lvm.conf && lvmconfig devices/global_filter | grep -q vdb"))
        .expect(0);
}

/// As [`not_past_drbd`] was forgotten.
pub(crate) fn past_drbd(server: &Machine, forgotten: bool) {
    let edit = match forgotten {
        true => "s/^global_filter/#&/",
        false => "s/^#global_filter/global_filter/",
    };
    server
        .run(&format!("sed -i '{edit}' /etc/lvm/lvm.conf"))
        .expect(0);
}

fn volume_group(site: &Site, lun: &str) -> String {
    site.serverdb
        .run(&format!(
            "set -e
            vgcreate -qq -y --setautoactivation n vg_simrs {lun}
            lvcreate -qq -y -n data -l 100%FREE vg_simrs
            udevadm settle"
        ))
        .expect(0);
    say("a volume group is on it, of serverdb alone");
    "/dev/vg_simrs/data".to_owned()
}

/// One resource on the servers' second disks, over the storage network.
fn resource(server: &Machine) {
    server.write(
        "/etc/drbd.d/simrs.res",
        "0644",
        r#"resource simrs {
    startup { wfc-timeout 10; degr-wfc-timeout 10; outdated-wfc-timeout 10; }
    net { protocol C; }
    disk { fencing resource-only; }
    handlers { fence-peer "/usr/lib/siaga/drbd-fence-peer"; }
    volume 0 { device /dev/drbd0; disk /dev/vdb; meta-disk internal; }
    on serverdb { address 198.51.100.11:7789; }
    on backup { address 198.51.100.12:7789; }
}
"#,
    );
    server
        .run(
            "set -e
            sed -i 's/usage-count yes/usage-count no/' /etc/drbd.d/global_common.conf
            modprobe drbd
            drbdadm create-md --force simrs >/dev/null 2>&1
            systemctl enable -q drbd
            drbdadm up simrs",
        )
        .expect(0);
}

fn pair(site: &Site) -> String {
    for name in SERVERS {
        site.server(name)
            .run("timeout 60 drbdadm wait-connect simrs")
            .expect(0);
    }
    // Both disks are empty alike: nothing to copy.
    site.serverdb
        .run("drbdadm new-current-uuid --clear-bitmap simrs/0 && drbdadm primary simrs")
        .expect(0);
    say("the servers' own disks are a pair, serverdb is primary");
    "/dev/drbd0".to_owned()
}
