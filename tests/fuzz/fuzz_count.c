/* Any body, counted in steps and in one, with a memo and without: the same sums, and never more text than there is. */
#include <stdlib.h>

#include "base/arena.h"
#include "wire/chat.h"
#include "wire/count.h"
#include "wire/count_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_so)
{
    if (!is_so) abort();
}

static uint64_t counted(const struct chat_request *r, uint64_t step, struct count_memo *memo, bool is_by_message)
{
    struct count *c = count_new(r, (1u << VOCABULARIES) - 1, memo);
    struct count_rules rules = *count_rules_usual();
    if (is_by_message) count_keep_messages(c);
    while (!count_step(c, step))
        continue;
    rules.image = (struct image_rules){.rule = IMAGE_PATCHES, .unit_pixels = 32, .units_max = 1536, .factor_milli = 1620, .unknown_tokens = 2489};
    struct count_total total = count_total(c, &rules);
    uint64_t sum = total.input_tokens;
    for (uint32_t i = 0; is_by_message && i < count_messages(c); i++)
        must(count_message(c, &rules, i).tokens <= sum);
    rules.vocabulary = vocabulary_at(1);
    sum = sum * 31 + count_total(c, &rules).input_tokens;
    must(!total.is_partial);
    count_free(c);
    return sum;
}

static void count_kind(struct slice body, enum chat_kind kind, uint64_t step)
{
    static struct count_memo *memo;
    struct chat_request r;
    struct arena arena;
    struct fault why;
    if (!memo) memo = count_memo_new();
    arena_init(&arena);
    chat_init(&r);
    if (chat_parse(&r, body, kind, &arena, &why)) {
        uint64_t whole = counted(&r, UINT64_MAX, NULL, false);
        must(whole == counted(&r, step, NULL, kind == CHAT_CHAT));
        must(whole == counted(&r, step, memo, false));
        must(whole == counted(&r, UINT64_MAX, memo, false));
    }
    chat_clear(&r);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    struct slice body = slice_of((const char *)data + 1, size - 1);
    count_kind(body, CHAT_CHAT, 1 + data[0] % 64);
    count_kind(body, CHAT_COMPLETIONS, 1 + data[0] % 64);
    count_kind(body, CHAT_EMBEDDINGS, 1 + data[0] % 64);
    return 0;
}
