/* How an answer in another dialect than its client's ends, and what its provider's errors become. */
#include "relay_translating.h"

#include "../wire/framing.h"

/* ---- ends */

static void expect_end(const struct dialect *provider, const char *bytes, const struct fault *why, bool is_whole)
{
    struct kit k;
    open_from(&k, provider, TYPE_EVENTS);
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

static void an_end_is_the_providers_own(void)
{
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    expect_end(&dialect_openai, O_TEXT("a") O_FINISH("stop") O_USAGE, NULL, true); /* servers without a marker */
    expect_end(&dialect_openai, O_TEXT("a") O_FINISH("stop") O_USAGE, &why, false);
    expect_end(&dialect_openai, O_TEXT("a") O_FINISH("stop") O_DONE, &why, true);
    expect_end(&dialect_openai, O_TEXT("a") O_DONE, NULL, true); /* servers without a reason */
    expect_end(&dialect_openai, O_TEXT("a"), NULL, false);
    expect_end(&dialect_openai, O_TEXT("a") O_FINISH("stop") O_DONE "data: {\n\ndata: {\"error\":1}\n\n", NULL, true);
    expect_end(&dialect_openai, O_TEXT("a") "data: [DONE]", NULL, true);
    expect_end(&dialect_anthropic, A_START A_BLOCK(A_TEXT("a")) A_FINISH("end_turn"), NULL, false);
    expect_end(&dialect_anthropic, A_START A_BLOCK(A_TEXT("a")), NULL, false);
    expect_end(&dialect_anthropic, A_START A_BLOCK(A_TEXT("a")) A_FINISH("end_turn") A_STOP, &why, true);
}

/* --- of Amazon's frames --- */

static void append_header(struct buf *out, const char *name, const char *value)
{
    buf_append_char(out, (char)strlen(name));
    buf_printf(out, "%s\x07", name);
    buf_append_char(out, 0);
    buf_append_char(out, (char)strlen(value));
    buf_append(out, slice_str(value));
}

/* kind: "event", or "exception". */
static void append_frame(struct buf *out, const char *kind, const char *name, const char *payload)
{
    struct buf headers;
    buf_init(&headers);
    append_header(&headers, ":message-type", kind);
    append_header(&headers, strcmp(kind, "event") == 0 ? ":event-type" : ":exception-type", name);
    framing_append(out, buf_slice(&headers), slice_str(payload));
    buf_clear(&headers);
}

static void append_answer(struct buf *out)
{
    append_frame(out, "event", "messageStart", "{\"role\":\"assistant\"}");
    append_frame(out, "event", "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"Hi\"}}");
    append_frame(out, "event", "contentBlockStop", "{\"contentBlockIndex\":0}");
    append_frame(out, "event", "messageStop", "{\"stopReason\":\"end_turn\"}");
}

static void expect_frames_end(struct slice bytes, bool is_whole)
{
    for (size_t step = 0; step < 8; step += 7) {
        struct kit k;
        open_from(&k, &dialect_converse, "application/vnd.amazon.eventstream");
        kit_feed(&k, bytes, step);
        kit_finish(&k, NULL);
        struct hearing h = hear(&k);
        EXPECT_INT(RELAY_SENT, k.how);
        EXPECT_INT(is_whole, h.has_ended);
        EXPECT_INT(!is_whole, h.has_error);
        EXPECT_SLICE(SLICE("Hi"), buf_slice(&h.text));
        hearing_clear(&h);
        close_kit(&k);
    }
}

static void frames_end_between_messages(void)
{
    struct buf bytes;
    buf_init(&bytes);
    append_answer(&bytes);
    size_t said = buf_len(&bytes);
    expect_frames_end(buf_slice(&bytes), true);
    append_frame(&bytes, "event", "metadata", "{\"usage\":{\"inputTokens\":1,\"outputTokens\":1,\"totalTokens\":2}}");
    expect_frames_end(buf_slice(&bytes), true);
    for (size_t cut = said + 1; cut < buf_len(&bytes); cut += 13)
        expect_frames_end(slice_of(buf_ptr(&bytes), cut), false);
    buf_clear(&bytes);
}

/* Whatever is called, says or does not say. */
static void exceptions_are_no_ends(void)
{
    static const char *const said[][2] = {{"throttlingException", "{\"message\":\"slow\"}"}, {"throttlingException", ""},
                                          {"messageStop", "{\"stopReason\":\"end_turn\"}"}, {"odd", "no JSON"}};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        struct buf bytes;
        buf_init(&bytes);
        append_answer(&bytes);
        append_frame(&bytes, "exception", said[i][0], said[i][1]);
        append_frame(&bytes, "event", "metadata", "{}");
        expect_frames_end(buf_slice(&bytes), false);
        buf_clear(&bytes);
    }
}

