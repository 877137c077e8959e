#!/bin/sh
# I6 and I9 with real programs: kill -9 a store, a gateway, the sending and the
# receiving client in the middle of a file; each is started again a little
# later. The file arrives whole, once; after a start a client waits up to 90 s
# before it puts again what was under way. Usage: kills.sh BIN [WHOM]
set -eu
. "$(dirname "$0")/network.sh"
network_start "$1" --clients 2 --profile fast
pair 1 2
head -c 100000 /dev/urandom >"$NET/file"
want=$(sha256sum <"$NET/file")
passed=0 failed=0 again=

pid_of() { awk -v n="$1" '$1 == n { print $4 }' "$NET/out"; }

# Kill by id what this script or its network started, start it again.
restart() {
    program=brusio-relay
    case $1 in client-*) program=brusio-client ;; esac
    eval "pid=\${pid_$(echo "$1" | tr - _):-}"
    kill -9 "${pid:-$(pid_of "$1")}"
    sleep 2
    "$BIN/$program" run --dir "$NET/$1" --parent $$ >>"$NET/$1/log" 2>&1 &
    eval "pid_$(echo "$1" | tr - _)=$!"
    again="$again $!"
}

# The gateway that client 1 is connected to has the more clients: either will
# do, since both clients' links end when both gateways are killed.
for victim in ${2:-store-1 store-2 store-3 gateway-1 gateway-2 client-1 client-2}; do
    client 1 send client-2 --file "$NET/file" >/dev/null
    sleep 4
    restart "$victim"
    sleep 1
    ok=yes
    client 2 recv client-1 --wait 240 --out "$NET/got" >/dev/null || ok=
    [ "$(sha256sum <"$NET/got")" = "$want" ] || ok=
    rm -f "$NET/got"
    tries=0
    until [ "$(client 1 state client-2 | sed 's/,.*//')" = delivered ]; do
        tries=$((tries + 1))
        [ $tries -lt 900 ] || { ok=; break; }
        sleep 0.2
    done
    # nothing comes a second time
    if client 2 recv client-1 --wait 5 --out "$NET/got" >/dev/null 2>&1; then
        ok=
    fi
    if [ -n "$ok" ]; then
        passed=$((passed + 1))
        echo "kill -9 $victim in the middle of a file: whole, once, delivered"
    else
        failed=$((failed + 1))
        echo "kill -9 $victim in the middle of a file: FAILED"
        for log in "$NET"/*/log; do echo "== $log"; tail -n 5 "$log"; done
        client 1 status || :
        client 2 status || :
    fi
done
for pid in $again; do kill "$pid" 2>/dev/null || :; done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
