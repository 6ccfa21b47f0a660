#!/bin/bash
# Inside a guest: one file-backed LUN of the kernel's own iSCSI target, on the loopback address, and two sessions to it
# by two initiator names, as two nodes see one LUN. Prints the two disks, serverdb's first.
# (The target's own loopback fabric, tcm_loop, hangs in PREEMPT AND ABORT on kernel 6.1.)
set -eu
C=/sys/kernel/config/target T=iqn.2026-01.example:lun
modprobe -a target_core_mod target_core_file iscsi_target_mod iscsi_tcp sd_mod
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
mkdir -p /etc/target/pr /var/target/pr /var/tmp
ip link set lo up
truncate -s 256M /var/tmp/two-nexuses.img
lun=$C/core/fileio_0/lun
mkdir -p $lun
echo "fd_dev_name=/var/tmp/two-nexuses.img,fd_dev_size=268435456" >$lun/control
echo siaga0001 >$lun/wwn/vpd_unit_serial
echo 1 >$lun/enable
P=$C/iscsi/$T/tpgt_1
mkdir -p $P/lun/lun_0 $P/np/127.0.0.1:3260
ln -s $lun $P/lun/lun_0/lun
echo 0 >$P/attrib/authentication
echo 0 >$P/attrib/generate_node_acls
for n in serverdb backup; do
    mkdir -p $P/acls/iqn.2026-01.example:$n/lun_0
    ln -s $P/lun/lun_0 $P/acls/iqn.2026-01.example:$n/lun_0/lun
done
echo 1 >$P/enable
pgrep -x iscsid >/dev/null || iscsid
for n in serverdb backup; do
    iscsiadm -m iface -I $n --op=new >/dev/null
    iscsiadm -m iface -I $n --op=update -n iface.initiatorname -v iqn.2026-01.example:$n >/dev/null
done
for _ in 1 2 3 4 5; do
    iscsiadm -m discovery -t st -p 127.0.0.1 -I serverdb -I backup >/dev/null && iscsiadm -m node -l >/dev/null && break
    sleep 1
done
for n in serverdb backup; do
    for s in /sys/class/iscsi_session/session*; do
        [ "$(cat $s/initiatorname)" = "iqn.2026-01.example:$n" ] || continue
        for _ in $(seq 100); do
            d=$(ls $s/device/target*/*/block 2>/dev/null || true)
            [ -n "$d" ] && echo "/dev/$d" && break
            sleep 0.1
        done
    done
done
