#!/bin/sh
# All benches: their tables on stdout, their figures as a list in JSON.
# Usage: run.sh OUT JSON [ONLY]; ONLY is what the names must begin with.
#
# A line of a table is "name median least most per_x" in microseconds; a rate
# is "name N packets/s" or "name N million/s", memory "name N MiB" or "name N
# octets", a part "name N ratio". What `make latency` has measured is taken over from
# latency.json beside JSON, as "name N ms"; what is not there, or older than the
# programs in OUT, is said on stderr.
set -eu
out=$1 json=$2 only=${3:-}
all=$(mktemp)
trap 'rm -f "$all"' EXIT
for b in "$out"/bench_*; do
    [ -x "$b" ] && [ -f "$b" ] || continue
    BENCH_ONLY=$only "$b" "$out" | tee -a "$all"
done
latency=$(dirname "$json")/latency.json
python3 - "$latency" "$only" "$out" <<'END' | tee -a "$all"
import json
import os
import sys

path, only, out = sys.argv[1:]
HOW = {"text": "make latency", "first": "make latency CONTACTS=50 FIRST=20"}
measured, built_s = {}, 0
if os.path.exists(path):
    with open(path, encoding="utf-8") as file:
        measured = json.load(file)
for program in ("brusio-relay", "brusio-client", "brusio-testnet"):
    program = os.path.join(out, program)
    if os.path.exists(program):
        built_s = max(built_s, os.path.getmtime(program))
for kind, how in HOW.items():
    name = f"e2e.{kind}.median_ms"
    if not name.startswith(only):
        continue
    if kind not in measured:
        print(f"{name} is not measured: {how}", file=sys.stderr)
        continue
    print(f"{name:28} {measured[kind]['median_ms']:9} ms")
    if measured[kind].get("at_s", 0) < built_s:
        print(f"{name} is older than the programs: {how}", file=sys.stderr)
END
awk 'BEGIN { print "[" }
    function item(name, unit, median, best, per_x) {
        printf "%s  {\"name\": \"%s\", \"unit\": \"%s\", \"median\": %s,", sep,
            name, unit, median
        printf " \"best\": %s, \"per_x\": %s}", best, per_x
        sep = ",\n"
    }
    $3 == "million/s" { item($1, $3, $2, $2, "null") }
    $3 == "ms" { item($1, $3, $2, $2, "null") }
    $3 == "octets" { item($1, $3, $2, $2, "null") }
    $3 == "MiB" { item($1, $3, $2, $2, "null") }
    $3 == "ratio" { item($1, $3, $2, $2, "null") }
    $3 == "packets/s" || $3 == "puts/s" { item($1, $3, $2, $2, "null") }
    NF == 5 && $1 ~ /^[a-z0-9]+\.[a-z0-9_.]+$/ { item($1, "us", $2, $3, $5) }
    END { print "\n]" }' "$all" >"$json"
echo "written to $json"
