/*
 * Real answers of many providers (../shared/recordings, or where MOONGATE_RECORDINGS says): each stream is parsed the
 * same however it is cut, not a byte is lost, and what was read of usage, model and finish is what an independent
 * parser read. Without the recordings there is nothing to do, which is said in one line.
 */
#include "../files.h"
#include "../unit.h"

#include <stdlib.h>

#include "oracle.h"

#include "base/buf.h"
#include "base/mem.h"
#include "wire/dialect.h"
#include "wire/sse.h"

#define EVENTS_MAX 4096

/* One event of the uncut stream, as places in the file; data of several lines does not occur in recordings. */
struct place {
    size_t raw_len, data_at, data_len, name_len;
    bool is_comment_only;
};

struct recording {
    const char *id;
    const struct dialect *dialect;
    json_t *expected;
    bool is_count;  /* of tokens, and no answer of a model's */
    bool has_error; /* the answer is an error, or there is one in the stream */
    struct buf bytes;
    struct place events[EVENTS_MAX];
    size_t event_count;
};

static struct said_reader reader;

/* One run over a recording: where it stands, and what the dialect made of it. */
struct relay {
    struct recording *r;
    bool is_first; /* the uncut run, which writes the places that the others compare with */
    bool inspects;
    bool differs;
    struct buf *texts; /* what the model says, by kind; NULL: nobody asks */
    size_t index, raw_bytes, chunks, unreadable;
    struct dialect_stream stream;
};

static void note_place(struct relay *relay, const struct sse_event *e)
{
    struct recording *r = relay->r;
    if (relay->index >= EVENTS_MAX) return;
    r->events[relay->index] = (struct place){
        .raw_len = e->raw.len,
        .data_at = e->data.len ? (size_t)(e->data.ptr - buf_ptr(&r->bytes)) : 0,
        .data_len = e->data.len,
        .name_len = e->name.len,
        .is_comment_only = e->is_comment_only,
    };
    r->event_count = relay->index + 1;
}

static bool is_as_noted(const struct relay *relay, const struct sse_event *e)
{
    const struct place *p = &relay->r->events[relay->index];
    const char *bytes = buf_ptr(&relay->r->bytes);
    return relay->index < relay->r->event_count && p->raw_len == e->raw.len && p->data_len == e->data.len &&
           p->name_len == e->name.len && p->is_comment_only == e->is_comment_only &&
           memcmp(bytes + relay->raw_bytes, e->raw.ptr, e->raw.len) == 0 &&
           memcmp(bytes + p->data_at, e->data.len ? e->data.ptr : "", e->data.len) == 0;
}

/* Joined, a kind a buffer; of the arguments of calls all together. */
static void keep_texts(struct buf texts[SAID_CALL_ARGUMENTS + 1], const struct said *said)
{
    struct arena arena;
    arena_init(&arena);
    for (uint32_t i = 0; i < said->text_count; i++)
        buf_append(&texts[said->texts[i].kind], said_decode(said, &said->texts[i], &arena));
    arena_clear(&arena);
}

static void on_event(void *arg, const struct sse_event *e)
{
    struct relay *relay = arg;
    if (relay->is_first) note_place(relay, e);
    if (!is_as_noted(relay, e)) relay->differs = true;
    relay->raw_bytes += e->raw.len;
    relay->index++;
    if (!relay->inspects || e->is_comment_only) return;
    struct said said;
    relay->r->dialect->read_event(&reader, &relay->stream, e->name, e->data, &said);
    relay->unreadable += (said.what & SAID_UNREADABLE) != 0;
    relay->chunks += !(said.what & SAID_DONE);
    if (relay->texts) keep_texts(relay->texts, &said);
}

