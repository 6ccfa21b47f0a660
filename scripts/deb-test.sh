#!/usr/bin/env bash
# Installs the package offline on bare trees of other releases, uses it, upgrades it, removes it. Without systemd: what the
# units do is tried in virtual machines. Usage: scripts/deb-test.sh PACKAGE [DISTRIBUTION/SUITE...]
set -euo pipefail
package=$(realpath "${1:?the package: target/debian/siaga_..._amd64.deb}")
shift
suites=("$@")
((${#suites[@]})) || suites=(debian/bullseye debian/bookworm debian/trixie ubuntu/focal ubuntu/jammy)
cd "$(dirname "$0")/.."
[[ $EUID -eq 0 ]] || { echo "siaga: bare trees need root: sudo make test-deb" >&2; exit 2; }
command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap

tree_of() { # DISTRIBUTION/SUITE
    local tree=$PWD/target/bare-${1/\//-}
    if [[ ! -e $tree/.ready ]]; then
        rm -rf "$tree"
        case $1 in
            debian/*) debootstrap --variant=minbase "${1#*/}" "$tree" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} ;;
            ubuntu/*)
                # Debian has not got Ubuntu's keys. The tree is only a place to try in: nothing of it is kept or shipped.
                debootstrap --variant=minbase --no-check-gpg "${1#*/}" "$tree" \
                    ${UBUNTU_MIRROR:+"$UBUNTU_MIRROR"}
                ;;
        esac >"$tree.log" 2>&1
        touch "$tree/.ready"
    fi
    echo "$tree"
}

for suite in "${suites[@]}"; do
    tree=$(tree_of "$suite")
    cp "$package" "$tree/root/siaga.deb"
    # A network of its own, which has nothing: the installation is offline.
    unshare --net --mount --propagation private chroot "$tree" /bin/sh -s <<'EOF2' || { echo "$suite: FAILED"; exit 1; }
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
fail() { echo "failed: $*" >&2; exit 1; }
dpkg -i /root/siaga.deb >/dev/null
siaga --version
getent group siaga >/dev/null || fail "no group"
for file in /usr/lib/systemd/system/siaga.service /usr/lib/systemd/system/siaga-probe.service \
    /usr/share/bash-completion/completions/siaga /usr/share/doc/siaga/examples/full.toml; do
    [ -s "$file" ] || fail "$file is missing"
done
siaga status --help | grep -q Usage || fail "no help"
siaga status --lang id --help | grep -qi pemakaian || fail "no Indonesian help"
siaga config schema | grep -q siaga || fail "no schema"
siaga status >/dev/null 2>&1 && fail "an agent answers" || [ $? = 6 ] || fail "not exit code 6"
# A run refuses a removal; one that fails half way leaves the units as they were. (systemd's part is played.)
mkdir -p /run/systemd/system /root/played
cat >/root/played/systemctl <<'EOF3'
#!/bin/sh
echo "$*" >>/root/played/log
case "$*" in
    *is-*probe*) exit 3 ;;
    is-active*) echo activating; exit 3 ;;
esac
EOF3
printf '#!/bin/sh\ncat /root/played/state 2>/dev/null\n' >/root/played/siaga
chmod +x /root/played/systemctl /root/played/siaga
script() { PATH=/root/played:$PATH sh "/var/lib/dpkg/info/siaga.$@"; }
echo '{"run": {"id": "r"}}' >/root/played/state
script prerm remove 2>/dev/null && fail "removed in the middle of a run"
[ ! -e /root/played/log ] || fail "stopped in the middle of a run"
script postinst abort-remove
[ ! -e /root/played/log ] || fail "a refused removal changed a unit"
(export SIAGA_UPGRADE_ANYWAY=1; script prerm remove)
script postinst abort-remove
[ "$(tail -n 2 /root/played/log | tr '\n' ' ')" = "enable siaga.service start siaga.service " ] || fail "not as it was"
rm -rf /run/systemd /root/played
echo record >/var/lib/siaga/kept
dpkg -i /root/siaga.deb >/dev/null # the same again: an upgrade
dpkg -r siaga >/dev/null
[ ! -e /usr/bin/siaga ] || fail "not removed"
dpkg -P siaga >/dev/null
[ -s /var/lib/siaga/kept ] || fail "the record was removed"
rm -rf /var/lib/siaga /etc/siaga
EOF2
    rm -f "$tree/root/siaga.deb"
    echo "$suite: installed offline, used, upgraded, removed"
done
