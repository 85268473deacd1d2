/* Answers of other vendors for clients of Gemini's API, as events and as an array; and arrays of Google's own, which are
 * whole when their bracket has come. */
#include "relay_translating.h"

static void expect_hello(const struct dialect *provider, const char *bytes, bool as_list, size_t step)
{
    struct kit k;
    open_for_gemini(&k, provider, TYPE_EVENTS, as_list);
    kit_feed(&k, slice_str(bytes), step);
    kit_finish(&k, NULL);
    struct hearing h = hear(&k);
    EXPECT_INT(RELAY_SENT, k.how);
    EXPECT_INT(OUTCOME_OK, k.outcome);
    EXPECT_SLICE(SLICE("Hello"), buf_slice(&h.text));
    EXPECT_STR("STOP", h.reason);
    EXPECT(h.has_ended);
    EXPECT_INT(1, k.tails);
    EXPECT_INT(7, h.output);
    EXPECT_INT(16, h.input);
    EXPECT_INT(4, h.cached);
    hearing_clear(&h);
    close_kit(&k);
}

static void streams_leave_as_they_were_asked_for(void)
{
    for (size_t step = 0; step < 40; step++) {
        for (int as_list = 0; as_list < 2; as_list++) {
            expect_hello(&dialect_openai, O_HELLO, as_list, step);
            expect_hello(&dialect_anthropic, A_HELLO, as_list, step);
        }
    }
}

/* But for the character that the last event has in it. */
static void what_is_said_leaves_at_once(void)
{
    struct kit k;
    open_for_gemini(&k, &dialect_anthropic, TYPE_EVENTS, true);
    kit_feed(&k, SLICE(A_START A_OPEN("0", "{\"type\":\"text\",\"text\":\"\"}") A_TEXT("Hel")), 0);
    EXPECT(kit_holds(&k.out, "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"He\"}]"));
    kit_feed(&k, SLICE(A_EVENT("ping", "") ": c\n\n" A_TEXT("lo")), 0);
    EXPECT(kit_holds(&k.out, ",\r\n{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"ll\"}]"));
    EXPECT(!kit_holds(&k.out, "ping"));
    kit_feed(&k, SLICE(A_CLOSE("0") A_FINISH("end_turn")), 0);
    EXPECT(!kit_holds(&k.out, "finishReason"));
    kit_feed(&k, SLICE(A_STOP), 0);
    EXPECT(kit_holds(&k.out, "\"finishReason\":\"STOP\""));
    EXPECT_SLICE(SLICE("}]"), slice_of(buf_ptr(&k.out) + buf_len(&k.out) - 2, 2));
    kit_finish(&k, NULL);
    close_kit(&k);
    open_for_gemini(&k, &dialect_anthropic, TYPE_EVENTS, false);
    kit_feed(&k, SLICE(A_START A_EVENT("ping", "")), 0);
    EXPECT(kit_holds(&k.out, ": ping\n\n"));
    kit_finish(&k, NULL);
    close_kit(&k);
}

static void a_whole_answer_is_one_response(void)
{
    struct kit k;
    open_for_gemini(&k, &dialect_openai, TYPE_JSON, true);
    kit_feed(&k, SLICE(O_BODY("Hello")), 0);
    kit_finish(&k, NULL);
    struct hearing h = hear(&k);
    EXPECT(h.has_ended);
    EXPECT_SLICE(SLICE("Hello"), buf_slice(&h.text));
    hearing_clear(&h);
    close_kit(&k);
}

/* ---- ends */

static void expect_end(const struct dialect *provider, const char *bytes, const struct fault *why, bool is_whole)
{
    for (int as_list = 0; as_list < 2; as_list++) {
        struct kit k;
        open_for_gemini(&k, provider, TYPE_EVENTS, as_list);
        kit_feed(&k, slice_str(bytes), 0);
        kit_finish(&k, why);
        struct hearing h = hear(&k);
        EXPECT_INT(RELAY_SENT, k.how);
        EXPECT_INT(is_whole ? OUTCOME_OK : OUTCOME_INCOMPLETE, k.outcome);
        EXPECT_INT(is_whole, h.has_ended);
        EXPECT_INT(!is_whole, h.has_error);
        hearing_clear(&h);
        close_kit(&k);
    }
}

