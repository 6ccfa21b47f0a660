#!/usr/bin/env bash
# Installs what `make vm-test` needs on this machine, from Debian's packages. Does nothing where all of it is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
[[ $EUID -eq 0 ]] || { echo "siaga: the virtual machines need root: sudo make vm-test" >&2; exit 2; }
export DEBIAN_FRONTEND=noninteractive

missing=()
need() { # program package
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}
need mmdebstrap mmdebstrap
need busybox busybox-static
need socat socat
need cpio cpio
need xz xz-utils
need depmod kmod
need mke2fs e2fsprogs
need ssh openssh-client
need setpriv util-linux
need ipmi_sim openipmi
if ((${#missing[@]})); then
    echo "installing: ${missing[*]}"
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# QEMU comes from the release that its other packages here came from: Debian's, or its backports. The backports are read
# through a list of our own, so that the machine's own settings stay as they are.
if ! command -v qemu-system-x86_64 >/dev/null; then
    apt-get install -y -qq --no-install-recommends qemu-system-x86 || {
        list=$PWD/target/vm/backports
        mkdir -p "$list/parts" "$list/lists/partial"
        # Where this machine gets its packages from.
        mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
            awk '$1 == "Debian" && !seen++ { print $2 }')}
        suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
        cat >"$list/parts/backports.sources" <<EOF
Types: deb
URIs: $mirror
Suites: $suite $suite-updates $suite-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
        options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$list/parts"
            -o "Dir::State::lists=$list/lists" -o APT::Sandbox::User=root)
        apt-get "${options[@]}" update -qq
        apt-get "${options[@]}" install -y -qq --no-install-recommends -t "$suite-backports" qemu-system-x86
    }
fi
# Last: of another release than QEMU it would have been removed with it.
command -v qemu-img >/dev/null || apt-get install -y -qq --no-install-recommends qemu-utils
