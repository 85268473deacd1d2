/* What tools are given, and give back, as objects in a request: all of their JSON is read, and it stays JSON. */
#include "answering.h"

#include "base/clock.h"

static const struct around {
    const struct dialect *dialect;
    const char *body;
} arounds[] = {
    {&dialect_anthropic, "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"t\","
                         "\"name\":\"f\",\"input\":%s}]}]}"},
    {&dialect_gemini, "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":%s}}]}]}"},
    {&dialect_gemini, "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":%s}}]}]}"},
    {&dialect_responses, "{\"model\":\"m\",\"input\":[{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":%s}]}"},
    {&dialect_openai, "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","
                      "\"function\":{\"name\":\"f\",\"arguments\":%s}}]}]}"},
    {&dialect_openai, "{\"model\":\"m\",\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":%s}]}"},
    {&dialect_openai, "{\"model\":\"m\",\"messages\":[{\"role\":\"function\",\"name\":\"f\",\"content\":%s}]}"},
    {&dialect_openai, "{\"model\":\"m\",\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[{\"text\":\"a\",\"of\":%s}]}]}"},
    {&dialect_openai, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[\"a\",[%s]]}]}"},
    {&dialect_responses, "{\"model\":\"m\",\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":%s}]}"},
    {&dialect_responses, "{\"model\":\"m\",\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":[{\"text\":\"a\",\"of\":%s}]}]}"},
};
#define AROUNDS (sizeof arounds / sizeof arounds[0])

static void send_value(const struct around *around, const char *value)
{
    char *body = NULL;
    if (asprintf(&body, around->body, value) < 0) abort();
    send_request_to(around->dialect, body, CHAT_CHAT);
    free(body);
}

static void expect_sent(const struct around *around, const char *value)
{
    char *want = NULL;
    if (asprintf(&want, around->body, value) < 0) abort();
    EXPECT_TEXT(want, buf_slice(&sent));
    free(want);
}

static void all_of_their_json_is_masked(void)
{
    static const char *const values[][2] = {
        {"{\"card\":5500000000000004}", "{\"card\":\"[credit_card]\"}"},
        {"{ \"a\" : [1, -5500000000000004 , {\"b\":\"cy\\u0040x.org\"}] }", "{ \"a\" : [1, \"[credit_card]\" , {\"b\":\"[email]\"}] }"},
        {"{\"cy@x.org\":true,\"\\u0063y\\u0040x.org \":{\"bo@x.org\":null},\"to\":\"bo@x.org\"}",
         "{\"[email]\":true,\"[email] \":{\"[email_2]\":null},\"to\":\"[email_2]\"}"},
        {"{\"name\":\"x\\ncy@x.org\",\"type\":{\"id\":5500000000000004,\"role\":\"EMP-123456\"}}",
         "{\"name\":\"x\\n[email]\",\"type\":{\"id\":\"[credit_card]\",\"role\":\"[employee_id]\"}}"},
        {"{\"s\":\"{\\\"cy@x.org\\\":5500000000000004}\",\"n\":5500000000000004}",
         "{\"s\":\"{\\\"[email]\\\":\\\"[credit_card]\\\"}\",\"n\":\"[credit_card]\"}"},
        {"{\"[email]\":1,\"to\":\"cy@x.org\"}", "{\"[email]\":1,\"to\":\"[email_2]\"}"},
        {"[5500000000000004,[\"cy@x.org\"]]", "[\"[credit_card]\",[\"[email]\"]]"},
        {"{\"n\":[55,12],\"x\":1e3,\"y\":{},\"z\":[]}", "{\"n\":[55,12],\"x\":1e3,\"y\":{},\"z\":[]}"},
        {"{}", "{}"},
    };
    for (size_t a = 0; a < AROUNDS; a++) {
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            bool is_list = values[v][0][0] == '[', takes_lists = arounds[a].dialect != &dialect_anthropic && arounds[a].dialect != &dialect_gemini;
            if (is_list && !takes_lists) continue;
            use_rules(true, true);
            send_value(&arounds[a], values[v][0]);
            expect_sent(&arounds[a], values[v][1]);
            done();
        }
    }
}

