/* sim/network_level/network_level_pairs.c - who writes to whom: pairs of
 * clients, and the lines of texts between them.
 *
 * In a line one text follows the other: sent, waited for at the other side, and
 * the next one after a gap. A pair has one line in which both write in turn;
 * or, of first texts, two, one each way, in which each text is another
 * contact's than the one before: both clients have many contacts, all with each
 * other, and who writes as one half of them never hears from that half.
 *
 * States of a pair: waiting for both its clients to have a consensus; warming
 * up, until all contacts are confirmed and its opening texts have come; there;
 * away. Who comes back begins a minute later at the soonest, two who write in
 * turn with opening texts that are not measured. States of a line: a text under
 * way; a gap before the next, opening or not; done.
 *
 * Timers: a line's, for the end of a gap and for a text's being given up; its
 * pair's comings and goings are looked at once a second. Failure modes: what a
 * client refuses ends the run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "sim/network_level/network_level_internal.h"

enum {
    PATIENCE_S = 600, /* a text is lost after */
    BACK_S = 600,     /* who waits for answers comes back so often */
    LINGER_S = 60,    /* after the last text, for acknowledgements */
    OPENING = 2,      /* texts, one each way */
    LINES = 2,
    TEXT_MAX = 40,
    SECOND_US = 1000000
};
#define CONNECTED_US 60000000 /* "for a minute", and up to another */

struct text_line {
    struct whole_pair *pair;
    struct env *env;
    unsigned number;
    uint32_t quota, sent; /* of those that count */
    uint32_t serial;      /* of the text sent last, from 1 */
    unsigned opening;     /* texts that do not count and go first */
    bool under_way, counts;
    uint64_t sent_us;
    uint8_t *seen; /* a bit for each text that has arrived */
    size_t seen_len;
};

struct whole_pair {
    struct whole_pairs *all;
    struct world_client *a, *b;
    double stay_s, away_s; /* on average; 0: always there */
    bool paired, warm, away;
    uint32_t n_confirmed; /* of a's contacts, the first so many */
    uint64_t leave_us, back_us, last_us; /* last_us: a text came */
    struct text_line line[LINES];
    unsigned n_lines;
};

static void
pairs_fail(struct whole_pairs *all, int err)
{
    if (err && !all->err)
        all->err = err;
}

static uint32_t
pairs_contacts(const struct whole_pairs *all)
{
    const uint32_t n = all->scenario->measure.contacts;
    return n > 0 ? n : 1;
}

static void
contact_name(uint32_t number, char name[static CLIENT_NAME_MAX])
{
    snprintf(name, CLIENT_NAME_MAX, "c%" PRIu32, number);
}

/* ---- lines ---- */

static void
line_wait(struct text_line *l, uint64_t us)
{
    env_timer(l->env, env_now_mono_us(l->env) + us);
}

static void
line_wait_gap(struct text_line *l)
{
    const double mean_s = l->pair->all->scenario->measure.text_gap_mean_s;
    line_wait(l, rng_exp_us(l->env, (uint64_t)(mean_s * 1e6)));
}

/* Is it a's turn? */
static bool
line_writer_is_a(const struct text_line *l, uint32_t serial)
{
    return l->pair->n_lines > 1 ? l->number == 0 : serial % 2 == 1;
}

/* Whose text it is: the halves of the contacts belong to the two lines. */
static uint32_t
line_contact(const struct text_line *l, uint32_t serial)
{
    const uint32_t n = pairs_contacts(l->pair->all), half = n / 2;
    if (l->pair->n_lines == 1 || n < 2)
        return 0;
    return l->number == 0 ? serial % half : half + serial % (n - half);
}

static void
line_send(struct text_line *l)
{
    struct whole_pair *p = l->pair;
    const uint32_t serial = ++l->serial;
    struct world_client *k = line_writer_is_a(l, serial) ? p->a : p->b;
    char text[TEXT_MAX], name[CLIENT_NAME_MAX];
    uint64_t order;
    int n = snprintf(text, sizeof text, "text %u %" PRIu32, l->number, serial);
    contact_name(line_contact(l, serial), name);
    pairs_fail(p->all, client_send(k->client, name, LETTER_TEXT,
                                   (uint8_t *)text, (size_t)n, &order));
    l->under_way = true;
    l->counts = l->opening == 0 && l->sent < l->quota;
    l->sent_us = env_now_mono_us(l->env);
    l->opening -= l->opening > 0;
    l->sent += l->counts;
    p->all->sent += l->counts;
    line_wait(l, (uint64_t)PATIENCE_S * SECOND_US);
}

static bool
line_is_done(const struct text_line *l)
{
    return l->sent >= l->quota && !l->under_way;
}

/* A text has come, or was given up: what is next? */
static void
line_go_on(struct text_line *l)
{
    struct whole_pair *p = l->pair;
    const uint64_t now_us = env_now_mono_us(l->env);
    l->under_way = false;
    p->last_us = now_us;
    if (l->opening > 0 ||
        (p->all->measuring && l->sent < l->quota && now_us < p->leave_us))
        line_wait_gap(l);
    else
        env_timer(l->env, UINT64_MAX);
}

