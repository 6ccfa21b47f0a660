//! A volume group on a LUN with reservations.

use siaga_vm::{Kind, Site, say};

#[test]
#[ignore = "virtual machines: make vm-test"]
fn a_drill_and_a_power_cut_with_a_volume_group_on_a_reservation() {
    let site = Site::running_on(Kind::Lvm);
    let load = site.load();
    site.drill();
    site.serverdb.power_off();
    say("serverdb has lost its power");
    site.fenced_takeover();
    // Its own name is on the group no more: it boots, sees the group, and activates nothing.
    site.back_on();
    let volume = site.serverdb.run("test -e /dev/vg_simrs/data").code;
    assert_eq!(volume, Some(1), "the group was activated at boot");
    site.home_again();
    load.nothing_lost();
    site.stop("the test is over");
}
