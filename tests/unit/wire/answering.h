/*
 * An answer and what becomes of it, whole or in events: what the tests of answers' redaction share.
 *
 *     use_rules(true, true);
 *     send_request(ASKED, CHAT_CHAT);
 *     write_delta(&sse, text, 0, "content");
 *     run_stream(buf_slice(&sse));            // what goes out is in `out`, and its text in join()
 *     expect_answer(body, want);              // the same of a whole one
 */
#ifndef MOONGATE_TESTS_UNIT_ANSWERING_H
#define MOONGATE_TESTS_UNIT_ANSWERING_H

#include "redacting.h"

#include "wire/dialect.h"

#define EXPECT_TEXT(want, got) EXPECT_SLICE(slice_str(want), got)
#define ASKED "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"ana@example.com EMP-123456 bo@x.org\"}]}"

static struct buf out;

static struct said_reader reader;
static struct dialect_stream told;

/* What goes out is read anew: its texts must stand where the reading that came with it says. */
static inline void expect_reading(const struct sse_event *event, const struct said *said)
{
    static struct said_reader other;
    struct dialect_stream stream;
    struct said again;
    dialect_stream_init(&stream, 1);
    dialect_openai.read_event(&other, &stream, event->name, event->data, &again);
    EXPECT_SLICE(event->data, said->json);
    uint32_t a = 0;
    for (uint32_t i = 0; i < said->text_count; i++) {
        if (said->texts[i].len == 2) continue; /* it became empty, and a new reading leaves it out */
        EXPECT(a < again.text_count);
        if (a >= again.text_count) return;
        EXPECT_INT(again.texts[a].at, said->texts[i].at);
        EXPECT_INT(again.texts[a].len, said->texts[i].len);
        EXPECT_INT(again.texts[a++].kind, said->texts[i].kind);
    }
    EXPECT_INT(again.text_count, a);
}

static inline bool on_out(void *arg, const struct sse_event *event, const struct said *said)
{
    (void)arg;
    buf_append(&out, event->raw);
    if (said) expect_reading(event, said);
    return true;
}

static inline bool read_and_redact(struct redact_stream *stream, const struct sse_event *event, struct fault *why)
{
    struct said said;
    if (event->is_raw || event->is_comment_only) return redact_stream_event(stream, event, NULL, why);
    dialect_openai.read_event(&reader, &told, event->name, event->data, &said);
    return redact_stream_event(stream, event, &said, why);
}

static inline bool redact_body(struct slice body, struct buf *to)
{
    struct said said;
    dialect_openai.read_body(&reader, &told, body, &said);
    return redact_answer(r, &said, to, NULL);
}

/* The same with a mask whose values have a quote in them: what comes back must be escaped. */
static inline void use_quoted_rules(void)
{
    static const struct detect_mask masks[] = {{{"quoted", 6}, {"Q\"####", 6}}};
    struct fault why;
    use_rules(true, true);
    detect_free(rules.detect);
    rules.detect = detect_new(DETECT_ALL, masks, 1, &why);
    memset(rules.kinds_of_letter, 0, sizeof rules.kinds_of_letter);
    redact_rules_index(&rules);
}

static inline void write_delta(struct buf *sse, struct slice text, int choice, const char *field)
{
    buf_printf(sse, "data: {\"id\":\"x\",\"choices\":[{\"index\":%d,\"delta\":{\"%s\":", choice, field);
    buf_append_json(sse, text);
    buf_append(sse, SLICE("},\"logprobs\":null,\"finish_reason\":null}]}\n\n"));
}

/* All text of one choice's field, joined over the events. */
static inline struct slice join(struct slice sse, int choice, const char *field)
{
    static struct buf joined;
    struct json_tape tape;
    struct fault why;
    buf_reset(&joined);
    json_init(&tape);
    for (const char *at = sse.ptr, *end = sse.ptr + sse.len; at < end;) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        struct slice line = slice_of(at, (size_t)(lf - at));
        at = lf + 1;
        if (!slice_starts(line, SLICE("data: {"))) continue;
        if (!json_parse(&tape, slice_of(line.ptr + 6, line.len - 6), &why)) {
            UNIT_FAIL("%s in %.*s", why.text, SLICE_FMT(line));
            break;
        }
        uint32_t c = json_first(&tape, json_get(&tape, 0, SLICE("choices")));
        int64_t index = 0;
        if (c == JSON_NONE || !json_to_i64(&tape, json_get(&tape, c, SLICE("index")), &index) || index != choice) continue;
        uint32_t text = json_get(&tape, json_get(&tape, c, SLICE("delta")), slice_str(field));
        if (json_is(&tape, text, JSON_STRING)) buf_append(&joined, json_text(&tape, text, &arena));
    }
    json_clear(&tape);
    return buf_slice(&joined);
}

struct feeding {
    struct redact_stream *stream;
};

static inline void on_event(void *arg, const struct sse_event *event)
{
    struct feeding *f = arg;
    struct fault why;
    if (!read_and_redact(f->stream, event, &why)) UNIT_FAIL("%s", why.text);
}

static inline void run_stream(struct slice sse)
{
    struct feeding f = {redact_stream_new(r, on_out, NULL)};
    struct sse_parser *parser = sse_new();
    buf_reset(&out);
    sse_feed(parser, sse, on_event, &f);
    sse_finish(parser, on_event, &f);
    redact_stream_flush(f.stream);
    redact_stream_free(f.stream);
    sse_free(parser);
}

#define FINISH "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n"

static inline void expect_answer(const char *body, const char *want)
{
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    buf_reset(&out);
    if (!redact_body(slice_str(body), &out)) buf_append(&out, slice_str(body));
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    done();
}

/* What the model says, and what its reader gets. */
static const char *const answers[][2] = {
    {"dear [email], write to [email_2] or [employee_id].", "dear ana@example.com, write to bo@x.org or EMP-123456."},
    {"new: cy@x.org, again cy@x.org, EMP-654321", "new: [email_3], again [email_3], [employee_id_2]"},
    {"your own ana@example.com is yours", "your own ana@example.com is yours"},
    {"[email [email_] [email_1] [email_9] [] [email]] [[email]", "[email [email_] [email_1] [email_9] [] ana@example.com] [ana@example.com"},
    {"key sk-" "abcdefghijklmnopqrst0123456789 card 4111 1111 1111 1111 end", "key [api_key] card [credit_card] end"},
    {"caf\xC3\xA9 \xF0\x9F\x98\x80 [email]\xE2\x80\xA6", "caf\xC3\xA9 \xF0\x9F\x98\x80 ana@example.com\xE2\x80\xA6"},
    {"nothing at all", "nothing at all"},
    {"ends in [emai", "ends in [emai"},
};
#define ANSWERS (sizeof answers / sizeof answers[0])

static inline size_t char_len(const char *at)
{
    unsigned char c = (unsigned char)*at;
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

#endif
