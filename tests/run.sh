#!/bin/sh
# Run the tests of a pattern, or every suite: as many at once as there are cores,
# longest folder first, and what each says is printed as one piece. A run that
# ends without its summary has failed. The last lines count.
# usage: tests/run.sh BUILD [PATTERN]
set -u
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
count() {
    sed -n "$1" "$out" | awk '{ s += $1 } END { print s + 0 }'
}
suites() {
    for f in tests/scenario/test_*.c tests/[!s]*/test_*.c; do
        f=${f##*/test_}
        echo "${f%.c}/*"
    done
}
if [ $# -gt 1 ]; then
    "$1/run-tests" "$2" >"$out" 2>&1
    status=$?
    if [ "$status" != 0 ] || [ -n "${V:-}" ]; then
        cat "$out"
    else
        grep -v -E '^\[ (RUN|      OK) ' "$out"
    fi
    # a sanitizer may have a word after it
    grep -q -E '^\[  PASSED  \]|FAILED TEST' "$out" || {
        echo "[  FAILED  ] 1 test(s): the runner died before its summary"
        exit 1
    }
    exit "$status"
fi
suites | xargs -P "$(nproc)" -I{} sh -c '
    said=$("$@" 2>&1)
    status=$?
    printf "%s\n" "$said"
    exit "$((status != 0))"' each "$0" "$1" '{}' >"$out" 2>&1
status=$?
grep -v -E '^(seed|[0-9]* attacks|\[==========\]|\[  PASSED  \])' "$out"
passed=$(count 's/^\[  PASSED  \] \([0-9]*\) test(s).*/\1/p')
failed=$(count 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p')
grep -m 1 '^seed' "$out"
grep -m 1 '^[0-9]* attacks' "$out"
echo "[  PASSED  ] $passed test(s)."
[ "$failed" = 0 ] || echo "run: $failed failed, in all"
[ "$status" = 0 ] && [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
