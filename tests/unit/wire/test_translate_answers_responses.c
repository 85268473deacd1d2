/*
 * Answers of the Responses API for clients of others: what is told in pieces and again, whole; items in turns, calls,
 * thoughts and what is encrypted of them, reasons, what no client can be told, errors, and what is no answer.
 */
#include "../unit.h"

#include "hearing.h"
#include "translating.h"

#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\",\"sequence_number\":1" rest "}\n\n"
#define RESPONSE(type, rest) EVENT(type, ",\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"model\":\"m\"" rest "}")
#define START RESPONSE("response.created", ",\"status\":\"in_progress\",\"output\":[]")
#define USAGE                                                                                                          \
    ",\"usage\":{\"input_tokens\":9,\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":5,"               \
    "\"output_tokens_details\":{\"reasoning_tokens\":2},\"total_tokens\":14}"
#define END_WITH(output) RESPONSE("response.completed", ",\"status\":\"completed\",\"output\":[" output "]" USAGE)
#define END END_WITH("")
#define CUT(reason)                                                                                                    \
    RESPONSE("response.incomplete", ",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"" reason "\"}"    \
                                    ",\"output\":[]" USAGE)
#define ADDED(place, item) EVENT("response.output_item.added", ",\"output_index\":" place ",\"item\":" item)
#define DONE(place, item) EVENT("response.output_item.done", ",\"output_index\":" place ",\"item\":" item)
#define OUTPUT_TEXT(text) "{\"type\":\"output_text\",\"text\":\"" text "\",\"annotations\":[]}"
#define MESSAGE(content) "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[" content "]}"
#define SAY(place, content, text)                                                                                      \
    EVENT("response.output_text.delta", ",\"output_index\":" place ",\"content_index\":" content ",\"delta\":\"" text "\"")
#define CALL(id, name, arguments)                                                                                      \
    "{\"id\":\"fc_" id "\",\"type\":\"function_call\",\"call_id\":\"call_" id "\",\"name\":\"" name                    \
    "\",\"arguments\":\"" arguments "\"}"
#define ASK(place, text)                                                                                               \
    EVENT("response.function_call_arguments.delta", ",\"output_index\":" place ",\"delta\":\"" text "\"")
#define THOUGHT(summary, rest) "{\"id\":\"rs_1\",\"type\":\"reasoning\",\"summary\":[" summary "]" rest "}"
#define SUMMARY(text) "{\"type\":\"summary_text\",\"text\":\"" text "\"}"
#define THINK(place, number, text)                                                                                     \
    EVENT("response.reasoning_summary_text.delta",                                                                     \
          ",\"output_index\":" place ",\"summary_index\":" number ",\"delta\":\"" text "\"")

static struct translating t;
static struct hearing h;
static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_gemini};

static void hear(const struct dialect *client, const char *bytes)
{
    translate_stream(&t, &dialect_responses, client, slice_str(bytes), 0);
    hearing_begin(&h, client);
    hearing_stream(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s for %s: %s", h.wrong, client->name, h.place);
}

static void hear_body(const struct dialect *client, const char *bytes)
{
    translate_body(&t, &dialect_responses, client, slice_str(bytes));
    hearing_begin(&h, client);
    if (buf_len(&t.out)) hearing_body(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s for %s: %s", h.wrong, client->name, h.place);
}

static void done(void)
{
    hearing_clear(&h);
    translating_clear(&t);
}

static bool left(const char *text)
{
    return memmem(buf_ptr(&t.out), buf_len(&t.out), text, strlen(text)) != NULL;
}

static void expect_lost(const char *bytes, const char *names)
{
    struct buf dropped;
    buf_init(&dropped);
    hear(&dialect_anthropic, bytes);
    EXPECT(h.has_ended);
    dropped_write(&t.dropped, &dropped);
    EXPECT_SLICE(slice_str(names), buf_slice(&dropped));
    buf_clear(&dropped);
    done();
}

static void expect_text(const char *bytes, const char *text)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], bytes);
        if (t.has_stopped) UNIT_FAIL("%s", t.why.text);
        EXPECT(h.has_ended);
        EXPECT_SLICE(slice_str(text), buf_slice(&h.text));
        done();
    }
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

/* ---- texts */

static void a_text_is_told_once(void)
{
    expect_text(START ADDED("0", MESSAGE("")) SAY("0", "0", "a") SAY("0", "0", "b")
                    EVENT("response.output_text.done", ",\"output_index\":0,\"content_index\":0,\"text\":\"ab\"")
                        EVENT("response.content_part.done", ",\"output_index\":0,\"content_index\":0,\"part\":" OUTPUT_TEXT("ab"))
                            DONE("0", MESSAGE(OUTPUT_TEXT("ab"))) END_WITH(MESSAGE(OUTPUT_TEXT("ab"))),
                "ab");
}

