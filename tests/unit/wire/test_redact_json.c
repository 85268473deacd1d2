/* Answers whose texts are JSON themselves, and what stands beside their choices: all of it is masked and given back. */
#include "answering.h"

/* W8: what stands beside choices is masked as it is without them. */
static void what_belongs_to_no_choice_is_masked_too(void)
{
    expect_answer("{\"search_results\":[{\"title\":\"cy@x.org\"}],\"citations\":[\"x?cy@x.org\"]}",
                  "{\"search_results\":[{\"title\":\"[email_3]\"}],\"citations\":[\"x?[email_3]\"]}");
    expect_answer("{\"choices\":[{\"message\":{\"content\":\"x\",\"annotations\":[{\"url_citation\":{\"title\":\"cy@x.org\"}}]}}],"
                  "\"search_results\":[{\"title\":\"cy@x.org\"}],\"citations\":[\"x?cy@x.org\"]}",
                  "{\"choices\":[{\"message\":{\"content\":\"x\",\"annotations\":[{\"url_citation\":{\"title\":\"[email_3]\"}}]}}],"
                  "\"search_results\":[{\"title\":\"[email_3]\"}],\"citations\":[\"x?[email_3]\"]}");
    /* In a stream it stands whole in each event, and ends with it. */
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    run_stream(SLICE("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"search_results\":[{\"title\":\"cy@x.org\"}]}\n\n"
                     "data: {\"choices\":[],\"search_results\":[{\"title\":\".uk cy@x.org\"}]}\n\n"));
    EXPECT_TEXT("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"search_results\":[{\"title\":\"[email_3]\"}]}\n\n"
                "data: {\"choices\":[],\"search_results\":[{\"title\":\".uk [email_3]\"}]}\n\n",
                buf_slice(&out));
    done();
}

/* W1: arguments cut at every byte, each of them in a delta of its own or in two. */
static void arguments_are_masked_as_they_are_decoded(void)
{
    static const char *const arguments[][2] = {
        {"{\"note\":\"x\\ncy@x.org\"}", "{\"note\":\"x\\n[email_3]\"}"},
        {"{\"note\":\"x\\n5500 0000 0000 0004\\t219-09-9999\"}", "{\"note\":\"x\\n[credit_card]\\t[us_ssn]\"}"},
        {"{\"note\":\"cy\\u0040x.org\",\"card\":5500000000000004}", "{\"note\":\"[email_3]\",\"card\":\"[credit_card]\"}"},
        {"{\"b\":\"{\\\"c\\\":\\\"x\\\\ncy@x.org\\\",\\\"n\\\":-5500000000000004}\"}",
         "{\"b\":\"{\\\"c\\\":\\\"x\\\\n[email_3]\\\",\\\"n\\\":\\\"[credit_card]\\\"}\"}"},
        {"{\"to\":\"x\\n[email]\",\"q\":\"{\\\"to\\\":\\\"[email_2]\\\"}\"}",
         "{\"to\":\"x\\nana@example.com\",\"q\":\"{\\\"to\\\":\\\"bo@x.org\\\"}\"}"},
    };
    struct buf sse;
    buf_init(&sse);
    for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
        struct slice text = slice_str(arguments[i][0]);
        for (size_t first = 0; first <= text.len; first++) {
            use_rules(true, true);
            send_request(ASKED, CHAT_CHAT);
            buf_reset(&sse);
            for (size_t at = 0, next; at < text.len; at = next) {
                next = first == 0 ? at + 1 : at == 0 ? first : text.len;
                write_delta(&sse, slice_of(text.ptr + at, next - at), 0, "arguments");
            }
            run_stream(buf_slice(&sse));
            EXPECT_TEXT(arguments[i][1], join(buf_slice(&out), 0, "arguments"));
            done();
        }
    }
    buf_clear(&sse);
}

