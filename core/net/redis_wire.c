#include "net/redis_inner.h"

/* https://redis.io/docs/reference/protocol-spec/: an array of bulk strings. */

static void add_length(struct buf *to, char type, size_t length)
{
    buf_append_char(to, type);
    buf_append_u64(to, length);
    buf_append(to, SLICE("\r\n"));
}

void redis_wire_begin(struct buf *to, size_t parts)
{
    add_length(to, '*', parts);
}

void redis_wire_add(struct buf *to, struct slice part)
{
    add_length(to, '$', part.len);
    buf_append(to, part);
    buf_append(to, SLICE("\r\n"));
}

void redis_wire_command(struct buf *to, const struct slice *parts, size_t count)
{
    redis_wire_begin(to, count);
    for (size_t i = 0; i < count; i++)
        redis_wire_add(to, parts[i]);
}
