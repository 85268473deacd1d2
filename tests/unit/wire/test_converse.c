/* Answers of Amazon's Converse API for the clients of other dialects: transcripts of tests/data/converse, cut anywhere,
 * malformed and out of order. */
#include "../files.h"
#include "../unit.h"

#include "hearing.h"
#include "translating.h"

static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_responses};
#define CLIENTS (sizeof clients / sizeof clients[0])

static struct translating t;
static struct hearing h;

static void done(void)
{
    hearing_clear(&h);
    translating_clear(&t);
}

static void hear_stream(const struct dialect *client, struct slice bytes, size_t step)
{
    translate_stream(&t, &dialect_converse, client, bytes, step);
    hearing_begin(&h, client);
    hearing_stream(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s: %s: %s", client->name, h.wrong, h.place);
}

static void hear_body(const struct dialect *client, struct slice bytes)
{
    translate_body(&t, &dialect_converse, client, bytes);
    hearing_begin(&h, client);
    if (buf_len(&t.out)) hearing_body(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s: %s: %s", client->name, h.wrong, h.place);
}

static bool left(const char *text)
{
    return memmem(buf_ptr(&t.out), buf_len(&t.out), text, strlen(text)) != NULL;
}

/* ---- transcripts */

static const struct transcript {
    const char *name, *text, *reasoning, *signature, *redacted, *calls;
    const char *reasons[CLIENTS];
    long long input, cached, written, output; /* as Anthropic's clients are told: side by side */
    bool has_body;
} transcripts[] = {
    {"text", "Hallo W\u00f6rld \"\u2713\"\n\U0001F600!", "", "", "", "", {"stop", "end_turn", "completed"}, 12, 0, 0, 9, true},
    {"tools", "I look.", "", "", "", "f({\"city\":\"Berlin\\n\",\"n\":9007199254740993})g({})",
     {"tool_calls", "tool_use", "completed"}, 20, 100, 50, 40, true},
    {"thinking", "Yes", "So it is.", "EqAB+/==", "RGF0YQ==", "", {"stop", "end_turn", "completed"}, 5, 0, 0, 70, true},
    {"length", "", "", "", "", "f(?)", {"length", "max_tokens", "max_output_tokens"}, 3, 0, 0, 8, false},
    {"guardrail", "Sorry, this is blocked.", "", "", "", "", {"content_filter", "refusal", "content_filter"}, 0, 0, 0, 0, true},
    {"unmarked", "Hi", "", "", "", "", {"stop", "end_turn", "completed"}, 0, 0, 0, 0, false},
};
#define TRANSCRIPTS (sizeof transcripts / sizeof transcripts[0])

static struct buf read_transcript(const char *name, const char *extension)
{
    struct buf file;
    char path[64];
    snprintf(path, sizeof path, "%s.%s", name, extension);
    if (!read_file("tests/data/converse", path, &file)) UNIT_FAIL("%s cannot be read", path);
    return file;
}

static void expect_usage(const struct transcript *x, size_t client)
{
    bool is_beside = clients[client] == &dialect_anthropic, has_writes = clients[client] != &dialect_responses;
    long long input = is_beside ? x->input : x->input + x->cached + x->written;
    EXPECT_INT(input, h.input);
    EXPECT_INT(x->cached, h.cached);
    if (has_writes) EXPECT_INT(x->written, h.written);
    EXPECT_INT(x->output, h.output);
}

static void expect_heard(const struct transcript *x, size_t client)
{
    if (t.has_stopped) UNIT_FAIL("%s for %s: %s", x->name, clients[client]->name, t.why.text);
    EXPECT(h.has_ended && !h.has_error);
    EXPECT_SLICE(slice_str(x->text), buf_slice(&h.text));
    EXPECT_SLICE(slice_str(x->reasoning), buf_slice(&h.reasoning));
    EXPECT_SLICE(slice_str(x->calls), buf_slice(&h.calls));
    EXPECT_STR(x->reasons[client], h.reason);
    if (clients[client] != &dialect_responses) {
        EXPECT_SLICE(slice_str(x->signature), buf_slice(&h.signatures));
        EXPECT_SLICE(slice_str(x->redacted), buf_slice(&h.redacted));
    }
    expect_usage(x, client);
    EXPECT_INT(0, t.dropped.count);
}

static void what_is_said_is_heard(void)
{
    static const size_t steps[] = {0, 1, 7, 100};
    for (size_t i = 0; i < TRANSCRIPTS * CLIENTS; i++) {
        const struct transcript *x = &transcripts[i / CLIENTS];
        struct buf stream = read_transcript(x->name, "sse");
        for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
            hear_stream(clients[i % CLIENTS], buf_slice(&stream), steps[s]);
            expect_heard(x, i % CLIENTS);
            done();
        }
        buf_clear(&stream);
        if (!x->has_body) continue;
        struct buf body = read_transcript(x->name, "json");
        hear_body(clients[i % CLIENTS], buf_slice(&body));
        expect_heard(x, i % CLIENTS);
        done();
        buf_clear(&body);
    }
}

/* The API says none: the exchange's. */
static void an_answer_has_the_names_that_the_client_gave(void)
{
    struct answer_manner manner = translating_events;
    struct buf stream = read_transcript("text", "sse");
    manner.model = SLICE("my \"model\"");
    translate_stream_as(&t, &dialect_converse, &dialect_openai, &manner, buf_slice(&stream), 0);
    EXPECT(left("\"model\":\"my \\\"model\\\"\"") && left("chatcmpl-req-1"));
    translating_clear(&t);
    buf_clear(&stream);
}

/* ---- what is cut */

/* Whatever there is of it is in order; its end is told where the API's own came, and nowhere else. */
static void a_cut_anywhere_is_no_end(void)
{
    for (size_t i = 0; i < TRANSCRIPTS; i++) {
        struct buf stream = read_transcript(transcripts[i].name, "sse");
        struct slice all = buf_slice(&stream);
        const char *stop = memmem(all.ptr, all.len, "event: messageStop", 18);
        size_t whole_at = (size_t)((const char *)memmem(stop, all.len - (size_t)(stop - all.ptr), "\n\n", 2) - all.ptr);
        for (size_t len = 0; len < all.len; len++) {
            for (size_t c = 0; c < CLIENTS; c++) {
                hear_stream(clients[c], slice_of(all.ptr, len), 0);
                EXPECT_INT(len >= whole_at, h.has_ended);
                EXPECT(!t.has_stopped && (t.end == DIALECT_CUT) == (len < whole_at));
                done();
            }
        }
        buf_clear(&stream);
    }
}

/* ---- what is none */

#define EVENT(name, data) "event: " name "\ndata: {" data "}\n\n"
#define START EVENT("messageStart", "\"role\":\"assistant\"")
#define PIECE(index, delta) EVENT("contentBlockDelta", "\"contentBlockIndex\":" index ",\"delta\":{" delta "}")
#define TEXT(index, text) PIECE(index, "\"text\":\"" text "\"")
#define CALL(index) EVENT("contentBlockStart", "\"contentBlockIndex\":" index ",\"start\":{\"toolUse\":{\"toolUseId\":\"a\",\"name\":\"f\"}}")
#define ASK(index, text) PIECE(index, "\"toolUse\":{\"input\":\"" text "\"}")
#define CLOSE(index) EVENT("contentBlockStop", "\"contentBlockIndex\":" index)
#define STOP(reason) EVENT("messageStop", "\"stopReason\":\"" reason "\"")
#define META EVENT("metadata", "\"usage\":{\"inputTokens\":1,\"outputTokens\":2,\"totalTokens\":3},\"metrics\":{\"latencyMs\":1}")

static void what_is_out_of_order_is_no_answer(void)
{
    static const char *const streams[] = {
        TEXT("0", "a"),
        STOP("end_turn"),
        META,
        START START,
        START META,
        START TEXT("0", "a") CLOSE("0") META,
        START TEXT("0", "a") STOP("end_turn"),
        START TEXT("0", "a") CLOSE("0") TEXT("0", "b"),
        START TEXT("0", "a") CLOSE("0") CLOSE("0"),
        START TEXT("1", "a") CLOSE("1") TEXT("0", "b"),
        START TEXT("0", "a") ASK("0", "{}"),
        START CALL("0") TEXT("0", "a"),
        START CALL("0") CALL("0"),
        START ASK("0", "{}"),
        START PIECE("\"0\"", "\"text\":\"a\""),
        START PIECE("-1", "\"text\":\"a\""),
        START EVENT("contentBlockDelta", "\"contentBlockIndex\":0"),
        START EVENT("contentBlockDelta", "\"contentBlockIndex\":0,\"delta\":[]"),
        START EVENT("contentBlockStart", "\"contentBlockIndex\":0"),
        START EVENT("contentBlockStart", "\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"a\"}}"),
        START EVENT("contentBlockStop", ""),
        START EVENT("messageStop", ""),
        START EVENT("messageStop", "\"stopReason\":3"),
        START STOP("end_turn") STOP("end_turn"),
        START STOP("end_turn") TEXT("0", "a"),
        START STOP("malformed_model_output"),
        START STOP("malformed_tool_use"),
        START "event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\n\n",
        START "event: contentBlockDelta\ndata: [1]\n\n",
        START "data: {\"delta\":{\"text\":\"a\"}}\n\n",
        START CALL("0") ASK("0", "[1]") CLOSE("0") STOP("tool_use") META,
        START CALL("0") ASK("0", "{\\\"a\\\":") CLOSE("0") STOP("tool_use") META,
    };
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        for (size_t c = 0; c < CLIENTS; c++) {
            bool asks = i >= sizeof streams / sizeof streams[0] - 2;
            if (asks && clients[c] != &dialect_anthropic) continue; /* theirs are texts, which nobody reads here */
            hear_stream(clients[c], slice_str(streams[i]), 0);
            if (!t.has_stopped || h.has_ended) UNIT_FAIL("%s: %s", clients[c]->name, streams[i]);
            EXPECT_INT(FAULT_UNTRANSLATABLE, t.why.code);
            done();
        }
    }
}

