#!/bin/sh
# Line coverage of the files that read what others wrote, by gcov, after
# `make check-quick MODE=cov`. Fails where it is below COVERAGE_MIN per cent.
# usage: tests/coverage.sh [BUILD]
set -u
out=${1:-build/cov}
min=${COVERAGE_MIN:-90}
files='lib/wire.c lib/codec.c lib/http_head.c lib/os/config.c
lib/os/config_scan.c
network/document.c network/json.c directory/json_vote.c
network/descriptor.c network/fetch.c network/receive.c
client/letters/letter.c client/letters/invite.c client/disk/journal.c sphinx/unwrap.c
sim/scenario/json.c sim/scenario/json_values.c sim/scenario/scenario_check.c'
bad=0
for f in $files; do
    data=$out/${f%.c}
    if [ ! -f "$data.gcda" ]; then
        echo "coverage: $f: no data in $out; run make check-quick MODE=cov"
        bad=1
        continue
    fi
    # gcov tells of the headers too: take the line after this file's name
    share=$(gcov -n -o "$data.gcno" "$f" 2>/dev/null |
        awk -v name="File '$f'" '$0 == name { hit = 1; next }
            hit { sub(/Lines executed:/, ""); print; exit }')
    case "$share" in
    [0-9]*%*) ;;
    *)
        echo "coverage: $f: gcov says nothing"
        bad=1
        continue ;;
    esac
    if awk -v s="${share%%\%*}" -v m="$min" 'BEGIN { exit !(s < m) }'; then
        echo "coverage: $f: $share lines, below $min%"
        bad=1
    else
        echo "coverage: $f: $share lines"
    fi
done
exit "$bad"
