#!/usr/bin/env bash
# Runs the lab's tests on another Debian release, in a tree of its own under target/: what is built here runs there with
# that release's PostgreSQL, tools and libraries, on this machine's kernel.
# Usage: scripts/on-debian.sh SUITE [TEST-FILE...]   (default: moves faults data_directory boot)
set -euo pipefail

suite=${1:?say which release: scripts/on-debian.sh trixie}
shift
tests=("$@")
((${#tests[@]})) || tests=(moves faults data_directory boot)
cd "$(dirname "$0")/.."
[[ $EUID -eq 0 ]] || { echo "siaga: the lab needs root: sudo make test-debian" >&2; exit 2; }
tree=$PWD/target/debian-$suite

command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap
if [[ ! -e $tree/.ready ]]; then
    debootstrap --variant=minbase "$suite" "$tree" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
    # No cluster of the package's own, and nothing started.
    mkdir -p "$tree/etc/postgresql-common"
    echo 'create_main_cluster = false' >"$tree/etc/postgresql-common/createcluster.conf"
    printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
    chmod +x "$tree/usr/sbin/policy-rc.d"
    chroot "$tree" /usr/bin/env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c '
        apt-get update -qq && apt-get install -y -qq --no-install-recommends iproute2 nftables e2fsprogs xfsprogs \
            util-linux postgresql python3 python3-aiosmtpd poppler-utils qpdf openssl procps \
            dbus-daemon ca-certificates'
    touch "$tree/.ready"
fi

cargo build --profile ci --locked -p siaga-cli
# The newest binary of each test file.
programs=()
for test in "${tests[@]}"; do
    programs+=("$(cargo test --profile ci --locked -p siaga-e2e --test "$test" --no-run --message-format=json 2>/dev/null |
        python3 -c 'import json, sys
for line in sys.stdin:
    made = json.loads(line)
    if made.get("executable") and made["target"]["kind"] == ["test"]: print(made["executable"])')")
done

mkdir -p "$tree/old" "$tree$PWD"
# The mounts are those of the namespace alone: they end with it.
exec unshare --mount --propagation private bash -s -- "$tree" "$PWD" "${programs[@]}" <<'EOF2'
set -euo pipefail
tree=$1 here=$2
shift 2
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount --rbind /dev "$tree/dev"
mount -t tmpfs tmpfs "$tree/run"
mount -t tmpfs tmpfs "$tree/tmp"
mkdir -p "$tree$here"
mount --bind "$here" "$tree$here"
cd "$tree"
pivot_root . old
cd /
umount -l /old
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root SIAGA_BIN=$here/target/ci/siaga
cd "$here"
printf 'Debian %s, %s\n' "$(cat /etc/debian_version)" "$(ls /usr/lib/postgresql)"
failed=0
for program in "$@"; do "$program" --test-threads=1 || failed=1; done
exit "$failed"
EOF2
