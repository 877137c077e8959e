/* lib/os/log.c - making lines. State: none but the callers' log_limit. */
#include "lib/os/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const log_level_names[] = {"error", "warning", "notice",
                                       "info",  "debug",   NULL};

const char *
log_level_name(enum log_level level)
{
    return (unsigned)level <= LOG_DEBUG ? log_level_names[level] : "?";
}

static void
line_emit(const struct log *log, enum log_level level, const char *module,
          const char *text, uint32_t suppressed)
{
    char line[LOG_LINE_MAX];
    int n;
    if (suppressed > 0)
        n = snprintf(line, sizeof line, "%s: %s (%u more like it)", module,
                     text, suppressed);
    else
        n = snprintf(line, sizeof line, "%s: %s", module, text);
    if (n < 0)
        return;
    if ((size_t)n >= sizeof line)
        memcpy(line + sizeof line - 4, "...", 4);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    log->sink(log->ctx, level, line);
}

void
log_write(const struct log *log, enum log_level level, const char *module,
          const char *format, ...)
{
    char text[LOG_LINE_MAX];
    va_list args;
    if (!log->sink || level > log->level)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    line_emit(log, level, module, text, 0);
}

void
log_write_limited(const struct log *log, struct log_limit *limit,
                  uint64_t now_us, enum log_level level, const char *module,
                  const char *format, ...)
{
    char text[LOG_LINE_MAX];
    va_list args;
    uint32_t suppressed = 0;
    if (!log->sink || level > log->level)
        return;
    if (limit->lines == 0 || now_us - limit->since_us >= LOG_LIMIT_PERIOD_US) {
        suppressed = limit->suppressed;
        *limit = (struct log_limit){.since_us = now_us};
    }
    if (limit->lines >= LOG_LIMIT_BURST) {
        if (limit->suppressed < UINT32_MAX)
            limit->suppressed++;
        return;
    }
    limit->lines++;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    line_emit(log, level, module, text, suppressed);
}

static bool
char_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

static bool
char_is_base64(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '+';
}

static bool
word_is_telling(const char *word, size_t len)
{
    size_t hex = 0, base64 = 0, hex_run = 0, base64_run = 0;
    unsigned dots = 0, colons = 0, digits = 0;
    for (size_t i = 0; i < len; i++) {
        char c = word[i];
        hex_run = char_is_hex(c) ? hex_run + 1 : 0;
        base64_run = char_is_base64(c) ? base64_run + 1 : 0;
        hex = hex_run > hex ? hex_run : hex;
        base64 = base64_run > base64 ? base64_run : base64;
        dots += c == '.' && i > 0 && word[i - 1] >= '0' && word[i - 1] <= '9';
        colons += c == ':';
        digits += c >= '0' && c <= '9';
    }
    return hex >= 16 || base64 >= 20 || (dots >= 3 && digits >= 4) ||
           colons >= 2;
}

const char *
log_scrub(char *out, size_t out_len, const char *text)
{
    static const char mark[] = "[scrubbed]";
    size_t used = 0;
    while (*text && used + 1 < out_len) {
        size_t len = strcspn(text, " \t\n\"',;()");
        const char *from = text;
        size_t n = len;
        if (len == 0)
            n = len = 1;
        else if (word_is_telling(text, len))
            from = mark, n = sizeof mark - 1;
        if (n > out_len - 1 - used)
            n = out_len - 1 - used;
        memcpy(out + used, from, n);
        used += n;
        text += len;
    }
    if (out_len > 0)
        out[used] = 0;
    return out;
}
