/* client/disk/records.c - every byte that a client keeps: for each kind of record its
 * writer and its reader, side by side.
 *
 * records.h has the kinds and their keys. A record begins with its version; a reader
 * takes its own and those of before, a writer writes the newest. No state: writers put
 * into the group that the caller has begun in the journal.
 * Failure modes: a record that is too short, too long, of a newer version or with a
 * value that cannot be is ERR_FORMAT or ERR_VERSION to who starts, never a guess. */
#include "client/disk/records.h"

#include <string.h>

#include "client/disk/records_internal.h"
#include "lib/codec.h"

enum {
    CLIENT_LEN = GATEWAYS_RECORD_LEN + 4 + 4 + 8 + 8,
    CONTACT_VERSION = 9,
    CONTACT_VERSION_SHARES = 9,  /* the first whose session has shares */
    CONTACT_VERSION_SESSION = 8, /* the first that has one */
    CONTACT_VERSION_CHAINS = 7,  /* the first that says from which day on chains
                                   are, and their mark */
    CONTACT_VERSION_HAD = 6, /* the first that has what was had last, and tokens
                                of two periods */
    CONTACT_VERSION_ORDER = 5,  /* the first that has these numbers */
    CONTACT_VERSION_TOKENS = 4, /* the first that has them */
    CONTACT_VERSION_REMOVED = 3,
    CONTACT_VERSION_FIRST = 2,
    CONTACT_LEN = 3 + CHAIN_WAYS * (LETTER_CHAIN_LEN + 4) + CHAIN_MARK_LEN +
                  SESSION_RECORD_LEN + 8 + 4 + 8 + 2 * (4 + 4) + 4 + 8 +
                  2 * (8 + 4) + 4 + 4 + LETTER_ID_LEN +
                  HAD_MAX * LETTER_ID_LEN + 2 * (4 + 4) +
                  TOKENS_PERIODS * (4 + 4 + 1) + 4 + LETTER_MAP_LEN +
                  1, /* but name and periods */
    CURSOR_LEN = 3 * 4 + 2 * CURSOR_BOXES,
    DOCUMENT_HEAD_LEN = 4,
    FRAGMENT_HEAD_LEN = 1 + 4 + 4 + 8,
    KEPT_VERSION = 1,
    KEPT_LEN = 1 + 4 + LETTER_KEY_LEN,
    LETTER_HEAD_LEN = 4 + 4 + 8 + 1 + 8 + 1,
    MESSAGE_VERSION = 2,
    MESSAGE_HEAD_LEN = 1 + 1 + 1 + LETTER_ID_LEN + 8 + 4 + 4
};
enum {
    FLAG_CONFIRMED = 1,
    FLAG_REFUSED = 2,
    FLAG_INVITER = 4,
    FLAG_MUTED = 8,
    FLAG_PINGS = 16,
    FLAG_REMOVED = 32,
    FLAG_SHARED = 64,
    FLAG_RENEWS = 128,
    FLAGS = 255
};
enum {
    LETTER_FLAG_ANNOUNCED = 1,
    LETTER_FLAG_FILLS = 2,
    LETTER_FLAG_MOVED = 4,
    LETTER_FLAG_RENUMBERED = 8,
    LETTER_FLAGS = 15
};

/* ---- keys ---- */

size_t
record_key_write(uint8_t out[static RECORD_KEY_LEN], struct record_key key)
{
    struct codec_writer w;
    codec_writer_init(&w, out, RECORD_KEY_LEN);
    codec_write8(&w, key.type);
    codec_write32(&w, key.contact);
    codec_write64(&w, key.a);
    codec_write32(&w, key.b);
    return RECORD_KEY_LEN;
}

