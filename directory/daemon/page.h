/* directory/daemon/page.h - what an authority tells everybody: epochs,
 * authorities, relays by layer, and of each relay its flags, and of each flag
 * that it lacks why and what its operator can do. As HTML, which needs no
 * script, and as JSON.
 *
 * All of that is public already, and nothing of it depends on users. Pure. */
#ifndef DIRECTORY_DAEMON_PAGE_H
#define DIRECTORY_DAEMON_PAGE_H
#include "directory/admission.h"
#include "directory/authority.h"

enum page_flag {
    PAGE_ADMITTED,  /* this authority's operator or policy lets it in */
    PAGE_DESCRIBED, /* its descriptor for the epoch being prepared is here */
    PAGE_LISTED,    /* the newest consensus has it */
    PAGE_RELIABLE,  /* its own loops come back */
    PAGE_IPV6,      /* it offers an address of each family */
    PAGE_FLAGS
};
extern const char *const page_flag_name[PAGE_FLAGS];

struct page_relay {
    uint8_t identity[SPHINX_ID_LEN];
    char address[ADDRESS_MAX];
    uint8_t role;
    int layer; /* -1: none */
    uint32_t bandwidth;
    bool has[PAGE_FLAGS];
    char why[PAGE_FLAGS][ADMISSION_WHY_LEN]; /* of those it lacks */
    const char *remedy[PAGE_FLAGS];
};

struct page_input {
    const struct network *network;
    const struct authority *authority;
    const struct admission *admission;
    uint64_t now_s;
};

/* List the n relays that this authority knows of, sorted by identity; *out is
 * malloc'd. */
int page_relays(const struct page_input *in, struct page_relay **out,
                size_t *n) CHECK_RESULT;

/* Write the page as HTML, as JSON; *out is malloc'd. */
int page_html(const struct page_input *in, char **out,
              size_t *len) CHECK_RESULT;
int page_json(const struct page_input *in, char **out,
              size_t *len) CHECK_RESULT;
#endif
