#!/bin/sh
# Run the tests of a pattern, or every suite: as many at once as there are cores,
# longest folder first, and what each says is printed as one piece, when all have
# ended; meanwhile standard error says how far it is, and which suites took long. A
# run that ends without its summary has failed. The last lines count.
# BRUSIO_TEST_PART=2/3: the second of three shares of the suites.
# usage: tests/run.sh BUILD [PATTERN]
set -u
out=$(mktemp) || exit 1
ended=$(mktemp) || exit 1
trap 'rm -f "$out" "$ended"' EXIT
count() {
    sed -n "$1" "$out" | awk '{ s += $1 } END { print s + 0 }'
}
part=${BRUSIO_TEST_PART:-1/1}
suites() {
    for f in tests/scenario/test_*.c tests/[!s]*/test_*.c; do
        f=${f##*/test_}
        echo "${f%.c}/*"
    done | awk -v i="${part%/*}" -v n="${part#*/}" 'NR % n == i % n'
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
exec 3>&2
suites | xargs -P "$(nproc)" -I{} sh -c '
    since=$(date +%s)
    said=$("$2" "$3" "$4" 2>&1)
    status=$?
    printf "%s\n" "$said"
    echo >>"$1"
    echo "$(wc -l <"$1") of $5 suites: ${4%/*}, $(($(date +%s) - since)) s" >&3
    exit "$((status != 0))"' each "$ended" "$0" "$1" '{}' "$(suites | wc -l)" \
    >"$out" 2>&1
status=$?
grep -v -E '^(seed|[0-9]* attacks|\[==========\]|\[  PASSED  \])' "$out"
passed=$(count 's/^\[  PASSED  \] \([0-9]*\) test(s).*/\1/p')
failed=$(count 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p')
grep -m 1 '^seed' "$out"
grep -m 1 '^[0-9]* attacks' "$out"
echo "[  PASSED  ] $passed test(s)."
[ "$failed" = 0 ] || echo "run: $failed failed, in all"
[ "$status" = 0 ] && [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
