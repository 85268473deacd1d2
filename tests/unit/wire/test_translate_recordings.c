/*
 * Real answers of many providers (../shared/recordings, or where MOONGATE_RECORDINGS says) for clients of the other
 * dialects: what a strict client hears is the text, the calls, the reason and the usage that an independent parser read
 * of the answer as it came; however it is cut into pieces, and in a stream as in a body.
 */
#include "../files.h"
#include "../unit.h"

#include "hearing.h"
#include "translating.h"

static const char *folder;
static size_t streams, bodies, failures;

struct recording {
    const char *id;
    const struct dialect *provider, *client;
    json_t *expected;
    int status;
    bool has_error, has_choices; /* more than one */
    struct buf bytes;
};

static bool is_anthropic(const struct recording *r)
{
    return r->provider == &dialect_anthropic;
}

static bool is_gemini(const struct recording *r)
{
    return r->client == &dialect_gemini;
}

static bool is_responses(const struct recording *r)
{
    return r->client == &dialect_responses;
}

static bool is_among(const struct recording *r, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ids[i], r->id) == 0) return true;
    }
    return false;
}

/* Several messages glued together, by those who made the recording: the first end marker ends it for us, or the second
 * beginning is out of order. */
static bool is_glued(const struct recording *r)
{
    static const char *const ids[] = {"anthropic/094-messages-stream", "anthropic/106-messages-stream",
                                      "anthropic/109-messages-stream", "anthropic/117-messages-stream",
                                      "anthropic/118-messages-stream"};
    return is_among(r, ids, sizeof ids / sizeof ids[0]);
}

/* The parser of the oracle knows no content in parts (Mistral), and no function_call; test_translate.c has both. */
static bool is_beyond_oracle(const struct recording *r)
{
    static const char *const ids[] = {"mistral/002-chat-json", "mistral/010-chat-stream", "mistral/021-chat-json",
                                      "openai/029-chat-json"};
    return is_among(r, ids, sizeof ids / sizeof ids[0]);
}

static void complain(const struct recording *r, const char *what, struct slice want, struct slice got)
{
    UNIT_FAIL("%s: %s: expected \"%.*s\", got \"%.*s\"", r->id, what, SLICE_FMT(want), SLICE_FMT(got));
}

static void expect_text(const struct recording *r, const char *key, const struct buf *got)
{
    const char *want = json_string_value(json_object_get(r->expected, key));
    if (!slice_equal(slice_str(want ? want : ""), buf_slice(got)))
        complain(r, key, slice_str(want ? want : ""), buf_slice(got));
}

/* What the client itself is to call, of the first choice. */
static bool is_clients(json_t *call)
{
    const char *type = json_string_value(json_object_get(call, "type"));
    bool is_first = json_integer_value(json_object_get(call, "choice")) == 0;
    return is_first && (!type || strcmp(type, "function") == 0 || strcmp(type, "tool_use") == 0);
}

static void expect_calls(const struct recording *r, const struct buf *got)
{
    json_t *calls = json_object_get(r->expected, "tool_calls");
    struct buf want;
    buf_init(&want);
    for (size_t i = 0; i < json_array_size(calls); i++) {
        json_t *call = json_array_get(calls, i);
        const char *text = hearing_text(call, "args");
        if (!is_clients(call)) continue;
        json_t *args = json_loads(text[0] ? text : "{}", 0, NULL);
        char *sorted = json_dumps(args, JSON_SORT_KEYS | JSON_COMPACT);
        buf_printf(&want, "%s(%s)", hearing_text(call, "name"), sorted ? sorted : "?");
        free(sorted);
        json_decref(args);
    }
    if (!slice_equal(buf_slice(&want), buf_slice(got))) complain(r, "calls", buf_slice(&want), buf_slice(got));
    buf_clear(&want);
}

