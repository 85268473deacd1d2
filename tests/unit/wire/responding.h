/*
 * Of translating.h: what providers say in the Responses API, in words, and clients of the other dialects that hear it.
 *
 *     expect_text(START SAY("0", "0", "a") END, "a");           // each client
 *     hear(&dialect_anthropic, START … END);
 *     ... t, h ...
 *     done();
 */
#ifndef MOONGATE_TESTS_UNIT_RESPONDING_H
#define MOONGATE_TESTS_UNIT_RESPONDING_H

#include "../unit.h"

#include "hearing.h"
#include "translating.h"

#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\",\"sequence_number\":1" rest "}\n\n"
#define RESPONSE(type, rest) EVENT(type, ",\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"model\":\"m\"" rest "}")
#define START RESPONSE("response.created", ",\"status\":\"in_progress\",\"output\":[]")
#define USAGE                                                                                                          \
    ",\"usage\":{\"input_tokens\":9,\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":5,"               \
    "\"output_tokens_details\":{\"reasoning_tokens\":2},\"total_tokens\":14}"
#define END_WITH(output) RESPONSE("response.completed", ",\"status\":\"completed\",\"output\":[" output "]" USAGE)
#define END END_WITH("")
#define CUT(reason)                                                                                                    \
    RESPONSE("response.incomplete", ",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"" reason "\"}"    \
                                    ",\"output\":[]" USAGE)
#define ADDED(place, item) EVENT("response.output_item.added", ",\"output_index\":" place ",\"item\":" item)
#define DONE(place, item) EVENT("response.output_item.done", ",\"output_index\":" place ",\"item\":" item)
#define OUTPUT_TEXT(text) "{\"type\":\"output_text\",\"text\":\"" text "\",\"annotations\":[]}"
#define MESSAGE(content) "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[" content "]}"
#define SAY(place, content, text)                                                                                      \
    EVENT("response.output_text.delta", ",\"output_index\":" place ",\"content_index\":" content ",\"delta\":\"" text "\"")
#define CALL(id, name, arguments)                                                                                      \
    "{\"id\":\"fc_" id "\",\"type\":\"function_call\",\"call_id\":\"call_" id "\",\"name\":\"" name                    \
    "\",\"arguments\":\"" arguments "\"}"
#define ASK(place, text)                                                                                               \
    EVENT("response.function_call_arguments.delta", ",\"output_index\":" place ",\"delta\":\"" text "\"")
#define THOUGHT(summary, rest) "{\"id\":\"rs_1\",\"type\":\"reasoning\",\"summary\":[" summary "]" rest "}"
#define SUMMARY(text) "{\"type\":\"summary_text\",\"text\":\"" text "\"}"
#define THINK(place, number, text)                                                                                     \
    EVENT("response.reasoning_summary_text.delta",                                                                     \
          ",\"output_index\":" place ",\"summary_index\":" number ",\"delta\":\"" text "\"")

static struct translating t;
static struct hearing h;
static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_gemini};

static inline void hear(const struct dialect *client, const char *bytes)
{
    translate_stream(&t, &dialect_responses, client, slice_str(bytes), 0);
    hearing_begin(&h, client);
    hearing_stream(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s for %s: %s", h.wrong, client->name, h.place);
}

static inline void hear_body(const struct dialect *client, const char *bytes)
{
    translate_body(&t, &dialect_responses, client, slice_str(bytes));
    hearing_begin(&h, client);
    if (buf_len(&t.out)) hearing_body(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s for %s: %s", h.wrong, client->name, h.place);
}

static inline void done(void)
{
    hearing_clear(&h);
    translating_clear(&t);
}

static inline bool left(const char *text)
{
    return memmem(buf_ptr(&t.out), buf_len(&t.out), text, strlen(text)) != NULL;
}

static inline void expect_lost(const char *bytes, const char *names)
{
    struct buf dropped;
    buf_init(&dropped);
    hear(&dialect_anthropic, bytes);
    EXPECT(h.has_ended);
    dropped_write(&t.dropped, &dropped);
    EXPECT_SLICE(slice_str(names), buf_slice(&dropped));
    buf_clear(&dropped);
    done();
}

static inline void expect_text(const char *bytes, const char *text)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], bytes);
        if (t.has_stopped) UNIT_FAIL("%s", t.why.text);
        EXPECT(h.has_ended);
        EXPECT_SLICE(slice_str(text), buf_slice(&h.text));
        done();
    }
}

static inline void expect_calls(const char *bytes, const char *calls)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], bytes);
        if (t.has_stopped) UNIT_FAIL("%s", t.why.text);
        EXPECT(h.has_ended);
        EXPECT_SLICE(slice_str(calls), buf_slice(&h.calls));
        done();
    }
}

/* A fault, and no end. */
static inline void expect_refused(const char *bytes, const char *why)
{
    for (size_t i = 0; i < 3; i++) {
        hear(clients[i], bytes);
        EXPECT_INT(FAULT_UNTRANSLATABLE, t.why.code);
        if (!strstr(t.why.text, why)) UNIT_FAIL("%s", t.why.text);
        EXPECT(!h.has_ended);
        done();
    }
}

#endif
