/* Answers for clients of Gemini's API: what stands in the last event, calls that are told once they are whole, thoughts
 * where they are asked for, signatures; and how a client asks for events. */
#include "../unit.h"

#include "base/limits.h"
#include "hearing.h"
#include "translating.h"

#define O_CHUNK(delta, reason)                                                                                         \
    "data: {\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":" reason    \
    "}]}\n\n"
#define O_TEXT(text) O_CHUNK("\"content\":\"" text "\"", "null")
#define O_CALL(index, id, name, asked)                                                                                 \
    "{\"index\":" index ",\"id\":\"" id "\",\"function\":{\"name\":\"" name "\",\"arguments\":\"" asked "\"}}"
#define O_CALLS(list) O_CHUNK("\"tool_calls\":[" list "]", "null")
#define O_END(reason) O_CHUNK("", "\"" reason "\"") "data: [DONE]\n\n"

static struct translating t;
static struct hearing h;
static struct answer_manner manner;

static void hear(const char *bytes)
{
    translate_stream_as(&t, &dialect_openai, &dialect_gemini, &manner, slice_str(bytes), 0);
    hearing_begin(&h, &dialect_gemini);
    hearing_stream(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s: %s", h.wrong, h.place);
}

static void done(void)
{
    hearing_clear(&h);
    translating_clear(&t);
    manner = translating_events;
}

static bool left(const char *text)
{
    return memmem(buf_slice(&t.out).ptr, buf_len(&t.out), text, strlen(text)) != NULL;
}

/* ---- texts */

static void the_last_event_has_the_last_character(void)
{
    static const struct {
        const char *text, *last;
    } texts[] = {{"abc", "c"},          {"a\\n", "\\n"},          {"a\\\\", "\\\\"},
                 {"a\\u00e9", "\\u00e9"}, {"\xE2\x82\xAC", "\xE2\x82\xAC"}, {"a\\ud83d\\ude00", "\\ud83d\\ude00"},
                 {"a\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"}, {"x", "x"}, {"a\\\\n", "n"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char bytes[400], last[80];
        snprintf(bytes, sizeof bytes, O_TEXT("%s") "%s", texts[i].text, O_END("stop"));
        snprintf(last, sizeof last, "{\"text\":\"%s\"}],\"role\":\"model\"},\"finishReason\":\"STOP\"", texts[i].last);
        hear(bytes);
        if (!left(last)) UNIT_FAIL("%s: %.*s", last, SLICE_FMT(buf_slice(&t.out)));
        EXPECT(h.has_ended);
        done();
    }
}

static void nothing_at_all_is_an_empty_text(void)
{
    hear(O_CHUNK("\"role\":\"assistant\"", "null") O_END("stop"));
    EXPECT(h.has_ended && left("{\"text\":\"\"}"));
    done();
}

static void a_refusal_is_a_text_and_a_reason(void)
{
    hear(O_CHUNK("\"refusal\":\"I can't.\"", "null") O_END("stop"));
    EXPECT_SLICE(SLICE("I can't."), buf_slice(&h.text));
    EXPECT_STR("SAFETY", h.reason);
    done();
}

/* ---- calls */

static void calls_are_told_whole_and_in_order(void)
{
    hear(O_TEXT("I look.") O_CALLS(O_CALL("0", "a", "f", "{\\\"x\\\":") "," O_CALL("1", "b", "g", ""))
             O_CALLS("{\"index\":1,\"function\":{\"arguments\":\"{}\"}},{\"index\":0,\"function\":{\"arguments\":\"\\n1}\"}}")
                 O_END("tool_calls"));
    EXPECT_SLICE(SLICE("f({\"x\":1})g({})"), buf_slice(&h.calls));
    EXPECT_STR("STOP", h.reason);
    EXPECT(left("\"args\":{\"x\": 1}")); /* in one line */
    EXPECT(left("\"id\":\"b\",\"name\":\"g\",\"args\":{}}}],\"role\":\"model\"},\"finishReason\""));
    done();
}

static void a_call_without_an_id_gets_one(void)
{
    hear(O_CALLS("{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}") O_END("stop"));
    EXPECT(left("\"id\":\"call_req-1_0\""));
    done();
}

static void a_call_that_the_bound_cut_is_not_told(void)
{
    hear(O_TEXT("ab") O_CALLS(O_CALL("0", "a", "f", "{}") "," O_CALL("1", "b", "g", "{\\\"x\\\":")) O_END("length"));
    EXPECT_SLICE(SLICE("f({})"), buf_slice(&h.calls));
    EXPECT_STR("MAX_TOKENS", h.reason);
    done();
    translate_stream_as(&t, &dialect_openai, &dialect_gemini, &manner,
                        SLICE(O_CALLS(O_CALL("0", "a", "f", "{\\\"x\\\":")) O_END("tool_calls")), 0);
    EXPECT_INT(FAULT_UNTRANSLATABLE, t.why.code);
    EXPECT(!left("finishReason"));
    translating_clear(&t);
}

static void there_are_bounds(void)
{
    struct buf bytes;
    buf_init(&bytes);
    for (unsigned i = 0; i <= LIMIT_TRANSLATE_CALLS; i++)
        buf_printf(&bytes,
                   "data: {\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":%u,"
                   "\"id\":\"c%u\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\n\n",
                   i, i);
    translate_stream_as(&t, &dialect_openai, &dialect_gemini, &manner, buf_slice(&bytes), 0);
    EXPECT_INT(FAULT_UNTRANSLATABLE, t.why.code);
    translating_clear(&t);
    buf_clear(&bytes);
}

/* ---- thoughts */

#define O_THOUGHT                                                                                                      \
    O_CHUNK("\"reasoning_content\":\"let me \"", "null") O_CHUNK("\"reasoning_content\":\"see\"", "null")               \
    O_CHUNK("\"reasoning_details\":[{\"signature\":\"s+/=\"},{\"data\":\"opaque\"}]", "null") O_TEXT("ab") O_END("stop")

static void thoughts_are_told_where_they_are_asked_for(void)
{
    hear(O_THOUGHT);
    EXPECT_SLICE(SLICE("let me see"), buf_slice(&h.reasoning));
    EXPECT_SLICE(SLICE("s+/="), buf_slice(&h.signatures));
    EXPECT_SLICE(SLICE("opaque"), buf_slice(&h.redacted));
    done();
    manner.hides_thoughts = true;
    hear(O_THOUGHT);
    EXPECT(!left("thought"));
    EXPECT_SLICE(SLICE("ab"), buf_slice(&h.text));
    done();
}

/* An answer that ends with a thought has that in its last event: an empty text there, and the turn is not kept. */
static void the_last_event_has_the_last_thought(void)
{
    hear(O_TEXT("ab") O_CHUNK("\"reasoning_content\":\"see\"", "null") O_END("stop"));
    EXPECT(left("{\"text\":\"e\",\"thought\":true}],\"role\":\"model\"},\"finishReason\""));
    EXPECT_SLICE(SLICE("see"), buf_slice(&h.reasoning));
    done();
    hear(O_TEXT("ab") O_CHUNK("\"reasoning_details\":[{\"signature\":\"S\"}]", "null") O_END("stop"));
    EXPECT(left("{\"thought\":true,\"thoughtSignature\":\"bW9vbmdhdGUuc2lnbmF0dXJlLlM=\"}],\"role\":\"model\"},\"finishReason\""));
    done();
}

static void a_body_signs_the_thought_itself(void)
{
    translate_body(&t, &dialect_openai, &dialect_gemini,
                   SLICE("{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"reasoning_content\":\"t\","
                         "\"reasoning_details\":[{\"signature\":\"S\"}],\"content\":\"a\"},\"finish_reason\":\"stop\"}]}"));
    EXPECT(left("{\"text\":\"t\",\"thought\":true,\"thoughtSignature\":\"bW9vbmdhdGUuc2lnbmF0dXJlLlM=\"},{\"text\":\"a\"}"));
    translating_clear(&t);
}

/* ---- how events are asked for */

static void events_are_asked_for_in_any_spelling(void)
{
    static const char *const yes[] = {"alt=sse", "key=x&alt=sse", "$alt=sse", "%24alt=sse", "alt=SSE", "%61lt=%73se&x"};
    static const char *const no[] = {"", "alt=json", "alt", "alt=", "alt=sse2", "salt=sse", "Alt=sse", "alt=%zzsse", "&&="};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (!dialect_asks(&dialect_gemini, slice_str(yes[i]))) UNIT_FAIL("%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (dialect_asks(&dialect_gemini, slice_str(no[i]))) UNIT_FAIL("%s", no[i]);
    EXPECT(!dialect_asks(&dialect_openai, SLICE("alt=sse")));
    EXPECT(dialect_asks(&dialect_anthropic, SLICE("beta=true")));
}

int main(void)
{
    manner = translating_events;
    RUN(the_last_event_has_the_last_character);
    RUN(nothing_at_all_is_an_empty_text);
    RUN(a_refusal_is_a_text_and_a_reason);
    RUN(calls_are_told_whole_and_in_order);
    RUN(a_call_without_an_id_gets_one);
    RUN(a_call_that_the_bound_cut_is_not_told);
    RUN(there_are_bounds);
    RUN(thoughts_are_told_where_they_are_asked_for);
    RUN(the_last_event_has_the_last_thought);
    RUN(a_body_signs_the_thought_itself);
    RUN(events_are_asked_for_in_any_spelling);
    return unit_close("translate_gemini");
}
