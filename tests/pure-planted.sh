#!/bin/sh
# tests/check-pure.sh can fail: objects as a pure folder could have them, each
# with one call too much, are refused by name; one that computes passes.
# usage: tests/pure-planted.sh BUILD
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
planted=0 bad=0

compile() {
    printf '%s\n' "$2" >"$tmp/$1.c"
    ${CC:-cc} -I. -O1 -fPIC -w -c -o "$tmp/$1.o" "$tmp/$1.c" || exit 1
}
# DECLARATION EXPRESSION MESSAGE
refused() {
    planted=$((planted + 1))
    compile "planted$planted" "$1
int planted(void);
int planted(void) { return (int)($2); }"
    echo "pure: $tmp/planted$planted $3" >>"$tmp/expected"
}
# Of the C library and of others'.
call() {
    refused "$1" "$2" "may not call ${2%%(*}"
}

compile pure '#include <string.h>
#include "lib/wire.h"
#include "lib/codec.h"
unsigned planted(const char *text);
unsigned planted(const char *text)
{
    unsigned char out[2];
    codec_put16(out, (unsigned short)strlen(text));
    return codec_get16(out);
}'
tests/check-pure.sh "$1" "$tmp/pure.o" >"$tmp/said" 2>&1 || {
    echo 'pure: what only computes is refused'
    cat "$tmp/said"
    bad=1
}

call '#include <stdio.h>' 'fopen("/tmp/x", "r") != 0'
call '#include <stdio.h>' 'remove("/tmp/x")'
call '#include <stdio.h>' 'puts("x")'
call 'int fprintf(void *, const char *, ...);' 'fprintf((void *)0, "%d", 1)'
call 'int socket(int, int, int);' 'socket(2, 1, 0)'
call 'long send(int, const void *, unsigned long, int);' 'send(1, "", 0, 0)'
call 'int clock_gettime(int, void *);' 'clock_gettime(1, (char[16]){0})'
call 'long time(long *);' 'time((long *)0)'
call 'int usleep(unsigned);' 'usleep(1)'
call 'int pthread_create(void *, void *, void *, void *);' \
    'pthread_create(0, 0, 0, 0)'
call 'int pthread_mutex_lock(void *);' 'pthread_mutex_lock((char[64]){0})'
call 'long syscall(long, ...);' 'syscall(39)'
call 'void *dlsym(void *, const char *);' 'dlsym(0, "socket") != 0'
call 'char *getenv(const char *);' 'getenv("HOME") != 0'
call '#include <stdlib.h>' 'rand()'
call 'int inet_pton(int, const char *, void *);' 'inet_pton(2, "", 0)'
# Random numbers from elsewhere than the environment.
call 'unsigned randombytes_random(void);' 'randombytes_random()'
call 'int crypto_box_keypair(void *, void *);' 'crypto_box_keypair(0, 0)'
refused 'void randombytes_buf(void *, unsigned long);' \
    '(randombytes_buf((char[8]){0}, 8), 0)' 'may not call randombytes_buf'
refused 'void crypto_secretbox_keygen(void *);' \
    '(crypto_secretbox_keygen((char[32]){0}), 0)' \
    'may not call crypto_secretbox_keygen'
call 'int RAND_bytes(void *, int);' 'RAND_bytes((char[8]){0}, 8)'
# A third party's library in a file that is not for it.
call 'void *json_object(void);' 'json_object() != 0'
call 'void *json_load_file(const char *, unsigned long, void *);' \
    'json_load_file("x", 0, 0) != 0'
call 'void *EVP_MAC_fetch(void *, const char *, const char *);' \
    'EVP_MAC_fetch(0, "", 0) != 0'
call 'int sqlite3_open(const char *, void **);' 'sqlite3_open("", 0)'
# Our own edges.
refused 'int files_mkdir(const char *);' 'files_mkdir("x")' \
    'calls files_mkdir of the edge lib/os/files'
refused 'int link_send(void *, void *, unsigned long);' 'link_send(0, 0, 0)' \
    'calls link_send of the edge lib/os/link'

# All that was planted, and nothing else.
tests/check-pure.sh "$1" "$tmp"/planted*.o >"$tmp/said" 2>&1
rc=$?
[ "$rc" = 1 ] || { echo "pure: exit $rc, not 1, for what is planted"; bad=1; }
sort "$tmp/expected" >"$tmp/expected.sorted"
sort "$tmp/said" | diff "$tmp/expected.sorted" - >"$tmp/differ" || {
    echo 'pure: planted (<) and refused (>) differ:'
    cat "$tmp/differ"
    bad=1
}

# Nothing built: nothing looked at.
mkdir "$tmp/empty"
tests/check-pure.sh "$tmp/empty" >/dev/null 2>&1 && {
    echo 'pure: a folder without objects passes'
    bad=1
}

[ "$bad" = 0 ] && echo "pure: each of $planted calls too much is refused"
exit "$bad"
