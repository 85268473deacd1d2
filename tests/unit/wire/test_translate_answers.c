/* Answers from one dialect into the other: calls, reasoning, reasons, halves of characters, and what is no answer. */
#include "../unit.h"

#include "hearing.h"
#include "translating.h"

/* ---- pieces of both dialects */

#define O_CHUNK(delta, reason)                                                                                         \
    "data: {\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":" reason    \
    "}]}\n\n"
#define O_TEXT(text) O_CHUNK("\"content\":\"" text "\"", "null")
#define O_BEGIN(index, id, name) "{\"index\":" index ",\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name "\",\"arguments\":\"\"}}"
#define O_ASK(index, text) "{\"index\":" index ",\"function\":{\"arguments\":\"" text "\"}}"
#define O_CALLS(list) O_CHUNK("\"tool_calls\":[" list "]", "null")
#define O_END(reason) O_CHUNK("", "\"" reason "\"") "data: [DONE]\n\n"

#define A_EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
#define A_START                                                                                                        \
    A_EVENT("message_start", ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\","             \
                             "\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}")
#define A_OPEN(index, block) A_EVENT("content_block_start", ",\"index\":" index ",\"content_block\":" block)
#define A_DELTA(index, delta) A_EVENT("content_block_delta", ",\"index\":" index ",\"delta\":{\"type\":" delta "}")
#define A_CLOSE(index) A_EVENT("content_block_stop", ",\"index\":" index)
#define A_TEXT_BLOCK(index) A_OPEN(index, "{\"type\":\"text\",\"text\":\"\"}")
#define A_CALL_BLOCK(index, id, name) A_OPEN(index, "{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"" name "\",\"input\":{}}")
#define A_ASK(index, text) A_DELTA(index, "\"input_json_delta\",\"partial_json\":\"" text "\"")
#define A_END(reason)                                                                                                  \
    A_EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"" reason "\"},\"usage\":{\"output_tokens\":2}")            \
    A_EVENT("message_stop", "")

static struct translating t;
static struct hearing h;

static const struct dialect *other(const struct dialect *d)
{
    return d == &dialect_openai ? &dialect_anthropic : &dialect_openai;
}

