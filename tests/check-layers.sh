#!/bin/sh
# Includes run downwards only (doc/HACKING.md): each folder's .may_include
# lists the folders and the third-party headers its files may include.
# A line "FILE: HEADER..." grants a header to one file alone.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
std='assert ctype errno fcntl float inttypes limits locale math signal
stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string strings
time unistd getopt pthread sched dirent poll termios ifaddrs netdb endian libgen
grp pwd immintrin'
for dir in lib sphinx directory relay client sim; do
    rules=$dir/.may_include
    [ -f "$rules" ] || { echo "layers: $rules is missing"; bad=1; continue; }
    for f in "$dir"/*.[ch]; do
        [ -f "$f" ] || continue
        name=${f##*/}
        sed -n 's/^#include [<"]\([^">]*\)[">].*/\1/p' "$f" |
        while read -r inc; do
            base=${inc%.h}
            ok=0
            for s in $std; do [ "$base" = "$s" ] && ok=1; done
            case "$inc" in sys/*|netinet/*|arpa/*|net/*|linux/*)
                ok=1;
            esac
            # pure folders' headers must not reach sockets at all
            top=${inc%%/*}
            while read -r rule; do
                case "$rule" in
                ''|'#'*) ;;
                *:*)
                    [ "${rule%%:*}" = "$name" ] || continue
                    for h in ${rule#*:}; do
                        # shellcheck disable=SC2254
                        case "$inc" in $h) ok=1 ;; esac
                    done ;;
                *)
                    # shellcheck disable=SC2254
                    case "$inc" in $rule) ok=1 ;; esac ;;
                esac
            done <"$rules"
            [ "$ok" = 1 ] || echo "layers: $f may not include $inc ($top)"
        done
    done
done >build/layers.out 2>&1
if [ -s build/layers.out ]; then cat build/layers.out; exit 1; fi
[ "$bad" = 0 ] && echo 'layers: includes run downwards only'
