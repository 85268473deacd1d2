/* What the model says is masked and given back, however it is cut, and nothing else changes. */
#include "answering.h"

/* Cut at every place, into pieces of every length, as deltas: one result. */
static void however_it_is_cut_the_answer_is_the_same(void)
{
    struct buf sse;
    buf_init(&sse);
    for (size_t a = 0; a < ANSWERS; a++) {
        struct slice text = slice_str(answers[a][0]);
        for (size_t first = 1; first <= text.len; first++) {
            for (size_t step = 1; step <= text.len; step += step < 8 ? 1 : text.len) {
                buf_reset(&sse);
                use_rules(true, true);
                send_request(ASKED, CHAT_CHAT);
                for (size_t at = 0, next; at < text.len; at = next) {
                    size_t want = at ? at + step : first;
                    for (next = at; next < text.len && next < want;)
                        next += char_len(text.ptr + next);
                    write_delta(&sse, slice_of(text.ptr + at, next - at), 0, "content");
                }
                buf_append(&sse, SLICE(FINISH USAGE "data: [DONE]\n\n"));
                run_stream(buf_slice(&sse));
                EXPECT_TEXT(answers[a][1], join(buf_slice(&out), 0, "content"));
                EXPECT(buf_len(&out) > sizeof USAGE && memmem(buf_ptr(&out), buf_len(&out), USAGE, sizeof USAGE - 1));
                done();
            }
        }
    }
    buf_clear(&sse);
}

static uint64_t seed = 88172645463325252ull;

static size_t draw(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % below);
}

/* Values, parts of them, placeholders and what looks like them, in any order. */
static void draw_text(struct buf *text)
{
    static const char *const parts[] = {
        "[email]", "[email_2]", "[email_3]", "[", "]", "[ema", "il]", "[employee_id]", "ana@example.com", "bo@x.org", "cy@x.org",
        "EMP-", "123456", "654321", "12", "-", "4111 1111 1111 1111", "4111", " ", " ", "\n", "@", ".com", "\xC3\xA9", "\xF0\x9F\x98\x80",
        "word", "+49 30 1234567", "219-09-9999", "DE89370400440532013000", "\"", "\\", "_2]", "x"};
    buf_reset(text);
    for (size_t i = 1 + draw(12); i > 0; i--)
        buf_append(text, slice_str(parts[draw(sizeof parts / sizeof parts[0])]));
}

static void whatever_is_said_and_cut_the_whole_decides(void)
{
    struct buf text, sse, body, whole;
    buf_init(&text);
    buf_init(&sse);
    buf_init(&body);
    buf_init(&whole);
    int changed = 0;
    for (int round = 0; round < 20000 && !unit_case_failures; round++) {
        draw_text(&text);
        use_rules(draw(4) != 0, draw(4) != 0);
        send_request(ASKED, CHAT_CHAT);
        buf_reset(&body);
        buf_append(&body, SLICE("{\"choices\":[{\"index\":0,\"delta\":{\"content\":"));
        buf_append_json(&body, buf_slice(&text));
        buf_append(&body, SLICE("}}]}"));
        buf_reset(&whole);
        buf_append(&whole, SLICE("data: "));
        size_t before = buf_len(&whole);
        redact_body(buf_slice(&body), &whole);
        if (buf_len(&whole) == before) buf_append(&whole, buf_slice(&body));
        buf_append(&whole, SLICE("\n\n"));
        struct slice want = arena_copy(&arena, join(buf_slice(&whole), 0, "content"));
        send_request(ASKED, CHAT_CHAT);
        buf_reset(&sse);
        for (size_t at = 0, next; at < buf_len(&text); at = next) {
            size_t to = at + 1 + draw(draw(3) ? 4 : 40);
            for (next = at; next < buf_len(&text) && next < to;)
                next += char_len(buf_ptr(&text) + next);
            write_delta(&sse, slice_of(buf_ptr(&text) + at, next - at), 0, "content");
        }
        if (draw(2)) buf_append(&sse, SLICE(FINISH));
        run_stream(buf_slice(&sse));
        EXPECT_SLICE(want, join(buf_slice(&out), 0, "content"));
        if (slice_equal(want, buf_slice(&text)))
            EXPECT_SLICE(buf_slice(&sse), buf_slice(&out));
        else
            changed++;
        done();
    }
    EXPECT(changed > 5000);
    buf_clear(&text);
    buf_clear(&sse);
    buf_clear(&body);
    buf_clear(&whole);
}

