/* An answer in another dialect than its client's: what leaves, what policies see of it, and how it ends. */
#include "relay_translating.h"

/* ---- streams and bodies */

static void expect_hello(const struct dialect *provider, const char *type, const char *bytes, size_t step)
{
    struct kit k;
    open_from(&k, provider, type);
    kit_feed(&k, slice_str(bytes), step);
    struct relay_report told = relay_report(k.relay);
    kit_finish(&k, NULL);
    struct hearing h = hear(&k);
    EXPECT_INT(RELAY_SENT, k.how);
    EXPECT_INT(OUTCOME_OK, k.outcome);
    EXPECT_SLICE(SLICE("Hello"), buf_slice(&h.text));
    EXPECT(h.has_ended);
    EXPECT_INT(7, h.output);
    EXPECT_INT(provider == &dialect_openai && k.length == CONN_STREAM ? 12 : provider == &dialect_openai ? 10
               : k.length == CONN_STREAM                              ? 16
                                                                      : 10,
               h.input);
    EXPECT_INT(7, told.usage->output_tokens); /* as the provider said it */
    EXPECT_STR(provider == &dialect_openai ? "stop" : "end_turn", told.finish_reason);
    hearing_clear(&h);
    close_kit(&k);
}

static void answers_reach_clients_of_the_other_dialect(void)
{
    for (size_t step = 0; step < 40; step++) {
        expect_hello(&dialect_openai, TYPE_EVENTS, O_HELLO, step);
        expect_hello(&dialect_anthropic, TYPE_EVENTS, A_HELLO, step);
        expect_hello(&dialect_openai, TYPE_JSON, O_BODY("Hello"), step);
        expect_hello(&dialect_anthropic, TYPE_JSON, A_BODY("Hello"), step);
    }
}

/* What came decides, not what was asked for. */
static void the_head_says_what_leaves(void)
{
    struct kit k;
    open_from(&k, &dialect_openai, "text/plain");
    kit_feed(&k, SLICE(O_HELLO), 0);
    kit_finish(&k, NULL);
    struct hearing h = hear(&k);
    EXPECT(h.has_ended);
    hearing_clear(&h);
    close_kit(&k);
}

static void each_event_leaves_at_once(void)
{
    struct kit k;
    open_from(&k, &dialect_anthropic, TYPE_EVENTS);
    kit_feed(&k, SLICE(A_START), 0);
    EXPECT(kit_holds(&k.out, "\"role\":\"assistant\""));
    kit_feed(&k, SLICE(A_OPEN("0", "{\"type\":\"text\",\"text\":\"\"}") A_TEXT("Hel")), 0);
    EXPECT(kit_holds(&k.out, "\"content\":\"Hel\""));
    close_kit(&k);
    open_from(&k, &dialect_openai, TYPE_EVENTS);
    kit_feed(&k, SLICE(O_TEXT("Hel")), 0);
    EXPECT(kit_holds(&k.out, "event: message_start"));
    EXPECT(kit_holds(&k.out, "\"text\":\"Hel\""));
    close_kit(&k);
}

/* The gateway asks for it, and keeps it from a client of the same dialect that did not. */
static void usage_that_is_left_out_elsewhere_is_translated(void)
{
    struct kit k;
    open_from(&k, &dialect_openai, TYPE_EVENTS);
    k.parts.drops_usage = true;
    kit_feed(&k, SLICE(O_HELLO), 0);
    kit_finish(&k, NULL);
    struct hearing h = hear(&k);
    EXPECT_INT(12, h.input);
    EXPECT_INT(4, h.cached);
    hearing_clear(&h);
    close_kit(&k);
    open_from(&k, &dialect_anthropic, TYPE_EVENTS);
    k.x->request.include_usage = CHAT_ABSENT;
    kit_feed(&k, SLICE(A_HELLO), 0);
    kit_finish(&k, NULL);
    EXPECT(!kit_holds(&k.out, "usage"));
    close_kit(&k);
}

/* ---- policies */

