#!/bin/sh
# Can the tests of our invariants fail? Each invariant (doc/DESIGN.md,
# "Invariants") has tests of its name, and here at least one line of the code
# that upholds it is changed, in a copy: then one of the tests named beside it
# has to fail. A change that none notices has survived, and so has this script
# failed; as it has when a change does not apply or compile, when a pattern names
# no test, or when the tests do not pass unchanged.
# usage: tests/invariants.sh [I3 ..]    those alone
#        tests/invariants.sh --part 2/3 the second of three shares of all
#        tests/invariants.sh --texts    do all changes still apply? no building
#
# To add a row, at the end of its invariant:
#   change I3 'what is wrong now' FILE 'text that stands there once' 'instead' \
#       'pattern of run-tests' ..
# A pattern that begins with "sh " is a command, of which BUILD is the release
# build's folder. For it, and for tests that run real programs (tests/rig.h), all
# programs are made. CC is make's: CC='ccache gcc' spares the second run most.
set -u
cd "$(dirname "$0")/.." || exit 1
texts= part=1 parts=1 row=0
case ${1:-} in
--texts) texts=1; shift ;;
--part) part=${2%/*} parts=${2#*/}; shift 2 ;;
esac
only=" $* "
copy=$(mktemp -d) || exit 1
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' INT TERM HUP
failed=0 killed=0
build=build/release
unset BRUSIO_TEST_PROOF # what a quick run notices, a long one does too

complain() {
    echo "invariants: $*"
    failed=$((failed + 1))
}

# ---- running ----

# Run a command in a folder, and say (here, not on the terminal) how it died.
run_in() {
    (
        cd "$1" || exit 1
        shift
        timeout 900 "$@"
        exit $?
    ) >"$copy/said" 2>&1
}

# Run the tests of one pattern in a folder. Sets who: the first that failed, or
# nothing; none: does the pattern name no test?
tests_run() {
    who= none=
    case $2 in
    'sh '*)
        command=$(echo "${2#sh }" | sed "s|BUILD|$build|")
        run_in "$1" $command || who=$command
        return
        ;;
    esac
    run_in "$1" $build/run-tests "$2"
    rc=$?
    case $rc in 0) return ;; 2) none=1; return ;; esac
    who=$(sed -n 's/^\[  FAILED  \] \([a-z].*\)/\1/p' "$copy/said" | head -n 1)
    if [ -z "$who" ]; then # died, or did not end
        who=$(sed -n 's/^\[ RUN      \] //p' "$copy/said" | tail -n 1)
        [ "$rc" = 124 ] && who="$who (no end)"
    fi
}

# Does a pattern need more than the tests' own program?
wants_programs() {
    case $1 in 'sh '*) return 0 ;; esac
    grep -q -E '"tests/(rig|attack)\.h"' tests/*/test_"${1%%/*}".c
}

# Make what a list of patterns needs.
copy_build() {
    goal=$build/run-tests
    for pattern; do
        wants_programs "$pattern" && goal="$build/run-tests all"
    done
    make -s -C "$copy" MODE=release $goal >"$copy/make" 2>&1
}

# Does a text stand in a file once?
stands_once() {
    BEFORE=$2 perl -0777 -ne '
        my $n = () = /\Q$ENV{BEFORE}\E/g;
        print "stands there $n times\n" if $n != 1; exit($n != 1)' "$1"
}
# Put a text in its place.
replace() {
    BEFORE=$2 AFTER=$3 perl -0777 -pi -e \
        's/\Q$ENV{BEFORE}\E/$ENV{AFTER}/' "$copy/$1"
}

# The file is as it was, and newer than what was made of it.
restore() {
    cp "$1" "$copy/$1"
    touch "$copy/$1"
}

# Each pattern once, here, where nothing is changed.
sound=
is_sound() {
    for pattern; do
        case $sound in *"<$pattern>"*) continue ;; esac
        tests_run . "$pattern"
        [ -z "$none" ] || { complain "no test is named $pattern"; return 1; }
        [ -z "$who" ] || { complain "$who fails with nothing changed"; return 1; }
        sound="$sound<$pattern>"
    done
}

# INVARIANT WHAT FILE BEFORE AFTER PATTERN..
change() {
    case $only in '  ') ;; *" $1 "*) ;; *) return ;; esac
    invariant=$1 what=$2 file=$3 before=$4 after=$5
    shift 5
    seen="$seen $invariant "
    row=$((row + 1))
    [ $((row % parts + 1)) = "$part" ] || return 0
    stands_once "$file" "$before" >"$copy/said" || {
        complain "$invariant, $what: $file: $(cat "$copy/said")"
        return
    }
    [ -z "$texts" ] || return 0
    is_sound "$@" || return
    replace "$file" "$before" "$after"
    if copy_build "$@"; then
        for pattern; do
            tests_run "$copy" "$pattern"
            [ -z "$who" ] || break
        done
        if [ -n "$who" ]; then
            killed=$((killed + 1))
            printf '%-4s %-52s %s\n' "$invariant" "$what" "$who"
        else
            complain "$invariant survives: $what ($file)"
        fi
    else
        complain "$invariant, $what: does not compile"
        grep -m 3 -E 'error|Error' "$copy/make"
    fi
    restore "$file"
}
seen=

[ -n "$texts" ] || make -s MODE=release all $build/run-tests >/dev/null || exit 1
[ -n "$texts" ] || find . \( -path ./build -o -path ./.git \) -prune -o -type f -print |
    tar -cf - -T - | tar -xf - -C "$copy" || exit 1
[ -n "$texts" ] || { mkdir -p "$copy/build" && cp -a $build "$copy/build"; } ||
    exit 1
[ -n "$texts" ] || printf '%-4s %-52s %s\n' '' 'changed' 'noticed by'

# ---- I1 one size ----

change I1 'frames down are not all of one length' relay/gateway.c \
    '                       r->frame, r->geometry.packet_len);' \
    '                       r->frame, r->geometry.packet_len - (r->frame[40] & 1u));' \
    'sizes/i1_*'
change I1 'documents come in shorter frames' relay/gateway.c \
    '    err = frame_send(r, client);
    r->stats.pieces' \
    '    r->geometry.packet_len--;
    err = frame_send(r, client);
    r->geometry.packet_len++;
    r->stats.pieces' \
    'sizes/i1_*'
change I1 'requests are shorter than packets of others' client/network.c \
    '                       c->current->params.geometry.packet_len);
    if (!err)
        window_add' \
    '                       c->current->params.geometry.packet_len - 16u);
    if (!err)
        window_add' \
    'sizes/i1_*'
change I1 'packets with letters wait otherwise than loops' client/requests.c \
    'kind == TRAFFIC_POLL ? ROUTE_POLL : ROUTE_SEND);' \
    'choice->request.kind != WIRE_LOOP ? ROUTE_POLL : ROUTE_SEND);' \
    'indistinguishable/i1_*'

# ---- I2 one clock ----

change I2 'ticks come at equal intervals' client/pace/traffic.c \
    't->next_us += rng_exp_us(env, t->mean_us);' \
    't->next_us += t->mean_us;' \
    'traffic/i2_*'
change I2 'sends are rarer than the profile says' client/pace/traffic.c \
    '*kind = at < t->send_mhz  ' \
    '*kind = at < t->send_mhz / 2  ' \
    'traffic/i2_*'
change I2 'missed ticks are caught up' client/pace/traffic.c \
    'if (t->next_us <= now_us) /* missed' \
    'if (0) /* missed' \
    'traffic/*'
change I2 'a letter brings a packet of its own' client/requests.c \
    '    if (choice.letter)
        outgoing_asked(' \
    '    if (choice.letter && network_send(c, c->frame) == 0)
        outgoing_asked(' \
    'cover/i4_clients*' 'i2_rate/*'
change I2 'the downlink is silent without an answer' relay/gateway.c \
    'if (downlink_pop(&c->down, now_us, &packet))' \
    'if (downlink_pop(&c->down, now_us, &packet) && packet != UINT32_MAX)' \
    'relays/i2_downlink_is_constant'
change I2 'a board without announcements is silent' relay/spread.c \
    'r->stats.lists_made++;
    list_pass(r, v, list);' \
    'r->stats.lists_made++;
    if (closed.listed > 0)
        list_pass(r, v, list);' \
    'spread/i2_lists*'
change I2 'slices wait for frames without an answer' relay/gateway.c \
    'c->lists = then;' \
    'if (packet == UINT32_MAX)
        c->lists = then;' \
    'spread/i10_a_mix*'
change I2 'what cannot be sent costs its tick' client/requests.c \
    '    for (unsigned tries = 0; err && tries < LOOP_TRIES; tries++) {' \
    '    if (err)
        return;
    for (unsigned tries = 0; err && tries < LOOP_TRIES; tries++) {' \
    'i2_rate/i2_a_zero_key*'
change I2 'where no loop can be made none goes' client/requests.c \
    '        reserve_send(c, now_us);
        return;' \
    '        return;' \
    'i2_rate/i2_where_nothing*'
change I2 'a gateway of a family with a store is kept' client/heard/gateways.c \
    'if (number >= 0 && !gateways_admit(c, (uint16_t)number))' \
    'if (0)' \
    'gateways/i2_*'
change I2 'the window is as wide as marks have room' client/pace/window.c \
    'return w->ahead < w->max;' \
    'return w->ahead < PARAMS_WINDOW_MAX;' \
    'window/i2_*'
change I2 'frames ahead of the gateway are not counted' client/network.c \
    '    if (!err)
        window_add(&c->window, frame);' \
    '' \
    'stalls/i2_*'
change I2 'who is removed is asked for no more' client/conversations.c \
    '    acks_clear(v->acks);
    c->status.contacts--;' \
    '    acks_clear(v->acks);
    c->status.contacts--;
    fronts_remove(c->fronts, v->id);' \
    'contacts/i2_stores*'
change I2 'a removed contact that writes on is not read' client/incoming.c \
    'if (!v->removed || l->count > 1)' \
    'if (!v->removed)' \
    'contacts/i2_who_writes*'
change I2 'a contact that is muted is not acknowledged' client/arrival.c \
    'if (v->removed || v->self)' \
    'if (v->removed || v->self || v->muted)' \
    'contacts/i2_a_contact*'
change I2 'any contact may ping' client/incoming.c \
    'return l->kind == LETTER_PING && !v->pings;' \
    'return false;' \
    'contacts/i2_a_ping*'
change I2 'who takes a withdrawn invitation up is answered' client/arrival.c \
    'if (v->removed || v->self)' \
    'if (v->self)' \
    'contacts/i2_a_withdrawn*'
change I2 'all contacts are renewed on the first tick of a period' \
    client/listed.h \
    'enum { LISTED_RENEWED = 4 };' \
    'enum { LISTED_RENEWED = 4000 };' \
    'awaiting/i2_*'
change I2 'tokens of a period are awaited once it has begun' client/listed.c \
    'const uint32_t last = c->period + 1;' \
    'const uint32_t last = c->period;' \
    'awaiting/i2_*'
change I2 'what changes of one contact looks at all' client/heard/tokens.c \
    '&t->owner[contact & (t->room - 1)]' \
    '&t->owner[contact & 0]' \
    'tokens/i2_*'
change I2 'no loop goes to a board' client/requests.c \
    'if (n == 0 || dice % ANNOUNCE_LOOPS != 0)' \
    'if (n == 0 || dice < UINT64_MAX)' \
    'announcing/i2_*'
change I2 'a conversation more evicts another' client/pace/fronts.c \
    'if (front_is_free(&f->front[at], now_us))
            return (int)at;' \
    'return (int)at;' \
    'fronts/fronts_end_by_themselves'
change I2 'what is announced takes a front' client/pace/fronts.c \
    '    if (!served)
        script_begin(f, env, now_us, k, older);' \
    '    (void)fronts_took(f, env, now_us, contact);
    if (!served)
        script_begin(f, env, now_us, k, older);' \
    'fronts/a_front_is_taken_by_the_user_alone'
change I2 'the pace of the sweep is shared' client/pace/fronts.c \
    'rng_exp_us(env, (uint64_t)f->params.sweep_mean_s * SECOND_US)' \
    'rng_exp_us(env, f->n * f->params.sweep_mean_s * (SECOND_US / 100))' \
    'fronts/the_sweep_has_one_pace_whatever_their_number'
change I2 'not announcing is a probe' client/pace/fronts.c \
    'asked->place != FRONTS_FRONT || commit_us < k->given_us;' \
    'asked->place != FRONTS_FRONT || commit_us > 0;' \
    'fronts/not_announcing_is_no_probe'
change I2 'acknowledgements say how a letter was found' client/pace/fronts.c \
    'return read_us > from_us ? read_us : from_us;' \
    'return read_us;' \
    'fronts/acknowledgements_*'

# ---- I3 no packet twice ----

change I3 'no packet is compared with those before' relay/pipeline.c \
    'return replay_insert(p->r->plane->replay, job->replay_tag, deadline_s,
                         p->wall_s);' \
    'return 0;' \
    'relays/i3_*'
change I3 'what stands in the set is not seen' relay/replay.c \
    's.same += word >> TIME_BITS == hash;' \
    's.same += 0;' \
    'adversary/i3_*'
change I3 'a killed relay forgets what passed' relay/daemon/keys.c \
    'PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);' \
    'PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);' \
    'keys/i3_*'

# ---- I4 cover is on ----

change I4 'clients with nothing to say keep still' client/requests.c \
    '    request_choose(c, view, kind, &choice);
    int err' \
    '    request_choose(c, view, kind, &choice);
    if (choice.request.kind == WIRE_LOOP)
        return;
    int err' \
    'cover/i4_clients*'
change I4 'letters ride on ticks for loops' client/requests.c \
    'if (kind == TRAFFIC_SEND && !out->after)' \
    'if (!out->after)' \
    'cover/i4_clients*'
change I4 'relays send half as many loops' relay/loops.c \
    'rng_exp_us(r->env, 1000000000ULL / mhz)' \
    'rng_exp_us(r->env, 2000000000ULL / mhz)' \
    'cover/i4_clients*'
change I4 'loops go under a consensus that has not begun' network/consensus.c \
    'if (!c[i] || c[i]->valid_after_s * 1000000 > now_us ||' \
    'if (!c[i] ||' \
    'watch/i4_loops*'
change I4 'gateways send no dummies' relay/gateway.c \
    'if (downlink_pop(&c->down, now_us, &packet))' \
    'if (downlink_pop(&c->down, now_us, &packet) && packet != UINT32_MAX)' \
    'cover/i4_downlinks*'
change I4 'a consensus may silence relays' network/json_params.c \
    'F_INT(params, relay_loop_mhz, 1,' \
    'F_INT(params, relay_loop_mhz, 0,' \
    'cover/i4_no_consensus*'
change I4 'relays are silent by default' network/params.c \
    '.relay_loop_mhz = 500,' \
    '.relay_loop_mhz = 0,' \
    'cover/i4_defaults_cover'
change I4 'scenarios have silent relays' sim/scenario/scenario_fields.c \
    'm->loop_mhz = p->relay_loop_mhz;' \
    'm->loop_mhz = 0;' \
    'cover/i4_the_simulator_covers'
change I4 'init writes more than the profile' client/daemon/setup.c \
    'profile = \"%s\"\n\n# What else' \
    'profile = \"%s\"\nlog_level = debug\n# What else' \
    'sh tests/cover.sh BUILD'

# ---- I5 one code ----

change I5 'the simulator has no alarms of ours' sim/packets/watch.c \
    '(void)alarm_turn(&run->alarm[i], run->now_us, mhz);' \
    'run->alarm[i].windows += mhz > 0;' \
    'sh tests/check-links.sh BUILD'
change I5 'times depend on what is encrypted' relay/loops.c \
    'rng_exp_us(r->env, 1000000000ULL / mhz)' \
    'rng_exp_us(r->env, 1000000000ULL / mhz) + r->frame[1000]' \
    'relays/i5_*'

# ---- I6 nothing is lost silently ----

change I6 'what comes after a group that was not kept is kept' \
    client/daemon/outbox_sqlite.c \
    'if (list->ticket && list->ticket != ++last)' \
    'if (list->ticket && list->ticket != ++last && false)' \
    'faults/i6_*'
change I6 'what a failed commit has left is not settled' \
    client/daemon/outbox_sqlite.c \
    'if (!err && o->failed) {' \
    'if (!err && o->failed && false) {' \
    'faults/i6_*'
change I6 'a caller who heard an error had his text queued' client/outgoing.c \
    '!journal_is_committed(c->journal, m->ticket))' \
    '!journal_is_committed(c->journal, 0))' \
    'full_disk/i6_*'
change I6 'an older copy takes what it never sent for delivered' \
    client/staging.c \
    'l->sequence <= v->overtaken;' \
    'l->sequence <= v->overtaken && false;' \
    'full_disk/i6_*'
change I6 'kept is said before the commit' relay/boxes.c \
    'if (!job->asked || job->waiting)' \
    'if (!job->asked)' \
    'boxes/i6_*'
change I6 'a store commits nothing' relay/daemon/store_day.c \
    'database_run(d->db, "COMMIT")' \
    'database_run(d->db, "SELECT 1")' \
    'store_sqlite/i6_*'
change I6 'a damaged file costs a store all its letters' \
    relay/daemon/store_sqlite.c \
    's->day[i].damaged = true; /* set aside when the list is over */' \
    's->day[i].damaged = false;' \
    'faults/i6_a_damaged*'