static void events_that_hold_nothing_are_byte_for_byte(void)
{
    struct slice sse = SLICE("data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n"
                             ": comment\n\n"
                             "event: x\ndata: { \"choices\" : [ {\"index\":0, \"delta\":{\"content\":\"H\\u00e9llo \"}} ] }\n\n"
                             "data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"wor\"}}]}\nid: 7\n\n"
                             "data:{\"choices\":[{\"index\":0,\n"
                             "data: \"delta\":{\"content\":\"ld\"}}]}\n\n" FINISH USAGE "data: [DONE]\n\n");
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    run_stream(sse);
    EXPECT_SLICE(sse, buf_slice(&out));
    done();
}

static void a_secret_across_two_chunks_is_caught_and_nothing_else_changed(void)
{
    struct buf sse;
    buf_init(&sse);
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    buf_append(&sse, SLICE("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"it is EMP-12\"},\"logprobs\":{\"content\":[]}}]}\n\n"
                           "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"3999, ok\"},\"logprobs\":{\"content\":[]}}]}\n\n"
                           "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" \"},\"logprobs\":{\"content\":[]}}]}\n\n"));
    run_stream(buf_slice(&sse));
    EXPECT_TEXT("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"it is [employee_id_2]\"},\"logprobs\":null}]}\n\n"
               "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\", ok\"},\"logprobs\":null}]}\n\n"
               "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" \"},\"logprobs\":{\"content\":[]}}]}\n\n",
               buf_slice(&out));
    EXPECT_INT(1, redact_answer_counts(r)->masked);
    buf_clear(&sse);
    done();
}

static void choices_and_fields_are_texts_of_their_own(void)
{
    struct buf sse;
    const char *a = "one EMP-111111 ", *b = "two EMP-222222 ";
    buf_init(&sse);
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    for (size_t i = 0; a[i]; i++) {
        write_delta(&sse, slice_of(a + i, 1), 0, "content");
        write_delta(&sse, slice_of(b + i, 1), 1, "content");
    }
    write_delta(&sse, SLICE("EMP-33"), 0, "reasoning_content");
    write_delta(&sse, SLICE("3333"), 0, "content");
    run_stream(buf_slice(&sse));
    EXPECT_TEXT("one [employee_id_2] 3333", join(buf_slice(&out), 0, "content"));
    EXPECT_TEXT("two [employee_id_3] ", join(buf_slice(&out), 1, "content"));
    EXPECT_TEXT("EMP-33", join(buf_slice(&out), 0, "reasoning_content"));
    buf_clear(&sse);
    done();
}

#define CALL(id, text) "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":" id ",\"function\":{\"arguments\":" text "}}]}}]}\n\n"

static void arguments_of_tools_stay_json(void)
{
    use_quoted_rules();
    send_request("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Q\\\"1234 a@b.io\"}]}", CHAT_CHAT);
    run_stream(SLICE(CALL("0", "\"{\\\"a\\\":\\\"[quo\"") CALL("1", "\"{\\\"b\\\":\\\"[ema\"") CALL("0", "\"ted]\\\"}\"")
                         CALL("1", "\"il]\\\"}\"") FINISH));
    EXPECT_TEXT(CALL("0", "\"{\\\"a\\\":\\\"Q\\\\\\\"1234\"") CALL("1", "\"{\\\"b\\\":\\\"a@b.io\"") CALL("0", "\"\\\"}\"")
                   CALL("1", "\"\\\"}\"") FINISH,
               buf_slice(&out));
    done();
}

