#!/bin/sh
# The voting, and who mixes which share when, checked in every state by spin: as it is
# without an error, and with a rule left out with one. Usage: run.sh BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/model"
cd "$1/model"
bad=0

# check WHAT EXPECTED MODEL [DEFINES]: EXPECTED errors are 0 or some.
check() {
    what=$1 expected=$2 model=$3
    shift 3
    spin -a "$@" "$here/$model.pml" >spin.out || { cat spin.out; exit 1; }
    ${CC:-cc} -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=3000 -o pan pan.c
    ./pan -m2000000 >pan.out 2>&1 || { cat pan.out; exit 1; }
    errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out)
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.out)
    # a search that did not end proves nothing
    if grep -q 'max search depth too small\|out of memory\|truncated' pan.out ||
        [ -z "$errors" ]; then
        cat pan.out
        exit 1
    fi
    if [ "$errors" = 0 ]; then got=none; else got=some; fi
    if [ "$got" = "$expected" ]; then
        echo "model: $what: errors: $errors, as expected ($states states)"
    else
        echo "model: $what: errors: $errors, expected: $expected"
        bad=1
    fi
}

check '4 authorities, 1 liar, 2 rounds' none rounds
check '7 authorities, 1 liar, 2 rounds' none rounds -DHONEST=6 -DFAULTS=1 -DVALUES=2
check '7 authorities, 2 liars, 3 rounds' none rounds -DHONEST=5 -DFAULTS=2 -DVALUES=2
check '4 authorities, 1 liar, a round less' some rounds -DROUNDS=1
check '7 authorities, 2 liars, a round less' some rounds -DHONEST=5 -DFAULTS=2 -DVALUES=2 -DROUNDS=2
check '4 authorities, 1 liar, signing' none signing
check '7 authorities, 2 liars, signing' none signing -DHONEST=5 -DFAULTS=2
check '4 authorities, 2 liars, signing' some signing -DHONEST=2 -DFAULTS=2
check '4 authorities, 1 liar, a lost disk forgets' some signing -DFORGETS
check 'shares, 5 letters each' none shares
check 'shares, 5 letters each, of one part' none shares -DPARTS=1
check 'shares, 6 letters each: one is mixed' some shares -DLETTERS=6 -DREACHED=1
check 'shares, of one part: two are mixed' some shares -DLETTERS=6 -DPARTS=1 -DREACHED=2
check 'shares, whose maker mixes first' some shares -DEARLY
exit $bad
