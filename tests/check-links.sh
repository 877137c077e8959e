#!/bin/sh
# Neither the seeded generator (lib/rng_seeded.h) nor secrets in ordinary memory
# (lib/secret_plain.h) may be linked into a daemon.
set -u
bad=0
for p in relay directory client testnet; do
    f=$1/brusio-$p
    [ -f "$f" ] || continue
    if nm "$f" 2>/dev/null | grep -q rng_seeded; then
        echo "links: $f contains the seeded random generator"
        bad=1
    fi
    if nm "$f" 2>/dev/null | grep -q secret_plain; then
        echo "links: $f can keep secrets in ordinary memory"
        bad=1
    fi
done
[ "$bad" = 0 ] && echo 'links: no daemon contains the seeded generator'
exit "$bad"