static struct relay run(struct recording *r, size_t first, size_t step, bool is_first, bool inspects, struct buf *texts)
{
    struct relay relay = {.r = r, .is_first = is_first, .inspects = inspects, .texts = texts};
    struct sse_parser *p = sse_new();
    size_t at = first < buf_len(&r->bytes) ? first : buf_len(&r->bytes);
    dialect_stream_init(&relay.stream, 1);
    sse_feed(p, slice_of(buf_ptr(&r->bytes), at), on_event, &relay);
    for (size_t len; at < buf_len(&r->bytes); at += len) {
        len = step < buf_len(&r->bytes) - at ? step : buf_len(&r->bytes) - at;
        sse_feed(p, slice_of(buf_ptr(&r->bytes) + at, len), on_event, &relay);
    }
    sse_finish(p, on_event, &relay);
    sse_free(p);
    if (relay.index != r->event_count || relay.raw_bytes != buf_len(&r->bytes)) relay.differs = true;
    return relay;
}

static const char *expected_text(const struct recording *r, const char *key)
{
    return json_string_value(json_object_get(r->expected, key));
}

/* Absent from `expected`: the provider did not say; a zero of ours is the same to the parser that wrote it. */
static void expect_tokens(const struct recording *r, const char *key, int64_t got, bool may_be_zero)
{
    json_t *value = json_object_get(r->expected, key);
    int64_t want = value && ORACLE_IS(value, INTEGER) ? json_integer_value(value) : USAGE_UNKNOWN;
    if (got != want && !(may_be_zero && want == USAGE_UNKNOWN && got == 0)) {
        UNIT_FAIL("%s: %s: expected %" PRId64 ", got %" PRId64, r->id, key, want, got);
    }
}

static bool is_anthropic(const struct recording *r)
{
    return r->dialect == &dialect_anthropic;
}

static bool is_responses(const struct recording *r)
{
    return r->dialect == &dialect_responses;
}

static bool is_gemini(const struct recording *r)
{
    return r->dialect == &dialect_gemini;
}

/* Where its words were asked for as numbers. */
static const char *expected_number(const struct recording *r)
{
    static char number[24];
    json_t *reason = json_object_get(r->expected, "finish_reason");
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(reason));
    return ORACLE_IS(reason, INTEGER) ? number : expected_text(r, "finish_reason");
}

/* Of a response that is not whole the oracle has no more than that. */
static const char *expected_reason(const struct recording *r)
{
    json_t *reasons = json_object_get(r->expected, "finish_reasons");
    size_t count = json_array_size(reasons);
    const char *last = count ? json_string_value(json_array_get(reasons, count - 1)) : NULL;
    if (is_responses(r)) return expected_text(r, "status");
    if (is_gemini(r)) return expected_number(r);
    return last ? last : expected_text(r, "stop_reason");
}

/* Texts are read by all; of these the oracle has them in the same order. */
static bool tells_texts(const struct recording *r)
{
    return is_anthropic(r) || is_responses(r) || is_gemini(r);
}

/* As the provider of that dialect names its counts. */
static void expect_anthropic_usage(const struct recording *r, const struct usage *u)
{
    json_t *life = json_object_get(r->expected, "cache_creation");
    int64_t hour = life ? json_integer_value(json_object_get(life, "ephemeral_1h_input_tokens")) : 0;
    expect_tokens(r, "cache_read_input_tokens", u->cached_tokens, true);
    expect_tokens(r, "cache_creation_input_tokens", u->cache_write_tokens, true);
    if (life && hour != u->cache_write_1h_tokens) UNIT_FAIL("%s: cache of an hour: %" PRId64, r->id, hour);
    const char *tier = expected_text(r, "service_tier");
    json_t *spent = json_object_get(json_object_get(r->expected, "output_tokens_details"), "thinking_tokens");
    if (spent && json_integer_value(spent) != u->reasoning_tokens) UNIT_FAIL("%s: reasoning", r->id);
    if (tier) EXPECT_SLICE(slice_str(tier), usage_service_tier(u));
}

