/*
 * The dialect of the OpenAI API, and of the many providers that speak it more or less.
 * Source: OpenAI API reference, chat, completions, embeddings; what providers were seen to send.
 */
#include "wire/kept_answer.h"
#include "wire/openai/openai_inner.h"
#include "wire/openai/openai_message.h"
#include "wire/openai/openai_told.h"
#include "wire/openai/openai_translate.h"

static const char *path(enum chat_kind kind)
{
    static const char *const paths[CHAT_KINDS] = {
        [CHAT_CHAT] = "/chat/completions",
        [CHAT_COMPLETIONS] = "/completions",
        [CHAT_EMBEDDINGS] = "/embeddings",
        [CHAT_MODERATIONS] = "/moderations",
        [CHAT_RERANK] = "/rerank",
        [CHAT_IMAGES] = "/images/generations",
        [CHAT_IMAGE_EDITS] = "/images/edits",
        [CHAT_IMAGE_VARIATIONS] = "/images/variations",
        [CHAT_SPEECH] = "/audio/speech",
        [CHAT_TRANSCRIPTIONS] = "/audio/transcriptions",
        [CHAT_TRANSLATIONS] = "/audio/translations",
        [CHAT_FILES] = "/files",
        [CHAT_BATCHES] = "/batches",
    };
    return paths[kind];
}

/* What JavaScript's `if (value)` sees: the official client raises any such "error". */
static bool is_truthy(const struct json_tape *tape, uint32_t node)
{
    if (node == JSON_NONE) return false;
    switch (json_type(tape, node)) {
    case JSON_NULL:
    case JSON_FALSE: return false;
    case JSON_NUMBER: return json_to_double(tape, node) != 0;
    case JSON_STRING: return json_raw(tape, node).len > 2;
    case JSON_TRUE:
    case JSON_ARRAY:
    case JSON_OBJECT: return true;
    }
    return false;
}

/* Members that may go with a usage chunk that is left out. What else a chunk without choices holds (Azure's
 * prompt_filter_results, a search provider's citations) is content: then it stays. */
static bool is_plain_member(const struct json_tape *tape, uint32_t member)
{
    static const struct slice containers[] = {
        {"choices", 7}, {"usage", 5}, {"x_groq", 6}, {"usage_breakdown", 15}, {"latency_checkpoint", 18}};
    if (json_type(tape, member) < JSON_ARRAY || json_first(tape, member) == JSON_NONE) return true;
    for (size_t i = 0; i < sizeof containers / sizeof containers[0]; i++) {
        if (json_key_is(tape, member, containers[i])) return true;
    }
    return false;
}

static bool is_usage_only(const struct json_tape *tape)
{
    uint32_t choices = json_get(tape, 0, SLICE("choices"));
    if (!json_is(tape, choices, JSON_ARRAY) || json_first(tape, choices) != JSON_NONE) return false;
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        if (!is_plain_member(tape, n)) return false;
    }
    return true;
}

/* Of what is no text the last event of a picture, of sound or of what was heard says so, and no marker follows. */
static void read_last(struct dialect_stream *stream, const struct json_tape *tape)
{
    static const struct slice lasts[] = {{"image_generation.completed", 26},
                                         {"image_edit.completed", 20},
                                         {"speech.audio.done", 17},
                                         {"transcript.text.done", 20}};
    uint32_t type = json_get(tape, 0, SLICE("type"));
    int64_t finished = __builtin_popcountll(stream->finished[0]) + __builtin_popcountll(stream->finished[1]);
    for (size_t i = 0; type != JSON_NONE && i < sizeof lasts / sizeof lasts[0]; i++) {
        if (json_text_is(tape, type, lasts[i])) dialect_finish_choice(stream, finished);
    }
}

