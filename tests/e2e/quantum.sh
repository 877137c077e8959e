#!/bin/sh
# Shares of ML-KEM-768 between real clients: that they come to be mixed while two talk,
# that `contacts` says so, and what it says where a library lacks. TOY stands for a
# libsodium that has it, where OpenSSL has not (toy_sodium.c). Usage: quantum.sh BIN TOY
set -eu
here=$(dirname "$0")
toy=$2
. "$here/network.sh"
fail() { echo "quantum: $*" >&2; exit 1; }
# reads N TEXT: the next message is this.
reads() {
    got=$(client "$1" recv --wait 60)
    [ "${got#*] }" = "$2" ] || fail "instead of '$2' came '$got'"
}
# says N NAME TEXT: what contacts says of NAME.
says() {
    client "$1" contacts | grep "^$2 " | grep -q -F "$3" ||
        fail "client $1 does not say '$3': $(client "$1" contacts)"
}
# talk A B N: N texts each way.
talk() {
    i=0
    while [ $((i += 1)) -le "$3" ]; do
        client "$1" send "client-$2" "to $2: $i" >/dev/null
        reads "$2" "client-$1: to $2: $i"
        client "$2" send "client-$1" "to $1: $i" >/dev/null
        reads "$1" "client-$2: to $1: $i"
    done
}
has_openssl() { openssl list -kem-algorithms 2>/dev/null | grep -q -i 'ml-kem-768'; }

LD_PRELOAD=$toy network_start "$1" --clients 3 --profile fast
if ! has_openssl; then # the third client is of a machine without
    kill "$(awk '$1 == "client-3" { print $4 }' "$NET/out")"
    sleep 1
    "$1/brusio-client" run --dir "$NET/client-3" >"$NET/third" 2>&1 &
    third=$!
    trap 'kill $third 2>/dev/null || :; network_stop' EXIT
fi

pair 1 2
talk 1 2 1
says 1 client-2 'post-quantum: '
talk 1 2 6
says 1 client-2 'post-quantum: yes'
says 2 client-1 'post-quantum: yes'
client 1 contacts --json | grep -q '"post_quantum": *"yes"' || fail 'not in JSON'

pair 1 3
talk 1 3 3
if has_openssl; then
    talk 1 3 5
    says 3 client-1 'post-quantum: yes'
else
    says 3 client-1 'neither OpenSSL 3.5 nor libsodium 1.0.22 is here'
    says 1 client-3 'libsodium 1.0.22 is on the other side'
fi
echo 'quantum: shares are mixed, and contacts says so'
