#!/bin/sh
# The study of doc/PARAMETERS.md: every file of sim/scenarios/study, its figures
# as CSV in OUT, and the ones that the tables show. Usage: study.sh BIN OUT
set -eu
bin=$1 out=$2
cd "$(dirname "$0")/.."
mkdir -p "$out"
shown='entropy.shannon|entropy.min|entropy.next|epsilon.mean|epsilon.own.delta_at_1|latency.store.p50|latency.store.p99|latency.p50|latency.p99|bandwidth.client|bandwidth.relay|text.latency.p50|text.latency.p99|link.up.bytes|link.down.bytes|watch.send|watch.poll|paths.corrupt|paths.caught'
for f in sim/scenarios/study/*.json; do
    name=$(basename "$f" .json)
    begin=$(date +%s)
    "$bin/brusio-sim" run --csv "$out/$name.csv" --json "$out/$name.json" "$f" >"$out/$name.txt"
    echo "== $name ($(($(date +%s) - begin)) s)"
    awk -v shown="^($shown)\$" '
        { n = match($0, /",/); name = substr($0, 2, n - 2)
          split(substr($0, n + 2), f, ",") }
        NR > 1 && f[1] ~ shown {
            printf "%-22s %-24s %10.4g %s%s\n", name, f[1], f[2],
                f[3] == "" ? "" : sprintf("+- %-8.2g ", f[3]), f[4] }' \
        "$out/$name.csv"
done