static void the_gateways_own_end_is_told(void)
{
    struct fault why = {.code = FAULT_DRAINING};
    struct kit k;
    open_from(&k, &dialect_openai, TYPE_EVENTS);
    kit_feed(&k, SLICE(O_TEXT("a")), 0);
    relay_cut(k.relay, &why, OUTCOME_DRAINED);
    struct hearing h = hear(&k);
    EXPECT(h.has_error && !h.has_ended);
    hearing_clear(&h);
    close_kit(&k);
}

static void a_client_that_has_gone_hears_nothing(void)
{
    struct kit k;
    open_from(&k, &dialect_openai, TYPE_EVENTS);
    k.act = KIT_DETACH, k.act_at = KIT_WRITE, k.act_in = 2;
    kit_feed(&k, SLICE(O_HELLO), 0);
    kit_finish(&k, NULL);
    EXPECT_INT(RELAY_DETACHED, k.how);
    EXPECT_INT(7, relay_report(k.relay).usage->output_tokens);
    close_kit(&k);
    open_from(&k, &dialect_anthropic, TYPE_EVENTS);
    k.act = KIT_FREE, k.act_at = KIT_WRITE, k.act_in = 2;
    kit_feed(&k, SLICE(A_HELLO), 0);
    close_kit(&k);
}

/* Whatever is done to the relay inside whichever callback: kit_close() watches that its promises hold. */
static void act(const struct dialect *provider, const char *bytes, enum kit_act what, enum kit_place where, unsigned in)
{
    struct kit k;
    open_from(&k, provider, TYPE_EVENTS);
    kit_redact(&k);
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
    static const char *const of_openai[] = {O_HELLO, O_TEXT("a") O_TEXT("b") "data: {\n\n" O_TEXT("c") O_DONE};
    static const char *const of_anthropic[] = {A_HELLO, A_START A_BLOCK(A_TEXT("a")) A_TEXT("b") A_STOP};
    for (int what = KIT_NOTHING; what <= KIT_STOP; what++) {
        for (int where = KIT_HEAD; where <= KIT_ASK; where++) {
            for (unsigned in = 1; in < 10; in++) {
                act(&dialect_openai, of_openai[in % 2], (enum kit_act)what, (enum kit_place)where, in);
                act(&dialect_anthropic, of_anthropic[in % 2], (enum kit_act)what, (enum kit_place)where, in);
            }
        }
    }
}

/* The word on what came before the fault is awaited. */
static void a_fault_waits_for_what_is_judged(void)
{
    struct kit k;
    open_from(&k, &dialect_openai, TYPE_EVENTS);
    k.parts.hooks.has_delta = k.answers_later = true;
    kit_feed(&k, SLICE(O_TEXT("good")), 0);
    relay_pass_time(k.relay);
    kit_answer(&k);
    kit_feed(&k, SLICE(O_TEXT(" text")), 0);
    relay_pass_time(k.relay);
    kit_feed(&k, SLICE("data: {\n\n" O_TEXT("more") O_FINISH("stop") O_DONE), 0);
    kit_finish(&k, NULL);
    EXPECT_INT(0, k.ends);
    kit_answer_all(&k);
    struct hearing h = hear(&k);
    EXPECT_SLICE(SLICE("good text"), buf_slice(&h.text));
    EXPECT(h.has_error && !h.has_ended);
    hearing_clear(&h);
    close_kit(&k);
}