/* What is given back is spelt as it must be where it comes to stand. */
static void what_comes_back_is_encoded_at_every_level(void)
{
    use_quoted_rules();
    send_request("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"[\\\"Q\\\\\\\"1234\\\"]\"}]}", CHAT_CHAT);
    EXPECT_TEXT("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"[\\\"[quoted]\\\"]\"}]}", buf_slice(&sent));
    buf_reset(&out);
    EXPECT(redact_body(SLICE("{\"choices\":[{\"text\":\"[quoted] {\\\"a\\\":\\\"[quoted] {\\\\\\\"b\\\\\\\":\\\\\\\"[quoted]\\\\\\\"}\\\"}\"}]}"), &out));
    EXPECT_TEXT("{\"choices\":[{\"text\":\"Q\\\"1234 {\\\"a\\\":\\\"Q\\\\\\\"1234 {\\\\\\\"b\\\\\\\":\\\\\\\"Q\\\\\\\\\\\\\\\"1234\\\\\\\"}\\\"}\"}]}",
                buf_slice(&out));
    done();
}

/* What a tool is given as an object is masked as it is where it stands in a string: numbers too, and those that follow
 * each other. */
static void what_tools_are_given_is_masked_as_its_json(void)
{
    static const char *const given[][2] = {
        {"{\"card\":5500000000000004}", "{\"card\":\"[credit_card]\"}"},
        {"{ \"a\" : [1, -5500000000000004 , {\"b\":\"cy\\u0040x.org\"}]}", "{ \"a\" : [1, \"[credit_card]\" , {\"b\":\"[email_3]\"}]}"},
        {"{\"cy@x.org\":true,\"to\":\"[email]\"}", "{\"[email_3]\":true,\"to\":\"ana@example.com\"}"},
        {"{\"name\":\"x\",\"n\":[55,12]}", "{\"name\":\"x\",\"n\":[55,12]}"},
    };
    static const char *const around[] = {
        "{\"content\":[{\"type\":\"tool_use\",\"name\":\"f\",\"input\":%s}]}",
        "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":%s}}]}}]}",
        "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":%s}}]}}]}",
    };
    for (size_t a = 0; a < sizeof around / sizeof around[0]; a++) {
        for (size_t g = 0; g < sizeof given / sizeof given[0]; g++) {
            char body[400], want[400], event[420];
            snprintf(body, sizeof body, around[a], given[g][0]);
            snprintf(want, sizeof want, around[a], given[g][1]);
            expect_answer(body, want);
            use_rules(true, true);
            send_request(ASKED, CHAT_CHAT);
            snprintf(event, sizeof event, "data: %s\n\n", body);
            run_stream(slice_str(event));
            snprintf(event, sizeof event, "data: %s\n\n", want);
            EXPECT_TEXT(event, buf_slice(&out));
            done();
        }
    }
}

static void expect_events(const char *sse, const char *want)
{
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    run_stream(slice_str(sse));
    EXPECT_TEXT(want, buf_slice(&out));
    done();
}

#define PARTIAL(list) "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"partialArgs\":[" list "]}}]}}]}"

static void numbers_in_partial_arguments_are_masked(void)
{
    expect_events("data: " PARTIAL("{\"jsonPath\":\"$.a\",\"numberValue\":5500000000000004},{\"jsonPath\":\"$.b\",\"numberValue\":7}") "\n\n",
                  "data: " PARTIAL("{\"jsonPath\":\"$.a\",\"numberValue\":\"[credit_card]\"},{\"jsonPath\":\"$.b\",\"numberValue\":7}") "\n\n");
    expect_events("data: " PARTIAL("{\"jsonPath\":\"$.a\",\"stringValue\":\"EMP-65\"}") "\n\ndata: " PARTIAL("{\"stringValue\":\"4321\"}") "\n\n",
                  "data: " PARTIAL("{\"jsonPath\":\"$.a\",\"stringValue\":\"[employee_id_2]\"}") "\n\ndata: " PARTIAL("{\"stringValue\":\"\"}") "\n\n");
}

#define WORDS(text, more) "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" text "\"}],\"role\":\"model\"}" more ",\"index\":0}],\"modelVersion\":\"m\"}\n\n"
#define END ",\"finishReason\":\"STOP\""

/* Clients keep no turn in which a text is empty. */
static void events_of_candidates_that_say_nothing_more_are_left_out(void)
{
    expect_events(WORDS("EMP-65", "") WORDS("43", "") WORDS("21", "") WORDS(" z", END), WORDS("[employee_id_2]", "") WORDS(" z", END));
    expect_events(WORDS("EMP-65", "") WORDS("4321", END), WORDS("[employee_id_2]", "") WORDS("", END));
    expect_events(WORDS("EMP-65", "") WORDS("4321", ",\"safetyRatings\":[]") WORDS(" z", END),
                  WORDS("[employee_id_2]", "") WORDS("", ",\"safetyRatings\":[]") WORDS(" z", END));
    expect_events(WORDS("", "") WORDS(" z", END), WORDS("", "") WORDS(" z", END)); /* the provider's own */
}

#define DETAILS(list) "\"reasoning_details\":[" list "]"
#define THOUGHT(index, text) "{\"type\":\"reasoning.text\",\"text\":\"" text "\",\"index\":" #index "}"

/* Pieces of thoughts that have one number are one text, in one event or answer as in several. */
static void pieces_of_one_number_are_one_text(void)
{
    expect_answer("{\"choices\":[{\"message\":{" DETAILS(THOUGHT(0, "EMP-65") "," THOUGHT(0, "4321")) "}}]}",
                  "{\"choices\":[{\"message\":{" DETAILS(THOUGHT(0, "[employee_id_2]") "," THOUGHT(0, "")) "}}]}");
    expect_answer("{\"choices\":[{\"message\":{" DETAILS(THOUGHT(0, "EMP-65") "," THOUGHT(1, "4321")) "}}]}",
                  "{\"choices\":[{\"message\":{" DETAILS(THOUGHT(0, "EMP-65") "," THOUGHT(1, "4321")) "}}]}");
    expect_events("data: {\"choices\":[{\"delta\":{" DETAILS(THOUGHT(0, "EMP-6") "," THOUGHT(0, "54")) "}}]}\n\n"
                  "data: {\"choices\":[{\"delta\":{" DETAILS(THOUGHT(0, "321")) "}}]}\n\n",
                  "data: {\"choices\":[{\"delta\":{" DETAILS(THOUGHT(0, "[employee_id_2]") "," THOUGHT(0, "")) "}}]}\n\n"
                  "data: {\"choices\":[{\"delta\":{" DETAILS(THOUGHT(0, "")) "}}]}\n\n");
}

