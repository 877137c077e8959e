/* tests/fuzz/fuzz_parsers.c - libFuzzer on every parser; the first octet says
 * which. Built by `make fuzz` with clang; the deterministic mutations that
 * `make check` runs are in the test_*.c beside it. Corpus: corpus/parsers. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/letters/invite.h"
#include "client/disk/journal.h"
#include "client/letters/letter.h"
#include "directory/admission.h"
#include "directory/vote.h"
#include "lib/address.h"
#include "lib/http_head.h"
#include "lib/os/config.h"
#include "lib/pack.h"
#include "lib/secret.h"
#include "lib/wire.h"
#include "network/descriptor.h"
#include "network/list.h"
#include "sim/scenario/scenario.h"
#include "tests/fuzz/backup_seal.h"

enum { BODY = 1707, SURB = 359, PACKET = 2048, LETTER = 1232 };

static int
record(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
       size_t value_len)
{
    (void)ctx;
    return key_len > 0 && value_len > 0 && key[0] == value[0] ? ERR_ARG : 0;
}

static void
json(uint8_t which, const uint8_t *data, size_t len)
{
    char where[JSON_WHERE_LEN];
    struct consensus *c;
    struct descriptor d;
    struct network n;
    struct vote v;
    if (which == 0 && json_read_consensus(&c, data, len, where) == 0)
        consensus_free(&c);
    if (which == 1)
        (void)!json_read_descriptor(&d, 32, data, len, where);
    if (which == 2 && json_read_vote(&v, data, len, where) == 0)
        vote_free(&v);
    if (which == 3)
        (void)!json_read_network(&n, data, len, where);
}

static void
frames(uint8_t which, const uint8_t *data, size_t len)
{
    struct wire_request q;
    struct wire_answer a;
    struct wire_control c;
    struct wire_piece p;
    struct letter l;
    if (which == 0)
        (void)!wire_request_parse(&q, data, len, SURB);
    if (which == 1)
        (void)!wire_answer_parse(&a, data, len, SURB);
    if (which == 2)
        (void)!wire_control_parse(&c, data, len);
    if (which == 3)
        (void)!wire_piece_parse(&p, data, len);
    if (which == 4)
        (void)!letter_parse(&l, data, len, LETTER);
}

/* A list, in a frame or by itself, and a slice of one. */
static void
lists(const uint8_t *data, size_t len)
{
    static const struct params p = {.list_entries = 40};
    struct wire_list frame;
    struct wire_slice s;
    struct board_list l;
    if (wire_list_parse(&frame, data, len, list_len(&p)) == 0 &&
        list_parse(&l, &p, frame.list, frame.len) == 0 &&
        (l.interval == 0 || l.board >= BOARDS_MAX ||
         l.signature + LIST_SIGNATURE_LEN != frame.list + frame.len))
        abort();
    if (wire_slice_parse(&s, data, len) == 0 && s.kind != WIRE_SLICE_NONE &&
        (s.data + s.len != data + len || s.board >= WIRE_BOARDS))
        abort();
}

static void
texts(uint8_t which, const uint8_t *data, size_t len)
{
    struct sockaddr_storage a;
    struct invite i;
    socklen_t n;
    char *text = malloc(len + 1);
    if (!text)
        return;
    if (len > 0)
        memcpy(text, data, len);
    text[len] = 0;
    if (which == 0)
        (void)!invite_read(&i, text);
    else
        (void)!address_parse(&a, &n, text);
    free(text);
}

/* What an authority's operator decided. */
static void
decisions(const uint8_t *data, size_t len)
{
    const struct admission_config config = {.policy = ADMISSION_MANUAL};
    struct admission *a;
    char *text = malloc(len + 1);
    size_t bad;
    if (text && admission_new(&a, &config) == 0) {
        memcpy(text, data, len);
        text[len] = 0;
        (void)!admission_decide(a, text, &bad);
        admission_free(&a);
    }
    free(text);
}

