/* Requests from one dialect into another, of all pairs that are translated; the first byte says which, and how. A request
 * made of the bytes, of what its dialect can say: it means the same in the other and on the way back. Or the bytes as a
 * body: JSON comes out, or a reason. */
#include "../unit/wire/crossing_pairs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct pair pair;
    struct buf what;
    size_t count = 0;
    if (len == 0) return 0;
    while (pairs_at(count, &pair))
        count++;
    check(pairs_at(bytes[0] % 128 % count, &pair));
    if (bytes[0] >= 128) {
        over_any(pair.from, pair.to, slice_of((const char *)bytes + 1, len - 1));
        return 0;
    }
    buf_init(&what);
    bool is_kept = pair_keeps(&pair, bytes + 1, len - 1, &what);
    if (!is_kept) fprintf(stderr, "%.*s\n", SLICE_FMT(buf_slice(&what)));
    check(is_kept);
    buf_clear(&what);
    return 0;
}