static int
line_see(struct text_line *l, uint32_t serial, bool *seen)
{
    const size_t at = serial / 8;
    if (at >= l->seen_len) {
        const size_t len = 2 * at + 64;
        uint8_t *made = realloc(l->seen, len);
        if (!made)
            return ERR_NOMEM;
        memset(made + l->seen_len, 0, len - l->seen_len);
        l->seen = made;
        l->seen_len = len;
    }
    *seen = l->seen[at] >> serial % 8 & 1;
    l->seen[at] |= (uint8_t)(1 << serial % 8);
    return 0;
}

static void
text_arrived(struct text_line *l, uint32_t serial)
{
    struct whole_pairs *all = l->pair->all;
    bool seen = false;
    pairs_fail(all, line_see(l, serial, &seen));
    all->twice += seen;
    if (seen || !l->under_way || serial != l->serial)
        return; /* given up before */
    if (l->counts)
        all->took_s[all->arrived++] =
            (double)(env_now_mono_us(l->env) - l->sent_us) / 1e6;
    line_go_on(l);
}

void
whole_pairs_committed(void *ctx, struct world_client *k)
{
    struct whole_pair *p = k->owner;
    struct client_received r;
    (void)ctx;
    while (p && client_next(k->client, NULL, NULL, &r)) {
        char text[TEXT_MAX] = "";
        uint32_t serial;
        unsigned line;
        memcpy(text, r.data, r.len < sizeof text ? r.len : sizeof text - 1);
        int err = client_release(k->client, NULL, r.order);
        if (err) {
            pairs_fail(p->all, err);
            return;
        }
        if (sscanf(text, "text %u %" SCNu32, &line, &serial) == 2 &&
            line < p->n_lines && serial <= p->line[line].serial)
            text_arrived(&p->line[line], serial);
    }
}

/* ---- pairs ---- */

static void
pair_make(struct whole_pair *p)
{
    if (!client_consensus(p->a->client) || !client_consensus(p->b->client))
        return;
    for (uint32_t i = 0; i < pairs_contacts(p->all) && !p->all->err; i++) {
        char name[CLIENT_NAME_MAX];
        contact_name(i, name);
        pairs_fail(p->all, sim_client_pair(p->a, name, p->b, name));
    }
    p->paired = true;
    if (p->n_lines == 1)
        line_send(&p->line[0]);
}

static bool
all_is_delivered(const struct world_client *k)
{
    struct client_status status;
    client_status(k->client, &status);
    return status.queued == 0;
}

/* Have all contacts written, and is that acknowledged? What they are answered
 * with is not announced: who comes back finds it at once, who stays an hour
 * later. */
static bool
pair_is_known(struct whole_pair *p, uint64_t now_us)
{
    struct client_contact c;
    while (client_contact(p->a->client, p->n_confirmed, &c) && c.confirmed)
        p->n_confirmed++;
    if (p->n_confirmed < pairs_contacts(p->all))
        return false;
    if (now_us >= p->back_us) {
        pairs_fail(p->all, sim_client_reconnect(p->b));
        p->back_us = now_us + (uint64_t)BACK_S * SECOND_US;
    }
    return all_is_delivered(p->a) && all_is_delivered(p->b);
}

static bool
pair_is_warm(struct whole_pair *p, uint64_t now_us)
{
    const struct text_line *l = &p->line[0];
    return p->n_lines > 1 ? pair_is_known(p, now_us)
                          : l->opening == 0 && !l->under_way;
}

/* Begin a sitting, whose texts wait until both have been there for a minute. */
static void
pair_sit(struct whole_pair *p, uint64_t now_us)
{
    struct env *env = p->line[0].env;
    p->away = false;
    p->leave_us = now_us + rng_exp_us(env, (uint64_t)(p->stay_s * 1e6));
    p->last_us = now_us;

    for (unsigned i = 0; i < p->n_lines; i++) {
        struct text_line *l = &p->line[i];
        const uint64_t wait_us = CONNECTED_US + rng_below(env, CONNECTED_US);
        if (line_is_done(l))
            continue; /* while the other one is not */
        l->opening = p->n_lines == 1 ? OPENING : 0;
        line_wait(l, wait_us);
    }
}

static void
pair_come(struct whole_pair *p, uint64_t now_us)
{
    int err = sim_client_start(p->a);
    if (!err)
        err = sim_client_start(p->b);
    if (!err) /* what was read is of no use here */
        err = client_keep(p->a->client, 0);
    if (!err)
        err = client_keep(p->b->client, 0);
    pairs_fail(p->all, err);
    pair_sit(p, now_us);
}

/* Leave, when no text is under way. */
static void
pair_go(struct whole_pair *p, uint64_t now_us)
{
    bool done = true;
    for (unsigned i = 0; i < p->n_lines; i++) {
        if (p->line[i].under_way || p->line[i].opening > 0)
            return;
        done = done && line_is_done(&p->line[i]);
    }
    if (now_us < p->last_us + (uint64_t)LINGER_S * SECOND_US)
        return;
    for (unsigned i = 0; i < p->n_lines; i++)
        env_timer(p->line[i].env, UINT64_MAX);
    sim_client_stop(p->a);
    sim_client_stop(p->b);
    p->away = true;
    p->back_us =
        done ? UINT64_MAX
             : now_us + rng_exp_us(p->line[0].env, (uint64_t)(p->away_s * 1e6));
}