/* ---- errors */

struct told_error {
    const struct dialect *provider;
    int status;
    const char *body;
    int becomes;
    const char *type, *message;
};

static void expect_error(const struct told_error *e)
{
    struct kit k;
    open_from(&k, e->provider, TYPE_JSON);
    k.head.status = e->status;
    kit_begin(&k);
    k.head.status = e->becomes;
    kit_feed(&k, slice_str(e->body), 0);
    kit_finish(&k, NULL);
    struct hearing h = hear(&k);
    EXPECT(h.has_error);
    EXPECT_INT(OUTCOME_UPSTREAM_ERROR, k.outcome);
    EXPECT_STR(e->type, h.error_type);
    EXPECT_STR(e->message, h.error_message);
    hearing_clear(&h);
    close_kit(&k);
}

#define O_ERROR(type, code) "{\"error\":{\"message\":\"M\",\"type\":\"" type "\",\"param\":null,\"code\":" code "}}"
#define A_ERROR(type) "{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"M\"}}"

static void errors_are_told_in_the_clients_words(void)
{
    static const struct told_error errors[] = {
        {&dialect_anthropic, 400, A_ERROR("invalid_request_error"), 400, "invalid_request_error", "M"},
        {&dialect_anthropic, 404, A_ERROR("not_found_error"), 404, "invalid_request_error", "M"},
        {&dialect_anthropic, 413, A_ERROR("request_too_large"), 413, "invalid_request_error", "M"},
        {&dialect_anthropic, 429, A_ERROR("rate_limit_error"), 429, "rate_limit_error", "M"},
        {&dialect_anthropic, 529, A_ERROR("overloaded_error"), 503, "server_error", "M"},
        {&dialect_anthropic, 500, A_ERROR("api_error"), 500, "server_error", "M"},
        {&dialect_anthropic, 504, "<html>late</html>", 504, "server_error", "<html>late</html>"},
        {&dialect_openai, 400, O_ERROR("invalid_request_error", "\"context_length_exceeded\""), 400,
         "invalid_request_error", "M"},
        {&dialect_openai, 403, O_ERROR("x", "null"), 403, "permission_error", "M"},
        {&dialect_openai, 402, O_ERROR("x", "null"), 402, "billing_error", "M"},
        {&dialect_openai, 404, O_ERROR("invalid_request_error", "\"model_not_found\""), 404, "not_found_error", "M"},
        {&dialect_openai, 429, O_ERROR("insufficient_quota", "\"insufficient_quota\""), 402, "billing_error", "M"},
        {&dialect_openai, 429, O_ERROR("tokens", "\"rate_limit_exceeded\""), 429, "rate_limit_error", "M"},
        {&dialect_openai, 503, O_ERROR("server_error", "\"server_is_overloaded\""), 503, "overloaded_error", "M"},
        {&dialect_openai, 504, O_ERROR("x", "null"), 504, "timeout_error", "M"},
        {&dialect_openai, 422, "{\"detail\":\"D\"}", 422, "invalid_request_error", "D"},
        {&dialect_openai, 500, "{\"object\":\"error\",\"message\":\"N\"}", 500, "api_error", "N"},
        {&dialect_openai, 500, "{\"error\":\"E\"}", 500, "api_error", "E"},
        {&dialect_openai, 500, "", 500, "api_error", "The provider gave no reason."},
        {&dialect_openai, 200, "{\"error\":{\"code\":429,\"message\":\"M\"}}", 502, "rate_limit_error", "M"},
    };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        expect_error(&errors[i]);
}

static unsigned failures; /* that the relay told of */

static void on_failure(void *arg, bool is_limited)
{
    (void)arg;
    failures += is_limited ? 100 : 1;
}

