/*
 * How answers of the Responses API end for clients of others: reasons, usage, what no client can be told, errors, and what
 * is no answer.
 */
#include "responding.h"

/* ---- ends */

static void expect_reason(const char *bytes, const char *openai, const char *anthropic, const char *gemini)
{
    const char *words[] = {openai, anthropic, gemini};
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], bytes);
        EXPECT(h.has_ended);
        EXPECT_STR(words[i], h.reason);
        done();
    }
}

static void reasons_have_their_words(void)
{
    expect_reason(START SAY("0", "0", "a") END, "stop", "end_turn", "STOP");
    expect_reason(START SAY("0", "0", "a") CUT("max_output_tokens"), "length", "max_tokens", "MAX_TOKENS");
    expect_reason(START SAY("0", "0", "a") CUT("content_filter"), "content_filter", "refusal", "SAFETY");
    expect_reason(START SAY("0", "0", "a") CUT("new"), "length", "max_tokens", "MAX_TOKENS");
    expect_reason(START DONE("0", CALL("1", "f", "{}")) END, "tool_calls", "tool_use", "STOP");
}

static void usage_is_told_with_its_parts(void)
{
    hear(&dialect_openai, START SAY("0", "0", "a") END);
    EXPECT_INT(9, h.input);
    EXPECT_INT(4, h.cached);
    EXPECT_INT(5, h.output);
    EXPECT_INT(2, h.thought);
    EXPECT(left("\"id\":\"chatcmpl-resp_1\""));
    done();
    hear(&dialect_anthropic, START SAY("0", "0", "a") END);
    EXPECT_INT(5, h.input);
    EXPECT_INT(4, h.cached);
    done();
}

/* Another target may still answer in its place. */
static void of_a_response_that_only_began_nothing_is_heard(void)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], START EVENT("response.in_progress", ",\"response\":{}"));
        EXPECT_INT(0, buf_len(&t.out));
        done();
    }
}

static void no_end_comes_that_its_provider_did_not_give(void)
{
    static const char *const cut[] = {START, START SAY("0", "0", "a"), START DONE("0", MESSAGE(OUTPUT_TEXT("a")))};
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
        for (size_t c = 0; c < 3; c++) {
            hear(clients[c], cut[i]);
            EXPECT(!h.has_ended && !t.has_stopped && t.end == DIALECT_CUT);
            done();
        }
    }
    expect_refused(START SAY("0", "0", "a") "data: [DONE]\n\n", "without response.completed");
    expect_refused(START SAY("0", "0", "a") RESPONSE("response.cancelled", ",\"status\":\"cancelled\""), "cancelled");
    expect_text(START SAY("0", "0", "a") END "data: [DONE]\n\n", "a");
}

/* ---- what has no counterpart */

static void what_no_client_can_be_told_is_named(void)
{
    expect_lost(START ADDED("0", "{\"type\":\"web_search_call\",\"id\":\"ws_1\"}")
                    EVENT("response.web_search_call.searching", ",\"output_index\":0,\"item_id\":\"ws_1\"")
                        DONE("0", "{\"type\":\"web_search_call\",\"id\":\"ws_1\"}") DONE("1", "{\"type\":\"mcp_call\"}") SAY("2", "0", "a") END,
                "answer.web_search_call, answer.mcp_call");
    expect_lost(START SAY("0", "0", "a")
                    EVENT("response.output_text.annotation.added", ",\"output_index\":0,\"content_index\":0,\"annotation\":{}")
                        DONE("0", MESSAGE("{\"type\":\"output_text\",\"text\":\"a\",\"annotations\":[{}],\"logprobs\":[{}]}")) END,
                "answer.annotations, answer.logprobs");
    expect_lost(START EVENT("response.new", ",\"output_index\":7") DONE("0", MESSAGE("{\"type\":\"output_audio\"}")) END,
                "answer.response.new, answer.output_audio");
    expect_lost(START SAY("0", "0", "a") CUT("new"), "answer.incomplete_details");
    expect_lost(START SAY("0", "0", "a") RESPONSE("response.completed", ",\"status\":\"completed\",\"content_filters\":[{}]"),
                "answer.content_filters");
    expect_lost(START DONE("0", "{\"type\":\"message\",\"content\":[" OUTPUT_TEXT("a") "],\"phase\":\"final_answer\"}") END, "answer.phase");
}

/* As of proxies that begin with what their limits leave. */
static void what_comes_in_front_of_the_beginning_is_named(void)
{
    expect_lost("data: {\"type\":\"proxy.rate_limits\",\"left\":1}\n\n" START SAY("0", "0", "a") END, "answer.proxy.rate_limits");
}

static void a_sign_of_life_is_passed_on(void)
{
    hear(&dialect_openai, START "event: keepalive\ndata: {\"type\":\"keepalive\",\"sequence_number\":2}\n\n" SAY("0", "0", "a") END);
    EXPECT(h.has_ended && buf_len(&h.comments));
    done();
}

/* ---- what is no answer */

