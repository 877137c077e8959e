/* directory/daemon/page_html.c - the page for people: epochs, authorities,
 * relays by layer, and each relay's flags with what to do about those that it
 * lacks.
 *
 * One page without script or other files, written to a stream in memory; on a
 * phone each relay becomes a card in one column. What relays and operators
 * wrote is escaped. No state, no timer. Failure mode: no memory (no page). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "directory/daemon/page.h"
#include "lib/codec.h"
#include "lib/os/clock.h"
#include "network/schedule.h"

static const char head[] =
    "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
    "<meta name=viewport content='width=device-width, initial-scale=1'>\n"
    "<meta name=referrer content=no-referrer>\n"
    "<style>\n"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;"
    "padding:1rem;color:#222;background:#fff}\n"
    "h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{text-align:left;padding:.3rem .6rem .3rem 0;vertical-align:top;"
    "border-bottom:1px solid #ddd}\n"
    "code{font:.85em/1.4 ui-monospace,monospace;overflow-wrap:anywhere}\n"
    "td code{white-space:nowrap}\n"
    ".yes{color:#176b2c}.no{color:#9a1b1b}\n"
    "ul{margin:.2rem 0;padding-left:1.1rem}small{color:#555}\n"
    "@media(max-width:40rem){thead{display:none}tr{display:block;"
    "border-bottom:1px solid #bbb;padding:.5rem 0}td{display:block;border:0;"
    "padding:.1rem 0}td "
    "code{white-space:normal}td[data-th]::before{content:attr(data-th) ': ';"
    "color:#555}}\n"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}"
    "th,td{border-color:#444}.yes{color:#7ccf8f}.no{color:#ef9a9a}"
    "small,td[data-th]::before{color:#aaa}}\n"
    "</style>\n";

static void
html_escape(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        default:
            fputc(*text, f);
        }
}

static void
short_id(FILE *f, const uint8_t *identity)
{
    char hex[2 * SPHINX_ID_LEN + 1];
    codec_hex(hex, identity, SPHINX_ID_LEN);
    fprintf(f, "<code title=%s>%.16s</code>", hex, hex);
}

static void
html_time(FILE *f, uint64_t at_s)
{
    char text[CLOCK_TEXT_LEN];
    fputs(clock_text(text, at_s), f);
}

static void
epochs_write(FILE *f, const struct page_input *in,
             const struct authority_status *st)
{
    const struct schedule s = {in->network->genesis_s, in->network->epoch_len_s,
                               in->network->n_authorities};
    const struct consensus *c = authority_newest(in->authority);
    fputs("<p>", f);
    if (c) {
        const bool late = in->now_s > c->valid_after_s + c->params.epoch_len_s;
        const bool early = in->now_s < c->valid_after_s;
        fprintf(f, "The newest consensus is of epoch %" PRIu32 ", from ",
                c->epoch);
        html_time(f, c->valid_after_s);
        fprintf(f, ", with %zu relays. %s ", c->n_relays,
                late    ? "<strong class=no>It is older than an epoch.</strong>"
                : early ? "<span class=yes>It is about to begin.</span>"
                        : "<span class=yes>It is the present one.</span>");
    } else {
        fputs("<strong class=no>There is no consensus yet.</strong> ", f);
    }
    const uint32_t next =
        c && st->target <= c->epoch ? c->epoch + 1 : st->target;
    fprintf(f, "Epoch %" PRIu32 " %s and begins ", next,
            next == st->target ? "is being prepared" : "comes next");
    html_time(f, schedule_valid_s(&s, next));
    fprintf(f, "; an epoch has %" PRIu32 " seconds.</p>\n",
            in->network->epoch_len_s);
}

static void
authorities_write(FILE *f, const struct authority_status *st)
{
    fprintf(f,
            "<h2>Authorities</h2>\n<p>Votes and signatures are those for epoch "
            "%" PRIu32 ".</p>\n<table><thead><tr><th>identity<th>seen"
            "<th>vote<th>consensus<th>certificate until</thead>\n",
            st->target);
    for (size_t i = 0; i < st->n; i++) {
        const bool here = st->other[i].seen + 1 >= st->target;
        fputs("<tr><td>", f);
        short_id(f, st->other[i].identity);
        fprintf(f, "<td data-th=seen class=%s>%s", here ? "yes" : "no",
                here ? "yes" : "not of late");
        fprintf(f, "<td data-th=vote>%s",
                st->other[i].lies    ? "<span class=no>contradicts "
                                       "itself</span>"
                : st->other[i].voted ? "here"
                                     : "not yet");
        fprintf(f, "<td data-th=consensus>%s",
                st->other[i].signed_ ? "signed" : "not yet");
        fputs("<td data-th='certificate until'>", f);
        if (st->other[i].until_s)
            html_time(f, st->other[i].until_s);
        else
            fputs("unknown", f);
        fputc('\n', f);
    }
    fputs("</table>\n", f);
}

static void
layers_write(FILE *f, const struct consensus *c)
{
    if (!c)
        return;
    fputs("<h2>Layers</h2>\n<table><thead><tr><th>layer<th>relays<th>packets a "
          "second</thead>\n",
          f);
    for (unsigned layer = 0; layer < consensus_layers(c); layer++) {
        size_t n;
        uint64_t sum = 0;
        const uint16_t *relay = consensus_layer(c, layer, &n);
        for (size_t i = 0; i < n; i++)
            sum += c->relays[relay[i]].bandwidth;
        fprintf(f, "<tr><td>");
        if (layer == 0 || layer > c->params.layers)
            fputs(layer ? "stores" : "gateways", f);
        else
            fprintf(f, "mixes, layer %u", layer);
        fprintf(f,
                "<td data-th=relays>%zu<td data-th='packets a second'>%" PRIu64
                "\n",
                n, sum);
    }
    fprintf(
        f,
        "</table>\n<p>Of these relays %zu are left out and %zu links between "
        "them cut, for what gets lost there.</p>\n",
        c->n_left_out, c->n_cut);
}

static void
flags_write(FILE *f, const struct page_relay *r)
{
    bool any = false;
    for (int i = 0; i < PAGE_FLAGS; i++)
        if (r->has[i])
            fprintf(f, "<span class=yes>%s</span> ", page_flag_name[i]);
    for (int i = 0; i < PAGE_FLAGS; i++) {
        if (r->has[i])
            continue;
        /* one family is enough to be a good relay */
        fprintf(f, "%s<li><span%s>not %s</span>: ", any ? "" : "<ul>",
                i == PAGE_IPV6 ? "" : " class=no", page_flag_name[i]);
        html_escape(f, r->why[i]);
        fputs(". <small>", f);
        html_escape(f, r->remedy[i]);
        fputs("</small>", f);
        any = true;
    }
    if (any)
        fputs("</ul>", f);
}

