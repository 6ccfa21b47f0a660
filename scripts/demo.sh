#!/usr/bin/env bash
# The whole procedure on this machine: two lab nodes, a real PostgreSQL under load, a real power cut. Under three minutes.
set -euo pipefail

siaga=$(realpath "${1:-target/ci/siaga}")
lab=demo$$
say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
on() { "$siaga" lab exec --name "$lab" "$1" -- "$siaga" "${@:2}"; }
# Asks again until it is so.
until_so() { # asks for a minute: how often that is depends on the machine
    local end=$((SECONDS + 60))
    while ((SECONDS < end)); do if "$@"; then return; fi; sleep 0.1; done
    echo "siaga: never: $*" >&2
    exit 1
}
site=$(mktemp)
tidy() { "$siaga" lab down --name "$lab" >/dev/null 2>&1 || true; rm -f "$site" "$site".*; }
trap tidy EXIT

[[ $EUID -eq 0 ]] || { echo "siaga: the lab needs root: sudo make demo" >&2; exit 2; }

# Who is on call, and a program that hands the alert on. A hospital has mail, a message bot, a telephone gateway.
cat >"$site" <<'END'

[[channel]]
name = "gateway"
kind = "program"
run = ["/bin/true"]

[[on_call]]
person = "budi"
channel = "gateway"
address = "0811"

[downtime]
alert_after = "3s"
END

say "1. Two servers, a client and a shared disk, made of namespaces on this machine"
"$siaga" lab up --name "$lab" --append "$site"

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
advised() { on backup status --json >"$site.status" && grep -q takeover "$site.status"; }
until_so advised
recommended=$(date +%s%6N)
on backup status | sed -n "1,4p"
alerted() { on backup notice list --json >"$site.notices" && grep -q '"state": "sent"' "$site.notices"; }
until_so alerted
on backup incident list --open
on backup estimate

say "6. Takeover by backup: serverdb is fenced first, and that is what allows it"
on backup takeover --yes --reason "serverdb is dead"

night=$(on backup incident list --json | python3 -c 'import json, sys
print([i["id"] for i in json.load(sys.stdin) if i["kind"] == "unplanned"][-1])')
watched() { # the record has its end, and the measured outage too
    on backup incident show --json "$night" >"$site.record" || return 1
    python3 -c 'import json, sys
record = json.load(open(sys.argv[1]))
known = {t["time"] for t in record["times"] if t["at"] is not None}
sys.exit(record["state"] != "under_watch" or not {"offline", "client_ok"} <= known)' "$site.record"
}
until_so watched
python3 - "$site" "$recommended" <<'END'
import json, sys
site, recommended = sys.argv[1], int(sys.argv[2])
record = json.load(open(site + ".record"))
at = {t["time"]: t["at"] for t in record["times"]}
notices = json.load(open(site + ".notices"))["notices"]
sent = [d["at"] for n in notices for r in n["recipients"] for d in r["deliveries"] if d["state"] == "sent"]
print("From the last statement that a client had answered:")
for what, when in [("takeover recommended on the screen", recommended), ("alert handed to its channel", min(sent)),
                   ("clients served again, by a scripted operator", at["client_ok"])]:
    print(f"  {what:<46} {(when - at['offline']) / 1e6:6.1f} s")
END

say "7. serverdb is repaired, and takes nothing by itself; after a check the service goes home"
"$siaga" lab power-on --name "$lab" serverdb
for _ in $(seq 100); do on serverdb status --json >/dev/null 2>&1 && break; sleep 0.1; done
on serverdb check
on serverdb failback --yes --reason "repaired"

say "8. The log book"
on serverdb log

say "9. The record of that night opened by itself; people add the all-clear, the review and their signatures"
on serverdb incident all-clear --incident "$night"
on serverdb incident close --incident "$night"
on serverdb incident review --incident "$night" --root-cause "one power cord"
on serverdb --as budi incident sign performer --incident "$night"
on serverdb incident list

say "10. What the writing client lost"
wait "$load" || true
grep -E '"rows_|"ms"' "$result" | sed 's/[",]//g'
grep -q '"rows_lost": 0' "$result" && echo "No acknowledged row was lost."
rm -f "$result"