static void expect_told(const struct recording *r, const struct dialect_stream *stream)
{
    const struct usage *u = &stream->usage;
    expect_tokens(r, "input_tokens", u->input_tokens, false);
    expect_tokens(r, "output_tokens", u->output_tokens, true); /* an embedding's */
    expect_tokens(r, "total_tokens", u->total_tokens, false);
    if (is_anthropic(r)) {
        expect_anthropic_usage(r, u);
    } else if (is_gemini(r)) {
        expect_tokens(r, "cached_tokens", u->cached_tokens, true);
        expect_tokens(r, "thoughts_tokens", u->reasoning_tokens, true);
    } else {
        expect_tokens(r, "cached_input_tokens", u->cached_tokens, true);
        if (!is_responses(r)) expect_tokens(r, "cache_write_tokens", u->cache_write_tokens, true);
        expect_tokens(r, "reasoning_tokens", u->reasoning_tokens, true);
    }
    expect_tokens(r, "audio_input_tokens", u->audio_input_tokens, true);
    expect_tokens(r, "audio_output_tokens", u->audio_output_tokens, true);
    const char *model = expected_text(r, "model");
    if (model && strcmp(model, stream->model) != 0) UNIT_FAIL("%s: model %s, expected %s", r->id, stream->model, model);
    const char *reason = expected_reason(r);
    bool is_why = is_responses(r) && reason && strcmp(reason, "incomplete") == 0 && stream->finish_reason[0];
    if (!is_why && strcmp(reason ? reason : "", stream->finish_reason) != 0) {
        UNIT_FAIL("%s: finish reason %s, expected %s", r->id, stream->finish_reason, reason ? reason : "none");
    }
    if (r->has_error != stream->has_error) UNIT_FAIL("%s: error %d was not expected", r->id, stream->has_error);
}

static void expect_joined(const struct recording *r, const char *key, const struct buf *got)
{
    const char *want = expected_text(r, key);
    if (!slice_equal(slice_str(want ? want : ""), buf_slice(got))) {
        UNIT_FAIL("%s: %s: expected %s, got %.*s", r->id, key, want ? want : "nothing", SLICE_FMT(buf_slice(got)));
    }
}

/* Of JSON only what is no blank: the parser of the oracle writes it in its own way. */
static void append_dense(struct buf *out, struct slice json)
{
    for (size_t i = 0; i < json.len; i++) {
        if (!strchr(" \n\t\r", json.ptr[i])) buf_append_char(out, json.ptr[i]);
    }
}

/* Of a response the oracle knows the calls of functions alone. */
static bool has_functions_alone(const struct recording *r)
{
    static const char *const known[] = {"function_call", "message", "reasoning"};
    json_t *types = json_object_get(r->expected, "output_item_types");
    for (size_t i = 0; i < json_array_size(types); i++) {
        bool is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            is_known |= strcmp(json_string_value(json_array_get(types, i)), known[k]) == 0;
        if (!is_known) return false;
    }
    return true;
}

/* Where the oracle reads otherwise: it knows no tools of MCP, takes the last block of an index where messages were glued
 * together, leaves out what stands in message_start, or begins a block, and spells what is not ASCII with escapes. */
static bool has_plain_calls(const struct recording *r)
{
    static const char *const others[] = {"gemini/004-generateContent-json", /* code is no call to it */
                                         "gemini/006-streamGenerateContent-stream",
                                         "gemini/014-streamGenerateContent-stream",
                                         "gemini/040-streamGenerateContent-stream", /* nor are pieces of arguments */
                                         "gemini/042-streamGenerateContent-stream", "anthropic/094-messages-stream", "anthropic/095-messages-json",
                                         "anthropic/106-messages-stream", "anthropic/111-messages-stream",
                                         "anthropic/118-messages-stream"};
    json_t *blocks = json_object_get(r->expected, "blocks");
    if (!has_functions_alone(r)) return false;
    for (size_t i = 0; i < json_array_size(blocks); i++) {
        if (strcmp(json_string_value(json_array_get(blocks, i)), "mcp_tool_use") == 0) return false;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(others[i], r->id) == 0) return false;
    }
    return true;
}

