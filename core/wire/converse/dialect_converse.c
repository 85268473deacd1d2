/*
 * The dialect of Amazon Bedrock's Converse API. No client speaks it here: what it says is translated, so there is
 * nothing that reads its requests, nor tells its clients of errors.
 * Source: Amazon Bedrock API reference, Converse and ConverseStream.
 */
#include "wire/converse/converse_answers.h"
#include "wire/converse/converse_inner.h"
#include "wire/converse/converse_translate.h"
#include "wire/http.h"

static const char *path(enum chat_kind kind)
{
    return kind == CHAT_CHAT ? "/converse" : NULL;
}

/* The model's name, which may be an ARN, is one segment. */
static struct slice path_to(const struct chat_request *r, struct slice model, struct arena *arena)
{
    struct buf out;
    buf_init(&out);
    buf_append(&out, SLICE("/model/"));
    http_encode_segment(&out, model);
    buf_append(&out, r->is_stream ? SLICE("/converse-stream") : SLICE("/converse"));
    struct slice text = arena_copy(arena, buf_slice(&out));
    buf_clear(&out);
    return text;
}

const struct dialect dialect_converse = {
    .name = "converse",
    .request_translation = &converse_request_translation,
    .path = path,
    .path_to = path_to,
    .key_header = {{"authorization", 13}, {"Bearer ", 7}},
    .read_body = converse_read_body,
    .read_event = converse_read_event,
    .judge_end = converse_judge_end,
    .answers = &converse_answers,
    .request_id_header = {"x-amzn-requestid", 16},
};
