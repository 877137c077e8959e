#!/bin/sh
# The seeded generator must not be linked into a daemon (lib/rng_seeded.h).
set -u
bad=0
for p in relay directory client testnet; do
    f=$1/brusio-$p
    [ -f "$f" ] || continue
    if nm "$f" 2>/dev/null | grep -q rng_seeded; then
        echo "links: $f contains the seeded random generator"
        bad=1
    fi
done
[ "$bad" = 0 ] && echo 'links: no daemon contains the seeded generator'
exit "$bad"
