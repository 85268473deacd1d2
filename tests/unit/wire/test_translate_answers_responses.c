/*
 * Answers of the Responses API for clients of others: what is told in pieces and again, whole; items in turns, calls,
 * thoughts and what is encrypted of them.
 */
#include "responding.h"

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

/* Some servers say it of the response alone. */
static void a_call_in_a_response_that_was_cut_is_cut(void)
{
    hear(&dialect_anthropic, START ADDED("0", CALL("1", "f", "")) ASK("0", "{\\\"x\\\":")
                                 RESPONSE("response.incomplete", ",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
                                          "\"max_output_tokens\"},\"output\":[" CALL("1", "f", "{\\\"x\\\":") "]"));
    EXPECT(h.has_ended && !t.has_stopped);
    EXPECT_STR("max_tokens", h.reason);
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
    RUN(a_call_in_a_response_that_was_cut_is_cut);
    RUN(what_a_tool_is_asked_must_be_an_object);
    RUN(what_is_encrypted_goes_with_its_items_id);
    RUN(what_is_encrypted_goes_where_thoughts_are_hidden);
    RUN(paragraphs_of_a_thought_stand_apart);
    RUN(thoughts_stand_in_front_of_what_they_are_of);
    return unit_close("translate_answers_responses");
}
