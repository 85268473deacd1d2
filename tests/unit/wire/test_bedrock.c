/* What Amazon Bedrock streams and refuses, as its dialect says it elsewhere. */
#include "../files.h"
#include "../unit.h"

#include "framing.h"

#include "base/base64.h"
#include "base/limits.h"
#include "wire/bedrock.h"
#include "wire/sse.h"

/* --- whole streams, of AWS's own codec --- */

static void add_event(void *arg, const struct sse_event *event)
{
    struct buf *lines = arg;
    EXPECT(event->ends && !event->is_raw);
    buf_printf(lines, "%.*s %.*s\n", SLICE_FMT(event->name), SLICE_FMT(event->data));
}

struct hearing {
    struct sse_parser *sse;
    struct buf lines;
    unsigned most; /* texts, then nobody hears more; 0: all */
};

static bool on_text(void *arg, struct slice text)
{
    struct hearing *h = arg;
    sse_feed(h->sse, text, add_event, &h->lines);
    EXPECT_INT(0, sse_held_bytes(h->sse));
    return h->most == 0 || --h->most > 0;
}

static bool hear(const struct dialect *spoken, struct slice input, size_t cut, struct hearing *h, struct fault *why)
{
    struct bedrock *b = bedrock_new(spoken);
    *h = (struct hearing){.sse = sse_new(), .most = h->most};
    why->code = FAULT_NONE;
    bool is_good = bedrock_feed(b, slice_of(input.ptr, cut), on_text, h, why) &&
                   bedrock_feed(b, slice_of(input.ptr + cut, input.len - cut), on_text, h, why);
    if (is_good) EXPECT_INT(0, bedrock_held_bytes(b));
    if (!is_good && why->code != FAULT_NONE) {
        struct fault again = {.code = FAULT_NONE};
        EXPECT(!bedrock_feed(b, input, on_text, h, &again) && again.code == why->code);
    }
    bedrock_free(b);
    sse_free(h->sse);
    return is_good;
}

static void streams_of_awss_codec(void)
{
    static const char *const names[] = {"invoke", "converse", "odd", "failing"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[32];
        struct buf bytes, lines;
        struct hearing h = {.most = 0};
        struct fault why;
        snprintf(name, sizeof name, "%s.bin", names[i]);
        EXPECT(read_file("tests/data/bedrock", name, &bytes));
        snprintf(name, sizeof name, "%s.txt", names[i]);
        EXPECT(read_file("tests/data/bedrock", name, &lines));
        for (size_t cut = 0; cut <= buf_len(&bytes); cut++) {
            EXPECT(hear(&dialect_anthropic, buf_slice(&bytes), cut, &h, &why));
            EXPECT_SLICE(buf_slice(&lines), buf_slice(&h.lines));
            buf_clear(&h.lines);
        }
        buf_clear(&bytes);
        buf_clear(&lines);
    }
}

/* --- one message at a time --- */

static void add_header(struct buf *out, const char *name, const char *value)
{
    buf_append_char(out, (char)strlen(name));
    buf_append(out, slice_str(name));
    buf_append_char(out, 7);
    buf_append_char(out, 0);
    buf_append_char(out, (char)strlen(value));
    buf_append(out, slice_str(value));
}

/* pairs: of headers. want: what is heard; NULL: it is broken, and why. */
static void expect(const struct dialect *spoken, const char *const *pairs, const char *payload, const char *want,
                   const char *why_part)
{
    struct buf headers, all;
    struct hearing h = {.most = 0};
    struct fault why;
    buf_init(&headers);
    buf_init(&all);
    for (; *pairs; pairs += 2)
        add_header(&headers, pairs[0], pairs[1]);
    framing_append(&all, buf_slice(&headers), slice_str(payload));
    bool is_good = hear(spoken, buf_slice(&all), 0, &h, &why);
    EXPECT_SLICE(slice_str(want), buf_slice(&h.lines));
    if (is_good != !why_part) UNIT_FAIL("%s: %s", payload, fault_message(&why));
    if (why_part && !strstr(fault_message(&why), why_part)) UNIT_FAIL("%s: %s", payload, fault_message(&why));
    buf_clear(&h.lines);
    buf_clear(&headers);
    buf_clear(&all);
}
#define EVENT(type) ((const char *const[]){":event-type", type, ":message-type", "event", NULL})
#define EXCEPTION(type) ((const char *const[]){":message-type", "exception", ":exception-type", type, NULL})