/* What authorities tell each other. */
static void
documents(uint8_t which, const uint8_t *data, size_t len)
{
    char where[JSON_WHERE_LEN];
    struct document d;
    struct claim c;
    struct shares s;
    struct signature_note n;
    struct hello h;
    if (which == 0)
        (void)!json_read_claim(&c, data, len, where);
    if (which == 1)
        (void)!json_read_shares(&s, data, len, where);
    if (which == 2)
        (void)!json_read_signature(&n, data, len, where);
    if (which == 3)
        (void)!json_read_hello(&h, data, len, where);
    if (which == 4) {
        uint8_t *out;
        size_t out_len;
        if (pack_inflate(data, len, 1 << 16, &out, &out_len) == 0)
            free(out);
    }
    if (which == 5)
        decisions(data, len);
    if (which >= 6)
        (void)!document_parse(&d, document_kind_of(data, len), data, len);
}

/* What a simulation is to do. */
static void
scenario(const uint8_t *data, size_t len)
{
    struct scenario_file *f;
    struct scenario_problem p;
    if (scenario_parse(&f, (const char *)data, len, "here", &p))
        return;
    for (size_t i = 0; i < f->n_cases; i++)
        if (scenario_hops(f->cases[i]) == 0 ||
            scenario_relays(f->cases[i]) == 0 || scenario_rate(f->cases[i]) < 0)
            abort();
    scenario_free(&f);
}

static int
entry(void *ctx, enum backup_kind kind, const uint8_t *name, size_t name_len,
      const uint8_t *bytes, size_t len)
{
    (void)ctx;
    if (kind == BACKUP_END || kind > BACKUP_SEALED)
        abort();
    return record(NULL, name, name_len, bytes, len);
}

/* What somebody calls a backup and has sealed as one. */
static void
backup(const uint8_t *data, size_t len)
{
    static uint8_t plain[BACKUP_PLAIN_LEN], file[BACKUP_FILE_LEN];
    static const struct passphrase_cost cheap = {.ops = 1, .mem = 8192};
    struct passphrase p = {0};
    struct backup *b = NULL;
    char path[64];
    const int fd = memfd_create("backup", MFD_CLOEXEC);
    memset(plain, 0, sizeof plain);
    memcpy(plain, data, len < sizeof plain ? len : sizeof plain);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd >= 0 && !secret_init() &&
        !backup_seal(file, plain, "word", &cheap, BACKUP_CHUNKS - 1) &&
        write(fd, file, sizeof file) == (ssize_t)sizeof file &&
        !backup_open(&b, path) && !passphrase_set(&p, "word", 4) &&
        !backup_unlock(b, &p))
        (void)!backup_each(b, entry, NULL);
    passphrase_free(&p);
    backup_free(&b);
    if (fd >= 0)
        close(fd);
}

int
fuzz_parsers(const uint8_t *data, size_t len)
{
    struct document d;
    if (len < 1)
        return 0;
    uint8_t which = data[0] % 16;
    if (data[0] == 0xf4) {
        backup(data + 1, len - 1);
        return 0;
    }
    if (data[0] >= 0xf8) {
        documents(data[0] & 7, data + 1, len - 1);
        return 0;
    }
    if (data[0] == 0xf6) {
        struct http_head h;
        if (http_head_read(&h, data + 1, len - 1, 1000) == 0 &&
            (h.len > len - 1 || h.body_len > 1000 ||
             !http_path_is_good(h.path)))
            abort();
        return 0;
    }
    if (data[0] == 0xf5) {
        lists(data + 1, len - 1);
        return 0;
    }
    if (data[0] == 0xf7) {
        scenario(data + 1, len - 1);
        return 0;
    }
    data++;
    len--;
    if (which < 4)
        json(which, data, len);
    else if (which < 9)
        frames((uint8_t)(which - 4), data, len);
    else if (which < 11)
        texts((uint8_t)(which - 9), data, len);
    else if (which < 14)
        (void)!document_parse(&d, (enum document_kind)(which - 10), data, len);
    else
        (void)!journal_parse(data, len, record, NULL);
    return 0;
}

#ifdef BRUSIO_FUZZ
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_parsers(data, len);
}
#endif