int
record_key_read(struct record_key *key, const uint8_t *bytes, size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, bytes, len);
    key->type = codec_read8(&r);
    key->contact = codec_read32(&r);
    key->a = codec_read64(&r);
    key->b = codec_read32(&r);
    if (r.err || r.left)
        return r.err ? r.err : ERR_FORMAT;
    const char *known = "ABCDFKLMPRSXY";
    const char *type = memchr(known, key->type, strlen(known));
    if (!type)
        return ERR_VERSION;
    /* what a type does not use is 0, so that a thing has one key only */
    const bool plain = memchr("ADPRXY", key->type, 6) != NULL;
    const bool one = key->type <= 'C' || key->type == 'P';
    if ((plain && key->contact) || (one && key->a) ||
        (key->type == 'D' && key->a > 1) ||
        (key->type != 'F' && key->type != 'K' && key->type != 'L' && key->b))
        return ERR_FORMAT;
    return 0;
}

int
record_open(struct journal *j, struct codec_writer *w, struct record_key key,
            size_t len)
{
    uint8_t bytes[RECORD_KEY_LEN], *value;
    size_t key_len = record_key_write(bytes, key);
    int err = journal_put(j, bytes, key_len, len, &value);
    if (!err)
        codec_writer_init(w, value, len);
    return err;
}

int
record_close(const struct codec_writer *w)
{
    return w->err ? w->err : w->left ? ERR_SHORT : 0;
}

int
record_delete(struct journal *j, struct record_key key)
{
    uint8_t bytes[RECORD_KEY_LEN];
    size_t key_len = record_key_write(bytes, key);
    return journal_delete(j, bytes, key_len);
}

int
record_read_end(const struct codec_reader *r)
{
    return r->err ? r->err : r->left ? ERR_FORMAT : 0;
}

/* ---- the client's own ---- */

int
record_client_save(struct journal *j, const struct gateways *gateways,
                   const struct record_client *r)
{
    struct codec_writer w;
    int err = record_open(j, &w, (struct record_key){.type = RECORD_CLIENT},
                          CLIENT_LEN);
    if (err)
        return err;
    gateways_write(gateways, &w);
    codec_write32(&w, (uint32_t)r->letter_len);
    codec_write32(&w, r->next_id);
    codec_write64(&w, r->next_received);
    codec_write64(&w, r->next_event);
    return record_close(&w);
}

/* Is there no more in a record of before? */
static bool
reader_is_at_end(const struct codec_reader *r)
{
    return !r->err && r->left == 0;
}

int
record_client_read(struct gateways *gateways, struct record_client *out,
                   const uint8_t *value, size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    *out = (struct record_client){0};
    int err = gateways_read(gateways, &r);
    const size_t letters = codec_read32(&r);
    if (!reader_is_at_end(&r))
        out->next_id = codec_read32(&r);
    if (!reader_is_at_end(&r))
        out->next_received = codec_read64(&r);
    if (!reader_is_at_end(&r))
        out->next_event = codec_read64(&r);
    if (!err)
        err = record_read_end(&r);
    if (!err && letters &&
        (letters > LETTER_LEN_MAX || letter_data_max(letters) == 0))
        err = ERR_RANGE;
    out->letter_len = err ? 0 : letters;
    return err;
}

/* ---- a contact ---- */

static void
cursors_write(struct codec_writer *w, const struct conversation *v, size_t n)
{
    codec_write8(w, (uint8_t)n);
    for (size_t i = 0; i < n; i++) {
        const struct cursor *k = &v->cursor[i];
        codec_write32(w, k->period);
        codec_write32(w, k->base);
        codec_write32(w, k->end);
        for (size_t b = 0; b < CURSOR_BOXES; b++)
            codec_write16(w, k->held[b]);
    }
}

static int
cursors_read(struct conversation *v, struct codec_reader *r)
{
    size_t n = codec_read8(r);
    if (n > CURSORS)
        return ERR_RANGE;
    for (size_t i = 0; i < n; i++) {
        struct cursor *k = &v->cursor[i];
        k->open = true;
        k->period = codec_read32(r);
        k->base = codec_read32(r);
        k->end = codec_read32(r);
        for (size_t b = 0; b < CURSOR_BOXES; b++)
            k->held[b] = codec_read16(r);
        if (!r->err && i > 0 && k->period >= v->cursor[i - 1].period)
            return ERR_FORMAT;
    }
    return record_read_end(r);
}