change I6 'a reader names what its disk may lose' client/requests.c \
    '!journal_is_committed(c->journal, choice->ticket))' \
    '!journal_is_committed(c->journal, 0))' \
    'i11_boxes/i6_*'
change I6 'a repeat is kept that its letter was not' \
    relay/daemon/store_sqlite.c \
    'req->expiry_day = of[slot]->number;' \
    '' \
    'store_sqlite/i6_*'
change I6 'a letter that was kept is never put again' client/outgoing.c \
    'l->due_us = env_now_mono_us(c->env) + wait_us;' \
    'l->due_us = UINT64_MAX;' \
    'adversary/i6_*'

change I6 'repeats go to the store that kept nothing' client/outgoing.c \
    'l->second = rank == STORE_FIRST;' \
    'l->second = false;' \
    'i6_stores/*one_store*'
change I6 'what had no token is not announced' client/announce.c \
    'return (v->uncovered && !announce_is_full(v) &&' \
    'return (v->uncovered && announced_count(v) > ANNOUNCE_AHEAD &&' \
    'announcing/i6_*'
change I6 'what had no token is announced again and again' client/announce.c \
    '    v->uncovered = v->again_to_all = false;
    v->again_period = 0;
    v->again_us' \
    '    v->again_to_all = false;
    v->again_period = 0;
    v->again_us' \
    'announcing/i6_*'