static void an_end_is_the_providers_own(void)
{
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    expect_end(&dialect_openai, O_TEXT("ab") O_FINISH("stop") O_USAGE, NULL, true);
    expect_end(&dialect_openai, O_TEXT("ab") O_FINISH("stop") O_USAGE, &why, false);
    expect_end(&dialect_openai, O_TEXT("ab") O_FINISH("stop") O_DONE, &why, true);
    expect_end(&dialect_openai, O_TEXT("ab") O_DONE, NULL, true);
    expect_end(&dialect_openai, O_TEXT("ab"), NULL, false);
    expect_end(&dialect_openai, O_TEXT("ab") O_FINISH("stop") O_DONE "data: {\n\ndata: {\"error\":1}\n\n", NULL, true);
    expect_end(&dialect_anthropic, A_START A_BLOCK(A_TEXT("ab")) A_FINISH("end_turn"), NULL, false);
    expect_end(&dialect_anthropic, A_START A_BLOCK(A_TEXT("ab")), NULL, false);
    expect_end(&dialect_anthropic, A_START A_BLOCK(A_TEXT("ab")) A_FINISH("end_turn") A_STOP, &why, true);
}

#define A_ERROR(type) "{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"M\"}}"
#define O_ERROR(type, code) "{\"error\":{\"message\":\"M\",\"type\":\"" type "\",\"param\":null,\"code\":" code "}}"

static void expect_error_in_stream(const struct dialect *provider, const char *bytes, const char *status)
{
    for (int as_list = 0; as_list < 2; as_list++) {
        struct kit k;
        open_for_gemini(&k, provider, TYPE_EVENTS, as_list);
        kit_feed(&k, slice_str(bytes), 0);
        kit_finish(&k, NULL);
        struct hearing h = hear(&k);
        EXPECT(h.has_error && !h.has_ended);
        EXPECT_STR(status, h.error_type);
        EXPECT_STR("M", h.error_message);
        EXPECT_INT(OUTCOME_UPSTREAM_ERROR, k.outcome);
        EXPECT_INT(1, k.tails);
        hearing_clear(&h);
        close_kit(&k);
    }
}

static void errors_in_streams_are_googles(void)
{
    expect_error_in_stream(&dialect_anthropic, A_START "event: error\ndata: " A_ERROR("overloaded_error") "\n\n",
                           "UNAVAILABLE");
    expect_error_in_stream(&dialect_openai, O_TEXT("ab") "data: " O_ERROR("server_error", "null") "\n\n" O_DONE,
                           "INTERNAL");
    expect_error_in_stream(&dialect_openai, O_TEXT("ab") "data: {\"error\":{\"code\":429,\"message\":\"M\"}}\n\n",
                           "RESOURCE_EXHAUSTED");
}

static void expect_error(const struct dialect *provider, int status, const char *body, int becomes, const char *word)
{
    struct kit k;
    open_for_gemini(&k, provider, TYPE_JSON, true);
    k.head.status = status;
    kit_begin(&k);
    k.head.status = becomes;
    kit_feed(&k, slice_str(body), 0);
    kit_finish(&k, NULL);
    struct hearing h = hear(&k);
    EXPECT(h.has_error);
    EXPECT_STR(word, h.error_type);
    EXPECT_STR("M", h.error_message);
    hearing_clear(&h);
    close_kit(&k);
}