static void it_is_counted_and_comes_back(void)
{
    for (size_t a = 0; a < AROUNDS; a++) {
        use_rules(true, true);
        send_value(&arounds[a], "{\"cy@x.org\":5500000000000004,\"n\":[5500000000000004]}");
        EXPECT_INT(1, redact_found(r, DETECT_EMAIL));
        EXPECT_INT(2, redact_found(r, DETECT_CREDIT_CARD));
        buf_reset(&out);
        EXPECT(redact_body(SLICE("{\"choices\":[{\"message\":{\"content\":\"[email] has [credit_card]\"}}]}"), &out));
        EXPECT_TEXT("{\"choices\":[{\"message\":{\"content\":\"cy@x.org has 5500000000000004\"}}]}", buf_slice(&out));
        done();
    }
}

/* Values with only numbers in them, side by side and beside texts: none is passed over, none read twice. */
static void each_value_is_read_once(void)
{
    use_rules(true, true);
    send_request_to(&dialect_gemini,
                    "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"text\":\"cy@x.org\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":5500000000000004}}},"
                    "{\"functionCall\":{\"args\":{\"a\":[5500000000000004]}}},{\"functionCall\":{\"args\":{}}},{\"text\":\"EMP-123456\"},"
                    "{\"inlineData\":{\"mimeType\":\"text/x\",\"data\":\"Y3lAeC5vcmc=\"}},{\"functionCall\":{\"args\":{\"a\":\"cy@x.org\"}}}]}],"
                    "\"labels\":{\"a\":\"bo@x.org\"}}",
                    CHAT_CHAT);
    EXPECT_TEXT("{\"contents\":[{\"role\":\"model\",\"parts\":[{\"text\":\"[email]\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":\"[credit_card]\"}}},"
                "{\"functionCall\":{\"args\":{\"a\":[\"[credit_card]\"]}}},{\"functionCall\":{\"args\":{}}},{\"text\":\"[employee_id]\"},"
                "{\"inlineData\":{\"mimeType\":\"text/x\",\"data\":\"Y3lAeC5vcmc=\"}},{\"functionCall\":{\"args\":{\"a\":\"[email]\"}}}]}],"
                "\"labels\":{\"a\":\"[email_2]\"}}",
                buf_slice(&sent));
    EXPECT_INT(3, redact_found(r, DETECT_EMAIL));
    EXPECT_INT(2, redact_found(r, DETECT_CREDIT_CARD));
    done();
}

/* Cut at every byte by the bound, what leaves is JSON, and nothing that was seen whole leaves. */
static void json_that_is_cut_by_the_bound_stays_json(void)
{
    static const char value[] = "{\"a\":[5500000000000004,\"x\\\"cy@x.org\\\\\"],\"n\":-5500000000000004.0e1,\"b\":{\"bo@x.org\":5500000000000004}}";
    struct json_tape tape;
    json_init(&tape);
    for (size_t a = 0; a < AROUNDS; a++) {
        for (size_t bytes = 1; bytes < sizeof value + 40; bytes++) {
            struct fault why;
            use_rules(true, true);
            rules.scan_bytes_max = bytes;
            send_value(&arounds[a], value);
            if (!json_parse(&tape, buf_slice(&sent), &why)) UNIT_FAIL("%zu: %.*s", bytes, SLICE_FMT(buf_slice(&sent)));
            EXPECT(redact_is_cut(r) || redact_found(r, DETECT_CREDIT_CARD) >= 2);
            EXPECT(bytes < sizeof value + 30 || !redact_is_cut(r));
            done();
        }
    }
    json_clear(&tape);
}

/* Its quotes and backslashes are spelt as they must be at each depth. */
static void quotes_are_spelt_as_they_must_be(void)
{
    use_quoted_rules();
    for (size_t a = 0; a < AROUNDS; a++) {
        send_value(&arounds[a], "{\"Q\\\"1234\":[\"\\\\\",\"[\\\"Q\\\\\\\"1234\\\"]\"]}");
        expect_sent(&arounds[a], "{\"[quoted]\":[\"\\\\\",\"[\\\"[quoted]\\\"]\"]}");
    }
    done();
}

