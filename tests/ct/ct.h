/* tests/ct/ct.h - marking secrets for valgrind; see ct_main.c. */
#ifndef TESTS_CT_H
#define TESTS_CT_H
#include <valgrind/memcheck.h>

#define SECRET(p, n) (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n)
#define PUBLIC(p, n) (void)VALGRIND_MAKE_MEM_DEFINED(p, n)

/* ct_sphinx.c: a request and an answer, with every ISA this processor has;
 * says which. */
void ct_sphinx(void);
#endif
