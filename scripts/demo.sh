#!/usr/bin/env bash
# The whole procedure on this machine: two lab nodes, a real PostgreSQL under load, a real power cut. Under three minutes.
set -euo pipefail

siaga=$(realpath "${1:-target/ci/siaga}")
lab=demo$$
say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
on() { "$siaga" lab exec --name "$lab" "$1" -- "$siaga" "${@:2}"; }
tidy() { "$siaga" lab down --name "$lab" >/dev/null 2>&1 || true; }
trap tidy EXIT

[[ $EUID -eq 0 ]] || { echo "siaga: the lab needs root: sudo make demo" >&2; exit 2; }

say "1. Two servers, a client and a shared disk, made of namespaces on this machine"
"$siaga" lab up --name "$lab"

say "2. The service starts on serverdb: take the disk set, mount, address, database, test from the client's side"
on serverdb start --yes --reason "first start"

say "3. A client writes all the time from now on, and keeps every row that the database acknowledged"
result=$(mktemp)
"$siaga" lab load --name "$lab" --seconds 45 --json >"$result" &
load=$!

say "4. The drill of the paper: to backup, client test, and home again"
on serverdb drill --yes --reason "monthly simulation"

say "5. serverdb loses its power, for real: what was not on the disk is gone"
"$siaga" lab cut-power --name "$lab" serverdb
on backup status | head -n 4
on backup estimate

say "6. Takeover by backup: serverdb is fenced first, and that is what allows it"
on backup takeover --yes --reason "serverdb is dead"

say "7. serverdb is repaired, and takes nothing by itself; after a check the service goes home"
"$siaga" lab power-on --name "$lab" serverdb
for _ in $(seq 100); do on serverdb status --json >/dev/null 2>&1 && break; sleep 0.1; done
on serverdb check
on serverdb failback --yes --reason "repaired"

say "8. The log book"
on serverdb log

say "9. The record of that night opened by itself; people add the all-clear, the review and their signatures"
on serverdb incident all-clear
on serverdb incident list

say "10. What the writing client lost"
wait "$load" || true
grep -E '"rows_|"ms"' "$result" | sed 's/[",]//g'
grep -q '"rows_lost": 0' "$result" && echo "No acknowledged row was lost."
rm -f "$result"
