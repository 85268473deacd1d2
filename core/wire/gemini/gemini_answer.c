/*
 * What an answer of Gemini's API says: a GenerateContentResponse, whole or a piece of a stream, or several of them in
 * a list. Source: Gemini API reference, GenerateContentResponse and Candidate.
 */
#include "wire/gemini/gemini_inner.h"


/* What a tool is asked: JSON, of any value. */
static void tell_value(struct said_telling *t, uint32_t value)
{
    bool is_value = value != JSON_NONE && json_type(t->tape, value) >= JSON_ARRAY &&
                    json_first(t->tape, value) != JSON_NONE;
    said_tell(t, value, SAID_CALL_ARGUMENTS);
    if (is_value) said_add_json(t->reader, value, t->text);
}

static void tell_call(struct said_telling *t, uint32_t call)
{
    static const struct gemini_name partial = {{"partialArgs", 11}, {"partial_args", 12}};
    if (!json_is(t->tape, call, JSON_OBJECT)) return;
    said_tell(t, json_get(t->tape, call, SLICE("name")), SAID_CALL_NAME);
    tell_value(t, json_get(t->tape, call, SLICE("args")));
    tell_value(t, gemini_get(t->tape, call, partial));
}

/* Results of tools that the provider runs are not the model's words. */
static void tell_part(struct said_telling *t, uint32_t part)
{
    static const struct gemini_name calls[] = {{{"functionCall", 12}, {"function_call", 13}},
                                               {{"toolCall", 8}, {"tool_call", 9}}},
                                    code = {{"executableCode", 14}, {"executable_code", 15}};
    bool is_thought = json_is(t->tape, json_get(t->tape, part, SLICE("thought")), JSON_TRUE);
    said_tell(t, json_get(t->tape, part, SLICE("text")), is_thought ? SAID_REASONING : SAID_CONTENT);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        tell_call(t, gemini_get(t->tape, part, calls[i]));
    said_tell(t, json_get(t->tape, gemini_get(t->tape, part, code), SLICE("code")), SAID_CALL_ARGUMENTS);
}

static void tell_parts(struct said_telling *t, uint32_t parts)
{
    uint32_t place = 0;
    if (!json_is(t->tape, parts, JSON_ARRAY)) return;
    for (uint32_t n = json_first(t->tape, parts); n != JSON_NONE; n = json_next(t->tape, n)) {
        t->text.call = place++;
        tell_part(t, n);
    }
}

/* ---- Candidates. */

/* In words, or as the number of one. The word of protocol buffers for what nobody has said says nothing here either. */
bool gemini_is_finish(const struct json_tape *tape, uint32_t reason)
{
    if (json_is(tape, reason, JSON_NUMBER)) return !slice_equal(json_raw(tape, reason), SLICE("0"));
    return json_is(tape, reason, JSON_STRING) && json_raw(tape, reason).len > 2 &&
           !json_text_is(tape, reason, SLICE("FINISH_REASON_UNSPECIFIED"));
}

static void keep_reason(struct dialect_stream *stream, const struct json_tape *tape, uint32_t reason)
{
    if (json_is(tape, reason, JSON_STRING)) {
        dialect_copy_text(stream->finish_reason, sizeof stream->finish_reason, tape, reason);
        return;
    }
    struct slice number = json_raw(tape, reason);
    size_t len = number.len < DIALECT_REASON_BYTES ? number.len : DIALECT_REASON_BYTES - 1;
    memcpy(stream->finish_reason, number.ptr, len);
    stream->finish_reason[len] = '\0';
}

static unsigned read_finish(struct dialect_stream *stream, const struct json_tape *tape, uint32_t candidate,
                            uint32_t index)
{
    static const struct gemini_name name = {{"finishReason", 12}, {"finish_reason", 13}};
    uint32_t reason = gemini_get(tape, candidate, name);
    if (!gemini_is_finish(tape, reason)) return 0;
    keep_reason(stream, tape, reason);
    dialect_finish_choice(stream, index);
    return SAID_FINISHED;
}

static uint32_t index_of(const struct json_tape *tape, uint32_t candidate, uint32_t place)
{
    int64_t index;
    uint32_t node = json_get(tape, candidate, SLICE("index"));
    bool is_number = json_is(tape, node, JSON_NUMBER) && json_to_i64(tape, node, &index);
    return is_number && index >= 0 && index < UINT32_MAX ? (uint32_t)index : place;
}

static unsigned read_candidates(struct said_telling *t, struct dialect_stream *stream, uint32_t candidates)
{
    unsigned what = 0;
    uint32_t place = 0;
    if (!json_is(t->tape, candidates, JSON_ARRAY)) return 0;
    for (uint32_t n = json_first(t->tape, candidates); n != JSON_NONE; n = json_next(t->tape, n)) {
        t->text.choice = index_of(t->tape, n, place++);
        tell_parts(t, json_get(t->tape, json_get(t->tape, n, SLICE("content")), SLICE("parts")));
        what |= read_finish(stream, t->tape, n, t->text.choice);
    }
    return what;
}