static void a_chunk_is_what_its_bytes_say(void)
{
    const struct dialect *d = &dialect_anthropic;
    expect(d, EVENT("chunk"), "{\"bytes\":\"eyJ0eXBlIjoicGluZyJ9\"}", "ping {\"type\":\"ping\"}\n", NULL);
    expect(d, EVENT("chunk"), "{\"p\":\"x\",\"bytes\":\"eyJhIjpudWxsLCJ0eXBlIjoicGluZyJ9\"}",
           "ping {\"a\":null,\"type\":\"ping\"}\n", NULL);
    /* {"a":"?>"}: its base64 has a slash, which JSON may escape; no type; a blank line in it; nothing */
    expect(d, EVENT("chunk"), "{\"bytes\":\"eyJhIjoiPz8\\/In0=\"}", " {\"a\":\"???\"}\n", NULL);
    expect(d, EVENT("chunk"), "{\"bytes\":\"eyJ0eXBlIjo1fQ==\"}", " {\"type\":5}\n", NULL);
    expect(d, EVENT("chunk"), "{\"bytes\":\"eyJ0eXBlIjoiYSBiIn0=\"}", " {\"type\":\"a b\"}\n", NULL);
    expect(d, EVENT("chunk"), "{\"bytes\":\"ewoKImEiDTp9\"}", " {\n\n\"a\"\n:}\n", NULL);
}

static void a_chunk_of_no_bytes_is_broken(void)
{
    static const char *const payloads[] = {"", "{", "[]", "{}", "{\"bytes\":5}", "{\"bytes\":\"e\"}",
                                           "{\"bytes\":\"e30\"}", "{\"bytes\":\"e3=0\"}", "{\"bytes\":\"e30-\"}",
                                           "{\"bytes\":\"e31=\"}", "{\"Bytes\":\"e30=\"}"};
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
        expect(&dialect_anthropic, EVENT("chunk"), payloads[i], "", "event stream is broken: a chunk");
}

static void events_have_their_names(void)
{
    expect(&dialect_anthropic, EVENT("messageStop"), "{\"a\":\r\n1}", "messageStop {\"a\":\n\n1}\n", NULL);
    expect(&dialect_anthropic, EVENT("a\nb"), "{}", "", "an event of no type");
    expect(&dialect_anthropic, EVENT(""), "{}", "", "an event of no type");
    expect(&dialect_anthropic, ((const char *const[]){":message-type", "event", NULL}), "{}", "", "of no type");
    expect(&dialect_anthropic, ((const char *const[]){":event-type", "chunk", NULL}), "{}", "", "a message of no type");
    expect(&dialect_anthropic, ((const char *const[]){":message-type", "other", NULL}), "{}", "", "nobody knows");
}

#define ERROR(type, text) "error {\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"" text "\"}}\n"

static void exceptions_are_errors(void)
{
    const struct dialect *d = &dialect_anthropic;
    expect(d, EXCEPTION("throttlingException"), "{\"message\":\"slow\"}", ERROR("rate_limit_error", "slow"), NULL);
    expect(d, EXCEPTION("modelStreamErrorException"), "{\"message\":\"x\",\"originalStatusCode\":500}",
           ERROR("api_error", "x"), NULL);
    expect(d, EXCEPTION("serviceUnavailableException"), "{}",
           ERROR("overloaded_error", "serviceUnavailableException"), NULL);
    expect(d, EXCEPTION("newException"), "no JSON", ERROR("api_error", "newException"), NULL);
    expect(d, EXCEPTION(""), "{}", "", "an exception of no type");
    expect(d, ((const char *const[]){":message-type", "error", ":error-code", "500", ":error-message", "a\"b", NULL}),
           "", ERROR("api_error", "a\\\"b"), NULL);
    expect(d, ((const char *const[]){":message-type", "error", ":error-code", "InternalError", NULL}), "",
           ERROR("api_error", "InternalError"), NULL);
}

