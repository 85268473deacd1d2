/* The OpenAI dialect: what events and bodies tell, how a stream is judged, what errors look like. */
#include "../unit.h"

#include "base/mem.h"
#include "wire/dialect.h"
#include "wire/sse.h"
#include "wire/translate/traits.h"

static const struct dialect *const d = &dialect_openai;
static struct said_reader reader;

static unsigned read_event(struct dialect_stream *s, struct slice name, struct slice data)
{
    struct said said;
    d->read_event(&reader, s, name, data, &said);
    return said.what;
}

static bool read_body(struct dialect_stream *s, struct slice body)
{
    struct said said;
    d->read_body(&reader, s, body, &said);
    return !(said.what & SAID_UNREADABLE);
}

#define CHUNK(choices, more)                                                                                           \
    "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m-1\",\"choices\":" choices more "}"

/* A copy of exact size: what reads beyond the data is seen by the sanitizers. */
static unsigned inspect(struct dialect_stream *s, const char *name, const char *data)
{
    size_t len = strlen(data);
    char *copy = mem_alloc(len + !len);
    memcpy(copy, data, len);
    unsigned what = read_event(s, slice_str(name), slice_of(copy, len));
    mem_free(copy);
    return what;
}

/* The event alone, once as a stream's first and once behind one that gave the model (which takes the short way). */
static void expect_event(const char *name, const char *data, unsigned want)
{
    for (int is_later = 0; is_later < 2; is_later++) {
        struct dialect_stream s;
        dialect_stream_init(&s, 1);
        if (is_later) inspect(&s, "", CHUNK("[]", ""));
        unsigned got = inspect(&s, name, data);
        if (got != want) UNIT_FAIL("%s (%s): got %u, expected %u", data, is_later ? "later" : "first", got, want);
    }
}

static void each_event_is_told_for_what_it_is(void)
{
    expect_event("", CHUNK("[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]", ""), 0);
    expect_event("", CHUNK("[{\"index\":0,\"delta\":{},\"finish_reason\":null}]", ",\"usage\":null,\"error\":null"), 0);
    expect_event("", CHUNK("[{\"index\":0,\"delta\":{},\"finish_reason\" : \"stop\"}]", ""), SAID_FINISHED);
    expect_event("", CHUNK("[]", ""), 0);
    expect_event("", "[DONE]", SAID_DONE);
    expect_event("", " [DONE] ", SAID_DONE);
    expect_event("", "[DONE", SAID_UNREADABLE);
    expect_event("", "", SAID_UNREADABLE);
    expect_event("", "{", SAID_UNREADABLE);
    expect_event("", "{\"model\":\"m\",\"choices\":[", SAID_UNREADABLE);
    expect_event("", "{not json}", SAID_UNREADABLE);
    expect_event("", "[1]", SAID_UNREADABLE);
    expect_event("", "null", SAID_UNREADABLE);
    expect_event("", CHUNK("[", ",\"usage\":1"), SAID_UNREADABLE);
}

static void usage_only_is_a_chunk_with_nothing_else(void)
{
    const char *usage = ",\"usage\":{\"prompt_tokens\":1}";
    char text[400];
    expect_event("", CHUNK("[]", ",\"usage\":{\"prompt_tokens\":1}"), SAID_USAGE_ONLY);
    expect_event("", CHUNK("[ ]", ",\"usage\" : {}"), SAID_USAGE_ONLY);
    expect_event("", CHUNK("[]", ",\"x_groq\":{\"id\":\"r\",\"usage\":{}}"), SAID_USAGE_ONLY);
    expect_event("", CHUNK("[]", ",\"usage\":{},\"latency_checkpoint\":{\"total_duration_ms\":1}"), SAID_USAGE_ONLY);
    expect_event("", CHUNK("[]", ",\"usage\":{},\"prompt_filter_results\":[]"), SAID_USAGE_ONLY);
    expect_event("", CHUNK("[]", ",\"usage\":{},\"prompt_filter_results\":[{}]"), 0);
    expect_event("", CHUNK("[]", ",\"usage\":{},\"citations\":[\"x\"]"), 0);
    expect_event("", CHUNK("[]", ",\"usage\":null"), 0);
    expect_event("", CHUNK("[{\"index\":0,\"delta\":{}}]", ",\"usage\":{}"), 0);
    expect_event("", CHUNK("null", ",\"usage\":{}"), 0);
    expect_event("", "{\"usage\":{}}", 0);
    expect_event("", CHUNK("[]", ",\"usage\":{},\"error\":{\"message\":\"x\"}"), SAID_ERROR);
    snprintf(text, sizeof text, "{\"choices\":[]%s,\"model\":\"m\"}", usage);
    expect_event("", text, SAID_USAGE_ONLY);
}

