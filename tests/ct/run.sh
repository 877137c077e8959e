#!/bin/sh
# The constant-time test under valgrind, and that it can fail. usage: run.sh CT
set -u
command -v valgrind >/dev/null || { echo 'ct: valgrind is missing'; exit 1; }
if ! valgrind -q --error-exitcode=99 "$1"; then
    echo 'ct: something depends on a secret'
    exit 1
fi
valgrind -q --error-exitcode=99 "$1" leak >/dev/null 2>&1
[ $? = 99 ] || { echo 'ct: a planted leak is not seen'; exit 1; }
echo 'ct: nothing depends on a secret; a planted leak is seen'
