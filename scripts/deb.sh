#!/usr/bin/env bash
# Builds target/debian/siaga_VERSION_amd64.deb: one binary for Debian 11 and newer and Ubuntu 20.04 and newer.
# It links against glibc 2.28, the oldest among them, by Zig's linker (the Python packages cargo-zigbuild and ziglang, kept
# under target/), so it runs with each release's own libraries.
set -euo pipefail
cd "$(dirname "$0")/.."

glibc=2.28
target=x86_64-unknown-linux-gnu
zig=target/zig
if [[ ! -x $zig/bin/cargo-zigbuild ]]; then
    python3 -m venv "$zig" || { echo "siaga: apt-get install python3-venv" >&2; exit 2; }
    "$zig/bin/pip" install -q cargo-zigbuild==0.24.1 ziglang==0.17.1
fi
PATH=$PWD/$zig/bin:$PATH cargo zigbuild --release --locked -p siaga-cli --target "$target.$glibc"
binary=target/$target/release/siaga

version=$("$binary" --version | awk '{print $2}')
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
install -D -m 0755 "$binary" "$stage/usr/bin/siaga"
install -D -m 0755 -t "$stage/usr/lib/siaga" packaging/drbd/drbd-fence-peer
install -D -m 0644 -t "$stage/usr/lib/systemd/system" packaging/systemd/*.service
"$binary" man "$stage/usr/share/man" >/dev/null
find "$stage/usr/share/man" -type f -name '*.1' -exec gzip -9n {} +
for shell in bash:bash-completion/completions/siaga zsh:zsh/vendor-completions/_siaga fish:fish/vendor_completions.d/siaga.fish; do
    file=$stage/usr/share/${shell#*:}
    mkdir -p "${file%/*}"
    "$binary" completions "${shell%%:*}" >"$file"
done
doc=$stage/usr/share/doc/siaga
# As in the source: the pages name each other, and the examples, by their folders.
install -D -m 0644 -t "$doc" README.md CHANGELOG.md
install -D -m 0644 -t "$doc/docs" docs/*.md
install -D -m 0644 LICENSE "$doc/copyright"
install -D -m 0644 -t "$doc/examples" examples/*
chmod -R u=rwX,go=rX "$stage"

mkdir -p "$stage/DEBIAN"
size=$(du -sk --exclude=DEBIAN "$stage" | cut -f1)
sed -e "s/@VERSION@/$version/; s/@SIZE@/$size/; s/@GLIBC@/$glibc/" packaging/debian/control.in >"$stage/DEBIAN/control"
install -m 0755 -t "$stage/DEBIAN" packaging/debian/{postinst,prerm,postrm}
(cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
find "$stage" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p target/debian
package=target/debian/siaga_${version}_amd64.deb
dpkg-deb --root-owner-group -Zxz --build "$stage" "$package" >/dev/null
echo "$package"
