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
# I5: the simulator mixes and ticks with the relay's and the client's own
# objects: it defines none of their functions, and calls them.
theirs='mix|traffic|wheel|alarm|relay|client|replay|sphinx'
for o in $(find sim -name '*.c' | sed "s|^|$1/|; s|c\$|o|"); do
    own=$(nm --defined-only -g "$o" | awk '{ print $3 }' |
        grep -E "^($theirs)_" || true)
    [ -z "$own" ] || { echo "links: $o defines" $own; bad=1; }
done
uses() {
    nm -u "$1" | grep -q " $2\$" || { echo "links: $1 does not use $2"; bad=1; }
}
uses "$1/sim/packets/hops.o" mix_push
uses "$1/sim/packets/hops.o" mix_pop_due
uses "$1/sim/packets/sources.o" traffic_tick
uses "$1/sim/packets/watch.o" alarm_turn
uses "$1/sim/engine/team.o" relay_tick
uses "$1/sim/engine/world_client.o" client_tick
[ "$bad" = 0 ] && echo 'links: no daemon contains what is for simulation; no mixing of its own in sim/'
exit "$bad"