/* What nothing was found in is remembered as it stands: the same bytes as a text are another text. */
static void quiet_values_are_remembered_apart(void)
{
    char value[900];
    remembered = memo_new(64);
    for (unsigned i = 0; i < 3; i++) {
        size_t at = 0;
        at += (size_t)snprintf(value, sizeof value, "{\"words\":\"");
        while (at < 700)
            at += (size_t)snprintf(value + at, sizeof value - at, "word ");
        snprintf(value + at, sizeof value - at, "\",\"n\":%s}", i == 1 ? "5500000000000004" : "7");
        use_rules(true, true);
        send_value(&arounds[i], value);
        EXPECT_INT(i == 1, redact_found(r, DETECT_CREDIT_CARD));
        if (i != 1) expect_sent(&arounds[i], value);
        done();
    }
    memo_free(remembered);
    remembered = NULL;
}

/* --- as large as bodies may be --- */

static uint64_t scan_ns(const struct around *around, const char *piece, size_t bytes)
{
    struct buf value;
    size_t len = strlen(piece);
    buf_init(&value);
    buf_append(&value, SLICE("{\"a\":["));
    while (buf_len(&value) < bytes)
        buf_append(&value, slice_of(piece, len));
    buf_append(&value, slice_of("0]}", 4));
    use_rules(true, true);
    rules.scan_bytes_max = LIMIT_REDACT_SCAN_MAX;
    uint64_t began_ns = clock_cpu_ns();
    send_value(around, buf_ptr(&value));
    uint64_t took_ns = clock_cpu_ns() - began_ns;
    EXPECT(!redact_is_cut(r));
    done();
    buf_clear(&value);
    return took_ns;
}

/* Four times the bytes take about four times as long, not sixteen. */
static void a_large_value_takes_time_in_proportion(void)
{
    static const char *const pieces[] = {"5500000000000004,", "7,", "{\"cy@x.org\":1},", "{\"a\":{\"b\":[1]}},", "\"\\u0041\","};
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        uint64_t small_ns = scan_ns(&arounds[0], pieces[p], 256u << 10), large_ns = scan_ns(&arounds[0], pieces[p], 1u << 20);
        if (large_ns > 10 * small_ns + 20000000) UNIT_FAIL("%s: %llu ns, %llu ns", pieces[p], (unsigned long long)small_ns, (unsigned long long)large_ns);
    }
}

/* Many small ones, without a string between them. */
static void many_values_take_time_in_proportion(void)
{
    uint64_t took_ns[2];
    for (unsigned i = 0; i < 2; i++) {
        struct buf body;
        buf_init(&body);
        buf_append(&body, SLICE("{\"contents\":[{\"role\":\"model\",\"parts\":["));
        for (unsigned n = 0; n < (i ? 20000u : 5000u); n++)
            buf_append(&body, SLICE("{\"functionCall\":{\"args\":{\"a\":7}}},"));
        buf_append(&body, SLICE("{\"functionCall\":{\"args\":{\"a\":5500000000000004}}}]}]}"));
        buf_append_char(&body, 0);
        use_rules(true, true);
        uint64_t began_ns = clock_cpu_ns();
        send_request_to(&dialect_gemini, buf_ptr(&body), CHAT_CHAT);
        took_ns[i] = clock_cpu_ns() - began_ns;
        EXPECT_INT(1, redact_found(r, DETECT_CREDIT_CARD));
        done();
        buf_clear(&body);
    }
    if (took_ns[1] > 10 * took_ns[0] + 20000000) UNIT_FAIL("%llu ns, %llu ns", (unsigned long long)took_ns[0], (unsigned long long)took_ns[1]);
}

int main(void)
{
    arena_init(&arena);
    buf_init(&sent);
    buf_init(&out);
    RUN(all_of_their_json_is_masked);
    RUN(it_is_counted_and_comes_back);
    RUN(each_value_is_read_once);
    RUN(json_that_is_cut_by_the_bound_stays_json);
    RUN(quotes_are_spelt_as_they_must_be);
    RUN(quiet_values_are_remembered_apart);
    RUN(a_large_value_takes_time_in_proportion);
    RUN(many_values_take_time_in_proportion);
    buf_clear(&sent);
    buf_clear(&out);
    return unit_close("redact values");
}