static void hear_stream(const struct dialect *provider, const char *bytes)
{
    translate_stream(&t, provider, other(provider), slice_str(bytes), 0);
    hearing_begin(&h, other(provider));
    hearing_stream(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s: %s", h.wrong, h.place);
}

static void hear_body(const struct dialect *provider, const char *bytes)
{
    translate_body(&t, provider, other(provider), slice_str(bytes));
    hearing_begin(&h, other(provider));
    if (buf_len(&t.out)) hearing_body(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s: %s", h.wrong, h.place);
}

static void done(void)
{
    hearing_clear(&h);
    translating_clear(&t);
}

static bool left(const char *text)
{
    return memmem(buf_ptr(&t.out), buf_len(&t.out), text, strlen(text)) != NULL;
}

static void expect_calls(const struct dialect *provider, const char *bytes, const char *calls)
{
    hear_stream(provider, bytes);
    EXPECT(h.has_ended);
    if (t.has_stopped) UNIT_FAIL("%s", t.why.text);
    EXPECT_SLICE(slice_str(calls), buf_slice(&h.calls));
    done();
}

/* ---- calls of tools */

static void calls_are_told_apart_by_their_numbers(void)
{
    expect_calls(&dialect_openai,
                 O_CALLS(O_BEGIN("0", "a", "f")) O_CALLS(O_ASK("0", "{\\\"x\\\":")) O_CALLS(O_ASK("0", "1}"))
                     O_CALLS(O_BEGIN("1", "b", "g")) O_CALLS(O_ASK("1", "{}")) O_END("tool_calls"),
                 "f({\"x\":1})g({})");
    expect_calls(&dialect_anthropic,
                 A_START A_TEXT_BLOCK("0") A_CLOSE("0") A_CALL_BLOCK("1", "a", "f") A_ASK("1", "") A_ASK("1", "{\\\"x\\\"")
                     A_ASK("1", ":1}") A_CLOSE("1") A_CALL_BLOCK("2", "b", "g") A_CLOSE("2") A_END("tool_use"),
                 "f({\"x\":1})g({})");
}

/* Three at once, their arguments cut inside words. */
static void calls_told_in_turns_become_whole(void)
{
    expect_calls(&dialect_openai,
                 O_CALLS(O_BEGIN("0", "a", "f") "," O_BEGIN("1", "b", "g") "," O_BEGIN("2", "c", "h"))
                     O_CALLS(O_ASK("2", "{\\\"z\\\":\\\"ze")) O_CALLS(O_ASK("0", "{\\\"x\\\":tr"))
                         O_CALLS(O_ASK("1", "{\\\"y\\\":[") "," O_ASK("0", "ue}")) O_CALLS(O_ASK("2", "d\\\"}"))
                             O_CALLS(O_ASK("1", "]}")) O_END("tool_calls"),
                 "f({\"x\":true})g({\"y\":[]})h({\"z\":\"zed\"})");
    expect_calls(&dialect_anthropic,
                 A_START A_CALL_BLOCK("0", "a", "f") A_CALL_BLOCK("1", "b", "g") A_CALL_BLOCK("2", "c", "h")
                     A_ASK("2", "{\\\"z\\\":1") A_ASK("0", "{\\\"x\\\":tr") A_ASK("1", "{") A_ASK("0", "ue}")
                         A_CLOSE("0") A_ASK("2", "}") A_ASK("1", "}") A_CLOSE("1") A_CLOSE("2") A_END("tool_use"),
                 "f({\"x\":true})g({})h({\"z\":1})");
}

static void a_text_between_calls_keeps_its_place(void)
{
    hear_stream(&dialect_openai, O_CALLS(O_BEGIN("0", "a", "f")) O_CALLS(O_ASK("0", "{\\\"x\\\":")) O_TEXT("in ")
                                     O_TEXT("between") O_CALLS(O_ASK("0", "1}")) O_END("tool_calls"));
    EXPECT_SLICE(slice_str("f({\"x\":1})"), buf_slice(&h.calls));
    EXPECT_SLICE(slice_str("in between"), buf_slice(&h.text));
    EXPECT(h.has_ended);
    done();
}

/* Servers give no number, or the same to each; some the object itself; the old API a function alone. */
static void calls_of_other_servers_are_known(void)
{
    expect_calls(&dialect_openai,
                 O_CALLS("{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}")
                     O_CALLS("{\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":2}\"}}") O_END("tool_calls"),
                 "f({})f({\"x\":2})");
    expect_calls(&dialect_openai,
                 O_CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\" : \"\\\"\"}}}") O_END("stop"),
                 "f({\"x\":\"\\\"\"})");
    expect_calls(&dialect_openai,
                 O_CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}")
                     O_CALLS("{\"index\":0,\"id\":\"z\",\"function\":{\"arguments\":\"}\"}}") O_END("tool_calls"),
                 "f({})");
    expect_calls(&dialect_openai,
                 O_CALLS(O_BEGIN("0", "a", "f")) O_CALLS(O_ASK("0", " \\n")) O_END("tool_calls"), "f({})");
    expect_calls(&dialect_openai,
                 O_CHUNK("\"function_call\":{\"name\":\"f\",\"arguments\":\"{\"}", "null")
                     O_CHUNK("\"function_call\":{\"arguments\":\"}\"}", "null") O_END("function_call"),
                 "f({})");
}