static void what_no_piece_told_is_told_when_it_is_done(void)
{
    expect_text(START ADDED("0", MESSAGE("")) SAY("0", "0", "a") DONE("0", MESSAGE(OUTPUT_TEXT("a") "," OUTPUT_TEXT("b"))) END,
                "ab");
    expect_text(START ADDED("0", MESSAGE(""))
                    EVENT("response.output_text.done", ",\"output_index\":0,\"content_index\":0,\"text\":\"a\"")
                        SAY("0", "1", "b") DONE("0", MESSAGE(OUTPUT_TEXT("a") "," OUTPUT_TEXT("b"))) END,
                "ab");
    expect_text(START DONE("0", MESSAGE(OUTPUT_TEXT("a"))) END, "a");
    expect_text(START END_WITH(MESSAGE(OUTPUT_TEXT("a")) "," MESSAGE(OUTPUT_TEXT("b"))), "ab");
    expect_text(RESPONSE("response.completed", ",\"status\":\"completed\",\"output\":[" MESSAGE(OUTPUT_TEXT("a")) "]"), "a");
    expect_text(START SAY("0", "0", "a") END_WITH(MESSAGE(OUTPUT_TEXT("a") "," OUTPUT_TEXT("b"))), "ab");
    expect_text(START ADDED("0", MESSAGE("")) SAY("0", "0", "a") DONE("0", MESSAGE(OUTPUT_TEXT("a")))
                    END_WITH(MESSAGE(OUTPUT_TEXT("a")) "," MESSAGE(OUTPUT_TEXT("b"))),
                "ab");
}

/* Servers with but one item number it otherwise at the end. */
static void what_was_told_is_not_told_at_the_end(void)
{
    expect_text(START ADDED("1", MESSAGE("")) SAY("1", "0", "a") DONE("1", MESSAGE(OUTPUT_TEXT("a"))) END_WITH(MESSAGE(OUTPUT_TEXT("a"))),
                "a");
}

static void a_refusal_is_one(void)
{
    const char *stream = START ADDED("0", MESSAGE(""))
        EVENT("response.refusal.delta", ",\"output_index\":0,\"content_index\":0,\"delta\":\"I \"")
            EVENT("response.refusal.delta", ",\"output_index\":0,\"content_index\":0,\"delta\":\"won't\"")
                DONE("0", MESSAGE("{\"type\":\"refusal\",\"refusal\":\"I won't\"}")) END;
    hear(&dialect_openai, stream);
    EXPECT_SLICE(SLICE("I won't"), buf_slice(&h.refusal));
    EXPECT_STR("stop", h.reason);
    done();
    hear(&dialect_anthropic, stream);
    EXPECT_SLICE(SLICE("I won't"), buf_slice(&h.text));
    EXPECT_STR("refusal", h.reason);
    done();
    hear_body(&dialect_openai, "{\"object\":\"response\",\"status\":\"completed\",\"output\":["
                               MESSAGE("{\"type\":\"refusal\",\"refusal\":\"no\"}") "]}");
    EXPECT_SLICE(SLICE("no"), buf_slice(&h.refusal));
    done();
}

static void a_character_in_two_halves_is_one(void)
{
    expect_text(START ADDED("0", MESSAGE("")) SAY("0", "0", "a\\ud83d") SAY("0", "0", "\\ude00") END, "a\xF0\x9F\x98\x80");
    expect_text(START ADDED("0", MESSAGE("")) SAY("0", "0", "\\ud83d") SAY("0", "0", "b") END, "\xEF\xBF\xBD" "b");
}

/* ---- calls */

static void calls_come_in_pieces_or_whole(void)
{
    expect_calls(START ADDED("0", CALL("1", "f", "")) ASK("0", "{\\\"x\\\":") ASK("0", "1}")
                     EVENT("response.function_call_arguments.done", ",\"output_index\":0,\"arguments\":\"{\\\"x\\\":1}\"")
                         DONE("0", CALL("1", "f", "{\\\"x\\\":1}")) END,
                 "f({\"x\":1})");
    expect_calls(START ADDED("0", CALL("1", "f", "")) DONE("0", CALL("1", "f", "{\\\"x\\\":1}")) END, "f({\"x\":1})");
    expect_calls(START END_WITH(CALL("1", "f", "{}") "," CALL("2", "g", "{}")), "f({})g({})");
    expect_calls(START ADDED("0", CALL("1", "f", "")) DONE("0", CALL("1", "f", "")) END, "f({})");
}