/* Google's clients join the parts of a candidate. */
static void parts_of_a_whole_candidate_are_one_text(void)
{
    static const char *const said = "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"EMP-65\"},{\"text\":\"EMP-99\",\"thought\":true},{\"text\":\"4321 x\"}]}}]}",
                      *const want = "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"[employee_id_2]\"},{\"text\":\"EMP-99\",\"thought\":true},{\"text\":\" x\"}]}}]}";
    expect_answer(said, want);
    expect_answer("[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"EMP-65\"}]}}]},{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"4321\"}]}}]}]",
                  "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"[employee_id_2]\"}]}}]},{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]}}]}]");
}

#define AGAIN(piece, all) "data: {\"choices\":[{\"message\":{\"content\":\"" all "\"},\"delta\":{\"content\":\"" piece "\"}}]}\n\n"
#define BESIDE(piece, again) "data: {\"content\":\"" again "\",\"choices\":[{\"delta\":{\"content\":\"" piece "\"}}]}\n\n"

/* All that was said so far in each event (Perplexity), or its piece once more. */
static void what_is_told_again_is_masked_as_the_text_is(void)
{
    expect_events(AGAIN("a EMP-65", "a EMP-65") AGAIN("43", "a EMP-6543") AGAIN("21 b", "a EMP-654321 b") FINISH,
                  AGAIN("a [employee_id_2]", "a [employee_id_2]") AGAIN("", "a [employee_id_2]") AGAIN(" b", "a [employee_id_2] b") FINISH);
    expect_events(BESIDE("a EMP-65", "a EMP-65") BESIDE("4321 b", "4321 b") FINISH,
                  BESIDE("a [employee_id_2]", "a [employee_id_2]") BESIDE(" b", " b") FINISH);
    expect_events(AGAIN("EMP-65", "") AGAIN("4321 b", "") "data: {\"choices\":[{\"delta\":{},\"message\":{\"content\":\"EMP-654321 b\"},\"finish_reason\":\"stop\"}]}\n\n",
                  AGAIN("[employee_id_2]", "") AGAIN(" b", "") "data: {\"choices\":[{\"delta\":{},\"message\":{\"content\":\"[employee_id_2] b\"},\"finish_reason\":\"stop\"}]}\n\n");
    expect_events(AGAIN("a", "x EMP-65") AGAIN("b", "x EMP-654321 c") FINISH, AGAIN("a", "x EMP-65") AGAIN("b", "x [employee_id_2] c") FINISH);
}

static void deeper_than_is_read_does_not_go_out(void)
{
    struct buf text, json;
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    buf_init(&text);
    buf_append(&text, SLICE("x\ncy@x.org"));
    for (unsigned depth = 0; depth <= LIMIT_SIGHT_LEVELS; depth++) {
        EXPECT(!redact_answer_is_too_deep(r));
        buf_init(&json);
        buf_append(&json, SLICE("{\"text\":"));
        buf_append_json(&json, buf_slice(&text));
        buf_append_char(&json, '}');
        buf_clear(&text);
        text = json;
        buf_reset(&out);
        redact_body(buf_slice(&text), &out);
    }
    EXPECT(!redact_answer_is_too_deep(r)); /* the body is JSON itself: so many levels stand in its texts */
    buf_init(&json);
    buf_append(&json, SLICE("{\"text\":"));
    buf_append_json(&json, buf_slice(&text));
    buf_append_char(&json, '}');
    redact_body(buf_slice(&json), &out);
    EXPECT(redact_answer_is_too_deep(r));
    buf_clear(&json);
    buf_clear(&text);
    done();
}

int main(void)
{
    arena_init(&arena);
    buf_init(&sent);
    buf_init(&out);
    RUN(what_belongs_to_no_choice_is_masked_too);
    RUN(arguments_are_masked_as_they_are_decoded);
    RUN(what_comes_back_is_encoded_at_every_level);
    RUN(what_tools_are_given_is_masked_as_its_json);
    RUN(numbers_in_partial_arguments_are_masked);
    RUN(events_of_candidates_that_say_nothing_more_are_left_out);
    RUN(pieces_of_one_number_are_one_text);
    RUN(parts_of_a_whole_candidate_are_one_text);
    RUN(what_is_told_again_is_masked_as_the_text_is);
    RUN(deeper_than_is_read_does_not_go_out);
    buf_clear(&sent);
    buf_clear(&out);
    return unit_close("redact json");
}