/* Events without choices: Anthropic's, the Responses API's. */
static void a_secret_across_events_of_another_dialect_is_caught(void)
{
    static const char *const events[][1] = {
        {"data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"EMP-33\"}}\n\n"
         "data: {\"type\":\"ping\"}\n\n"
         "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"3333 x\"}}\n\n"},
        {"data: {\"type\":\"response.output_text.delta\",\"delta\":\"EMP-33\"}\n\n"
         "data: {\"type\":\"response.output_text.delta\",\"delta\":\"3333\"}\n\n"
         "data: {\"type\":\"response.output_text.done\",\"text\":\"EMP-333333\"}\n\n"},
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        use_rules(true, true);
        send_request(ASKED, CHAT_CHAT);
        run_stream(slice_str(events[i][0]));
        EXPECT(memmem(buf_ptr(&out), buf_len(&out), "\"[employee_id_2]", 16) != NULL);
        EXPECT(memmem(buf_ptr(&out), buf_len(&out), "3333", 4) == NULL);
        done();
    }
}

static void a_silent_text_does_not_hold_the_others_up_for_ever(void)
{
    struct buf sse;
    buf_init(&sse);
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    write_delta(&sse, SLICE("EMP-1"), 0, "content");
    for (int i = 0; i < 2000; i++)
        write_delta(&sse, SLICE("some words "), 1, "content");
    struct feeding f = {redact_stream_new(r, on_out, NULL)};
    struct sse_parser *parser = sse_new();
    buf_reset(&out);
    sse_feed(parser, buf_slice(&sse), on_event, &f);
    EXPECT(buf_len(&sse) - buf_len(&out) <= 1024); /* only what is not settled of the newest */
    redact_stream_free(f.stream);
    sse_free(parser);
    buf_clear(&sse);
    done();
}

static void whole_answers_are_treated_alike(void)
{
    expect_answer("{ \"id\":\"EMP-654321\", \"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"[email] cy@x.org\","
                  "\"tool_calls\":[{\"id\":\"EMP-654321\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"to\\\":\\\"[email_2]\\\"}\"}}]},"
                  "\"logprobs\":{\"content\":[]}}], \"usage\":{\"prompt_tokens\":3} }",
                  "{ \"id\":\"EMP-654321\", \"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"ana@example.com [email_3]\","
                  "\"tool_calls\":[{\"id\":\"EMP-654321\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"to\\\":\\\"bo@x.org\\\"}\"}}]},"
                  "\"logprobs\":null}], \"usage\":{\"prompt_tokens\":3} }");
    expect_answer("{\"choices\":[{\"text\":\"call [email]\"}]}", "{\"choices\":[{\"text\":\"call ana@example.com\"}]}");
    expect_answer("{\"error\":{\"message\":\"'[email]' is no place, nor is cy@x.org\"}}",
                  "{\"error\":{\"message\":\"'ana@example.com' is no place, nor is [email_3]\"}}");
    expect_answer("no JSON: [email] cy@x.org", "no JSON: ana@example.com [email_3]");
    expect_answer("{\"choices\":[{\"message\":{\"content\":\"plain\"}}]}", "{\"choices\":[{\"message\":{\"content\":\"plain\"}}]}");
}