/* Of a prompt that was blocked no candidate comes. */
static unsigned read_block(struct dialect_stream *stream, const struct json_tape *tape, uint32_t object)
{
    static const struct gemini_name feedback = {{"promptFeedback", 14}, {"prompt_feedback", 15}},
                                    block = {{"blockReason", 11}, {"block_reason", 12}};
    uint32_t reason = gemini_get(tape, gemini_get(tape, object, feedback), block);
    if (!json_is(tape, reason, JSON_STRING)) return 0;
    dialect_copy_text(stream->finish_reason, sizeof stream->finish_reason, tape, reason);
    for (uint32_t i = 0; i < stream->choices_expected && i < DIALECT_CHOICES_MAX; i++)
        dialect_finish_choice(stream, i);
    return SAID_FINISHED;
}

/* ---- All of it. */

static unsigned read_error(struct dialect_stream *stream, const struct json_tape *tape, uint32_t object)
{
    uint32_t error = json_get(tape, object, SLICE("error"));
    if (error == JSON_NONE || json_is(tape, error, JSON_NULL)) return 0;
    stream->has_error = true;
    return SAID_ERROR;
}

static unsigned read_object(struct said_telling *t, struct dialect_stream *stream, uint32_t object)
{
    static const struct gemini_name version = {{"modelVersion", 12}, {"model_version", 13}};
    uint32_t model = gemini_get(t->tape, object, version);
    if (!stream->model[0] && json_is(t->tape, model, JSON_STRING))
        dialect_copy_text(stream->model, sizeof stream->model, t->tape, model);
    return read_error(stream, t->tape, object) | read_block(stream, t->tape, object) |
           read_candidates(t, stream, json_get(t->tape, object, SLICE("candidates")));
}

/* A stream's texts go on from piece to piece; those of an answer in one are apart. */
static unsigned read_all(struct said_reader *reader, struct dialect_stream *stream, bool is_whole)
{
    struct said_telling t = {.reader = reader, .tape = &reader->tape, .text = {.is_whole = is_whole}};
    unsigned what = 0;
    usage_read(&stream->usage, USAGE_SHAPE_GEMINI, t.tape);
    if (json_is(t.tape, 0, JSON_OBJECT)) return read_object(&t, stream, 0);
    for (uint32_t n = json_first(t.tape, 0); n != JSON_NONE; n = json_next(t.tape, n))
        what |= json_is(t.tape, n, JSON_OBJECT) ? read_object(&t, stream, n) : SAID_UNREADABLE;
    return what;
}

static unsigned read_event(struct said_reader *reader, struct dialect_stream *stream)
{
    return read_all(reader, stream, false);
}

void gemini_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body, struct said *said)
{
    struct fault why;
    bool has_mark = slice_starts(body, SLICE("\xEF\xBB\xBF"));
    said_begin(reader, said, has_mark ? slice_of(body.ptr + 3, body.len - 3) : body);
    bool is_json = json_parse(&reader->tape, said->json, &why);
    bool is_list = is_json && json_is(&reader->tape, 0, JSON_ARRAY) && json_first(&reader->tape, 0) != JSON_NONE;
    bool is_read = is_list || (is_json && json_is(&reader->tape, 0, JSON_OBJECT));
    said->what |= is_read ? read_all(reader, stream, !is_list) : SAID_UNREADABLE;
    if (is_json) said_end(reader, said);
}

/* Of a stream that is a JSON array the bracket that ends it is its end marker (wire/elements.h). */
void gemini_read_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name, struct slice data,
                       struct said *said)
{
    (void)name;
    said_begin(reader, said, data);
    if (slice_equal(data, SLICE("]"))) {
        stream->has_done = true;
        said->what = SAID_DONE;
        return;
    }
    dialect_read_json(reader, stream, said, read_event);
}

static bool all_finished(const struct dialect_stream *stream)
{
    for (uint32_t i = 0; i < stream->choices_expected && i < DIALECT_CHOICES_MAX; i++) {
        if (!(stream->finished[i / 64] >> i % 64 & 1)) return false;
    }
    return true;
}

/* Events have no end marker; a list that was closed says no more than its candidates do. */
enum dialect_end gemini_judge_end(const struct dialect_stream *stream)
{
    if (stream->has_error) return DIALECT_FAILED;
    if (!all_finished(stream)) return DIALECT_CUT;
    return stream->has_done ? DIALECT_COMPLETE : DIALECT_COMPLETE_UNMARKED;
}
