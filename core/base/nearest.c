#include "base/nearest.h"

#define WORD_BYTES 64u

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein distance, restricted: no part is edited twice. */
static unsigned distance(struct slice a, struct slice b)
{
    unsigned rows[3][WORD_BYTES + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b.len; j++)
        above[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned change = above[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1]) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        unsigned *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b.len];
}

const char *nearest_word(struct slice word, const char *const *known, size_t count)
{
    const char *best = NULL;
    unsigned best_distance = word.len < 6 ? 2 : (unsigned)word.len / 3 + 1;
    if (word.len == 0 || word.len > WORD_BYTES) return NULL;
    for (size_t i = 0; i < count; i++) {
        struct slice candidate = slice_str(known[i]);
        if (candidate.len > WORD_BYTES) continue;
        unsigned d = distance(word, candidate);
        if (d < best_distance) {
            best = known[i];
            best_distance = d;
        }
    }
    return best;
}