static void too_many_blocks_at_once_are_refused(void)
{
    struct buf stream;
    buf_init(&stream);
    buf_append(&stream, SLICE(START));
    for (int i = 0; i < 65; i++)
        buf_printf(&stream, TEXT("%d", "a"), i);
    hear_stream(&dialect_openai, buf_slice(&stream), 0);
    EXPECT(t.has_stopped);
    done();
    buf_clear(&stream);
}

static void bodies_that_are_none_are_refused(void)
{
    static const char *const bodies[] = {
        "{}", "[]", "{\"output\":{\"message\":{\"content\":{}}},\"stopReason\":\"end_turn\"}",
        "{\"output\":{\"message\":{\"content\":[]}}}", "{\"output\":{\"message\":{\"content\":[1]}},\"stopReason\":\"end_turn\"}",
        "{\"output\":{\"message\":{\"content\":[{\"toolUse\":{\"input\":{}}}]}},\"stopReason\":\"tool_use\"}",
        "{\"output\":{\"message\":{\"content\":[{\"text\":\"a\"}]}},\"stopReason\":\"malformed_tool_use\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        hear_body(&dialect_openai, slice_str(bodies[i]));
        if (!t.has_stopped) UNIT_FAIL("%s", bodies[i]);
        EXPECT_INT(FAULT_UNTRANSLATABLE, t.why.code);
        done();
    }
}