static uint8_t
flags_of(const struct conversation *v)
{
    return (uint8_t)((v->confirmed ? FLAG_CONFIRMED : 0) |
                     (v->refused ? FLAG_REFUSED : 0) |
                     (v->inviter ? FLAG_INVITER : 0) |
                     (v->muted ? FLAG_MUTED : 0) | (v->pings ? FLAG_PINGS : 0) |
                     (v->removed ? FLAG_REMOVED : 0) |
                     (v->shared ? FLAG_SHARED : 0) |
                     (v->renew_us > 0 ? FLAG_RENEWS : 0));
}

/* Take the flags of a record. Nobody was asked in version 2 who may ping. */
static int
flags_take(struct conversation *v, uint8_t version, uint8_t flags)
{
    if (flags & ~(version >= CONTACT_VERSION_REMOVED
                      ? FLAGS
                      : FLAG_CONFIRMED | FLAG_REFUSED | FLAG_INVITER))
        return ERR_FORMAT;
    v->confirmed = flags & FLAG_CONFIRMED;
    v->refused = flags & FLAG_REFUSED;
    v->inviter = flags & FLAG_INVITER;
    v->muted = flags & FLAG_MUTED;
    v->pings = flags & FLAG_PINGS;
    v->removed = flags & FLAG_REMOVED;
    v->shared = flags & FLAG_SHARED;
    v->renew_us = flags & FLAG_RENEWS ? 1 : 0;
    return 0;
}

static void
awaited_write(struct codec_writer *w, const struct conversation *v)
{
    for (size_t i = 0; i < TOKENS_PERIODS; i++) {
        codec_write32(w, v->awaited[i].period);
        codec_write32(w, v->awaited[i].next);
        codec_write8(w, v->awaited[i].behind);
    }
}

static void
awaited_read(struct conversation *v, struct codec_reader *r)
{
    for (size_t i = 0; i < TOKENS_PERIODS; i++) {
        v->awaited[i].period = codec_read32(r);
        v->awaited[i].next = codec_read32(r);
        v->awaited[i].behind = codec_read8(r);
    }
}

int
record_contact_save(struct journal *j, const struct conversation *v,
                    const struct message *const current[2])
{
    static const uint8_t none[LETTER_CHAIN_LEN];
    struct codec_writer w;
    size_t name_len = strlen(v->name), n_cursors = 0;
    while (n_cursors < CURSORS && v->cursor[n_cursors].open)
        n_cursors++;
    int err = record_open(
        j, &w,
        (struct record_key){.type = v->self ? RECORD_SELF : RECORD_CONTACT,
                            .contact = v->id},
        CONTACT_LEN + name_len + n_cursors * CURSOR_LEN);
    if (err)
        return err;
    codec_write8(&w, CONTACT_VERSION);
    codec_write8(&w, flags_of(v));
    codec_write8(&w, (uint8_t)name_len);
    codec_write_bytes(&w, v->name, name_len);
    codec_write_bytes(&w, v->removed ? none : v->chains[CHAIN_OUT].key,
                      LETTER_CHAIN_LEN);
    codec_write_bytes(&w, v->chains[CHAIN_IN].key, LETTER_CHAIN_LEN);
    codec_write32(&w, v->chains[CHAIN_OUT].day);
    codec_write32(&w, v->chains[CHAIN_IN].day);
    codec_write_bytes(&w, v->mark, sizeof v->mark);
    session_encode(&w, v->session);
    codec_write64(&w, v->removed_s);
    codec_write32(&w, v->born);
    codec_write64(&w, v->front_s);
    codec_write32(&w, v->at.period);
    codec_write32(&w, v->at.n);
    codec_write32(&w, v->previous_period);
    codec_write32(&w, v->previous_count);
    codec_write32(&w, v->next_sequence);
    codec_write64(&w, v->next_order);
    for (size_t i = 0; i < 2; i++) {
        codec_write64(&w, current[i] ? current[i]->order : v->next_order);
        codec_write32(&w, current[i] ? current[i]->next_index : 0);
    }
    codec_write32(&w, v->in_step ? v->next_sequence : v->sure_sequence);
    codec_write32(&w, v->overtaken);
    codec_write_bytes(&w, v->shown, sizeof v->shown);
    codec_write_bytes(&w, v->had[0], sizeof v->had);
    codec_write32(&w, v->past_token_period);
    codec_write32(&w, v->past_tokens_used);
    codec_write32(&w, v->token_period);
    codec_write32(&w, v->tokens_used);
    awaited_write(&w, v);
    codec_write32(&w, v->ack);
    codec_write_bytes(&w, v->map, sizeof v->map);
    cursors_write(&w, v, n_cursors);
    return record_close(&w);
}