static void ids_of_calls_are_kept_or_made(void)
{
    hear_stream(&dialect_openai, O_CALLS(O_BEGIN("0", "call_\\u0041b", "f")) O_CALLS("{\"index\":1,\"function\":{\"name\":\"g\"}}")
                                     O_END("tool_calls"));
    EXPECT(left("\"id\":\"call_\\u0041b\""));
    EXPECT(left("\"id\":\"toolu_req-1_2\""));
    EXPECT(left("\"id\":\"msg_x\""));
    done();
    hear_stream(&dialect_anthropic, A_START A_CALL_BLOCK("0", "toolu_9", "f") A_CLOSE("0") A_END("tool_use"));
    EXPECT(left("\"id\":\"toolu_9\""));
    EXPECT(left("\"id\":\"chatcmpl-msg_1\""));
    EXPECT(left("\"arguments\":\"{}\""));
    done();
}

/* A program of the provider's called the tool: the arguments stand where the block begins, or the message does. */
static void arguments_may_come_with_the_beginning(void)
{
    expect_calls(&dialect_anthropic,
                 A_START A_OPEN("0", "{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{\"x\":[\"\\n\"]}}")
                     A_CLOSE("0") A_END("tool_use"),
                 "f({\"x\":[\"\\n\"]})");
    expect_calls(&dialect_anthropic,
                 A_EVENT("message_start",
                         ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"model\":\"m\",\"content\":["
                         "{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{\"x\":1}}],"
                         "\"stop_reason\":\"tool_use\",\"usage\":{\"output_tokens\":1}}")
                     A_EVENT("message_stop", ""),
                 "f({\"x\":1})");
}

/* The bound of the answer may cut arguments: a stream tells that as it came, a body cannot. */
static void arguments_that_were_cut_are_no_object(void)
{
    hear_stream(&dialect_openai, O_CALLS(O_BEGIN("0", "a", "f")) O_CALLS(O_ASK("0", "{\\\"x\\\":")) O_END("length"));
    EXPECT(h.has_ended);
    EXPECT_STR("max_tokens", h.reason);
    done();
    hear_body(&dialect_openai, "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\","
                               "\"arguments\":\"{\\\"x\\\":\"}}]},\"finish_reason\":\"length\"}]}");
    EXPECT(t.has_stopped);
    EXPECT_INT(FAULT_UNTRANSLATABLE, t.why.code);
    done();
    hear_stream(&dialect_openai, O_CALLS(O_BEGIN("0", "a", "f")) O_CALLS(O_ASK("0", "{\\\"x\\\":")) O_END("tool_calls"));
    EXPECT(t.has_stopped && !h.has_ended);
    done();
    hear_stream(&dialect_openai, O_CALLS(O_BEGIN("0", "a", "f")) O_CALLS(O_ASK("0", "[1]")) O_END("tool_calls"));
    EXPECT(t.has_stopped && !h.has_ended);
    done();
}

/* ---- reasons: every one, with and without texts and calls, in streams and bodies */

static const struct {
    bool is_openai;
    const char *from, *plain, *calling;
} mapped[] = {
    {true, "stop", "end_turn", "tool_use"},          {true, "length", "max_tokens", "max_tokens"},
    {true, "tool_calls", "end_turn", "tool_use"},    {true, "function_call", "end_turn", "tool_use"},
    {true, "content_filter", "refusal", "refusal"},  {true, "model_length", "max_tokens", "max_tokens"},
    {true, "whatever", "end_turn", "tool_use"},      {false, "end_turn", "stop", "tool_calls"},
    {false, "stop_sequence", "stop", "tool_calls"},  {false, "pause_turn", "stop", "tool_calls"},
    {false, "max_tokens", "length", "length"},       {false, "model_context_window_exceeded", "length", "length"},
    {false, "tool_use", "stop", "tool_calls"},       {false, "refusal", "content_filter", "content_filter"},
    {false, "whatever", "stop", "tool_calls"},
};

