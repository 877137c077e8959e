#!/bin/sh
# I11: a stranger holds 140 idle sockets at each of two of four authorities, and
# then as many as his and their descriptors allow: a consensus comes in every
# epoch, with every relay in it, at each authority; a text arrives.
# Usage: idle.sh BIN
set -eu
here=$(dirname "$0")
. "$here/network.sh"
EPOCH_S=30
STRANGER=
fail() { echo "idle: $*" >&2; exit 1; }
status() { sed -n "s/^$2 //p" "$NET/authority-$1/status"; }
end() {
    [ -z "$STRANGER" ] || kill "$STRANGER" 2>/dev/null || :
    network_stop
}
# The address of authority N, by what it says.
address() {
    sed -n 's/.*serving on \([0-9.:]*\).*/\1/p' "$NET/authority-$1/log" |
        tail -n 1
}
# watch WHO EPOCHS: each of the next so many epochs has its consensus in time,
# at every authority.
watch() {
    first=$(status 1 epoch)
    for e in $(seq $((first + 1)) $((first + $2))); do
        begins=$((genesis + (e - 1) * EPOCH_S))
        for a in 1 2 3 4; do
            while [ "$(status $a epoch)" -lt "$e" ]; do
                [ "$(date +%s)" -le $((begins + 5)) ] ||
                    fail "$1: authority $a has no consensus of epoch $e"
                sleep 0.2
            done
        done
        n=$(grep -o '"identity"' "$NET/authority-1/consensus" | wc -l)
        [ "$n" -eq "$relays" ] || fail "$1: $n relays of $relays in epoch $e"
    done
    client 1 send client-2 "$1" >/dev/null
    got=$(client 2 recv client-1 --wait 60)
    [ "${got#*] }" = "client-1: $1" ] || fail "instead of '$1' came '$got'"
}
# attack COUNT: from now on.
attack() {
    [ -z "$STRANGER" ] || kill "$STRANGER"
    "$here/idle.py" "$1" "$(address 1)" "$(address 2)" >"$NET/idle" 2>&1 &
    STRANGER=$!
}

network_start "$1" --authorities 4 --clients 2 --profile fast --epoch $EPOCH_S
trap end EXIT
genesis=$(sed -n 's/.*"genesis_s": *\([0-9]*\).*/\1/p' "$NET/network.json")
relays=$(grep -o '"identity"' "$NET/authority-1/consensus" | wc -l)
[ -n "$genesis" ] && [ "$relays" -gt 4 ] || fail 'no genesis, or no relays'
pair 1 2
attack 140
watch '140 idle sockets at each of two' 2
attack 0
watch 'as many as descriptors allow' 2
kill -0 $STRANGER || fail "the stranger has ended: $(tail -n 1 "$NET/idle")"
grep -q '^connections gave way [1-9]' "$NET/authority-1/status" ||
    fail 'nobody had to give way, so nothing was shown'
echo "idle: 140 idle sockets at each of two authorities, then $(tail -n 1 \
    "$NET/idle" | cut -d' ' -f2-): every epoch has its consensus"