static void
chain_read(struct codec_reader *r, struct chain *out)
{
    const uint8_t *key = codec_read_bytes(r, LETTER_CHAIN_LEN);
    if (key)
        memcpy(out->key, key, LETTER_CHAIN_LEN);
}

static int
contact_read_head(struct conversation *v, struct codec_reader *r,
                  uint8_t *version_read)
{
    const uint8_t version = codec_read8(r);
    *version_read = version;
    if (version < CONTACT_VERSION_FIRST || version > CONTACT_VERSION)
        return r->err ? r->err : ERR_VERSION;
    uint8_t flags = codec_read8(r), name_len = codec_read8(r);
    const uint8_t *name = codec_read_bytes(r, name_len);
    for (size_t i = 0; i < CHAIN_WAYS; i++)
        chain_read(r, &v->chains[i]);
    const uint8_t *mark = NULL;
    if (version >= CONTACT_VERSION_CHAINS) {
        for (size_t i = 0; i < CHAIN_WAYS; i++)
            v->chains[i].day = codec_read32(r);
        mark = codec_read_bytes(r, CHAIN_MARK_LEN);
    }
    int err = 0;
    memset(v->session, 0, sizeof *v->session);
    if (version >= CONTACT_VERSION_SESSION)
        err = session_decode(r,
                             version >= CONTACT_VERSION_SHARES
                                 ? SESSION_RECORD_LEN
                                 : SESSION_RECORD_FIRST_LEN,
                             v->session);
    if (version >= CONTACT_VERSION_REMOVED)
        v->removed_s = codec_read64(r);
    if (!err)
        err = r->err ? r->err : flags_take(v, version, flags);
    if (err)
        return err;
    if ((name_len == 0) != (v->removed || v->self) ||
        name_len >= CLIENT_NAME_MAX)
        return ERR_RANGE;
    if (v->removed_s && !v->removed)
        return ERR_FORMAT;
    memcpy(v->name, name, name_len);
    v->name[name_len] = 0;
    if (mark)
        memcpy(v->mark, mark, CHAIN_MARK_LEN);
    else
        chain_mark(v->chains[CHAIN_IN].key, v->mark);
    return 0;
}

/* Read where sending stood, which numbers are sure, and what was shown. Before,
 * files had no place of their own, and numbers were sure from each start on. */
