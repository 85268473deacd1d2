#include "wire/redact_event.h"

bool redact_event_has(struct slice whole, struct slice part)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

void redact_event_write(struct buf *out, const struct sse_event *event, struct slice data, size_t *at)
{
    if (redact_event_has(event->raw, event->data)) {
        size_t before = (size_t)(event->data.ptr - event->raw.ptr), behind = before + event->data.len;
        buf_append(out, slice_of(event->raw.ptr, before));
        *at = buf_len(out);
        buf_append(out, data);
        buf_append(out, slice_of(event->raw.ptr + behind, event->raw.len - behind));
        return;
    }
    if (event->name.len) buf_printf(out, "event: %.*s\n", SLICE_FMT(event->name));
    if (event->id.len) buf_printf(out, "id: %.*s\n", SLICE_FMT(event->id));
    buf_append(out, SLICE("data: "));
    *at = buf_len(out);
    for (size_t i = 0; i < data.len; i++)
        buf_append_char(out, data.ptr[i] == '\n' ? ' ' : data.ptr[i]);
    if (!event->is_tail) buf_append(out, SLICE("\n\n"));
}