static void masks_are_put_into_what_the_client_sees(const struct dialect *provider, const char *type, const char *bytes)
{
    for (size_t step = 0; step < 30; step++) {
        struct kit k;
        open_from(&k, provider, type);
        kit_redact(&k);
        k.x->decision.record.keeps_answer = true;
        kit_feed(&k, slice_str(bytes), step);
        kit_finish(&k, NULL);
        struct hearing h = hear(&k);
        EXPECT_SLICE(SLICE("to ana@example.com [employee_id]."), buf_slice(&h.text));
        EXPECT_SLICE(SLICE("to ana@example.com [employee_id]."), buf_slice(&k.x->texts.answer.bytes));
        EXPECT(h.has_ended);
        hearing_clear(&h);
        close_kit(&k);
    }
}

static void masks_hold_behind_it(void)
{
    masks_are_put_into_what_the_client_sees(&dialect_openai, TYPE_EVENTS,
                                            O_TEXT("to [ema") O_TEXT("il] EMP-12") O_TEXT("3456.") O_FINISH("stop") O_DONE);
    masks_are_put_into_what_the_client_sees(
        &dialect_anthropic, TYPE_EVENTS,
        A_START A_BLOCK(A_TEXT("to [ema") A_TEXT("il] EMP-12") A_TEXT("3456.")) A_FINISH("end_turn") A_STOP);
    masks_are_put_into_what_the_client_sees(&dialect_openai, TYPE_JSON, O_BODY("to [email] EMP-123456."));
    masks_are_put_into_what_the_client_sees(&dialect_anthropic, TYPE_JSON, A_BODY("to [email] EMP-123456."));
}

/* Clients of the Responses API hear of it twice. */
static void masks_hold_in_every_event_of_an_error(void)
{
    struct kit k;
    open_from(&k, &dialect_anthropic, TYPE_EVENTS);
    k.parts.client = &dialect_responses;
    kit_redact(&k);
    kit_feed(&k, SLICE(A_START A_BLOCK(A_TEXT("a")) A_EVENT("error", ",\"error\":{\"type\":\"api_error\",\"message\":"
                                                                     "\"to [email] EMP-123456.\"}")),
             0);
    kit_finish(&k, NULL);
    EXPECT(kit_holds(&k.out, "event: error\n") && kit_holds(&k.out, "event: response.failed\n"));
    EXPECT(kit_holds(&k.out, "\"message\":\"to ana@example.com [employee_id].\"}}}"));
    EXPECT(!kit_holds(&k.out, "EMP-123456") && !kit_holds(&k.out, "[email]"));
    close_kit(&k);
}

static void policies_judge_what_the_client_sees(void)
{
    struct kit k;
    open_from(&k, &dialect_openai, TYPE_EVENTS);
    k.parts.hooks.has_delta = true;
    k.answers_later = true;
    kit_feed(&k, SLICE(O_HELLO), 0);
    kit_finish(&k, NULL);
    EXPECT_INT(0, buf_len(&k.out)); /* all of it waits for the word */
    kit_answer_all(&k);
    struct hearing h = hear(&k);
    EXPECT_SLICE(SLICE("Hello"), buf_slice(&k.asked));
    EXPECT_SLICE(SLICE("Hello"), buf_slice(&h.text));
    EXPECT(h.has_ended);
    hearing_clear(&h);
    close_kit(&k);
}

static void a_denial_is_told_in_the_clients_dialect(void)
{
    struct kit k;
    open_from(&k, &dialect_openai, TYPE_EVENTS);
    k.parts.hooks.has_delta = true;
    k.denied_at = 2;
    kit_feed(&k, SLICE(O_TEXT("good")), 0);
    relay_pass_time(k.relay);
    kit_feed(&k, SLICE(O_TEXT("bad")), 0);
    relay_pass_time(k.relay);
    struct hearing h = hear(&k);
    EXPECT_INT(OUTCOME_DENIED, k.outcome);
    EXPECT(h.has_error && !h.has_ended);
    EXPECT_SLICE(SLICE("good"), buf_slice(&h.text));
    hearing_clear(&h);
    close_kit(&k);
}