change I6 'a script forgets tokens of another day' client/pace/fronts.c \
    '    k->script_both = both;
    if (k->tokens' \
    '    if (k->tokens' \
    'fronts/a_script_is_for_both*'
change I6 'what was held up after its token is not announced' client/requests.c \
    'if (choice.after && choice.after->put_us == 0)' \
    'if (0)' \
    'announcing/i6_a_letter_held_up*'
change I6 'a second token leaves before its letter may' client/announce.c \
    'letter_is_here(v, e) ? ANNOUNCE_HELD' \
    '0 ? ANNOUNCE_HELD' \
    'announcing/i6_a_letter_held_up*'
change I6 'what is known of other days waits for the sweep' client/requests.c \
    'more = others == 0 && polls_know_more(c, v, &whom.older);' \
    'more = false;' \
    'i6_week/i6_a_store*'
change I6 'what is in the box of yesterday is announced as of today' \
    client/announce.c \
    'today > 0 && cover_is_for(v, today - 1) &&' \
    'today == 0 &&' \
    'announcing/i6_what_is_of*' 'announcing/i6_one_token_is_for_each*'
change I6 'repeats are not announced' client/announce.c \
    'if (l->keeps > 1 ? l->keeps <= 1 + ANNOUNCE_REPEATS : late)' \
    'if (l->keeps > 1 ? 0 : late)' \
    'i6_stores/*put_again_is*'
change I6 'what a store has no room for is put there again' client/outgoing.c \
    '    outgoing_answered(l, rank);
    l->due_us =' \
    '    l->second = rank == STORE_SECOND;
    l->due_us =' \
    'i6_stores/*full*'
change I6 'a letter stays in its box for ever' client/staging.c \
    '(unread || l->keeps >= KEEPS_DAY);' \
    'false;' \
    'i6_stores/*neither*'
change I6 'a store that lies is asked again' client/polls.c \
    'return lies[0] >= LIES_MAX && lies[1] < LIES_MAX;' \
    'return false;' \
    'i6_stores/*pin*'
change I6 'nobody looks behind a box that nothing is kept of' client/polls.c \
    '        return (first + 1) % CURSOR_BOXES;' \
    '        return first;' \
    'i6_stores/*next' 'i6_holes/i12_*'
change I6 'a box with a hole is asked for all day' client/polls.c \
    'if (polled_of(k, i, front)->vain < in_vain ||' \
    'if (polled_of(k, i, front)->vain < in_vain + UINT16_MAX ||' \
    'i6_holes/*new'
change I6 'a reader does not go on behind a hole' client/polls.c \
    '    if (k->missed >= HOLE_POLLS) {' \
    '    if (0) {' \
    'i6_holes/*kept_are*'
change I6 'what a store names is believed for ever' client/polls.c \
    'if (p->empties % EMPTIES_FORGET == 0)' \
    'if (0)' \
    'i6_holes/*kept_are*'
change I6 'what letters of a week need is forgotten in two days' network/days.c \
    'return keep < DAYS_MAX ? (size_t)keep : DAYS_MAX;' \
    'return keep < 3 ? (size_t)keep : 3;' \
    'days/i6_*week'
change I6 'a missed day has the value of who asks' network/days.c \
    'crypto_generichash_update(&h, last, DAYS_VALUE_LEN);' \
    'crypto_generichash_update(&h, last, 1 + last[0] % 2);' \
    'days/vectors*' 'days/i6_*'
change I6 'each consensus of a day has a value of its own' network/days.c \
    'if (follows && before_period == period)' \
    'if (0)' \
    'days/i6_*week' 'past/a_period*'
change I6 'boxes of other days are asked for at the stores of today' \
    client/requests.c \
    'consensus_store_of(view, choice->at.period, choice->request.box,' \
    'consensus_store_of(view, client_period(c), choice->request.box,' \
    'i6_week/*'
change I6 'who comes back from an outage has another place' directory/tally.c \
    'return s ? *s : fresh;' \
    'return s && s->seen + 1 == c->epoch ? *s : fresh;' \
    'past/i11_who*'
change I6 'a letter that found no room loses its key' client/sealing.c \
    '        if (!err && again)
            err = kept_add(c, v, &k);
' \
    '' \
    'sealing/i6_a_letter_that_found*'
change I6 'a session steps for a letter that was not received' client/arrival.c \
    '        sealing_back(v, &session);
        return err;
    }
    sodium_memzero(&session, sizeof session);
    c->status' \
    '        return err;
    }
    sodium_memzero(&session, sizeof session);
    c->status' \
    'sealing/i6_a_gap*'

# ---- I7 no input kills ----

change I7 'packets with a wrong MAC are not counted' relay/internal.h \
    'r->stats.dropped[-err]++;' \
    'r->stats.dropped[-err] += err != ERR_MAC;' \
    'relays/i7_wrong_packets_are_counted'
change I7 'the edge of a packet is not looked at' relay/pipeline.c \
    '    if (layer == UINT8_MAX ||
        !consensus_has_edge(v->consensus, layer, v->layer))' \
    '    if (layer == UINT8_MAX)' \
    'relays/i7_wrong_packets_are_counted'
change I7 'a queue of answers has no bound' relay/downlink.c \
    'if (d->queue_count == DOWNLINK_QUEUE_MAX)' \
    'if (0)' \
    'downlink/*'

change I7 'a listing is searched from its beginning' directory/listing.c \
    'const size_t middle = at + (end - at) / 2;' \
    'const size_t middle = at;' \
    'scale/i7_listing*'
change I7 'strangers make a vote too long' directory/listing.c \
    'len > room)' \
    '0)' \
    'scale/i7_strangers*'
change I7 'who goes has all parts counted over and over' directory/blame.c \
    '    j->layer[i] = 0;
    parts_count(j, layer);' \
    '    j->layer[i] = 0;
    for (int times = 0; times < 64; times++)
        parts_count(j, layer);' \
    'scale/i7_judging*'
change I7 'a list is what its gateway says' client/heard/shown_taken.c \
    '    err = list_verify(c, bytes, len);
    if (err)
        return err;
    l->counts.seen++;' \
    '    l->counts.seen++;' \
    'shown/i7_a_list*' 'shown/i7_lists*'
change I7 'a list is of whenever it says' client/heard/shown.c \
    '    if (at_ms > unix_ms + SHOWN_AHEAD_MS)
        return ERR_FUTURE;
' \
    '' \
    'shown/i7_lists*'
change I7 'layers are evened out mix by mix' directory/tally.c \
    '    while (at < l->leaves)
        at = 2 * at + (l->least[2 * at] >= most);
    return at - l->leaves;' \
    '    for (at = l->leaves; l->least[at] >= most;)
        at++;
    return at - l->leaves;' \
    'scale/i7_evening*'
change I7 'acknowledgements pile up while no store answers' client/staging.c \
    'ack_waits(v))
        return 0;' \
    '(ack_waits(v) && !v->id))
        return 0;' \
    'i11_answers/i7_*'
change I7 'the letters of two chains that are missing are not added up' \
    client/letters/ratchet.c \
    '    if (!err &&
        gap_len(&step->gap[0]) + gap_len(&step->gap[1]) > RATCHET_SKIP_MAX)' \
    '    if (!err && gap_len(&step->gap[0]) > RATCHET_SKIP_MAX)' \
    'ratchet/i7_what_is_missing*'
change I7 'a key of small order makes a chain' client/letters/ratchet.c \
    'return bad ? ERR_POINT : 0;' \
    'return 0 * bad;' \
    'ratchet/i7_a_key*'

# ---- I8 nothing identifying is kept ----

change I8 'counts are rounded down' relay/operator/publish.c \
    'const uint64_t up = rng_below(p->env, step);' \
    'const uint64_t up = 0;' \
    'publish/i8_*'
change I8 'counts move within the minute' relay/operator/publish.c \
    'if (now_us < p->at_us)' \
    'if (0)' \
    'publish/i8_*' 'metrics/i8_*'
change I8 'what is wiped is unlinked alone' lib/os/wipe.c \
    'err = zeros_write(fd, st.st_size);' \
    '(void)zeros_write;' \
    'wipe/i8_letters*' 'wipe/i8_packet*'
change I8 'keys of erased records stay' lib/os/key_slots.c \
    'if (k->n_retired == 0)' \
    'if (1)' \
    'wipe/i8_erased*' 'wipe/i8_keys*'
change I8 'what a passphrase sealed before stays' client/daemon/master.c \
    'err = wipe_file(old);' \
    'err = unlink(old);' \
    'master/i8_*'
change I8 'records of before stay as they are' client/daemon/outbox_sqlite.c \
    'if (!err && o->bare)' \
    'if (!err && o->bare && false)' \
    'master/i8_*'
change I8 'a store writes ids of boxes as they are' relay/daemon/seal.c \
    'crypto_generichash(name, SEAL_NAME_LEN, box, 32, key, WIPE_KEY_LEN);' \
    '(void)key, memcpy(name, box, SEAL_NAME_LEN);' \
    'wipe/i8_letters*'
change I8 'a removed contact leaves what came of it' client/contacts.c \
    '    if (!err)
        err = inbox_erase(c, v);' \
    '' \
    'contacts/i8_*'
change I8 'what was written to a removed contact can be read' client/disk/records.c \
    'v->removed ? none : v->chains[CHAIN_OUT].key' \
    'v->name[0] == 1 ? none : v->chains[CHAIN_OUT].key' \
    'contacts/i8_*'
change I8 'keys of days that are over stay' client/client.c \
    '        conversations_step(c);
' \
    '' \
    'chains/i8_*'
change I6 'one clock that is ahead wipes keys of use' client/conversations.c \
    '    if (!c->settled) /* one' \
    '    if (!c->current) /* one' \
    'chains/i6_a_clock*'
change I10 'a good look makes up for all poor ones' client/heard/giving.c \
    'g->poor -= g->poor > 0;' \
    'g->poor = 0;' \
    'giving/i10_a_good*'
change I8 'keys of what is read are stepped alone' client/conversations.c \
    '    else
        chain_step(&v->chains[CHAIN_OUT], day);
' \
    '' \
    'chains/i8_*'
change I6 'a key is stepped over whose letters are read' client/conversations.c \
    '(life_s + p->period_s - 1) / p->period_s + 2;' \
    '(life_s + p->period_s - 1) / p->period_s - 1;' \
    'chains/i6_*'
change I2 'all contacts are stepped at a day'"'"'s first tick' client/conversations.c \
    '            if (err)
                client_drop(c, err);
            return;' \
    '            if (err)
                client_drop(c, err);
            else
                continue;
            return;' \
    'chains/i2_*'
change I6 'a step that was not kept counts' client/conversations.c \
    'memcpy(v->chains, before, sizeof before);' \
    '' \
    'chains/a_step*'
change I8 'a chain is not stepped' client/letters/ratchet.c \
    '    memcpy(chain, next, sizeof next);
' \
    '' \
    'ratchet/i8_a_key*' 'session/i8_who_takes_a_device*'
change I8 'a share is wiped and not mixed' client/letters/ratchet.c \
    '        len += RATCHET_KEY_LEN;
' \
    '' \
    'rekey/i8_who_has_every_x25519*' 'letter_vectors/shares*'
change I8 'a share stays when it is mixed' client/letters/ratchet.c \
    '        sodium_memzero(r->share, sizeof r->share);
' \
    '' \
    'rekey/i8_a_share*'
change I8 'a key of a share stays when that is found' client/letters/rekey.c \
    '    if (r->has_share)
        rekey_begin(k);
' \
    '' \
    'rekey/i8_a_share*'
change I8 'an offer begins without the lasting share' client/letters/session.c \
    's->has_lasting ? sizeof in : 4);' \
    '4);' \
    'letter_vectors/shares*'
change I8 'an answer draws no new key' client/letters/ratchet.c \
    '    own_key_take(r, fresh);
' \
    '    (void)fresh;
' \
    'ratchet/i8_a_copy*' 'session/i8_who_takes_a_device*'
change I8 'a key stays when its letter has come' client/sealing.c \
    '    if (kept && !again)
        err = record_kept_delete' \
    '    if (kept && again)
        err = record_kept_delete' \
    'sealing/i9_a_letter_that_is_late*'
change I8 'keys that were used are never wiped' client/sealing.c \
    '    sodium_memzero(v->secrets->recent, sizeof v->secrets->recent);
' \
    '' \
    'sealing/i8_a_key*'
change I8 'keys of late letters outlive their days' client/sealing.c \
    'SEALING_KEPT_MAX || v->kept[n].day < day)' \
    'SEALING_KEPT_MAX || day == 1)' \
    'sealing/i8_keys_of_late_letters_go_with_their_days'
change I8 'a key is forgotten that the disk still has' client/sealing.c \
    'return kept_delete(c, v, kept_over(v, 0, day));' \
    'const int err = kept_delete(c, v, kept_over(v, 0, day));
    sealing_forgotten(v, day);
    return err;' \
    'sealing/i8_keys_go*'
change I8 'a second one is read as the first' client/letters/session.c \
    'if (s->paired && memcmp(key, s->first, sizeof s->first) != 0)' \
    'if (s->paired && key == s->first)' \
    'session/i8_who_takes_up*'
change I8 'heads are not in the key of the pair' client/letters/session.c \
    'to_all || !heads_are_paired(s) ? no_pair' \
    'to_all || s ? no_pair' \
    'session/i8_who_takes_up*' 'session/i8_who_has*'

# ---- I9 a restart costs nothing ----

change I9 'a contact is removed in two groups' client/contacts.c \
    '    if (!err)
        err = inbox_erase(c, v);' \
    '    (void)journal_end(c->journal);
    journal_begin(c->journal);
    if (!err)
        err = inbox_erase(c, v);' \
    'contacts/i9_*'
change I9 'a relay has other keys when it comes back' relay/daemon/keys.c \
    'snprintf(name, sizeof name, "packet-%u.key", epoch);' \
    'snprintf(name, sizeof name, "packet-%u.key", epoch + (uint32_t)getpid());' \
    'restart/*'
change I9 'a restart forgets which tokens are used' client/disk/records.c \
    '        v->awaited[i].next = codec_read32(r);' \
    '        v->awaited[i].next = 0 * codec_read32(r);' \
    'records/*' 'listed/i9_*'
change I9 'an authority votes no more after a restart' \
    directory/authority_take.c \
    'if (!err && memcmp(c.author, a->ids[a->self], SPHINX_ID_LEN) == 0)
        promises_add(&a->promises[PROMISE_VOTE], c.epoch, NULL);' \
    'a->abstains = a->target;' \
    'authority/i9_*'
change I9 'a nonce is of the place alone' client/letters/letter.c \
    '    crypto_generichash_update(&h, body, body_len);
    crypto_generichash_final(&h, nonce, NONCE_LEN);' \
    '    (void)body, (void)body_len;
    crypto_generichash_final(&h, nonce, NONCE_LEN);' \
    'session/i9_what_is_sealed*'
change I9 'one who came back as he began never offers' client/letters/session.c \
    '    step->next.answered = true;
}' \
    '    step->next.answered |= step->verdict == SESSION_READ;
}' \
    'session/i9_older*'
change I9 'who has another lasting share keeps it' client/letters/session.c \
    '    if (!same)
        lasting_forget(s);
' \
    '' \
    'rekey/a_new_generation*'
change I9 'an offer is below what the other one has' client/messages.c \
    'return v->told_generation > own ? v->told_generation : own;' \
    'return own;' \
    'sealing/i9_an_offer*'
change I9 'a letter that does not open is passed over' client/arrival.c \
    'if (opened->verdict == SESSION_BROKEN || opened->unmet)' \
    'if (opened->verdict == SESSION_SECOND || opened->unmet)' \
    'sealing/i9_a_letter_that_does_not*'

# ---- I10 nothing irreversible follows from one peer's word ----

change I10 'whoever knows a box may put into it' relay/boxes.c \
    'if (err)
        return err;
    struct boxes_job *job' \
    'if (err && err != ERR_SIGNATURE)
        return err;
    struct boxes_job *job' \
    'boxes/i10_*'
change I10 'the latest store says what time it is' client/heard/nettime.c \
    '? sorted_us[n / 2]' \
    '? sorted_us[n - 1]' \
    'nettime/i10_*'
change I10 'a family says the time as often as it likes' client/heard/nettime.c \
    '!family_is_one(n->sample[i].family, n->sample[k].family) ||' \
    'k != i ||' \
    'nettime/i10_*'
change I10 'what is written in absence has a date of before' client/state.c \
    'return c->newest > 0 && client_time_s(c) == time_agreed_s(c);' \
    'return c->newest > 0;' \
    'i10_time/i10_what*'
change I10 'one store says that an epoch has come' client/heard/witness.c \
    'if (named > 0 && named >= families)' \
    'if (named > 0)' \
    'witness/i10_*'
change I10 'one store is enough to act on a list' client/heard/shown.h \
    '    SHOWN_SURE = 2,' \
    '    SHOWN_SURE = 1,' \
    'shown/i10_*'
change I10 'a board names its own lists' client/heard/shown.c \
    'j->own && !signs ? good : good & others' \
    'good' \
    'shown/i10_*'
change I10 'what comes at the edge of its time is named' relay/lists.c \
    'if (e->late || e->epoch < n->epoch ||' \
    'if (e->epoch < n->epoch ||' \
    'lists/i10_what_comes*'
change I10 'what is named vouches for what came at the edge' relay/lists.c \
    'return !b->late && memcmp(' \
    'return memcmp(' \
    'lists/i10_what_comes*'
change I10 'one silent store of three silences all boards' client/heard/shown.c \
    'j.signer = others == SHOWN_SURE &&' \
    'j.signer = others > SHOWN_SURE + 1 &&' \
    'shown_attacks/i10_one*' 'i10_boards/i10_one*'
change I10 'what is announced goes where nobody hears of it' client/announce.c \
    'size_t k = boards_able(c, n, gateway, true, able);' \
    'size_t k = boards_able(c, n, gateway, false, able);' \
    'announcing/i10_*'
change I10 'a family names lists as often as it likes' client/heard/naming.c \
    '            is_new = !(words >> k & 1) ||
                     !family_is_one(w->word[i].family, w->word[k].family);' \
    '            is_new = !(words >> k & 1) || k != i;' \
    'shown/i10_*'
change I10 'two stores that lie say which list there is' client/heard/shown.c \
    'families > naming_families(w, j->own ? bad : bad & others)' \
    'families > 0' \
    'shown_attacks/i11_a_store*'
change I10 'stores that lie make clients leave gateways' client/heard/shown_said.c \
    '    return k->named && !k->forked &&' \
    '    return k->named &&' \
    'shown_attacks/i10_stores*'
change I10 'a gateway may keep lists to itself' client/heard/shown_said.c \
    '            l->is_stuck = l->is_stuck || now_us - k->named_us > stuck_us(l);
' \
    '' \
    'shown_attacks/i10_a_gateway*'
change I10 'a gateway may be late as often as it likes' client/heard/shown_said.c \
    '(l->is_stuck || l->times >= SHOWN_LATE_MAX)' \
    'l->is_stuck' \
    'shown_attacks/i10_a_gateway*'
change I10 'who withholds lists moves a client each minute' client/heard/shown_said.c \
    '    if (l->leaves < SHOWN_STUCK_DOUBLINGS)
        l->leaves++;
' \
    '' \
    'shown_attacks/i10_who*'
change I10 'a gateway that keeps lists is not left' client/client.c \
    'leave == CLIENT_WITHHELD || leave == CLIENT_LOSSY' \
    'leave == CLIENT_LOSSY' \
    'listed/i10_*'
change I10 'a gateway that gives an answer now and then is kept' \
    client/heard/giving.c \
    'if (2 * (uint64_t)g->answers < g->ticks) {' \
    'if (g->answers == 0) {' \
    'i10_gateways/i10_a_gateway_that_gives*'
change I10 'a bad line moves a client every two minutes' client/heard/giving.c \
    'return g->poor >= (uint32_t)GIVING_LOOKS << g->left;' \
    'return g->poor >= (uint32_t)GIVING_LOOKS;' \
    'giving/i10_*'
change I10 'one good look takes back all patience' client/heard/giving.c \
    'g->good >= (uint32_t)GIVING_CALM << g->left' \
    'g->good > 0' \
    'giving/i10_*'
change I12 'letters that a ratchet has left move at once' client/staging.c \
    '(sealing_is_left(v, l) && now_us < v->left_us)' \
    '(sealing_is_left(v, l) && now_us == 0)' \
    'i12_answers/i12_who_offers*'
change I12 'tokens are taken as soon as there are some again' client/announce.c \
    'now_us >= v->cover_us)' \
    'now_us > 0)' \
    'i12_answers/i12_who_acknowledges_late*'
change I12 'numbers of another life are renewed at once' client/acknowledged.c \
    '        v->renew_us = due_us;' \
    '        v->renew_us = env_now_mono_us(c->env) + (due_us == 1);' \
    'i12_answers/i12_who_names*'
change I12 'a gateway answers for what contacts have in their hands' \
    client/client.c \
    'if (kind == TRAFFIC_LOOP && client_is_sending(c))' \
    'if (kind != TRAFFIC_SEND && client_is_sending(c))' \
    'i10_gateways/i12_*'
change I10 'a gateway that fails is replaced at once' client/heard/gateways.c \
    'now_s > g->renewed_s + GATEWAYS_RENEW_S &&' \
    'now_s > g->renewed_s &&' \
    'gateways/i10_*'
change I10 'one look at a clock fills the replay set' relay/pipeline.c \
    ': consensus_judge_time(r->newest->consensus, wall_s);' \
    ': 0;' \
    'relays/i10_*'
change I10 'a set that is lost is trusted at once' relay/daemon/keys.c \
    'const bool doubt = st.st_size != 0 || keys_exist(dir);' \
    'const bool doubt = false;' \
    'keys/i10_*'
change I10 'a gateway that withholds is never left' client/heard/gateways.c \
    'g->current = (uint8_t)next;' \
    '' \
    'i10_gateways/i10_a_withholding*'
change I10 'every gateway that fails gives way to a new one' client/heard/gateways.c \
    'c && g->failed >= g->n && now_s > g->renewed_s + GATEWAYS_RENEW_S &&' \
    'c &&' \
    'i10_gateways/i10_a_month*'
change I10 'an authority believes any clock at once' \
    directory/authority_internal.c \
    'return !a->newest ||' \
    'return true || !a->newest ||' \
    'authority/i10_a_look*'
change I10 'an authority does not follow its clock back' directory/authority.c \
    'if (clock_is_back(a, now_ms)) {' \
    'if (0 && clock_is_back(a, now_ms)) {' \
    'i10_authority/i10_a_lone*'
change I10 'an authority knows but the last epochs it signed' \
    directory/promises.c \
    'if (p->range[i].first <= epoch && epoch <= p->range[i].last)' \
    'if (i + 1 == p->n && p->range[i].first <= epoch &&
            epoch <= p->range[i].last)' \
    'promises/i10_*'
change I10 'an answer that never ends is waited for' lib/os/http/http.c \
    '    (void)event_add(q->later, &tv);' \
    '    if (seconds > HTTP_WHOLE_S)
        (void)event_add(q->later, &tv);' \
    'http/i10_*' 'exchange/i10_*'
change I10 'one that has no vote and says otherwise is believed' \
    directory/daemon/exchange.c \
    'if (!err && status == 200 && vote_is(w, body, len)) {' \
    'if (!err && status == 200 && (vote_is(w, body, len) || true)) {' \
    'exchange/i10_*'
change I10 'keys are wiped while their records are away' \
    client/daemon/outbox_sqlite.c \
    'return o->at.inode != 0 || (stat(o->keys_path, &st) == 0 && st.st_size > 0);' \
    'return o->at.inode != 0 || (stat(o->keys_path, &st) == 0 && false);' \
    'wipe/i10_*'
change I10 'records open without the master key' client/daemon/master.c \
    '    if (m)
        crypto_generichash(out, KEY_SLOT_LEN, slot_key, KEY_SLOT_LEN, m->key,' \
    '    if (m && false)
        crypto_generichash(out, KEY_SLOT_LEN, slot_key, KEY_SLOT_LEN, m->key,' \
    'master/i10_*'
change I10 'a locked client answers' client/daemon/json.c \
    'return !line->guard || k->method->always || !guard_is_locked(line->guard);' \
    'return true || k->method->always || !guard_is_locked(line->guard);' \
    'guard/i10_*'
change I10 'a lock opens by any file of a key' client/daemon/guard.c \
    'if (!err && !master_is_same(m, g->master))' \
    'if (!err && !master_is_same(m, g->master) && false)' \
    'guard/i10_*'
change I10 'a backup that was cut is whole' client/daemon/backup.c \
    'return err || b->s->last ? err : ERR_FORMAT;' \
    'return err == ERR_SHORT ? 0 : err;' \
    'backup/i10_*'
change I10 'a copy is mixed with what a killed client left' client/daemon/lives.c \
    'if (both.told && both.life == alone->life)' \
    'if (both.told || both.life == alone->life)' \
    'client_files/i10_*'
change I10 'what another program made is taken for new' lib/os/database.c \
    'return tables > 0 || form->there ? ERR_DAMAGED' \
    'return (tables > 0 || form->there) && false ? ERR_DAMAGED' \
    'client_files/i10_*'
change I10 'the word of stores burns an invitation' client/taken.c \
    'if (answer->status != WIRE_LETTER || !is_of_another(c, v, at, bytes))' \
    'if (answer->status != WIRE_LETTER && !is_of_another(c, v, at, bytes))' \
    'i6_stores/i10_*'
change I10 'a silent store keeps an invitee from its polls' client/polls.c \
    'if (v->checks > 0 && v->looked < CHECKS) {' \
    'if (v->checks > 0) {' \
    'contacts/i10_looks*'
change I10 'an own letter is taken for another'"'"'s' client/taken.c \
    'own ? sodium_memcmp(own->bytes, bytes, c->letter_len) != 0' \
    'own ? true' \
    'i6_stores/i10_*'
change I10 'a store counts at once' network/consensus.c \
    '.counts = (e->counts >> bit & 1) != 0' \
    '.counts = bit < DAYS_MAX' \
    'days/i10_*tomorrows_box'
change I10 'a store needs no trial' directory/past.c \
    'since == 0 || c->epoch - since >= trial' \
    'since <= c->epoch' \
    'past/values*'
change I10 'who was away for a value may choose to come back' directory/past.c \
    'days_counts(s->counts, p->periods, false)' \
    'days_counts(s->counts, p->periods, true)' \
    'past/i11_who*'
change I10 'the value of a box'"'"'s own day decides' network/consensus.c \
    'period > 0 ? period - 1 : 0' \
    'period' \
    'days/vectors*'
change I10 'one vote says what the days were' directory/past.c \
    'votes[i]->day <= period && same >= need' \
    'votes[i]->day <= period && same >= 1' \
    'past/i10_liars*'
change I10 'days of the future go on' directory/past.c \
    'votes[i]->day <= period && same >= need' \
    'same >= need' \
    'past/i10_liars*'
change I10 'one vote says when a relay was seen' directory/past.c \
    '.seen = seen[need - 1]' \
    '.seen = seen[0]' \
    'past/i10_two*'

change I10 'a revoked key signs all the same' network/document.c \
    '!certificates_revoke(newest, s->signer, &s->cert, at_s)));' \
    'true));' \
    'i10_revoked/i10_*'
change I10 'authorities forget what is revoked' directory/authority_sign.c \
    '    certificates_learn(a);
    a->status' \
    '    a->status' \
    'i10_revoked/*authority' 'i10_revoked/i9*'
change I10 'clients forget what is revoked' client/network.c \
    '.seen = &c->certificates' \
    '.seen = NULL' \
    'i10_revoked/*client'
change I10 'what has expired teaches nothing' network/receive.c \
    '(!err || err == ERR_EXPIRED) && rules->seen' \
    '!err && rules->seen' \
    'i10_revoked/*client'
change I10 'the first note of an authority stays' directory/authority_take.c \
    'certificate_is_newer(&d->sig[0].cert, &c->sig.cert);' \
    'false;' \
    'i10_revoked/*first*'
change I10 'a vote lists what nobody has signed' directory/tally.c \
    'certificate_check(&h->cert, h->identity) == 0)' \
    'h)' \
    'i10_revoked/nobody*'
change I10 'a wrong clock revokes for good' network/certificate.c \
    'if (certificate_is_newer(c, &k->cert) || k->cert.from_s > now_s)' \
    'if (certificate_is_newer(c, &k->cert))' \
    'i10_revoked/there*'
change I10 'a consensus lists what no identity has signed' \
    network/certificate.c \
    'certificate_check(&k->cert, k->identity) == 0)' \
    'k)' \
    'i10_revoked/i10_a_false*'
change I10 'certificates of strangers are kept' network/certificate.c \
    'if (is_among(list->of[i].identity, of, n))' \
    'if (is_among(list->of[i].identity, of, n) || i < n)' \
    'i10_revoked/i10_a_false*'
change I10 'a vote counts for each descriptor of a relay' directory/tally.c \
    'return 2 * votes_count(listed) > n_authorities ? best : NULL;' \
    'return 2 * (votes_count(listed) + k - i - 1) > n_authorities ? best : NULL;' \
    'tally/i10_many*'
change I10 'what one vote alone lists needs room' directory/tally.c \
    'int err = texts_gather(votes, n, &t, &k);' \
    'int err = texts_gather(votes, n, &t, &k); if (!err && k > RELAYS_MAX) err = ERR_RANGE;' \
    'tally/i10_a_long_vote_hinders_no_consensus'
change I10 'a vote that is kept is too long to be read' \
    directory/daemon/disk.c \
    'LOADED_MAX = VOTE_LEN_MAX + 65536,' \
    'LOADED_MAX = VOTE_LEN_MAX,' \
    'tally/i10_a_long_vote_hinders_no_start'
change I10 'what a contact sends may replace a file' client/commands/received.c \
    'if (link(temporary, path) == 0)' \
    'if (rename(temporary, path) == 0) return 0; if (link(temporary, path) == 0)' \
    'files/*'
change I10 'a text steers the terminal of its reader' client/commands/terminal.c \
    'if (len >= 2 && t[0] == 0xc2 && t[1] >= 0x80 && t[1] <= 0x9f)' \
    'if (len >= 2 && t[0] == 0xc2 && t[1] >= 0xa0 && t[1] <= 0x9f)' \
    'files/*'
change I10 'what is sent as a text chooses a file' lib/os/args.c \
    '!strchr(word, '"'='"')' \
    'true' \
    'args/*'
change I10 'what is written beside goes through a link' lib/os/files.c \
    'O_CLOEXEC | O_NOFOLLOW' \
    'O_CLOEXEC' \
    'files/*'
change I10 'votes of others stay for eight epochs' directory/daemon/disk.c \
    '(stays->heard && epoch != stays->heard && is_heard(name));' \
    '(stays->heard > UINT32_MAX / 2 && is_heard(name));' \
    'tally/i10_votes*'
change I10 'what no way uses counts as links that are left' directory/blame.c \
    '2 * (by + on + 1) <= j->in[layer] - n->kin[i][layer];' \
    '2 * (by + on + 1) <= j->in[layer];' \
    'blame/i10_whatever_is_said_of*'
change I10 'a quarter of the neighbours evicts a relay' directory/blame.c \
    '2 * j->part[i] <= of * PART ||' \
    '4 * j->part[i] <= of * PART ||' \
    'blame/i10_half*'
change I10 'a family speaks with many voices' directory/blame.c \
    'goes_on ? j->owner[m[i - 1].relay] : m[i].relay;' \
    'm[i].relay;' \
    'blame/i10_a_family*'
change I10 'gateways evict relays' directory/blame.c \
    'if (j->layer[s->a] == 0 || j->layer[s->b] == 0)' \
    'if (s->a == s->b)' \
    'blame/i10_many*'
change I10 'a family weighs less with each that is left out' directory/blame.c \
    'j->voice[k].n * (PART / j->members[owner] - each);' \
    '0 * j->voice[k].n * (PART / j->members[owner] - each);' \
    'blame/relays_are*'
change I10 'long descriptors push others out of a vote' directory/listing.c \
    'return len <= share ? TURN_KNOWN : TURN_KNOWN_LONG;' \
    'return len <= share ? TURN_KNOWN : TURN_KNOWN;' \
    'scale/i10_long*'
change I10 'a layer may lose all its relays' directory/blame.c \
    'most += j->may_go[l] = (j->in[l] + 1) / 4;' \
    'most += j->may_go[l] = j->in[l];' \
    'blame/i10_whatever*'
change I10 'so many links are cut that a store is not reached' \
    directory/blame.c \
    'links < BLAME_LINKS ||' \
    'links < 1 ||' \
    'blame/i10_whatever_is_said_there*'
change I10 'who lies about others keeps the links that he drops at' \
    directory/blame.c \
    'const size_t on = mix && own ? 0 : n->on[i][layer];' \
    'const size_t on = n->on[i][layer] + (mix && !own ? n->by[i][layer] : 0);' \
    'blame/i10_lies*'
change I10 'what a liar drops is the loss of who sent it' relay/loss.c \
    'if (n == 0 || 2 * in_cells < ended)' \
    'if (n == 0 || ended > 0)' \
    'loss/i10_*' 'i10_links/i10_two*'
change I10 'two stores of three evict a mix before them' relay/loss.c \
    'return median < spared ? median : spared;' \
    'return median + 0 * spared;' \
    'loss/i10_two*'
change I10 'ways go over links that are cut' network/route.c \
    'b == w->tested || !consensus_is_cut(w->c, a, b);' \
    'b == w->tested || a != b;' \
    'route/i10_*'
change I10 'who is left out is drawn' network/index.c \
    'c->relays[i].layer == layer && c->relays[i].out)' \
    'c->relays[i].layer > layer && c->relays[i].out)' \
    'route/i10_*' 'authority/i10_lossy*'
change I10 'who is left out is not tested' relay/loops.c \
    'rng_below(r->env, TEST_EVERY) == 0;' \
    'false;' \
    'i10_links/i10_a_broken*'
change I10 'one family has several boards' network/boards.c \
    'if (!consensus_are_related(c, (uint16_t)ch->rank[i].relay,' \
    'if (ch->n > 0 || !consensus_are_related(c, (uint16_t)ch->rank[i].relay,' \
    'boards/i10_*'
change I10 'a store is a board on its first day' network/boards.c \
    'if (c->relays[store[i]].counts & 1)' \
    'if (c->relays[store[i]].counts)' \
    'boards/i10_*'
change I10 'one mix keeps lists from others' network/boards.c \
    'for (size_t k = 0; k < BOARDS_BEFORE && m > 0; k++) {' \
    'for (size_t k = 0; k < 1 && m > 0; k++) {' \
    'boards/lists_reach*'
change I10 'a board chooses which gateways have its lists' network/boards.c \
    'return layer > c->params.layers ? next_of_store(w, c, at, own->n) : 0;' \
    'return layer == UINT32_MAX ? next_of_store(w, c, at, own->n) : 0;' \
    'one_carrier/i10_lists*' 'boards/i10_what*'
change I10 'carriers take no lists of stores' network/boards.c \
    'if (is_carrier_of(j, o.n, p, m) &&' \
    'if (!is_carrier_of(j, o.n, p, m) &&' \
    'one_carrier/i10_two*'
change I10 'stores pass lists back to places of their own class' network/boards.c \
    '(j * o.n / n + k) % o.n].relay;' \
    '(j * o.n / n + 0 * k) % o.n].relay;' \
    'boards/i10_what*'
change I10 'a board chooses by the moment who has its lists' relay/spread.c \
    'is_own ? 0 : LISTS_PASSING_MS);' \
    'is_own ? LISTS_PASSING_MS : LISTS_PASSING_MS);' \
    'one_carrier/i10_a_list*'
change I10 'of many lists at once each link brings some' relay/lists.c \
    '/ p->list_interval_ms + 4;' \
    '/ 15000u * p->boards + 7;' \
    'one_carrier/i10_lists_that*'
change I10 'a list is good in each epoch' network/list.c \
    'crypto_generichash_update(&h, digest, SPHINX_DIGEST_LEN);' \
    '(void)digest;' \
    'board_lists/i10_a_list*'
change I10 'two lists of an interval prove nothing' network/list.c \
    'memcmp(root_a, root_b, LIST_ROOT_LEN) == 0' \
    'true' \
    'board_lists/i10_two*'
change I10 'who lies in one interval is named for the next' relay/lists.c \
    'if (n->epoch == e->epoch)
        n->interval = 0;' \
    '(void)n;' \
    'lists/i10_two*'
change I10 'what contradicts a list is dropped' relay/lists.c \
    'return memcmp(entry_at(l, *first)->root, e->root, LIST_ROOT_LEN) == 0 ||' \
    'return memcmp(entry_at(l, *first)->root, e->root, LIST_ROOT_LEN) != 2000 ||' \
    'lists/i10_two*' 'spread/i10_a_board_that_lies*'
change I10 'a board lists the interval in which it starts' relay/board.c \
    'start_ms + lived_ms > env_now_wall_ms(b->env) &&' \
    'lived_ms < UINT64_MAX &&' \
    'lists/no_interval*'
change I10 'a board whose clock steps back lists again' relay/board.c \
    '!moments_has(&b->listed, start_ms);' \
    'start_ms > 0;' \
    'lists/no_interval*'
change I10 'a board whose clock was ahead is silent until then' \
    relay/replay.c \
    'moments_note(&r->header->moments, ms, near_ms);' \
    'moments_note(&r->header->moments, ms, UINT64_MAX + 0 * near_ms);' \
    'i10_boards/i10_a_board_lists_on*'
change I10 'five runs of moments give one free' relay/moments.c \
    'run_extend(m, into, run_read(atomic_load(&m->run[from])));' \
    '(void)into;' \
    'moments/i10_*'
change I10 'a list leads to one that comes later' relay/board.c \
    'b->epoch == c->epoch && start_ms > b->listed_ms;' \
    'b->epoch == c->epoch;' \
    'lists/i10_a_board_lists_on*'
change I10 'what came by a wrong clock waits for that time' relay/board.c \
    'b->waiting[i].since_ms = start_ms;' \
    '(void)start_ms;' \
    'lists/i10_a_board_lists_on*'
change I10 'a board names what it has listed by a wrong clock' relay/lists.c \
    'e->interval < n->interval && !is_wrong))' \
    'e->interval < n->interval && n->start_ms + 0 * is_wrong))' \
    'lists/i10_a_board_lists_on*'
change I10 'a board that starts by another clock lists again' relay/spread.c \
    'replay_note_moment(lives, list_interval_start_ms(p, over - 1),
                               BOARD_NEAR * p->list_interval_ms))' \
    'lives)' \
    'i10_boards/i10_a_board*'
change I10 'one mix keeps lists from clients' relay/spread.c \
    'for (size_t i = 0; i < v->ways->n_next; i++) {' \
    'for (size_t i = 0; i < v->ways->n_next; i += 3) {' \
    'spread/i10_a_mix*'

change I10 'a profile of another pace is another profile' relay/gateway.c \
    'strncmp(c->profile, profile->name, sizeof c->profile) != 0)' \
    'c->down.interval_us != profile->down_interval_us)' \
    'i10_gateways/i10_a_profile*'
change I10 'a clock down that has changed goes by its old time' relay/gateway.c \
    'downlink_control(&c->down, control.handle, profile->down_interval_us,' \
    'downlink_control(&c->down, control.handle,
                     c->down.interval_us ? c->down.interval_us
                                         : profile->down_interval_us,' \
    'i10_gateways/i10_a_profile*'
change I10 'a lower offer is taken' client/letters/session.c \
    'const bool wins = generation > s->generation ||' \
    'const bool wins = generation != s->generation ||' \
    'session/i10_an_offer*'
change I10 'an offer of any generation is taken' client/letters/session.c \
    'if (body_open(o, o->keys.body, step) || !wins ||
        generation > o->context->latest)' \
    'if (body_open(o, o->keys.body, step) || !wins)' \
    'session/i10_an_offer*'
change I10 'whoever has the line acknowledges what the pair writes' client/arrival.c \
    'opened.verdict != SESSION_READ &&
               opened.verdict != SESSION_SECOND && polls_is_read(v, a->at)) {
        err = ERR_DUPLICATE; /* it came twice, and its key is gone */
    } else if (opened.verdict != SESSION_READ) {' \
    'opened.verdict != SESSION_READ && opened.verdict != SESSION_USED &&
               opened.verdict != SESSION_SECOND && polls_is_read(v, a->at)) {
        err = ERR_DUPLICATE; /* it came twice, and its key is gone */
    } else if (opened.verdict != SESSION_READ && opened.verdict != SESSION_USED) {' \
    'i10_line/i10_a_thief*'
change I10 'a word that an invitation was used is never taken back' client/arrival.c \
    '    if (opened->by_pair)
        v->refused = false; /* that was another'"'"'s word */' \
    '' \
    'i10_line/i10_a_thief_of_the_line_silences*'
change I10 'parts of any exchange are taken' client/letters/rekey.c \
    'part->exchange != r->mixed + 1' \
    'part->exchange == 77' \
    'rekey/parts_that_cannot_be*'

# ---- I11 a limit is each peer's before it is everybody's ----

change I11 'what one contact has no room for stops the others' client/staging.c \
    '    if (err != ERR_FULL)
        return err;
    client_drop' \
    '    if (err)
        return err;
    client_drop' \
    'offers/i11_who_never*'
change I11 'one store takes all places of witnesses' client/heard/witness.c \
    '        if (w->said[i].epoch &&
            memcmp(w->said[i].store, store, SPHINX_ID_LEN) == 0)
            return i;' \
    '' \
    'witness/i11_*'
change I11 'a store has as many words about lists as it likes' client/heard/naming.c \
    '            memcmp(w->word[i].store, store->identity, SPHINX_ID_LEN) == 0) {' \
    '            (i & 64)) {' \
    'shown_attacks/i11_a_store*'
change I10 'a list that could not be checked at once is forgotten' client/heard/shown_taken.c \
    '    if (err == ERR_RATE) /*' \
    '    if (!c) /*' \
    'shown/i11_a_flood*' 'i12_settled/i12_nothing_real_while*'
change I11 'a gateway has signatures checked without end' client/heard/shown_taken.c \
    '    if (!bucket_take(&l->checks_us, now->mono_us, 1000000 / SHOWN_CHECKS,
                     1000000))
        return ERR_RATE;