/* Nobody is told of errors in a dialect that no client speaks: its own reader knows them by their names. */
static void exceptions_keep_their_names_where_nobody_has_words(void)
{
    static const struct dialect mute = {.name = "mute"};
    expect(&mute, EXCEPTION("throttlingException"), "{\"message\":\"slow\"}",
           "throttlingException {\"message\":\"slow\"}\n", NULL);
    expect(&mute, EXCEPTION("messageStop"), "{\"stopReason\":\"end_turn\"}",
           "error {\"stopReason\":\"end_turn\"}\n", NULL);
    expect(&mute, ((const char *const[]){":message-type", "error", ":error-message", "a\"b", NULL}), "",
           "error {\"__type\":\"\",\"message\":\"a\\\"b\"}\n", NULL);
    expect(&mute, ((const char *const[]){":message-type", "error", ":error-code", "ThrottlingException", NULL}), "",
           "error {\"__type\":\"ThrottlingException\",\"message\":\"ThrottlingException\"}\n", NULL);
}

static void who_has_heard_enough_hears_no_more(void)
{
    struct buf bytes;
    struct hearing h = {.most = 2};
    struct fault why;
    EXPECT(read_file("tests/data/bedrock", "invoke.bin", &bytes));
    EXPECT(!hear(&dialect_anthropic, buf_slice(&bytes), 0, &h, &why) && why.code == FAULT_NONE);
    buf_clear(&h.lines);
    buf_clear(&bytes);
}

/* --- bodies with an error status --- */

static void expect_error(int status, const char *type, const char *body, const char *want)
{
    struct buf out;
    buf_init(&out);
    bool is_written = bedrock_write_error(&dialect_anthropic, status, slice_str(type), slice_str(body), &out);
    EXPECT(is_written == (*want != '\0'));
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
}
#define BODY(type, text) "{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"" text "\"}}"

static void errors_are_worded(void)
{
    expect_error(429, "ThrottlingException:http://internal.amazon.com/coral/", "{\"message\":\"slow\"}",
                 BODY("rate_limit_error", "slow"));
    expect_error(400, "com.amazon.coral.validate#ValidationException", "{\"Message\":\"a \\u00e4\"}",
                 BODY("invalid_request_error", "a \xC3\xA4"));
    expect_error(400, "ServiceQuotaExceededException", "{\"message\":\"all\"}", BODY("rate_limit_error", "all"));
    expect_error(424, "ModelErrorException", "{\"message\":\"\",\"originalStatusCode\":400}",
                 BODY("api_error", "ModelErrorException"));
    expect_error(404, "SomethingNew", "{\"message\":\"gone\"}", BODY("not_found_error", "gone"));
    expect_error(500, "InternalServerException", "{\"message\":7}", "");
    expect_error(500, "InternalServerException", "{\"error\":{\"message\":\"its server's own\"}}", "");
    expect_error(400, "a#ThrottlingException:http:", "{}", BODY("rate_limit_error", "ThrottlingException"));
    expect_error(500, "InternalServerException", "", BODY("api_error", "InternalServerException"));
    expect_error(500, "InternalServerException", "<html>", "");
    expect_error(500, "InternalServerException", "[{}]", "");
}

static void base64_is_read_strictly(void)
{
    static const char *const good[][2] = {{"", ""}, {"QQ==", "A"}, {"QUI=", "AB"}, {"QUJD", "ABC"}, {"+/+/", "\xfb\xff\xbf"}};
    static const char *const bad[] = {"Q", "QQ", "QQ=", "=", "====", "Q===", "QQ==QQ==", "QR==", "QUJ=", "QQ= =", "-_-_"};
    uint8_t bytes[16];
    size_t len;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        EXPECT(base64_read(slice_str(good[i][0]), bytes, &len));
        EXPECT_SLICE(slice_str(good[i][1]), slice_of((const char *)bytes, len));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (base64_read(slice_str(bad[i]), bytes, &len)) UNIT_FAIL("%s is read", bad[i]);
    }
}

int main(void)
{
    RUN(streams_of_awss_codec);
    RUN(a_chunk_is_what_its_bytes_say);
    RUN(a_chunk_of_no_bytes_is_broken);
    RUN(events_have_their_names);
    RUN(exceptions_are_errors);
    RUN(exceptions_keep_their_names_where_nobody_has_words);
    RUN(who_has_heard_enough_hears_no_more);
    RUN(errors_are_worded);
    RUN(base64_is_read_strictly);
    return unit_close("bedrock");
}
