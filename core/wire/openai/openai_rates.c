/*
 * What a caller may still send, in the headers of the OpenAI API.
 * Source: OpenAI API documentation, rate limits in headers: reset is the time until all of the limit is there again, as
 * Go spells durations ("120ms", "6s", "1m30s", "1h0m0s").
 */
#include "wire/openai/openai_inner.h"

#define NS_PER_MS 1000000u

#define NAME(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
static const struct slice request_names[3] = {
    NAME("x-ratelimit-limit-requests"), NAME("x-ratelimit-remaining-requests"), NAME("x-ratelimit-reset-requests")};
static const struct slice token_names[3] = {
    NAME("x-ratelimit-limit-tokens"), NAME("x-ratelimit-remaining-tokens"), NAME("x-ratelimit-reset-tokens")};
#undef NAME

static struct slice spell_time(struct arena *arena, uint64_t ns)
{
    unsigned long long ms = (ns + NS_PER_MS - 1) / NS_PER_MS, s = (ms + 999) / 1000;
    if (ms == 0) return SLICE("0s");
    if (ms < 1000) return arena_printf(arena, "%llums", ms);
    if (s < 60) return arena_printf(arena, "%llus", s);
    if (s < 3600) return arena_printf(arena, "%llum%llus", s / 60, s % 60);
    return arena_printf(arena, "%lluh%llum%llus", s / 3600, s / 60 % 60, s % 60);
}

static size_t write_one(struct arena *arena, const struct slice names[3], const struct dialect_rate *rate,
                        uint64_t now_ns, struct dialect_header *headers)
{
    uint64_t wait_ns = rate->reset_ns > now_ns ? rate->reset_ns - now_ns : 0;
    if (rate->limit == 0) return 0;
    headers[0] = (struct dialect_header){names[0], arena_printf(arena, "%lld", (long long)rate->limit)};
    headers[1] = (struct dialect_header){names[1], arena_printf(arena, "%lld", (long long)rate->left)};
    headers[2] = (struct dialect_header){names[2], spell_time(arena, wait_ns)};
    return 3;
}

size_t openai_write_rates(struct arena *arena, const struct dialect_rates *rates, uint64_t now_ns,
                          struct dialect_header *headers)
{
    size_t count = write_one(arena, request_names, &rates->requests, now_ns, headers);
    return count + write_one(arena, token_names, &rates->tokens, now_ns, headers + count);
}