' \
    '' \
    'shown/i11_a_flood*'
change I11 'a client is not held to its rate' relay/gateway.c \
    'bucket_take(&c->full_us, now_us, each_us, burst_us)' \
    'bucket_take(&c->full_us, now_us, 0, burst_us)' \
    'relays/floods_are_cut'
change I11 'whoever is here longest gives way, answered or not' relay/gateway.c \
    'return c->stays_us ? c->stays_us :' \
    'return c->stays_us > UINT64_MAX / 2 ? c->stays_us :' \
    'i11_clients/*'
change I11 'one answer keeps a place for ever' relay/gateway.c \
    'return c->stays_us ? c->stays_us :' \
    'return c->stays_us ? UINT64_MAX :' \
    'i11_downlinks/i11_one*'
change I11 'an answer in five minutes keeps a place' relay/gateway.c \
    '(until_us > now_us ? until_us : now_us) + each_us;' \
    'now_us + STAYS_US;' \
    'i11_downlinks/i11_a_place*'
change I11 'no answer is saved up for later' relay/gateway.c \
    '(until_us > now_us ? until_us : now_us) + each_us;' \
    'now_us + each_us;' \
    'i11_downlinks/i11_a_place*' 'i11_clients/*'
change I11 'answers that wait for slow clients take all places' relay/gateway.c \
    'return c->down.queue_count == 0 || c->down.queue_count < most;' \
    'return c->down.queue_count <= DOWNLINK_QUEUE_MAX + most;' \
    'i11_downlinks/i11_slow*'
