/* sphinx/null.h - the suite without cryptography, for tests and simulator. */
#ifndef SPHINX_NULL_H
#define SPHINX_NULL_H

/* Make the suite `null` known to this process. A program that does not call
 * this function does not contain that suite, so a daemon cannot choose it. */
void sphinx_null_register(void);
#endif