/* What another may do better is left to it, as long as nothing has left, translated or not. */
static void expect_way_to(const struct dialect *client, const char *type, const char *bytes, bool has_another, bool gives_way)
{
    struct kit k;
    bool is_same = client == &dialect_openai;
    open_from(&k, &dialect_openai, type);
    k.parts.has_another = has_another;
    k.parts.client = client;
    k.parts.on_failure = on_failure;
    kit_begin(&k);
    if (bytes[0] == '{' && !is_same) k.head.status = 502; /* as it is told */
    kit_feed(&k, slice_str(bytes), 0);
    kit_finish(&k, NULL);
    EXPECT_INT(gives_way ? RELAY_UNSENT : RELAY_SENT, k.how);
    EXPECT_INT(!gives_way, k.heads);
    close_kit(&k);
}

static void expect_way(const char *type, const char *bytes, bool has_another, bool gives_way)
{
    expect_way_to(&dialect_anthropic, type, bytes, has_another, gives_way);
    expect_way_to(&dialect_openai, type, bytes, has_another, gives_way);
}

static void an_error_under_200_gives_way(void)
{
#define O_LATE "data: " O_ERROR("server_error", "\"server_is_overloaded\"") "\n\n"
    static const char *const odd[] = {O_ERROR("server_error", "null"), O_ERROR("tokens", "\"rate_limit_exceeded\"")};
    for (size_t i = 0; i < 2; i++) {
        expect_way(TYPE_JSON, odd[i], true, true);
        expect_way(TYPE_JSON, odd[i], false, false);
    }
    EXPECT_INT(4 * 1 + 4 * 100, failures);
    expect_way(TYPE_JSON, O_ERROR("invalid_request_error", "\"context_length_exceeded\""), true, false);
    EXPECT_INT(4 * 1 + 4 * 100, failures);
    expect_way(TYPE_EVENTS, O_LATE, true, true);
    expect_way(TYPE_EVENTS, O_LATE, false, false);
    expect_way(TYPE_EVENTS, O_TEXT("a") O_LATE, true, false);
}

static void expect_error_in_stream(const struct dialect *provider, const char *bytes, const char *type)
{
    struct kit k;
    open_from(&k, provider, TYPE_EVENTS);
    kit_feed(&k, slice_str(bytes), 0);
    kit_finish(&k, NULL);
    struct hearing h = hear(&k);
    EXPECT(h.has_error && !h.has_ended);
    EXPECT_STR(type, h.error_type);
    EXPECT_STR("M", h.error_message);
    EXPECT_INT(OUTCOME_UPSTREAM_ERROR, k.outcome);
    EXPECT_INT(1, k.tails);
    hearing_clear(&h);
    close_kit(&k);
}

static void errors_in_streams_are_told_in_the_clients_words(void)
{
    expect_error_in_stream(&dialect_anthropic, A_START "event: error\ndata: " A_ERROR("overloaded_error") "\n\n",
                           "server_error");
    expect_error_in_stream(&dialect_openai, O_TEXT("a") "data: " O_ERROR("server_error", "null") "\n\n" O_DONE, "api_error");
    expect_error_in_stream(&dialect_openai,
                           O_TEXT("a") "event: error\ndata: " O_ERROR("invalid_request_error", "null") "\n\n",
                           "invalid_request_error");
    expect_error_in_stream(&dialect_openai, O_TEXT("a") "data: {\"error\":{\"code\":429,\"message\":\"M\"}}\n\n",
                           "rate_limit_error");
}

int main(void)
{
    RUN(an_end_is_the_providers_own);
    RUN(frames_end_between_messages);
    RUN(exceptions_are_no_ends);
    RUN(the_gateways_own_end_is_told);
    RUN(a_client_that_has_gone_hears_nothing);
    RUN(who_goes_inside_a_callback_is_asked_for_no_more);
    RUN(a_fault_waits_for_what_is_judged);
    RUN(errors_are_told_in_the_clients_words);
    RUN(an_error_under_200_gives_way);
    RUN(errors_in_streams_are_told_in_the_clients_words);
    loop_free(kit_loop);
    return unit_close("relay_translate_ends");
}