static void
relays_write(FILE *f, const struct page_relay *r, size_t n)
{
    static const char *const role[] = {"?", "gateway", "mix", "store"};
    char hex[2 * SPHINX_ID_LEN + 1];
    fprintf(f,
            "<h2>Relays</h2>\n<p>%zu that this authority knows of.</p>\n"
            "<table><thead><tr><th>identity<th>role<th>address"
            "<th>flags</thead>\n",
            n);
    for (size_t i = 0; i < n; i++, r++) {
        codec_hex(hex, r->identity, SPHINX_ID_LEN);
        fprintf(f, "<tr id=r%s><td>", hex); /* page#rIDENTITY shows it */
        short_id(f, r->identity);
        fprintf(f, "<td data-th=role>%s", role[r->role & 3]);
        if (r->role == ROLE_MIX && r->layer > 0)
            fprintf(f, ", layer %d", r->layer);
        fputs("<td data-th=address><code>", f);
        html_escape(f, r->address);
        fputs("</code><td>", f);
        flags_write(f, r);
        fputc('\n', f);
    }
    fputs("</table>\n", f);
}

int
page_html(const struct page_input *in, char **out, size_t *len)
{
    struct page_relay *relays;
    struct authority_status st;
    size_t n;
    *out = NULL;
    int err = page_relays(in, &relays, &n);
    if (err)
        return err;
    FILE *f = open_memstream(out, len);
    if (!f) {
        free(relays);
        return ERR_NOMEM;
    }
    authority_status(in->authority, &st);
    fputs(head, f);
    fputs("<title>Authority of ", f);
    html_escape(f, in->network->name);
    fputs("</title>\n<h1>Authority ", f);
    short_id(f, authority_identity(in->authority));
    fputs(" of the network ", f);
    html_escape(f, in->network->name);
    fputs("</h1>\n", f);
    epochs_write(f, in, &st);
    authorities_write(f, &st);
    layers_write(f, authority_newest(in->authority));
    relays_write(f, relays, n);
    fputs("<p><small>The same <a href=/status.json>as JSON</a>; the <a "
          "href=/v1/consensus>consensus</a>, signed.</small></p>\n",
          f);
    free(relays);
    const bool bad = ferror(f);
    if (fclose(f) || bad) {
        free(*out);
        *out = NULL;
        return ERR_NOMEM;
    }
    return 0;
}
