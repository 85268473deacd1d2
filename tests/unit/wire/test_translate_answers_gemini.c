/* Answers of Gemini's API for clients of others: calls whole and in pieces, signatures with their marks, reasons, what no
 * client can be told, lists, errors, and what is no answer. */
#include "../unit.h"

#include "hearing.h"
#include "translating.h"

#define PIECE(rest) "data: {" rest ",\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":2,\"totalTokenCount\":5}," \
                    "\"modelVersion\":\"m\",\"responseId\":\"r\"}\r\n\r\n"
#define PARTS(parts) PIECE("\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" parts "]},\"index\":0}]")
#define TEXT(text) PARTS("{\"text\":\"" text "\"}")
#define ENDS(reason) PIECE("\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]},\"finishReason\":" reason ",\"index\":0}]")
#define STOP ENDS("\"STOP\"")
#define PARTIAL(path, value)                                                                                           \
    PARTS("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"" path "\"," value "}],\"willContinue\":true}}")
#define BEGIN(name) PARTS("{\"functionCall\":{\"name\":\"" name "\",\"willContinue\":true}}")
#define END PARTS("{\"functionCall\":{}}")

static struct translating t;
static struct hearing h;
static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_responses};

static void hear(const struct dialect *client, const char *bytes)
{
    translate_stream(&t, &dialect_gemini, client, slice_str(bytes), 0);
    hearing_begin(&h, client);
    hearing_stream(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s for %s: %s", h.wrong, client->name, h.place);
}

static void hear_body(const struct dialect *client, const char *bytes)
{
    translate_body(&t, &dialect_gemini, client, slice_str(bytes));
    hearing_begin(&h, client);
    if (buf_len(&t.out)) hearing_body(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s for %s: %s", h.wrong, client->name, h.place);
}

static void done(void)
{
    hearing_clear(&h);
    translating_clear(&t);
}

static void expect_lost(const char *names)
{
    struct buf dropped;
    buf_init(&dropped);
    dropped_write(&t.dropped, &dropped);
    EXPECT_SLICE(slice_str(names), buf_slice(&dropped));
    buf_clear(&dropped);
}

static void expect_calls(const char *bytes, const char *calls)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], bytes);
        if (t.has_stopped) UNIT_FAIL("%s", t.why.text);
        EXPECT(h.has_ended);
        EXPECT_SLICE(slice_str(calls), buf_slice(&h.calls));
        done();
    }
}

/* A fault, and no end. */
static void expect_refused(const char *bytes, const char *why)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], bytes);
        EXPECT_INT(FAULT_UNTRANSLATABLE, t.why.code);
        if (!strstr(t.why.text, why)) UNIT_FAIL("%s", t.why.text);
        EXPECT(!h.has_ended);
        done();
    }
}

/* ---- calls */

static void calls_come_whole(void)
{
    expect_calls(PARTS("{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":\"\\ud83d\\ude00\"}}},{\"functionCall\":{\"name\":\"g\"}}")
                     PARTS("{\"function_call\":{\"id\":\"i\",\"name\":\"f\",\"args\":{}}}") STOP,
                 "f({\"a\":\"\xF0\x9F\x98\x80\"})g({})f({})");
}

static void calls_come_in_pieces(void)
{
    expect_calls(BEGIN("f") PARTIAL("$.a[0].b", "\"stringValue\":\"x \\\"\",\"willContinue\":true")
                     PARTIAL("$.a[0].b", "\"stringValue\":\"y\"") PARTIAL("$.a[0].c", "\"numberValue\":1.5")
                         PARTIAL("$.a[1].b", "\"boolValue\":false") PARTIAL("$['d e']", "\"nullValue\":\"NULL_VALUE\"")
                             PARTIAL("$.f[0][0]", "\"stringValue\":\"z\"") END STOP,
                 "f({\"a\":[{\"b\":\"x \\\"y\",\"c\":1.5},{\"b\":false}],\"d e\":null,\"f\":[[\"z\"]]})");
    expect_calls(BEGIN("f") END BEGIN("g") PARTIAL("$.a", "\"stringValue\":\"x\"") END STOP, "f({})g({\"a\":\"x\"})");
}