change I11 'newcomers go before they have a consensus' relay/gateway.c \
    'c->opened_us + GRACE_US + pieces_us;' \
    'c->opened_us + GRACE_US + pieces_us * 0;' \
    'i11_clients/*'
change I11 'a client without a profile may be the fastest' relay/gateway.c \
    'if (profile_mhz(&p->profiles[i]) < mhz)' \
    'if (profile_mhz(&p->profiles[i]) > mhz)' \
    'i11_clients/*'
change I11 'a block of addresses takes all links' lib/blocks.c \
    'if (e->links >= b->config.links_max)' \
    'if (0)' \
    'blocks/*'
change I11 'strangers push out authorities' lib/seats.c \
    'return seats_first_to_go(s, SEATS_STRANGER);' \
    'return seats_first_to_go(s, SEATS_AUTHORITY);' \
    'seats/i11_*'
change I11 'old claims are verified as often as they are sent' \
    directory/rounds.c \
    'int err = document_parse(d, DOCUMENT_CLAIM, bytes, len);
    if (!err)
        err = json_read_claim' \
    'int err = document_open(d, DOCUMENT_CLAIM, bytes, len, r->ids, n, 1);
    if (!err)
        err = json_read_claim' \
    'authority/i11_*'
change I11 'who has one connection loses it to who has many' lib/seats.c \
    '(!f || t->like > f->like ||
             (t->like == f->like && t->since < f->since)))' \
    '(!f || t->since < f->since))' \
    'seats/i11_*'
change I11 'a relay asks authorities as often as it likes' \
    lib/os/http/http_server.c \
    ': class == SEATS_RELAY  ? s->hosts' \
    ': class == SEATS_RELAY  ? NULL' \
    'http/i11_no_relay*'
change I11 'a relay pays for who is next door' lib/blocks.c \
    'if (limited && b->config.by_host)' \
    'if (limited && !b->config.by_host && block[0] > 6)' \
    'blocks/i11_hosts*'
change I11 'relays take the memory of authorities' lib/os/http/http_server.c \
    'c->class = seats_class_at(s->seats, c->seat);' \
    'c->class = SEATS_STRANGER;' \
    'http/i11_*'
change I11 'idle sockets keep their seats' lib/os/http/http_server.c \
    '    if (gone != SEATS_NONE)
        seat_clear(s, gone);' \
    '    if (gone != SEATS_NONE) {
        loop_watch_free(&c->watch);
        free(c);
        return ERR_FULL;
    }' \
    'http/i11_*'
change I11 'requests that are never whole take any memory' \
    lib/os/http/http_server.c \
    'while (s->held[c->class] - c->in_room + room > HTTP_HELD_MAX) {' \
    'while (0) {' \
    'http/i11_*'
