#!/bin/sh
# Who may include what (doc/HACKING.md, "Layers"). Looks at every folder that
# holds C sources, however deep, and fails when it finds none.
#
# Each such folder has a .may_include:
#
#   pure | edge     the folder's kind, its first rule
#   GLOB            headers that every file of the folder may include
#   FILE: GLOB...   headers that this file alone may include
#
# `*` stands for no slash. The C library's headers without sockets, clocks,
# files and threads are open to all, the system's others to edges alone. A pure
# folder opens to all of its files only headers of pure folders and libsodium's,
# others to a single file, and an edge's to none. No folder has more than 24
# sources. tests/layers-planted.sh shows that each of these is seen; what a pure
# file calls without a header is for tests/check-pure.sh.
# usage: tests/check-layers.sh [ROOT]
set -u
cd "${1:-$(dirname "$0")/..}" || exit 1
list=$(mktemp) || exit 1
trap 'rm -f "$list"' EXIT
find . \( -path ./build -o -path ./.git -o -path ./tests -o -path ./doc \) \
    -prune -o -name '*.[ch]' -print | sed 's|^\./||' | sort >"$list"
awk -v list="$list" -v sources_max=24 '
function complain(text) { print "layers: " text; bad = 1 }
function folder_of(path) { sub(/\/[^\/]*$/, "", path); return path }
# Does a glob, whose * stands for no slash, match the whole of text?
function matches(glob, text) {
    gsub(/[.+]/, "\\\\&", glob)
    gsub(/\*/, "[^/]*", glob)
    return text ~ ("^" glob "$")
}
function rules_read(dir,    file, line, got, word, n, i, kind) {
    file = dir "/.may_include"
    while ((got = (getline line <file)) > 0) {
        sub(/#.*/, "", line)
        n = split(line, word, " ")
        if (!n)
            continue
        if (kind == "") {
            kind = word[1]
            if (n > 1 || (kind != "pure" && kind != "edge")) {
                complain(file " does not begin with pure or edge")
                kind = "pure"
            }
        } else if (word[1] ~ /:$/) {
            sub(/:$/, "", word[1])
            to[++n_grants] = dir "/" word[1]
            for (i = 2; i <= n; i++)
                granted[dir "/" word[1]] = granted[dir "/" word[1]] " " word[i]
        } else
            for (i = 1; i <= n; i++)
                opened[dir] = opened[dir] " " word[i]
    }
    close(file)
    if (kind == "")
        complain(file (got < 0 ? " is missing" : " says nothing"))
    kind_of[dir] = kind
}
function is_among(globs, header,    word, n, i) {
    n = split(globs, word, " ")
    for (i = 1; i <= n; i++)
        if (matches(word[i], header))
            return 1
    return 0
}
# What a pure folder gives to all of its files: nothing but what is pure.
function opened_check(dir,    word, n, i) {
    n = split(opened[dir], word, " ")
    for (i = 1; i <= n; i++)
        if (word[i] != "sodium.h" && kind_of[folder_of(word[i])] != "pure")
            complain(dir "/.may_include opens " word[i] \
                " to all files of a pure folder")
}
# What a single file gets: the file is there, and a pure one gets no edge.
function grant_check(file,    word, n, i) {
    if (!(file in is_file))
        complain(folder_of(file) "/.may_include grants headers to " file \
            ", which is not there")
    n = split(granted[file], word, " ")
    for (i = 1; i <= n; i++)
        if (kind_of[folder_of(file)] == "pure" && \
            kind_of[folder_of(word[i])] == "edge")
            complain(folder_of(file) "/.may_include grants the edge " word[i] \
                " to the pure " file)
}
function header_check(file, header,    dir, system_header) {
    dir = folder_of(file)
    if (header in is_c)
        return
    if (kind_of[dir] == "pure" && kind_of[folder_of(header)] == "edge") {
        complain(file " is pure and may not include the edge " header)
        return
    }
    system_header = header in is_system || \
        header ~ /^(sys|netinet|arpa|net|linux)\//
    if (system_header ? kind_of[dir] == "edge" : is_among(opened[dir], header))
        return
    if (!is_among(granted[file], header))
        complain(file " may not include " header)
}
function file_read(file,    line) {
    while ((getline line <file) > 0) {
        if (line !~ /(#|%:|\?\?=).*(include|import)/)
            continue
        if (match(line, /[<"][^">]*[">]/))
            header_check(file, substr(line, RSTART + 1, RLENGTH - 2))
        else
            complain(file " includes what cannot be told: " line)
    }
    close(file)
}
BEGIN {
    n = split("assert ctype errno float inttypes limits math stdalign stdarg " \
        "stdatomic stdbool stddef stdint stdio stdlib string strings", word)
    for (i = 1; i <= n; i++)
        is_c[word[i] ".h"] = 1
    n = split("dirent endian fcntl getopt grp ifaddrs libgen locale netdb " \
        "poll pthread pwd sched signal termios time unistd", word)
    for (i = 1; i <= n; i++)
        is_system[word[i] ".h"] = 1
    while ((getline file <list) > 0) {
        files[++n_files] = file
        is_file[file] = 1
        dir = folder_of(file)
        if (!(dir in kind_of)) {
            rules_read(dir)
            dirs[++n_dirs] = dir
        }
        n_sources[dir] += file ~ /\.c$/
    }
    if (!n_files)
        complain("there is no source to look at")
    for (i = 1; i <= n_dirs; i++) {
        dir = dirs[i]
        if (kind_of[dir] == "pure")
            opened_check(dir)
        if (n_sources[dir] > sources_max)
            complain(dir " has " n_sources[dir] " sources, more than " \
                sources_max)
    }
    for (i = 1; i <= n_grants; i++)
        grant_check(to[i])
    for (i = 1; i <= n_files; i++)
        file_read(files[i])
    if (!bad)
        printf "layers: %d files in %d folders include only what they may\n",
            n_files, n_dirs
    exit bad
}'