static void errors_are_what_the_client_raises(void)
{
    expect_event("", "{\"error\":{\"message\":\"x\"}}", SAID_ERROR);
    expect_event("", "{\"error\":\"x\"}", SAID_ERROR);
    expect_event("", "{\"error\":true}", SAID_ERROR);
    expect_event("", "{\"error\":1}", SAID_ERROR);
    expect_event("", "{\"\\u0065rror\":{}}", SAID_ERROR);
    expect_event("", "{\"error\":\"\"}", 0);
    expect_event("", "{\"error\":false}", 0);
    expect_event("", "{\"error\":0}", 0);
    expect_event("", "{\"error\":null}", 0);
    expect_event("", "{\"object\":\"error\",\"message\":\"x\"}", SAID_ERROR);
    expect_event("", CHUNK("[{\"index\":0,\"delta\":{\"content\":\"an \\\"error\\\": x\"}}]", ""), 0);
    expect_event("error", "{\"error\":{\"message\":\"x\"}}", SAID_ERROR);
    expect_event("error", "{}", SAID_ERROR);
    expect_event("error", "gone", SAID_ERROR | SAID_UNREADABLE);
    expect_event("message", CHUNK("[]", ""), 0);
}

/* What matters is found wherever it stands in the data, and however its key is written. */
static void nothing_hides_from_the_short_way(void)
{
    static const char *const keys[] = {
        "\"usage\"",      "\"us\\u0061ge\"",       "\"\\u0075sage\"", "\"usag\\u0065\"", "\"u\\u0073\\u0061ge\"",
        "\"usage\"\n\t ", "\"us\\u0061\\u0067e\" "};
    for (size_t pad = 0; pad < 40; pad++) {
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            struct dialect_stream s;
            char text[300];
            dialect_stream_init(&s, 1);
            inspect(&s, "", CHUNK("[]", ""));
            snprintf(text, sizeof text, "{\"p\":\"%.*s\",%s:{\"prompt_tokens\":7}}", (int)pad,
                     "........................................", keys[k]);
            EXPECT_INT(0, inspect(&s, "", text));
            EXPECT_INT(7, s.usage.input_tokens);
            if (unit_case_failures) return;
        }
    }
}

static void a_stream_is_followed_to_its_end(void)
{
    struct dialect_stream s;
    dialect_stream_init(&s, 1);
    EXPECT_INT(0, inspect(&s, "", "{\"model\":\"\",\"choices\":[],\"prompt_filter_results\":[{}]}"));
    EXPECT_STR("", s.model);
    EXPECT_INT(0, inspect(&s, "", CHUNK("[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]", "")));
    EXPECT_STR("m-1", s.model);
    EXPECT_INT(DIALECT_CUT, d->judge_end(&s));
    EXPECT_INT(SAID_FINISHED, inspect(&s, "",
                                         CHUNK("[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]",
                                               ",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}")));
    EXPECT_STR("length", s.finish_reason);
    EXPECT_INT(DIALECT_COMPLETE_UNMARKED, d->judge_end(&s));
    EXPECT_INT(SAID_USAGE_ONLY,
               inspect(&s, "", CHUNK("[]", ",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}")));
    EXPECT_INT(2, s.usage.output_tokens);
    inspect(&s, "", "[DONE]");
    EXPECT_INT(DIALECT_COMPLETE, d->judge_end(&s));
}

