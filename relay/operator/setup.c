/* relay/operator/setup.c - a few questions. No state. */
#include "relay/operator/setup.h"

#include <string.h>
#include <sys/socket.h>

#include "lib/address.h"
#include "relay/operator/status.h"

static const char *
role_wrong(const char *text)
{
    for (size_t i = 0; status_role_name[i]; i++)
        if (strcmp(text, status_role_name[i]) == 0)
            return NULL;
    return "one of gateway, mix, store";
}

const char setup_found[] = "found by itself";

const char *
setup_listen_wrong(const char *text)
{
    struct sockaddr_storage a;
    socklen_t len;
    return address_parse(&a, &len, text)
               ? "an address with its port, as 192.0.2.1:7100 or "
                 "[2001:db8::1]:7100"
               : NULL;
}

const char *
setup_network_wrong(const char *text)
{
    return strpbrk(text, "\"\\") ? "a path without quotes" : NULL;
}

static const char *
address_wrong(const char *text)
{
    return strcmp(text, setup_found) == 0 ||
                   address_kind(text) < ADDRESS_NOBODYS
               ? NULL
               : "an address with its port, as 192.0.2.1:7100 or "
                 "[2001:db8::1]:7100";
}

/* Does the relay take links at every address of the machine? If so, others need
 * one. */
static bool
is_everywhere(const char *listen)
{
    return strncmp(listen, "0.0.0.0:", 8) == 0 ||
           strncmp(listen, "[::]:", 5) == 0;
}

static bool
question_ask(char answer[static SETUP_ANSWER_LEN], const char *question,
             const char *otherwise, const char *(*wrong)(const char *),
             FILE *in, FILE *out)
{
    const char *expected;
    if (answer[0])
        return true;
    do {
        fprintf(out, "%s [%s]: ", question, otherwise);
        fflush(out);
        if (!fgets(answer, SETUP_ANSWER_LEN, in)) {
            answer[0] = 0;
            return false;
        }
        answer[strcspn(answer, "\n")] = 0;
        if (!answer[0])
            snprintf(answer, SETUP_ANSWER_LEN, "%s", otherwise);
        expected = wrong(answer);
        if (expected)
            fprintf(out, "expected %s\n", expected);
    } while (expected);
    return true;
}

bool
setup_ask(struct setup *s, FILE *in, FILE *out)
{
    return question_ask(s->role, "Role: gateway, mix or store", "mix",
                        role_wrong, in, out) &&
           question_ask(s->listen, "Address and port to take links at",
                        "0.0.0.0:7100", setup_listen_wrong, in, out) &&
           (!is_everywhere(s->listen) ||
            question_ask(s->address,
                         "Address and port at which others reach it",
                         setup_found, address_wrong, in, out)) &&
           question_ask(s->network, "Network file", "network.json",
                        setup_network_wrong, in, out);
}
