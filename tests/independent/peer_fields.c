/* tests/independent/peer_fields.c - see peer_letters.h. */
#include "tests/independent/peer_letters.h"

#include <string.h>

/* The numbers of a letter, by their names on both sides. */
#define LETTER_NUMBERS(X)        \
    X(ack, uint32_t)             \
    X(floor, uint32_t)           \
    X(previous_period, uint32_t) \
    X(previous_count, uint32_t)  \
    X(sequence, uint32_t)        \
    X(kind, uint8_t)             \
    X(index, uint32_t)           \
    X(total, uint32_t)           \
    X(after, uint32_t)           \
    X(announced, bool)           \
    X(tokens, uint16_t)          \
    X(lease_s, uint32_t)

struct letter_place
peer_get_place(struct peer *p)
{
    return (struct letter_place){
        .period = (uint32_t)peer_get_number(p, "period", UINT32_MAX),
        .n = (uint32_t)peer_get_number(p, "n", UINT32_MAX)};
}

struct letter
peer_get_letter(struct peer *p)
{
    size_t data_len;
    struct letter l = {.data = peer_get_bytes(p, "data", &data_len)};
#define X(name, type) l.name = (type)peer_get_number(p, #name, UINT32_MAX);
    LETTER_NUMBERS(X)
#undef X
    l.data_len = (uint16_t)data_len;
    if (peer_has(p, "part_kind")) {
        size_t len;
        l.part = (struct letter_part){
            .kind = (uint8_t)peer_get_number(p, "part_kind", UINT8_MAX),
            .exchange =
                (uint32_t)peer_get_number(p, "part_exchange", UINT32_MAX),
            .first = (uint8_t)peer_get_number(p, "part_first", UINT8_MAX),
            .count = (uint8_t)peer_get_number(p, "part_count", UINT8_MAX),
            .bytes = peer_get_bytes(p, "part_bytes", &len)};
        if (len != l.part.count * letter_part_len(l.part.kind))
            peer_fail("part_bytes", "has another length");
    }
    memcpy(l.map, peer_get_exact(p, "map", LETTER_MAP_LEN), LETTER_MAP_LEN);
    memcpy(l.message, peer_get_exact(p, "message", LETTER_ID_LEN),
           LETTER_ID_LEN);
    return l;
}

void
peer_say_letter(struct peer *p, const struct letter *l)
{
#define X(name, type) peer_say_number(p, #name, l->name);
    LETTER_NUMBERS(X)
#undef X
    peer_say_number(p, "count", l->count);
    peer_say_number(p, "part_kind", l->part.kind);
    peer_say_number(p, "part_exchange", l->part.exchange);
    peer_say_number(p, "part_first", l->part.first);
    peer_say_number(p, "part_count", l->part.count);
    peer_say_bytes(p, "part_bytes", l->part.bytes,
                   l->part.count * letter_part_len(l->part.kind));
    peer_say_bytes(p, "map", l->map, LETTER_MAP_LEN);
    peer_say_bytes(p, "message", l->message, LETTER_ID_LEN);
    peer_say_bytes(p, "data", l->data, l->data_len);
}

static uint32_t
head_number(const json_t *head, const char *key)
{
    const json_t *value = json_object_get(head, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > UINT32_MAX)
        peer_fail(key, "is no number of this size");
    return (uint32_t)json_integer_value(value);
}

void
peer_get_head(struct peer *p, struct letter_head *head)
{
    const json_t *in = json_object_get(p->in, "head");
    head->seal = (uint8_t)head_number(in, "seal");
    head->generation = head_number(in, "generation");
    head->ratchet.step = head_number(in, "step");
    head->ratchet.n = head_number(in, "number");
    head->ratchet.previous = head_number(in, "previous");
    head->ratchet.mixed = (uint8_t)head_number(in, "mixed");
    peer_unhex(in, "key", head->ratchet.key, RATCHET_KEY_LEN);
}

void
peer_say_head(struct peer *p, const struct letter_head *head)
{
    peer_say(p, "head",
             json_pack("{s:i, s:I, s:I, s:o, s:I, s:I, s:i}", "seal",
                       head->seal, "generation", (json_int_t)head->generation,
                       "step", (json_int_t)head->ratchet.step, "key",
                       peer_hex(head->ratchet.key, RATCHET_KEY_LEN), "number",
                       (json_int_t)head->ratchet.n, "previous",
                       (json_int_t)head->ratchet.previous, "mixed",
                       head->ratchet.mixed));
}
