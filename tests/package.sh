#!/bin/sh
# libbrusio-sphinx as its users get it: installed, found by pkg-config alone,
# the example built against it and run, shared and static. usage: package.sh MODE
set -eu
cd "$(dirname "$0")/.."
mode=$1
case $mode in
asan|tsan|cov) exit 0 ;; # their libraries need a runtime besides
esac
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
fail() { echo "package: $*"; exit 1; }

${MAKE:-make} --no-print-directory -s install-libs MODE="$mode" \
    PREFIX="$to/usr" DESTDIR= >"$to/log" 2>&1 || {
    cat "$to/log"
    fail 'install-libs failed'
}

# the map, the header and both libraries name the same functions
sed -n 's/^	\(sphinx_[a-z_]*\);$/\1/p' sphinx/libbrusio-sphinx.map | sort \
    >"$to/map"
grep '^[a-z].*sphinx_[a-z_]*(\|^ *sphinx_[a-z_]*(' \
    "$to/usr/include/brusio/sphinx/sphinx.h" | grep -v typedef |
    grep -o 'sphinx_[a-z_]*(' | tr -d '(' | sort -u >"$to/header"
cmp -s "$to/map" "$to/header" || {
    diff "$to/header" "$to/map" || :
    fail 'sphinx.h (<) and libbrusio-sphinx.map (>) differ'
}
nm -D --defined-only "$to/usr/lib/libbrusio-sphinx.so" |
    awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort >"$to/shared"
nm --defined-only -g "$to/usr/lib/libbrusio-sphinx.a" 2>/dev/null |
    awk 'NF == 3 { print $3 }' | sort >"$to/static"
cmp -s "$to/map" "$to/shared" || fail 'the shared library shows other names'
cmp -s "$to/map" "$to/static" || fail 'the static library shows other names'

# built away from the tree, so that nothing else is found
cp doc/examples/sphinx.c "$to"
cd "$to"
export PKG_CONFIG_PATH="$to/usr/lib/pkgconfig"
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -o shared-example \
    sphinx.c $(pkg-config --cflags --libs libbrusio-sphinx)
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -o static-example \
    sphinx.c $(pkg-config --cflags libbrusio-sphinx) \
    "$(pkg-config --variable=libdir libbrusio-sphinx)/libbrusio-sphinx.a" \
    $(pkg-config --libs libsodium libcrypto) -pthread
ldd ./static-example | grep -q brusio && fail 'the static example is not'
for kind in shared static; do
    LD_LIBRARY_PATH="$to/usr/lib" "./$kind-example" >"$to/said"
    [ "$(tail -n 1 "$to/said")" = 'alice reads: a quarter past nine' ] ||
        fail "the $kind example said: $(tail -n 1 "$to/said")"
done
echo 'package: libbrusio-sphinx installs, and its example runs'