static void errors_are_googles(void)
{
    expect_error(&dialect_anthropic, 400, A_ERROR("invalid_request_error"), 400, "INVALID_ARGUMENT");
    expect_error(&dialect_anthropic, 401, A_ERROR("authentication_error"), 401, "UNAUTHENTICATED");
    expect_error(&dialect_anthropic, 404, A_ERROR("not_found_error"), 404, "NOT_FOUND");
    expect_error(&dialect_anthropic, 413, A_ERROR("request_too_large"), 413, "INVALID_ARGUMENT");
    expect_error(&dialect_anthropic, 429, A_ERROR("rate_limit_error"), 429, "RESOURCE_EXHAUSTED");
    expect_error(&dialect_anthropic, 529, A_ERROR("overloaded_error"), 503, "UNAVAILABLE");
    expect_error(&dialect_openai, 403, O_ERROR("x", "null"), 403, "PERMISSION_DENIED");
    expect_error(&dialect_openai, 429, O_ERROR("insufficient_quota", "\"insufficient_quota\""), 402,
                 "RESOURCE_EXHAUSTED");
    expect_error(&dialect_openai, 504, O_ERROR("x", "null"), 504, "DEADLINE_EXCEEDED");
    expect_error(&dialect_openai, 500, O_ERROR("server_error", "null"), 500, "INTERNAL");
    expect_error(&dialect_openai, 200, O_ERROR("x", "429"), 502, "RESOURCE_EXHAUSTED");
}

/* ---- policies */

static void masks_are_put_into_what_the_client_sees(void)
{
    for (size_t step = 0; step < 30; step++) {
        for (int as_list = 0; as_list < 2; as_list++) {
            struct kit k;
            open_for_gemini(&k, step % 2 ? &dialect_openai : &dialect_anthropic, TYPE_EVENTS, as_list);
            kit_redact(&k);
            k.x->request.is_stream = true;
            k.x->decision.record.keeps_answer = true;
            kit_feed(&k, step % 2 ? SLICE(O_TEXT("to [em") O_TEXT("ail] EM") O_TEXT("P-123456.") O_FINISH("stop") O_DONE)
                                  : SLICE(A_START A_BLOCK(A_TEXT("to [em") A_TEXT("ail] EM") A_TEXT("P-123456."))
                                              A_FINISH("end_turn") A_STOP),
                     step);
            kit_finish(&k, NULL);
            struct hearing h = hear(&k);
            EXPECT_SLICE(SLICE("to ana@example.com [employee_id]."), buf_slice(&h.text));
            EXPECT_SLICE(SLICE("to ana@example.com [employee_id]."), buf_slice(&k.x->texts.answer.bytes));
            EXPECT(h.has_ended);
            EXPECT_INT(OUTCOME_OK, k.outcome);
            hearing_clear(&h);
            close_kit(&k);
        }
    }
}

static void a_held_stream_leaves_whole(void)
{
    for (int as_list = 0; as_list < 2; as_list++) {
        struct kit k;
        open_for_gemini(&k, &dialect_anthropic, TYPE_EVENTS, as_list);
        k.parts.hooks.has_delta = k.parts.hooks.has_response = true;
        kit_feed(&k, SLICE(A_HELLO), 50);
        kit_answer_all(&k);
        kit_finish(&k, NULL);
        kit_answer_all(&k);
        struct hearing h = hear(&k);
        EXPECT_SLICE(SLICE("Hello"), buf_slice(&h.text));
        EXPECT(h.has_ended);
        hearing_clear(&h);
        close_kit(&k);
    }
}

static void act(const char *bytes, bool as_list, enum kit_act what, enum kit_place where, unsigned in)
{
    struct kit k;
    open_for_gemini(&k, &dialect_openai, TYPE_EVENTS, as_list);
    kit_redact(&k);
    k.x->request.is_stream = true;
    k.parts.hooks.has_delta = true;
    k.answers_later = in & 1;
    k.act = what, k.act_at = where, k.act_in = in;
    kit_feed(&k, slice_str(bytes), 50);
    kit_answer_all(&k);
    kit_finish(&k, NULL);
    kit_answer_all(&k);
    close_kit(&k);
}

static void who_goes_inside_a_callback_is_asked_for_no_more(void)
{
    static const char *const bytes[] = {O_HELLO, O_TEXT("ab") O_TEXT("b") "data: {\n\n" O_TEXT("c") O_DONE};
    for (int what = KIT_NOTHING; what <= KIT_STOP; what++) {
        for (int where = KIT_HEAD; where <= KIT_ASK; where++) {
            for (unsigned in = 1; in < 10; in++)
                act(bytes[in % 2], in / 2 % 2, (enum kit_act)what, (enum kit_place)where, in);
        }
    }
}

