/*
 * The dialect of Amazon Bedrock's Converse API. No client speaks it here: what it says is translated, so there is
 * nothing that reads its requests, nor tells its clients of errors.
 * Source: Amazon Bedrock API reference, Converse and ConverseStream.
 */
#include "wire/converse/converse_answers.h"
#include "wire/converse/converse_inner.h"
#include "wire/converse/converse_translate.h"

/* What it has: wire/reach.h writes the path, which names the model too. */
static const char *path(enum chat_kind kind)
{
    return kind == CHAT_CHAT ? "/converse" : NULL;
}

const struct dialect dialect_converse = {
    .name = "converse",
    .request_translation = &converse_request_translation,
    .path = path,
    .key_header = {{"authorization", 13}, {"Bearer ", 7}},
    .read_body = converse_read_body,
    .read_event = converse_read_event,
    .judge_end = converse_judge_end,
    .answers = &converse_answers,
    .request_id_header = {"x-amzn-requestid", 16},
};
