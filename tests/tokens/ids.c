/*
 * Our side of the comparison with tiktoken: texts in, token ids out.
 *
 *     build/tokens/ids o200k_base < records > ids
 *
 * A record is its length (32 bits, the machine's byte order) and its bytes; the answer the number of ids and the ids, 32
 * bits each. Each text is also counted whole and in pieces: where the three differ it says so and ends with 1.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/tokens/counter.h"

#define TEXT_BYTES_MAX (1u << 24)

/* xorshift64 (Marsaglia 2003): cuts that are the same in every run. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t count_in_pieces(const struct vocabulary *v, struct slice text, uint64_t *random)
{
    struct token_counter c;
    token_counter_init(&c, v);
    while (text.len) {
        size_t len = 1 + next_random(random) % 9;
        if (len > text.len) len = text.len;
        token_counter_feed(&c, slice_of(text.ptr, len));
        text = slice_of(text.ptr + len, text.len - len);
    }
    uint64_t count = token_counter_total(&c);
    token_counter_clear(&c);
    return count;
}

int main(int argc, char **argv)
{
    const struct vocabulary *v = argc == 2 ? vocabulary_find(slice_str(argv[1])) : NULL;
    uint64_t random = 88172645463325252ull, records = 0;
    uint32_t len;
    if (!v) {
        fprintf(stderr, "usage: ids o200k_base|cl100k_base < records > ids\n");
        return 2;
    }
    char *bytes = mem_alloc(TEXT_BYTES_MAX);
    uint32_t *ids = mem_alloc(TEXT_BYTES_MAX * sizeof *ids);
    while (fread(&len, sizeof len, 1, stdin) == 1) {
        if (len > TEXT_BYTES_MAX || fread(bytes, 1, len, stdin) != len) return 2;
        struct slice text = slice_of(bytes, len);
        uint32_t count = (uint32_t)token_encode(v, text, ids, TEXT_BYTES_MAX);
        uint64_t whole = token_count(v, text), pieces = count_in_pieces(v, text, &random);
        if (whole != count || pieces != count) {
            fprintf(stderr, "record %llu: %u ids, counted %llu whole and %llu in pieces\n", (unsigned long long)records,
                    count, (unsigned long long)whole, (unsigned long long)pieces);
            return 1;
        }
        fwrite(&count, sizeof count, 1, stdout);
        fwrite(ids, sizeof *ids, count, stdout);
        records++;
    }
    mem_free(bytes);
    mem_free(ids);
    return 0;
}