static void calls_in_turns_become_whole(void)
{
    expect_calls(START ADDED("0", CALL("1", "f", "")) ADDED("1", CALL("2", "g", "")) ASK("1", "{\\\"y\\\"") ASK("0", "{\\\"x\\\":")
                     ASK("1", ":2}") ASK("0", "1}") DONE("1", CALL("2", "g", "{\\\"y\\\":2}")) DONE("0", CALL("1", "f", "{\\\"x\\\":1}")) END,
                 "f({\"x\":1})g({\"y\":2})");
}

/* Results go by call_id; a name may come with the end alone. */
static void a_call_has_the_id_that_results_go_by(void)
{
    hear(&dialect_openai, START ADDED("0", CALL("1", "f", "")) DONE("0", CALL("1", "f", "{}")) END);
    EXPECT(left("\"id\":\"call_1\"") && !left("fc_1"));
    EXPECT_STR("tool_calls", h.reason);
    done();
    hear(&dialect_anthropic, START ADDED("0", CALL("1", "", "")) ASK("0", "{}") DONE("0", CALL("1", "f", "{}")) END);
    EXPECT(left("\"id\":\"call_1\"") && !left("fc_1"));
    EXPECT_SLICE(SLICE("f({})"), buf_slice(&h.calls));
    EXPECT_STR("tool_use", h.reason);
    done();
}

static void a_text_for_a_tool_is_what_it_is_asked(void)
{
    expect_calls(START ADDED("0", "{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"patch\",\"input\":\"\"}")
                     EVENT("response.custom_tool_call_input.delta", ",\"output_index\":0,\"delta\":\"a\\n\"")
                         DONE("0", "{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"patch\",\"input\":\"a\\nb\"}") END,
                 "patch({\"input\":\"a\\nb\"})");
}

static void a_call_that_the_bound_cut_is_told_as_far_as_it_came(void)
{
    const char *stream = START ADDED("0", CALL("1", "f", "")) ASK("0", "{\\\"x\\\":")
        DONE("0", "{\"type\":\"function_call\",\"status\":\"incomplete\",\"call_id\":\"call_1\",\"name\":\"f\",\"arguments\":\"{\\\"x\\\":\"}")
            CUT("max_output_tokens");
    hear(&dialect_anthropic, stream);
    EXPECT(h.has_ended && !t.has_stopped);
    EXPECT_STR("max_tokens", h.reason);
    done();
    hear(&dialect_gemini, stream);
    EXPECT_SLICE(SLICE(""), buf_slice(&h.calls));
    EXPECT_STR("MAX_TOKENS", h.reason);
    done();
}

/* To clients that know it as an object; to others it is a text. */
static void what_a_tool_is_asked_must_be_an_object(void)
{
    hear(&dialect_anthropic, START DONE("0", CALL("1", "f", "{\\\"x")) SAY("1", "0", "a") END);
    EXPECT(t.has_stopped && !h.has_ended && strstr(t.why.text, "no JSON object"));
    done();
}

/* ---- thoughts */

static void expect_thought(const char *bytes, const char *words, const char *signature, const char *redacted)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], bytes);
        EXPECT(h.has_ended);
        EXPECT_SLICE(slice_str(words), buf_slice(&h.reasoning));
        EXPECT_SLICE(slice_str(signature), buf_slice(&h.signatures));
        EXPECT_SLICE(slice_str(redacted), buf_slice(&h.redacted));
        done();
    }
}

static void what_is_encrypted_goes_with_its_items_id(void)
{
    expect_thought(START ADDED("0", THOUGHT("", ",\"encrypted_content\":\"early\"")) THINK("0", "0", "h") THINK("0", "0", "m")
                       DONE("0", THOUGHT(SUMMARY("hm"), ",\"encrypted_content\":\"gA==\"")) SAY("1", "0", "a") END,
                   "hm", "openai.rs_1.gA==", "");
    expect_thought(START DONE("0", THOUGHT("", ",\"encrypted_content\":\"gA==\"")) SAY("1", "0", "a") END, "", "",
                   "openai.rs_1.gA==");
    expect_thought(START DONE("0", "{\"id\":\"r.1\",\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"gA==\"}") END, "", "",
                   "openai..gA==");
    expect_thought(START DONE("0", THOUGHT(SUMMARY("hm"), ",\"encrypted_content\":null")) END, "hm", "", "");
}