static void pieces_that_make_no_object_are_refused(void)
{
    expect_refused(BEGIN("f") PARTIAL("$.a[1]", "\"boolValue\":true") END STOP, "make no object");
    expect_refused(BEGIN("f") PARTIAL("$.a", "\"boolValue\":true") PARTIAL("$.a.b", "\"boolValue\":true") END STOP, "make no object");
    expect_refused(BEGIN("f") PARTIAL("$.a", "\"boolValue\":true") PARTIAL("$.a", "\"boolValue\":true") END STOP, "make no object");
    expect_refused(BEGIN("f") PARTIAL("$.a[0]", "\"boolValue\":true") PARTIAL("$.b", "\"boolValue\":true")
                       PARTIAL("$.a.c", "\"boolValue\":true") PARTIAL("$", "\"boolValue\":true") END STOP,
                   "make no object");
    expect_refused(BEGIN("f") PARTIAL("$[0]", "\"boolValue\":true") END STOP, "make no object");
    expect_refused(BEGIN("f") PARTIAL("$.a", "\"stringValue\":\"x\",\"willContinue\":true") END STOP, "was cut");
    /* What was left stays: of two members of one name who reads the object takes one. */
    expect_refused(BEGIN("f") PARTIAL("$.a", "\"numberValue\":1") PARTIAL("$.b", "\"numberValue\":2")
                   PARTIAL("$.a", "\"numberValue\":3") END STOP, "no object");
    expect_refused(BEGIN("f") PARTIAL("$.a.b", "\"numberValue\":1") PARTIAL("$.c", "\"numberValue\":2")
                   PARTIAL("$.a.d", "\"numberValue\":3") END STOP, "no object");
}

static void a_call_that_is_cut_is_none(void)
{
    expect_refused(BEGIN("f") STOP, "inside a call");
    expect_refused(BEGIN("f") TEXT("a") STOP, "was cut");
    expect_refused(BEGIN("f") BEGIN("g") END STOP, "was cut");
    expect_refused(END STOP, "has no name");
    expect_refused(PARTS("{\"functionCall\":{\"name\":\"f\",\"args\":[1]}}") STOP, "no JSON object");
}

/* ---- signatures */

static void expect_signatures(const char *bytes, const char *signatures, const char *reasoning)
{
    hear(&dialect_anthropic, bytes);
    EXPECT(h.has_ended);
    EXPECT_SLICE(slice_str(signatures), buf_slice(&h.signatures));
    EXPECT_SLICE(slice_str(reasoning), buf_slice(&h.reasoning));
    done();
}

static void signatures_have_the_mark_of_their_part(void)
{
    expect_signatures(PARTS("{\"text\":\"hm\",\"thought\":true},{\"functionCall\":{\"name\":\"f\"},\"thoughtSignature\":\"QQ==\"}") STOP,
                      "gemini.call.QQ==", "hm");
    expect_signatures(PARTS("{\"text\":\"a\",\"thoughtSignature\":\"QQ==\"}") STOP, "gemini.text.QQ==", "");
    expect_signatures(TEXT("a") PARTS("{\"text\":\"\",\"thoughtSignature\":\"QQ==\"}") STOP, "gemini.end.QQ==", "");
    expect_signatures(PARTS("{\"text\":\"hm\",\"thought\":true,\"thoughtSignature\":\"QQ==\"}") TEXT("a") STOP, "gemini.end.QQ==", "hm");
}

/* ---- reasons */

static void expect_reason(const char *bytes, const char *openai, const char *anthropic, const char *refusal)
{
    hear(&dialect_openai, bytes);
    EXPECT(h.has_ended);
    EXPECT_STR(openai, h.reason);
    EXPECT_SLICE(slice_str(refusal), buf_slice(&h.refusal));
    done();
    hear(&dialect_anthropic, bytes);
    EXPECT(h.has_ended);
    EXPECT_STR(anthropic, h.reason);
    done();
}

