#!/bin/bash
# The drivers of LVM, reservations and DRBD on this machine's own kernel. `make guest-test` puts this, its two helpers and the test program
# into one folder: copy it to a machine that may be lost, and run it there as root.
set -eu
cd "$(dirname "$0")"
[ "${1:-}" = --this-machine-may-be-lost ] || {
    echo "siaga: this loads kernel modules, makes an iSCSI target, a DRBD pair and volume groups, and writes over" >&2
    echo "siaga: /etc/lvm/lvm.conf and /etc/drbd.conf: bash run.sh --this-machine-may-be-lost" >&2
    exit 2
}
[ "$(id -u)" = 0 ] || { echo "siaga: it needs root" >&2; exit 2; }
for program in modprobe iscsid iscsiadm vgcreate wipefs dmsetup drbdadm drbdsetup losetup; do
    command -v "$program" >/dev/null || { echo "siaga: $program is missing: apt-get install kmod open-iscsi lvm2 dmsetup drbd-utils" >&2; exit 2; }
done
SIAGA_GUEST_DISKS=$(bash two-nexuses.sh | tr '\n' ' ')
export SIAGA_GUEST_DISKS
bash two-replicas.sh
./disk_set_guest --ignored --test-threads=1
