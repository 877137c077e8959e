#!/bin/sh
# What valgrind cannot run, by its machine code; and that this can fail.
# usage: registers.sh OBJECT... PLANTED
set -u
here=$(dirname "$0")
objects=
while [ $# -gt 1 ]; do objects="$objects $1"; shift; done
# comb_make works on the base point alone
# shellcheck disable=SC2086
python3 "$here/registers.py" --public comb_make $objects || exit 1
found=$(python3 "$here/registers.py" "$1")
for leak in 'address of a secret' 'jump on a secret'; do
    case "$found" in
    *"$leak"*) ;;
    *) echo "ct: a planted leak is not seen: $leak"; exit 1 ;;
    esac
done
echo 'ct: planted leaks in machine code are seen'
