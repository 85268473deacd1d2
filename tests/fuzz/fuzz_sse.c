/*
 * The SSE parser: any partition of the input gives the same events, and all raw bytes in a row are the input.
 *
 * The first byte seeds the partition; one in eight of its values puts a line of nearly LIMIT_EVENT_BYTES before the
 * input, so that the bound is met.
 */
#include <stdlib.h>
#include <string.h>

#include "../unit/wire/sse_lines.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct seen {
    struct buf events, raw;
    bool in_pieces;
};

static void add(struct buf *to, struct slice s)
{
    buf_append_u64(to, s.len);
    buf_append_char(to, ':');
    buf_append(to, s);
}

static void on_event(void *arg, const struct sse_event *e)
{
    struct seen *seen = arg;
    buf_append(&seen->raw, e->raw);
    check(e->raw.len > 0 || (e->is_raw && e->ends));
    if (e->is_raw) {
        if (!seen->in_pieces) buf_append(&seen->events, SLICE("pieces\n"));
        seen->in_pieces = !e->ends;
        return;
    }
    check(!seen->in_pieces && e->raw.len <= LIMIT_EVENT_BYTES && e->ends == !e->is_tail);
    check(!e->is_comment_only || e->data.len == 0);
    if (!e->is_tail && e->raw.len < 5000) check(lines_say_the_same(e));
    add(&seen->events, e->raw);
    add(&seen->events, e->data);
    add(&seen->events, e->name);
    add(&seen->events, e->id);
    buf_append_u64(&seen->events, (uint64_t)e->retry_ms);
    buf_append_char(&seen->events, e->is_comment_only ? '-' : '+');
    buf_append_char(&seen->events, e->is_tail ? 't' : '\n');
}

/* Spans of 1 to `longest` bytes, or all at once when that is 0; each a copy of exact size. */
static void run(struct seen *seen, struct slice input, uint32_t seed, uint32_t longest)
{
    struct sse_parser *p = sse_new();
    *seen = (struct seen){0};
    for (size_t at = 0, step; at < input.len; at += step) {
        seed = seed * 1664525u + 1013904223u;
        step = longest ? 1 + (seed >> 16) % longest : input.len;
        if (step > input.len - at) step = input.len - at;
        char *copy = mem_alloc(step);
        memcpy(copy, input.ptr + at, step);
        sse_feed(p, slice_of(copy, step), on_event, seen);
        mem_free(copy);
        check(sse_held_bytes(p) <= LIMIT_EVENT_BYTES);
        check(sse_is_at_boundary(p) == !seen->in_pieces);
    }
    sse_finish(p, on_event, seen);
    check(sse_held_bytes(p) == 0 && sse_is_at_boundary(p) == !seen->in_pieces);
    check(slice_equal(buf_slice(&seen->raw), input));
    sse_free(p);
}

static void clear(struct seen *seen)
{
    buf_clear(&seen->events);
    buf_clear(&seen->raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint32_t longest[] = {1, 2, 5, 40, 5000};
    struct buf input;
    struct seen whole, cut;
    if (len == 0) return 0;
    buf_init(&input);
    uint32_t choice = bytes[0];
    size_t fill = (choice & 7) == 1 ? LIMIT_EVENT_BYTES - (choice >> 3) : 0;
    if (fill) memset(buf_reserve(&input, fill), 'x', fill);
    buf_grew(&input, fill);
    buf_append(&input, slice_of((const char *)bytes + 1, len - 1));
    run(&whole, buf_slice(&input), 0, 0);
    for (size_t i = fill ? 3 : 0; i < sizeof longest / sizeof longest[0]; i++) {
        run(&cut, buf_slice(&input), choice, longest[i]);
        check(slice_equal(buf_slice(&whole.events), buf_slice(&cut.events)));
        check(whole.in_pieces == cut.in_pieces);
        clear(&cut);
    }
    clear(&whole);
    buf_clear(&input);
    return 0;
}
