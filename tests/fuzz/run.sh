#!/bin/sh
# Run the harnesses side by side. usage: run.sh FOLDER SECONDS HARNESS...
# Starts from the committed corpus; new inputs go to FOLDER/corpus.
set -u
folder=$1 seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
cd "$folder" || exit 1
pids=
for h in "$@"; do
    name=${h#fuzz_}
    mkdir -p "corpus/$name" "$here/corpus/$name"
    "./$h" -max_total_time="$seconds" -max_len=8192 -timeout=10 \
        -artifact_prefix="found-$name-" -print_final_stats=1 \
        "corpus/$name" "$here/corpus/$name" >"$name.log" 2>&1 &
    pids="$pids $!:$name"
done
status=0
for p in $pids; do
    name=${p#*:}
    if wait "${p%:*}"; then
        echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' \
            "$name.log") inputs in $seconds s, nothing found"
    else
        tail -n 30 "$name.log"
        echo "fuzz: $name: see $folder/$name.log and $folder/found-$name-*"
        status=1
    fi
done
exit $status
