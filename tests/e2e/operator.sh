#!/bin/sh
# A volunteer's way, with real programs: init, join, run, in the consensus;
# restart within the epoch with the same keys; an address that is not reached is
# not published; a quota that comes to its end is announced, then kept.
# Usage: operator.sh BIN
set -eu
. "$(dirname "$0")/network.sh"
network_start "$1" --clients 2
again=
mine_stop() {
    for p in $again; do kill -9 "$p" 2>/dev/null || :; done
    network_stop
}
trap mine_stop EXIT
DIR=$NET/mine
MIXES=7 # six of the network's own

fail() {
    echo "FAILED: $*" >&2
    [ ! -f "$DIR/log" ] || tail -n 5 "$DIR/log" >&2
    exit 1
}
relay() { "$BIN/brusio-relay" "$@" --dir "$DIR"; }
run() {
    "$BIN/brusio-relay" run --dir "$DIR" --parent $$ >>"$DIR/log" 2>&1 &
    mine=$!
    again="$again $mine"
}
# until CONDITION.. holds, so many seconds at most
within() {
    left=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.2
    done
}
is_in() { relay status | grep -q '^consensus   in '; }
is_out() { relay status | grep -q '^consensus   not in '; }
says() { relay status | grep -q "$1"; }

relay init --role mix --listen 127.0.0.1:0 --network "$NET/network.json" \
    >/dev/null
relay join >"$NET/joined" 2>&1 && fail 'join without a port is known'
grep -q 'name a port' "$NET/joined" || fail 'join does not say what is missing'
run
within 10 test -s "$DIR/bound" || fail 'it does not start'
relay join >"$NET/joined" || fail "join: $(cat "$NET/joined")"
grep -q '^4 of 4 authorities have the descriptor' "$NET/joined" ||
    fail "join says $(cat "$NET/joined")"
within 90 is_in || fail 'it is not in the consensus'
echo "joined: $(tail -n 1 "$NET/joined")"

keys=$(cat "$DIR"/packet-*.key | sha256sum)
port=$(cat "$DIR/bound")
kill -TERM "$mine"
wait "$mine" || fail 'it did not leave well'
run
within 10 is_in || fail 'it does not re-join within the epoch'
[ "$(cat "$DIR/bound")" = "$port" ] || fail 'another port'
for k in "$DIR"/packet-*.key; do
    [ "$(stat -c %s "$k")" = 65 ] || fail "$k"
done
[ "$(cat "$DIR"/packet-*.key | sha256sum)" = "$keys" ] ||
    within 1 false || echo 'an epoch has passed meanwhile: keys not compared'
echo 'restarted: same port, same keys, in the consensus at once'

kill -TERM "$mine"
wait "$mine" || fail 'it did not leave well'
month=$(date -u +%Y-%m-01)
printf '%s %s\n' "$(date -u -d "$month" +%s)" 960000000 >"$DIR/quota"
echo 'quota_gb = 1' >>"$DIR/relay.conf"
run
within 10 says 'comes to its end' || fail 'status does not speak of the quota'
within 120 is_out || fail 'it is still in the consensus'
echo 'quota nearly used: announced, and left out of the consensus'
kill -TERM "$mine"
wait "$mine" || fail 'it did not leave well'
printf '%s %s\n' "$(date -u -d "$month" +%s)" 1000000000 >"$DIR/quota"
run
within 10 says 'is used up' || fail 'status does not say that it is used up'
within 10 says '^links       0 of' || fail 'links are open'
echo 'quota used: no links until the month is over'

kill -9 "$mine"
rm -rf "$DIR"
relay init --role mix --listen 127.0.0.1:0 --network "$NET/network.json" \
    >/dev/null
echo 'addresses = {"127.0.0.1:9"}' >>"$DIR/relay.conf"
run
within 30 says 'does not reach itself at 127.0.0.1:9' ||
    fail 'an address that is not reached is not told'
grep -q '127.0.0.1:9 is not reached' "$DIR/log" || fail 'the log is silent'
sleep 35
is_in && fail 'it was published all the same'
echo 'address not reached: not published, and said so'
