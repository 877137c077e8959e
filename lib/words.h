/* lib/words.h - which of the words that a program knows a user meant. Pure. */
#ifndef LIB_WORDS_H
#define LIB_WORDS_H
#include <stdbool.h>

enum { WORDS_MAX = 64 }; /* bytes of a word; longer ones are near to none */

/* Return the edit distance of a and b: insertions, deletions, changes and swaps
 * of neighbours (Damerau 1964, in its restricted form). */
unsigned words_distance(const char *a, const char *b);

/* Tell whether distance is small enough to suggest another word to a user who
 * wrote a. */
bool words_are_near(const char *a, unsigned distance);
#endif