/* Without its words, which the client did not ask for. */
static void what_is_encrypted_goes_where_thoughts_are_hidden(void)
{
    struct answer_manner manner = translating_events;
    manner.hides_thoughts = true;
    translate_stream_as(&t, &dialect_responses, &dialect_gemini, &manner,
                        SLICE(START THINK("0", "0", "hm") DONE("0", THOUGHT(SUMMARY("hm"), ",\"encrypted_content\":\"E1\""))
                                  DONE("1", THOUGHT("", ",\"encrypted_content\":\"E2\"")) SAY("2", "0", "a") END),
                        0);
    hearing_begin(&h, &dialect_gemini);
    hearing_stream(&h, buf_slice(&t.out));
    EXPECT(!h.wrong && h.has_ended);
    EXPECT_SLICE(SLICE(""), buf_slice(&h.reasoning));
    EXPECT_SLICE(SLICE("openai.rs_1.E1"), buf_slice(&h.signatures));
    EXPECT_SLICE(SLICE("openai.rs_1.E2"), buf_slice(&h.redacted));
    done();
}

static void paragraphs_of_a_thought_stand_apart(void)
{
    expect_thought(START ADDED("0", THOUGHT("", "")) THINK("0", "0", "a") THINK("0", "1", "b") THINK("0", "1", "c")
                       DONE("0", THOUGHT(SUMMARY("a") "," SUMMARY("bc") "," SUMMARY("d"), "")) END,
                   "a\n\nbc\n\nd", "", "");
    expect_thought(START ADDED("0", THOUGHT("", "")) THINK("0", "0", "a\\ud83d") THINK("0", "0", "\\ude00") THINK("0", "1", "b\\ud83d")
                       THINK("0", "1", "\\ude00") END,
                   "a\xF0\x9F\x98\x80\n\nb\xF0\x9F\x98\x80", "", "");
    expect_thought(START ADDED("0", THOUGHT("", ""))
                       EVENT("response.reasoning_text.delta", ",\"output_index\":0,\"content_index\":0,\"delta\":\"a\"")
                           DONE("0", THOUGHT("", ",\"content\":[{\"type\":\"reasoning_text\",\"text\":\"a\"}]")) END,
                   "a", "", "");
}

static void thoughts_stand_in_front_of_what_they_are_of(void)
{
    hear(&dialect_anthropic, START DONE("0", THOUGHT("", ",\"encrypted_content\":\"E1\"")) DONE("1", CALL("1", "f", "{}"))
                                 DONE("2", THOUGHT(SUMMARY("hm"), ",\"encrypted_content\":\"E2\"")) DONE("3", MESSAGE(OUTPUT_TEXT("a"))) END);
    const char *all = buf_ptr(&t.out);
    const char *first = strstr(all, "openai.rs_1.E1"), *call = strstr(all, "call_1"), *second = strstr(all, "openai.rs_1.E2"),
               *text = strstr(all, "text_delta");
    EXPECT(first && call && second && text && first < call && call < second && second < text);
    done();
}

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
    expect_refused(START SAY("0", "0", "a") RESPONSE("response.failed", ",\"status\":\"failed\",\"error\":null"), "gave it up");
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
    expect_no_body("{\"object\":\"response\",\"status\":\"failed\",\"output\":[]}", "gave it up");
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
    RUN(a_text_is_told_once);
    RUN(what_no_piece_told_is_told_when_it_is_done);
    RUN(what_was_told_is_not_told_at_the_end);
    RUN(a_refusal_is_one);
    RUN(a_character_in_two_halves_is_one);
    RUN(calls_come_in_pieces_or_whole);
    RUN(calls_in_turns_become_whole);
    RUN(a_call_has_the_id_that_results_go_by);
    RUN(a_text_for_a_tool_is_what_it_is_asked);
    RUN(a_call_that_the_bound_cut_is_told_as_far_as_it_came);
    RUN(what_a_tool_is_asked_must_be_an_object);
    RUN(what_is_encrypted_goes_with_its_items_id);
    RUN(what_is_encrypted_goes_where_thoughts_are_hidden);
    RUN(paragraphs_of_a_thought_stand_apart);
    RUN(thoughts_stand_in_front_of_what_they_are_of);
    RUN(reasons_have_their_words);
    RUN(usage_is_told_with_its_parts);
    RUN(no_end_comes_that_its_provider_did_not_give);
    RUN(what_no_client_can_be_told_is_named);
    RUN(a_sign_of_life_is_passed_on);
    RUN(what_is_out_of_order_is_refused);
    RUN(a_response_that_is_not_over_is_no_answer);
    RUN(errors_in_a_stream_have_their_words);
    RUN(errors_have_their_words);
    return unit_close("translate_answers_responses");
}