static void write_openai(struct buf *out, const char *reason, bool has_text, bool has_call, bool is_stream)
{
    const char *text = has_text ? "\"content\":\"hi\"" : "\"content\":null";
    const char *call = has_call ? ",\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":"
                                  "{\"name\":\"f\",\"arguments\":\"{}\"}}]"
                                : "";
    buf_printf(out, "%s{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"%s\":{%s%s},\"finish_reason\":\"%s\"}]}%s",
               is_stream ? "data: " : "", is_stream ? "delta" : "message", text, call, reason,
               is_stream ? "\n\ndata: [DONE]\n\n" : "");
}

static void write_anthropic(struct buf *out, const char *reason, bool has_text, bool has_call, bool is_stream)
{
    if (!is_stream) {
        buf_printf(out, "{\"id\":\"msg_1\",\"type\":\"message\",\"model\":\"m\",\"content\":[%s%s%s],\"stop_reason\":\"%s\"}",
                   has_text ? "{\"type\":\"text\",\"text\":\"hi\"}" : "", has_text && has_call ? "," : "",
                   has_call ? "{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{}}" : "", reason);
        return;
    }
    buf_append(out, SLICE(A_START));
    if (has_text) buf_append(out, SLICE(A_OPEN("0", "{\"type\":\"text\",\"text\":\"hi\"}") A_CLOSE("0")));
    if (has_call) buf_append(out, SLICE(A_CALL_BLOCK("1", "a", "f") A_CLOSE("1")));
    buf_printf(out, A_EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"%s\"}") A_EVENT("message_stop", ""), reason);
}

static void expect_reason(size_t i, int form)
{
    bool has_text = form & 1, has_call = form & 2, is_stream = form & 4;
    struct buf bytes;
    buf_init(&bytes);
    (mapped[i].is_openai ? write_openai : write_anthropic)(&bytes, mapped[i].from, has_text, has_call, is_stream);
    buf_append_char(&bytes, '\0');
    (is_stream ? hear_stream : hear_body)(mapped[i].is_openai ? &dialect_openai : &dialect_anthropic, buf_ptr(&bytes));
    EXPECT(h.has_ended);
    if (strcmp(h.reason, has_call ? mapped[i].calling : mapped[i].plain) != 0)
        UNIT_FAIL("%s (%d) became %s", mapped[i].from, form, h.reason);
    EXPECT_SLICE(slice_str(has_call ? "f({})" : ""), buf_slice(&h.calls));
    EXPECT_SLICE(slice_str(has_text ? "hi" : ""), buf_slice(&h.text));
    EXPECT_INT(strcmp(mapped[i].from, "whatever") == 0, t.dropped.count);
    done();
    buf_clear(&bytes);
}

static void every_reason_has_its_word(void)
{
    for (size_t i = 0; i < sizeof mapped / sizeof mapped[0]; i++) {
        for (int form = 0; form < 8; form++)
            expect_reason(i, form);
    }
}

/* ---- reasoning and refusals */

static void thoughts_keep_their_signatures(void)
{
    hear_stream(&dialect_anthropic,
                A_START A_OPEN("0", "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}")
                    A_DELTA("0", "\"thinking_delta\",\"thinking\":\"so\"") A_DELTA("0", "\"thinking_delta\",\"thinking\":\" it is\"")
                        A_DELTA("0", "\"signature_delta\",\"signature\":\"S=\"") A_CLOSE("0")
                            A_OPEN("1", "{\"type\":\"redacted_thinking\",\"data\":\"D=\"}") A_CLOSE("1") A_END("end_turn"));
    EXPECT_SLICE(slice_str("so it is"), buf_slice(&h.reasoning));
    EXPECT_SLICE(slice_str("S="), buf_slice(&h.signatures));
    EXPECT_SLICE(slice_str("D="), buf_slice(&h.redacted));
    EXPECT(left("{\"type\":\"reasoning.encrypted\",\"data\":\"D=\",\"index\":1}"));
    done();
    hear_stream(&dialect_openai,
                O_CHUNK("\"reasoning_content\":\"so\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"so\",\"index\":0}]", "null")
                    O_CHUNK("\"reasoning_details\":[{\"type\":\"reasoning.text\",\"signature\":\"S=\",\"index\":0}]", "null")
                        O_CHUNK("\"reasoning_details\":[{\"type\":\"reasoning.encrypted\",\"data\":\"D=\",\"index\":1}]", "null")
                            O_CHUNK("\"reasoning\":\"again\"", "null") O_TEXT("hi") O_END("stop"));
    EXPECT_SLICE(slice_str("soagain"), buf_slice(&h.reasoning));
    EXPECT_SLICE(slice_str("S="), buf_slice(&h.signatures));
    EXPECT_SLICE(slice_str("D="), buf_slice(&h.redacted));
    EXPECT_SLICE(slice_str("hi"), buf_slice(&h.text));
    EXPECT_INT(4, h.blocks);
    EXPECT(h.has_ended);
    done();
}