/* ---- characters in two halves, of which each event has one */

static void halves_of_characters_become_whole(void)
{
    for (size_t c = 0; c < CLIENTS; c++) {
        hear_stream(clients[c], SLICE(START TEXT("0", "a\\ud83d") TEXT("0", "\\ude00b") CLOSE("0") STOP("end_turn") META), 0);
        EXPECT_SLICE(slice_str("a\U0001F600b"), buf_slice(&h.text));
        EXPECT(h.has_ended);
        done();
        hear_stream(clients[c], SLICE(START CALL("0") ASK("0", "{\\\"x\\\":\\\"\\ud83d") ASK("0", "\\ude00\\\"}") CLOSE("0")
                                          STOP("tool_use") META), 0);
        EXPECT_SLICE(slice_str("f({\"x\":\"\U0001F600\"})"), buf_slice(&h.calls));
        done();
        hear_stream(clients[c], SLICE(START TEXT("0", "a\\ud83d") CLOSE("0") STOP("end_turn") META), 0);
        EXPECT_SLICE(slice_str("a\uFFFD"), buf_slice(&h.text));
        EXPECT(h.has_ended);
        done();
    }
}

/* ---- reasons, and what is lost */

static void every_reason_has_its_word(void)
{
    static const struct {
        const char *from, *openai, *anthropic;
    } reasons[] = {{"end_turn", "stop", "end_turn"},
                   {"stop_sequence", "stop", "end_turn"},
                   {"tool_use", "stop", "end_turn"},
                   {"max_tokens", "length", "max_tokens"},
                   {"model_context_window_exceeded", "length", "max_tokens"},
                   {"guardrail_intervened", "content_filter", "refusal"},
                   {"content_filtered", "content_filter", "refusal"},
                   {"whatever", "stop", "end_turn"}};
    for (size_t i = 0; i < 2 * sizeof reasons / sizeof reasons[0]; i++) {
        char stream[600];
        snprintf(stream, sizeof stream, START TEXT("0", "a") CLOSE("0") STOP("%s") META, reasons[i / 2].from);
        hear_stream(i % 2 ? &dialect_anthropic : &dialect_openai, slice_str(stream), 0);
        EXPECT_STR(i % 2 ? reasons[i / 2].anthropic : reasons[i / 2].openai, h.reason);
        EXPECT_INT(strcmp(reasons[i / 2].from, "whatever") == 0, t.dropped.count);
        EXPECT(h.has_ended);
        done();
    }
}

