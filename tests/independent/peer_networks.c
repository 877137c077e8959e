/* tests/independent/peer_networks.c - what a consensus says: whose a box is, who is
 * a board, who passes lists on; lists themselves (PROTOCOL.md 8.3, 9.3, 9.7). */
#include <sodium.h>
#include <string.h>

#include "network/boards.h"
#include "network/days.h"
#include "network/draw.h"
#include "network/json.h"
#include "network/list.h"
#include "network/placement.h"
#include "relay/lists.h"
#include "tests/independent/peer.h"

static int
consensus_take(struct peer *p)
{
    char where[JSON_WHERE_LEN];
    size_t len;
    const uint8_t *body = peer_get_bytes(p, "body", &len);
    consensus_free(&p->consensus);
    int err = json_read_consensus(&p->consensus, body, len, where);
    if (err)
        return err;
    crypto_generichash(p->consensus->digest, SPHINX_DIGEST_LEN, body, len, NULL,
                       0);
    peer_say_bytes(p, "digest", p->consensus->digest, SPHINX_DIGEST_LEN);
    peer_say_number(p, "period", consensus_period(p->consensus));
    return 0;
}

static const struct consensus *
consensus(const struct peer *p)
{
    if (!p->consensus)
        peer_fail("consensus_take", "was not asked before");
    return p->consensus;
}

static json_t *
numbers(const uint16_t *number, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_integer(number[i]));
    return list;
}

static int
stores(struct peer *p)
{
    uint16_t first, second;
    int err = consensus_store_of(
        consensus(p), (uint32_t)peer_get_number(p, "period", UINT32_MAX),
        peer_get_exact(p, "box", 32), &first, &second);
    if (err)
        return err;
    peer_say_number(p, "first", first);
    peer_say_number(p, "second", second);
    return 0;
}

static int
waits(struct peer *p)
{
    const uint8_t *x = peer_get_exact(p, "x", 8);
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | x[i];
    peer_say_number(p, "wait", placement_wait(value));
    return 0;
}

static void
days_of(struct peer *p, const char *key, struct days *d)
{
    const json_t *list = peer_get_list(p, key);
    d->n = (uint8_t)json_array_size(list);
    for (size_t i = 0; i < d->n && i < DAYS_MAX; i++)
        peer_unhex(json_array_get(list, i), "value", d->value[i],
                   DAYS_VALUE_LEN);
}

/* The values of days after a consensus, of those before it. */
static int
days_step(struct peer *p)
{
    struct days before = {0}, after;
    days_of(p, "before", &before);
    const uint32_t period = (uint32_t)peer_get_number(p, "period", UINT32_MAX);
    days_next(&after, period, peer_get_number(p, "keep", DAYS_MAX),
              peer_get_exact(p, "random", DAYS_VALUE_LEN),
              before.n > 0 ? &before : NULL,
              (uint32_t)peer_get_number(p, "before_period", UINT32_MAX));
    peer_say_bytes(p, "days", after.value, (size_t)after.n * DAYS_VALUE_LEN);
    return 0;
}

static int
days_ask(struct peer *p)
{
    struct days d = {0};
    uint8_t out[DAYS_VALUE_LEN];
    days_of(p, "days", &d);
    const uint32_t newest = (uint32_t)peer_get_number(p, "newest", UINT32_MAX);
    const uint32_t period = (uint32_t)peer_get_number(p, "period", UINT32_MAX);
    days_value(&d, newest, period, out);
    peer_say_bytes(p, "value", out, sizeof out);
    peer_say_number(p, "bit", days_counts_bit(newest, period));
    return 0;
}

static int
days_kept(struct peer *p)
{
    peer_say_number(
        p, "keep",
        days_keep((uint32_t)peer_get_number(p, "letter_days", UINT32_MAX),
                  (uint32_t)peer_get_number(p, "period_s", UINT32_MAX)));
    return 0;
}

static int
days_count(struct peer *p)
{
    peer_say_number(
        p, "counts",
        days_counts((uint16_t)peer_get_number(p, "before", UINT16_MAX),
                    (uint32_t)peer_get_number(p, "periods", UINT32_MAX),
                    peer_get_number(p, "in", 1) != 0));
    return 0;
}

static int
draw(struct peer *p)
{
    uint8_t out[32];
    draw_bytes(consensus(p), peer_get_text(p, "label"),
               peer_get_exact(p, "identity", SPHINX_ID_LEN), out, sizeof out);
    peer_say_bytes(p, "drawn", out, sizeof out);
    return 0;
}