static const char *reason_for(const struct recording *r, bool has_calls)
{
    static const char *const words[][5] = {
        /* OpenAI, Anthropic's from it, and back; Responses' and Gemini's from either */
        {"stop", "end_turn", "end_turn", "completed", "STOP"},
        {"length", "max_tokens", "max_tokens", "max_output_tokens", "MAX_TOKENS"},
        {"tool_calls", "tool_use", "tool_use", "completed", "STOP"},
        {"content_filter", "refusal", "refusal", "content_filter", "SAFETY"},
        {"function_call", "tool_use", "", "completed", "STOP"},
        {"stop", "", "stop_sequence", "completed", "STOP"},
        {"stop", "", "pause_turn", "completed", "STOP"},
    };
    int column = is_gemini(r) ? 4 : is_responses(r) ? 3 : is_anthropic(r) ? 0 : 1;
    json_t *reasons = json_object_get(r->expected, "finish_reasons");
    const char *reason = is_anthropic(r) ? hearing_text(r->expected, "stop_reason")
                                         : json_string_value(json_array_get(reasons, 0));
    if (!reason || strcmp(reason, "stop") == 0 || strcmp(reason, "end_turn") == 0)
        reason = has_calls ? (is_anthropic(r) ? "tool_use" : "tool_calls") : is_anthropic(r) ? "end_turn" : "stop";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][is_anthropic(r) ? 2 : 0], reason) == 0) return words[i][column];
    }
    return "?";
}

static long long number(const struct recording *r, const char *key)
{
    return json_integer_value(json_object_get(r->expected, key));
}

/* By wire.md B2, C2 and C3: what the provider's total has beyond its parts is output. */
static void expect_usage(const struct recording *r, const struct hearing *h)
{
    long long input = number(r, "input_tokens"), output = number(r, "output_tokens");
    if (!h->has_usage && !json_object_get(r->expected, "input_tokens")) return;
    if (is_anthropic(r)) {
        long long read = number(r, "cache_read_input_tokens"), written = number(r, "cache_creation_input_tokens");
        json_t *details = json_object_get(r->expected, "output_tokens_details");
        if (is_responses(r) || is_gemini(r)) written = 0, input += number(r, "cache_creation_input_tokens"); /* no word for it */
        if (h->input != input + read + written || h->cached != read || h->written != written || h->output != output)
            UNIT_FAIL("%s: usage %lld %lld %lld %lld", r->id, h->input, h->cached, h->written, h->output);
        if (details && h->thought != hearing_number(details, "thinking_tokens")) UNIT_FAIL("%s: reasoning", r->id);
        return;
    }
    long long total = number(r, "total_tokens"), cached = number(r, "cached_input_tokens");
    long long written = number(r, "cache_write_tokens");
    if (total > input + output) output = total - input;
    if (is_responses(r) || is_gemini(r)) input += cached + written; /* in the input */
    if (h->input != input - cached - written || h->cached != cached || h->output != output)
        UNIT_FAIL("%s: usage %lld %lld %lld", r->id, h->input, h->cached, h->output);
    if (h->thought != number(r, "reasoning_tokens")) UNIT_FAIL("%s: reasoning %lld", r->id, h->thought);
}

static void expect_heard(const struct recording *r, const struct hearing *h, const struct translating *t)
{
    if (h->wrong) UNIT_FAIL("%s: %s: %s", r->id, h->wrong, h->place);
    if (t->has_stopped) UNIT_FAIL("%s: %s", r->id, t->why.text);
    if (r->has_error) {
        if (!h->has_error) UNIT_FAIL("%s: no error", r->id);
        return;
    }
    if (!h->has_ended) UNIT_FAIL("%s: it did not end", r->id);
    if (is_beyond_oracle(r)) return;
    expect_text(r, is_anthropic(r) ? "thinking_text" : "reasoning_text", &h->reasoning);
    /* A refusal's words are a text to Gemini's clients, and stand in no other. */
    bool is_refused = is_gemini(r) && strcmp(h->reason, "SAFETY") == 0 && !hearing_text(r->expected, "text")[0];
    if (!r->has_choices && !is_refused) expect_text(r, "text", &h->text);
    expect_calls(r, &h->calls);
    const char *reason = reason_for(r, buf_len(&h->calls));
    if (strcmp(reason, h->reason) != 0) complain(r, "reason", slice_str(reason), slice_str(h->reason));
    expect_usage(r, h);
    if (r->has_choices && !t->dropped.count) UNIT_FAIL("%s: nobody said that choices were dropped", r->id);
}

