#!/bin/sh
# What is too long for `make check`: the same tests at their full size (longer
# courses, more packets, every allocation, every epoch), and then every invariant
# broken on purpose (tests/invariants.sh). The last line counts.
# usage: tests/proof.sh BUILD
set -u
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
count() {
    sed -n "$1" "$log" | awk '{ s += $1 } END { print s + 0 }'
}
# As many at once as there are cores; what each says is printed as one piece.
jobs=$(nproc)
suites() { # scenarios are longest
    for f in tests/scenario/test_*.c tests/[!s]*/test_*.c; do
        f=${f##*/test_}
        echo "${f%.c}"
    done
}
shares() {
    i=0
    while [ $((i += 1)) -le "$jobs" ]; do echo "$i/$jobs"; done
}
# Run a command with each line of the input in the place of {}.
each() {
    xargs -P "$jobs" -I{} sh -c '
        said=$("$@" 2>&1)
        status=$?
        printf "%s\n" "$said"
        exit "$((status != 0))"' each "$@" >"$log" 2>&1
}

suites | BRUSIO_TEST_PROOF=1 each tests/run.sh "$1" '{}/*'
status=$?
grep -v -E '^(seed|\[==========\]|[0-9]* attacks)' "$log"
passed=$(count 's/^\[  PASSED  \] \([0-9]*\) test(s).*/\1/p')
failed=$(count 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p')
[ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1
make -s MODE=release all || exit 1
shares | each tests/invariants.sh --part '{}'
status=$?
cat "$log"
noticed=$(count 's/^invariants: \([0-9]*\) changes noticed.*/\1/p')
faults=$(count 's/^invariants: .* noticed, \([0-9]*\) faults.*/\1/p')
[ "$status" = 0 ] || [ "$faults" -gt 0 ] || faults=1
echo "proof: $passed tests passed, $noticed broken invariants noticed," \
    "$((failed + faults)) failed"
[ "$passed" -gt 0 ] && [ "$((failed + faults))" = 0 ]
