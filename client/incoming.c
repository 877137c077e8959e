/* client/incoming.c - letters to messages.
 *
 * A letter that opens is journalled (its data, and with the contact's record
 * what is acknowledged) in one group; it is acknowledged by the next letter
 * staged the other way, which the journal keeps later still. So nothing is
 * acknowledged that a crash could lose, and nothing whole is handed out twice:
 * the group that completes a message puts it in the inbox and deletes its
 * fragments.
 *
 * Messages of one letter need no gathering and are never refused for it. Of
 * longer ones memory is taken as fragments come, whatever they announce, and
 * each contact has a budget of its own: INCOMING_MAX messages and
 * GATHER_CONTACT_MAX bytes; when all contacts together have GATHER_MAX, each
 * still has its equal share of that. What is beyond is left in its box,
 * unacknowledged. A message whose last fragment came letter_days ago is given
 * up: its sender has given it up, too. */
#include "client/incoming.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/inbox.h"
#include "client/state.h"
#include "lib/codec.h"

enum { INCOMING_MAX = 32, FRAGMENT_HEAD_LEN = 17, DAY_S = 86400 };
enum { GATHER_CONTACT_MAX = 32 << 20, GATHER_MAX = 64 << 20 };

static size_t
fragment_key(uint8_t key[static JOURNAL_KEY_MAX], const struct conversation *v,
             const uint8_t *id, uint32_t index)
{
    return record_key(key, RECORD_FRAGMENT, v->id, codec_get64(id), index);
}

static struct incoming *
incoming_find(const struct conversation *v, const uint8_t *id)
{
    struct incoming *m = v->incoming;
    while (m && memcmp(m->id, id, LETTER_ID_LEN) != 0)
        m = m->next;
    return m;
}

static void
incoming_delete(struct client *c, struct conversation *v,
                const struct incoming *m)
{
    struct incoming **at = &v->incoming, *gone;
    while (*at != m)
        at = &(*at)->next;
    gone = *at;
    *at = gone->next;
    c->gathered_len -= gone->len;
    v->gathered_len -= gone->len;
    for (uint32_t i = 0; i < gone->have; i++) {
        sodium_memzero(gone->fragment[i].data, gone->fragment[i].len);
        free(gone->fragment[i].data);
    }
    free(gone->fragment);
    free(gone);
}

void
incoming_free(struct client *c, struct conversation *v)
{
    while (v->incoming)
        incoming_delete(c, v, v->incoming);
}

/* Is there room for len bytes more of v's unfinished messages? */
static bool
gather_has_room(const struct client *c, const struct conversation *v,
                size_t len)
{
    size_t contacts = c->status.contacts > 0 ? c->status.contacts : 1;
    return v->gathered_len + len <= GATHER_CONTACT_MAX &&
           (c->gathered_len + len <= GATHER_MAX ||
            v->gathered_len + len <= GATHER_MAX / contacts);
}

static int
incoming_make(struct conversation *v, const uint8_t *id, uint8_t kind,
              uint32_t count, uint32_t total, struct incoming **out)
{
    unsigned n = 0;
    for (const struct incoming *m = v->incoming; m; m = m->next)
        n++;
    if (n >= INCOMING_MAX || !inbox_has_room(v, total))
        return ERR_FULL;
    struct incoming *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    memcpy(m->id, id, LETTER_ID_LEN);
    m->kind = kind;
    m->count = count;
    m->total = total;
    m->next = v->incoming;
    v->incoming = m;
    *out = m;
    return 0;
}

/* The place of a fragment among those that are here: before it lie smaller
 * ones alone. */
