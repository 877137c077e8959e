#!/bin/sh
# tests/sim_cli.sh BIN - brusio-sim as its users get it wrong: each mistake has
# its exit status and names what is wrong, before any long run begins.
set -u
bin=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
wrong=0

# says STATUS TEXT ARGUMENT..: a case; a run of hours would be stopped, as 124.
says() {
    status=$1 text=$2
    shift 2
    timeout 60 "$bin/brusio-sim" "$@" >"$dir/out" 2>"$dir/error" </dev/null
    got=$?
    [ "$got" = "$status" ] && grep -qF -- "$text" "$dir/out" "$dir/error" && return
    echo "sim_cli: 'brusio-sim $*' ends with $got, wanted $status and '$text':"
    cat "$dir/out" "$dir/error"
    wrong=1
}

cat >"$dir/small.json" <<END
{"format": 1, "clients": [{"count": 3, "rate": 2}], "run": {"measure_s": 5}}
END
cat >"$dir/hours.json" <<END
{"format": 1, "clients": [{"count": 100000, "rate": 100}],
 "run": {"measure_s": 1000000}}
END
cat >"$dir/parts.json" <<END
{"format": 1, "clients": [{"count": 3, "rate": 2}], "run": {"measure_s": 5},
 "cases": [{"name": "short"},
           {"name": "long", "set": {"run.measure_s": 30000000}}]}
END
cat >"$dir/endless.json" <<END
{"format": 1, "clients": [{"count": 3, "rate": 2}],
 "run": {"measure_s": 30000000}}
END
cat >"$dir/unknown.json" <<END
{"format": 1, "clients": [{"count": 100000, "rate": 100}],
 "expect": [{"metric": "latency.p55", "value": 1, "tolerance": 1}]}
END
cat >"$dir/unmeasured.json" <<END
{"format": 1, "clients": [{"count": 100000, "rate": 100}],
 "expect": [{"metric": "entropy.min", "value": 1, "tolerance": 1}]}
END
cat >"$dir/sets.json" <<END
{"format": 1, "clients": [{"count": 3, "rate": 2}], "run": {"measure_s": 5},
 "cases": [{"name": "a"}, {"name": "b", "set": {"network.layers": 2,
           "clients[0].rate": 2.5}}]}
END
cat >"$dir/long.json" <<END
{"format": 1, "clients": [{"count": 10, "rate": 1}], "mix":
 {"delay_mean_ms": 60000}}
END
cat >"$dir/wide.json" <<END
{"format": 1, "clients": [{"count": 10, "rate": 1}], "network":
 {"layers": 20, "width": 10000}}
END
# what nobody has the memory for; a network that takes a quarter of an hour; what
# one slow client takes 30 years to send
cat >"$dir/vast.json" <<END
{"format": 1, "clients": [{"count": 1000000, "rate": 1000}]}
END
cat >"$dir/network.json" <<END
{"format": 1, "level": "network", "clients": [{"count": 10000}],
 "measure": {"texts": 10000}}
END
cat >"$dir/slow.json" <<END
{"format": 1, "clients": [{"count": 1, "rate": 0.001}],
 "measure": {"targets": 1000000}}
END
cat >"$dir/trace.json" <<END
{"format": 1, "clients": [{"trace": "sends.csv"}]}
END
printf 'time_s,client\n0.5,0\n0.7,1\n' >"$dir/sends.csv"

says 2 "unknown command 'simulate'" simulate
says 2 "which scenario?" run
says 2 "schema reads no file" schema "$dir/small.json"
says 2 "metrics reads no file" metrics "$dir/small.json"
says 0 "entropy.shannon           bits" metrics
says 2 "did you mean \"latency.p50\"?" run "$dir/unknown.json"
says 2 "it is with measure.targets above 0" run "$dir/unmeasured.json"
says 2 "--runs wants a whole number from 1 to 10000, not 'many'" \
    run --runs many "$dir/small.json"
says 2 "there are:" run --case none "$dir/small.json"
says 2 "cannot read $dir/none.json" run "$dir/none.json"
says 2 "sends.csv, line 3: wants" run --quiet "$dir/trace.json"
says 2 "brusio-sim: $dir/trace.json: " explain "$dir/trace.json"
for command in run explain; do
    says 2 "$dir/long.json: mix.delay_mean_ms: at most 6553.5, not 60000" \
        $command "$dir/long.json"
    says 2 "$dir/wide.json: network: makes 200000 relays" \
        $command "$dir/wide.json"