static void expect_calls(const struct recording *r, const struct buf *names, const struct buf *arguments)
{
    json_t *calls = json_object_get(r->expected, "tool_calls");
    struct buf want_names, want, got;
    buf_init(&want_names);
    buf_init(&want);
    buf_init(&got);
    for (size_t i = 0; i < json_array_size(calls); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(calls, i), "name"));
        json_t *value = json_object_get(json_array_get(calls, i), "args");
        char *object = ORACLE_IS(value, OBJECT) ? json_dumps(value, JSON_COMPACT) : NULL;
        const char *args = object ? object : json_string_value(value);
        buf_append(&want_names, slice_str(name ? name : ""));
        if (args && strcmp(args, "{}") != 0) append_dense(&want, slice_str(args));
        free(object);
    }
    if (!slice_equal(buf_slice(arguments), SLICE("{}"))) append_dense(&got, buf_slice(arguments));
    if (!slice_equal(buf_slice(&want_names), buf_slice(names)))
        UNIT_FAIL("%s: calls of %.*s, got %.*s", r->id, SLICE_FMT(buf_slice(&want_names)), SLICE_FMT(buf_slice(names)));
    if (!slice_equal(buf_slice(&want), buf_slice(&got)))
        UNIT_FAIL("%s: asked %.*s, got %.*s", r->id, SLICE_FMT(buf_slice(&want)), SLICE_FMT(buf_slice(&got)));
    buf_clear(&want_names);
    buf_clear(&want);
    buf_clear(&got);
}

static void expect_texts(const struct recording *r, const struct buf texts[SAID_CALL_ARGUMENTS + 1])
{
    expect_joined(r, "text", &texts[SAID_CONTENT]);
    if (is_anthropic(r) || is_gemini(r)) expect_joined(r, "thinking_text", &texts[SAID_REASONING]);
    if (has_plain_calls(r)) expect_calls(r, &texts[SAID_CALL_NAME], &texts[SAID_CALL_ARGUMENTS]);
}

static bool is_end(const char *type)
{
    static const char *const ends[] = {
        "message_stop", "response.completed", "response.incomplete", "response.failed", "[DONE]"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (strcmp(type, ends[i]) == 0) return true;
    }
    return false;
}

/* Every event but the last, by its type: what the oracle counted. */
static size_t expected_events(const struct recording *r)
{
    const char *type;
    json_t *count, *events = json_object_get(r->expected, "events");
    size_t sum = 0;
    json_object_foreach(events, type, count)
    {
        if (!is_end(type)) sum += (size_t)json_integer_value(count);
    }
    return sum;
}

static void check_texts(struct recording *r, size_t step)
{
    struct buf texts[SAID_CALL_ARGUMENTS + 1] = {{0}};
    run(r, 0, step, false, true, texts);
    expect_texts(r, texts);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_clear(&texts[i]);
}

static void check_stream(struct recording *r)
{
    static const size_t steps[] = {1, 2, 3, 7, 64, 333, 4096};
    struct relay whole = run(r, 0, buf_len(&r->bytes), true, true, NULL);
    if (whole.differs) UNIT_FAIL("%s: bytes were lost", r->id);
    if (whole.unreadable) UNIT_FAIL("%s: %zu events could not be read", r->id, whole.unreadable);
    json_t *chunks = json_object_get(r->expected, "chunks");
    bool has_types = is_anthropic(r) || is_responses(r);
    EXPECT_INT(has_types ? (json_int_t)expected_events(r) : json_integer_value(chunks), whole.chunks);
    expect_told(r, &whole.stream);
    enum dialect_end end = is_gemini(r) ? DIALECT_COMPLETE_UNMARKED : DIALECT_COMPLETE;
    EXPECT_INT(r->has_error ? DIALECT_FAILED : end, r->dialect->judge_end(&whole.stream));
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct relay relay = run(r, 0, steps[i], false, true, NULL);
        if (relay.differs) UNIT_FAIL("%s: differs in steps of %zu", r->id, steps[i]);
        expect_told(r, &relay.stream);
        if (tells_texts(r)) check_texts(r, steps[i]);
    }
    for (size_t cut = 1; cut < buf_len(&r->bytes); cut++) {
        if (run(r, cut, buf_len(&r->bytes), false, false, NULL).differs) {
            UNIT_FAIL("%s: differs when cut at %zu", r->id, cut);
            return;
        }
    }
}

