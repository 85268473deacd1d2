#include "wire/translate/event.h"

static size_t head_len(const char *name)
{
    return (name ? strlen("event: \n") + strlen(name) : 0) + strlen("data: ");
}

void event_begin(struct buf *text, const char *name)
{
    buf_reset(text);
    if (name) {
        buf_append(text, SLICE("event: "));
        buf_append(text, slice_str(name));
        buf_append_char(text, '\n');
    }
    buf_append(text, SLICE("data: "));
}

bool event_end(struct buf *text, const char *name, answer_event_fn fn, void *arg)
{
    size_t from = head_len(name), to = buf_len(text);
    buf_append(text, SLICE("\n\n"));
    return fn(arg, &(struct sse_event){.raw = buf_slice(text),
                                       .data = slice_of(buf_ptr(text) + from, to - from),
                                       .name = name ? slice_str(name) : SLICE_NONE,
                                       .retry_ms = -1,
                                       .ends = true});
}

bool event_comment(struct buf *text, struct slice comment, answer_event_fn fn, void *arg)
{
    buf_reset(text);
    buf_append(text, SLICE(": "));
    buf_append(text, comment);
    buf_append(text, SLICE("\n\n"));
    return fn(arg, &(struct sse_event){
                       .raw = buf_slice(text), .retry_ms = -1, .is_comment_only = true, .ends = true});
}

bool event_body(struct buf *text, answer_event_fn fn, void *arg)
{
    return fn(arg, &(struct sse_event){
                       .raw = buf_slice(text), .data = buf_slice(text), .retry_ms = -1, .ends = true});
}

bool event_error(struct buf *text, answer_event_fn fn, void *arg)
{
    struct slice raw = buf_slice(text), name = SLICE_NONE;
    const char *data = memmem(raw.ptr, raw.len, "data: ", 6);
    const char *end = memmem(data, raw.len - (size_t)(data - raw.ptr), "\n\n", 2);
    if (slice_starts(raw, SLICE("event: error\n"))) name = slice_of(raw.ptr + 7, 5);
    size_t from = (size_t)(data - raw.ptr) + 6;
    return fn(arg, &(struct sse_event){.raw = raw,
                                       .data = slice_of(raw.ptr + from, (size_t)(end - raw.ptr) - from),
                                       .name = name,
                                       .retry_ms = -1,
                                       .ends = true});
}
