#!/bin/sh
# Run every suite; a run that ends without its summary has failed.
set -u
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$1/run-tests" ${2:+"$2"} >"$out" 2>&1
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
