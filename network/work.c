/* network/work.c - searching and judging proofs of work. No state. */
#include "network/work.h"

#include <sodium.h>
#include <string.h>

enum { DOMAIN_LEN = 13, INPUT_LEN = DOMAIN_LEN + 16 + 32 + 32 + 8 };

/* Fill one block of BLAKE2b, with the nonce at its end. */
static void
input_fill(uint8_t input[static INPUT_LEN], const struct work_task *task)
{
    static const char domain[] = "brusio/1 work";
    uint8_t *at = input;
    memcpy(at, domain, DOMAIN_LEN);
    at += DOMAIN_LEN;
    memcpy(at, task->challenge, sizeof task->challenge);
    at += sizeof task->challenge;
    memcpy(at, task->store, sizeof task->store);
    at += sizeof task->store;
    memcpy(at, task->box, sizeof task->box);
}

static unsigned
input_bits(const uint8_t input[static INPUT_LEN])
{
    uint8_t hash[32];
    unsigned bits = 0;
    crypto_generichash(hash, sizeof hash, input, INPUT_LEN, NULL, 0);
    while (bits / 8 < sizeof hash &&
           (hash[bits / 8] >> (7 - bits % 8) & 1) == 0)
        bits++;
    return bits;
}

void
work_announce_task(struct work_task *task,
                   const uint8_t challenge[static WORK_CHALLENGE_LEN],
                   const uint8_t board[static 32],
                   const uint8_t token[static WORK_TOKEN_LEN])
{
    memcpy(task->challenge, challenge, sizeof task->challenge);
    memcpy(task->store, board, sizeof task->store);
    memset(task->box, 0, sizeof task->box);
    memcpy(task->box, token, WORK_TOKEN_LEN);
}

unsigned
work_bits(const struct work_task *task,
          const uint8_t nonce[static WORK_NONCE_LEN])
{
    uint8_t input[INPUT_LEN];
    input_fill(input, task);
    memcpy(input + INPUT_LEN - WORK_NONCE_LEN, nonce, WORK_NONCE_LEN);
    return input_bits(input);
}

bool
work_search(const struct work_task *task, unsigned bits, uint64_t tries,
            uint8_t nonce[static WORK_NONCE_LEN])
{
    uint8_t input[INPUT_LEN];
    uint64_t n;
    bool found = false;
    input_fill(input, task);
    memcpy(&n, nonce, sizeof n);
    for (; tries > 0 && !found; tries--, n++) {
        memcpy(input + INPUT_LEN - WORK_NONCE_LEN, &n, sizeof n);
        found = input_bits(input) >= bits;
    }
    n -= found;
    memcpy(nonce, &n, sizeof n);
    return found;
}

unsigned
work_steps(uint64_t used, uint64_t room)
{
    const uint64_t half = room / 2, each = room / 16 > 0 ? room / 16 : 1;
    if (used < half)
        return 0;
    const uint64_t steps = 1 + (used - half) / each;
    return steps < WORK_STEPS_MAX ? (unsigned)steps : WORK_STEPS_MAX;
}

int
work_judge(unsigned base, unsigned given, uint64_t used, uint64_t room,
           uint8_t *steps)
{
    *steps = (uint8_t)work_steps(used, room);
    return base > 0 && given < base + *steps ? ERR_WORK : 0;
}
