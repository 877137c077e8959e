#!/bin/sh
# How exposed is the relay's unit, by systemd's own measure? At most 1.5.
set -u
cd "$(dirname "$0")/.." || exit 1
command -v systemd-analyze >/dev/null || {
    echo 'systemd: systemd-analyze is not here; the unit is not measured'
    exit 0
}
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
sed 's|@BINDIR@|/bin|; s|brusio-relay run|true|' \
    contrib/systemd/brusio-relay.service.in >"$to/brusio-relay.service"
score=$(systemd-analyze security --offline=true "$to/brusio-relay.service" |
    sed -n 's/.*Overall exposure level[^:]*: \([0-9.]*\).*/\1/p')
if [ -z "$score" ] || awk "BEGIN { exit !($score > 1.5) }"; then
    echo "systemd: exposure ${score:-unknown}, more than 1.5"
    systemd-analyze security --offline=true "$to/brusio-relay.service"
    exit 1
fi
echo "systemd: the relay's unit has exposure $score"