static void what_is_out_of_order_is_refused(void)
{
    expect_refused(SAY("0", "0", "a") END, "does not begin with response.created");
    expect_refused(START "data: {\"x\":1}\n\n", "none of the Responses API");
    expect_refused(START ADDED("0", MESSAGE("")) ADDED("0", MESSAGE("")) END, "begins twice");
    expect_refused(START DONE("0", MESSAGE(OUTPUT_TEXT("a"))) SAY("0", "0", "b") END, "behind its end");
    expect_refused(START ADDED("0", MESSAGE("")) ASK("0", "{}") END, "another kind");
    expect_refused(START ADDED("0", MESSAGE("")) DONE("0", CALL("1", "f", "{}")) END, "another kind");
    expect_refused(START DONE("0", CALL("1", "", "{}")) END, "has no name");
    expect_refused(START EVENT("response.output_text.delta", ",\"delta\":\"a\"") END, "names no item");
    expect_refused(START SAY("1024", "0", "a") END, "too many items");
    expect_refused(START SAY("0", "64", "a") END, "too many parts");
    expect_refused(START SAY("0", "-1", "a") END, "names no part");
    expect_refused(START DONE("0", "{\"id\":\"x\"}") END, "has no type");
    expect_refused(START DONE("0", "1") END, "an event of an item has none");
    expect_refused(START "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n", "has none");
}

static void expect_no_body(const char *bytes, const char *why)
{
    for (size_t i = 0; i < 3; i++) {
        hear_body(clients[i], bytes);
        EXPECT_INT(FAULT_UNTRANSLATABLE, t.why.code);
        if (!strstr(t.why.text, why)) UNIT_FAIL("%s", t.why.text);
        EXPECT_INT(0, buf_len(&t.out));
        done();
    }
}

static void a_response_that_is_not_over_is_no_answer(void)
{
    expect_no_body("{\"object\":\"response\",\"status\":\"queued\",\"output\":[]}", "has not begun");
    expect_no_body("{\"object\":\"response\",\"status\":\"in_progress\",\"output\":[]}", "in the background");
    expect_no_body("{\"object\":\"response\",\"status\":\"cancelled\",\"output\":[]}", "cancelled");
    expect_no_body("{\"object\":\"response\",\"status\":\"completed\"}", "no response");
    expect_no_body("{\"choices\":[]}", "no response");
    expect_no_body("{\"output\":[1]}", "has no type");
}

/* ---- errors */

static void expect_error(const char *bytes, const char *type, const char *message)
{
    hear(&dialect_anthropic, bytes);
    EXPECT(h.has_error && !h.has_ended);
    EXPECT_STR(type, h.error_type);
    EXPECT_STR(message, h.error_message);
    done();
}

static void errors_in_a_stream_have_their_words(void)
{
    expect_error(START "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"M\",\"param\":null}\n\n", "api_error", "M");
    expect_error(START EVENT("error", ",\"error\":{\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\",\"message\":\"M\"}"),
                 "billing_error", "M");
    expect_error(START SAY("0", "0", "a")
                     RESPONSE("response.failed", ",\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"M\"}"),
                 "rate_limit_error", "M");
    expect_error(START SAY("0", "0", "a") RESPONSE("response.failed", ",\"status\":\"failed\",\"error\":null"), "api_error",
                 "The provider gave no reason.");
    expect_error(START "event: response.failed\ndata: {\"type\":\"response.failed\"}\n\n", "api_error",
                 "The provider gave no reason.");
    expect_error(RESPONSE("response.failed", ",\"status\":\"failed\",\"error\":{\"code\":\"image_too_large\",\"message\":\"M\"}"),
                 "invalid_request_error", "M");
    expect_error(START RESPONSE("response.failed", ",\"status\":\"failed\",\"error\":{\"code\":\"context_length_exceeded\",\"message\":\"M\"}"),
                 "invalid_request_error", "M");
}

static void expect_failure(int status, const char *body, const char *type, int told)
{
    translate_failure(&t, &dialect_responses, &dialect_anthropic, status, slice_str(body));
    hearing_begin(&h, &dialect_anthropic);
    hearing_body(&h, buf_slice(&t.out));
    EXPECT_STR(type, h.error_type);
    EXPECT_STR("M", h.error_message);
    EXPECT_INT(told, t.status);
    done();
}

static void errors_have_their_words(void)
{
    expect_failure(401, "{\"error\":{\"message\":\"M\",\"type\":\"invalid_request_error\",\"code\":\"invalid_api_key\"}}", "authentication_error", 401);
    expect_failure(429, "{\"error\":{\"message\":\"M\",\"code\":\"rate_limit_exceeded\"}}", "rate_limit_error", 429);
    expect_failure(200, "{\"object\":\"response\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"M\"},\"output\":[]}",
                   "api_error", 502);
    expect_failure(200, "{\"object\":\"response\",\"status\":\"failed\",\"error\":{\"code\":\"invalid_prompt\",\"message\":\"M\"},\"output\":[]}",
                   "invalid_request_error", 502);
}

int main(void)
{
    RUN(reasons_have_their_words);
    RUN(usage_is_told_with_its_parts);
    RUN(of_a_response_that_only_began_nothing_is_heard);
    RUN(no_end_comes_that_its_provider_did_not_give);
    RUN(what_no_client_can_be_told_is_named);
    RUN(what_comes_in_front_of_the_beginning_is_named);
    RUN(a_sign_of_life_is_passed_on);
    RUN(what_is_out_of_order_is_refused);
    RUN(a_response_that_is_not_over_is_no_answer);
    RUN(errors_in_a_stream_have_their_words);
    RUN(errors_have_their_words);
    return unit_close("translate_ends_responses");
}
