/*
 * AWS's frames: any partition of the input gives the same messages and the same end, whatever is in it; and what
 * wire/bedrock.h makes of them is whole server-sent events.
 *
 * The first byte seeds the partition; the lowest bit of the second mends the sums of what follows, so that what lies
 * behind them is reached too.
 */
#include <stdlib.h>
#include <string.h>

#include "../unit/wire/framing.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/bedrock.h"
#include "wire/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct seen {
    struct buf messages;
    bool is_broken;
    size_t held;
};

static bool on_message(void *arg, const struct eventstream_message *m)
{
    struct seen *seen = arg;
    struct slice type = SLICE_NONE;
    bool has = eventstream_header(m, SLICE(":event-type"), &type);
    buf_printf(&seen->messages, "%d %zu %zu:", has, m->headers.len, m->payload.len);
    buf_append(&seen->messages, type);
    buf_append(&seen->messages, m->payload);
    return true;
}

static void on_event(void *arg, const struct sse_event *event)
{
    struct seen *seen = arg;
    check(event->ends && !event->is_raw && !event->is_tail);
    buf_append(&seen->messages, event->name);
    buf_append_char(&seen->messages, ':');
    buf_append(&seen->messages, event->data);
}

struct texts {
    struct seen *seen;
    struct sse_parser *sse;
};

static bool on_text(void *arg, struct slice text)
{
    struct texts *t = arg;
    sse_feed(t->sse, text, on_event, t->seen);
    check(sse_held_bytes(t->sse) == 0);
    return true;
}

/* Spans of 1 to `longest` bytes, or all at once when that is 0; each a copy of exact size. */
static void run(struct seen *seen, struct slice input, uint32_t seed, uint32_t longest, bool is_bedrocks)
{
    struct eventstream *es = eventstream_new();
    struct bedrock *b = bedrock_new(&dialect_anthropic);
    struct texts texts = {seen, sse_new()};
    sse_keep(texts.sse, 2 * LIMIT_EVENTSTREAM_BYTES);
    *seen = (struct seen){.is_broken = false};
    for (size_t at = 0, step; at < input.len && !seen->is_broken; at += step) {
        struct fault why = {.code = FAULT_NONE};
        seed = seed * 1664525u + 1013904223u;
        step = longest ? 1 + (seed >> 16) % longest : input.len;
        if (step > input.len - at) step = input.len - at;
        char *copy = mem_alloc(step);
        memcpy(copy, input.ptr + at, step);
        bool is_good = is_bedrocks ? bedrock_feed(b, slice_of(copy, step), on_text, &texts, &why)
                                   : eventstream_feed(es, slice_of(copy, step), on_message, seen, &why);
        mem_free(copy);
        check(is_good == (why.code == FAULT_NONE) && (is_good || why.code == FAULT_UPSTREAM_STREAM));
        seen->is_broken = !is_good;
        check(eventstream_held_bytes(es) <= LIMIT_EVENTSTREAM_BYTES);
    }
    seen->held = is_bedrocks ? bedrock_held_bytes(b) : eventstream_held_bytes(es);
    sse_free(texts.sse);
    bedrock_free(b);
    eventstream_free(es);
}

/* Both sums of each message become right, as far as its lengths make sense. */
static void mend(struct buf *input)
{
    struct buf mended;
    buf_init(&mended);
    for (size_t at = 0; at < buf_len(input);) {
        const uint8_t *p = (const uint8_t *)buf_ptr(input) + at;
        size_t left = buf_len(input) - at, len = left >= 12 ? (size_t)p[2] << 8 | p[3] : left;
        if (left < 12 || p[0] || p[1] || len < 16 || len > left) {
            buf_append(&mended, slice_of((const char *)p, left));
            break;
        }
        size_t from = buf_len(&mended);
        framing_append_prelude(&mended, (uint32_t)len, (uint32_t)p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7]);
        buf_append(&mended, slice_of((const char *)p + 12, len - 16));
        framing_append_sum(&mended, from);
        at += len;
    }
    buf_clear(input);
    *input = mended;
}

static void compare(struct slice input, uint32_t seed, bool is_bedrocks)
{
    static const uint32_t longest[] = {1, 3, 17, 900};
    struct seen whole, cut;
    run(&whole, input, 0, 0, is_bedrocks);
    for (size_t i = 0; i < sizeof longest / sizeof longest[0]; i++) {
        run(&cut, input, seed, longest[i], is_bedrocks);
        check(slice_equal(buf_slice(&whole.messages), buf_slice(&cut.messages)));
        check(whole.is_broken == cut.is_broken && whole.held == cut.held);
        buf_clear(&cut.messages);
    }
    buf_clear(&whole.messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct buf input;
    if (len < 2) return 0;
    buf_init(&input);
    buf_append(&input, slice_of((const char *)bytes + 2, len - 2));
    if (bytes[1] & 1) mend(&input);
    compare(buf_slice(&input), bytes[0], false);
    compare(buf_slice(&input), bytes[0], true);
    buf_clear(&input);
    return 0;
}
