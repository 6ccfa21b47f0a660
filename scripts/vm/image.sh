#!/usr/bin/env bash
# Makes what the virtual machines boot from, under target/vm: Debian 12's kernel (vmlinux), a small initrd, and one root
# image for all of them (base.ext4) with systemd, PostgreSQL 15 as Debian sets it up, iSCSI, LVM, DRBD and fence agents.
# What is there already is left alone; after a change in scripts/vm it is made again.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/scripts/vm
out=$PWD/target/vm
mkdir -p "$out"

stamp=$(cat "$here/image.sh" "$here/vmlinux.py" $(find "$here/guest" -type f | sort) | sha256sum | cut -d' ' -f1)
[[ -f $out/image.stamp && $(<"$out/image.stamp") == "$stamp" ]] && exit 0
rm -f "$out/image.stamp"

# Trees with thousands of small files are made in memory where there is room.
work=$(mktemp -d -p "$([[ $(stat -f -c '%a' /dev/shm) -gt 1000000 ]] && echo /dev/shm || echo "$out")" siaga-vm.XXXXXX)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work

packages=systemd-sysv,udev,dbus,kmod,iproute2,iputils-ping,procps,psmisc,util-linux-extra,nftables,openssh-server
packages+=,e2fsprogs,xfsprogs,lvm2,open-iscsi,multipath-tools,sg3-utils,drbd-utils,postgresql-15,fence-agents,ipmitool
if [[ ! -f $out/root.tar || $(cat "$out/root.packages" 2>/dev/null) != "$packages" ]]; then
    echo "making the guests' tree (some 350 packages)"
    mmdebstrap --variant=minbase --mode=root --include="$packages" --aptopt='Apt::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$out/root.tar" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$out/root.log" 2>&1 ||
        { tail "$out/root.log" >&2; exit 1; }
    echo "$packages" >"$out/root.packages"
fi

# The kernel, unpacked: decompressing it under emulation would cost every boot seconds.
if [[ ! -d $out/kernel ]]; then
    image=$(apt-cache depends linux-image-amd64 | grep -o 'linux-image-[0-9][^ ]*' | head -n 1)
    (cd "$work" && apt-get download -o APT::Sandbox::User=root "$image" && dpkg-deb -x "$image"_*.deb "$out/kernel.new")
    mv "$out/kernel.new" "$out/kernel"
fi
python3 "$here/vmlinux.py" "$out"/kernel/boot/vmlinuz-* "$out/vmlinux"
release=$(ls "$out/kernel/lib/modules")

root=$work/root
mkdir "$root"
tar -C "$root" -xf "$out/root.tar" --exclude='./dev/*'
modules=$root/lib/modules/$release
mkdir -p "$root/lib/modules"
cp -a "$out/kernel/lib/modules/$release" "$modules"
# No sound, no screens, no wireless: half of the image.
(cd "$modules/kernel" && rm -rf sound drivers/{gpu,media,iio,staging,infiniband,isdn,usb,hid,input,mfd,hwmon,comedi,thunderbolt} \
    drivers/net/{wireless,ethernet,usb,can,wan,fddi,phy} net/{bluetooth,mac80211,wireless,sctp,tipc,rds,smc})
depmod -b "$root" "$release"

cp -rT --no-preserve=ownership "$here/guest" "$root"
: >"$root/etc/machine-id"
echo unnamed >"$root/etc/hostname"
echo '/dev/vda / ext4 rw,noatime 0 0' >"$root/etc/fstab"
cat >"$root/etc/hosts" <<'EOF'
127.0.0.1 localhost
192.0.2.11 serverdb
192.0.2.12 backup
192.0.2.13 san
EOF
sed -i 's/^node.session.timeo.replacement_timeout.*/node.session.timeo.replacement_timeout = 20/
    s/^node.conn\[0\].timeo.noop_out_interval.*/node.conn[0].timeo.noop_out_interval = 2/
    s/^node.conn\[0\].timeo.noop_out_timeout.*/node.conn[0].timeo.noop_out_timeout = 5/
    s/^node.startup.*/node.startup = automatic/' "$root/etc/iscsi/iscsid.conf"
sed -i "s/^#\?listen_addresses.*/listen_addresses = '*'/" "$root/etc/postgresql/15/main/postgresql.conf"
echo 'host all all 192.0.2.0/24 trust' >>"$root/etc/postgresql/15/main/pg_hba.conf"

# The way in from the test: a key of its own, made here.
rm -f "$out/key" "$out/key.pub"
ssh-keygen -q -t ed25519 -N '' -C siaga-vm -f "$out/key"
install -D -m 0600 "$out/key.pub" "$root/root/.ssh/authorized_keys"
chmod 0700 "$root/root/.ssh"

# What a machine in a test has no use for, and what emulation makes slow.
off=(apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer
    man-db.timer logrotate.timer getty@tty1.service serial-getty@ttyS0.service console-getty.service
    systemd-timesyncd.service systemd-binfmt.service systemd-update-utmp.service sys-kernel-debug.mount
    sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount ldconfig.service systemd-firstboot.service
    ipmievd.service openipmi.service sg3-utils.service multipathd.service multipathd.socket)
for unit in "${off[@]}"; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
wanted=$root/etc/systemd/system
mkdir -p "$wanted"/{sysinit,multi-user}.target.wants
ln -sf ../vm-identity.service "$wanted/sysinit.target.wants/"
ln -sf ../vm-target.service "$wanted/multi-user.target.wants/"

rm -f "$out/base.ext4"
mke2fs -q -t ext4 -m 0 -d "$root" "$out/base.ext4" 3G

# An initrd that finds the root file system and nothing else.
early=$work/early
mkdir -p "$early"/{bin,proc,sys,dev,root,lib/modules/"$release"}
cp "$(command -v busybox)" "$early/bin/busybox"
for module in virtio_pci virtio_blk crc32c_generic ext4; do
    modprobe -d "$root" -S "$release" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
done | sort -u | while read -r file; do
    install -D -m 0644 "$file" "$early/lib/modules/$release/${file#"$modules/"}"
done
cp "$modules/modules.order" "$modules/modules.builtin" "$early/lib/modules/$release/"
depmod -b "$early" "$release"
cat >"$early/init" <<'EOF'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in crc32c_generic virtio_pci virtio_blk ext4; do modprobe "$module"; done
tries=0
until [ -b /dev/vda ] || [ "$tries" -gt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
mount -t ext4 -o noatime /dev/vda /root || exec sh
mount -o move /dev /root/dev
umount /sys /proc
exec switch_root /root /sbin/init
EOF
chmod 0755 "$early/init"
(cd "$early" && find . | cpio -o -H newc --quiet | gzip -1) >"$out/initrd"
# Machines that were set up from an older image are of no use any more.
rm -rf "$out/sites"
echo "$stamp" >"$out/image.stamp"
