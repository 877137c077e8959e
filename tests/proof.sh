#!/bin/sh
# What is too long for `make check`: the same tests at their full size (longer
# courses, more packets, every allocation, every epoch), the random courses of ratchets
# of tests/independent, and then every invariant broken on purpose
# (tests/invariants.sh). The last line counts.
#
# It takes hours on two cores. `make proof PART=1/3` does the first of three shares,
# which can be run on three machines, or one after another: together they are all of it.
# usage: tests/proof.sh BUILD
set -u
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
count() {
    sed -n "$1" "$log" | awk '{ s += $1 } END { print s + 0 }'
}
jobs=$(nproc)
share=${PART:-1/1} of=${PART:+ (part $PART)}

BRUSIO_TEST_PROOF=1 BRUSIO_TEST_PART=$share tests/run.sh "$1" >"$log"
status=$?
cat "$log"
passed=$(count 's/^\[  PASSED  \] \([0-9]*\) test(s).*/\1/p')
failed=$(count 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p')
[ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1
if [ "${share%/*}" = 1 ]; then
    make -s MODE=release all build/release/independent-peer || exit 1
    BRUSIO_TEST_PROOF=1 tests/independent/run.py build/release ratchets \
        >"$log" 2>&1
    status=$?
    cat "$log"
    passed=$((passed + $(count 's/^\[  PASSED  \] \([0-9]*\) test(s).*/\1/p')))
    [ "$status" = 0 ] || failed=$((failed + 1))
fi
# each job takes one of so many shares of this share of the rows
i=$(((${share%/*} - 1) * jobs)) n=$((${share#*/} * jobs)) last=$((i + jobs))
while [ $((i += 1)) -le "$last" ]; do echo "$i/$n"; done |
    xargs -P "$jobs" -I{} sh -c '
        said=$(tests/invariants.sh --part "$1" 2>&1)
        status=$?
        printf "%s\n" "$said"
        exit "$((status != 0))"' share '{}' >"$log" 2>&1
status=$?
cat "$log"
noticed=$(count 's/^invariants: \([0-9]*\) changes noticed.*/\1/p')
faults=$(count 's/^invariants: .* noticed, \([0-9]*\) faults.*/\1/p')
[ "$status" = 0 ] || [ "$faults" -gt 0 ] || faults=1
echo "proof$of: $passed tests passed, $noticed broken invariants noticed," \
    "$((failed + faults)) failed"
[ "$passed" -gt 0 ] && [ "$((failed + faults))" = 0 ]
