/*
 * What an answer of Amazon's Converse API says, whole or an event of its stream, in one walk over the members that may
 * hold it: a piece of an answer too large to be kept (wire/skim.h) has only some of them. Source: Amazon Bedrock API
 * reference, Converse, ConverseStream.
 */
#include "wire/converse/converse_inner.h"
#include "wire/exceptions.h"

/* What is generated beside citations is said as all else is. */
static void tell_cited(struct said_telling *t, uint32_t cited)
{
    uint32_t content = json_get(t->tape, cited, SLICE("content"));
    if (!json_is(t->tape, content, JSON_ARRAY)) return;
    for (uint32_t n = json_first(t->tape, content); n != JSON_NONE; n = json_next(t->tape, n))
        said_tell(t, json_get(t->tape, n, SLICE("text")), SAID_CONTENT);
}

/* What a tool is asked: an object, or in a stream pieces of its JSON. */
static void tell_call(struct said_telling *t, uint32_t call)
{
    uint32_t input = json_get(t->tape, call, SLICE("input"));
    said_tell(t, json_get(t->tape, call, SLICE("name")), SAID_CALL_NAME);
    said_tell(t, input, SAID_CALL_ARGUMENTS);
    if (json_is(t->tape, input, JSON_OBJECT) && json_first(t->tape, input) != JSON_NONE)
        said_add_json(t->reader, input, t->text);
}

/* A block, how one begins, or what is added to one: each is of one kind. */
static void tell_block(struct said_telling *t, uint32_t block)
{
    uint32_t thought = json_get(t->tape, block, SLICE("reasoningContent"));
    said_tell(t, json_get(t->tape, block, SLICE("text")), SAID_CONTENT);
    said_tell(t, json_get(t->tape, thought, SLICE("text")), SAID_REASONING);
    said_tell(t, json_get(t->tape, json_get(t->tape, thought, SLICE("reasoningText")), SLICE("text")), SAID_REASONING);
    tell_call(t, json_get(t->tape, block, SLICE("toolUse")));
    tell_cited(t, json_get(t->tape, block, SLICE("citationsContent")));
}

static uint32_t index_of(const struct json_tape *tape)
{
    int64_t index = 0;
    uint32_t number = json_get(tape, 0, SLICE("contentBlockIndex"));
    if (json_is(tape, number, JSON_NUMBER)) json_to_i64(tape, number, &index);
    return index > 0 && index < UINT32_MAX ? (uint32_t)index : 0;
}

static void tell_texts(struct said_reader *reader)
{
    struct said_telling t = {.reader = reader, .tape = &reader->tape};
    uint32_t message = json_get(t.tape, json_get(t.tape, 0, SLICE("output")), SLICE("message"));
    t.text.call = index_of(t.tape);
    tell_block(&t, json_get(t.tape, 0, SLICE("start")));
    tell_block(&t, json_get(t.tape, 0, SLICE("delta")));
    said_tell_blocks(&t, json_get(t.tape, message, SLICE("content")), tell_block);
}

static unsigned read_finish(struct dialect_stream *stream, const struct json_tape *tape)
{
    uint32_t reason = json_get(tape, 0, SLICE("stopReason"));
    if (!json_is(tape, reason, JSON_STRING)) return 0;
    dialect_copy_text(stream->finish_reason, sizeof stream->finish_reason, tape, reason);
    dialect_finish_choice(stream, 0);
    return SAID_FINISHED;
}

/* Of a router's prompt the model that it chose. */
static void read_model(struct dialect_stream *stream, const struct json_tape *tape)
{
    uint32_t router = json_get(tape, json_get(tape, 0, SLICE("trace")), SLICE("promptRouter"));
    uint32_t model = json_get(tape, router, SLICE("invokedModelId"));
    if (!stream->model[0] && json_is(tape, model, JSON_STRING))
        dialect_copy_text(stream->model, sizeof stream->model, tape, model);
}

static unsigned read_object(struct said_reader *reader, struct dialect_stream *stream)
{
    const struct json_tape *tape = &reader->tape;
    usage_read(&stream->usage, USAGE_SHAPE_CONVERSE, tape);
    read_model(stream, tape);
    tell_texts(reader);
    return read_finish(stream, tape);
}

/* Of an answer in one piece: an error has a text, and no output. */
static unsigned read_whole(struct said_reader *reader, struct dialect_stream *stream)
{
    const struct json_tape *tape = &reader->tape;
    bool has_message = json_is(tape, json_get(tape, 0, SLICE("message")), JSON_STRING) ||
                       json_is(tape, json_get(tape, 0, SLICE("Message")), JSON_STRING);
    bool is_error = has_message && json_get(tape, 0, SLICE("output")) == JSON_NONE;
    stream->has_error |= is_error;
    return read_object(reader, stream) | (is_error ? SAID_ERROR : 0);
}

void converse_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body,
                        struct said *said)
{
    dialect_read_body(reader, stream, body, said, read_whole);
}

/* What an answer used is told last of all, behind why it stopped: that is its end. */
void converse_read_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name,
                         struct slice data, struct said *said)
{
    said_begin(reader, said, data);
    if (exceptions_has_name(name)) {
        stream->has_error = true;
        said->what = SAID_ERROR;
    }
    if (slice_equal(name, SLICE("contentBlockStop"))) said->what |= SAID_PART_ENDS;
    dialect_read_json(reader, stream, said, read_object);
    bool is_last = slice_equal(name, SLICE("metadata")) && stream->finished[0] && !(said->what & SAID_UNREADABLE);
    stream->has_done |= is_last;
    said->what |= is_last ? SAID_DONE : 0;
}

/* Without what it used an answer is whole all the same, where its framing ended in order. */
enum dialect_end converse_judge_end(const struct dialect_stream *stream)
{
    if (stream->has_error) return DIALECT_FAILED;
    if (stream->has_done) return DIALECT_COMPLETE;
    return stream->finished[0] ? DIALECT_COMPLETE_UNMARKED : DIALECT_CUT;
}
