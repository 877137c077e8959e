#!/bin/sh
# I4, what programs write: no configuration that `init` makes sets anything that
# could turn cover off, none of their options is for that, and no example of the
# documents says so. What they then do is in tests/scenario/test_cover.c.
# usage: tests/cover.sh BIN
set -u
bin=$1
cd "$(dirname "$0")/.." || exit 1
. tests/e2e/network.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
bad=0
complain() {
    echo "cover: $*"
    bad=1
}
# What a configuration sets: the lines that are no comments, in one.
settings() {
    grep -v -E '^[ \t]*(#|$)' "$1" | tr '\n' ';'
}
# FILE SETTINGS: it sets these and nothing else.
sets() {
    [ -s "$1" ] || complain "$1 was not written"
    got=$(settings "$1")
    [ "$got" = "$2" ] || complain "$1 sets '$got', not '$2'"
}
# Lines that speak of cover, its kinds, or of rates of a client.
speaks() {
    grep -n -i -E 'cover|loop_|loops|own loop|dumm(y|ies)|idle|quiet' "$1"
}
# No option, set or in a comment, of a configuration with all of them.
options() {
    [ "$(grep -c '^#* *[a-z_]* = ' "$1")" -gt 2 ] ||
        complain "$1 does not list its options"
    ! said=$(speaks "$1") || complain "$1 has an option for cover: $said"
}

# A network file, of one authority that is nowhere.
id=$(printf '%064d' 1)
cat >"$dir/network.json" <<END
{"authorities": [{"address": "127.0.0.1:1", "identity": "$id"}],
 "epoch_len_s": 30, "gateways": [], "genesis_s": 1, "name": "nowhere",
 "geometry": {"delay_unit_us": 1000, "hops": 5, "packet_len": 2048, "suite": 1}}
END

for profile in '' light default fast; do
    "$bin/brusio-client" init --dir "$dir/client-$profile" \
        --network "$dir/network.json" ${profile:+--profile $profile} \
        >/dev/null || complain 'brusio-client init fails'
    sets "$dir/client-$profile/client.conf" \
        "profile = \"${profile:-default}\";"
done
for profile in none silent '' ; do
    ! "$bin/brusio-client" init --dir "$dir/refused" \
        --network "$dir/network.json" --profile "$profile" 2>/dev/null ||
        complain "brusio-client takes the profile '$profile'"
done
for role in gateway mix store; do
    "$bin/brusio-relay" init --dir "$dir/$role" --role $role \
        --listen 127.0.0.1:0 --network "$dir/network.json" >/dev/null ||
        complain 'brusio-relay init fails'
    sets "$dir/$role/relay.conf" \
        "role = $role;listen = \"127.0.0.1:0\";network = \"$dir/network.json\";"
done
"$bin/brusio-directory" init --dir "$dir/authority" >/dev/null ||
    complain 'brusio-directory init fails'
sets "$dir/authority/directory.conf" ''
options "$dir/client-/client.conf"
options "$dir/gateway/relay.conf"
options "$dir/authority/directory.conf"

# Examples: a scenario that turns relays' loops off is an experiment of
# sim/scenarios/accept, not what a page shows.
page() {
    ! said=$(grep -n -E '"?(loop_rate|loop_mhz|relay_loop_mhz)"? *[:=] *0\b' \
        "$1") || complain "$1 turns cover off: $said"
}
for file in README.md doc/*.md doc/examples/* contrib/*/* */*/*.[158] \
    */*/*.5.in testnet/*.1; do
    page "$file"
done

# Would it be seen? The same functions, on what turns cover off.
control() {
    before=$bad
    bad=0
    "$@" >/dev/null
    [ "$bad" = 1 ] || { echo "cover: $* sees nothing"; before=1; }
    bad=$before
}
{ cat "$dir/mix/relay.conf"; echo 'own_loops = no'; } >"$dir/planted.conf"
control sets "$dir/planted.conf" "$(settings "$dir/mix/relay.conf")"
control options "$dir/planted.conf"
: >"$dir/empty.conf"
control sets "$dir/empty.conf" ''
control options "$dir/empty.conf"
text='"loop_mhz":125,"loop_mhz":500,"loop_mhz":500,"relay_loop_mhz":'
echo "$text"500 >"$dir/consensus"
network_covers "$dir/consensus" || complain 'a network of our defaults does not cover'
echo "$text"1 >"$dir/consensus"
network_covers "$dir/consensus" 2>/dev/null && complain 'a silent network is not seen'
control page sim/scenarios/accept/T01.json

[ "$bad" = 0 ] && echo 'cover: no program, option or example turns it off'
exit "$bad"
