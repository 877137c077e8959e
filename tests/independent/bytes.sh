#!/bin/sh
# tests/independent/bytes.sh [FIRST] - a byte of a format, changed in the C alone, has
# to be seen: each row changes one in a copy, builds the C side there, and wants a
# test of tests/independent to fail. The first row FIRST of them, and those after it.
# A row's test runs no more than 100 schedules of ratchets.
# CC is make's: CC='ccache gcc' spares most of the time.
#
#   change FILE 'text that stands there once' 'instead' TEST
set -u
cd "$(dirname "$0")/../.." || exit 1
first=${1:-1} row=0 red=0 failed=0
copy=$(mktemp -d) || exit 1
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' INT TERM HUP
git ls-files -z --cached --others --exclude-standard | tar -c --null -T - |
    tar -x -C "$copy"

copy_make() {
    make -C "$copy" ${CC:+CC="$CC"} build/release/independent-peer >"$copy/said" 2>&1
}

complain() {
    printf '%s\n' "bytes: row $row, $*"
    failed=$((failed + 1))
}

# Put another text in the place of one that stands once in a file.
text_replace() {
    FILE=$1 FROM=$2 TO=$3 python3 - <<'END'
import os
name = os.environ["FILE"]
text = open(name).read()
if text.count(os.environ["FROM"]) != 1:
    raise SystemExit(f"stands {text.count(os.environ['FROM'])} times in {name}")
open(name, "w").write(text.replace(os.environ["FROM"], os.environ["TO"]))
END
}

change() {
    row=$((row + 1))
    [ "$row" -ge "$first" ] || return
    said=$(text_replace "$copy/$1" "$2" "$3" 2>&1) || {
        complain "'$2' $said"
        return
    }
    if ! copy_make; then
        complain "'$3' does not compile"
    elif timeout 300 "$copy/tests/independent/run.py" "$copy/build/release" \
        --seed 1 --schedules 100 "$4" >"$copy/said" 2>&1; then
        complain "$1, '$3': not seen by $4"
    elif grep -q '^\[  FAILED  \]' "$copy/said"; then
        red=$((red + 1))
        printf '%s\n' "row $row: $1, '$3': red in $4"
    else
        complain "$1, '$3': $4 did not run"
    fi
    cp "$1" "$copy/$1"
}

{ copy_make && "$copy/tests/independent/run.py" "$copy/build/release" --seed 1 \
    --schedules 100 >"$copy/said"; } || { cat "$copy/said"; exit 1; }

# 3: packets, SURBs
change sphinx/sealed.c 'brusio/1 hop context' 'brusio/1 hop contexT' packets/requests
change sphinx/sealed.c 'brusio/1 sender seed' 'brusio/1 sender seeD' packets/requests
change sphinx/packet.h 'BLOCK_DELAY_AT = 3,
    BLOCK_DEADLINE_AT = 5' 'BLOCK_DELAY_AT = 5,
    BLOCK_DEADLINE_AT = 3' packets/requests
change sphinx/packet.h 'PACKET_LABEL_FILL = 2' 'PACKET_LABEL_FILL = 4' packets/requests
change sphinx/packet.h 'PACKET_LABEL_SURB_KEY = 3' 'PACKET_LABEL_SURB_KEY = 5' packets/answers
change sphinx/cipher.c 'memcpy(h->aes_key, okm, 32);
    memcpy(h->poly_key, okm + 32, 16);' 'memcpy(h->aes_key, okm + 16, 32);
    memcpy(h->poly_key, okm, 16);' packets/requests
change sphinx/cipher.c 'iv[8] = 1;' 'iv[8] = 2;' packets/requests
change sphinx/packet.c '(g->hops + 1u - i) * b,' '(g->hops + 1u - i) * b - 1,' packets/requests
change sphinx/surb.c '*first_hop = packet_get16(surb + g->header_len);' \
    '*first_hop = packet_get16(surb + g->header_len + 1);' packets/answers

# 4 and 5: frames, bodies
change lib/wire.c 'codec_write8(&out, WIRE_CONTROL);' 'codec_write8(&out, 5);' frames/controls
change lib/wire.c 'codec_write16(&out, p->index);
    codec_write16(&out, p->count);' 'codec_write16(&out, p->count);
    codec_write16(&out, p->index);' frames/pieces
change lib/wire.c 'codec_write8(&out, r->kind);' \
    'codec_write8(&out, (uint8_t)(r->kind ^ 4));' frames/requests
change lib/wire.c 'a->age = codec_read8(&in);' \
    'a->age = (uint8_t)(codec_read8(&in) + 1);' frames/answers
change lib/wire.c 'a->root[i].back = codec_read16(&in);' \
    'a->root[i].back = (uint16_t)(codec_read16(&in) + 1);' frames/answers
change lib/wire.c 's->part = codec_read8(&in);' \
    's->part = (uint8_t)(codec_read8(&in) + 1);' frames/slices

