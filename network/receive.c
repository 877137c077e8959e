/* network/receive.c - judging a consensus. No state. */
#include "network/receive.h"

#include <stdlib.h>
#include <string.h>

#include "network/json.h"

int
receive_consensus(struct consensus **out, const struct receive_rules *rules,
                  const uint8_t *bytes, size_t len, uint32_t known,
                  uint64_t now_s)
{
    char where[JSON_WHERE_LEN];
    struct document *d = malloc(sizeof *d);
    struct consensus *c = NULL;
    struct certificates newest = {0};
    *out = NULL;
    if (!d)
        return ERR_NOMEM;
    int err = document_open(d, DOCUMENT_CONSENSUS, bytes, len,
                            rules->authorities, rules->n_authorities,
                            document_two_thirds(rules->n_authorities));
    if (!err)
        err = json_read_consensus(&c, d->body, d->body_len, where);
    if (rules->seen)
        newest = *rules->seen;
    if (!err)
        certificates_merge(&newest, &c->certificates, rules->authorities,
                           rules->n_authorities, c->valid_after_s);
    if (!err && document_signers_at(d, rules->authorities, rules->n_authorities,
                                    c->valid_after_s, &newest) <
                    document_two_thirds(rules->n_authorities))
        err = ERR_THRESHOLD;
    if (!err)
        document_digest(d, c->digest);
    free(d);
    const struct sphinx_geometry *g = rules->geometry;
    if (!err && (strcmp(c->network, rules->network) != 0 ||
                 (g && memcmp(&c->params.geometry, g, sizeof *g) != 0)))
        err = ERR_FOREIGN;
    if (!err && c->epoch <= known)
        err = ERR_STALE;
    if (!err)
        err = consensus_judge_time(c, now_s);
    if ((!err || err == ERR_EXPIRED) && rules->seen)
        certificates_merge(rules->seen, &c->certificates, rules->authorities,
                           rules->n_authorities, now_s);
    if (err)
        consensus_free(&c);
    *out = c;
    return err;
}