/* Where the format has a name for a mark, a tool may have it for anything. */
static void what_tools_are_given_is_text_whatever_it_is_called(void)
{
    expect_answer("{\"type\":\"message\",\"content\":[{\"type\":\"tool_use\",\"id\":\"EMP-654321\",\"name\":\"EMP-654321\",\"input\":"
                  "{\"data\":\"[email]\",\"name\":\"cy@x.org\",\"in\":[{\"id\":\"cy@x.org\",\"model\":{\"type\":\"cy@x.org\"}}]}}]}",
                  "{\"type\":\"message\",\"content\":[{\"type\":\"tool_use\",\"id\":\"EMP-654321\",\"name\":\"EMP-654321\",\"input\":"
                  "{\"data\":\"ana@example.com\",\"name\":\"[email_3]\",\"in\":[{\"id\":\"[email_3]\",\"model\":{\"type\":"
                  "\"[email_3]\"}}]}}]}");
    expect_answer("{\"content\":[{\"type\":\"web_fetch_tool_result\",\"content\":{\"type\":\"web_fetch_result\",\"content\":{\"type\":"
                  "\"document\",\"source\":{\"type\":\"text\",\"media_type\":\"text/plain\",\"data\":\"by cy@x.org\"}}}},"
                  "{\"type\":\"redacted_thinking\",\"data\":\"cy@x.org\"},{\"source\":{\"type\":\"base64\",\"data\":\"cy@x.org\"}}]}",
                  "{\"content\":[{\"type\":\"web_fetch_tool_result\",\"content\":{\"type\":\"web_fetch_result\",\"content\":{\"type\":"
                  "\"document\",\"source\":{\"type\":\"text\",\"media_type\":\"text/plain\",\"data\":\"by [email_3]\"}}}},"
                  "{\"type\":\"redacted_thinking\",\"data\":\"cy@x.org\"},{\"source\":{\"type\":\"base64\",\"data\":\"cy@x.org\"}}]}");
}

static void without_restore_the_callers_values_stay_masked(void)
{
    use_rules(false, true);
    send_request(ASKED, CHAT_CHAT);
    buf_reset(&out);
    EXPECT(redact_body(SLICE("{\"choices\":[{\"text\":\"[email] bo@x.org new@x.org\"}]}"), &out));
    EXPECT_TEXT("{\"choices\":[{\"text\":\"[email] [email_2] [email_3]\"}]}", buf_slice(&out));
    done();
}

static void with_answers_left_alone_only_what_was_masked_comes_back(void)
{
    use_rules(true, false);
    send_request(ASKED, CHAT_CHAT);
    buf_reset(&out);
    EXPECT(redact_body(SLICE("{\"choices\":[{\"text\":\"[email] new@x.org\"}]}"), &out));
    EXPECT_TEXT("{\"choices\":[{\"text\":\"ana@example.com new@x.org\"}]}", buf_slice(&out));
    done();
}

/* What is fed, and whether it was taken. */
struct large {
    struct redact_stream *stream;
    bool ok;
};

static void on_large(void *arg, const struct sse_event *event)
{
    struct large *large = arg;
    struct fault why;
    if (large->ok && !read_and_redact(large->stream, event, &why)) large->ok = false;
}

/* An event of about so many bytes, in pieces, by a parser that keeps events as large as are redacted. */
static bool run_large(size_t bytes, const char *before)
{
    struct large large = {redact_stream_new(r, on_out, NULL), true};
    struct sse_parser *parser = sse_new();
    struct buf sse, want;
    sse_keep(parser, LIMIT_REDACT_EVENT_BYTES);
    buf_init(&sse);
    buf_init(&want);
    buf_printf(&sse, "%sdata: {\"choices\":[{\"delta\":{\"content\":\"", before);
    for (size_t i = 0; i < bytes; i++)
        buf_append_char(&sse, 'x');
    buf_append(&want, buf_slice(&sse));
    buf_append(&sse, SLICE(" [email]\"}}]}\r\n\r\n"));
    buf_append(&want, SLICE(" ana@example.com\"}}]}\r\n\r\n"));
    buf_reset(&out);
    for (size_t at = 0; at < buf_len(&sse); at += 30000)
        sse_feed(parser, slice_of(buf_ptr(&sse) + at, buf_len(&sse) - at < 30000 ? buf_len(&sse) - at : 30000), on_large, &large);
    sse_finish(parser, on_large, &large);
    if (large.ok) redact_stream_flush(large.stream);
    if (large.ok) EXPECT_SLICE(buf_slice(&want), buf_slice(&out));
    sse_free(parser);
    redact_stream_free(large.stream);
    buf_clear(&sse);
    buf_clear(&want);
    return large.ok;
}

