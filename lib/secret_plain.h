/* lib/secret_plain.h - secrets in ordinary memory, for the simulator.
 *
 * Guard pages cost four mappings a secret, and the system gives a process
 * 65,530; the secrets of 10,000 simulated clients are worth none. The code
 * stands in the archive of the seeded generator, which no daemon contains. */
#ifndef LIB_SECRET_PLAIN_H
#define LIB_SECRET_PLAIN_H

/* Begin and end a time in which secret_new() and secret_free() deal in ordinary
 * memory. Whatever is made in between has to be freed in between, and nothing
 * older may be freed there. The calls nest, and several threads may make them
 * if all threads do. */
void secret_plain_begin(void);
void secret_plain_end(void);
#endif