static void every_choice_must_have_finished(void)
{
    struct dialect_stream s;
    dialect_stream_init(&s, 3);
    inspect(&s, "", CHUNK("[{\"index\":2,\"finish_reason\":\"stop\"}]", ""));
    inspect(&s, "", CHUNK("[{\"index\":0,\"finish_reason\":\"stop\"}]", ""));
    inspect(&s, "", CHUNK("[{\"index\":0,\"finish_reason\":\"stop\"}]", ""));
    EXPECT_INT(DIALECT_CUT, d->judge_end(&s));
    inspect(&s, "", CHUNK("[{\"index\":1,\"finish_reason\":\"length\"}]", ""));
    EXPECT_INT(DIALECT_COMPLETE_UNMARKED, d->judge_end(&s));
    dialect_stream_init(&s, 2);
    inspect(&s, "", CHUNK("[{\"finish_reason\":\"stop\"},{\"finish_reason\":\"stop\"}]", ""));
    EXPECT_INT(DIALECT_COMPLETE_UNMARKED, d->judge_end(&s));
    dialect_stream_init(&s, 1);
    inspect(&s, "", CHUNK("[{\"index\":-1,\"finish_reason\":\"stop\"},{\"index\":1000,\"finish_reason\":\"x\"}]", ""));
    EXPECT_INT(DIALECT_CUT, d->judge_end(&s));
    inspect(&s, "", "{\"error\":{}}");
    EXPECT_INT(DIALECT_FAILED, d->judge_end(&s));
    inspect(&s, "", "[DONE]");
    EXPECT_INT(DIALECT_FAILED, d->judge_end(&s));
}

