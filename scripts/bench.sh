#!/usr/bin/env bash
# Siaga beside the bare floor, in one run. Usage: scripts/bench.sh [SIAGA [OPTION...]]; see siaga-bench --help.
set -euo pipefail

siaga=$(realpath "${1:-target/release/siaga}")
shift || true
[[ $EUID -eq 0 ]] || { echo "siaga: the lab needs root: sudo make bench" >&2; exit 2; }

cd "$(dirname "$0")/.."
# The same profile as the binary that is measured.
profile=$(basename "$(dirname "$siaga")")
case $profile in
  debug) cargo build --locked -p siaga-bench ;;
  ci | release) cargo build --profile "$profile" --locked -p siaga-bench ;;
  *) profile=release; cargo build --release --locked -p siaga-bench ;;
esac

name=bench$$
tidy() { for lab in "${name}s" "${name}f" "${name}y"; do "$siaga" lab down --name "$lab" >/dev/null 2>&1 || true; done; }
trap tidy EXIT
"target/$profile/siaga-bench" --siaga "$siaga" --name "$name" "$@"
