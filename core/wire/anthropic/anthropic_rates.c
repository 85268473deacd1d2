/*
 * What a caller may still send, in the headers of Anthropic's API.
 * Source: Anthropic API documentation, "Rate limits": reset is when all of the limit is there again, in RFC 3339.
 */
#include "base/clock.h"
#include "wire/anthropic/anthropic_inner.h"

#define SECOND_BYTES 19 /* "2026-03-18T17:50:11" */

#define NAME(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
static const struct slice request_names[3] = {NAME("anthropic-ratelimit-requests-limit"),
                                              NAME("anthropic-ratelimit-requests-remaining"),
                                              NAME("anthropic-ratelimit-requests-reset")};
static const struct slice token_names[3] = {NAME("anthropic-ratelimit-tokens-limit"),
                                            NAME("anthropic-ratelimit-tokens-remaining"),
                                            NAME("anthropic-ratelimit-tokens-reset")};
#undef NAME

struct slice anthropic_time(struct arena *arena, int64_t seconds)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format((uint64_t)seconds * NS_PER_S, text);
    return arena_printf(arena, "%.*sZ", SECOND_BYTES, text);
}

/* Up to the next second: who comes then finds all of it there. */
static size_t write_one(struct arena *arena, const struct slice names[3], const struct dialect_rate *rate,
                        uint64_t now_ns, struct dialect_header *headers)
{
    uint64_t reset_ns = rate->reset_ns > now_ns ? rate->reset_ns : now_ns;
    int64_t reset_s = (int64_t)((reset_ns + NS_PER_S - 1) / NS_PER_S);
    if (rate->limit == 0) return 0;
    headers[0] = (struct dialect_header){names[0], arena_printf(arena, "%lld", (long long)rate->limit)};
    headers[1] = (struct dialect_header){names[1], arena_printf(arena, "%lld", (long long)rate->left)};
    headers[2] = (struct dialect_header){names[2], anthropic_time(arena, reset_s)};
    return 3;
}

size_t anthropic_write_rates(struct arena *arena, const struct dialect_rates *rates, uint64_t now_ns,
                             struct dialect_header *headers)
{
    size_t count = write_one(arena, request_names, &rates->requests, now_ns, headers);
    return count + write_one(arena, token_names, &rates->tokens, now_ns, headers + count);
}