/* ---- what has no place */

static void what_is_dropped_is_told_where_comments_may_stand(void)
{
    static const char bytes[] = "data: {\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ab\","
                                "\"audio\":{\"id\":\"a\"}}}]}\n\n" O_FINISH("stop") O_DONE;
    for (int as_list = 0; as_list < 2; as_list++) {
        struct kit k;
        open_for_gemini(&k, &dialect_openai, TYPE_EVENTS, as_list);
        kit_feed(&k, slice_str(bytes), 0);
        kit_finish(&k, NULL);
        struct hearing h = hear(&k);
        EXPECT(h.has_ended);
        EXPECT_INT(!as_list, kit_holds(&k.out, ": x-moongate-dropped: answer.audio\n\n"));
        hearing_clear(&h);
        close_kit(&k);
    }
}

/* ---- arrays of Google's own */

#define G_PIECE(text, reason)                                                                                          \
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" text "\"}],\"role\":\"model\"}" reason ",\"index\":0}]}"
#define G_LIST "[" G_PIECE("Hel", "") "\n,\r\n" G_PIECE("lo", ",\"finishReason\":\"STOP\"") "\n"

static void expect_native(const char *bytes, const struct fault *why, enum exchange_outcome outcome, bool has_error)
{
    struct kit k;
    kit_open(&k, TYPE_JSON);
    k.parts.provider = k.parts.client = &dialect_gemini;
    k.x->request.is_stream = true;
    kit_feed(&k, slice_str(bytes), 0);
    kit_finish(&k, why);
    EXPECT_INT(outcome, k.outcome);
    EXPECT_INT(has_error, kit_holds(&k.out, "\"error\""));
    EXPECT_INT(has_error, relay_report(k.relay).is_cut);
    close_kit(&k);
}

static void an_array_is_whole_when_its_bracket_has_come(void)
{
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    expect_native(G_LIST "]", NULL, OUTCOME_OK, false);
    expect_native(G_LIST "]", &why, OUTCOME_OK, false);
    expect_native(G_LIST, NULL, OUTCOME_INCOMPLETE, true);
    expect_native(G_LIST, &why, OUTCOME_INCOMPLETE, true);
}

static void no_comment_stands_in_an_array(void)
{
    struct kit k;
    open_for_gemini(&k, &dialect_anthropic, TYPE_EVENTS, true);
    kit_feed(&k, SLICE(A_START A_OPEN("0", "{\"type\":\"text\",\"text\":\"\"}") A_TEXT("Hel")), 0);
    EXPECT(!relay_is_at_rest(k.relay) && relay_report(k.relay).is_list);
    kit_finish(&k, NULL);
    close_kit(&k);
    open_for_gemini(&k, &dialect_anthropic, TYPE_EVENTS, false);
    kit_feed(&k, SLICE(A_START A_OPEN("0", "{\"type\":\"text\",\"text\":\"\"}") A_TEXT("Hel")), 0);
    EXPECT(relay_is_at_rest(k.relay) && !relay_report(k.relay).is_list);
    kit_finish(&k, NULL);
    close_kit(&k);
}

int main(void)
{
    RUN(streams_leave_as_they_were_asked_for);
    RUN(what_is_said_leaves_at_once);
    RUN(a_whole_answer_is_one_response);
    RUN(an_end_is_the_providers_own);
    RUN(errors_in_streams_are_googles);
    RUN(errors_are_googles);
    RUN(masks_are_put_into_what_the_client_sees);
    RUN(a_held_stream_leaves_whole);
    RUN(who_goes_inside_a_callback_is_asked_for_no_more);
    RUN(what_is_dropped_is_told_where_comments_may_stand);
    RUN(an_array_is_whole_when_its_bracket_has_come);
    RUN(no_comment_stands_in_an_array);
    loop_free(kit_loop);
    return unit_close("relay_gemini");
}