static void reasons_have_their_words(void)
{
    expect_reason(TEXT("a") STOP, "stop", "end_turn", "");
    expect_reason(TEXT("a") ENDS("1"), "stop", "end_turn", "");
    expect_reason(TEXT("a") ENDS("\"stop\""), "stop", "end_turn", "");
    expect_reason(TEXT("a") ENDS("\"max_tokens\""), "length", "max_tokens", "");
    expect_reason(TEXT("a") ENDS("\"MAX_TOKENS\""), "length", "max_tokens", "");
    expect_reason(TEXT("a") ENDS("\"SAFETY\",\"finishMessage\":\"no \\u00e9\""), "content_filter", "refusal", "no \xC3\xA9");
    expect_reason(TEXT("a") ENDS("\"RECITATION\""), "content_filter", "refusal", "");
    expect_reason(PARTS("{\"functionCall\":{\"name\":\"f\"}}") STOP, "tool_calls", "tool_use", "");
    expect_reason(PIECE("\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\",\"blockReasonMessage\":\"no\"}"),
                  "content_filter", "refusal", "no");
    expect_reason(ENDS("\"STOP\"") TEXT("a") ENDS("\"STOP\""), "stop", "end_turn", ""); /* with every piece */
}

static void a_call_that_the_model_could_not_make_is_no_answer(void)
{
    expect_refused(TEXT("a") ENDS("\"MALFORMED_FUNCTION_CALL\""), "MALFORMED_FUNCTION_CALL");
    expect_refused(ENDS("\"UNEXPECTED_TOOL_CALL\""), "UNEXPECTED_TOOL_CALL");
}

/* Whatever it is, the model has not come to its own end: nobody is told that it has. */
static void a_reason_that_is_new_is_named_and_is_no_stop(void)
{
    static const char *const told[] = {"content_filter", "refusal", "content_filter"};
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], TEXT("a") ENDS("\"A_NEW_ONE\""));
        EXPECT_STR(told[i], h.reason);
        expect_lost("answer.finishReason");
        done();
    }
    expect_reason(TEXT("a") ENDS("\"OTHER\",\"finishMessage\":\"why\""), "content_filter", "refusal", "why");
    expect_reason(TEXT("a") ENDS("9"), "content_filter", "refusal", "");
}

/* The word for what nobody has said: some write it with every piece. */
static void a_reason_that_nobody_has_said_ends_nothing(void)
{
    static const char *const unsaid[] = {"\"FINISH_REASON_UNSPECIFIED\"", "0", "\"\"", "null"};
    char bytes[1024];
    for (size_t i = 0; i < 4; i++) {
        snprintf(bytes, sizeof bytes, PIECE("\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":%s}]"), unsaid[i]);
        hear(&dialect_openai, bytes);
        EXPECT(!h.has_ended && t.end == DIALECT_CUT);
        done();
        snprintf(bytes, sizeof bytes, PIECE("\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":%s}]") STOP, unsaid[i]);
        hear(&dialect_openai, bytes);
        EXPECT_STR("stop", h.reason);
        EXPECT_INT(0, t.dropped.count);
        done();
    }
}

static void what_begins_inside_of_a_call_is_refused(void)
{
    expect_refused(BEGIN("f") PARTS("{\"text\":\"\",\"thoughtSignature\":\"QQ==\"}") END STOP, "cut");
    expect_refused(BEGIN("f") PARTS("{\"text\":\"b\"}"), "cut");
    hear(&dialect_openai, BEGIN("f") PARTS("{\"text\":\"\"}") END STOP);
    EXPECT_STR("tool_calls", h.reason);
    done();
}

/* ---- what is lost */

