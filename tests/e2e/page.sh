#!/bin/sh
# The page that every authority serves, in headless Chromium: what it says, that
# it needs no script, and that nothing of it is wider than a phone.
# Usage: page.sh BIN
set -eu
. "$(dirname "$0")/network.sh"
fail() { echo "page: $*" >&2; exit 1; }
browser() {
    timeout 60 chromium --headless --no-sandbox --disable-gpu \
        --user-data-dir="$NET/chromium" "$@" 2>>"$NET/chromium.log"
}

network_start "$1" --authorities 4 --clients 1
address=$(sed -n 's/.*"address": "\(127[^"]*\)".*/\1/p' "$NET/network.json" | head -n 1)
sleep 6 # the page is made anew every five seconds
browser --dump-dom "http://$address/" >"$NET/dom"
! grep -qi '<script' "$NET/dom" || fail 'it has a script'
for words in 'It is the present one' 'Authorities' 'mixes, layer 3' \
    '11 that this authority knows of' 'certificate until' 'admitted' \
    'it offers no IPv6 address' "add one to 'addresses'"; do
    grep -q "$words" "$NET/dom" || { cat "$NET/dom"; fail "it does not say '$words'"; }
done

# In a frame as wide as a small phone, and as wide as a desk; the frame's own
# document tells how wide it would like to be.
python3 "$(dirname "$0")/frame.py" "$address" >"$NET/frame" &
FRAME=$!
trap 'kill $FRAME; network_stop' EXIT
sleep 1
for width in 320 1200; do
    browser --virtual-time-budget=8000 --dump-dom \
        "http://$(cat "$NET/frame")/frame/$width" >"$NET/frame.dom"
    wide=$(sed -n 's/.*<title>wide \([0-9]*\).*/\1/p' "$NET/frame.dom")
    [ -n "$wide" ] || { cat "$NET/frame.dom"; fail 'no width'; }
    [ "$wide" -le "$width" ] || fail "$wide pixels wide in a window of $width"
done

python3 - "$address" <<'P'
import json, sys, urllib.request
page = json.load(urllib.request.urlopen("http://%s/status.json" % sys.argv[1]))
assert page["relays_by_layer"] == [2, 2, 2, 2, 3], page["relays_by_layer"]
assert len(page["authorities"]) == 4
assert all(r["flags"]["listed"]["has"] for r in page["relays"]), page["relays"]
assert all("remedy" in r["flags"]["IPv6"] for r in page["relays"])
P
echo 'page: says what it should, without script, no wider than 320 pixels; its JSON too'