static void check_body(struct recording *r)
{
    struct dialect_stream stream;
    dialect_stream_init(&stream, 1);
    struct said said;
    r->dialect->read_body(&reader, &stream, buf_slice(&r->bytes), &said);
    if (said.what & SAID_UNREADABLE) UNIT_FAIL("%s: could not be read", r->id);
    if (r->is_count) return;
    expect_told(r, &stream);
    if (!tells_texts(r) || r->has_error) return;
    struct buf texts[SAID_CALL_ARGUMENTS + 1] = {{0}};
    keep_texts(texts, &said);
    expect_texts(r, texts);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_clear(&texts[i]);
}

static bool is_error(json_t *entry)
{
    json_t *features = json_object_get(entry, "features");
    for (size_t i = 0; i < json_array_size(features); i++) {
        if (strcmp(json_string_value(json_array_get(features, i)), "instream_error") == 0) return true;
    }
    return json_object_get(json_object_get(entry, "expected"), "error") != NULL;
}

static const char *folder;
static size_t streams, bodies;

static const struct dialect *dialect_of(const char *api)
{
    static const char *const openai[] = {"openai.chat", "openai.completions", "openai.embeddings"};
    for (size_t i = 0; i < sizeof openai / sizeof openai[0]; i++) {
        if (strcmp(api, openai[i]) == 0) return &dialect_openai;
    }
    if (strcmp(api, "openai.responses") == 0) return &dialect_responses;
    if (strncmp(api, "gemini.", 7) == 0) return &dialect_gemini;
    bool is_anthropic = strcmp(api, "anthropic.messages") == 0 || strcmp(api, "anthropic.count_tokens") == 0;
    return is_anthropic ? &dialect_anthropic : NULL;
}

static void check_recording(json_t *entry)
{
    const char *api = json_string_value(json_object_get(entry, "api"));
    static struct recording r;
    const struct dialect *dialect = dialect_of(api);
    if (!dialect) return;
    r = (struct recording){.id = json_string_value(json_object_get(entry, "id")),
                           .dialect = dialect,
                           .is_count = strstr(api, "count_tokens") || strstr(api, "countTokens"),
                           .expected = json_object_get(entry, "expected"),
                           .has_error = is_error(entry)};
    const char *name = json_string_value(json_object_get(entry, "response_file"));
    if (!read_file(folder, name, &r.bytes)) {
        UNIT_FAIL("%s: cannot be read", name);
        return;
    }
    json_t *is_stream = json_object_get(entry, "stream");
    if (ORACLE_IS(is_stream, TRUE)) {
        check_stream(&r);
        streams++;
    } else {
        check_body(&r);
        bodies++;
    }
    buf_clear(&r.bytes);
}

static void recordings_are_read_as_an_independent_parser_read_them(void)
{
    struct buf text;
    json_error_t error;
    if (!read_file(folder, "manifest.json", &text)) return;
    json_t *manifest = json_loadb(buf_ptr(&text), buf_len(&text), 0, &error);
    if (!manifest) UNIT_FAIL("manifest.json:%d: %s", error.line, error.text);
    json_t *list = json_object_get(manifest, "recordings");
    for (size_t i = 0; i < json_array_size(list); i++)
        check_recording(json_array_get(list, i));
    EXPECT(streams > 0 && bodies > 0);
    json_decref(manifest);
    buf_clear(&text);
}

int main(void)
{
    struct buf text;
    folder = getenv("MOONGATE_RECORDINGS");
    if (!folder) folder = "../shared/recordings";
    if (read_file(folder, "manifest.json", &text)) {
        buf_clear(&text);
        RUN(recordings_are_read_as_an_independent_parser_read_them);
        printf("recordings: %zu streams, %zu bodies\n", streams, bodies);
    } else {
        printf("recordings: skipped, there are none in %s (set MOONGATE_RECORDINGS)\n", folder);
    }
    return unit_close("recordings");
}
