#!/bin/sh
# The simulator against closed forms and published figures: every file of
# sim/scenarios/accept; then, is the output the same whatever the threads?
# Usage: sim_accept.sh BIN
set -u
bin=$1
cd "$(dirname "$0")/.." || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0
for f in sim/scenarios/accept/*.json; do
    begin=$(date +%s)
    "$bin/brusio-sim" run --quiet "$f" >"$out/text" 2>"$out/error"
    status=$?
    met=$(grep -c '^  ok ' "$out/text")
    echo "$(basename "$f" .json): $met met, $(grep -c '^  MISSED' "$out/text") missed, $(($(date +%s) - begin)) s"
    case $f in
    */announce.json | */texts.json)
        grep -E '\(seed|text\.(arrived|latency\.p(50|99)|lost|twice)' "$out/text"
        ;;
    esac
    if [ $status != 0 ] || [ "$met" = 0 ]; then
        cat "$out/error"
        grep '^  MISSED' "$out/text"
        failed=$((failed + 1))
    fi
done
for f in sim/scenarios/accept/T04.json sim/scenarios/testnet.json; do
    for threads in 1 2; do
        "$bin/brusio-sim" run --quiet --runs 4 --threads $threads --json - "$f" \
            >"$out/$threads" || failed=$((failed + 1))
    done
    if cmp -s "$out/1" "$out/2"; then
        echo "$(basename "$f" .json): the same with 1 and 2 threads"
    else
        echo "$(basename "$f" .json): other output with 2 threads than with 1"
        failed=$((failed + 1))
    fi
done
[ $failed = 0 ] && echo 'sim-accept: all met' || echo "sim-accept: $failed failed"
[ $failed = 0 ]