change I11 'without descriptors a server spins' lib/os/http/http_server.c \
    '    server_pause(s);
    return false;' \
    '    (void)server_pause;
    return false;' \
    'http/i11_*'
change I11 'a relay waits for authorities that do not answer' \
    relay/daemon/directory.c \
    'u->fruitless < d->network.n_authorities ||' \
    'true ||' \
    'i11_borrowed/i11_*'
change I10 'an authority that says no keeps relays from gateways' \
    relay/daemon/directory.c \
    'u->fruitless++; /* until it is used */' \
    'u->fruitless = err ? u->fruitless + 1 : 0;' \
    'i11_borrowed/i10_*'
change I11 'packets take the memory of all' relay/daemon/memory.c \
    'rest / 2 / wish->packet_len' \
    'rest / wish->packet_len' \
    'memory/*'
change I11 'places for unfinished messages are of all' client/incoming.c \
    '    unsigned n = 0;
    for (const struct incoming *m' \
    '    static unsigned n;
    for (const struct incoming *m' \
    'i11_unfinished/i11_unfinished_messages_silence*'
change I11 'what was begun keeps its room for ever' client/incoming.c \
    'if (m->progress_s + life_s >= now_s)' \
    'if (life_s + now_s > 0)' \
    'i11_unfinished/i11_unfinished_messages_are_given_up'
change I11 'the bytes of one inbox have no bound' client/readers.c \
    'return n <= INBOX_CONTACT_MAX && len <= INBOX_CONTACT_LEN_MAX;' \
    'return n <= INBOX_CONTACT_MAX;' \
    'contacts/i11_*'
change I11 'a body is taken apart however many values it has' \
    network/json_body.c \
    'return tables <= most_tables && values <= most_values;' \
    'return tables <= most_tables || values > 0;' \
    'tally/i11_a_dense*'
change I11 'of a contact any number of keys is kept' client/sealing.c \
    '(v->n_kept - n + more > SEALING_KEPT_MAX ||' \
    '(v->n_kept - n + more > 100 * SEALING_KEPT_MAX ||' \
    'sealing/i11_of*'

# ---- I12 no value drawn once is seen in two places ----

change I11 'long delays take all places' relay/places.c \
    'if (delay_us * p->max > delay_max_us * free_now ||' \
    'if (delay_us > delay_max_us ||' \
    'places/*'
change I11 'long delays take all of a link, and the short are refused' \
    relay/places.c \
    'delay_us * share > delay_max_us * (share - mine))' \
    'delay_us > delay_max_us)' \
    'i11_delays/*' 'places/*'
change I11 'answers take all ticks of sending' client/requests.c \
    'bool spare = out->spare;
    struct out_letter *l = outgoing_pick(c, !c->answered_last,' \
    'bool spare = out->spare;
    struct out_letter *l = outgoing_pick(c, true,' \
    'i11_answers/*half*'
change I11 'who pings without end is answered before others' client/outgoing.c \
    'if (first && t->of->answered_us != other->of->answered_us)' \
    'if (first && t->of->answered_us > other->of->answered_us + UINT32_MAX)' \
    'i11_answers/*pings*'
change I11 'who sends parts without end keeps his front' client/pace/fronts.c \
    '        if (until_us > most_us)
            until_us = most_us;' \
    '        if (until_us > most_us)
            until_us = until_us < most_us ? most_us : until_us;' \
    'fronts/i11_*'
change I11 'a whole file is acknowledged like a part' client/arrival.c \
    '.part = part && !step->is_whole' \
    '.part = part' \
    'acks/a_whole_file*'
change I11 'a board without a way holds up what is written' client/requests.c \
    '        announce_failed(c, choice->announcement);' \
    '        ;' \
    'announcing/i11_a_board_without*'
change I11 'an answer waits for its announcement' client/requests.c \
    'if (!l || outgoing_is_first(l) || l->announcement == 0)' \
    'if (!l || l->announcement == 0)' \
    'announcing/i11_answers_wait*'
change I11 'scripts are not rationed' client/pace/fronts.c \
    'k->scripts_us += (uint64_t)f->params.script_every_s * SECOND_US;' \
    ';' \
    'fronts/scripts_are_rationed'
change I11 'who announces without end goes first' client/pace/fronts.c \
    'script_rank_us(f, k) < script_rank_us(f, best)' \
    'k->get_us[k->step] < best->get_us[best->step]' \
    'fronts/many_who_announce_keep_nobody_waiting'
change I11 'one link takes all places' relay/places.c \
    'enum { PLACES_TIMES_FREE = 2 };' \
    'enum { PLACES_TIMES_FREE = 2000 };' \
    'places/*'
change I11 'a box opens without work' network/work.c \
    'return base > 0 && given < base + *steps ? ERR_WORK : 0;' \
    'return 0 * base * given;' \
    'work/*' 'i11_boxes/i11_nothing_is*'
change I11 'a store takes any work for a proof' relay/dispatch.c \
    'return best < UINT8_MAX ? (uint8_t)best : UINT8_MAX;' \
    'return UINT8_MAX | (uint8_t)best;' \
    'i11_boxes/i11_nothing_is*'
change I11 'the last letter costs what the first did' network/work.c \
    'return steps < WORK_STEPS_MAX ? (unsigned)steps : WORK_STEPS_MAX;' \
    'return 0 * (unsigned)steps;' \
    'work/i11_work_made_ahead*'
change I11 'a client does what a store asks for, without end' client/proofs.c \
    'if (wanted > WORK_STEPS_MAX)
        return true;' \
    'if (wanted > WORK_STEPS_MAX)
        return false;' \
    'work/i11_a_store_cannot*'
change I11 'a store without room is asked as before' client/polls.c \
    'if (p->second >= SECOND_LETTERS &&' \
    'if (p->second > 255 &&' \
    'i11_boxes/i11_texts*'
change I11 'a consensus may ask for any work' network/json_params.c \
    'F_INT(params, work_bits, 0, WORK_BITS_MAX)' \
    'F_INT(params, work_bits, 0, 64)' \
    'json/*'
change I11 'a client believes a store that never has enough' client/proofs.c \
    '++e->lies >= PROOFS_LIES;' \
    'e->lies >= PROOFS_LIES;' \
    'work/i11_a_store_cannot*'
change I11 'a dear proof goes before cheap ones' client/proofs.c \
    'return bits < other ||' \
    'return bits > other ||' \
    'work/i11_a_greedy*'
change I11 'letters that ask in turn keep searches from their end' client/proofs.c \
    'return best != p->under_way && (e == p->under_way || e->used < best->used);' \
    'return e->used < best->used;' \
    'work/i11_letters_in_turn*'
change I11 'a search that gave way begins again' client/proofs.c \
    'if (e->epoch != p->epoch)
        memset(e->nonce' \
    'if (is_new)
        memset(e->nonce' \
    'work/i11_letters_in_turn*'
change I11 'a letter waits for the store that has no room' client/outgoing.c \
    '(l->second && !l->taken ? RETRY_US : FULL_US);' \
    'FULL_US;' \
    'i11_boxes/i11_a_store_that*'
change I11 'whoever asks lets letters go' relay/store_memory.c \
    'memcmp(l->mark, req->mark, sizeof l->mark) == 0)' \
    'memcmp(l->mark, req->mark, 0) == 0)' \
    'boxes/i11_the_reader*'
change I11 'one token opens a box at both stores' network/box.c \
    'crypto_generichash_update(&h, store, 32);' \
    '(void)store;' \
    'boxes/tokens*'
change I11 'what was read makes no room' client/requests.c \
    'box_token(seed, view->relays[store].identity, choice->work);' \
    'box_token(seed, seed, choice->work);' \
    'i11_boxes/i11_what_was_read*'
change I11 'the letters of one contact hold up all others' client/staging.c \
    'if (staged >= STAGED_MAX && staged_count(v) > 0)' \
    'if (staged >= STAGED_MAX)' \
    'outbox/i11_*'
change I11 'one broken letter keeps all others' relay/daemon/store_day.c \
    'return statement_run(d, d->skip);' \
    'return err;' \
    'store_sqlite/i11_a_broken*'
change I11 'a price to come is asked for now' relay/dispatch.c \
    'const unsigned worth = bits - c->params.work_bits + price;' \
    'const unsigned worth = bits + 0 * price;' \
    'i11_boxes/i11_a_price*'
change I11 'announcements cost nothing' relay/announced.c \
    'if (bits < c->params.announce_bits)' \
    'if (bits + 256 < c->params.announce_bits)' \
    'spread/i11_announcements*'
change I11 'work is worth what its own price leaves over' relay/announced.c \
    '        if (bits > *worth)
            *worth = bits < UINT8_MAX ? (uint8_t)bits : UINT8_MAX;' \
    '        if (bits - c->params.announce_bits > *worth)
            *worth = (uint8_t)(bits - c->params.announce_bits);' \
    'i11_prices/i11_*'
change I11 'work beyond the price counts for nothing' relay/board.c \
    'if (a->worth != b->worth)' \
    'if (a->worth > 254 && a->worth != b->worth)' \
    'lists/i11_the_best*' 'lists/i11_a_flood_at*'
change I11 'who fills a board beforehand has it' relay/board.c \
    'return a->draw > b->draw ? 1 : a->draw < b->draw ? -1 : 0;' \
    'return 0;' \
    'lists/i11_whoever*'
change I11 'a token that was not listed is no dearer the next time' \
    client/announce.c 'e->tries > 1 ?' 'e->tries > ANNOUNCE_TRIES ?' \
    'i11_flood/*'
change I11 'one token fills all lists' relay/board.c \
    'if (board_has_listed(b, c->epoch, token))' \
    'if (board_has_listed(b, c->epoch + SETS, token))' \
    'lists/i11_a_token*'
change I11 'a link has as many lists verified as it likes' relay/lists.c \
    'else if (link != LISTS_OWN &&' \
    'else if (link == LISTS_OWN &&' \
    'lists/i11_a_flood_of*' 'spread/i11_floods*'
change I11 'one board uses up what others may have verified' relay/lists.c \
    '&l->full_us[link % LISTS_LINKS][e->board]' \
    '&l->full_us[link % LISTS_LINKS][0]' \
    'lists/i11_a_flood_of*'
change I11 'lists of ten minutes may come at once' relay/lists.c \
    'list_interval_ms + LISTS_BEHIND_MS + more_ms <' \
    'list_interval_ms + LISTS_KEPT_MS + more_ms <' \
    'i10_boards/i11_lists*'
change I11 'a profile has as many frames as lists need, and no more' network/downlink.c \
    '4000ULL / (5 * parts)' \
    '1000ULL / parts' \
    'board_lists/i11_*'
change I11 'anybody passes lists' relay/spread.c \
    'if (from < 0 || !boards_ways_takes(v->ways, (uint16_t)from))' \
    'if (from < 0)' \
    'spread/i11_floods*'
change I11 'any store passes lists to any carrier' network/boards.c \
    'if (is_carrier_of(j, o.n, p, m) &&' \
    'if (is_carrier_of(j, o.n, p, m) + 1 > 0 &&' \
    'one_carrier/i11_*'
change I11 'stores have boxes by their number' network/placement.c \
    'return a->wait * b->weight < b->wait * a->weight;' \
    'return a->wait < b->wait;' \
    'days/i11_*'
change I11 'gateways have clients by their number' client/heard/gateways.c \
    '? (uint64_t)r->bandwidth + 1' \
    '? 1' \
    'gateways/i11_*'
change I11 'all newcomers come in at once' directory/newcomers.c \
    'return most > recent ? (size_t)(most - recent) : 0;' \
    'return c->n_relays;' \
    'past/i11_a_burst*' 'past/i11_who*'
change I11 'each epoch has newcomers of its own' directory/newcomers.c \
    'return most > recent ? (size_t)(most - recent) : 0;' \
    'return (size_t)most;' \
    'past/i11_a_burst*' 'past/i11_who*'
change I11 'a provider has as many places as it has blocks' directory/admission.c \
    'if (a->config.range_max && range >= a->config.range_max)' \
    'if (0)' \
    'admission/i11_*'
change I11 'gateways and stores are let in unseen' directory/admission.c \
    'if (a->config.by_hand >> r->role & 1)' \
    'if (0)' \
    'admission/i11_*'
change I11 'an approved mix may be a store' directory/admission.c \
    'if (k->approved == k->role)' \
    'if (k->approved > 0)' \
    'admission/i11_a_mix*'
change I11 'decisions read again forget the role' directory/admission.c \
    'k->approved = approved_role(before, identity, at_s);' \
    'k->approved = 0 * approved_role(before, identity, at_s);' \
    'admission/i11_a_mix*'
change I12 'a client takes an epoch up at one moment' client/network.c \
    'consensus_draw(view, VIEWS, c->env, client_now_us(c));' \
    'c->current; (void)view;' \
    'i12_epochs/*'
change I12 'the hops of a way have one deadline' network/request.c \
    'uint64_t bits[3], us = 0;
    env_random_crypto(env, bits, sizeof bits);' \
    'static uint64_t bits[3], turn;
    uint64_t us = 0;
    if (turn++ % 4 == 0)
        env_random_crypto(env, bits, sizeof bits);' \
    'i12_deadlines/*'
change I12 'a packet that was held back passes' relay/pipeline.c \
    'return replay_insert(p->r->plane->replay, job->replay_tag, deadline_s,
                         p->wall_s);' \
    'return replay_insert(p->r->plane->replay, job->replay_tag, deadline_s,
                         deadline_s);' \
    'adversary/i12_*'
change I12 'mixes of the way back wait for a hoard' network/request.c \
    'at_us + r->at_store_us + store_us, !req->is_rough);' \
    'at_us + r->at_store_us + store_us, false);' \
    'i12_hoard/i12_hoarded*'
change I12 'who answers late is asked as before' client/asked.c \
    '    if (2 * q->late >= q->asked && !line_is_slow(c, a->store))' \
    '    if (0)' \
    'i12_hoard/i12_who_hoards*'
change I12 'a store that has a box tells its reader the time' client/requests.c \
    'if (a->kind == WIRE_LOOP || !c->settled)' \
    'if (a->kind != 0)' \
    'i12_times/i12_a_store*'
change I12 'a clock that drifts is followed slowly' client/heard/nettime.h \
    '#define NETTIME_SPAN_US 100000000ULL' \
    '#define NETTIME_SPAN_US 3600000000ULL' \
    'i12_clocks/i12_a_days*'
change I12 'lateness is drawn once, not thrice' network/request.c \
    'for (size_t i = 0; i < 3; i++)
        us += bits[i] % (spread_us / 3 + 1);' \
    'us += bits[0] % (spread_us + 1);' \
    'i12_clocks/i12_a_days*'
change I12 'the last answer of a store is its word' client/heard/nettime.c \
    's->base_us = words_median_us(s, now_us);' \
    's->base_us = s->word[at].base_us;' \
    'nettime/i12_*'
change I12 'a list is acted on as it comes' client/heard/shown.c \
    '        if (!k->sure && shown_is_enough(&jury, &b->words, good, bad, true))' \
    '        if (!k->sure)' \
    'shown_attacks/i12_*'
change I12 'of three families the board is two' client/heard/shown.c \
    'j->own && !signs ? good' \
    'j->own ? good' \
    'shown_attacks/i12_one_store*'
change I12 'a board of the gateway names its own lists' client/heard/shown.c \
    '(self < 0 || !naming_are_related(board, &c->relays[self]))' \
    '(self < 0 || board)' \
    'shown_attacks/i12_one_store*'
change I12 'a client judges a board by itself' client/heard/shown.c \
    '    const uint8_t *leads_to = NULL;
' \
    '    const uint8_t *leads_to = NULL;
    for (size_t x = 0; x < LIARS; x++)
        if (l->liar[x].epoch == c->epoch && l->liar[x].board == board)
            return;
' \
    'shown_attacks/i12_evidence*'
change I12 'of two lists the first that is shown counts' client/heard/shown_taken.c \
    '        other_keep(had, bytes, root);
' \
    '' \
    'shown_attacks/i12_evidence*'
change I12 'what a store names it vouches for to the beginning' client/heard/naming.c \
    'if (w->word[i].since <= interval)' \
    'if (w->word[i].heard_us)' \
    'shown_attacks/i12_what_nobody*'
change I12 'what a list leads to is not looked at' client/heard/shown.c \
    '        if (leads_to && !kept_choose(k, leads_to))
            good = bad = 0;
' \
    '' \
    'shown_attacks/i12_a_list_that_is*'
change I12 'a list that another one replaced is none that is missing' client/heard/shown_said.c \
    '!(k->bytes && memcmp(k->root, k->said, LIST_ROOT_LEN) == 0)' \
    '!k->bytes' \
    'shown_attacks/i12_a_list_that_is*'
change I12 'stores vouch for a list that they have not' relay/lists.c \
    '    return e->interval;
}' \
    '    return 0;
}' \
    'lists/i12_*'
change I12 'a list that comes late makes none of those after it whole' relay/lists.c \
    '        next->since = e->late ? next->interval : e->since;
        newest_note(l, next, now_ms);
' \
    '        newest_note(l, next, now_ms);
' \
    'lists/i12_*'
change I12 'what a cut line held up is put at once' client/requests.c \
    'if (now_us - c->slot_us > GAP_US)' \
    'if (0)' \
    'i9_repeats/i12_*'
change I12 'boxes are asked for by turns' client/places.c \
    '    for (; any > 0; any--)' \
    '    static uint64_t turn;
    for (any = turn++ % c->n_conversations; any > 0; any--)' \
    'i12_polls/*'
change I12 'a get changes what the next one brings' relay/boxes.c \
    '        req->held = request->held;' \
    '        static uint8_t turn;
        req->slot = request->kind == WIRE_GET ? turn++ % WIRE_BOX_SLOTS : 0;
        req->held = request->held;' \
    'relays/i12_*' 'boxes/i12_*'
change I12 'a letter is younger when it is put again' relay/boxes.c \
    'req->is_new &&' \
    '' \
    'boxes/letters_*'
change I12 'where a get begins tells that somebody reads the box' client/polls.c \
    '    uint8_t slot = bit_pick(ALL, dice);' \
    '    uint8_t slot = bit_pick(1, dice);' \
    'contacts/i12_*'
change I12 'a client that knows less asks for its boxes' client/places.c \
    'if (c->settled)
        fronts_pick(' \
    'if (c->settled || c->current)
        fronts_pick(' \
    'i12_settled/*'
change I12 'what comes takes a front' client/places.c \
    '(void)fronts_transfer(c->fronts, now_us, v->id);' \
    'places_took(c, v);' \
    'client_places/i12_only*'
change I12 'a front shows what is not within a lease' client/pace/fronts.c \
    'asked->place != FRONTS_FRONT || commit_us < k->given_us;' \
    'asked->place != FRONTS_LOOK || commit_us < k->given_us;' \
    'i12_probes/*opened'
change I12 'what a front reads is announced no more' client/pace/fronts.c \
    '    if (!k)
        return false;
    /* one whose first get' \
    '    if (!k || fronts_of(f, now_us, contact) >= 0)
        return false;
    /* one whose first get' \
    'i12_probes/*opened'
change I12 'who has a front is not looked for by the lane' client/pace/fronts.c \
    'if (!k || asked->place == FRONTS_FRONT)' \
    'if (!k || fronts_of(f, now_us, asked->contact) >= 0)' \
    'fronts/a_front_changes*'
change I12 'others begin where fronts have seen letters' client/polls.c \
    '    return (uint16_t)(polled_of(k, i, front)->full &' \
    '    return (uint16_t)(polled_of(k, i, true)->full &' \
    'i12_probes/*opened'
change I12 'who is written to is glanced at less' client/polls.c \
    '    if (glance < GLANCE_NEXT)' \
    '    if (glance < GLANCE_NEXT && !k->held[0])' \
    'i6_holes/i12_*'
change I12 'which gets a front has under way steers others' client/polls.c \
    'polled_note(struct cursor *k, size_t i, bool front)
{' \
    'polled_note(struct cursor *k, size_t i, bool front)
{
    front = false;' \
    'i12_probes/*under_way'
change I12 'answers promise what the user has opened' client/staging.c \
    'c, v, teller == ACKS_ALONE)};' \
    'c, v, teller > ACKS_ALONE)};' \
    'i12_probes/*opened'
change I12 'answers prolong a promise' client/pace/fronts.c \
    'if (is_answer && until_us > k->parts_us)' \
    'if (is_answer && until_us < k->parts_us)' \
    'fronts/a_lease_is_kept'
change I12 'what waits is let go of by its store' client/polls.c \
    'out->hides = front && k->later[b] != 0;' \
    'out->hides = front && k->later[b] == 0;' \
    'client_places/i12_what*'
change I12 'a front that nobody holds asks for a random box' client/pace/fronts.c \
    'return front_is_free(k, now_us) ? f->self[i] : k->contact;' \
    'return front_is_free(k, now_us) ? FRONTS_NOBODY : k->contact;' \
    'i12_fronts/*without' 'fronts/a_self*'
change I12 'a self is asked for by its front alone' client/pace/fronts.c \
    '        if (k->sweep_us <= now_us && (!best' \
    '        if (k->number != f->self[0] && k->number != f->self[1] &&
            k->sweep_us <= now_us && (!best' \
    'fronts/a_self*'
change I12 'after connecting selves are not looked at' client/pace/fronts.c \
    '        if (k->looked < k->looks &&' \
    '        if (k->number != f->self[0] && k->number != f->self[1] &&
            k->looked < k->looks &&' \
    'fronts/a_self*'
change I12 'a token to oneself is not acted on' client/announce.c \
    'if (e->self != FRONTS_NOBODY)' \
    'if (0)' \
    'announcing/i12_*'
change I12 'a letter goes before its announcement' client/requests.c \
    '(kind == TRAFFIC_LOOP || !c->announced_last))' \
    'kind == TRAFFIC_POLL)' \
    'announcing/i12_a_token_leaves*'
change I12 'a token leaves while its letter may not' client/announce.c \
    'if (e->state == ANNOUNCE_WAITING &&' \
    'if (e->state <= ANNOUNCE_WAITING &&' \
    'announcing/i12_a_token_leaves*'
change I12 'a self shows no tokens' client/requests.c \
    'choice->check || choice->hides ||' \
    'choice->check || choice->hides || choice->conversation->self ||' \
    'i12_stores/*'
change I12 'fronts take turns' client/pace/fronts.c \
    'const unsigned u = (unsigned)rng_below(env, FRONTS_ODDS);' \
    'uint64_t *turn = (uint64_t *)(uintptr_t)f->start_us;
    unsigned u = (unsigned)rng_below(env, FRONTS_ODDS);
    if (u < 50)
        u = (unsigned)((*turn)++ % 2) * 25 + u % 25;' \
    'i12_stores/*'
change I12 'an acknowledgement tells what is not due' client/pace/acks.c \
    'return (teller == ACKS_OWN ? o->times.shown_us : o->times.due_us) <= now_us;' \
    'return (teller != ACKS_OWN || o->times.shown_us <= now_us) && o;' \
    'acks/i12_*due_alone'
change I12 'a floor tells what was read' client/staging.c \
    'if (teller == ACKS_OWN)
        v->floor_told' \
    'if (v)
        v->floor_told' \
    'acks/i12_a_floor*'
change I12 'acknowledgements are timed from the reading' client/places.c \
    'return fronts_ack_us(c->fronts, c->env, v->id, now_us, commit_us, is_part);' \
    '(void)commit_us;
    return fronts_ack_us(c->fronts, c->env, v->id, now_us, now_us, is_part);' \
    'acks/i12_*no_more'
change I12 'answers wait behind what the user writes' client/outgoing.c \
    '        if (outgoing_is_first(l))
            t->letter = l;' \
    '        if (!outgoing_is_first(l))
            t->letter = l;' \
    'acks/i12_answers*'
change I12 'answers wait behind what is written to others' client/outgoing.c \
    '    if (first != outgoing_is_first(other->letter))
        return first;' \
    '    if (first != outgoing_is_first(other->letter))
        return !first;' \
    'acks/i12_answers*' 'i11_answers/*'
change I9 'a store that has started names nothing' relay/lists.c \
    'if (e->late || e->epoch < n->epoch ||' \
    'if (e->late || (e->since > 0 && e->since + 300 > e->interval) ||
        e->epoch < n->epoch ||' \
    'i10_boards/i9_a_store*'
change I9 'the last list of an epoch is named for one interval' relay/lists.c \
    'return older && a->start_ms' \
    'return !a && a->start_ms' \
    'lists/i9_the_last*'
change I9 'lists are acted on before all contacts are awaited' client/listed.c \
    'while (is_ready && shown_next' \
    'while ((is_ready || true) && shown_next' \
    'awaiting/i9_*'
change I9 'a token is not noted before its use' client/announce.c \
    '    ++*used;
    journal_begin(c->journal);
    int err = conversation_save(c, v);' \
    '    ++*used;
    journal_begin(c->journal);
    int err = 0;' \
    'announcing/i9_*'
change I9 'tokens of the period before are used once more' client/announce.c \
    'v->past_tokens_used = v->tokens_used;' \
    'v->past_tokens_used = 0;' \
    'announcing/i9_tokens*'
change I9 'of a record of before nobody minds what was used' client/disk/records.c \
    'old ? LETTER_TOKENS_MAX : codec_read32(r)' \
    'old ? 0 : codec_read32(r)' \
    'records/a_contact*'
change I9 'a text before midnight is not announced after it' client/announce.c \
    'period == v->past_token_period ? &v->past_tokens_used' \
    'period == UINT32_MAX           ? &v->past_tokens_used' \
    'midnight/i9_*'
change I9 'a token is used before it is on the disk' client/announce.c \
    '!journal_is_committed(c->journal, e->ticket))' \
    'false)' \
    'announcing/i9_*'
change I9 'a restart forgets which fronts were promised' client/client.c \
    '    places_restore(c);
' \
    '' \
    'client_places/a_restart*'
change I12 'a client goes on while a consensus is withheld' client/client.c \
    'if (named > n->epoch && client_next_is_old(c, n, 0))' \
    'if (0)' \
    'i12_settled/*withheld'
change I12 'a start knows the newest consensus alone' client/disk/records.c \
    'const struct record_key key = {.type = RECORD_DOCUMENT, .a = epoch % 2};' \
    'const struct record_key key = {.type = RECORD_DOCUMENT};' \
    'i12_settled/*restart*'

# ---- sandboxes and files, which are no invariant ----

change edge 'a client keeps all files and calls' client/daemon/daemon.c \
    'err = confine(&d->host.log, &confined);' \
    '(void)confined;' \
    'confined/a_client*'
change edge 'an authority keeps all files and calls' directory/daemon/server.c \
    'return confine(&s->host.log, &c);' \
    'return (void)c, 0;' \
    'confined/an_authority*'
change edge 'all files stay open' lib/os/confine.c \
    'return sandbox_files(rw, ro);' \
    'return (void)rw, 0;' \
    'confined/*' 'sandbox/what_is*'
change edge 'buses and agents can be called' lib/os/sandbox.c \
    'settled ? 2 : 3' \
    '3' \
    'sandbox/settled*'
change edge 'a daemon types into its terminal' lib/os/sandbox.c \
    'n = ioctls_refuse(f, n);' \
    '(void)ioctls_refuse;' \
    'sandbox/calls*'
change edge 'a daemon signals others' lib/os/sandbox.c \
    'n = signals_refuse(f, n);' \
    '(void)signals_refuse;' \
    'sandbox/settled*'

change edge 'who opens a database twice ends its lock' lib/os/database.c \
    'O_RDWR | O_CREAT | O_EXCL' \
    'O_RDWR | O_CREAT' \
    'database/a_lock*'
change edge 'tokens are told apart by four bytes' client/heard/tokens.c \
    'memcmp(t->item[i].prefix, prefix, LIST_ENTRY_LEN) != 0)' \
    'memcmp(t->item[i].prefix, prefix, 4) != 0)' \
    'tokens/false*'
change edge 'what is awaited no more stays' client/heard/tokens.c \
    '    if (!err && before > 0)' \
    '    if (!err && before > 99)' \
    'tokens/the_next*'
change edge 'a token that is passed over is awaited no more' client/heard/tokens.c \
    '    a->behind = (uint8_t)(old | all << 1);' \
    '    a->behind = (uint8_t)old;
    (void)all;' \
    'tokens/what*'
change edge 'a database has files in /tmp' lib/os/database.c \
    'PRAGMA temp_store=MEMORY;' \
    '' \
    'database/a_file*'

change I6 'what is given up leaves places free' client/staging.c \
    '    empty->next = old->next;
    *at = empty;' \
    '    *at = old->next;
    letter_free(c, empty);' \
    'clients/what_is_given*'

change I6 'a text is shown before the one before it' client/incoming.c \
    'if (r->after <= v->ack)' \
    'if (r->after <= v->ack || r->kind == LETTER_TEXT)' \
    'order/i6_*'
change I6 'parts of the text before are not waited for' client/incoming.c \
    'while (m && (m->kind != LETTER_TEXT || !letter' \
    'while (m && (true || !letter' \
    'order/i6_*'
change I6 'a text waits for a file' client/incoming.c \
    'return r->kind == LETTER_TEXT && sequence_is_known' \
    'return false && sequence_is_known' \
    'order/i6_*'
change I6 'what waits for another is shown before that is on disk' \
    client/inbox.c \
    'r->ticket = journal_end(c->journal);
    c->status' \
    '(void)journal_end(c->journal);
    c->status' \
    'order/i6_a_text_waits_for_the*'
change I6 'what never comes is waited for without end' client/incoming.c \
    'r->until_us <= now_us || received_is_due' \
    '(r->until_us <= now_us && false) || received_is_due' \
    'order/i6_a_lost*'
change I6 'a text leaves after a file' client/outgoing.c \
    'if (had->kind == LETTER_FILE)' \
    'if (had->kind != LETTER_FILE)' \
    'order/i6_a_text_waits_for_no*'
change I6 'a file leaves no numbers to texts' client/staging.c \
    'LETTER_WINDOW - (kind == LETTER_FILE ? TEXTS_ROOM : 0);' \
    'LETTER_WINDOW;' \
    'order/i6_a_text_waits_for_no*'
change I6 'a restart makes letters anew that a text has overtaken' \
    client/outgoing.c \
    'const size_t file = m->kind == LETTER_FILE;' \
    'const size_t file = 0;' \
    'order/i6_a_restart*'
change I6 'what is given up holds up what was written after it' \
    client/outgoing.c \
    'awaited ? l->sequence : 0, end)' \
    'awaited && false ? l->sequence : 0, end)' \
    'order/i6_what_is_given*'
change I6 'what is acknowledged before its put leaves its place free' \
    client/acknowledged.c \
    'err = l->moved && !l->tried' \
    'err = l->moved && !l->tried && false' \
    'order/i6_a_place*'
change I6 'an older copy that starts twice is sure of its numbers' \
    client/disk/records.c \
    'v->in_step ? v->next_sequence : v->sure_sequence' \
    'v->next_sequence' \
    'full_disk/i6_*'
change I6 'a repair of numbers is forgotten at a start' client/disk/records.c \
    'v->overtaken = old ? 0 : codec_read32(r);' \
    'v->overtaken = 0 * codec_read32(r);' \
    'full_disk/i6_*'

change I12 'a machine that is started twice draws the same twice' lib/rng.c \
    'memcpy(nonce, &now_ns, sizeof now_ns);' \
    '' \
    'lib_core/i12_a_restored*'
change I12 'a draw leaves its key in memory' lib/rng.c \
    'memcpy(r->key, block, sizeof r->key);' \
    '' \
    'lib_core/what_a_generator*'

change I12 'puts and gets of a box are of two workers' relay/dispatch.c \
    'if (request.kind == WIRE_PUT)' \
    'if (request.kind == WIRE_LOOP)' \
    'workers/i12_*'
change I6 'what another life was told counts for this one' client/acknowledged.c \
    '!number_is_own(v, l) && sure_us < l->since_us' \
    '!number_is_own(v, l) && sure_us < l->since_us && l->since_us == 0' \
    'full_disk/i6_*'
change I6 'a letter whose place was another life'"'"'s counts before it is kept' \
    client/acknowledged.c \
    '(!v->in_step && l->renumbered && !l->kept))' \
    '(!v->in_step && l->renumbered && !l->kept && l->keeps > 200))' \
    'lives/i6_a_new_number*'
change I6 'what was sent before a restart may be another life'"'"'s' \
    client/outgoing.c \
    'l->since_us = l->sequence >= v->sure_sequence ? now_us : 0;' \
    'l->since_us = 0;' \
    'full_disk/i6_*'

change I6 'groups that are there are made true a second time' \
    client/daemon/outbox_sqlite.c \
    'else if (!r->ticket || r->ticket > o->there)' \
    'else if (!r->ticket || r->ticket > 0)' \
    'faults/i6_a_client_k*'

change I6 'places of another life are tried again and again' client/taken.c \
    'if (!is_new && !v->in_step && v->passed < PASSED_MAX) {' \
    'if (!is_new && !v->in_step && v->passed > PASSED_MAX) {' \
    'full_disk/i6_places*'
change I6 'numbers of a life that nobody has told of are used again' \
    client/taken.c \
    'int err = is_new ? 0 : acknowledged_doubt(c, v);' \
    'int err = 0;' \
    'older_copies/i6_a_number*'
change I6 'a letter that moves before its put leaves its place free' \
    client/staging.c \
    'if (l->tried || l->at.period + 1 < client_period(c))' \
    'if (l->tried || l->at.period > 0)' \
    'lives/i6_a_place_that*'
change I6 'a place that an earlier life may have put to gets another letter' \
    client/staging.c \
    'const bool same = l->loaded && !l->tried;' \
    'const bool same = false;' \
    'lives/i6_a_place_that*'
change I6 'what an answer without age names is acknowledged after a day' \
    client/staging.c \
    'if (l->unsure || staging_letter_is_in_doubt(v, l))' \
    'if (staging_letter_is_in_doubt(v, l))' \
    'lives/i6_an_answer*'
change I6 'nobody says that a copy is old whose numbers were passed over' \
    client/acknowledged.c \
    'if (is_doubt_confirmed(v, letter))' \
    'if (v->told && is_doubt_confirmed(v, letter))' \
    'older_copies/i6_a_number*'
change I6 'orders of what was forgotten are given again' client/readers.c \
    'err = client_save(c);' \
    'err = 0;' \
    'lives/i6_an_order*'
change I6 'what is damaged is waited for, and all behind it' client/readers.c \
    'return r->data || r->damaged;' \
    'return r->data;' \
    'lives/i6_what_cannot*'
change I6 'what cannot be read now is passed over' client/readers.c \
    'return r && r->again_us <= env_now_mono_us(c->env) &&' \
    'return r && r->again_us + 1 > 0 &&' \
    'readers/i6_what_cannot*'
change I6 'who reads long ones takes them from another' client/readers.c \
    '(last && received_is_wanted(last, env_now_mono_us(c->env))))' \
    '(last && !last->data && last->data))' \
    'readers/two_who*'
change I6 'a removal lets orders be given again' client/contacts.c \
    'err = client_save(c);' \
    'err = 0;' \
    'readers/orders*'
change I6 'letters of a burnt box move in memory alone' client/taken.c \
    'const int err = box_leave(c, v, v->check_at);' \
    'journal_begin(c->journal); const int err = journal_finish(c->journal, box_leave(c, v, v->check_at));' \
    'client_heap/i6_*'
change I11 'who writes higher numbers goes before other contacts' \
    client/readers.c \
    '(!r || o->event < r->event)' \
    '(!r || letter_number(o->id) > letter_number(r->id))' \
    'lives/i11_nobody*'
change I6 'a reader is given again what it has had' client/readers.c \
    'if (r->event > v->seen[reader] && (!first || r->event < first->event))' \
    'if (r->event > 0 && (!first || r->event < first->event))' \
    'readers/*'
change I6 'what one reader has had is gone for the others' client/readers.c \
    '(!reader_is(c, i) || r->event <= r->from->seen[i])' \
    '(i > 0 || r->event <= r->from->seen[i])' \
    'readers/readers_do*'
change I8 'a message that is deleted stays on the disk' client/readers.c \
    'err = record_received_delete(c->journal, r->order);' \
    'err = 0;' \
    'readers/a_message*'
change I6 'a new reader begins where another has ended' client/readers.c \
    'const uint64_t event = now ? v->last_event : 0;' \
    'const uint64_t event = v->last_event;' \
    'readers/readers_have*'
change I11 'what was read gives no room' client/readers.c \
    'if (!received_was_had(c, r))
            continue;
        r->forgotten = marks;' \
    'if (r->event > 0)
            continue;
        r->forgotten = marks;' \
    'readers/i11_*'
change I6 'events of what was deleted are given again' client/state.c \
    '.next_event = c->next_event}' \
    '.next_event = 0}' \
    'readers/readers_do*'
change I11 'an hour begins anew with each restart' client/inbox.c \
    'return past_us < HOLD_US ? now_us + HOLD_US - past_us : now_us;' \
    'return past_us < UINT64_MAX ? now_us + HOLD_US : now_us;' \
    'lives/i11_an_hour*'
change I11 'what its sender has given up keeps its room' client/incoming.c \
    'step->gone = err ? NULL : m;' \
    'step->gone = NULL;' \
    'lives/i11_what_was*'
change I11 'all that a liar has renumbered goes before what others get' \
    client/staging.c \
    'if (staged_count(v) < STAGED_MAX / 2)' \
    'if (staged_count(v) < 4096)' \
    'lives/i11_renumbering*'
change I12 'how much is gathered tells how many contacts there are' \
    client/incoming.c \
    'v->gathered_len + len <= GATHER_SHARE);' \
    'v->gathered_len + len <= GATHER_MAX / (c->status.contacts + 1));' \
    'lives/i12_no*'

# ---- the sum ----

for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    case $only in '  ') ;; *" I$i "*) ;; *) continue ;; esac
    case $seen in *" I$i "*) ;; *) complain "I$i has no row" ;; esac
    grep -rq "^i${i}_[a-z0-9_]*(void" tests/unit tests/scenario tests/fuzz ||
        grep -rq "_i${i}_[a-z0-9_]*(void" tests/scenario ||
        complain "no test is named i${i}_"
    grep -q "^\* \*\*I$i " doc/DESIGN.md ||
        complain "doc/DESIGN.md does not say what I$i is"
done
for name in $(grep -o '`[a-z0-9]*_[a-z0-9_]*`' doc/THREATS.md | tr -d '`' | sort -u); do
    grep -rq "^$name(void" tests/unit tests/scenario ||
        grep -rq "\<$name\>" network/json*.c ||
        complain "doc/THREATS.md names $name, which is no test"
done
if [ -n "$texts" ]; then
    [ "$failed" = 0 ] && echo 'invariants: each can be broken in its place'
    [ "$failed" = 0 ]
    exit
fi
echo "invariants: $killed changes noticed, $failed faults"
[ "$failed" = 0 ] && [ "$killed" -gt 0 ]
