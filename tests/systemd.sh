#!/bin/sh
# How exposed are our services, by systemd's own measure? At most 1.5. And may what
# units start confine itself?
set -u
cd "$(dirname "$0")/.." || exit 1
for p in brusio-relay brusio-directory brusio-client; do
    allowed=$(sed -n 's/^SystemCallFilter=\([^~]*\)$/\1/p' \
        contrib/systemd/$p.service.in | tr '\n' ' ')
    for call in landlock_create_ruleset landlock_add_rule \
        landlock_restrict_self seccomp; do
        case " $allowed " in *" $call "*) continue ;; esac
        echo "systemd: the unit of $p refuses $call, so that nothing is confined"
        exit 1
    done
done
command -v systemd-analyze >/dev/null || {
    echo 'systemd: systemd-analyze is not here; the units are not measured'
    exit 0
}
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
bad=0
for p in brusio-relay brusio-directory; do
    unit=$to/$p.service
    sed "s|@BINDIR@|/bin|; s|$p run|true|" contrib/systemd/$p.service.in >"$unit"
    score=$(systemd-analyze security --offline=true "$unit" |
        sed -n 's/.*Overall exposure level[^:]*: \([0-9.]*\).*/\1/p')
    if [ -z "$score" ] || awk "BEGIN { exit !($score > 1.5) }"; then
        echo "systemd: exposure ${score:-unknown} of $p, more than 1.5"
        systemd-analyze security --offline=true "$unit"
        bad=1
    else
        echo "systemd: the unit of $p has exposure $score"
    fi
done
exit "$bad"
