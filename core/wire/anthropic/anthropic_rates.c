/*
 * What a caller may still send, in the headers of Anthropic's API.
 * Source: Anthropic API documentation, "Rate limits": reset is when all of the limit is there again, in RFC 3339.
 */
#include "base/clock.h"
#include "wire/anthropic/anthropic_inner.h"

#define SECOND_BYTES 19 /* "2026-03-18T17:50:11" */

struct slice anthropic_time(struct arena *arena, int64_t seconds)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format((uint64_t)seconds * NS_PER_S, text);
    return arena_printf(arena, "%.*sZ", SECOND_BYTES, text);
}

/* Up to the next second: who comes then finds all of it there. */
static struct slice spell_reset(struct arena *arena, uint64_t reset_ns, uint64_t now_ns)
{
    (void)now_ns;
    return anthropic_time(arena, (int64_t)((reset_ns + NS_PER_S - 1) / NS_PER_S));
}

static const struct dialect_rate_form form = {
    .requests = {{"anthropic-ratelimit-requests-limit", 34},
                 {"anthropic-ratelimit-requests-remaining", 38},
                 {"anthropic-ratelimit-requests-reset", 34}},
    .tokens = {{"anthropic-ratelimit-tokens-limit", 32},
               {"anthropic-ratelimit-tokens-remaining", 36},
               {"anthropic-ratelimit-tokens-reset", 32}},
    .spell_reset = spell_reset,
};

size_t anthropic_write_rates(struct arena *arena, const struct dialect_rates *rates, uint64_t now_ns,
                             struct dialect_header *headers)
{
    return dialect_write_rates(arena, &form, rates, now_ns, headers);
}
