/* Every pair of dialects that is translated: what a request means is the same there, and back. */
#include "../unit.h"

#include "crossing_pairs.h"

#define SEEDS 500

static void keeps(const struct pair *pair)
{
    uint8_t bytes[256];
    uint64_t state = 88172645463325252u;
    for (int n = 0; n < SEEDS; n++) {
        struct buf what;
        buf_init(&what);
        for (size_t i = 0; i < sizeof bytes; i++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            bytes[i] = (uint8_t)(state >> 24);
        }
        if (!pair_keeps(pair, bytes, sizeof bytes, &what)) UNIT_FAIL("%.*s", SLICE_FMT(buf_slice(&what)));
        buf_clear(&what);
        if (unit_case_failures) return;
    }
}

static void every_pair_keeps_what_a_request_means(void)
{
    struct pair pair;
    size_t count = 0;
    while (pairs_at(count, &pair)) {
        keeps(&pair);
        count++;
    }
    printf("pairs: %zu\n", count);
    EXPECT(count >= 4);
}

int main(void)
{
    RUN(every_pair_keeps_what_a_request_means);
    return unit_close("pairs");
}