static void a_response_is_judged_whole(void)
{
    struct kit k;
    open_from(&k, &dialect_anthropic, TYPE_EVENTS);
    k.parts.hooks.has_response = k.parts.hooks.buffers = true;
    kit_feed(&k, SLICE(A_HELLO), 3);
    kit_finish(&k, NULL);
    EXPECT_SLICE(SLICE("Hello"), buf_slice(&k.question_text));
    struct hearing h = hear(&k);
    EXPECT(h.has_ended && k.is_released);
    hearing_clear(&h);
    close_kit(&k);
    open_from(&k, &dialect_openai, TYPE_JSON);
    k.parts.hooks.has_response = true;
    k.denied = "Hello";
    kit_feed(&k, SLICE(O_BODY("Hello")), 0);
    kit_finish(&k, NULL);
    EXPECT_INT(RELAY_UNSENT, k.how);
    EXPECT_INT(0, buf_len(&k.out));
    close_kit(&k);
}

/* ---- what cannot be translated */

/* In the middle of a stream that has begun. */
static void expect_cut(const struct dialect *provider, const char *begun, const char *bad, const char *rest)
{
    for (int has_delta = 0; has_delta < 2; has_delta++) {
        struct kit k;
        open_from(&k, provider, TYPE_EVENTS);
        k.parts.hooks.has_delta = has_delta;
        kit_feed(&k, slice_str(begun), 0);
        if (has_delta) relay_pass_time(k.relay);
        kit_feed(&k, slice_str(bad), 0);
        kit_feed(&k, slice_str(rest), 0);
        kit_finish(&k, NULL);
        struct hearing h = hear(&k);
        EXPECT_INT(RELAY_SENT, k.how);
        EXPECT_INT(OUTCOME_INCOMPLETE, k.outcome);
        EXPECT(h.has_error && !h.has_ended && !h.has_reason);
        if (!strstr(h.error_message, "cannot be translated"))
            UNIT_FAIL("%s: it says %s", bad, h.error_message);
        hearing_clear(&h);
        close_kit(&k);
    }
}

static void what_is_malformed_ends_in_an_error(void)
{
    static const char *const of_openai[] = {
        "data: {\"choices\":\n\n", "data: 7\n\n", "data: {\"type\":\"message_stop\"}\n\n",
        A_TEXT("x"), O_CHUNK("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\"}}]}}"),
        O_FINISH("error"), O_FINISH("stop") O_TEXT("more"),
        O_CHUNK("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\","
                "\"arguments\":\"{\\\"a\\\":\"}}]}}") O_FINISH("tool_calls"),
    };
    static const char *const of_anthropic[] = {
        "event: content_block_delta\ndata: {\n\n", "event: ping\ndata: []\n\n", O_TEXT("x"), A_START,
        A_DELTA("3", "{\"type\":\"text_delta\",\"text\":\"x\"}"), A_CLOSE("3"), A_STOP,
        A_DELTA("0", "{\"type\":\"input_json_delta\",\"partial_json\":\"x\"}"), A_FINISH("end_turn"),
        A_OPEN("0", "{\"type\":\"text\",\"text\":\"\"}"), A_OPEN("1", "{\"type\":\"tool_use\",\"id\":\"t\"}"),
    };
    for (size_t i = 0; i < sizeof of_openai / sizeof of_openai[0]; i++)
        expect_cut(&dialect_openai, O_TEXT("Hel"), of_openai[i], O_FINISH("stop") O_USAGE O_DONE);
    for (size_t i = 0; i < sizeof of_anthropic / sizeof of_anthropic[0]; i++)
        expect_cut(&dialect_anthropic, A_START A_OPEN("0", "{\"type\":\"text\",\"text\":\"\"}") A_TEXT("Hel"),
                   of_anthropic[i], A_CLOSE("0") A_FINISH("end_turn") A_STOP);
}

/* Another target may answer. */
static void expect_unsent(const struct dialect *provider, const char *type, const char *encoding, const char *bytes)
{
    struct kit k;
    open_from(&k, provider, type);
    k.head.content_encoding = slice_str(encoding);
    k.x->request.is_stream = strcmp(type, TYPE_EVENTS) == 0;
    kit_feed(&k, slice_str(bytes), 0);
    kit_finish(&k, NULL);
    EXPECT_INT(RELAY_UNSENT, k.how);
    EXPECT(k.has_why && k.heads == 0);
    close_kit(&k);
}

