#include "testkit/answer.h"

#include "wire/dialect.h"
#include "wire/said.h"
#include "wire/sse.h"

static void write_reason(const struct answer *a, struct buf *out)
{
    buf_append(out, SLICE(",\"finish_reason\":"));
    buf_append_json(out, a->finish_reason.len ? a->finish_reason : SLICE("stop"));
}

void answer_write_body(const struct answer *a, struct buf *out)
{
    if (a->status >= 300) {
        buf_append(out, SLICE("{\"error\":{\"message\":"));
        buf_append_json(out, a->text);
        buf_append(out, SLICE("}}"));
        return;
    }
    buf_append(out, SLICE("{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"));
    buf_append_json(out, a->text);
    buf_append_char(out, '}');
    write_reason(a, out);
    buf_append(out, SLICE("}]}"));
}

void answer_write_chunk(struct slice text, struct buf *out)
{
    buf_append(out, SLICE("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":"));
    buf_append_json(out, text);
    buf_append(out, SLICE("}}]}\n\n"));
}

void answer_write_end(const struct answer *a, struct buf *out)
{
    buf_append(out, SLICE("data: {\"choices\":[{\"index\":0,\"delta\":{}"));
    write_reason(a, out);
    buf_append(out, SLICE("}]}\n\ndata: [DONE]\n\n"));
}

struct reading {
    const struct dialect *dialect;
    struct dialect_stream stream;
    struct said_reader reader;
    struct buf *text;
};

static void on_event(void *arg, const struct sse_event *event)
{
    struct reading *r = arg;
    struct said said;
    if (event->is_comment_only || event->is_raw) return;
    r->dialect->read_event(&r->reader, &r->stream, event->name, event->data, &said);
    said_append_text(&said, r->text);
}

static void read_whole(struct reading *r, struct slice bytes)
{
    struct arena arena;
    struct said said;
    arena_init(&arena);
    r->dialect->read_body(&r->reader, &r->stream, bytes, &said);
    uint32_t error = said.tape ? json_get(said.tape, 0, SLICE("error")) : JSON_NONE;
    uint32_t message = error != JSON_NONE ? json_get(said.tape, error, SLICE("message")) : JSON_NONE;
    if (json_is(said.tape, message, JSON_STRING))
        buf_append(r->text, json_text(said.tape, message, &arena));
    else
        said_append_text(&said, r->text);
    arena_clear(&arena);
}

void answer_read(struct slice bytes, bool is_stream, struct buf *text)
{
    struct reading r = {.dialect = dialect_find(SLICE("openai")), .text = text};
    said_reader_init(&r.reader);
    dialect_stream_init(&r.stream, 1);
    if (is_stream) {
        struct sse_parser *sse = sse_new();
        sse_feed(sse, bytes, on_event, &r);
        sse_free(sse);
    } else {
        read_whole(&r, bytes);
    }
    said_reader_clear(&r.reader);
}