static uint32_t
fragment_place(const struct incoming *m, uint32_t index)
{
    uint32_t low = 0, high = m->have;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->fragment[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Say what is wrong with a fragment: fragments of one message that contradict
 * each other, or the length announced, are the sender's fault. */
static int
fragment_check(const struct client *c, const struct incoming *m, uint8_t kind,
               uint32_t count, uint32_t total, uint32_t index, size_t len)
{
    const size_t room = letter_data_max(c->letter_len);
    const size_t at = index * room;
    if (m->kind != kind || m->count != count || m->total != total ||
        index >= count || count != letter_count(total, c->letter_len))
        return ERR_CONFLICT;
    return len == (total - at < room ? total - at : room) ? 0 : ERR_CONFLICT;
}

/* Keep a fragment that was checked. Returns 0, also for one that is here. */
static int
fragment_keep(struct client *c, struct conversation *v, struct incoming *m,
              uint32_t index, const uint8_t *data, size_t len)
{
    uint32_t at = fragment_place(m, index);
    if (at < m->have && m->fragment[at].index == index)
        return 0;
    if (m->have == m->room) {
        uint32_t room = m->room ? 2 * m->room : 8;
        struct fragment *more = realloc(m->fragment, room * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        m->fragment = more;
        m->room = room;
    }
    uint8_t *copy = malloc(len + 1);
    if (!copy)
        return ERR_NOMEM;
    if (len > 0)
        memcpy(copy, data, len);
    memmove(&m->fragment[at + 1], &m->fragment[at],
            (m->have - at) * sizeof m->fragment[0]);
    m->fragment[at] =
        (struct fragment){.index = index, .len = (uint16_t)len, .data = copy};
    m->have++;
    m->len += len;
    v->gathered_len += len;
    c->gathered_len += len;
    return 0;
}

static void
pong_take(struct client *c, struct conversation *v, const uint8_t *id)
{
    for (struct message *m = v->messages; m; m = m->next)
        if (m->kind == LETTER_PING && memcmp(m->id, id, LETTER_ID_LEN) == 0 &&
            m->rtt_us == 0)
            m->rtt_us = env_now_mono_us(c->env) - m->started_us;
}

static int
message_take(struct client *c, struct conversation *v, uint8_t kind,
             const uint8_t *id, const uint8_t *data, size_t len, bool *is_ping)
{
    int err = 0;
    if (kind == LETTER_TEXT || kind == LETTER_FILE)
        err = inbox_put(c, v, kind, data, len);
    else if (kind == LETTER_PONG)
        pong_take(c, v, id);
    if (err)
        return err;
    *is_ping = kind == LETTER_PING;
    c->status.changes++;
    return 0;
}

/* Delete what is kept of an unfinished message, here and on disk. */
static void
message_forget(struct client *c, struct conversation *v, struct incoming *m)
{
    uint8_t key[JOURNAL_KEY_MAX];
    for (uint32_t i = 0; i < m->have; i++) {
        size_t len = fragment_key(key, v, m->id, m->fragment[i].index);
        journal_delete(c->journal, key, len);
    }
    incoming_delete(c, v, m);
}

/* All fragments are here. */
static int
message_complete(struct client *c, struct conversation *v, struct incoming *m,
                 bool *is_ping)
{
    uint8_t *data = malloc((size_t)m->total + 1);
    size_t at = 0;
    if (!data)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < m->have; i++) {
        memcpy(data + at, m->fragment[i].data, m->fragment[i].len);
        at += m->fragment[i].len;
    }
    int err = message_take(c, v, m->kind, m->id, data, at, is_ping);
    sodium_memzero(data, at);
    free(data);
    if (!err)
        message_forget(c, v, m);
    return err;
}

void
incoming_expire(struct client *c)
{
    const uint64_t now_s = client_sure_time_s(c);
    if (!c->current)
        return;
    uint64_t life_s = (uint64_t)c->current->params.letter_days * DAY_S;
    journal_begin(c->journal);
    for (struct conversation *v = c->conversations; v; v = v->next)
        for (struct incoming *m = v->incoming, *next; m; m = next) {
            next = m->next;
            if (m->progress_s + life_s < now_s)
                message_forget(c, v, m);
        }
    (void)journal_end(c->journal);
}

/* ---- what was received, for acknowledging ---- */

static bool
sequence_is_known(const struct conversation *v, uint32_t sequence)
{
    if (sequence <= v->ack)
        return true;
    uint32_t i = sequence - v->ack - 1;
    return i < LETTER_WINDOW && (v->map[i / 8] >> i % 8 & 1);
}

static void
map_shift(struct conversation *v, uint32_t by)
{
    uint8_t map[LETTER_MAP_LEN] = {0};
    for (uint32_t i = by; i < LETTER_WINDOW; i++)
        if (v->map[i / 8] >> i % 8 & 1)
            map[(i - by) / 8] |= (uint8_t)(1u << (i - by) % 8);
    memcpy(v->map, map, sizeof map);
    v->ack += by;
}

/* The first bit stands for ack + 1: while it is set, that one has come. */
static void
map_settle(struct conversation *v)
{
    uint32_t run = 0;
    while (run < LETTER_WINDOW && (v->map[run / 8] >> run % 8 & 1))
        run++;
    if (run > 0)
        map_shift(v, run);
}

static void
sequence_note(struct conversation *v, uint32_t sequence)
{
    uint32_t i = sequence - v->ack - 1;
    v->map[i / 8] |= (uint8_t)(1u << i % 8);
    map_settle(v);
}

/* The sender waits for nothing below its floor. */
static void
floor_take(struct conversation *v, uint32_t floor)
{
    if (floor > v->ack + 1) {
        map_shift(v, floor - 1 - v->ack);
        map_settle(v);
    }
}

/* ---- a letter ---- */

static void
fragment_save(struct client *c, const struct conversation *v,
              const struct incoming *m, const struct letter *l)
{
    uint8_t key[JOURNAL_KEY_MAX], value[FRAGMENT_HEAD_LEN + LETTER_LEN_MAX];
    struct codec_writer w;
    codec_writer_init(&w, value, sizeof value);
    codec_write8(&w, l->kind);
    codec_write32(&w, l->count);
    codec_write32(&w, l->total);
    codec_write64(&w, m->progress_s);
    codec_write_bytes(&w, l->data, l->data_len);
    size_t len = fragment_key(key, v, l->message, l->index);
    journal_put(c->journal, key, len, value, sizeof value - w.left);
    sodium_memzero(value, sizeof value);
}

/* Take one fragment of a longer message. One that cannot be kept leaves things
 * as they were, and so does one that completes a message for which there is no
 * room: it comes again. */
static int
fragment_take(struct client *c, struct conversation *v, const struct letter *l,
              bool *is_ping)
{
    struct incoming *m = incoming_find(v, l->message);
    const bool is_new = !m;
    int err = gather_has_room(c, v, l->data_len) ? 0 : ERR_FULL;
    if (!err && is_new)
        err = incoming_make(v, l->message, l->kind, l->count, l->total, &m);
    if (err)
        return err;
    err = fragment_check(c, m, l->kind, l->count, l->total, l->index,
                         l->data_len);
    if (!err)
        err = fragment_keep(c, v, m, l->index, l->data, l->data_len);
    if (err) {
        if (is_new)
            incoming_delete(c, v, m);
        return err;
    }
    m->progress_s = client_time_s(c);
    if (m->have == m->count)
        return message_complete(c, v, m, is_ping);
    fragment_save(c, v, m, l);
    return 0;
}

int
incoming_take(struct client *c, struct conversation *v, const struct letter *l,
              bool *is_ping)
{
    *is_ping = false;
    floor_take(v, l->floor);
    if (l->sequence == 0)
        return 0;
    if (sequence_is_known(v, l->sequence)) {
        if (v->ack_owed_us == 0) /* ours was lost, or is under way */
            v->ack_owed_us = env_now_mono_us(c->env);
        return ERR_DUPLICATE;
    }
    if (l->sequence - v->ack > LETTER_WINDOW)
        return ERR_RANGE;
    if (l->count == 1)
        return message_take(c, v, l->kind, l->message, l->data, l->data_len,
                            is_ping);
    return fragment_take(c, v, l, is_ping);
}

void
incoming_taken(struct client *c, struct conversation *v, const struct letter *l)
{
    if (l->sequence == 0)
        return;
    sequence_note(v, l->sequence);
    if (v->ack_owed_us == 0)
        v->ack_owed_us = env_now_mono_us(c->env);
    v->letter_us = env_now_mono_us(c->env);
    conversation_touch(c, v);
}

/* ---- loading ---- */

int
incoming_load_fragment(struct client *c, struct conversation *v,
                       const uint8_t *id, uint32_t index, const uint8_t *value,
                       size_t len)
{
    struct incoming *m = incoming_find(v, id);
    struct codec_reader r;
    codec_reader_init(&r, value, len);
    uint8_t kind = codec_read8(&r);
    uint32_t count = codec_read32(&r), total = codec_read32(&r);
    uint64_t progress_s = codec_read64(&r);
    if (r.err || total > LETTER_MESSAGE_MAX || count > LETTER_MESSAGE_MAX)
        return ERR_FORMAT;
    int err = m ? 0 : incoming_make(v, id, kind, count, total, &m);
    if (!err)
        err = fragment_check(c, m, kind, count, total, index, r.left);
    if (!err)
        err = fragment_keep(c, v, m, index, r.at, r.left);
    if (!err && progress_s > m->progress_s)
        m->progress_s = progress_s;
    return err;
}
