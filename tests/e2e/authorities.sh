#!/bin/sh
# A network of four authorities: messages are delivered while one is killed, and
# through an epoch for which there is no consensus since two are down.
# Usage: authorities.sh BIN
set -eu
. "$(dirname "$0")/network.sh"
BIN=$1
KILLED=
EPOCH_S=30
fail() { echo "authorities: $*" >&2; exit 1; }
pid_of() { sed -n "s/^$1 .*pid \([0-9]*\)$/\1/p" "$NET/out"; }
status() { sed -n "s/^$2 //p" "$NET/authority-$1/status"; }
end() {
    for p in $KILLED; do kill "$p" 2>/dev/null || :; done
    network_stop
}

# Kill authority N, wherever it was started.
stop() {
    eval "p=\${BACK_$1:-}"
    [ -n "$p" ] || p=$(pid_of "authority-$1")
    kill -"$2" "$p"
    while kill -0 "$p" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$p/status" \
        2>/dev/null; do
        sleep 0.1
    done
}
back() {
    "$BIN/brusio-directory" run --dir "$NET/authority-$1" --parent $$ \
        >>"$NET/authority-$1/log" 2>&1 </dev/null &
    eval "BACK_$1=$!"
    KILLED="$KILLED $!"
}
# text WHAT: one goes through.
text() {
    client 1 send client-2 "$1" >/dev/null
    got=$(client 2 recv client-1 --wait 60)
    [ "${got#*] }" = "client-1: $1" ] || fail "instead of '$1' came '$got'"
}
# epoch N: authority 1 has the consensus of epoch N within two epochs.
epoch() {
    tries=0
    until [ "$(status 1 epoch)" -ge "$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt $((20 * EPOCH_S)) ] || fail "no consensus of epoch $1"
        sleep 0.1
    done
}

network_start "$1" --authorities 4 --clients 2 --profile fast --epoch $EPOCH_S
trap end EXIT
pair 1 2
text 'with four'
e=$(status 1 epoch)

stop 3 KILL
epoch $((e + 2))
text 'with three'
echo "authorities: one is killed: epochs $((e + 1)) and $((e + 2)) have their consensus, texts arrive"
back 3
epoch $((e + 3))

stop 3 TERM
stop 4 TERM
missed=$(($(status 1 epoch) + 1))
sleep $((EPOCH_S + 5))
[ "$(status 1 epoch)" -lt "$missed" ] || fail 'two of four have made a consensus'
text 'with two'
back 3
back 4
epoch $((missed + 1))
text 'with four again'
[ "$(status 1 epoch)" -gt "$missed" ]
echo "authorities: two are down: epoch $missed has no consensus, texts arrive; then they are back"