/* One chunk of a stream, or a whole answer: they are alike in all that is read here. */
static unsigned read_object(struct said_reader *reader, struct dialect_stream *stream)
{
    const struct json_tape *tape = &reader->tape;
    uint32_t model = json_get(tape, 0, SLICE("model"));
    unsigned what = openai_read_choices(reader, stream, json_get(tape, 0, SLICE("choices")));
    bool has_usage = usage_read(&stream->usage, USAGE_SHAPE_OPENAI, tape);
    read_last(stream, tape);
    if (!stream->model[0] && json_is(tape, model, JSON_STRING))
        dialect_copy_text(stream->model, sizeof stream->model, tape, model);
    if (is_truthy(tape, json_get(tape, 0, SLICE("error"))) ||
        json_text_is(tape, json_get(tape, 0, SLICE("object")), SLICE("error"))) {
        stream->has_error = true;
        what |= SAID_ERROR;
    } else if (has_usage && is_usage_only(tape)) {
        what |= SAID_USAGE_ONLY;
    }
    return what;
}

static void read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body, struct said *said)
{
    dialect_read_body(reader, stream, body, said, read_object);
}

static void read_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name, struct slice data,
                       struct said *said)
{
    if (!dialect_begin_event(reader, stream, name, data, said)) return;
    dialect_read_json(reader, stream, said, read_object);
    if (said->what & SAID_ERROR) said->what &= ~(unsigned)SAID_USAGE_ONLY; /* never to be left out */
}

/* A file, or a batch and the files of its results. Source: OpenAI API reference, the file object, the batch object. */
static void tell_kept(const struct kept_answer *t)
{
    uint32_t object = json_get(t->tape, 0, SLICE("object"));
    if (json_text_is(t->tape, object, SLICE("file"))) kept_tell(t, KEPT_FILE, 0, SLICE("id"));
    if (!json_text_is(t->tape, object, SLICE("batch"))) return;
    kept_tell(t, KEPT_BATCH, 0, SLICE("id"));
    kept_tell(t, KEPT_FILE, 0, SLICE("output_file_id"));
    kept_tell(t, KEPT_FILE, 0, SLICE("error_file_id"));
}

static enum dialect_end judge_end(const struct dialect_stream *stream)
{
    uint32_t finished = (uint32_t)__builtin_popcountll(stream->finished[0]);
    uint32_t expected = stream->choices_expected < DIALECT_CHOICES_MAX ? stream->choices_expected : DIALECT_CHOICES_MAX;
    finished += (uint32_t)__builtin_popcountll(stream->finished[1]);
    if (stream->has_error) return DIALECT_FAILED;
    if (stream->has_done) return DIALECT_COMPLETE;
    return finished >= expected ? DIALECT_COMPLETE_UNMARKED : DIALECT_CUT;
}

/* No `event: error`: the client raises any data with a truthy "error", and with its fields only then. */
static void write_event_error(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("data: "));
    openai_write_body_error(out, error);
    buf_append(out, SLICE("\n\n"));
}

const struct dialect dialect_openai = {
    .name = "openai",
    .filled = &filled_chat,
    .read_request = openai_read_request,
    .walk = openai_walk,
    .walk_message = openai_walk_message,
    .role = openai_role,
    .is_format = openai_is_format,
    .edit_ask_usage = openai_edit_ask_usage,
    .edit_member = openai_edit_member,
    .edit_limit_name = openai_edit_limit_name,
    .guess = openai_guess,
    .request_translation = &openai_request_translation,
    .path = path,
    .has_deployments = true,
    .key_header = {{"authorization", 13}, {"Bearer ", 7}},
    .read_body = read_body,
    .read_event = read_event,
    .judge_end = judge_end,
    .tell_kept = tell_kept,
    .answers = &openai_answers,
    .request_id_header = {"x-request-id", 12},
    .write_event_error = write_event_error,
    .write_body_error = openai_write_body_error,
    .write_rates = openai_write_rates,
    .rate_names = OPENAI_RATE_NAMES,
    .write_models = openai_write_models,
    .write_model = openai_write_model,
};