static void what_no_client_can_be_told_is_named(void)
{
    hear(&dialect_openai,
         PARTS("{\"text\":\"a\"},{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"1\"}},{\"codeExecutionResult\":{\"outcome\":"
               "\"OUTCOME_OK\"}},{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA==\"},\"thoughtSignature\":\"QQ==\"}")
             PIECE("\"candidates\":[{\"index\":0,\"finishReason\":\"STOP\",\"groundingMetadata\":{\"webSearchQueries\":[\"q\"]},"
                   "\"citationMetadata\":{},\"logprobsResult\":{\"x\":1}},{\"index\":1,\"content\":{\"parts\":[{\"text\":\"other\"}]}}]"));
    EXPECT(h.has_ended);
    EXPECT_SLICE(SLICE("a"), buf_slice(&h.text));
    expect_lost("answer.executableCode, answer.codeExecutionResult, answer.inlineData, answer.groundingMetadata, "
                "answer.logprobsResult, answer.candidates");
    done();
}

/* ---- whole answers, and lists */

static void lists_are_answers_too(void)
{
    hear_body(&dialect_anthropic,
              "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}],\"usageMetadata\":{\"promptTokenCount\":3}},"
              "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"STOP\"}],"
              "\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":2,\"totalTokenCount\":5}}]");
    EXPECT_SLICE(SLICE("ab"), buf_slice(&h.text));
    EXPECT_INT(2, h.output);
    done();
}

static void expect_no_body(const char *bytes)
{
    hear_body(&dialect_openai, bytes);
    EXPECT_INT(FAULT_UNTRANSLATABLE, t.why.code);
    EXPECT_INT(0, buf_len(&t.out));
    done();
}

static void what_is_no_answer_is_refused(void)
{
    expect_no_body("{}");
    expect_no_body("[1]");
    expect_no_body("{\"candidates\":[]}");
    expect_no_body("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}");
    expect_no_body("{\"id\":\"x\",\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}");
    expect_refused("data: {\"type\":\"message_start\"}\n\n", "no answer of Gemini's API");
    expect_refused(TEXT("a") "data: {\n\n", "no JSON object");
}

static void a_character_in_two_halves_is_one(void)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], TEXT("a\\ud83d") TEXT("\\ude00b") TEXT("\\ud83d") STOP);
        EXPECT_SLICE(SLICE("a\xF0\x9F\x98\x80"
                           "b\xEF\xBF\xBD"),
                     buf_slice(&h.text));
        done();
    }
}

/* ---- errors */

static void expect_delay(const char *detail, uint32_t seconds)
{
    char body[256];
    snprintf(body, sizeof body, "{\"error\":{\"code\":429,\"message\":\"M\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[1,%s]}}", detail);
    translate_failure(&t, &dialect_gemini, &dialect_openai, 429, slice_str(body));
    EXPECT_INT(seconds, translator_retry_after_s(t.translator));
    translating_clear(&t);
}

/* As Google tells of one where events were not asked for; and as its API for OpenAI's clients does. */
static void an_error_in_a_list_is_one(void)
{
#define IN_LIST "[1,{\"candidates\":[]},{\"error\":{\"code\":503,\"message\":\"M\",\"status\":\"UNAVAILABLE\"}}]"
    static const struct dialect *const providers[] = {&dialect_gemini, &dialect_openai};
    for (size_t i = 0; i < 2; i++) {
        translate_failure(&t, providers[i], &dialect_anthropic, 503, SLICE(IN_LIST));
        hearing_begin(&h, &dialect_anthropic);
        hearing_body(&h, buf_slice(&t.out));
        EXPECT_STR("M", h.error_message);
        done();
    }
    translate_failure(&t, &dialect_gemini, &dialect_anthropic, 503, SLICE("[1]"));
    hearing_begin(&h, &dialect_anthropic);
    hearing_body(&h, buf_slice(&t.out));
    EXPECT_STR("[1]", h.error_message);
    done();
}

