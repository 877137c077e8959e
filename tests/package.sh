#!/bin/sh
# libbrusio-sphinx as its users get it: installed, found by pkg-config alone,
# the example built against it and run, shared and static; the header alone and a
# program in C++. usage: package.sh MODE
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

# one header, and all that it adds to a program begins with sphinx
(cd "$to/usr/include" && find . -type f) >"$to/headers"
[ "$(cat "$to/headers")" = ./brusio/sphinx/sphinx.h ] ||
    fail "installs as headers: $(tr '\n' ' ' <"$to/headers")"
macros_of() { # the macros that a text on standard input leaves behind
    ${CC:-cc} -std=c11 -E -dM -I"$to/usr/include/brusio" -x c - |
        awk '{ sub("[(].*", "", $2); print $2 }' | sort
}
printf '#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n' |
    macros_of >"$to/theirs"
echo '#include <sphinx/sphinx.h>' | macros_of | comm -13 "$to/theirs" - |
    grep -v '^SPHINX_' && fail 'sphinx.h defines these macros'
${CC:-cc} -std=c11 -E -P "$to/usr/include/brusio/sphinx/sphinx.h" |
    grep -o -w -E '(ERR|ERROR|CHECK)_[A-Z_]*' && fail 'sphinx.h has these names'

# built away from the tree, so that nothing else is found
cp doc/examples/sphinx.c tests/package.cc "$to"
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

# C++ knows neither `[static n]` nor designated initializers
strict='-std=c++11 -Wall -Wextra -pedantic -Werror'
# shellcheck disable=SC2046,SC2086
echo '#include <sphinx/sphinx.h>' | ${CXX:-g++} $strict -fsyntax-only -x c++ \
    $(pkg-config --cflags libbrusio-sphinx) -
# shellcheck disable=SC2046,SC2086
${CXX:-g++} $strict -o plus package.cc \
    $(pkg-config --cflags --libs libbrusio-sphinx)
LD_LIBRARY_PATH="$to/usr/lib" ./plus >"$to/said" ||
    fail 'the program in C++ failed'
[ "$(cat "$to/said")" = 'opened: from C++' ] ||
    fail "the program in C++ said: $(cat "$to/said")"
echo 'package: libbrusio-sphinx installs; its example and a program in C++ run'
