/*
 * What an answer of Anthropic's API says, whole or an event of a stream, in one walk over the members that may hold it:
 * a piece of an answer too large to be kept (wire/skim.h) has only some of them. Source: Anthropic API reference,
 * POST /v1/messages and "Streaming messages".
 */
#include "wire/anthropic/anthropic_inner.h"

/* What a tool is asked: text as it comes, or an object, which a block that only begins has empty. */
static void tell_input(struct said_telling *t, uint32_t input)
{
    bool is_object = json_is(t->tape, input, JSON_OBJECT) && json_first(t->tape, input) != JSON_NONE;
    t->text.kind = SAID_CALL_ARGUMENTS;
    if (is_object) said_add_json(t->reader, input, t->text);
}

/* A block, or what is added to one. Results of tools that the provider runs are not the model's words. */
static void tell_block(struct said_telling *t, uint32_t block)
{
    const struct json_tape *tape = t->tape;
    uint32_t input = json_get(tape, block, SLICE("input"));
    said_tell(t, json_get(tape, block, SLICE("text")), SAID_CONTENT);
    said_tell(t, json_get(tape, block, SLICE("thinking")), SAID_REASONING);
    said_tell(t, json_get(tape, block, SLICE("partial_json")), SAID_CALL_ARGUMENTS);
    if (input != JSON_NONE) said_tell(t, json_get(tape, block, SLICE("name")), SAID_CALL_NAME);
    tell_input(t, input);
    if (json_text_is(tape, json_get(tape, block, SLICE("type")), SLICE("compaction")) ||
        json_text_is(tape, json_get(tape, block, SLICE("type")), SLICE("compaction_delta")))
        said_tell(t, json_get(tape, block, SLICE("content")), SAID_CONTENT);
}

static uint32_t index_of(const struct json_tape *tape)
{
    int64_t index = 0;
    uint32_t number = json_get(tape, 0, SLICE("index"));
    if (json_is(tape, number, JSON_NUMBER)) json_to_i64(tape, number, &index);
    return index > 0 && index < UINT32_MAX ? (uint32_t)index : 0;
}

static void tell_texts(struct said_reader *reader, uint32_t message)
{
    struct said_telling t = {.reader = reader, .tape = &reader->tape};
    t.text.call = index_of(t.tape);
    tell_block(&t, json_get(t.tape, 0, SLICE("content_block")));
    tell_block(&t, json_get(t.tape, 0, SLICE("delta")));
    said_tell_blocks(&t, json_get(t.tape, message, SLICE("content")), tell_block);
}

static unsigned read_finish(struct dialect_stream *stream, const struct json_tape *tape, uint32_t object)
{
    uint32_t reason = json_get(tape, object, SLICE("stop_reason"));
    if (!json_is(tape, reason, JSON_STRING)) return 0;
    dialect_copy_text(stream->finish_reason, sizeof stream->finish_reason, tape, reason);
    stream->finished[0] |= 1;
    return SAID_FINISHED;
}

/* Of an answer in one piece the message is the root, and "error" a block of nothing. */
static bool is_error(const struct json_tape *tape)
{
    return json_text_is(tape, json_get(tape, 0, SLICE("type")), SLICE("error")) ||
           json_is(tape, json_get(tape, 0, SLICE("error")), JSON_OBJECT);
}

static unsigned what_is(struct dialect_stream *stream, const struct json_tape *tape)
{
    uint32_t type = json_get(tape, 0, SLICE("type"));
    if (is_error(tape)) {
        stream->has_error = true;
        return SAID_ERROR;
    }
    if (json_text_is(tape, type, SLICE("content_block_stop"))) return SAID_PART_ENDS;
    if (!json_text_is(tape, type, SLICE("message_stop"))) return 0;
    stream->has_done = true;
    return SAID_DONE;
}

static unsigned read_object(struct said_reader *reader, struct dialect_stream *stream)
{
    const struct json_tape *tape = &reader->tape;
    uint32_t message = json_get(tape, 0, SLICE("message"));
    if (!json_is(tape, message, JSON_OBJECT)) message = 0;
    uint32_t model = json_get(tape, message, SLICE("model"));
    unsigned what = what_is(stream, tape);
    usage_read(&stream->usage, USAGE_SHAPE_ANTHROPIC, tape);
    if (!stream->model[0] && json_is(tape, model, JSON_STRING))
        dialect_copy_text(stream->model, sizeof stream->model, tape, model);
    tell_texts(reader, message);
    return what | read_finish(stream, tape, message) |
           read_finish(stream, tape, json_get(tape, 0, SLICE("delta")));
}

void anthropic_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body,
                         struct said *said)
{
    dialect_read_body(reader, stream, body, said, read_object);
}

/* The client's library raises an event of the name "error" whatever is in it. */
void anthropic_read_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name,
                          struct slice data, struct said *said)
{
    said_begin(reader, said, data);
    if (slice_equal(name, SLICE("error"))) {
        stream->has_error = true;
        said->what = SAID_ERROR;
    }
    dialect_read_json(reader, stream, said, read_object);
}

/* A stop reason alone is no end: the client's library waits for message_stop. */
enum dialect_end anthropic_judge_end(const struct dialect_stream *stream)
{
    if (stream->has_error) return DIALECT_FAILED;
    return stream->has_done ? DIALECT_COMPLETE : DIALECT_CUT;
}
