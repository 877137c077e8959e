#!/bin/sh
# tests/check-layers.sh can fail: each kind of violation, planted in a copy of
# the sources, is refused with the file and the header named; the copy without
# one passes. usage: tests/layers-planted.sh
set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
planted=0 bad=0

mkdir "$tmp/clean"
find . \( -path ./build -o -path ./.git -o -path ./tests -o -path ./doc \) \
    -prune -o \( -name '*.[ch]' -o -name .may_include \) -print |
    tar -cf - -T - | tar -xf - -C "$tmp/clean" || exit 1

# A fresh copy to plant in.
copy() {
    rm -rf "$tmp/planted"
    cp -R "$tmp/clean" "$tmp/planted"
}
# The first file of a folder whose name ends so.
first() {
    for f in "$tmp/clean/$1"/*"$2"; do
        [ ! -f "$f" ] || { echo "$1/${f##*/}"; return; }
    done
}
# Put a line first: FILE LINE.
line() {
    { printf '%s\n' "$2"; cat "$tmp/clean/$1"; } >"$tmp/planted/$1"
}
# Add a line to the end: FILE LINE.
rule() {
    printf '%s\n' "$2" >>"$tmp/planted/$1"
}
# The check has to refuse what is planted, and to say each of these.
refused() {
    planted=$((planted + 1))
    tests/check-layers.sh "$tmp/planted" >"$tmp/said" 2>&1
    rc=$?
    [ "$rc" = 1 ] || { echo "layers: exit $rc, not 1, for: $1"; bad=1; }
    for text; do
        grep -qF "layers: $text" "$tmp/said" || {
            echo "layers: planted, not refused: $text"
            bad=1
        }
    done
}
# A line in a file: FILE LINE HEADER.
include() {
    copy
    line "$1" "$2"
    refused "$1 may not include $3"
}

tests/check-layers.sh "$tmp/clean" >"$tmp/said" || {
    cat "$tmp/said"
    echo 'layers: a clean copy is refused'
    bad=1
}

# What no pure file may include, other than one that its folder names.
for header in openssl/ssl.h sys/socket.h pthread.h time.h unistd.h threads.h; do
    include relay/pipeline.c "#include <$header>" "$header"
done
include relay/pipeline.c '#  include <time.h>' time.h
include relay/pipeline.c ' 	# include <time.h>' time.h
include relay/pipeline.c '/* why */ #include <time.h>' time.h
include relay/pipeline.c '#/**/include <time.h>' time.h
include relay/pipeline.c '%:include <time.h>' time.h
include relay/pipeline.c '#include "../relay/daemon/worker.h"' \
    ../relay/daemon/worker.h
copy
line relay/pipeline.c '#include RELAY_HEADER'
refused 'relay/pipeline.c includes what cannot be told: #include RELAY_HEADER'

# Layers.
include client/client.c '#include "relay/mix.h"' relay/mix.h
include lib/wire.c '#include "sphinx/sphinx.h"' sphinx/sphinx.h
include network/route.c '#include "directory/rounds.h"' directory/rounds.h
include network/route.c '#include "relay/relay.h"' relay/relay.h
include network/os/netfile.c '#include "client/client.h"' client/client.h
include lib/os/loop.c '#include "network/route.h"' network/route.h
# A third party's header in an edge, but in another file than its own.
include lib/os/link.c '#include <event2/event.h>' event2/event.h

# Each edge in each pure folder: its os/, its daemon/, everybody else's.
kinds() {
    (cd "$tmp/clean" && grep -lx "$1" $(find . -name .may_include)) |
        sed 's|^\./||; s|/\.may_include$||'
}
for pure in $(kinds pure); do
    file=$(first "$pure" .c)
    copy
    set --
    for edge in $(kinds edge); do
        header=$(first "$edge" .h)
        [ -n "$header" ] || continue
        printf '#include "%s"\n' "$header" >>"$tmp/planted/$file"
        set -- "$@" "$file is pure and may not include the edge $header"
    done
    [ $# -gt 0 ] || { echo "layers: no edge to plant in $pure"; bad=1; }
    refused "$@"
done

# Rules that would open the door.
for header in sys/socket.h time.h threads.h openssl/ssl.h; do
    copy
    rule relay/.may_include "$header"
    refused "relay/.may_include opens $header to all files of a pure folder"
done
for glob in 'lib/os/*.h' 'relay/*/*.h' '*/*.h' '*.h' '*'; do
    copy
    rule relay/.may_include "$glob"
    refused "relay/.may_include opens $glob to all files of a pure folder"
done
copy
rule relay/.may_include 'pipeline.c: lib/os/loop.h'
refused 'relay/.may_include grants the edge lib/os/loop.h to the pure relay/pipeline.c'
copy
rule relay/.may_include 'nothing.c: pthread.h'
refused 'relay/.may_include grants headers to relay/nothing.c, which is not there'

# Rules that say nothing.
copy
mkdir "$tmp/planted/relay/drawer"
echo 'int drawer_value;' >"$tmp/planted/relay/drawer/drawer.c"
refused 'relay/drawer/.may_include is missing'
copy
rm "$tmp/planted/network/.may_include"
refused 'network/.may_include is missing'
copy
: >"$tmp/planted/network/.may_include"
refused 'network/.may_include says nothing'
copy
echo '# pure' >"$tmp/planted/network/.may_include"
refused 'network/.may_include says nothing'
for word in clean 'pure edge' 'network/*.h'; do
    copy
    { echo "$word"; sed 1d "$tmp/clean/network/.may_include"; } \
        >"$tmp/planted/network/.may_include"
    refused 'network/.may_include does not begin with pure or edge'
done

# A folder that grew too large, and one that has just room.
copy
for i in $(seq 25); do
    : >"$tmp/planted/testnet/x$i.c"
done
rm "$tmp/planted/testnet/"[!x]*.c
refused 'testnet has 25 sources, more than 24'
rm "$tmp/planted/testnet/x25.c"
tests/check-layers.sh "$tmp/planted" >/dev/null || {
    echo 'layers: 24 sources in a folder are refused'
    bad=1
}

# Nothing to look at.
rm -rf "$tmp/planted"
mkdir "$tmp/planted"
refused 'there is no source to look at'

[ "$bad" = 0 ] && echo "layers: each of $planted violations is refused"
exit "$bad"