static void
contact_read_order(struct conversation *v, struct codec_reader *r,
                   uint8_t version)
{
    const bool old = version < CONTACT_VERSION_ORDER;
    for (size_t i = 0; i < 2; i++) {
        if (i > 0 && old) {
            v->loaded[i] = v->loaded[0];
            break;
        }
        v->loaded[i].order = codec_read64(r);
        v->loaded[i].index = codec_read32(r);
    }
    v->sure_sequence = old ? v->next_sequence : codec_read32(r);
    v->overtaken = old ? 0 : codec_read32(r);
    const uint8_t *shown = old ? NULL : codec_read_bytes(r, LETTER_ID_LEN);
    if (shown)
        memcpy(v->shown, shown, LETTER_ID_LEN);
    const uint8_t *had = version < CONTACT_VERSION_HAD
                             ? NULL
                             : codec_read_bytes(r, sizeof v->had);
    if (had)
        memcpy(v->had, had, sizeof v->had);
}

/* Read how many tokens were used, and which are awaited. Before, those of one period
 * were counted: of the one before it nobody knows which are left. */
static void
contact_read_tokens(struct conversation *v, struct codec_reader *r,
                    uint8_t version)
{
    const bool old = version < CONTACT_VERSION_HAD;
    v->past_token_period = old ? 0 : codec_read32(r);
    v->past_tokens_used = old ? LETTER_TOKENS_MAX : codec_read32(r);
    v->token_period = codec_read32(r);
    v->tokens_used = codec_read32(r);
    if (old && v->token_period > 0)
        v->past_token_period = v->token_period - 1;
    awaited_read(v, r);
}

int
record_contact_read(struct conversation *v, const uint8_t *value, size_t len)
{
    struct codec_reader r;
    uint8_t version;
    codec_reader_init(&r, value, len);
    int err = contact_read_head(v, &r, &version);
    if (err)
        return err;
    v->born = codec_read32(&r);
    v->front_s = codec_read64(&r);
    v->at.period = codec_read32(&r);
    v->at.n = codec_read32(&r);
    v->previous_period = codec_read32(&r);
    v->previous_count = codec_read32(&r);
    v->next_sequence = codec_read32(&r);
    v->next_order = codec_read64(&r);
    contact_read_order(v, &r, version);
    if (version >= CONTACT_VERSION_TOKENS)
        contact_read_tokens(v, &r, version);
    v->ack = codec_read32(&r);
    const uint8_t *map = codec_read_bytes(&r, LETTER_MAP_LEN);
    if (r.err)
        return r.err;
    if (v->tokens_used > LETTER_TOKENS_MAX ||
        v->past_tokens_used > LETTER_TOKENS_MAX)
        return ERR_RANGE;
    memcpy(v->map, map, LETTER_MAP_LEN);
    return cursors_read(v, &r);
}

int
record_contact_delete(struct journal *j, uint32_t contact)
{
    return record_delete(
        j, (struct record_key){.type = RECORD_CONTACT, .contact = contact});
}

/* ---- the consensus ---- */

int
record_document_save(struct journal *j, uint32_t epoch, const uint8_t *document,
                     size_t len)
{
    struct codec_writer w;
    const struct record_key key = {.type = RECORD_DOCUMENT, .a = epoch % 2};
    int err = record_open(j, &w, key, DOCUMENT_HEAD_LEN + len);
    if (err)
        return err;
    codec_write32(&w, epoch);
    codec_write_bytes(&w, document, len);
    return record_close(&w);
}

int
record_document_read(uint32_t *epoch, const uint8_t **document,
                     size_t *document_len, const uint8_t *value, size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    *epoch = codec_read32(&r);
    *document_len = r.left;
    *document = codec_read_bytes(&r, r.left);
    return record_read_end(&r);
}

/* ---- a fragment ---- */

static struct record_key
fragment_key(uint32_t contact, const uint8_t *id, uint32_t index)
{
    return (struct record_key){RECORD_FRAGMENT, contact, codec_get64(id),
                               index};
}

int
record_fragment_save(struct journal *j, uint32_t contact,
                     const struct letter *l, uint64_t progress_s)
{
    struct codec_writer w;
    int err = record_open(j, &w, fragment_key(contact, l->message, l->index),
                          (size_t)FRAGMENT_HEAD_LEN + l->data_len);
    if (err)
        return err;
    codec_write8(&w, l->kind);
    codec_write32(&w, l->count);
    codec_write32(&w, l->total);
    codec_write64(&w, progress_s);
    codec_write_bytes(&w, l->data, l->data_len);
    return record_close(&w);
}

