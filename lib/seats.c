/* lib/seats.c - a table of seats that is searched from end to end: there are
 * some hundred seats, and a search happens only for a new connection. */
#include "lib/seats.h"

#include <stdlib.h>
#include <string.h>

struct seat {
    uint64_t since; /* 0: empty; else the number of the newcomer */
    uint32_t like;  /* seats of its class and name; 1 without a name */
    enum seats_class class;
    bool named;
    uint8_t name[SEATS_NAME_LEN];
};

struct seats {
    struct seats_config config;
    uint64_t came;
    uint32_t taken[SEATS_CLASSES];
    struct seat seat[];
};

int
seats_new(struct seats **out, const struct seats_config *config)
{
    *out = NULL;
    for (unsigned c = 0; c < SEATS_CLASSES; c++)
        if (config->each[c] == 0)
            return ERR_ARG;
    if (config->relays >= config->count ||
        config->authorities >= config->count - config->relays)
        return ERR_ARG;
    struct seats *s =
        calloc(1, sizeof *s + (size_t)config->count * sizeof s->seat[0]);
    if (!s)
        return ERR_NOMEM;
    s->config = *config;
    *out = s;
    return 0;
}

void
seats_free(struct seats **s)
{
    free(*s);
    *s = NULL;
}

static bool
seat_is_of(const struct seat *t, enum seats_class class, const uint8_t *name)
{
    return t->since && t->class == class && t->named &&
           memcmp(t->name, name, sizeof t->name) == 0;
}

/* Find the oldest seat of a name in a class; *n is how many seats the name has.
 */
static uint32_t
oldest_find(const struct seats *s, enum seats_class class, const uint8_t *name,
            uint32_t *n)
{
    uint32_t oldest = SEATS_NONE;
    *n = 0;
    for (uint32_t i = 0; i < s->config.count; i++) {
        const struct seat *t = &s->seat[i];
        if (!seat_is_of(t, class, name))
            continue;
        ++*n;
        if (oldest == SEATS_NONE || t->since < s->seat[oldest].since)
            oldest = i;
    }
    return oldest;
}

/* Note in all seats of this name how many they are. */
static void
like_note(struct seats *s, enum seats_class class, const uint8_t *name)
{
    uint32_t n;
    (void)oldest_find(s, class, name, &n);
    for (uint32_t i = 0; i < s->config.count; i++)
        if (seat_is_of(&s->seat[i], class, name))
            s->seat[i].like = n;
}

uint32_t
seats_first_to_go(const struct seats *s, enum seats_class class)
{
    uint32_t first = SEATS_NONE;
    for (uint32_t i = 0; i < s->config.count; i++) {
        const struct seat *t = &s->seat[i];
        const struct seat *f = first == SEATS_NONE ? NULL : &s->seat[first];
        if (t->since && t->class == class &&
            (!f || t->like > f->like ||
             (t->like == f->like && t->since < f->since)))
            first = i;
    }
    return first;
}

static uint32_t
class_max(const struct seats *s, enum seats_class class)
{
    return class == SEATS_AUTHORITY ? s->config.authorities
           : class == SEATS_RELAY   ? s->config.relays
                                    : s->config.count;
}

static uint32_t
all_taken(const struct seats *s)
{
    uint32_t all = 0;
    for (unsigned c = 0; c < SEATS_CLASSES; c++)
        all += s->taken[c];
    return all;
}

/* A class that has nothing set aside is one of strangers. */
static enum seats_class
class_of(const struct seats *s, enum seats_class class)
{
    return class_max(s, class) > 0 ? class : SEATS_STRANGER;
}

uint32_t
seats_gone_for(const struct seats *s, enum seats_class class,
               const uint8_t *name)
{
    uint32_t n;
    class = class_of(s, class);
    if (name) {
        const uint32_t own = oldest_find(s, class, name, &n);
        if (n >= s->config.each[class])
            return own;
    }
    if (s->taken[class] >= class_max(s, class))
        return seats_first_to_go(s, class);
    if (all_taken(s) < s->config.count)
        return SEATS_NONE;
    /* there is one: the others may not have all seats */
    return seats_first_to_go(s, SEATS_STRANGER);
}

uint32_t
seats_take(struct seats *s, enum seats_class class, const uint8_t *name)
{
    if (seats_gone_for(s, class, name) != SEATS_NONE)
        return SEATS_NONE;
    uint32_t i = 0;
    while (s->seat[i].since)
        i++;
    struct seat *t = &s->seat[i];
    *t = (struct seat){.since = ++s->came,
                       .like = 1,
                       .class = class_of(s, class),
                       .named = name != NULL};
    if (name) {
        memcpy(t->name, name, sizeof t->name);
        like_note(s, t->class, name);
    }
    s->taken[t->class]++;
    return i;
}

void
seats_leave(struct seats *s, uint32_t seat)
{
    const struct seat left = s->seat[seat];
    s->taken[left.class]--;
    s->seat[seat] = (struct seat){0};
    if (left.named)
        like_note(s, left.class, left.name);
}

enum seats_class
seats_class_at(const struct seats *s, uint32_t seat)
{
    return s->seat[seat].class;
}

uint32_t
seats_taken(const struct seats *s, enum seats_class class)
{
    return s->taken[class];
}
