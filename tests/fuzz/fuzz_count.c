/* The first byte picks the dialect and kind of request, the second the vocabularies and whether texts are remembered, the third the
 * size of steps, the rest is the body. Counted at once, in steps of varying size and again from memory it comes to the
 * same; what is shown of it is never more than the total; and where counting stops early, there is at least that much. */
#include <stdint.h>

#include "base/check.h"
#include "base/limits.h"
#include "wire/count.h"
#include "wire/count_rules.h"
#include "wire/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct count_rules families[] = {
    {.factor_milli = 1000, .is_exact = true, .request_tokens = 3, .message_tokens = 3, .name_tokens = 1, .is_role_free = true,
     .tools_tokens = 9, .tools_system_tokens = -4, .call_tokens = 7,
     .image = {.rule = IMAGE_TILES, .low_tokens = 85, .base_tokens = 85, .unit_tokens = 170, .unit_pixels = 512, .long_edge = 2048,
               .short_edge = 768, .unknown_tokens = 1445}},
    {.factor_milli = 1055, .message_tokens = -1,
     .image = {.rule = IMAGE_BLOCKS, .unit_tokens = 258, .unit_pixels = 768, .short_edge = 384, .unknown_tokens = 4128}},
    {.factor_milli = 1290, .request_tokens = 4, .message_tokens = 3, .tools_tokens = 264, .tool_tokens = 25, .audio_bytes = 1600, .file_bytes = 32,
     .image = {.rule = IMAGE_AREA, .unit_pixels = 750, .long_edge = 1568, .units_max = 1600, .unknown_tokens = 1600}},
    {.factor_milli = 1000, .is_exact = true, .request_tokens = 2, .message_tokens = 3,
     .image = {.rule = IMAGE_PATCHES, .unit_pixels = 32, .units_max = 1536, .factor_milli = 1620, .unknown_tokens = 2489}},
};
#define FAMILIES (sizeof families / sizeof families[0])
#define PICTURE_TOKENS_MAX (258u * 86 * 86) /* blocks of 65,535 × 65,535 pixels */

struct counted {
    struct count_total totals[VOCABULARIES][FAMILIES];
    struct count_shares shares;
};

static struct count_rules rules_of(unsigned vocabulary, size_t family)
{
    struct count_rules rules = families[family];
    rules.vocabulary = vocabulary_at(vocabulary);
    return rules;
}

/* Messages are counted in one vocabulary; where a constant is below nothing, one of nothing shows more than it counts. */
static void check_shares(const struct count *count, const struct count_rules *rules, const struct count_total *total, bool is_first)
{
    struct count_shares shares = count_shares(count, rules);
    uint64_t sum = shares.tools_tokens + shares.schema_tokens + shares.unknown_tokens;
    for (uint32_t i = 0; i < count_messages(count); i++)
        sum += count_message(count, rules, i).tokens;
    check(shares.picture_tokens <= (uint64_t)shares.pictures * PICTURE_TOKENS_MAX);
    if (is_first && rules->message_tokens >= 0) check(sum <= total->input_tokens);
}

static void run(struct counted *to, const struct chat_request *r, unsigned vocabularies, struct memo *memo, uint64_t step,
                uint64_t above)
{
    struct count *count = count_new(r, vocabularies, memo);
    count_keep_messages(count);
    count_stop_above(count, above);
    for (uint64_t bytes = step; !count_step(count, bytes); bytes = bytes % 97 + step)
        continue;
    to->shares = count_shares(count, NULL);
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        for (size_t f = 0; f < FAMILIES; f++) {
            struct count_rules rules = rules_of(v, f);
            to->totals[v][f] = count_total(count, &rules);
            check_shares(count, &rules, &to->totals[v][f], v == (unsigned)__builtin_ctz(vocabularies));
            check(vocabularies >> v & 1 || to->totals[v][f].is_estimated);
        }
    }
    count_free(count);
}

static void check_same(const struct counted *a, const struct counted *b)
{
    check(a->shares.pictures == b->shares.pictures && a->shares.tools == b->shares.tools);
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        for (size_t f = 0; f < FAMILIES; f++) {
            const struct count_total *x = &a->totals[v][f], *y = &b->totals[v][f];
            check(x->input_tokens == y->input_tokens && x->is_estimated == y->is_estimated);
            check(!x->is_partial && !y->is_partial);
        }
    }
}

static void check_stops(const struct chat_request *r, unsigned vocabularies, const struct counted *whole, uint64_t step)
{
    struct counted some;
    run(&some, r, vocabularies, NULL, step, step);
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        const struct count_total *total = &some.totals[v][0];
        if (total->is_partial) check(total->input_tokens > step);
        check(total->input_tokens <= whole->totals[v][0].input_tokens);
        check(total->is_partial || total->input_tokens == whole->totals[v][0].input_tokens);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct chat_request r;
    struct arena arena;
    struct fault why;
    if (len < 3) return 0;
    static struct memo *memo;
    if (!memo) memo = memo_new(LIMIT_COUNT_MEMO);
    unsigned vocabularies = 1 + bytes[1] % 3;
    uint64_t step = 1 + bytes[2];
    arena_init(&arena);
    chat_init(&r);
    bool is_anthropic = bytes[0] & 64; /* the seeds are digits */
    const struct dialect *dialect = is_anthropic ? &dialect_anthropic : &dialect_openai;
    enum chat_kind kind = is_anthropic ? CHAT_CHAT : (enum chat_kind)(bytes[0] % 3);
    if (chat_parse(&r, dialect, slice_of((const char *)bytes + 3, len - 3), kind, &arena, &why)) {
        struct counted whole, other;
        run(&whole, &r, vocabularies, NULL, UINT64_MAX - 97, 0);
        run(&other, &r, vocabularies, NULL, step, 0);
        check_same(&whole, &other);
        for (int round = 0; round < 2; round++) {
            run(&other, &r, vocabularies, memo, step, 0);
            check_same(&whole, &other);
        }
        check_stops(&r, vocabularies, &whole, step);
    }
    chat_clear(&r);
    arena_clear(&arena);
    return 0;
}