static void large_events_are_put_together(void)
{
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    EXPECT(run_large(200000, "id: 7\r\n"));
    EXPECT(!run_large(1200000, ""));
    done();
}

static void too_many_texts_are_refused(void)
{
    struct redact_stream *stream;
    struct sse_event event;
    struct fault why;
    struct buf sse;
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    stream = redact_stream_new(r, on_out, NULL);
    buf_init(&sse);
    bool ok = true;
    for (int i = 0; ok && i < 2000; i++) {
        buf_reset(&sse);
        buf_printf(&sse, "{\"choices\":[{\"index\":%d,\"delta\":{\"content\":\"x\"}}]}", i);
        event = (struct sse_event){.raw = buf_slice(&sse), .data = buf_slice(&sse), .ends = true};
        ok = read_and_redact(stream, &event, &why);
    }
    EXPECT(!ok && why.code == FAULT_UPSTREAM_PROTOCOL);
    redact_stream_free(stream);
    buf_clear(&sse);
    done();
}

static bool count_out(void *arg, const struct sse_event *event, const struct said *said)
{
    (void)event;
    (void)said;
    ++*(int *)arg;
    return true;
}

/* A block of Anthropic's that is over keeps nothing back of those behind it. */
static void a_part_that_ends_is_waited_for_no_longer(void)
{
    static const char *const events[] = {
        "{\"type\":\"content_block_delta\",\"index\":3,\"delta\":{\"type\":\"text_delta\",\"text\":\"bo@exam\"}}",
        "{\"type\":\"ping\"}", "{\"type\":\"content_block_stop\",\"index\":3}"};
    static const int gone[] = {0, 0, 3};
    struct dialect_stream stream;
    int count = 0;
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    dialect_stream_init(&stream, 1);
    struct redact_stream *redacting = redact_stream_new(r, count_out, &count);
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        struct slice data = slice_str(events[i]);
        struct sse_event event = {.raw = data, .data = data, .retry_ms = -1, .ends = true};
        struct said said;
        struct fault why;
        dialect_anthropic.read_event(&reader, &stream, SLICE(""), data, &said);
        EXPECT(redact_stream_event(redacting, &event, &said, &why));
        EXPECT_INT(gone[i], count);
    }
    redact_stream_free(redacting);
    done();
}

int main(void)
{
    arena_init(&arena);
    buf_init(&sent);
    buf_init(&out);
    RUN(a_part_that_ends_is_waited_for_no_longer);
    RUN(however_it_is_cut_the_answer_is_the_same);
    RUN(whatever_is_said_and_cut_the_whole_decides);
    RUN(events_that_hold_nothing_are_byte_for_byte);
    RUN(a_secret_across_two_chunks_is_caught_and_nothing_else_changed);
    RUN(choices_and_fields_are_texts_of_their_own);
    RUN(arguments_of_tools_stay_json);
    RUN(a_secret_across_events_of_another_dialect_is_caught);
    RUN(a_silent_text_does_not_hold_the_others_up_for_ever);
    RUN(whole_answers_are_treated_alike);
    RUN(what_tools_are_given_is_text_whatever_it_is_called);
    RUN(without_restore_the_callers_values_stay_masked);
    RUN(with_answers_left_alone_only_what_was_masked_comes_back);
    RUN(large_events_are_put_together);
    RUN(too_many_texts_are_refused);
    buf_clear(&sent);
    buf_clear(&out);
    return unit_close("redact_answer");
}
