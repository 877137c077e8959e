/* tests/adversary.c - see adversary.h.
 *
 * State of a contact: where his next letter goes. He does not read: whoever
 * means harm needs no receipt. */
#include "tests/adversary.h"
#include "tests/day_key.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/wire.h"
#include "tests/runner.h"

const struct vice_row adversary_vices[VICES] = {
    {VICE_LIES_ABOUT_TIME, "lies_about_time", "store",
     "says any time it likes in its answers",
     "one of three or of ten moves no period, expires nothing and stops nobody",
     "i10_one_lying_store_moves_nothing", NULL},
    {VICE_FALSE_EPOCH, "false_epoch", "store",
     "names a consensus that does not exist", "two make nobody leave a gateway",
     "i10_two_liars_keep_nobody_behind", NULL},
    {VICE_FALSE_FAMILY, "false_family", "gateway, store",
     "declare themselves one family, so that no way has both",
     "the wire's rate stays what it is, whoever the user talks to",
     "i2_a_family_does_not_show", NULL},
    {VICE_ZERO_KEY, "zero_key", "store",
     "publishes a packet key of low order, for which no packet can be made",
     "the wire's rate stays what it is, whoever the user talks to",
     "i2_a_zero_key_does_not_show", NULL},
    {VICE_KEEPS_NOTHING, "keeps_nothing", "store",
     "says kept and keeps nothing",
     "the box's second store has the letter after a minute",
     "i6_what_one_store_did_not_keep_the_other_has", NULL},
    {VICE_BURNS_BOXES, "burns_boxes", "store",
     "puts rubbish into boxes that are read",
     "letters wait, none is called delivered that did not come, and no "
     "invitation is called used",
     "i6_burnt_boxes_are_not_called_delivered", NULL},
    {VICE_HOARDS_ANSWERS, "hoards_answers", "store",
     "keeps answers for a minute and sends them together",
     "8 s of a minute's answers arrive, and its clients ask another store",
     "i12_hoarded_answers_are_refused", NULL},
    {VICE_WITHHOLDS, "withholds", "gateway, store",
     "keeps back consensuses, packets, or what lies in one box",
     "a client goes to the next of its gateways within seconds, and to no "
     "further one in weeks",
     "i10_a_withholding_gateway_is_left_for_the_second", NULL},
    {VICE_DROPS_BY_LINK, "drops_by_link", "relay",
     "drops what comes from, or goes to, one neighbour",
     "its own links are cut; two of thirty leave every honest relay in 23 of "
     "24 "
     "consensuses",
     "i10_two_liars_evict_no_honest_relay", NULL},
    {VICE_ASKS_LONG_DELAYS, "asks_long_delays", "stranger",
     "sends packets that ask to be held for a minute",
     "40 fast ones leave an honest client 90 % of its answers",
     "i11_long_delays_leave_room", NULL},
    {VICE_FALSE_BANDWIDTH, "false_bandwidth", "relay",
     "claims a bandwidth that it does not have",
     "4 / (n + 3) of its layer's packets, of n equal ones",
     "nobody_draws_a_layer", NULL},
    {VICE_IDLE_SOCKETS, "idle_sockets", "stranger",
     "opens connections to an authority and says nothing",
     "relays and other authorities are served as ever",
     "i11_idle_sockets_change_nothing", NULL},
    {VICE_NEVER_FINISHES, "never_finishes", "contact",
     "announces the largest messages and never sends the rest",
     "texts of all others arrive as ever, before and after a restart",
     "i11_unfinished_messages_silence_nobody", NULL},
    {VICE_REPLAYS, "replays", "relay", "sends packets again",
     "every second one is refused by the next hop",
     "i3_a_replaying_relay_is_refused", NULL},
    {VICE_DELAYS, "delays", "relay", "holds packets longer than they ask",
     "beyond the slack of their deadlines they are refused",
     "i12_delayed_packets_are_refused", NULL},
    {VICE_FALSE_SLOTS, "false_slots", "store",
     "says that all slots of a box hold letters, and gives none",
     "two polls of the box, and then one in sixteen",
     "i6_false_slots_pin_no_reader", NULL},
    {VICE_ASKS_FOR_WORK, "asks_for_work", "store",
     "wants more work for every box, however much is brought",
     "a text takes the other store's way; three proofs a box and epoch",
     "i11_a_store_that_asks_for_work_is_left", NULL},
    {VICE_FALSE_STATUS, "false_status", "store",
     "answers puts with what it likes: taken, full, retry",
     "the letter is put at the box's second store",
     "i6_one_full_store_costs_a_repeat", NULL},
};

/* ---- a contact ---- */

void
adversary_contact_make(struct adversary_contact *a, struct world *w,
                       const char *invitation, uint64_t seed)
{
    const struct params *p = &w->net.consensus->params;
    const struct sphinx_geometry *g = &p->geometry;
    struct chain inviter;
    struct invite i;
    uint8_t secret[RATCHET_KEY_LEN], share[MLKEM_SEED_LEN];
    *a = (struct adversary_contact){
        .world = w, .letter_len = wire_letter_len(g->body_len, g->surb_len)};
    rng_seeded_init_u64(&a->rng, seed, "contact");
    assert_int_equal(invite_read(&i, invitation), 0);
    invite_chains(&i, &inviter, &a->chain);
    rng_seeded_bytes(&a->rng, secret, sizeof secret);
    rng_seeded_bytes(&a->rng, share, sizeof share);
    assert_int_equal(session_accept(&a->session, i.seed, i.key, secret, share),
                     0);
}

