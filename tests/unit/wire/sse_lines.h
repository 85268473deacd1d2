/* An event's lines read in pieces (wire/sse.h's sse_lines) against the event as the parser gives it whole. */
#ifndef MOONGATE_TESTS_UNIT_WIRE_SSE_LINES_H
#define MOONGATE_TESTS_UNIT_WIRE_SSE_LINES_H

#include <string.h>

#include "base/buf.h"
#include "wire/sse.h"

static inline void lines_append(void *arg, struct slice data)
{
    buf_append(arg, data);
}

static inline bool lines_are_same(const struct sse_event *e, size_t step)
{
    struct sse_lines lines = {0};
    struct buf data = {0};
    for (size_t at = 0; at < e->raw.len; at += step) {
        size_t left = e->raw.len - at;
        sse_lines_feed(&lines, slice_of(e->raw.ptr + at, step < left ? step : left), lines_append, &data);
    }
    struct slice name = e->name.len < SSE_NAME_BYTES ? e->name : slice_of(e->name.ptr, SSE_NAME_BYTES);
    bool is_same = slice_equal(e->data, buf_slice(&data)) && slice_equal(name, sse_lines_name(&lines));
    buf_clear(&data);
    return is_same;
}

/* However they are cut. A byte order mark stands at the beginning of the stream alone: such events are not looked at. */
static inline bool lines_say_the_same(const struct sse_event *e)
{
    if (memchr(e->raw.ptr, 0xEF, e->raw.len)) return true;
    for (size_t step = 1; step <= e->raw.len && step < 10; step += 4) {
        if (!lines_are_same(e, step)) return false;
    }
    return true;
}

#endif
