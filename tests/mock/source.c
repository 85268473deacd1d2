#include "source.h"

#include "base/mem.h"

struct bytes_source {
    struct source base;
    struct buf body;
};

static bool bytes_next(struct source *s, struct buf *piece)
{
    struct bytes_source *b = (struct bytes_source *)s;
    if (buf_len(&b->body) == 0) return false;
    buf_append(piece, buf_slice(&b->body));
    buf_reset(&b->body);
    return true;
}

static void bytes_free(struct source *s)
{
    buf_clear(&((struct bytes_source *)s)->body);
}

struct source *source_of_bytes(int status, const char *content_type, struct slice body, uint64_t tokens)
{
    struct bytes_source *b = mem_zalloc(1, sizeof *b);
    b->base = (struct source){.next = bytes_next, .free = bytes_free, .status = status, .content_type = content_type,
                              .tokens = tokens};
    buf_append(&b->body, body);
    return &b->base;
}

void source_free(struct source *s)
{
    if (!s) return;
    s->free(s);
    buf_clear(&s->headers);
    mem_free(s);
}

void source_append_error(struct buf *out, const char *type, const char *code, const char *message)
{
    buf_append(out, SLICE("{\"error\":{\"message\":"));
    buf_append_json(out, slice_str(message));
    buf_append(out, SLICE(",\"type\":"));
    buf_append_json(out, slice_str(type));
    buf_append(out, SLICE(",\"param\":null,\"code\":"));
    if (code)
        buf_append_json(out, slice_str(code));
    else
        buf_append(out, SLICE("null"));
    buf_append(out, SLICE("}}"));
}

struct source *source_of_error(int status, const char *type, const char *code, const char *message)
{
    struct buf body;
    buf_init(&body);
    source_append_error(&body, type, code, message);
    struct source *s = source_of_bytes(status, "application/json", buf_slice(&body), 0);
    buf_clear(&body);
    return s;
}
