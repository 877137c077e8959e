/* lib/os/log.h - log lines for people: level, module, rate limit, scrubbing.
 *
 * Nothing identifying is kept (I8): lines carry no address, key or packet tag,
 * and nothing is logged per packet. Text that comes from outside passes
 * log_scrub(). A call site that logs often says once how often. */
#ifndef LIB_OS_LOG_H
#define LIB_OS_LOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

enum { LOG_LINE_MAX = 512 };

/* Take a line, which is without its final newline. */
typedef void (*log_sink_fn)(void *ctx, enum log_level level, const char *line);

/* One log, shared by the parts of a program. A value of the caller's; zeroed
 * memory is a log that says nothing. */
struct log {
    log_sink_fn sink;
    void *ctx;
    enum log_level level; /* lines above this one are dropped */
};

/* A call site's memory: at most `burst` lines in `period_us`. Zeroed static
 * memory of the caller. */
struct log_limit {
    uint64_t since_us;
    uint32_t lines, suppressed;
};

enum { LOG_LIMIT_BURST = 5, LOG_LIMIT_PERIOD_US = 60000000 };

/* "error", "warning", "notice", "info", "debug", NULL. */
extern const char *const log_level_names[];

/* Return the name of level. */
const char *log_level_name(enum log_level level);

/* Write "module: text" to log, where text is made from format. Control
 * characters become '?'; a line that is too long ends in "...". */
void log_write(const struct log *log, enum log_level level, const char *module,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Write as log_write() does, but within the bounds of limit: after
 * LOG_LIMIT_BURST lines within LOG_LIMIT_PERIOD_US the rest is counted, and the
 * next line that passes says how many lines were left out. */
void log_write_limited(const struct log *log, struct log_limit *limit,
                       uint64_t now_us, enum log_level level,
                       const char *module, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Copy text to out, of out_len bytes, with "[scrubbed]" in place of all that
 * looks like an address, a key or a tag: words with 16 or more hex digits or 20
 * or more base64 characters, dotted quads, and words with two or more colons.
 * Returns out. */
const char *log_scrub(char *out, size_t out_len, const char *text);
#endif
