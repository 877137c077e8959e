#!/bin/sh
# tests/circles.py can fail: circles of files, planted in a small tree of their
# own, are refused with the symbols that tie them; the tree without one passes.
# usage: tests/circles-planted.sh
set -u
check=$(cd "$(dirname "$0")" && pwd)/circles.py
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
planted=0 bad=0

# A source, FILE TEXT, and its object as the Makefile has it.
source() {
    mkdir -p "${1%/*}" "out/${1%/*}"
    printf '%s\n' "$2" >"$1"
    ${CC:-cc} -c -o "out/${1%.c}.o" "$1" || {
        echo "circles: $1 does not compile"
        exit 1
    }
}
# A tree in order: main -> top -> middle -> bottom, and another main -> bottom.
clean() {
    rm -rf high low out
    source high/main.c 'int top(void); int main(void) { return top(); }'
    source high/top.c 'int middle(void); int top(void) { return middle(); }'
    source high/in/middle.c 'extern int shown; int bottom(void);
        int middle(void) { return bottom() + shown; }'
    source low/bottom.c 'int shown; int bottom(void) { return 0; }'
    source low/main.c 'int bottom(void); int main(void) { return bottom(); }'
}
passes() {
    "$check" out high low >said 2>&1 && grep -qx "$2" said || {
        echo "circles: refused, or not counted: $1"
        cat said
        bad=1
    }
}
# The check has to refuse what is planted, and to say each of these lines.
refused() {
    planted=$((planted + 1))
    what=$1
    shift
    "$check" out high low >said 2>&1
    rc=$?
    [ "$rc" = 1 ] || { echo "circles: exit $rc, not 1, for: $what"; bad=1; }
    for line; do
        grep -qxF -- "$line" said || {
            echo "circles: for $what, not said: $line"
            cat said
            bad=1
        }
    done
}

clean
passes 'a tree without a circle' 'circles: 5 files, none uses one that uses it'

source low/bottom.c 'int middle(void); int shown;
    int bottom(void) { return middle(); }'
refused 'two files, across folders' 'circles: 2 files use each other:' \
    '    high/in/middle -> low/bottom: bottom shown' \
    '    low/bottom -> high/in/middle: middle'

clean
source low/bottom.c 'int top(void); int shown;
    int bottom(void) { return top(); }'
refused 'three files, by way of each other' 'circles: 3 files use each other:' \
    '    high/top -> high/in/middle: middle' \
    '    high/in/middle -> low/bottom: bottom shown' \
    '    low/bottom -> high/top: top'

clean
source high/in/middle.c 'int bottom(void); int level;
    int middle(void) { return bottom(); }'
source low/bottom.c 'extern int level; int bottom(void) { return level; }'
refused 'data alone on the way back' '    low/bottom -> high/in/middle: level'

clean
source low/bottom.c '__attribute__((weak)) int top(void); int shown;
    int bottom(void) { return top ? top() : 0; }'
refused 'a weak use' '    low/bottom -> high/top: top'

clean
source low/bottom.c 'int above(void); int shown;
    int bottom(void) { return above(); }'
source low/above.c 'int bottom(void);
    __attribute__((weak)) int above(void) { return bottom(); }'
refused 'a weak definition' '    low/above -> low/bottom: bottom' \
    '    low/bottom -> low/above: above'

clean
source low/bottom.c 'int middle(void); int shown;
    int bottom(void) { return middle(); }'
source low/x.c 'int y(void); int x(void) { return y(); }'
source low/y.c 'int x(void); int y(void) { return x(); }'
refused 'two circles' '    low/bottom -> high/in/middle: middle' \
    '    low/x -> low/y: y' '    low/y -> low/x: x'

clean
rm out/high/in/middle.o
refused 'an object that is missing' \
    'circles: out/high/in/middle.o is missing; was all of it built?'

clean
rm low/*.c
refused 'a folder without sources' 'circles: there is no source in low'

clean
source low/bottom.c 'int shown; int (*called)(void);
    int bottom(void) { return called ? called() : 0; }'
source high/top.c 'extern int (*called)(void); int middle(void);
    static int back(void) { return 0; }
    int top(void) { called = back; return middle(); }'
passes 'a call by pointer' 'circles: 5 files, none uses one that uses it'

[ "$bad" = 0 ] && echo "circles: each of $planted planted ones is refused"
exit "$bad"
