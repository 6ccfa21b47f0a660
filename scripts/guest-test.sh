#!/usr/bin/env bash
# Builds the drivers' own tests (reservations, LVM, DRBD), and puts them with what they need into target/guest-test. They are not run here:
# they want a kernel of their own, and write over what they find.
set -euo pipefail
cd "$(dirname "$0")/.."
out=target/guest-test
built=$(cargo test --profile ci --locked -p siaga-node --test disk_set_guest --no-run --message-format json |
    sed -n 's/.*"name":"disk_set_guest".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
[[ -x $built ]] || { echo "siaga: the test was not built" >&2; exit 1; }
rm -rf "$out"
install -D -m 0755 "$built" "$out/disk_set_guest"
install -m 0755 -t "$out" crates/node/tests/guest/*.sh
cat <<EOF
$out is made. The tests want a machine that may be lost (a virtual one, with Debian 12's own kernel and kmod, open-iscsi, lvm2, dmsetup,
drbd-utils), and root. Copy the folder there, and on that machine:

    bash guest-test/run.sh --this-machine-may-be-lost
EOF
