#include "ledger/sink/sink.h"

static void add_text(struct buf *out, const char *before, struct slice text)
{
    buf_append(out, slice_str(before));
    buf_append_json(out, text);
}

/* The entry goes on behind what is put before it: it is an object that is not empty. */
void sink_write(struct buf *out, const struct sink_notice *n)
{
    add_text(out, "{\"receiver\":", n->receiver);
    if (n->address.len) add_text(out, ",\"address\":", n->address);
    add_text(out, ",\"gateway\":", n->gateway);
    buf_append_char(out, ',');
    buf_append(out, slice_of(n->entry.ptr + 1, n->entry.len - 1));
}
