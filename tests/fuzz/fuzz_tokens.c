/* Any bytes, cut anywhere: whole, in pieces and as ids they come to the same number, and the ids' bytes to the text. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "wire/tokens/counter.h"
#include "wire/tokens/tokens_inner.h"

static size_t bytes_of(const struct vocabulary *v, const uint32_t *ids, size_t count)
{
    const uint64_t *tokens = vocabulary_array(v, v->head->tokens_at);
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        check(ids[i] < v->head->token_count);
        bytes += table_token_len(tokens[ids[i]]);
    }
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    const struct vocabulary *v = vocabulary_at(data[0] & 1);
    size_t step = 1 + data[1] % 11;
    struct slice text = slice_of((const char *)data + 2, size - 2);
    uint32_t *ids = mem_alloc((3 * text.len + 1) * sizeof *ids); /* a broken byte becomes three */
    size_t count = token_encode(v, text, ids, 3 * text.len + 1);
    struct token_counter c;
    token_counter_init(&c, v);
    for (size_t at = 0; at < text.len; at += step)
        token_counter_feed(&c, slice_of(text.ptr + at, step < text.len - at ? step : text.len - at));
    check(count <= 3 * text.len);
    check(token_count(v, text) == count);
    check(token_counter_total(&c) == count);
    if (utf8_is_valid(text)) check(bytes_of(v, ids, count) == text.len);
    token_counter_clear(&c);
    mem_free(ids);
    return 0;
}