int
record_fragment_read(struct letter *l, uint64_t *progress_s,
                     const struct record_key *key, const uint8_t *value,
                     size_t len, size_t letter_len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    *l = (struct letter){.sequence = 1, .index = key->b};
    codec_put64(l->message, key->a);
    l->kind = codec_read8(&r);
    l->count = codec_read32(&r);
    l->total = codec_read32(&r);
    *progress_s = codec_read64(&r);
    if (r.err)
        return r.err;
    if (r.left > letter_data_max(letter_len))
        return ERR_FORMAT;
    l->data_len = (uint16_t)r.left;
    l->data = codec_read_bytes(&r, r.left);
    if (l->count < 2) /* whole at once */
        return ERR_RANGE;
    return letter_check(l, letter_len);
}

int
record_fragment_delete(struct journal *j, uint32_t contact,
                       const uint8_t id[static LETTER_ID_LEN], uint32_t index)
{
    return record_delete(j, fragment_key(contact, id, index));
}

/* ---- the key of a late letter ---- */

static struct record_key
kept_record(uint32_t contact, const struct kept_key *k)
{
    return (struct record_key){RECORD_KEPT, contact,
                               (uint64_t)k->generation << 32 | k->step, k->n};
}

int
record_kept_save(struct journal *j, uint32_t contact, const struct kept_key *k)
{
    struct codec_writer w;
    int err = record_open(j, &w, kept_record(contact, k), KEPT_LEN);
    if (err)
        return err;
    codec_write8(&w, KEPT_VERSION);
    codec_write32(&w, k->day);
    codec_write_bytes(&w, k->key, sizeof k->key);
    return record_close(&w);
}

int
record_kept_read(struct kept_key *k, const struct record_key *key,
                 const uint8_t *value, size_t len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    const uint8_t version = codec_read8(&r);
    *k = (struct kept_key){.generation = (uint32_t)(key->a >> 32),
                           .step = (uint32_t)key->a,
                           .n = key->b,
                           .day = codec_read32(&r)};
    const uint8_t *bytes = codec_read_bytes(&r, sizeof k->key);
    const int err = record_read_end(&r);
    if (err)
        return err;
    memcpy(k->key, bytes, sizeof k->key);
    return version == KEPT_VERSION ? 0 : ERR_VERSION;
}

int
record_kept_delete(struct journal *j, uint32_t contact,
                   const struct kept_key *k)
{
    return record_delete(j, kept_record(contact, k));
}

/* ---- a letter ---- */

static struct record_key
letter_key(uint32_t contact, struct letter_place at)
{
    return (struct record_key){RECORD_LETTER, contact, at.period, at.n};
}

int
record_letter_save(struct journal *j, uint32_t contact,
                   const struct out_letter *l, uint64_t due_s,
                   size_t letter_len)
{
    struct codec_writer w;
    int err = record_open(j, &w, letter_key(contact, l->at),
                          LETTER_HEAD_LEN + letter_len);
    if (err)
        return err;
    codec_write32(&w, l->sequence);
    codec_write32(&w, l->index);
    codec_write64(&w, l->order);
    codec_write8(&w, l->kept ? l->keeps : 0);
    codec_write64(&w, l->kept ? due_s : 0);
    codec_write8(&w, (uint8_t)((l->announced ? LETTER_FLAG_ANNOUNCED : 0) |
                               (l->fills ? LETTER_FLAG_FILLS : 0) |
                               (l->moved ? LETTER_FLAG_MOVED : 0) |
                               (l->renumbered ? LETTER_FLAG_RENUMBERED : 0)));
    codec_write_bytes(&w, l->bytes, letter_len);
    return record_close(&w);
}