static int
boards(struct peer *p)
{
    const struct board_set *set = &consensus(p)->boards;
    peer_say(p, "boards", numbers(set->relay, set->n));
    return 0;
}

static int
ways(struct peer *p)
{
    struct board_ways *w = NULL;
    int err = boards_ways_new(
        &w, consensus(p), (uint16_t)peer_get_number(p, "relay", UINT16_MAX));
    if (err)
        return err;
    peer_say(p, "before", numbers(w->before, w->n_before));
    peer_say(p, "next", numbers(w->next, w->n_next));
    boards_ways_free(&w);
    return 0;
}

static int
list_make(struct peer *p)
{
    const struct params *params = &consensus(p)->params;
    const size_t len = list_len(params);
    uint8_t *list = peer_alloc(p, len), root[LIST_ROOT_LEN];
    const struct board_list l = {
        .interval = (uint32_t)peer_get_number(p, "interval", UINT32_MAX),
        .board = (uint8_t)peer_get_number(p, "board", UINT8_MAX),
        .before = peer_get_exact(p, "before", LIST_ROOT_LEN),
        .entries = peer_get_exact(
            p, "entries", (size_t)params->list_entries * LIST_ENTRY_LEN)};
    list_write(list, params, &l);
    list_sign(list, len, consensus(p), peer_get_exact(p, "seed", 32));
    list_root(list, len, root);
    peer_say_bytes(p, "list", list, len);
    peer_say_bytes(p, "root", root, sizeof root);
    return 0;
}

static int
list_judge(struct peer *p)
{
    size_t len;
    const uint8_t *list = peer_get_bytes(p, "list", &len);
    struct board_list l;
    uint8_t root[LIST_ROOT_LEN];
    int err = list_parse(&l, &consensus(p)->params, list, len);
    if (!err)
        err = list_verify(consensus(p), list, len);
    if (err)
        return err;
    list_root(list, len, root);
    peer_say_number(p, "interval", l.interval);
    peer_say_number(p, "board", l.board);
    peer_say_bytes(p, "before", l.before, LIST_ROOT_LEN);
    peer_say_bytes(p, "root", root, sizeof root);
    return 0;
}

static int
list_pair(struct peer *p)
{
    const size_t len = list_len(&consensus(p)->params);
    return list_judge_pair(consensus(p), peer_get_exact(p, "a", len),
                           peer_get_exact(p, "b", len));
}

static int
list_time(struct peer *p)
{
    const struct params *params = &consensus(p)->params;
    const uint32_t interval =
        list_interval(params, peer_get_number(p, "unix_ms", INT64_MAX));
    peer_say_number(p, "interval", interval);
    peer_say_number(p, "is_of", list_is_of(consensus(p), interval));
    peer_say_number(p, "len", list_len(params));
    return 0;
}

/* The slices that a client gets of a list: of a relay that has taken it before. */
static int
list_slices(struct peer *p)
{
    struct lists *lists = NULL;
    const struct consensus *c = consensus(p);
    const size_t list_length = list_len(&c->params);
    const uint8_t *list = peer_get_exact(p, "list", list_length);
    const uint64_t now_ms = peer_get_number(p, "now_ms", INT64_MAX);
    const size_t room = peer_get_number(p, "room", UINT16_MAX);
    const size_t count = peer_get_number(p, "count", UINT16_MAX);
    json_t *slices = json_array();
    int err = lists_new(&lists);
    if (!err)
        err = lists_fit(lists, &c->params);
    struct lists_place at = {0};
    if (!err)
        at = lists_enter(lists, now_ms);
    if (!err)
        err = lists_take(lists, c, list, 7, now_ms, 1000000);
    for (size_t i = 0; i < count && !err; i++) {
        uint8_t *rest = peer_alloc(p, room);
        memset(rest, 0x5a, room);
        at = lists_slice(lists, at, rest, room);
        json_array_append_new(slices, peer_hex(rest, room));
    }
    lists_free(&lists);
    if (err)
        json_decref(slices);
    else
        peer_say(p, "slices", slices);
    return err;
}

const struct peer_command peer_networks[] = {
    {"consensus_take", consensus_take},
    {"stores", stores},
    {"waits", waits},
    {"days_step", days_step},
    {"days_ask", days_ask},
    {"days_kept", days_kept},
    {"days_count", days_count},
    {"draw", draw},
    {"boards", boards},
    {"ways", ways},
    {"list_make", list_make},
    {"list_judge", list_judge},
    {"list_pair", list_pair},
    {"list_time", list_time},
    {"list_slices", list_slices},
    {NULL, NULL},
};
