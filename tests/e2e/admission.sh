#!/bin/sh
# A relay asks to be let in, an operator decides; and an authority whose identity
# is kept elsewhere gets its certificate. Usage: admission.sh BIN
set -eu
BIN=$1
DIR=$(mktemp -d /tmp/brusio-XXXXXX)
PID=
fail() { echo "admission: $*" >&2; exit 1; }
stop() {
    [ -z "$PID" ] || { kill "$PID" 2>/dev/null; wait "$PID"; } || :
    PID=
}
trap 'stop; rm -rf "$DIR"' EXIT
directory() { c=$1; shift; "$BIN/brusio-directory" "$c" --dir "$DIR/authority" "$@"; }
relay() { c=$1; shift; "$BIN/brusio-relay" "$c" --dir "$DIR/relay" "$@"; }
start() {
    : >"$DIR/ready"
    "$BIN/brusio-directory" run --dir "$DIR/authority" --ready-fd 3 \
        --parent $$ >>"$DIR/log" 2>&1 3>"$DIR/ready" &
    PID=$!
    tries=0
    until grep -q '^http ' "$DIR/ready"; do
        tries=$((tries + 1))
        kill -0 "$PID" 2>/dev/null && [ $tries -lt 100 ] ||
            { cat "$DIR/log"; fail 'the authority does not start'; }
        sleep 0.1
    done
}
# says WORDS: what join prints.
says() {
    relay join >"$DIR/joined" 2>&1 || :
    grep -q "$1" "$DIR/joined" || { cat "$DIR/joined"; fail "join does not say '$1'"; }
}

id=$(directory init | sed -n 's/^identity //p')
echo 'listen = "127.0.0.1:0"' >>"$DIR/authority/directory.conf"
net() {
    cat >"$DIR/network.json" <<N
{"authorities": [{"address": "$1", "identity": "$id"}], "epoch_len_s": 3600,
 "gateways": [], "genesis_s": $(($(date +%s) + 3000)), "name": "e2e",
 "geometry": {"delay_unit_us": 1000, "hops": 5, "packet_len": 2048, "suite": 1}}
N
    cp "$DIR/network.json" "$DIR/authority/network.json"
}
# a port that was free a moment ago
net 127.0.0.1:1
start
address=$(sed -n 's/^http //p' "$DIR/ready")
stop
sed -i '$d' "$DIR/authority/directory.conf"
echo "listen = \"$address\"" >>"$DIR/authority/directory.conf"
net "$address"
relay init --role mix --listen 127.0.0.1:7999 --network "$DIR/network.json" \
    >"$DIR/init"
rid=$(sed -n 's/^identity //p' "$DIR/init")
start

says 'waits for the operator'
sleep 1.5
directory pending | grep -q "^$rid mix 127.0.0.1:7999" || fail 'it is not pending'
directory approve "$(echo "$rid" | cut -c1-8)" | grep -q "^$rid: approve" ||
    fail 'a short identity is not taken'
says '1 of 1 authorities have the descriptor'
directory reject --reason 'not this week' "$rid" >/dev/null
says 'rejected it: not this week'
directory ban "$rid" >/dev/null
says 'banned'
directory forget "$rid" >/dev/null
says 'waits for the operator'
echo 'admission: a relay waits, is approved, rejected with a reason, banned, forgotten'

stop
cp "$DIR/authority/certificate" "$DIR/before"
directory renew
cmp -s "$DIR/authority/certificate" "$DIR/before" && fail 'renew makes no certificate'
start
says 'waits for the operator'
echo 'admission: working keys are renewed'
stop
sleep 1 # a certificate of the same second need not be the newer one
mkdir "$DIR/drawer"
mv "$DIR/authority/authority.key" "$DIR/drawer/"
! directory renew 2>"$DIR/said" || fail 'renew without the identity'
grep -q 'request' "$DIR/said" || fail 'renew does not say what to do'
directory request >"$DIR/request"
"$BIN/brusio-directory" certify --dir "$DIR/drawer" --request "$DIR/request" \
    --days 3 >"$DIR/certificate"
directory install --certificate "$DIR/certificate"
start
grep -q 'runs out in [23] days' "$DIR/log" || fail 'nothing is said of the end of the certificate'
directory approve "$rid" >/dev/null
says '1 of 1 authorities have the descriptor'
"$BIN/brusio-relay" family --dir "$DIR/drawer" "$rid" >"$DIR/family"
cp "$DIR/relay/relay.conf" "$DIR/relay.conf"
sed "s/^family = .*$/$(sed -n 2p "$DIR/family")/" "$DIR/relay.conf" >"$DIR/relay/relay.conf"
grep -q "^family = \"[0-9a-f]\{64\}:" "$DIR/relay/relay.conf" ||
    sed -n 2p "$DIR/family" >>"$DIR/relay/relay.conf"
says '1 of 1 authorities have the descriptor'
relay check 2>&1 | grep -q 'family: signed for this relay' || fail 'check does not know the family'
"$BIN/brusio-relay" family --dir "$DIR/drawer" "$id" >"$DIR/family"
sed "s/^family = .*$/$(sed -n 2p "$DIR/family")/" "$DIR/relay/relay.conf" >"$DIR/other.conf"
cp "$DIR/other.conf" "$DIR/relay/relay.conf"
says 'family_signature: signature is wrong'
cp "$DIR/relay.conf" "$DIR/relay/relay.conf"
relay leave | grep -q '^1 of 1 authorities know that it leaves; it is out' || fail 'it cannot leave'
echo 'admission: a family has to be signed for the relay; a relay leaves'
stop
sed 's/^\(brusio-certificate.1 .\{8\}\)./\10/' "$DIR/certificate" >"$DIR/bad"
cmp -s "$DIR/bad" "$DIR/certificate" ||
    { ! directory install --certificate "$DIR/bad" 2>/dev/null || fail 'a wrong certificate is taken'; }
echo 'admission: with the identity in a drawer, a certificate of three days is used'
