/* tests/line.h - a line that carries nothing for a while, played on the socket
 * at its end. */
#ifndef TESTS_LINE_H
#define TESTS_LINE_H
#include <stdbool.h>

#include "lib/os/link.h"

/* Lose whatever comes for this link before the kernel has seen it, so that
 * nothing is acknowledged; or lose it no more. Linux alone; fails the test. */
void line_cut(const struct link *l, bool cut);
#endif
