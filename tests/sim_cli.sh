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
cat >"$dir/trace.json" <<END
{"format": 1, "clients": [{"trace": "sends.csv"}]}
END
printf 'time_s,client\n0.5,0\n0.7,1\n' >"$dir/sends.csv"

says 2 "unknown command 'simulate'" simulate
says 2 "which scenario?" run
says 2 "reads no file" schema "$dir/small.json"
says 2 "--runs wants a whole number from 1 to 10000, not 'many'" \
    run --runs many "$dir/small.json"
says 2 "there are:" run --case none "$dir/small.json"
says 2 "cannot read $dir/none.json" run "$dir/none.json"
says 1 "sends.csv, line 3: wants" run --quiet "$dir/trace.json"
says 2 "--trace is of one run" run --runs 2 --trace - "$dir/small.json"
for output in csv json trace; do
    says 1 "cannot write $dir/none/x" \
        run --quiet --$output "$dir/none/x" "$dir/hours.json"
    says 1 "cannot write /dev/full" \
        run --quiet --$output /dev/full "$dir/small.json"
done
says 0 "latency.p50" run --quiet --csv - "$dir/small.json"
says 0 "about" explain --quiet "$dir/small.json"
[ "$wrong" = 0 ] || exit 1
echo "sim_cli: brusio-sim says what is wrong, before it begins"