static void what_is_bad_from_the_beginning_is_never_sent(void)
{
    expect_unsent(&dialect_openai, TYPE_EVENTS, "", "data: {\"choices\":\n\n" O_DONE);
    expect_unsent(&dialect_anthropic, TYPE_EVENTS, "", A_TEXT("x") A_STOP);
    expect_unsent(&dialect_anthropic, TYPE_EVENTS, "", O_HELLO);
    expect_unsent(&dialect_openai, TYPE_EVENTS, "", A_HELLO);
    expect_unsent(&dialect_openai, TYPE_EVENTS, "gzip", "\x1F\x8B\x08");
    expect_unsent(&dialect_openai, TYPE_JSON, "gzip", "\x1F\x8B\x08");
    expect_unsent(&dialect_openai, TYPE_JSON, "", A_BODY("x"));
    expect_unsent(&dialect_anthropic, TYPE_JSON, "", O_BODY("x"));
    expect_unsent(&dialect_anthropic, TYPE_JSON, "", "{\"type\":\"message\"");
    expect_unsent(&dialect_anthropic, TYPE_JSON, "", "not at all");
    expect_unsent(&dialect_openai, TYPE_JSON, "", "");
}

static void what_is_too_large_is_never_sent(void)
{
    struct buf large;
    buf_init(&large);
    buf_append(&large, SLICE("{\"choices\":[{\"message\":{\"content\":\""));
    while (buf_len(&large) <= LIMIT_RESPONSE_INSPECT_BYTES)
        buf_append(&large, SLICE("0123456789 abcdef"));
    buf_append(&large, SLICE("\"}}]}"));
    buf_append_char(&large, '\0');
    expect_unsent(&dialect_openai, TYPE_JSON, "", buf_ptr(&large));
    buf_clear(&large);
    buf_append(&large, SLICE("data: {\"choices\":[{\"delta\":{\"content\":\""));
    while (buf_len(&large) <= LIMIT_REDACT_EVENT_BYTES)
        buf_append(&large, SLICE("0123456789 abcdef"));
    buf_append(&large, SLICE("\"}}]}\n\n"));
    buf_append_char(&large, '\0');
    expect_unsent(&dialect_openai, TYPE_EVENTS, "", buf_ptr(&large));
    buf_clear(&large);
}

/* ---- what has no counterpart */

static void what_is_lost_is_told(void)
{
    struct kit k;
    open_from(&k, &dialect_openai, TYPE_EVENTS);
    kit_feed(&k,
             SLICE("data: {\"id\":\"1\",\"citations\":[\"u\"],\"choices\":[{\"index\":0,\"logprobs\":{\"content\":[]},"
                   "\"delta\":{\"content\":\"a\",\"images\":[1]}}]}\n\n" O_FINISH("stop") O_DONE),
             0);
    kit_finish(&k, NULL);
    EXPECT(kit_holds(&k.out, ": x-moongate-dropped: answer.images, answer.logprobs, answer.citations\n\nevent: message_stop"));
    EXPECT_INT(3, relay_report(k.relay).dropped->count);
    struct hearing h = hear(&k);
    EXPECT(h.has_ended);
    hearing_clear(&h);
    close_kit(&k);
}

int main(void)
{
    RUN(answers_reach_clients_of_the_other_dialect);
    RUN(the_head_says_what_leaves);
    RUN(each_event_leaves_at_once);
    RUN(usage_that_is_left_out_elsewhere_is_translated);
    RUN(masks_hold_behind_it);
    RUN(masks_hold_in_every_event_of_an_error);
    RUN(policies_judge_what_the_client_sees);
    RUN(a_denial_is_told_in_the_clients_dialect);
    RUN(a_response_is_judged_whole);
    RUN(what_is_malformed_ends_in_an_error);
    RUN(what_is_bad_from_the_beginning_is_never_sent);
    RUN(what_is_too_large_is_never_sent);
    RUN(what_is_lost_is_told);
    loop_free(kit_loop);
    return unit_close("relay_translate");
}
