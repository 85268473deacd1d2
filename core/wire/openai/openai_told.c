/*
 * What clients of OpenAI's APIs are told, alike in all of them. Sources: OpenAI API reference, errors and the model
 * object; OpenAI API documentation, rate limits in headers: reset is the time until all of the limit is there again, as
 * Go spells durations ("120ms", "6s", "1m30s", "1h0m0s").
 */
#include "wire/openai/openai_told.h"

#include "base/clock.h"

static void write_member(struct buf *out, const char *name, struct slice value)
{
    buf_printf(out, ",\"%s\":", name);
    if (value.len) {
        buf_append_json(out, value);
    } else {
        buf_append(out, SLICE("null"));
    }
}

void openai_write_error(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("{\"message\":"));
    buf_append_json(out, error->message);
    write_member(out, "type", error->type);
    write_member(out, "param", error->param);
    write_member(out, "code", error->code);
    write_member(out, "request_id", error->request_id);
    if (error->policy.len) write_member(out, "policy", error->policy);
    if (error->rule.len) write_member(out, "rule", error->rule);
    if (error->approval.len) buf_printf(out, ",\"approval\":%.*s", SLICE_FMT(error->approval));
    buf_append_char(out, '}');
}

void openai_write_body_error(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("{\"error\":"));
    openai_write_error(out, error);
    buf_append_char(out, '}');
}

/* When a model was made the gateway does not know: it says since when it is offered here, because clients sort by it
 * and take 0 for nothing. */
void openai_write_model(struct buf *out, struct slice name, int64_t since)
{
    buf_append(out, SLICE("{\"id\":"));
    buf_append_json(out, name);
    buf_printf(out, ",\"object\":\"model\",\"created\":%lld,\"owned_by\":\"moongate\"}", (long long)since);
}

void openai_write_models(struct buf *out, const struct slice *names, size_t count, int64_t since)
{
    buf_append(out, SLICE("{\"object\":\"list\",\"data\":["));
    for (size_t i = 0; i < count; i++) {
        if (i) buf_append_char(out, ',');
        openai_write_model(out, names[i], since);
    }
    buf_append(out, SLICE("]}"));
}

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