static void whole_thoughts_are_told_apart(void)
{
    hear_body(&dialect_anthropic,
              "{\"id\":\"msg_1\",\"type\":\"message\",\"model\":\"m\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"a\",\"signature\":\"S\"},"
              "{\"type\":\"redacted_thinking\",\"data\":\"D\"},{\"type\":\"thinking\",\"thinking\":\"b\",\"signature\":\"\"},"
              "{\"type\":\"text\",\"text\":\"hi\"}],\"stop_reason\":\"end_turn\"}");
    EXPECT(left("\"reasoning_content\":\"ab\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"a\",\"signature\":\"S\","
                "\"index\":0},{\"type\":\"reasoning.encrypted\",\"data\":\"D\",\"index\":1},{\"type\":\"reasoning.text\",\"text\":\"b\",\"index\":2}]"));
    done();
    hear_body(&dialect_openai, "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"a\"}]},"
                               "{\"type\":\"text\",\"text\":\"hi\"}]},\"finish_reason\":\"stop\"}]}");
    EXPECT_SLICE(slice_str("a"), buf_slice(&h.reasoning));
    EXPECT_SLICE(slice_str("hi"), buf_slice(&h.text));
    done();
}

static void refusals_are_told(void)
{
    hear_stream(&dialect_openai, O_CHUNK("\"refusal\":\"I will\"", "null") O_CHUNK("\"refusal\":\" not\"", "null") O_END("stop"));
    EXPECT_SLICE(slice_str("I will not"), buf_slice(&h.text));
    EXPECT_STR("refusal", h.reason);
    done();
    hear_stream(&dialect_anthropic,
                A_START A_EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"refusal\",\"stop_details\":{\"type\":\"refusal\","
                                                 "\"category\":\"x\",\"explanation\":\"because\"}}") A_EVENT("message_stop", ""));
    EXPECT_SLICE(slice_str("because"), buf_slice(&h.refusal));
    EXPECT_STR("content_filter", h.reason);
    done();
}

/* ---- characters in two halves, and escapes */

static void escapes_pass_as_they_stand(void)
{
    hear_stream(&dialect_openai, O_TEXT("\\u00e9\\/\\ud83d\\ude00\\\\ud83d \\\"q\\\"") O_END("stop"));
    EXPECT(left("\"text\":\"\\u00e9\\/\\ud83d\\ude00\\\\ud83d \\\"q\\\"\""));
    done();
}

static void halves_of_a_character_are_joined(void)
{
    hear_stream(&dialect_openai, O_TEXT("a\\ud83d") O_TEXT("\\ude00b\\uD83D") O_TEXT("\\uDE01") O_END("stop"));
    EXPECT_SLICE(slice_str("a\xF0\x9F\x98\x80" "b\xF0\x9F\x98\x81"), buf_slice(&h.text));
    done();
    hear_stream(&dialect_anthropic, A_START A_CALL_BLOCK("0", "a", "f") A_ASK("0", "{\\\"x\\\":\\\"\\ud83d") A_ASK("0", "\\ude00\\\"}")
                                        A_CLOSE("0") A_END("tool_use"));
    EXPECT_SLICE(slice_str("f({\"x\":\"\xF0\x9F\x98\x80\"})"), buf_slice(&h.calls));
    done();
}

