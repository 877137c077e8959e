/* lib/error.h - the one list of errors.
 *
 * Functions return 0 or a negative ERR_*; the text of each is for people and
 * carries no address, key or tag. Counters of refused input are indexed by
 * -err, so every way of dropping something has a name and a number (I7). */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#define ERROR_MAP(X)                                              \
    X(ARG, "invalid argument")                                    \
    X(NOMEM, "out of memory")                                     \
    X(SHORT, "input ends too early")                              \
    X(LONG, "input is longer than allowed")                       \
    X(FORMAT, "malformed input")                                  \
    X(VERSION, "unknown version")                                 \
    X(SUITE, "unknown or unavailable cryptographic suite")        \
    X(POINT, "low-order public key")                              \
    X(MAC, "message authentication failed")                       \
    X(TAG, "payload was tampered with")                           \
    X(EPOCH, "packet for an epoch without a key")                 \
    X(REPLAY, "packet seen before")                               \
    X(DEADLINE_PAST, "deadline has passed")                       \
    X(DEADLINE_FAR, "deadline lies too far ahead")                \
    X(COMMAND, "command not allowed here")                        \
    X(RELAY, "no such relay")                                     \
    X(EDGE, "no such edge in the layering")                       \
    X(HANDLE, "no client with this handle")                       \
    X(FULL, "at capacity")                                        \
    X(RATE, "too fast")                                           \
    X(SLOT, "slot is taken")                                      \
    X(QUOTA, "quota is used up")                                  \
    X(WORK, "proof of work missing or wrong")                     \
    X(SIGNATURE, "signature is wrong")                            \
    X(PROOF, "proof is wrong")                                    \
    X(THRESHOLD, "too few signatures")                            \
    X(STALE, "older than what is known")                          \
    X(FUTURE, "dated in the future")                              \
    X(FOREIGN, "belongs to another network")                      \
    X(CONFLICT, "contradicts an earlier document")                \
    X(DUPLICATE, "given twice")                                   \
    X(RANGE, "value out of range")                                \
    X(MISSING, "required value is missing")                       \
    X(UNKNOWN, "unknown name")                                    \
    X(NOT_FOUND, "not found")                                     \
    X(EXISTS, "exists already")                                   \
    X(EXPIRED, "expired")                                         \
    X(USED, "used already")                                       \
    X(AGAIN, "not now, try again")                                \
    X(CLOSED, "closed")                                           \
    X(TIMEOUT, "timed out")                                       \
    X(PEER, "peer is not who it should be")                       \
    X(TLS, "TLS failure")                                         \
    X(DB, "database failure")                                     \
    X(IO, "the disk failed to read or write")                     \
    X(SYSTEM, "system call failed")                               \
    X(CRYPTO, "cryptographic library failure")                    \
    X(UNSUPPORTED, "not supported here")                          \
    X(DELAY, "asks for a longer delay than allowed")              \
    X(SHARE, "its link holds more than its share")                \
    X(ROOM, "no space left on the disk, or the quota is used up") \
    X(READONLY, "the disk is read-only")                          \
    X(ACCESS, "permission denied")                                \
    X(KIND, "a directory, link or device, no ordinary file")      \
    X(FOLDER, "its directory, or the file in it, is gone")        \
    X(NAME, "the name is too long for a file")                    \
    X(FILES, "too many open files")                               \
    X(DAMAGED, "damaged, or not what its name says")

enum error_ordinal {
    ERROR_ORDINAL_NONE,
#define X(name, text) ERROR_ORDINAL_##name,
    ERROR_MAP(X)
#undef X
        ERROR_COUNT /* an array counter[ERROR_COUNT] has room for all */
};

enum error {
    ERR_OK = 0,
#define X(name, text) ERR_##name = -ERROR_ORDINAL_##name,
    ERROR_MAP(X)
#undef X
};

/* Returns the text of an ERR_* (static), "unknown error" for any other int.
 * (Not in libbrusio-sphinx, which has sphinx_error_text().) */
const char *error_text(int err);

/* Returns the name, e.g. "DEADLINE_PAST" (static), "?" for any other int. */
const char *error_name(int err);

#define CHECK_RESULT __attribute__((warn_unused_result))
#endif