/* A new period begins with its first letter. */
static void
contact_place(struct adversary_contact *a)
{
    const struct params *p = &a->world->net.consensus->params;
    const uint64_t now_s = env_now_wall_s(a->world->relay[0].env);
    const uint32_t period = (uint32_t)(now_s / p->period_s);
    if (a->at.period != period)
        a->at = (struct letter_place){period, 0};
}

static void
put_free(struct env_store_req *req)
{
    assert_int_equal(req->err, 0);
    free(req->letter);
    free(req);
}

/* Where it lies in the end, whichever way it came. */
static void
letter_put(struct world *w, struct letter_place at, const uint8_t *box,
           uint8_t *letter, size_t len)
{
    struct env_store_req *req = calloc(1, sizeof *req);
    uint16_t store, fallback;
    assert_non_null(req);
    assert_int_equal(
        consensus_store_of(w->net.consensus, at.period, box, &store, &fallback),
        0);
    *req = (struct env_store_req){.op = ENV_STORE_PUT,
                                  .slot = (uint8_t)(at.n % LETTER_SLOTS),
                                  .letter = letter,
                                  .letter_len = len,
                                  .expiry_day = UINT32_MAX,
                                  .done = put_free};
    memcpy(req->box, box, sizeof req->box);
    store_memory_request(w->relay[store].store, req);
    while (store_memory_run(w->relay[store].store, 16) > 0)
        ;
}

void
adversary_contact_write(struct adversary_contact *a, struct letter *l)
{
    uint8_t box[LETTER_BOX_LEN];
    uint8_t *letter = malloc(a->letter_len);
    assert_non_null(letter);
    contact_place(a);
    const struct day_key key =
        day_key_of(&a->chain, &a->world->net.consensus->params, a->at.period);
    l->sequence = ++a->sequence;
    l->floor = 1;
    assert_int_equal(
        session_seal(&a->session, l, key.key, a->at, letter, a->letter_len), 0);
    letter_box(key.key, a->at, box);
    letter_put(a->world, a->at, box, letter, a->letter_len);
    a->at.n++;
}

void
adversary_contact_announce(struct adversary_contact *a, uint32_t total)
{
    adversary_contact_send(a, total, 1);
}

void
adversary_contact_send(struct adversary_contact *a, uint32_t total,
                       uint32_t letters)
{
    static const uint8_t data[LETTER_LEN_MAX] = {1, 'x'};
    const size_t room = letter_data_max(a->letter_len);
    struct letter l = {.kind = LETTER_FILE,
                       .total = total,
                       .count = letter_count(total, a->letter_len),
                       .data = data};
    rng_seeded_bytes(&a->rng, l.message, sizeof l.message);
    for (l.index = 0; l.index < l.count && l.index < letters; l.index++) {
        const size_t left = total - l.index * room;
        l.data_len = (uint16_t)(left < room ? left : room);
        adversary_contact_write(a, &l);
    }
}

/* ---- sockets ---- */

static struct sockaddr_in
address_parse(const char *address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    char host[64];
    const char *colon = strrchr(address, ':');
    assert_non_null(colon);
    assert_true((size_t)(colon - address) < sizeof host);
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = 0;
    assert_int_equal(inet_pton(AF_INET, host, &in.sin_addr), 1);
    in.sin_port = htons((uint16_t)atoi(colon + 1));
    return in;
}

size_t
adversary_sockets_open(const char *address, int *fd, size_t n)
{
    static const char half[] = "GET /v1/status HTTP/1.1\r\nHost: x\r\nX-A: ";
    const struct sockaddr_in in = address_parse(address);
    const struct timeval patience = {.tv_sec = 1};
    size_t open = 0;
    for (size_t i = 0; i < n; i++) {
        fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd[i] >= 0);
        assert_int_equal(setsockopt(fd[i], SOL_SOCKET, SO_SNDTIMEO, &patience,
                                    sizeof patience),
                         0);
        if (connect(fd[i], (const struct sockaddr *)&in, sizeof in) == 0 &&
            send(fd[i], half, sizeof half - 1, MSG_NOSIGNAL) > 0) {
            open++;
            continue;
        }
        close(fd[i]);
        fd[i] = -1;
    }
    return open;
}

size_t
adversary_sockets_hold(int *fd, size_t n)
{
    size_t open = 0;
    char byte;
    for (size_t i = 0; i < n; i++) {
        if (fd[i] < 0)
            continue;
        if (recv(fd[i], &byte, 1, MSG_DONTWAIT) != 0 &&
            send(fd[i], "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) {
            open++;
            continue;
        }
        close(fd[i]);
        fd[i] = -1;
    }
    return open;
}

void
adversary_answer_slowly(int listening, int *fd)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n";
    if (*fd >= 0) {
        (void)!send(*fd, "x", 1, MSG_NOSIGNAL);
        return;
    }
    *fd = accept(listening, NULL, NULL);
    if (*fd >= 0)
        assert_true(send(*fd, head, sizeof head - 1, MSG_NOSIGNAL) > 0);
}

void
adversary_sockets_close(int *fd, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fd[i] >= 0)
            close(fd[i]);
        fd[i] = -1;
    }
}