/* Nothing of what was said beside them is lost. */
static void halves_without_another_become_a_sign(void)
{
    hear_stream(&dialect_openai, O_TEXT("a\\ud83d") O_TEXT("b") O_TEXT("\\ude00c\\ud83dd\\ud83d") O_END("stop"));
    EXPECT_SLICE(slice_str("a\xEF\xBF\xBD" "b\xEF\xBF\xBD" "c\xEF\xBF\xBD" "d\xEF\xBF\xBD"), buf_slice(&h.text));
    EXPECT(h.has_ended);
    done();
    hear_stream(&dialect_anthropic, A_START A_TEXT_BLOCK("0") A_DELTA("0", "\"text_delta\",\"text\":\"\\ud83d\"") A_CLOSE("0")
                                        A_TEXT_BLOCK("1") A_DELTA("1", "\"text_delta\",\"text\":\"b\"") A_CLOSE("1") A_END("end_turn"));
    EXPECT_SLICE(slice_str("\xEF\xBF\xBD" "b"), buf_slice(&h.text));
    done();
    hear_body(&dialect_openai, "{\"choices\":[{\"message\":{\"content\":\"a\\ud83d\"},\"finish_reason\":\"stop\"}]}");
    EXPECT_SLICE(slice_str("a\xEF\xBF\xBD"), buf_slice(&h.text));
    done();
    hear_body(&dialect_anthropic, "{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"\\ude00b\"}],"
                                  "\"stop_reason\":\"end_turn\"}");
    EXPECT_SLICE(slice_str("\xEF\xBF\xBD" "b"), buf_slice(&h.text));
    done();
    hear_body(&dialect_openai, "{\"choices\":[{\"message\":{\"content\":\"a\\ud83d\"}}");
    EXPECT(t.has_stopped);
    done();
}

/* ---- what has no counterpart */

static void what_only_its_provider_runs_is_lost_and_told(void)
{
    hear_stream(&dialect_anthropic,
                A_START A_OPEN("0", "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\",\"input\":{}}") A_ASK("0", "{}")
                    A_CLOSE("0") A_OPEN("1", "{\"type\":\"web_search_tool_result\",\"content\":[]}") A_CLOSE("1") A_TEXT_BLOCK("2")
                        A_DELTA("2", "\"citations_delta\",\"citation\":{}") A_DELTA("2", "\"text_delta\",\"text\":\"hi\"") A_CLOSE("2")
                            A_EVENT("something_new", "") A_END("end_turn"));
    struct buf names;
    buf_init(&names);
    dropped_write(&t.dropped, &names);
    EXPECT_SLICE(slice_str("answer.server_tool_use, answer.web_search_tool_result, answer.citations, answer.something_new"), buf_slice(&names));
    EXPECT_SLICE(slice_str("hi"), buf_slice(&h.text));
    EXPECT_SLICE(slice_str(""), buf_slice(&h.calls));
    EXPECT_STR("stop", h.reason);
    buf_clear(&names);
    done();
}

static void pings_are_comments(void)
{
    hear_stream(&dialect_anthropic, A_START A_EVENT("ping", "") A_TEXT_BLOCK("0") A_CLOSE("0") A_END("end_turn"));
    EXPECT_SLICE(slice_str(": ping\n\n"), buf_slice(&h.comments));
    EXPECT(h.has_ended);
    done();
    hear_stream(&dialect_openai, ": OPENROUTER PROCESSING\n\n" O_TEXT("a") O_END("stop"));
    EXPECT_SLICE(slice_str(": ping\n\n"), buf_slice(&h.comments));
    EXPECT(h.has_ended);
    done();
}