int
record_letter_read(struct out_letter *l, const uint8_t **bytes,
                   const struct record_key *key, const uint8_t *value,
                   size_t len, size_t letter_len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    *l = (struct out_letter){.at = {(uint32_t)key->a, key->b}};
    l->sequence = codec_read32(&r);
    l->index = codec_read32(&r);
    l->order = codec_read64(&r);
    l->keeps = codec_read8(&r);
    l->kept = l->tried = l->keeps > 0;
    l->due_s = codec_read64(&r);
    const uint8_t flags = codec_read8(&r);
    l->announced = flags & LETTER_FLAG_ANNOUNCED;
    l->fills = flags & LETTER_FLAG_FILLS;
    l->moved = flags & LETTER_FLAG_MOVED;
    l->renumbered = flags & LETTER_FLAG_RENUMBERED;
    l->loaded = true;
    *bytes = codec_read_bytes(&r, letter_len);
    if (key->a > UINT32_MAX)
        return ERR_RANGE;
    if (!r.err && flags & ~LETTER_FLAGS)
        return ERR_FORMAT;
    return record_read_end(&r);
}

int
record_letter_delete(struct journal *j, uint32_t contact,
                     struct letter_place at)
{
    return record_delete(j, letter_key(contact, at));
}

/* ---- a message that is sent ---- */

static struct record_key
message_key(uint32_t contact, uint64_t order)
{
    return (struct record_key){RECORD_MESSAGE, contact, order, 0};
}

int
record_message_save(struct journal *j, uint32_t contact,
                    const struct message *m, enum client_state state)
{
    struct codec_writer w;
    const size_t len = client_state_is_over(state) ? 0 : m->len;
    int err = record_open(j, &w, message_key(contact, m->order),
                          MESSAGE_HEAD_LEN + len);
    if (err)
        return err;
    codec_write8(&w, MESSAGE_VERSION);
    codec_write8(&w, (uint8_t)state);
    codec_write8(&w, m->kind);
    codec_write_bytes(&w, m->id, LETTER_ID_LEN);
    codec_write64(&w, m->created_s);
    codec_write32(&w, m->count);
    codec_write32(&w, (uint32_t)len);
    codec_write_bytes(&w, m->data, len);
    return record_close(&w);
}

/* Do the fields of a message agree with each other? */
static int
message_check(const struct message *m, size_t letter_len)
{
    if (m->state < CLIENT_QUEUED || m->state > CLIENT_EXPIRED ||
        m->kind == LETTER_ACK || m->kind >= LETTER_KINDS)
        return ERR_FORMAT;
    if (m->count == 0 || m->len > LETTER_MESSAGE_MAX)
        return ERR_RANGE;
    if (client_state_is_over((enum client_state)m->state))
        return m->len == 0 ? 0 : ERR_RANGE;
    return m->count == letter_count(m->len, letter_len) ? 0 : ERR_RANGE;
}

int
record_message_read(struct message *m, const uint8_t **data,
                    const struct record_key *key, const uint8_t *value,
                    size_t len, size_t letter_len)
{
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    *m = (struct message){.order = key->a};
    if (codec_read8(&r) != MESSAGE_VERSION)
        return r.err ? r.err : ERR_VERSION;
    m->state = codec_read8(&r);
    m->kind = codec_read8(&r);
    const uint8_t *id = codec_read_bytes(&r, LETTER_ID_LEN);
    m->created_s = codec_read64(&r);
    m->count = codec_read32(&r);
    m->len = codec_read32(&r);
    *data = codec_read_bytes(&r, m->len);
    int err = record_read_end(&r);
    if (err)
        return err;
    memcpy(m->id, id, LETTER_ID_LEN);
    return message_check(m, letter_len);
}

int
record_message_delete(struct journal *j, uint32_t contact, uint64_t order)
{
    return record_delete(j, message_key(contact, order));
}