static void an_error_says_when_to_come_again(void)
{
#define RETRY(delay) "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":" delay "}"
    expect_delay(RETRY("\"34s\""), 34);
    expect_delay(RETRY("\"34.074824224s\""), 35);
    expect_delay(RETRY("\"0.2s\""), 1);
    expect_delay(RETRY("\"7.000s\""), 7);
    expect_delay(RETRY("\"0s\""), 0);
    static const char *const odd[] = {RETRY("\"s\""), RETRY("\"34\""), RETRY("\"\""), RETRY("\"-1s\""), RETRY("\"1.-s\""), RETRY("\".5s\""),
                                      RETRY("\"1.\""), RETRY("\"99999999999s\""), RETRY("34"), RETRY("{\"seconds\":34}"), "{}"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        expect_delay(odd[i], 0);
}

static void expect_error(int status, const char *body, int told, const char *openai, const char *anthropic)
{
    translate_failure(&t, &dialect_gemini, &dialect_openai, status, slice_str(body));
    hearing_begin(&h, &dialect_openai);
    hearing_body(&h, buf_slice(&t.out));
    EXPECT_INT(told, t.status);
    EXPECT_STR(openai, h.error_type);
    done();
    translate_failure(&t, &dialect_gemini, &dialect_anthropic, status, slice_str(body));
    hearing_begin(&h, &dialect_anthropic);
    hearing_body(&h, buf_slice(&t.out));
    EXPECT_STR(anthropic, h.error_type);
    EXPECT_STR("M", h.error_message);
    done();
}

static void errors_have_their_words(void)
{
#define ERROR(code, status) "{\"error\":{\"code\":" code ",\"message\":\"M\",\"status\":\"" status "\",\"details\":[]}}"
    expect_error(400, ERROR("400", "INVALID_ARGUMENT"), 400, "invalid_request_error", "invalid_request_error");
    expect_error(404, ERROR("404", "NOT_FOUND"), 404, "invalid_request_error", "not_found_error");
    expect_error(429, ERROR("429", "RESOURCE_EXHAUSTED"), 429, "rate_limit_error", "rate_limit_error");
    expect_error(503, ERROR("503", "UNAVAILABLE"), 503, "server_error", "overloaded_error");
    expect_error(504, ERROR("504", "DEADLINE_EXCEEDED"), 504, "server_error", "timeout_error");
    expect_error(400, "{\"error\":{\"code\":400,\"message\":\"M\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"reason\":"
                      "\"API_KEY_INVALID\"}]}}", 400, "authentication_error", "authentication_error");
    expect_error(500, "{\"error\":{\"code\":500,\"message\":\"M\"}}", 500, "server_error", "api_error");
#undef ERROR
}

static void an_error_in_a_stream_ends_it(void)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], TEXT("a") "data: {\"error\":{\"code\":503,\"message\":\"M\",\"status\":\"UNAVAILABLE\"}}\n\n" STOP);
        EXPECT(h.has_error && !h.has_ended);
        EXPECT_STR("M", h.error_message);
        done();
    }
}

int main(void)
{
    RUN(calls_come_whole);
    RUN(calls_come_in_pieces);
    RUN(pieces_that_make_no_object_are_refused);
    RUN(a_call_that_is_cut_is_none);
    RUN(signatures_have_the_mark_of_their_part);
    RUN(reasons_have_their_words);
    RUN(a_call_that_the_model_could_not_make_is_no_answer);
    RUN(a_reason_that_is_new_is_named_and_is_no_stop);
    RUN(a_reason_that_nobody_has_said_ends_nothing);
    RUN(what_begins_inside_of_a_call_is_refused);
    RUN(what_no_client_can_be_told_is_named);
    RUN(lists_are_answers_too);
    RUN(what_is_no_answer_is_refused);
    RUN(a_character_in_two_halves_is_one);
    RUN(an_error_in_a_list_is_one);
    RUN(an_error_says_when_to_come_again);
    RUN(errors_have_their_words);
    RUN(an_error_in_a_stream_ends_it);
    return unit_close("translate_answers_gemini");
}
