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

/* The first event of a text, each line of which is a name, data, or the blank one that ends it. */
static struct sse_event event_of(struct slice text)
{
    struct sse_event event = {.retry_ms = -1, .ends = true};
    struct slice rest = text, line = slice_split(rest, '\n', &rest);
    for (; line.len; line = slice_split(rest, '\n', &rest)) {
        if (slice_starts(line, SLICE("event: "))) event.name = slice_of(line.ptr + 7, line.len - 7);
        if (slice_starts(line, SLICE("data: "))) event.data = slice_of(line.ptr + 6, line.len - 6);
    }
    event.raw = slice_of(text.ptr, text.len - rest.len);
    return event;
}

bool event_errors(struct buf *text, answer_event_fn fn, void *arg)
{
    for (struct slice rest = buf_slice(text); rest.len;) {
        struct sse_event event = event_of(rest);
        if (!fn(arg, &event)) return false;
        rest = slice_of(rest.ptr + event.raw.len, rest.len - event.raw.len);
    }
    return true;
}