# 5 and 8: boxes, letters, invitations, work
change network/box.c 'brusio/1 put' 'brusio/1 puT' letters/boxes
change network/box.c 'brusio/1 box id' 'brusio/1 box iD' letters/boxes
change network/box.c 'brusio/1 held' 'brusio/1 helD' letters/boxes
change network/box.c 'brusio/1 mark' 'brusio/1 marK' letters/boxes
change client/letters/letter.c '"brusio/1 box"' '"brusio/1 boX"' letters/places
change client/letters/letter.c '"brusio/1 announce"' '"brusio/1 announcE"' letters/places
change client/letters/letter.c 'codec_write32(&w, l->previous_period);
    codec_write32(&w, l->previous_count);' 'codec_write32(&w, l->previous_count);
    codec_write32(&w, l->previous_period);' letters/letters
change client/letters/invite.c 'brusio/1 chain invitee' 'brusio/1 chain inviteE' letters/invitations
change client/letters/invite.c 'memcpy(id, out, INVITE_NETWORK_LEN);' \
    'memcpy(id, out + 1, INVITE_NETWORK_LEN);' letters/invitation_networks
change client/letters/invite.c 'VERSION = 2,' 'VERSION = 1,' letters/invitations
change client/letters/invite.c 'codec_write_bytes(&w, i->seed, INVITE_SEED_LEN);
    codec_write_bytes(&w, i->key, RATCHET_KEY_LEN);' 'codec_write_bytes(&w, i->key, RATCHET_KEY_LEN);
    codec_write_bytes(&w, i->seed, INVITE_SEED_LEN);' letters/invitations
change network/work.c 'brusio/1 work' 'brusio/1 worK' letters/work
change network/work.c 'room / 16 > 0 ? room / 16 : 1' 'room / 15 > 0 ? room / 15 : 1' letters/work

# 8.2: letters' heads, what seals them
change client/letters/letter.c '"brusio/1 letter"' '"brusio/1 letteR"' letters/letters
change client/letters/letter.c '"brusio/1 nonce"' '"brusio/1 noncE"' letters/letters
change client/letters/letter.c 'HEAD_VERSION = 3' 'HEAD_VERSION = 2' letters/letters
change client/letters/letter.c 'SEAL_SHIFT = 4,' 'SEAL_SHIFT = 5,' letters/letters
change client/letters/letter.c 'codec_put32(out + 1, head->generation);
    codec_put32(out + 5, r->step);' 'codec_put32(out + 5, head->generation);
    codec_put32(out + 1, r->step);' letters/letters
change client/letters/letter.c 'put24(out + 41, r->n);
    put24(out + 44, r->previous);' 'put24(out + 44, r->n);
    put24(out + 41, r->previous);' letters/letters
change client/letters/letter.c 'out[0] = (uint8_t)(n >> 16);' \
    'out[0] = (uint8_t)(n >> 17);' letters/letters
change client/letters/letter.c '&& in[HEAD_LEN - 1] == 0 ?' '?' letters/heads_spoilt
change client/letters/letter.c 'head->seal < LETTER_SEALS' \
    'head->seal <= LETTER_SEALS' letters/heads_spoilt
change client/letters/letter.c 'codec_put32(out, at.period);
    codec_put32(out + 4, at.n);' 'codec_put32(out + 4, at.period);
    codec_put32(out, at.n);' letters/letters
change client/letters/letter.c 'memcpy(out + WHERE_LEN, head, HEAD_LEN);' \
    'memset(out + WHERE_LEN, head[0], HEAD_LEN);' letters/letters
change client/letters/letter.c 'where, sizeof where, NULL, out,' \
    'where, sizeof where - 1, NULL, out,' letters/letters
change client/letters/letter.c 'crypto_generichash_update(&h, head, HEAD_LEN);' \
    'crypto_generichash_update(&h, head, HEAD_LEN - 1);' letters/letters
change client/letters/letter.h 'LETTER_USED, /*' 'LETTER_USED = 7, /*' letters/letters_spoilt

# 8.10: ratchets, sessions
change client/letters/ratchet.c '"brusio/1 root"' '"brusio/1 rooT"' ratchets/schedules
change client/letters/ratchet.c 'memcpy(root, out, RATCHET_KEY_LEN);
        memcpy(chain, out + RATCHET_KEY_LEN, RATCHET_KEY_LEN);' \
    'memcpy(chain, out, RATCHET_KEY_LEN);
        memcpy(root, out + RATCHET_KEY_LEN, RATCHET_KEY_LEN);' ratchets/schedules
change client/letters/ratchet.c 'letter = 1, step = 2' 'letter = 3, step = 2' ratchets/schedules
change client/letters/ratchet.c 'letter = 1, step = 2' 'letter = 1, step = 3' ratchets/schedules
change client/letters/ratchet.c 'r->n_previous = r->n_out;' 'r->n_previous = r->n_in;' \
    ratchets/schedules