static void expect_lost(const char *stream, const char *text, const char *lost)
{
    struct buf names;
    buf_init(&names);
    hear_stream(&dialect_openai, slice_str(stream), 0);
    EXPECT(h.has_ended && !t.has_stopped);
    EXPECT_SLICE(slice_str(text), buf_slice(&h.text));
    EXPECT_INT(0, buf_len(&h.calls));
    dropped_write(&t.dropped, &names);
    EXPECT_SLICE(slice_str(lost), buf_slice(&names));
    buf_clear(&names);
    done();
}

static void what_others_have_no_place_for_is_named(void)
{
    expect_lost(START TEXT("0", "a") PIECE("0", "\"citation\":{\"title\":\"t\"}") TEXT("0", "b") CLOSE("0") STOP("end_turn") META,
                "ab", "answer.citation");
    expect_lost(START EVENT("contentBlockStart", "\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"a\","
                            "\"name\":\"nova_grounding\",\"type\":\"server_tool_use\"}}") ASK("0", "{}") CLOSE("0")
                    EVENT("contentBlockStart", "\"contentBlockIndex\":1,\"start\":{\"toolResult\":{\"toolUseId\":\"a\"}}")
                        PIECE("1", "\"toolResult\":[{\"text\":\"r\"}]") CLOSE("1") TEXT("2", "a") CLOSE("2") STOP("end_turn") META,
                "a", "answer.toolUse, answer.toolResult");
    expect_lost(START EVENT("newEvent", "\"x\":1") EVENT("contentBlockStart", "\"contentBlockIndex\":0,\"start\":{}")
                    TEXT("0", "a") CLOSE("0") CLOSE("1") STOP("end_turn") META,
                "a", "answer.newEvent");
}

static void cited_texts_of_a_body_are_said(void)
{
    hear_body(&dialect_anthropic,
              SLICE("{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"citationsContent\":{\"content\":[{\"text\":\"a\"},"
                    "{\"text\":\"b\"}],\"citations\":[{}]}},{\"image\":{}},{\"text\":\"c\"}]}},\"stopReason\":\"end_turn\"}"));
    EXPECT_SLICE(SLICE("abc"), buf_slice(&h.text));
    EXPECT_INT(2, t.dropped.count);
    done();
}

/* ---- errors */

static void exceptions_in_a_stream_are_told(void)
{
    static const struct {
        const char *name, *type;
    } exceptions[] = {{"throttlingException", "rate_limit_error"},
                      {"internalServerException", "api_error"},
                      {"modelStreamErrorException", "api_error"},
                      {"serviceUnavailableException", "overloaded_error"},
                      {"validationException", "invalid_request_error"},
                      {"brandNewException", "api_error"}};
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        char stream[500];
        snprintf(stream, sizeof stream, START TEXT("0", "a") "event: %s\ndata: {\"message\":\"M \\u00e9\"}\n\n" META,
                 exceptions[i].name);
        hear_stream(&dialect_anthropic, slice_str(stream), 0);
        EXPECT(h.has_error && !h.has_ended);
        EXPECT_INT(DIALECT_FAILED, t.end);
        EXPECT_STR(exceptions[i].type, h.error_type);
        EXPECT_STR("M \u00e9", h.error_message);
        done();
    }
    hear_stream(&dialect_anthropic, SLICE(START "event: error\ndata: {\"__type\":\"ThrottlingException\","
                                                "\"message\":\"M\"}\n\n"), 0);
    EXPECT_STR("rate_limit_error", h.error_type);
    done();
    struct buf stream = read_transcript("throttled", "sse");
    hear_stream(&dialect_openai, buf_slice(&stream), 0);
    EXPECT_STR("rate_limit_error", h.error_type);
    EXPECT_SLICE(SLICE("Ha"), buf_slice(&h.text));
    done();
    buf_clear(&stream);
}

