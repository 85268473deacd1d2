/*
 * What a caller may still send, in the headers of the OpenAI API.
 * Source: OpenAI API documentation, rate limits in headers: reset is the time until all of the limit is there again, as
 * Go spells durations ("120ms", "6s", "1m30s", "1h0m0s").
 */
#include "wire/openai/openai_inner.h"

#define NS_PER_MS 1000000u

/* Rounded up: who comes then finds all of it there. */
static struct slice spell_reset(struct arena *arena, uint64_t reset_ns, uint64_t now_ns)
{
    unsigned long long ms = (reset_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS, s = (ms + 999) / 1000;
    if (ms == 0) return SLICE("0s");
    if (ms < 1000) return arena_printf(arena, "%llums", ms);
    if (s < 60) return arena_printf(arena, "%llus", s);
    if (s < 3600) return arena_printf(arena, "%llum%llus", s / 60, s % 60);
    return arena_printf(arena, "%lluh%llum%llus", s / 3600, s / 60 % 60, s % 60);
}

static const struct dialect_rate_form form = {
    .requests = {{"x-ratelimit-limit-requests", 26},
                 {"x-ratelimit-remaining-requests", 30},
                 {"x-ratelimit-reset-requests", 26}},
    .tokens = {{"x-ratelimit-limit-tokens", 24},
               {"x-ratelimit-remaining-tokens", 28},
               {"x-ratelimit-reset-tokens", 24}},
    .spell_reset = spell_reset,
};

size_t openai_write_rates(struct arena *arena, const struct dialect_rates *rates, uint64_t now_ns,
                          struct dialect_header *headers)
{
    return dialect_write_rates(arena, &form, rates, now_ns, headers);
}