done
says 2 "--trace is of one run" run --runs 2 --trace - "$dir/small.json"
for output in csv json trace; do
    says 1 "cannot write $dir/none/x" \
        run --quiet --$output "$dir/none/x" "$dir/hours.json"
    says 1 "cannot write /dev/full" \
        run --quiet --$output /dev/full "$dir/small.json"
done
for outputs in "--csv - --json -" "--csv $dir/same --json $dir/same"; do
    # shellcheck disable=SC2086
    says 2 "is named for two outputs" run --quiet $outputs "$dir/hours.json"
done
ln -s small.json "$dir/link.json"
for output in small link; do
    says 2 "is what is read" run --quiet --csv "$dir/$output.json" "$dir/small.json"
done
says 0 "latency.p50" run --quiet --csv - "$dir/small.json"
says 0 'case,metric,value,half_width_95,unit,"network.layers","clients[0].rate"' \
    run --quiet --csv - "$dir/sets.json"
grep -q '^"a",latency.p50,.*,s,"3","2"$' "$dir/out" &&
    grep -q '^"b",latency.p50,.*,s,"2","2.5"$' "$dir/out" || {
    echo 'sim_cli: what the cases set is not in the CSV:'
    cat "$dir/out"
    wrong=1
}
says 0 "about" explain --quiet "$dir/small.json"
for name in vast network slow; do
    says 0 "in all about" explain "$dir/$name.json"
    cp "$dir/out" "$dir/$name.out"
done
# 34 GiB of packets; 1e9 s, of which none fits into a run of a day
grep -Eq 'about [1-9]\.?[0-9]*e\+04 MiB of memory' "$dir/vast.out" &&
    grep -Eq 'at least [0-9.]*e\+09 s virtual' "$dir/slow.out" || {
    echo "sim_cli: explain is off by more than ten:"
    cat "$dir/vast.out" "$dir/slow.out"
    wrong=1
}

# interrupted SIGNAL SCENARIO WANTED: a run that is ended keeps what was there.
# WANTED: what has ended by then, as the progress says it; '': anything.
interrupted() {
    echo older >"$dir/old.csv"
    rm -f "$dir/old.csv.part"
    "$bin/brusio-sim" run --threads 1 --csv "$dir/old.csv" "$2" >"$dir/out" \
        2>"$dir/error" &
    pid=$!
    for i in $(seq 600); do
        sleep 0.2
        [ -f "$dir/old.csv.part" ] || continue
        [ -z "$3" ] || grep -q -- "$3" "$dir/error" && break
    done
    kill "-$1" $pid
    wait $pid
    got=$?
    [ $got = 1 ] && [ "$(cat "$dir/old.csv")" = older ] &&
        grep -q 'interrupted; of . runs . had ended' "$dir/error" && return
    echo "sim_cli: SIG$1 ends the run with $got; old.csv is:"
    cat "$dir/old.csv" "$dir/error"
    wrong=1
}
interrupted INT "$dir/endless.json" ''
[ -f "$dir/old.csv.part" ] && echo 'sim_cli: nothing ended, but .part is there' &&
    wrong=1
interrupted TERM "$dir/parts.json" '^ *[5-9][0-9] % of 2 runs'
grep -q '^"short",latency.p50,' "$dir/old.csv.part" &&
    grep -q '^  latency.p50' "$dir/out" &&
    grep -q 'long: no run of it has ended' "$dir/out" || {
    echo 'sim_cli: what had ended is not told:'
    cat "$dir/old.csv.part" "$dir/out" "$dir/error"
    wrong=1
}
"$bin/brusio-sim" run --quiet --csv "$dir/old.csv" "$dir/small.json" >/dev/null &&
    grep -q latency.p50 "$dir/old.csv" || {
    echo 'sim_cli: a whole run leaves no figures'
    wrong=1
}
[ "$wrong" = 0 ] || exit 1
echo "sim_cli: brusio-sim says what is wrong, before it begins"
