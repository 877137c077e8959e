#!/bin/sh
# What pure folders (.may_include) call. Includes are not all: a file may declare
# socket() for itself, and <stdio.h> has fopen(). So every symbol that an object
# of a pure folder leaves open has to be another pure object's, or stand in the
# table below. tests/pure-planted.sh shows that this is seen.
# usage: tests/check-pure.sh BUILD [OBJECT..]
#     BUILD   of MODE release or debug: sanitizers call what they like
#     OBJECT  held to the same, as if it stood in a pure folder
set -u
out=$1
shift
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# NAME.. : OBJECT.. where * stands for anything; no object: all of them may,
# `none`: nobody. The first row that has a name decides.
cat >"$tmp/table" <<'END'
# compiler and C library: values in, values out
_GLOBAL_OFFSET_TABLE_ __tls_get_addr __stack_chk_* __cpu_* __popcount*
__assert_fail __errno_location
aligned_alloc calloc free malloc realloc qsort bsearch atoi htonl htons ntohl ntohs
memchr memcmp memcpy memmem memmove memrchr memset __mem*_chk bcmp
str* stpcpy __str*_chk __isoc*_str*
snprintf vsnprintf sscanf __snprintf_chk __vsnprintf_chk __isoc*_sscanf
atan ceil cos erf erfc exp exp2 expm1 fabs floor fmax fmin hypot ldexp lgamma_r
llround log log10 log1p log2 lround pow round sin sincos sqrt tgamma trunc
# streams that the caller has opened
fprintf __fprintf_chk fputc fputs fwrite putc : directory/admission sim/announce/announce sim/announce/people sim/network_level/network_level sim/packets/packets sim/packets/run
fgets __fgets_chk fclose : sim/scenario/trace_in
# addresses as text
inet_ntop inet_pton __inet_*_chk : lib/address
# which of its lanes this machine has is the packet's one look at the outside
getenv : sphinx/x25519/x25519
# what workers share
pthread_mutex_* : lib/blocks lib/slab relay/handles relay/lists relay/plane
pthread_once : sphinx/x25519/x25519_*
# libsodium, but what draws at random by itself
randombytes_buf : lib/rng
crypto_*_seed_keypair
crypto_*keypair crypto_*_keygen crypto_*_random crypto_box_seal* : none
crypto_pwhash* crypto_secretstream_*_init_push randombytes* : none
crypto_* sodium_*
# OpenSSL's primitives; key pairs and nonces come from the caller
EVP_CIPHER_* EVP_Cipher* EVP_Encrypt* EVP_MAC_* OpenSSL_version : sphinx/cipher
EVP_PKEY_*keygen* EVP_PKEY_*paramgen* : none
EVP_KEM_* EVP_PKEY_* OSSL_PARAM_construct_* dlsym : sphinx/mlkem
json_load_callback : lib/json_text
json_load_file json_loadf* json_dump_file json_dumpf* json_*_callback : none
json_* : lib/json_* network/json* sim/scenario/json*
compress2 compressBound inflate inflateEnd inflateInit_ : lib/pack
END

folders() {
    grep -lx "$1" $(find . \( -path ./build -o -path ./.git \) -prune -o \
        -name .may_include -print) |
        sed 's|^\./||; s|/\.may_include$||' | sort
}
# The names that each object of a kind defines and leaves open.
names() {
    kind=$1
    shift
    for dir in $(folders "$kind"); do
        for source in "$dir"/*.c; do
            [ ! -f "$source" ] || set -- "$@" "$out/${source%.c}.o"
        done
    done
    nm -A -g -P "$@" || exit 1
}
if ! names pure "$@" >"$tmp/pure" || ! names edge >"$tmp/edge"; then
    echo 'pure: not everything is built'
    exit 1
fi

awk -v out="$out/" -v table="$tmp/table" -v pure="$tmp/pure" \
    -v edge="$tmp/edge" '
function complain(text) { print "pure: " text; bad = 1 }
function matches(glob, text) {
    gsub(/\*/, ".*", glob)
    return text ~ ("^" glob "$")
}
function is_among(word, n, text,    i) {
    for (i = 1; i <= n; i++)
        if (matches(word[i], text))
            return 1
    return 0
}
# May this object leave this name open, by the table?
function may(object, name,    i, n, word) {
    for (i = 1; i <= n_rows; i++) {
        n = split(names_of[i], word, " ")
        if (!is_among(word, n, name))
            continue
        n = split(objects_of[i], word, " ")
        for (; n > 0; n--)
            if (matches(word[n], object)) {
                used[i, word[n]] = 1
                return 1
            }
        return objects_of[i] == ""
    }
    return 0
}
# A line of nm: object, name, type.
function line_read(line,    word) {
    split(line, word, " ")
    object = word[1]
    sub(/:$/, "", object)
    sub(/\.o$/, "", object)
    if (index(object, out) == 1)
        object = substr(object, length(out) + 1)
    name = word[2]
    open = word[3] == "U" || word[3] == "w" || word[3] == "v"
}
BEGIN {
    while ((getline line <table) > 0)
        if (line !~ /^#/) {
            n_rows++
            split(line, half, / : /)
            names_of[n_rows] = half[1]
            objects_of[n_rows] = half[2]
        }
    while ((getline line <edge) > 0) {
        line_read(line)
        if (!open)
            edge_of[name] = object
    }
    while ((getline line <pure) > 0) {
        line_read(line)
        n_objects += !(object in is_object)
        is_object[object] = 1
        if (open)
            wants[++n_wants] = object " " name
        else
            is_pure[name] = 1
    }
    for (i = 1; i <= n_wants; i++) {
        split(wants[i], word, " ")
        if (word[2] in is_pure)
            continue
        if (word[2] in edge_of)
            complain(word[1] " calls " word[2] " of the edge " edge_of[word[2]])
        else if (!may(word[1], word[2]))
            complain(word[1] " may not call " word[2])
    }
    # a door that nobody uses is closed
    for (i = 1; i <= n_rows; i++) {
        n = split(objects_of[i], word, " ")
        for (; n > 0; n--)
            if (word[n] != "none" && !((i, word[n]) in used))
                complain(word[n] " may call " names_of[i] ", and does not")
    }
    if (!n_objects || !n_wants)
        complain("there is no object to look at")
    if (!bad)
        printf "pure: %d objects call only what is pure\n", n_objects
    exit bad
}'