static void bodies_of_errors_are_told(void)
{
    static const struct {
        int status;
        const char *body, *type, *message;
        int becomes;
    } errors[] = {
        {400, "{\"message\":\"M\"}", "invalid_request_error", "M", 400},
        {403, "{\"Message\":\"M\"}", "permission_error", "M", 403},
        {404, "{\"message\":\"M\"}", "not_found_error", "M", 404},
        {408, "{\"message\":\"M\"}", "timeout_error", "M", 408},
        {424, "{\"message\":\"M\",\"originalStatusCode\":500}", "api_error", "M", 500},
        {429, "{\"message\":\"M\"}", "rate_limit_error", "M", 429},
        {500, "{}", "api_error", "{}", 500},
        {503, "{\"message\":\"M\"}", "overloaded_error", "M", 503},
        {400, "{\"__type\":\"com.amazon.coral#ThrottlingException\",\"message\":\"M\"}", "rate_limit_error", "M", 400},
        {403, "{\"__type\":\"ExpiredTokenException\",\"message\":\"M\"}", "authentication_error", "M", 403},
        {502, "<html>", "api_error", "<html>", 502},
    };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        translate_failure(&t, &dialect_converse, &dialect_anthropic, errors[i].status, slice_str(errors[i].body));
        hearing_begin(&h, &dialect_anthropic);
        hearing_body(&h, buf_slice(&t.out));
        EXPECT(h.has_error);
        EXPECT_STR(errors[i].type, h.error_type);
        EXPECT_STR(errors[i].message, h.error_message);
        EXPECT_INT(errors[i].becomes, t.status);
        done();
    }
}

/* Its head names it more closely than its status, and than its body. */
static void heads_of_errors_name_them(void)
{
    static const struct {
        int status;
        const char *name, *body, *type;
    } errors[] = {
        {400, "ThrottlingException:http://internal.amazon.com/coral/", "{\"message\":\"M\"}", "rate_limit_error"},
        {400, "ServiceQuotaExceededException", "{\"message\":\"M\"}", "rate_limit_error"},
        {429, "com.amazon.coral#ModelNotReadyException", "{\"message\":\"M\"}", "overloaded_error"},
        {400, "ThrottlingException", "{\"__type\":\"ValidationException\",\"message\":\"M\"}", "rate_limit_error"},
        {500, "ModelTimeoutException", "{\"message\":\"M\"}", "timeout_error"},
        {404, "BrandNewException", "{\"message\":\"M\"}", "not_found_error"},
        {424, "BrandNewException", "{\"message\":\"M\"}", "api_error"},
    };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        translate_named_failure(&t, &dialect_converse, &dialect_anthropic, errors[i].status,
                                slice_str(errors[i].name), slice_str(errors[i].body));
        hearing_begin(&h, &dialect_anthropic);
        hearing_body(&h, buf_slice(&t.out));
        EXPECT(h.has_error);
        EXPECT_STR(errors[i].type, h.error_type);
        EXPECT_STR("M", h.error_message);
        done();
    }
}

int main(void)
{
    RUN(what_is_said_is_heard);
    RUN(an_answer_has_the_names_that_the_client_gave);
    RUN(a_cut_anywhere_is_no_end);
    RUN(what_is_out_of_order_is_no_answer);
    RUN(too_many_blocks_at_once_are_refused);
    RUN(bodies_that_are_none_are_refused);
    RUN(halves_of_characters_become_whole);
    RUN(every_reason_has_its_word);
    RUN(what_others_have_no_place_for_is_named);
    RUN(cited_texts_of_a_body_are_said);
    RUN(exceptions_in_a_stream_are_told);
    RUN(bodies_of_errors_are_told);
    RUN(heads_of_errors_name_them);
    return unit_close("converse");
}