static void long_names_are_cut_at_a_character(void)
{
    struct dialect_stream s;
    char text[400] = "{\"model\":\"";
    dialect_stream_init(&s, 1);
    for (int i = 0; i < 40; i++)
        memcpy(text + strlen(text), "€\\n", 6);
    snprintf(text + strlen(text), 100, "\",\"choices\":[{\"finish_reason\":\"%s\"}]}",
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaé");
    EXPECT_INT(SAID_FINISHED, inspect(&s, "", text));
    EXPECT_INT(95, strlen(s.model)); /* 23 pairs of a euro sign and a line feed, and one euro sign */
    EXPECT_INT(30, strlen(s.finish_reason));
}

static void a_body_is_read_like_a_chunk(void)
{
    struct dialect_stream s;
    dialect_stream_init(&s, 1);
    EXPECT(read_body(&s, SLICE("{\"model\":\"m-2\",\"choices\":[{\"index\":0,\"message\":{\"content\":\"x\"},"
                                     "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,"
                                     "\"completion_tokens\":2,\"total_tokens\":7}}")));
    EXPECT_STR("m-2", s.model);
    EXPECT_STR("stop", s.finish_reason);
    EXPECT_INT(7, s.usage.total_tokens);
    EXPECT(!s.has_error);
    dialect_stream_init(&s, 1);
    EXPECT(!read_body(&s, SLICE("<html>Bad gateway</html>")));
    EXPECT(!read_body(&s, SLICE("[{\"error\":{}}]")));
    EXPECT(!read_body(&s, SLICE("")));
    EXPECT(!usage_is_known(&s.usage));
    EXPECT(read_body(&s, SLICE("{\"error\":{\"message\":\"no\"}}")));
    EXPECT(s.has_error);
}

static void expect_said(const char *choice, enum said_kind kind, const char *want)
{
    struct dialect_stream s;
    struct said said;
    struct buf body = {0}, text = {0};
    struct arena arena;
    arena_init(&arena);
    buf_printf(&body, "{\"choices\":[%s]}", choice);
    dialect_stream_init(&s, 1);
    d->read_body(&reader, &s, buf_slice(&body), &said);
    for (uint32_t i = 0; i < said.text_count; i++) {
        if (said.texts[i].kind == kind) buf_append(&text, said_decode(&said, &said.texts[i], &arena));
    }
    EXPECT_SLICE(slice_str(want), buf_slice(&text));
    arena_clear(&arena);
    buf_clear(&text);
    buf_clear(&body);
}

static void expect_reasoning(const char *message, const char *want)
{
    struct buf choice = {0};
    buf_printf(&choice, "{\"message\":%s}", message);
    buf_append_char(&choice, '\0');
    expect_said(buf_ptr(&choice), SAID_REASONING, want);
    buf_clear(&choice);
}

/* Together's chunks have it in both places. */
static void content_is_told_once_where_it_stands_twice(void)
{
    expect_said("{\"text\":\"Hi\",\"delta\":{\"role\":\"assistant\",\"content\":\"Hi\"}}", SAID_CONTENT, "Hi");
    expect_said("{\"delta\":{\"content\":\"Hi\"},\"text\":\"Hi\"}", SAID_CONTENT, "Hi");
    expect_said("{\"text\":\"Hi\",\"message\":{\"content\":\"Hi\"}}", SAID_CONTENT, "Hi");
    expect_said("{\"text\":\"\",\"delta\":{\"reasoning\":\"Hm.\"}}", SAID_CONTENT, "");
    expect_said("{\"text\":\"Hi\"}", SAID_CONTENT, "Hi");
    expect_said("{\"text\":\"Hm.\",\"delta\":{\"reasoning\":\"Hm.\"}}", SAID_CONTENT, "");
    expect_said("{\"text\":\"more\",\"delta\":{\"content\":\"Hi\"}}", SAID_CONTENT, "moreHi");
    expect_said("{\"text\":\"Hi\",\"delta\":null}", SAID_CONTENT, "Hi");
}

#define DETAILS(list) "\"reasoning_details\":[" list "]"

static void reasoning_is_told_once_under_all_its_names(void)
{
    expect_reasoning("{\"reasoning\":\"Hm.\"}", "Hm.");
    expect_reasoning("{\"reasoning_content\":\"Hm.\"}", "Hm.");
    expect_reasoning("{\"reasoning\":\"Hm.\",\"reasoning_content\":\"Hm.\"}", "Hm.");
    expect_reasoning("{\"reasoning_content\":\"Hm.\",\"reasoning\":\"Hm.\"}", "Hm.");
    expect_reasoning("{\"reasoning_content\":\"\",\"reasoning\":\"Hm.\"}", "Hm.");
    expect_reasoning("{\"reasoning_content\":\"One\",\"reasoning\":\" two\"}", "One two");
    expect_reasoning("{" DETAILS("{\"type\":\"reasoning.text\",\"text\":\"Hm.\"}") "}", "Hm.");
    expect_reasoning("{" DETAILS("{\"type\":\"reasoning.text\",\"text\":\"Hm.\"}") ",\"reasoning\":\"Hm.\"}", "Hm.");
    expect_reasoning("{\"reasoning\":\"One two\"," DETAILS("{\"text\":\"One\"},{\"summary\":\" two\"},{\"data\":\"zz\"}") "}",
                     "One two");
    expect_reasoning("{\"reasoning\":\"One\"," DETAILS("{\"text\":\"One\"},{\"text\":\" two\"}") "}", "One two");
    expect_reasoning("{" DETAILS("null,7,{\"text\":null},{\"text\":\"a\"}") "}", "a");
    expect_reasoning("{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"Hm.\"}]},"
                     "{\"type\":\"text\",\"text\":\"Hi\"}]}", "Hm.");
    expect_reasoning("{\"content\":[{\"type\":\"thinking\",\"thinking\":\"Hm.\"}]}", "Hm.");
}

static void errors_are_written_in_the_clients_words(void)
{
    struct fault why;
    struct buf out;
    fault_set(&why, FAULT_UPSTREAM_CLOSED, "cut \"here\"\n");
    struct dialect_error error = dialect_error_of(&why);
    error.request_id = SLICE("req_1");
    buf_init(&out);
    d->write_event_error(&out, &error);
    EXPECT_SLICE(
        SLICE("data: {\"error\":{\"message\":\"cut \\\"here\\\"\\n\",\"type\":\"upstream_error\",\"param\":null,"
              "\"code\":\"upstream_closed\",\"request_id\":\"req_1\"}}\n\n"),
        buf_slice(&out));
    struct dialect_stream s;
    dialect_stream_init(&s, 1);
    EXPECT_INT(SAID_ERROR, read_event(&s, SLICE(""), slice_of(buf_ptr(&out) + 6, buf_len(&out) - 8)));
    buf_reset(&out);
    error = (struct dialect_error){.message = SLICE("No."),
                                   .type = SLICE("policy_error"),
                                   .param = SLICE("model"),
                                   .code = SLICE("denied"),
                                   .policy = SLICE("access"),
                                   .rule = SLICE("matrix")};
    d->write_body_error(&out, &error);
    EXPECT_SLICE(
        SLICE("{\"error\":{\"message\":\"No.\",\"type\":\"policy_error\",\"param\":\"model\",\"code\":\"denied\","
              "\"request_id\":null,\"policy\":\"access\",\"rule\":\"matrix\"}}"),
        buf_slice(&out));
    buf_clear(&out);
}

/* The transcripts of tests/data, by way of the SSE parser in spans of every length: what they told, and how they ended.
 */
struct relay {
    struct dialect_stream stream;
    size_t unreadable, usage_only;
};

static void on_event(void *arg, const struct sse_event *event)
{
    struct relay *relay = arg;
    if (event->is_comment_only || event->is_raw) return;
    unsigned what = read_event(&relay->stream, event->name, event->data);
    relay->unreadable += (what & SAID_UNREADABLE) != 0;
    relay->usage_only += (what & SAID_USAGE_ONLY) != 0;
}

static void transcripts_tell_the_same_in_every_partition(void)
{
    static const struct {
        const char *name, *model, *finish_reason;
        int64_t input, output;
        size_t usage_only;
        enum dialect_end end;
    } table[] = {
        {"chat_text", "sample-small", "stop", -1, -1, 0, DIALECT_COMPLETE},
        {"chat_usage", "sample-small", "stop", 21, 6, 1, DIALECT_COMPLETE},
        {"chat_tools", "sample-small", "tool_calls", -1, -1, 0, DIALECT_COMPLETE},
        {"chat_crlf_comments", "sample-small", "length", 8, 4, 0, DIALECT_COMPLETE},
        {"chat_multiline", "sample-small", "stop", -1, -1, 0, DIALECT_COMPLETE},
        {"chat_error", "sample-small", "", -1, -1, 0, DIALECT_FAILED},
        {"chat_unmarked", "sample-small", "stop", 5, 2, 0, DIALECT_COMPLETE_UNMARKED},
        {"completions", "sample-base", "length", -1, -1, 0, DIALECT_COMPLETE},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char path[100], bytes[16384];
        snprintf(path, sizeof path, "tests/data/%s.sse", table[i].name);
        FILE *file = fopen(path, "rb");
        if (!file) {
            UNIT_FAIL("%s: cannot be read; run the tests from the repository's root", path);
            return;
        }
        size_t len = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        for (size_t step = 1; step <= len; step += step < 64 ? 1 : 61) {
            struct relay relay = {0};
            struct sse_parser *sse = sse_new();
            dialect_stream_init(&relay.stream, 1);
            for (size_t at = 0; at < len; at += step) {
                sse_feed(sse, slice_of(bytes + at, step < len - at ? step : len - at), on_event, &relay);
            }
            sse_finish(sse, on_event, &relay);
            sse_free(sse);
            EXPECT_STR(table[i].model, relay.stream.model);
            EXPECT_STR(table[i].finish_reason, relay.stream.finish_reason);
            EXPECT_INT(table[i].input, relay.stream.usage.input_tokens);
            EXPECT_INT(table[i].output, relay.stream.usage.output_tokens);
            EXPECT_INT(table[i].usage_only, relay.usage_only);
            EXPECT_INT(0, relay.unreadable);
            EXPECT_INT(table[i].end, d->judge_end(&relay.stream));
        }
    }
}

static const char *header_of(const struct dialect_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(headers[i].name, slice_str(name))) return headers[i].value.ptr;
    }
    return "none";
}