change client/letters/ratchet.c 'r->own_step++;' 'r->own_step += 2;' ratchets/schedules
change client/letters/ratchet.h 'RATCHET_SKIP_MAX = 1024' 'RATCHET_SKIP_MAX = 1025' ratchets/skips
change client/letters/ratchet.h 'RATCHET_SKIP_MAX = 1024' 'RATCHET_SKIP_MAX = 1023' ratchets/skips
change client/letters/session.c '"brusio/1 first", NULL, 0);
    ratchet_offer' '"brusio/1 firsT", NULL, 0);
    ratchet_offer' ratchets/schedules
change client/letters/session.c '"brusio/1 first", NULL, 0);
    int err = ratchet_take' '"brusio/1 firsT", NULL, 0);
    int err = ratchet_take' ratchets/schedules
change client/letters/session.c '"brusio/1 both"' '"brusio/1 botH"' ratchets/schedules
change client/letters/session.c '"brusio/1 again"' '"brusio/1 agaiN"' ratchets/schedules
change client/letters/session.c 'is_first = !s->inviter && !s->answered;' 'is_first = false;' \
    ratchets/schedules
change client/letters/session.c 's->state == SESSION_OFFERED && !s->inviter' \
    's->state == SESSION_OFFERED && s->inviter' ratchets/offers
change client/letters/session.c 'generation <= o->context->latest' \
    'generation < o->context->latest' ratchets/offers
change client/letters/session.c 'ratchet_own_key(&s->now, head.ratchet.key);' \
    'head.ratchet.key[0] = 9;' ratchets/offers

# 8.3: days and stores
change network/days.c 'brusio/1 day' 'brusio/1 daY' networks/days
change network/placement.c 'm = m * m >> 31;' 'm = m * m >> 30;' networks/waits
change network/placement.c 'memcpy(in, value, PART_LEN);
    memcpy(in + PART_LEN, placement, PART_LEN);' 'memcpy(in, placement, PART_LEN);
    memcpy(in + PART_LEN, value, PART_LEN);' networks/stores

# 9.1, 9.2, 9.5: documents
change network/document.c '"brusio/1 %s\n"' '"brusio/1 %s\r"' documents/signatures
change network/document.c '"brusio-%s/1 %zu\n"' '"brusio-%s/2 %zu\n"' documents/signatures
change network/certificate.c 'brusio/1 certificate\n' 'brusio/1 certificate\r' \
    documents/certificates
change network/family.c 'brusio/1 family\n' 'brusio/1 family\r' documents/certificates
change network/json.c 'F_INT(relay_entry, bandwidth, 0, 100000000)' \
    'F_INT(relay_entry, bandwidth, 0, 100000001)' documents/ranges
change network/json_params.c 'F_INT(params, layers, 1, LAYERS_MAX)' \
    'F_INT(params, layers, 0, LAYERS_MAX)' documents/ranges
change network/json_diff.c 'json_member_put(&w, root, "gone", gone);' \
    'json_member_put(&w, root, "gonE", gone);' documents/diffs
change directory/json_vote.c 'F_INT(claim, len, 1, VOTE_LEN_MAX)' \
    'F_INT(claim, len, 0, VOTE_LEN_MAX)' documents/ranges

# 9.3, 9.4: votes
change directory/json_vote.c 'brusio/1 deal' 'brusio/1 deaL' shares/dealings_in
change directory/share.c 'brusio/1 share generator' 'brusio/1 share generatoR' shares/dealings
change directory/share.c 'brusio/1 share deal' 'brusio/1 share deaL' shares/dealings
change directory/share.c 'brusio/1 share open' 'brusio/1 share opeN' shares/dealings
change directory/tally.c 'brusio/1 work' 'brusio/1 worK' tally/tally
change directory/tally.c 'brusio/1 layer' 'brusio/1 layeR' tally/tally
change directory/tally.c 'brusio/1 placement' 'brusio/1 placemenT' tally/tally
change directory/newcomers.c 'brusio/1 newcomer' 'brusio/1 newcomeR' tally/tally
change directory/blame.c 'l->lost * 1000u >= l->sent' 'l->lost * 1000u > l->sent' tally/tally

# 9.7: boards and lists
change network/boards.c 'brusio/1 board' 'brusio/1 boarD' networks/boards
change network/boards.c 'brusio/1 carrier' 'brusio/1 carrieR' networks/boards
change network/boards.c '(j * o.n / n + k) % o.n].relay' '(j * o.n / n + k + 1) % o.n].relay' \
    networks/boards
change network/list.c '"brusio/1 list"' '"brusio/1 lisT"' networks/lists
change network/list.c 'brusio/1 list root' 'brusio/1 list rooT' networks/lists

echo "bytes: $red changes seen, $failed not"
[ "$failed" = 0 ]