static void check_stream(const struct recording *r)
{
    static const size_t steps[] = {0, 1, 7, 333, 4096};
    struct buf first;
    buf_init(&first);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct translating t;
        struct hearing h;
        translate_stream(&t, r->provider, r->client, buf_slice(&r->bytes), steps[i]);
        hearing_begin(&h, r->client);
        hearing_stream(&h, buf_slice(&t.out));
        if (i == 0) {
            buf_append(&first, buf_slice(&t.out));
            if (is_glued(r))
                EXPECT(!h.wrong && (h.has_ended || t.why.code == FAULT_UNTRANSLATABLE));
            else
                expect_heard(r, &h, &t);
        }
        if (!slice_equal(buf_slice(&first), buf_slice(&t.out))) UNIT_FAIL("%s: differs in steps of %zu", r->id, steps[i]);
        hearing_clear(&h);
        translating_clear(&t);
    }
    buf_clear(&first);
    streams++;
}

static void check_body(const struct recording *r)
{
    struct translating t;
    struct hearing h;
    hearing_begin(&h, r->client);
    if (r->status >= 400) {
        translate_failure(&t, r->provider, r->client, r->status, buf_slice(&r->bytes));
        failures++;
    } else {
        translate_body(&t, r->provider, r->client, buf_slice(&r->bytes));
        bodies++;
    }
    hearing_body(&h, buf_slice(&t.out));
    expect_heard(r, &h, &t);
    hearing_clear(&h);
    translating_clear(&t);
}

static bool has_feature(json_t *entry, const char *name)
{
    json_t *features = json_object_get(entry, "features");
    for (size_t i = 0; i < json_array_size(features); i++) {
        if (strcmp(json_string_value(json_array_get(features, i)), name) == 0) return true;
    }
    return false;
}

/* Of Anthropic's, answers of another of its APIs. */
static bool is_no_message(json_t *entry)
{
    return has_feature(entry, "stop=None") && !has_feature(entry, "text");
}

static void check_recording(json_t *entry)
{
    const char *api = hearing_text(entry, "api");
    struct recording r = {.id = hearing_text(entry, "id"), .expected = json_object_get(entry, "expected")};
    bool is_openai = strcmp(api, "openai.chat") == 0;
    if (!is_openai && (strcmp(api, "anthropic.messages") != 0 || is_no_message(entry))) return;
    r.provider = is_openai ? &dialect_openai : &dialect_anthropic;
    r.status = (int)hearing_number(entry, "status");
    r.has_choices = has_feature(entry, "n>1");
    r.has_error = r.status >= 400 || has_feature(entry, "instream_error");
    if (!read_file(folder, hearing_text(entry, "response_file"), &r.bytes)) return;
    const struct dialect *const clients[] = {is_openai ? &dialect_anthropic : &dialect_openai, &dialect_responses,
                                             &dialect_gemini};
    for (size_t i = 0; i < 3; i++) {
        r.client = clients[i];
        if (ORACLE_IS(json_object_get(entry, "stream"), TRUE))
            check_stream(&r);
        else
            check_body(&r);
    }
    buf_clear(&r.bytes);
}

static void recordings_are_heard_as_they_were_said(void)
{
    struct buf text;
    if (!read_file(folder, "manifest.json", &text)) return;
    json_t *manifest = json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL);
    json_t *list = json_object_get(manifest, "recordings");
    for (size_t i = 0; i < json_array_size(list); i++)
        check_recording(json_array_get(list, i));
    EXPECT(streams > 50 && bodies > 50 && failures > 5);
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
        RUN(recordings_are_heard_as_they_were_said);
        printf("translated recordings: %zu streams, %zu bodies, %zu errors\n", streams, bodies, failures);
    } else {
        printf("translated recordings: skipped, there are none in %s (set MOONGATE_RECORDINGS)\n", folder);
    }
    return unit_close("translate_recordings");
}
