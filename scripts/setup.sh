#!/usr/bin/env bash
# Installs what building, testing and the lab need, from Debian's packages. Does nothing where all of it is there.
set -euo pipefail

missing=()
need() { # program package
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}
export PATH="$PATH:/usr/sbin:/sbin"
need ip iproute2
need bridge iproute2
need nft nftables
need mkfs.ext4 e2fsprogs
need mkfs.xfs xfsprogs
need losetup util-linux
need cc gcc
need make make
need openssl openssl
need python3 python3
# The drivers' tests have a bus of their own.
need dbus-daemon dbus-daemon
# A real mail server for the tests of notices.
/usr/bin/python3 -c "import aiosmtpd" >/dev/null 2>&1 || missing+=(python3-aiosmtpd)
# Real fence agents.
need fence_redfish fence-agents
need pdftotext poppler-utils
need qpdf qpdf
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)

if ((${#missing[@]})); then
    if [[ $EUID -ne 0 ]]; then
        echo "siaga: these Debian packages are missing: ${missing[*]}" >&2
        echo "siaga: install them with: sudo apt-get install ${missing[*]}" >&2
        exit 2
    fi
    echo "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # The packaged cluster is not needed, and must not start by itself.
    mkdir -p /etc/postgresql-common
    [[ -e /etc/postgresql-common/createcluster.conf ]] ||
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    apt-get install -y -qq "${missing[@]}"
fi
command -v cargo >/dev/null 2>&1 || {
    echo "siaga: cargo is missing: install Rust 1.95 or newer (rustup, or Debian's packages rustc and cargo)" >&2
    exit 2
}
