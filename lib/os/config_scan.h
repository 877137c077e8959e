/* lib/os/config_scan.h - the grammar of configuration files, for config.c alone. */
#ifndef LIB_OS_CONFIG_SCAN_H
#define LIB_OS_CONFIG_SCAN_H
#include "lib/os/config.h"

/* One reading: where it is and where its message goes. */
struct config_run {
    const struct config_option *table;
    size_t n;
    const char *name;                  /* of the file */
    char *error;                       /* CONFIG_ERROR_LEN */
    unsigned line[CONFIG_OPTIONS_MAX]; /* of each option, 0: not given */
    /* in the text: each ends with 0, and those of a list follow one another */
    const char *value[CONFIG_OPTIONS_MAX];
    size_t n_values[CONFIG_OPTIONS_MAX];
    unsigned last_line;
};

/* Write "NAME:LINE: ..." into run->error; returns err. Control characters
 * become '?'. */
int config_fail(const struct config_run *run, int err, unsigned line,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Read len bytes of text, which is overwritten: find the values of the options that
 * are given, and refuse all that is not in the shape of lib/os/config.h, and unknown
 * and repeated keys. Fills run->line, last_line, value and n_values. Returns 0,
 * ERR_FORMAT, ERR_UNKNOWN, ERR_DUPLICATE or ERR_RANGE (list too long). */
int config_scan(struct config_run *run, char *text, size_t len) CHECK_RESULT;
#endif
