#!/bin/bash
# Inside a guest: a DRBD pair within one kernel, over the loopback address. Resource `here` is serverdb's side
# (/dev/drbd0), resource `there` backup's (/dev/drbd1).
set -eu
modprobe drbd
ip link set lo up
host=$(uname -n)
for i in 0 1; do
    truncate -s 64M /var/tmp/replica$i.img
    losetup /dev/loop$i >/dev/null 2>&1 || losetup /dev/loop$i /var/tmp/replica$i.img
done
side() { # name minor local-port remote-port
    cat <<E
resource $1 {
  net { protocol C; }
  on $host { device /dev/drbd$2 minor $2; disk /dev/loop$2; meta-disk internal; address 127.0.0.1:$3; }
  on other { device /dev/drbd$2 minor $2; disk /dev/loop$2; meta-disk internal; address 127.0.0.1:$4; }
}
E
}
echo 'global { usage-count no; }' >/etc/drbd.conf
side here 0 7001 7002 >>/etc/drbd.conf
side there 1 7002 7001 >>/etc/drbd.conf
for r in here there; do
    drbdadm create-md --force $r >/dev/null 2>&1
    drbdadm up $r
done
drbdadm wait-connect here
drbdadm new-current-uuid --clear-bitmap here/0 2>/dev/null || drbdadm primary --force here
for _ in $(seq 100); do
    drbdsetup events2 --now there | grep -q 'disk:UpToDate' && break
    sleep 0.2
done
drbdadm secondary here
drbdsetup events2 --now all