static void
pair_watch(struct whole_pair *p, uint64_t now_us)
{
    if (!p->paired) {
        pair_make(p);
    } else if (!p->warm) {
        p->warm = pair_is_warm(p, now_us);
        p->all->n_warm += p->warm;
    } else if (p->away && now_us >= p->back_us) {
        pair_come(p, now_us);
    } else if (!p->away && now_us >= p->leave_us) {
        pair_go(p, now_us);
    }
}

/* ---- nodes ---- */

static void
line_tick(void *self)
{
    struct text_line *l = self;
    struct whole_pair *p = l->pair;
    if (p->all->err)
        return;
    if (!l->under_way) {
        line_send(l);
    } else if (!p->warm) { /* the whole warm-up has a limit */
        line_wait(l, (uint64_t)PATIENCE_S * SECOND_US);
    } else {
        p->all->lost++;
        line_go_on(l);
    }
}

static void
line_frame(void *self, uint32_t from, uint8_t *frame, size_t len)
{
    (void)self;
    (void)from;
    (void)frame;
    (void)len;
}

static uint32_t
line_resolve(void *self, struct env_dest to)
{
    (void)self;
    (void)to;
    return UINT32_MAX;
}

static const struct sim_node_ops line_ops = {line_frame, line_tick,
                                             line_resolve, NULL};

/* ---- all ---- */

static int
lines_make(struct whole_pair *p, uint32_t texts)
{
    struct engine *engine = p->all->world->engine;
    p->n_lines = p->all->scenario->measure.first ? LINES : 1;
    for (unsigned i = 0; i < p->n_lines; i++) {
        struct text_line *l = &p->line[i];
        l->pair = p;
        l->number = i;
        l->quota = texts / p->n_lines + (i < texts % p->n_lines);
        l->opening = p->n_lines == 1 ? OPENING : 0;
        uint32_t node = engine_add(engine, &line_ops, false, &l->env);
        if (node == UINT32_MAX)
            return ERR_NOMEM;
        engine_set_object(engine, node, l);
    }
    return 0;
}

/* The group of the client with this number. */
static const struct scenario_clients *
group_of(const struct scenario *s, uint32_t number)
{
    uint32_t i = 0;
    while (number >= s->clients[i].count)
        number -= s->clients[i++].count;
    return &s->clients[i];
}

int
whole_pairs_make(struct whole_pairs *all, const struct scenario *s,
                 struct world *w)
{
    const uint32_t n = w->n_clients / 2, texts = s->measure.texts;
    *all = (struct whole_pairs){.scenario = s, .world = w};
    all->pair = calloc(n + 1, sizeof *all->pair);
    all->took_s = calloc((size_t)texts + 1, sizeof *all->took_s);
    if (!all->pair || !all->took_s)
        return ERR_NOMEM;
    for (; all->n < n; all->n++) {
        const struct scenario_clients *g = group_of(s, 2 * all->n);
        struct whole_pair *p = &all->pair[all->n];
        *p = (struct whole_pair){.all = all,
                                 .a = &w->client[2 * all->n],
                                 .b = &w->client[2 * all->n + 1],
                                 .stay_s = g->stay_mean_s,
                                 .away_s = g->away_mean_s,
                                 .leave_us = UINT64_MAX};
        int err = lines_make(p, texts / n + (all->n < texts % n));
        if (err)
            return err;
        p->a->owner = p->b->owner = p;
    }
    return 0;
}

void
whole_pairs_measure(struct whole_pairs *all)
{
    const uint64_t now_us = engine_now_us(all->world->engine);
    all->measuring = true;
    for (uint32_t i = 0; i < all->n; i++) {
        struct whole_pair *p = &all->pair[i];
        /* who goes first leaves behind what making contacts has begun */
        if (p->stay_s > 0)
            p->leave_us = now_us;
        else
            for (unsigned k = 0; k < p->n_lines; k++)
                line_go_on(&p->line[k]);
    }
}

void
whole_pairs_watch(struct whole_pairs *all)
{
    const uint64_t now_us = engine_now_us(all->world->engine);
    for (uint32_t i = 0; i < all->n && !all->err; i++)
        pair_watch(&all->pair[i], now_us);
}

bool
whole_pairs_are_done(const struct whole_pairs *all)
{
    for (uint32_t i = 0; i < all->n; i++)
        for (unsigned k = 0; k < all->pair[i].n_lines; k++)
            if (!line_is_done(&all->pair[i].line[k]))
                return false;
    return true;
}

void
whole_pairs_free(struct whole_pairs *all)
{
    for (uint32_t i = 0; i < all->n; i++)
        for (unsigned k = 0; k < LINES; k++)
            free(all->pair[i].line[k].seen);
    free(all->pair);
    free(all->took_s);
}
