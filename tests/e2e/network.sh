# tests/e2e/network.sh - sourced by the scripts beside it: a test network in a
# directory of its own, stopped when the script ends.
#
#   network_start BIN [brusio-testnet's options]   sets NET, PID
#   client N COMMAND ..                            brusio-client of client N
#   pair A B                                       makes them each other's
#                                                  contact: client-B, client-A

network_stop() {
    [ -z "${PID:-}" ] || { kill -INT "$PID" 2>/dev/null; wait "$PID"; } || :
    [ -z "${NET:-}" ] || rm -rf "$NET"
    PID= NET=
}

# I4: the consensus has cover for clients of each profile and for relays, the
# network's defaults.
network_covers() {
    mhz=$(grep -o -E '"(relay_)?loop_mhz":[0-9]+' "$1" | sort | tr '\n' ' ')
    ours='"loop_mhz":125 "loop_mhz":500 "loop_mhz":500 "relay_loop_mhz":500 '
    [ "$mhz" != "$ours" ] || return 0
    echo "the consensus has not the default cover: $mhz" >&2
    return 1
}

network_start() {
    BIN=$1
    shift
    NET=$(mktemp -d /tmp/brusio-XXXXXX)
    trap network_stop EXIT
    trap 'exit 1' INT TERM HUP
    : >"$NET/out"
    "$BIN/brusio-testnet" run --dir "$NET" "$@" >"$NET/out" 2>&1 &
    PID=$!
    tries=0
    until grep -q '^ready$' "$NET/out"; do
        if ! kill -0 "$PID" 2>/dev/null || [ $tries -gt 900 ]; then
            echo 'the test network did not start:' >&2
            tail -n 3 "$NET/out" "$NET"/*/log >&2
            exit 1
        fi
        tries=$((tries + 1))
        sleep 0.2
    done
    network_covers "$NET/authority-1/consensus" || exit 1
}

client() {
    n=$1
    shift
    "$BIN/brusio-client" "$@" --dir "$NET/client-$n"
}

pair() {
    invitation=$(client "$1" invite "client-$2")
    client "$2" add "client-$1" "$invitation"
}

# Seconds since some moment, with two decimals.
now_ms() { date +%s%3N; }
seconds() { printf '%d.%02d' $(($1 / 1000)) $(($1 % 1000 / 10)); }
