/* relay/daemon/keys.h - what a relay keeps in files between its lives: packet
 * keys, and the replay set's memory. */
#ifndef RELAY_DAEMON_KEYS_H
#define RELAY_DAEMON_KEYS_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "relay/replay.h"

/* Read the identity's seed in dir, which 'init' has made; *seed is from
 * secret_new(). A lost seed cannot be made again, and none is made here.
 * Returns 0, or an error and in why what it means, and what to do. */
enum { KEYS_WHY_LEN = 240 };
int keys_identity(const char *dir, uint8_t **seed,
                  char why[static KEYS_WHY_LEN]) CHECK_RESULT;
/* Say in why what other users can read or change in dir that they should not;
 * "" for nothing. */
void keys_openness(const char *dir, char why[static KEYS_WHY_LEN]);

/* Read the seed of the packet key of this epoch from DIR/packet-EPOCH.key; draw
 * it when the file is not there. *seed is from secret_new(). */
int keys_seed(const char *dir, uint32_t epoch, uint8_t **seed) CHECK_RESULT;

/* Overwrite the keys of epochs before `epoch` where they lie, and remove them.
 * Returns ERR_IO when some may be left. */
int keys_forget(const char *dir, uint32_t epoch) CHECK_RESULT;

struct replay_file;
/* Open and map the replay set in the file DIR/replay, made with room for `tags`
 * if it is not there. *wait says that tags may be missing
 * (replay_is_in_doubt()): the machine has started anew, the file was not sound,
 * or there was none beside packet keys, as when somebody has deleted it. */
int
replay_file_open(struct replay_file **out, const char *dir, size_t tags,
                 bool *wait) CHECK_RESULT; /* ERR_AGAIN: another relay has it */
/* Tell whether replay_file_open() could open the file, and change nothing. Returns 0,
 * also when there is none yet or a relay runs that has it, or files_error(). */
int replay_file_look(const char *dir) CHECK_RESULT;
/* Return a text (static) for people: why the file failed so, and what to do. */
const char *replay_file_remedy(int err);
struct replay *replay_file_set(struct replay_file *f);
void replay_file_close(struct replay_file **f);
#endif
