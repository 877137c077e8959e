#!/bin/sh
# All benches: their tables on stdout, "name value" lines gathered as JSON.
# Usage: run.sh OUT JSON
set -eu
out=$1 json=$2
all=$(mktemp)
trap 'rm -f "$all"' EXIT
for b in "$out"/bench_*; do
    [ -x "$b" ] && [ -f "$b" ] || continue
    case $b in *.o | *.d) continue ;; esac
    "$b" | tee -a "$all"
done
"$out/brusio-sim" bench | tee -a "$all"
# a line "name number unit .." is a figure; names hold a dot
awk 'BEGIN { print "{" }
    $1 ~ /^[a-z0-9_]+\.[a-z0-9_.]+$/ && $2 ~ /^[0-9.]+$/ {
        printf "%s  \"%s\": {\"value\": %s, \"unit\": \"%s\"}", sep, $1, $2, $3
        sep = ",\n"
    }
    END { print "\n}" }' "$all" >"$json"
echo "written to $json"
