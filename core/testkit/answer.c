#include "testkit/answer.h"

#include <string.h>

#include "wire/dialect.h"
#include "wire/said.h"
#include "wire/sse.h"

/* One dialect's way: what stands before, between and behind texts and reasons. */
struct form {
    const char *dialect;  /* its name */
    const char *said_all; /* the reason of an answer that ends by itself */
    const char *body_begin, *body_between, *body_end;
    const char *begin;
    const char *chunk_begin, *chunk_end;
    const char *end_begin, *end_end;
};

static const struct form forms[] = {
    {.dialect = "openai",
     .said_all = "stop",
     .body_begin = "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":",
     .body_between = "},\"finish_reason\":",
     .body_end = "}]}",
     .begin = "",
     .chunk_begin = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":",
     .chunk_end = "}}]}\n\n",
     .end_begin = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":",
     .end_end = "}]}\n\ndata: [DONE]\n\n"},
    {.dialect = "anthropic",
     .said_all = "end_turn",
     .body_begin = "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":",
     .body_between = "}],\"stop_reason\":",
     .body_end = "}",
     .begin = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"type\":\"message\",\"role\":"
              "\"assistant\",\"content\":[],\"stop_reason\":null}}\n\n"
              "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
              "{\"type\":\"text\",\"text\":\"\"}}\n\n",
     .chunk_begin = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                    "{\"type\":\"text_delta\",\"text\":",
     .chunk_end = "}}\n\n",
     .end_begin = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
                  "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":",
     .end_end = "}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
    {.dialect = "responses",
     .said_all = "completed",
     .body_begin = "{\"object\":\"response\",\"output\":[{\"type\":\"message\",\"role\":\"assistant\",\"content\":"
                   "[{\"type\":\"output_text\",\"text\":",
     .body_between = "}]}],\"status\":",
     .body_end = "}",
     .begin = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"object\":\"response\","
              "\"status\":\"in_progress\",\"output\":[]}}\n\n",
     .chunk_begin = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\","
                    "\"output_index\":0,\"content_index\":0,\"delta\":",
     .chunk_end = "}\n\n",
     .end_begin = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"object\":"
                  "\"response\",\"output\":[],\"status\":",
     .end_end = "}}\n\n"},
    {.dialect = "gemini",
     .said_all = "STOP",
     .body_begin = "{\"candidates\":[{\"index\":0,\"content\":{\"role\":\"model\",\"parts\":[{\"text\":",
     .body_between = "}]},\"finishReason\":",
     .body_end = "}]}",
     .begin = "",
     .chunk_begin = "data: {\"candidates\":[{\"index\":0,\"content\":{\"role\":\"model\",\"parts\":[{\"text\":",
     .chunk_end = "}]}}]}\n\n",
     .end_begin = "data: {\"candidates\":[{\"index\":0,\"finishReason\":",
     .end_end = "}]}\n\n"},
};

static const struct form *form_of(const struct dialect *dialect)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (dialect && strcmp(forms[i].dialect, dialect->name) == 0) return &forms[i];
    }
    return &forms[0];
}

const struct dialect *answer_dialect(const struct exchange *x)
{
    return dialect_find(slice_str(form_of(x->request.dialect)->dialect));
}

static void write_around(struct buf *out, const char *begin, struct slice text, const char *end)
{
    buf_append(out, slice_str(begin));
    buf_append_json(out, text);
    buf_append(out, slice_str(end));
}

struct slice answer_reason(const struct answer *a)
{
    return a->finish_reason.len ? a->finish_reason : slice_str(form_of(a->dialect)->said_all);
}

void answer_write_body(const struct answer *a, struct buf *out)
{
    const struct form *form = form_of(a->dialect);
    if (a->status >= 300) {
        write_around(out, "{\"type\":\"error\",\"error\":{\"message\":", a->text, "}}");
        return;
    }
    write_around(out, form->body_begin, a->text, form->body_between);
    write_around(out, "", answer_reason(a), form->body_end);
}

void answer_write_begin(const struct answer *a, struct buf *out)
{
    buf_append(out, slice_str(form_of(a->dialect)->begin));
}

void answer_write_chunk(const struct answer *a, struct slice text, struct buf *out)
{
    const struct form *form = form_of(a->dialect);
    write_around(out, form->chunk_begin, text, form->chunk_end);
}

void answer_write_end(const struct answer *a, struct buf *out)
{
    const struct form *form = form_of(a->dialect);
    write_around(out, form->end_begin, answer_reason(a), form->end_end);
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

void answer_read(const struct dialect *dialect, struct slice bytes, bool is_stream, struct buf *text)
{
    struct reading r = {.dialect = dialect, .text = text};
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
