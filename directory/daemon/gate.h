/* directory/daemon/gate.h - who is let in, on the real machine: decisions are
 * read from the file that the operator's commands write, and who waits is
 * written for them (directory/admission.h). */
#ifndef DIRECTORY_DAEMON_GATE_H
#define DIRECTORY_DAEMON_GATE_H
#include <sys/types.h>
#include <time.h>

#include "directory/admission.h"
#include "directory/authority.h"
#include "lib/os/host.h"

struct gate {
    struct host *host;
    const char *dir;
    struct authority *authority;
    struct admission *admission;
    struct timespec decided; /* the file of decisions, when it was read */
    off_t decided_len;
    bool undecided;      /* new ones could not be taken, which was said */
    uint8_t waiting[16]; /* digest of the list as last written */
    size_t n_waiting;    /* as was said */
    struct log_limit said;
    char why[ADMISSION_WHY_LEN];
};

/* Open the gate of an authority by this config; host, dir and authority stay
 * the caller's. Returns 0 or ERR_NOMEM. */
int gate_open(struct gate *g, struct host *host, const char *dir,
              struct authority *authority,
              const struct admission_config *config) CHECK_RESULT;
void gate_close(struct gate *g);

/* Tell whether the relay of descriptor d may be listed. from: where the
 * descriptor comes from, or NULL. If not, g->why is to be answered. */
bool gate_admits(struct gate *g, const struct descriptor *d,
                 const struct sockaddr_storage *from);
/* Look for new decisions and take them up; write who waits when that has
 * changed. */
void gate_look(struct gate *g);
#endif
