/*
 * Streams of Gemini's that are arrays: any partition of the input gives the same elements, which say the same, and all
 * raw bytes in a row are the input.
 *
 * The first byte seeds the partition, the second is a small bound of what is kept.
 */
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "wire/dialect.h"
#include "wire/elements.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct seen {
    struct buf events, raw;
    struct said_reader reader;
    struct dialect_stream stream;
    size_t max;
    bool in_pieces;
};

static void read_element(struct seen *seen, const struct sse_event *e)
{
    struct said said;
    struct arena arena;
    arena_init(&arena);
    dialect_gemini.read_event(&seen->reader, &seen->stream, e->name, e->data, &said);
    for (uint32_t i = 0; i < said.text_count; i++) {
        check(said.texts[i].at + said.texts[i].len <= said.json.len);
        buf_append(&seen->events, said_decode(&said, &said.texts[i], &arena));
    }
    buf_append_u64(&seen->events, said.what);
    arena_clear(&arena);
}

static void on_event(void *arg, const struct sse_event *e)
{
    struct seen *seen = arg;
    buf_append(&seen->raw, e->raw);
    check(e->raw.len > 0 && !e->is_comment_only);
    if (e->is_raw) {
        if (!seen->in_pieces) buf_append(&seen->events, SLICE("pieces\n"));
        seen->in_pieces = !e->ends;
        return;
    }
    check(!seen->in_pieces && e->ends == !e->is_tail);
    bool is_last = e->data.ptr + e->data.len == e->raw.ptr + e->raw.len;
    check(e->is_tail || (e->raw.len <= seen->max && e->data.ptr[0] == '{' && is_last));
    buf_append_char(&seen->events, e->is_tail ? 't' : '\n');
    buf_append(&seen->events, e->raw);
    buf_append(&seen->events, e->data);
    read_element(seen, e);
}

/* Spans of 1 to `longest` bytes, or all at once when that is 0; each a copy of exact size. */
static void run(struct seen *seen, struct slice input, uint32_t seed, uint32_t longest, size_t max)
{
    struct elements *list = elements_new(max);
    *seen = (struct seen){.max = max};
    said_reader_init(&seen->reader);
    dialect_stream_init(&seen->stream, 1);
    for (size_t at = 0, step; at < input.len; at += step) {
        seed = seed * 1664525u + 1013904223u;
        step = longest ? 1 + (seed >> 16) % longest : input.len;
        if (step > input.len - at) step = input.len - at;
        char *copy = mem_alloc(step);
        memcpy(copy, input.ptr + at, step);
        elements_feed(list, slice_of(copy, step), on_event, seen);
        mem_free(copy);
    }
    elements_finish(list, on_event, seen);
    check(slice_equal(buf_slice(&seen->raw), input));
    elements_free(list);
    said_reader_clear(&seen->reader);
}

static void clear(struct seen *seen)
{
    buf_clear(&seen->events);
    buf_clear(&seen->raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 2) return 0;
    struct slice input = slice_of((const char *)bytes + 2, len - 2);
    struct seen whole, cut;
    size_t max = bytes[1] % 8 ? 1000u : 16u + bytes[1];
    run(&whole, input, 0, 0, max);
    run(&cut, input, bytes[0], 1 + bytes[0] % 9, max);
    check(slice_equal(buf_slice(&whole.events), buf_slice(&cut.events)));
    check(whole.in_pieces == cut.in_pieces);
    check(dialect_gemini.judge_end(&whole.stream) == dialect_gemini.judge_end(&cut.stream));
    clear(&whole);
    clear(&cut);
    return 0;
}