/* Azure begins with what its filter says of the prompt, before the answer has an id. */
static void a_beginning_without_choices_is_none(void)
{
    hear_stream(&dialect_openai, "data: {\"choices\":[],\"id\":\"\",\"model\":\"\",\"prompt_filter_results\":[{}]}\n\n" O_TEXT("a") O_END("stop"));
    EXPECT(left("\"id\":\"msg_x\""));
    EXPECT_STR("m", h.model);
    EXPECT_INT(1, t.dropped.count);
    done();
}

/* ---- what is not as it should be */

/* Whatever member is not there, or of another type: an end, an error or a fault, and never more. */
static void odd_members_are_no_trouble(void)
{
    static const char *const odd[] = {
        A_EVENT("message_start", ",\"message\":{}") A_END("end_turn"),
        A_EVENT("message_start", ",\"message\":{\"content\":7,\"id\":1,\"model\":[]}") A_END("end_turn"),
        A_EVENT("message_start", ",\"message\":{\"content\":[{\"type\":\"text\"}]}") A_END("end_turn"),
        A_EVENT("message_start", "") A_END("end_turn"),
        A_START A_EVENT("content_block_start", "") A_END("end_turn"),
        A_START A_EVENT("message_delta", "") A_EVENT("message_stop", ""),
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        hear_stream(&dialect_anthropic, odd[i]);
        EXPECT_INT(!h.has_ended, t.has_stopped);
        EXPECT(i > 2 || h.has_ended);
        done();
    }
}

/* ---- there and back */

static void there_and_back_all_is_as_it_was(void)
{
    struct translating back;
    hear_stream(&dialect_openai, O_CHUNK("\"reasoning_content\":\"hm\"", "null") O_TEXT("a \\\"b\\\"") O_CALLS(O_BEGIN("0", "a", "f"))
                                     O_CALLS(O_ASK("0", "{\\\"x\\\":1}")) O_CALLS(O_BEGIN("1", "b", "g")) O_END("tool_calls"));
    hearing_clear(&h);
    translate_stream(&back, &dialect_anthropic, &dialect_openai, buf_slice(&t.out), 0);
    hearing_begin(&h, &dialect_openai);
    hearing_stream(&h, buf_slice(&back.out));
    EXPECT_SLICE(slice_str("hm"), buf_slice(&h.reasoning));
    EXPECT_SLICE(slice_str("a \"b\""), buf_slice(&h.text));
    EXPECT_SLICE(slice_str("f({\"x\":1})g({})"), buf_slice(&h.calls));
    EXPECT_STR("tool_calls", h.reason);
    EXPECT(h.has_ended && !h.wrong);
    translating_clear(&back);
    done();
}

int main(void)
{
    RUN(calls_are_told_apart_by_their_numbers);
    RUN(calls_told_in_turns_become_whole);
    RUN(a_text_between_calls_keeps_its_place);
    RUN(calls_of_other_servers_are_known);
    RUN(ids_of_calls_are_kept_or_made);
    RUN(arguments_may_come_with_the_beginning);
    RUN(arguments_that_were_cut_are_no_object);
    RUN(every_reason_has_its_word);
    RUN(thoughts_keep_their_signatures);
    RUN(whole_thoughts_are_told_apart);
    RUN(refusals_are_told);
    RUN(escapes_pass_as_they_stand);
    RUN(halves_of_a_character_are_joined);
    RUN(halves_without_another_become_a_sign);
    RUN(what_only_its_provider_runs_is_lost_and_told);
    RUN(pings_are_comments);
    RUN(a_beginning_without_choices_is_none);
    RUN(odd_members_are_no_trouble);
    RUN(there_and_back_all_is_as_it_was);
    return unit_close("translate_answers");
}
