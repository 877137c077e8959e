/* lib/words.c - the edit distance of two words. No state. */
#include "lib/words.h"

#include <string.h>

static unsigned
words_least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

unsigned
words_distance(const char *a, const char *b)
{
    unsigned row[3][WORDS_MAX + 1]; /* two above, above, this one */
    size_t n = strlen(a), m = strlen(b);
    if (n > WORDS_MAX || m > WORDS_MAX)
        return WORDS_MAX;
    for (unsigned j = 0; j <= m; j++)
        row[1][j] = j;
    for (unsigned i = 1; i <= n; i++) {
        row[2][0] = i;
        for (size_t j = 1; j <= m; j++) {
            unsigned change = row[1][j - 1] + (a[i - 1] != b[j - 1]);
            row[2][j] = words_least(change, row[1][j] + 1, row[2][j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && row[0][j - 2] + 1 < row[2][j])
                row[2][j] = row[0][j - 2] + 1;
        }
        memcpy(row[0], row[1], sizeof row[0]);
        memcpy(row[1], row[2], sizeof row[1]);
    }
    return row[1][m];
}

bool
words_are_near(const char *a, unsigned distance)
{
    return strlen(a) <= WORDS_MAX && distance <= 1 + strlen(a) / 4;
}
