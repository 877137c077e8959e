/* relay/operator/setup.h - `brusio-relay init` asks for what the flags do not
 * say. */
#ifndef RELAY_OPERATOR_SETUP_H
#define RELAY_OPERATOR_SETUP_H
#include <stdbool.h>
#include <stdio.h>

enum { SETUP_ANSWER_LEN = 256 };

struct setup {
    char role[SETUP_ANSWER_LEN], listen[SETUP_ANSWER_LEN],
        address[SETUP_ANSWER_LEN], network[SETUP_ANSWER_LEN];
};
/* The answer for `address` that leaves it to the relay to find its own. */
extern const char setup_found[];

/* Judge an answer. Each returns what is expected instead of `text`; NULL: the
 * text can be right. */
const char *setup_listen_wrong(const char *text);
const char *setup_network_wrong(const char *text);

/* Ask on `out` for each field of s that is empty and read the answers from
 * `in`; an empty line takes the default, and after a wrong answer the question
 * comes again. Returns false when the input ends. */
bool setup_ask(struct setup *s, FILE *in, FILE *out);
#endif
