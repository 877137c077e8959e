#!/bin/sh
# The main job, shown: a network of real programs on this machine carries a
# text, its answer and a file. Usage: demo.sh BIN [brusio-testnet's options]
set -eu
. "$(dirname "$0")/network.sh"

echo 'Starting four authorities, two gateways, three layers of two mixes, three stores'
echo 'and four clients on this machine. Every one is a process of its own, every'
echo 'link is TLS, and all of them send cover traffic from now on.'
network_start "$@"
grep '^epoch' "$NET/out"
grep '^client' "$NET/out"
pair 1 2
pair 3 4

echo
echo 'client-1 sends client-2 a text through gateway, three mixes and a store.'
# carry FROM TO TEXT: sets took_ms
carry() {
    start=$(now_ms)
    client "$1" send "client-$2" "$3" >/dev/null
    got=$(client "$2" recv "client-$1" --wait 120)
    took_ms=$(($(now_ms) - start))
    [ "${got#*] }" = "client-$1: $3" ] || { echo "another text arrived: $got"; exit 1; }
    echo "client-$2 reads: $got"
}
carry 1 2 'Nobody can tell that this was sent.'
text_ms=$took_ms
carry 2 1 'Nor this.'
answer_ms=$took_ms
state=$(client 1 state client-2)

echo
echo 'client-3 sends client-4 a file of 200,000 bytes.'
head -c 200000 /dev/urandom >"$NET/file"
start=$(now_ms)
sent=$(client 3 send client-4 --file "$NET/file" --wait)
sent_ms=$(($(now_ms) - start))
client 4 recv client-3 --wait 120 --out "$NET/file.got"
a=$(sha256sum <"$NET/file") b=$(sha256sum <"$NET/file.got")
[ "$a" = "$b" ] || { echo "the file's SHA-256 differs"; exit 1; }
echo
client 1 status | sed -n '1,2s/^/client-1: /p'
echo
echo "text: same content after $(seconds $text_ms) s, its answer after" \
    "$(seconds $answer_ms) s, state ${state%%,*}"
echo "file: 200000 bytes, SHA-256 equal, $(seconds $sent_ms) s, state ${sent%% *}"
[ "${state%%,*}" = delivered ] && [ "${sent%% *}" = delivered ]
