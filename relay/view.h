/* relay/view.h - `brusio-relay status` and `top`: what status.json says. */
#ifndef RELAY_VIEW_H
#define RELAY_VIEW_H

/* Print it once. Returns the exit status: 0 healthy, 1 not. */
int view_status(const char *dir);

/* Print it every second: in place on a terminal until a key or a signal, else
 * one after the other. once: just one time. */
int view_top(const char *dir, int once);
#endif
