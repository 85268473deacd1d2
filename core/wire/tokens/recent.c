#include "wire/tokens/recent.h"

_Alignas(64) struct recent_place recent_tables[VOCABULARIES][RECENT_PLACES]; /* no place in two lines of a cache */

uint64_t recent_first_at_end(const unsigned char *p, size_t len, uint64_t *last)
{
    unsigned char padded[16] = {0};
    memcpy(padded, p, len);
    *last = recent_last(padded, len);
    return recent_word(padded, len < 8 ? len : 8);
}