/* As openai.com spells them. */
static void rates_are_spelt_as_clients_read_them(void)
{
    static const struct {
        uint64_t wait_ns;
        const char *text;
    } times[] = {{0, "0s"},           {1, "1ms"},         {120000000, "120ms"},      {999000001, "1s"},
                 {6000000000, "6s"},  {59000000001, "1m0s"}, {90000000000, "1m30s"}, {3600000000000, "1h0m0s"},
                 {90061000000000, "25h1m1s"}};
    struct arena arena;
    struct dialect_header headers[DIALECT_RATE_HEADERS_MAX];
    struct dialect_rates rates = {{60, 9, 0}, {0, 0, 0}};
    arena_init(&arena);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        rates.requests.reset_ns = 1000 + times[i].wait_ns;
        size_t count = d->write_rates(&arena, &rates, 1000, headers);
        EXPECT_INT(3, count);
        EXPECT_STR(times[i].text, header_of(headers, count, "x-ratelimit-reset-requests"));
    }
    rates.tokens = (struct dialect_rate){INT64_MAX, 0, 1};
    size_t count = d->write_rates(&arena, &rates, 1000, headers);
    EXPECT_INT(6, count);
    EXPECT_STR("60", header_of(headers, count, "x-ratelimit-limit-requests"));
    EXPECT_STR("9", header_of(headers, count, "x-ratelimit-remaining-requests"));
    EXPECT_STR("9223372036854775807", header_of(headers, count, "x-ratelimit-limit-tokens"));
    EXPECT_STR("0", header_of(headers, count, "x-ratelimit-remaining-tokens"));
    EXPECT_STR("0s", header_of(headers, count, "x-ratelimit-reset-tokens")); /* it was over before */
    for (size_t i = 0; i < count; i++)
        if (!strstr(d->rate_names, headers[i].name.ptr)) UNIT_FAIL("pages may not read %s", headers[i].name.ptr);
    EXPECT_INT(0, d->write_rates(&arena, &(struct dialect_rates){0}, 1000, headers));
    arena_clear(&arena);
}

