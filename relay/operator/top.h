/* relay/operator/top.h - `brusio-relay status` and `top`: what status.json
 * says. */
#ifndef RELAY_OPERATOR_TOP_H
#define RELAY_OPERATOR_TOP_H

/* Print the status of the relay of dir once. Returns the exit status: 0
 * healthy, 1 not. */
int top_print(const char *dir);

/* Print the status every second: in place on a terminal until a key or a
 * signal, else one after the other. once: just one time. Returns as
 * top_print(). */
int top_follow(const char *dir, int once);
#endif