/* Azure's paths say the model. */
static void a_model_that_the_path_says_counts(void)
{
    static const char *const bodies[][2] = {
        {"{\"model\":\"dear\",\"messages\":[]}", "{\"model\":\"cheap\",\"messages\":[]}"},
        {"{\"messages\":[]}", "{\"messages\":[],\"model\":\"cheap\"}"},
        {"{\"model\":null}", "{\"model\":\"cheap\"}"},
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct chat_request r;
        struct arena arena;
        struct fault why;
        struct splice edits;
        struct buf out;
        arena_init(&arena);
        buf_init(&out);
        chat_init(&r);
        EXPECT(chat_parse_for(&r, &dialect_openai, slice_str(bodies[i][0]), CHAT_CHAT, SLICE("cheap"), &arena, &why));
        EXPECT_SLICE(SLICE("cheap"), r.model);
        splice_init(&edits, &r.tape, slice_str(bodies[i][0]), &arena);
        chat_edit_model(&r, &edits, SLICE("cheap"));
        splice_apply(&edits, &out);
        EXPECT_SLICE(slice_str(bodies[i][1]), buf_slice(&out));
        chat_clear(&r);
        buf_clear(&out);
        arena_clear(&arena);
    }
}

int main(void)
{
    RUN(rates_are_spelt_as_clients_read_them);
    RUN(each_event_is_told_for_what_it_is);
    RUN(usage_only_is_a_chunk_with_nothing_else);
    RUN(errors_are_what_the_client_raises);
    RUN(nothing_hides_from_the_short_way);
    RUN(a_stream_is_followed_to_its_end);
    RUN(every_choice_must_have_finished);
    RUN(long_names_are_cut_at_a_character);
    RUN(a_body_is_read_like_a_chunk);
    RUN(content_is_told_once_where_it_stands_twice);
    RUN(reasoning_is_told_once_under_all_its_names);
    RUN(errors_are_written_in_the_clients_words);
    RUN(transcripts_tell_the_same_in_every_partition);
    RUN(a_model_that_the_path_says_counts);
    return unit_close("dialect");
}
