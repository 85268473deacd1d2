/* Answers for clients of the Responses API: items and their order, calls as the client knows them, what was thought and
 * comes back, reasons, errors; and that nothing depends on how an answer was cut. */
#include "../unit.h"

#include "hearing.h"
#include "translating.h"

#include "wire/translate/translate.h"

#define O_CHUNK(delta, reason)                                                                                         \
    "data: {\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":" reason    \
    "}]}\n\n"
#define O_CALL(index, id, name, asked)                                                                                 \
    "{\"index\":" index ",\"id\":\"" id "\",\"function\":{\"name\":\"" name "\",\"arguments\":\"" asked "\"}}"
#define O_ASK(index, text) "{\"index\":" index ",\"function\":{\"arguments\":\"" text "\"}}"
#define O_CALLS(list) O_CHUNK("\"tool_calls\":[" list "]", "null")
#define O_END(reason) O_CHUNK("", "\"" reason "\"") "data: [DONE]\n\n"

#define A_EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
#define A_START                                                                                                        \
    A_EVENT("message_start", ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\","             \
                             "\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":7,"                           \
                             "\"cache_read_input_tokens\":3,\"output_tokens\":1}}")
#define A_BLOCK(index, block, deltas)                                                                                  \
    A_EVENT("content_block_start", ",\"index\":" index ",\"content_block\":" block)                                    \
    deltas A_EVENT("content_block_stop", ",\"index\":" index)
#define A_DELTA(index, delta) A_EVENT("content_block_delta", ",\"index\":" index ",\"delta\":{\"type\":" delta "}")
#define A_TEXT(index, text)                                                                                            \
    A_BLOCK(index, "{\"type\":\"text\",\"text\":\"\"}", A_DELTA(index, "\"text_delta\",\"text\":\"" text "\""))
#define A_CALL(index, name, asked)                                                                                     \
    A_BLOCK(index, "{\"type\":\"tool_use\",\"id\":\"c" index "\",\"name\":\"" name "\",\"input\":{}}",                 \
            A_DELTA(index, "\"input_json_delta\",\"partial_json\":\"" asked "\""))
#define A_THOUGHT(index, text, signature)                                                                              \
    A_BLOCK(index, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}",                                     \
            A_DELTA(index, "\"thinking_delta\",\"thinking\":\"" text "\"")                                             \
                A_DELTA(index, "\"signature_delta\",\"signature\":\"" signature "\""))
#define A_END(reason)                                                                                                  \
    A_EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"" reason "\"},\"usage\":{\"output_tokens\":2}")            \
    A_EVENT("message_stop", "")

static struct translating t;
static struct hearing h;
static struct answer_manner manner;

static void hear(const struct dialect *provider, const char *bytes)
{
    manner = translating_events;
    translate_stream_as(&t, provider, &dialect_responses, &manner, slice_str(bytes), 0);
    hearing_begin(&h, &dialect_responses);
    hearing_stream(&h, buf_slice(&t.out));
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

/* The types of all events, and of items that begin. */
static void expect_events(const char *expected)
{
    struct buf got;
    buf_init(&got);
    struct slice rest = buf_slice(&t.out);
    while (rest.len) {
        struct slice line = slice_split(rest, '\n', &rest);
        if (!slice_starts(line, SLICE("event: response."))) continue;
        if (buf_len(&got)) buf_append_char(&got, ' ');
        buf_append(&got, slice_of(line.ptr + 16, line.len - 16));
    }
    EXPECT_SLICE(slice_str(expected), buf_slice(&got));
    buf_clear(&got);
}

/* ---- items */

static void a_text_is_a_message_of_one_part(void)
{
    hear(&dialect_anthropic, A_START A_TEXT("0", "a \\\"b\\\"") A_END("end_turn"));
    EXPECT(h.has_ended);
    EXPECT_SLICE(SLICE("a \"b\""), buf_slice(&h.text));
    EXPECT_STR("completed", h.reason);
    EXPECT_INT(10, h.input);
    EXPECT_INT(3, h.cached);
    EXPECT_INT(2, h.output);
    expect_events("created in_progress output_item.added content_part.added output_text.delta output_text.done "
                  "content_part.done output_item.done completed");
    done();
}

static void texts_that_follow_each_other_are_parts_of_one_message(void)
{
    hear(&dialect_anthropic, A_START A_TEXT("0", "a") A_TEXT("1", "b") A_END("end_turn"));
    EXPECT_INT(1, h.blocks);
    EXPECT_INT(2, h.heard[0].parts);
    EXPECT_SLICE(SLICE("ab"), buf_slice(&h.text));
    done();
    hear(&dialect_openai, O_CHUNK("\"content\":\"a\"", "null") O_CHUNK("\"refusal\":\"no\"", "null")
                              O_CHUNK("\"content\":\"b\"", "null") O_END("stop"));
    EXPECT_INT(1, h.blocks);
    EXPECT_INT(3, h.heard[0].parts);
    EXPECT_SLICE(SLICE("no"), buf_slice(&h.refusal));
    EXPECT_STR("completed", h.reason);
    done();
}

static void calls_and_texts_are_items_in_their_order(void)
{
    hear(&dialect_anthropic, A_START A_TEXT("0", "I look.") A_CALL("1", "f", "{\\\"a\\\":1}") A_CALL("2", "g", "")
                                 A_TEXT("3", "so") A_END("tool_use"));
    EXPECT_INT(4, h.blocks);
    EXPECT_SLICE(SLICE("f({\"a\":1})g({})"), buf_slice(&h.calls));
    EXPECT_SLICE(SLICE("I look.so"), buf_slice(&h.text));
    EXPECT(left("\"call_id\":\"c1\""));
    expect_events("created in_progress output_item.added content_part.added output_text.delta output_text.done "
                  "content_part.done output_item.done output_item.added function_call_arguments.delta "
                  "function_call_arguments.done output_item.done output_item.added function_call_arguments.delta "
                  "function_call_arguments.done output_item.done output_item.added content_part.added "
                  "output_text.delta output_text.done content_part.done output_item.done completed");
    done();
}

static void calls_may_be_told_in_turns(void)
{
    hear(&dialect_openai, O_CALLS(O_CALL("0", "i", "f", "{")) O_CALLS(O_CALL("1", "", "g", "{\\\"b\\\":"))
                              O_CALLS(O_ASK("0", "}")) O_CALLS(O_ASK("1", "2}")) O_END("tool_calls"));
    EXPECT(h.has_ended);
    EXPECT_SLICE(SLICE("f({})g({\"b\":2})"), buf_slice(&h.calls));
    EXPECT(left("\"call_id\":\"i\"") && left("\"call_id\":\"call_req-1_2\""));
    done();
}

/* ---- as the client knows them */

static struct tool_name patch = {.flat = {"\"patch\"", 7}, .name = {"\"patch\"", 7}, .takes_text = true};

static void calls_are_given_back_as_the_client_knows_them(void)
{
    static struct tool_name named = {
        .flat = {"\"fs__read\"", 10}, .name = {"\"read\"", 6}, .space = {"\"fs\"", 4}, .next = &patch};
    static const struct tool_names names = {.first = &named, .count = 2};
    static const char stream[] = A_START A_CALL("0", "fs__read", "{}") A_CALL("1", "patch", "{\\\"input\\\": \\\"*** \\\\u00e9\\\\n\\\"}")
        A_CALL("2", "patch", "{\\\"x\\\":1}") A_CALL("3", "read", "{}") A_END("tool_use");
    manner = translating_events;
    manner.names = &names;
    translate_stream_as(&t, &dialect_anthropic, &dialect_responses, &manner, slice_str(stream), 0);
    hearing_begin(&h, &dialect_responses);
    hearing_stream(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s: %s", h.wrong, h.place);
    EXPECT_SLICE(SLICE("read@fs({})patch(?)patch({\"x\":1})read({})"), buf_slice(&h.calls));
    EXPECT(left("\"delta\":\"*** \\u00e9\\n\""));
    EXPECT(left("\"type\":\"custom_tool_call\",\"status\":\"completed\",\"call_id\":\"c1\",\"name\":\"patch\","
                "\"input\":\"*** \\u00e9\\n\""));
    EXPECT(left("\"name\":\"read\",\"namespace\":\"fs\",\"arguments\":\"{}\""));
    done();
}

/* ---- calls that were cut */

static const struct tool_names patches = {.first = &patch, .count = 1};

static void hear_patch(const struct dialect *provider, const char *bytes)
{
    manner = translating_events;
    manner.names = &patches;
    translate_stream_as(&t, provider, &dialect_responses, &manner, slice_str(bytes), 0);
    hearing_begin(&h, &dialect_responses);
    hearing_stream(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s: %s", h.wrong, h.place);
}

#define HALF "{\\\"input\\\":\\\"*** Beg"
#define O_PATCH(asked) O_CALLS(O_CALL("0", "i", "patch", asked))
#define CUT_PATCH "\"type\":\"custom_tool_call\",\"status\":\"incomplete\",\"call_id\":"

/* Their client would run what it is given. */
static void half_a_text_for_a_tool_is_never_its_input(void)
{
    hear_patch(&dialect_openai, O_PATCH(HALF) O_END("length"));
    EXPECT(h.has_ended && left(CUT_PATCH "\"i\",\"name\":\"patch\",\"input\":\"\"") && !left("Beg"));
    done();
    hear_patch(&dialect_anthropic, A_START A_CALL("0", "patch", HALF) A_END("max_tokens"));
    EXPECT(h.has_ended && left(CUT_PATCH "\"c0\",\"name\":\"patch\",\"input\":\"\"") && !left("Beg"));
    done();
    const char *const odd[] = {O_PATCH(HALF) O_END("tool_calls"), O_PATCH("[1]") O_END("tool_calls")};
    for (int i = 0; i < 2; i++) {
        hear_patch(&dialect_openai, odd[i]);
        EXPECT(t.has_stopped && t.why.code == FAULT_UNTRANSLATABLE && !h.has_ended);
        done();
    }
    hear_patch(&dialect_anthropic, A_START A_CALL("0", "patch", HALF) A_END("tool_use"));
    EXPECT(t.has_stopped && t.why.code == FAULT_UNTRANSLATABLE && !h.has_ended);
    done();
}

/* Anthropic's API ends the block before it says why. */
static void what_is_cut_is_not_completed(void)
{
    hear(&dialect_anthropic, A_START A_CALL("0", "f", "{}") A_CALL("1", "g", "{\\\"a\\\":") A_END("max_tokens"));
    EXPECT(h.has_ended);
    EXPECT(left("\"status\":\"completed\",\"call_id\":\"c0\",\"name\":\"f\",\"arguments\":\"{}\""));
    EXPECT(left("\"status\":\"incomplete\",\"call_id\":\"c1\",\"name\":\"g\",\"arguments\":\"{\\\"a\\\":\""));
    EXPECT(!left("\"status\":\"completed\",\"call_id\":\"c1\""));
    done();
    hear(&dialect_openai, O_CALLS(O_CALL("0", "i", "f", "{}")) O_CALLS(O_CALL("1", "j", "g", "{")) O_END("length"));
    EXPECT(left("\"status\":\"completed\",\"call_id\":\"i\""));
    EXPECT(left("\"status\":\"incomplete\",\"call_id\":\"j\",\"name\":\"g\",\"arguments\":\"{\""));
    done();
}

/* ---- what was thought */

#define ASKED "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"u\"},"

/* The items that a client was given are what it sends next. */
static void what_was_thought_comes_back_to_its_provider(void)
{
    static const struct traits traits = {.thinking = THINKING_ADAPTIVE};
    static const struct translate_target target = {.traits = &traits};
    hear(&dialect_anthropic, A_START A_THOUGHT("0", "hm \\\"x\\\"", "S+/=")
                                 A_BLOCK("1", "{\"type\":\"redacted_thinking\",\"data\":\"D=\"}", "")
                                     A_CALL("2", "f", "{}") A_END("tool_use"));
    EXPECT_SLICE(SLICE("hm \"x\""), buf_slice(&h.reasoning));
    EXPECT_SLICE(SLICE("S+/="), buf_slice(&h.signatures));
    EXPECT_SLICE(SLICE("D="), buf_slice(&h.redacted));
    struct buf body, out;
    struct arena arena;
    struct dropped dropped = {.count = 0};
    struct fault why;
    buf_init(&body);
    buf_init(&out);
    arena_init(&arena);
    char *items = json_dumps(h.done, JSON_COMPACT);
    buf_printf(&body, ASKED "%.*s,{\"type\":\"function_call_output\",\"call_id\":\"c2\",\"output\":\"r\"}]}",
               (int)strlen(items) - 2, items + 1);
    free(items);
    EXPECT(translate_request(&dialect_responses, buf_slice(&body), &dialect_anthropic, &target, &arena, &out, &dropped,
                             &why));
    EXPECT(memmem(buf_ptr(&out), buf_len(&out),
                  "[{\"type\":\"thinking\",\"thinking\":\"hm \\\"x\\\"\",\"signature\":\"S+/=\"},"
                  "{\"type\":\"redacted_thinking\",\"data\":\"D=\"},{\"type\":\"tool_use\",\"id\":\"c2\"",
                  strlen("[{\"type\":\"thinking\",\"thinking\":\"hm \\\"x\\\"\",\"signature\":\"S+/=\"},"
                         "{\"type\":\"redacted_thinking\",\"data\":\"D=\"},{\"type\":\"tool_use\",\"id\":\"c2\"")));
    EXPECT_INT(0, dropped.count);
    arena_clear(&arena);
    buf_clear(&body);
    buf_clear(&out);
    done();
}

static void what_chats_thought_is_an_item_too(void)
{
    hear(&dialect_openai, O_CHUNK("\"reasoning_content\":\"h\"", "null") O_CHUNK("\"reasoning_content\":\"m\"", "null")
                              O_CHUNK("\"content\":\"a\"", "null") O_END("stop"));
    EXPECT_SLICE(SLICE("hm"), buf_slice(&h.reasoning));
    EXPECT(!left("encrypted_content"));
    EXPECT_INT(2, h.blocks);
    expect_events("created in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta "
                  "reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done "
                  "output_item.done output_item.added content_part.added output_text.delta output_text.done "
                  "content_part.done output_item.done completed");
    done();
}

/* ---- errors */

static bool on_one_event(void *arg, const struct sse_event *event)
{
    struct buf *names = arg;
    struct slice rest, end;
    EXPECT(event->ends && event->raw.len > 2);
    end = slice_of(event->raw.ptr + event->raw.len - 2, 2);
    EXPECT(memmem(event->raw.ptr, event->raw.len, "\n\n", 2) == end.ptr);
    EXPECT_SLICE(event->name, slice_of(slice_split(event->raw, '\n', &rest).ptr + 7, event->name.len));
    EXPECT_SLICE(event->data, slice_of(rest.ptr + 6, rest.len - 8));
    buf_append(names, event->name);
    buf_append_char(names, ' ');
    return true;
}

/* Whoever masks what the client hears looks at one event at a time. */
static void each_event_of_an_error_goes_on_by_itself(void)
{
    struct said_reader reader;
    struct dialect_stream told;
    struct said said;
    struct fault why;
    struct buf names;
    struct slice data = SLICE("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"M\\n\"}}");
    const struct sse_event event = {.raw = data, .data = data, .name = SLICE("error"), .retry_ms = -1, .ends = true};
    buf_init(&names);
    said_reader_init(&reader);
    dialect_stream_init(&told, 1);
    struct translator *one =
        translator_new(&dialect_responses, &dialect_anthropic, &translating_events, on_one_event, &names);
    dialect_anthropic.read_event(&reader, &told, event.name, event.data, &said);
    EXPECT(translator_event(one, &event, &said, &told, &why));
    EXPECT_SLICE(SLICE("error response.failed "), buf_slice(&names));
    translator_free(one);
    said_reader_clear(&reader);
    buf_clear(&names);
}

/* ---- ends */

static void reasons_are_this_apis(void)
{
    hear(&dialect_openai, O_CHUNK("\"content\":\"a\"", "null") O_END("length"));
    EXPECT_STR("max_output_tokens", h.reason);
    EXPECT(left("\"status\":\"incomplete\",\"role\"") && left("event: response.incomplete\n"));
    done();
    hear(&dialect_openai, O_CHUNK("\"content\":\"a\"", "null") O_END("content_filter"));
    EXPECT_STR("content_filter", h.reason);
    done();
    hear(&dialect_openai, O_CALLS(O_CALL("0", "i", "f", "{\\\"a\\\":")) O_END("length"));
    EXPECT_STR("max_output_tokens", h.reason);
    EXPECT(left("\"status\":\"incomplete\",\"call_id\":\"i\",\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\""));
    done();
}

static void a_cut_answer_has_no_end(void)
{
    hear(&dialect_anthropic, A_START A_TEXT("0", "a"));
    EXPECT(!h.has_ended && t.end == DIALECT_CUT);
    done();
    hear(&dialect_anthropic, A_START A_TEXT("0", "a") A_EVENT("error", ",\"error\":{\"type\":\"overloaded_error\",\"message\":\"M\"}"));
    EXPECT(h.has_error && !h.has_ended);
    EXPECT_STR("M", h.error_message);
    EXPECT(left("event: response.failed\n") && left("\"code\":\"server_is_overloaded\""));
    done();
}

static void errors_are_this_apis(void)
{
    translate_failure(&t, &dialect_anthropic, &dialect_responses, 529,
                      SLICE("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"M\"}}"));
    EXPECT_INT(503, t.status);
    EXPECT(left("\"code\":\"server_is_overloaded\"") && left("\"message\":\"M\""));
    translating_clear(&t);
}

static void a_whole_answer_is_the_same_items(void)
{
    translate_body(&t, &dialect_anthropic, &dialect_responses,
                   SLICE("{\"id\":\"msg_1\",\"type\":\"message\",\"model\":\"m\",\"content\":[{\"type\":\"thinking\","
                         "\"thinking\":\"hm\",\"signature\":\"S\"},{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
                         "\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":{\"x\": \"\\n\"}}],\"stop_reason\":"
                         "\"tool_use\",\"usage\":{\"input_tokens\":4,\"output_tokens\":2}}"));
    hearing_begin(&h, &dialect_responses);
    hearing_body(&h, buf_slice(&t.out));
    if (h.wrong) UNIT_FAIL("%s: %s", h.wrong, h.place);
    EXPECT_SLICE(SLICE("f({\"x\":\"\\n\"})"), buf_slice(&h.calls));
    EXPECT_SLICE(SLICE("a"), buf_slice(&h.text));
    EXPECT_SLICE(SLICE("S"), buf_slice(&h.signatures));
    EXPECT_INT(4, h.input);
    done();
}

static void a_long_answer_is_refused_and_not_kept(void)
{
    struct buf bytes;
    buf_init(&bytes);
    buf_append(&bytes, SLICE(A_START A_EVENT("content_block_start", ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}")));
    for (int i = 0; i < 5000; i++)
        buf_printf(&bytes, A_DELTA("0", "\"text_delta\",\"text\":\"%01000d\""), i);
    buf_append_char(&bytes, '\0');
    hear(&dialect_anthropic, buf_ptr(&bytes));
    EXPECT(t.has_stopped && t.why.code == FAULT_UNTRANSLATABLE && !h.has_ended);
    done();
    buf_clear(&bytes);
}

/* ---- however it is cut */

static void nothing_depends_on_the_cut(void)
{
    static const char anthropic[] = A_START A_THOUGHT("0", "\\ud83d", "S") A_TEXT("1", "\\ude00 a") A_CALL("2", "f", "{\\\"a\\\":1}")
        A_END("tool_use");
    static const char openai[] = O_CHUNK("\"content\":\"\\ud83d\"", "null") O_CHUNK("\"content\":\"\\ude00b\"", "null")
        O_CALLS(O_CALL("0", "i", "f", "{\\\"a\\\":\\\"\\ud83d")) O_CALLS(O_ASK("0", "\\ude00\\\"}")) O_END("tool_calls");
    const struct dialect *const providers[] = {&dialect_anthropic, &dialect_openai};
    const char *const streams[] = {anthropic, openai};
    for (int i = 0; i < 2; i++) {
        struct translating cut;
        hear(providers[i], streams[i]);
        EXPECT(h.has_ended);
        for (size_t step = 1; step < 400; step++) {
            translate_stream_as(&cut, providers[i], &dialect_responses, &manner, slice_str(streams[i]), step);
            EXPECT_SLICE(buf_slice(&t.out), buf_slice(&cut.out));
            translating_clear(&cut);
        }
        /* and however much of it comes at all, no end is made up */
        for (size_t len = 0; len + 1 < strlen(streams[i]); len++) {
            struct hearing part;
            translate_stream_as(&cut, providers[i], &dialect_responses, &manner, slice_of(streams[i], len), 0);
            hearing_begin(&part, &dialect_responses);
            hearing_stream(&part, buf_slice(&cut.out));
            if (part.wrong) UNIT_FAIL("%zu bytes: %s: %s", len, part.wrong, part.place);
            EXPECT(!part.has_ended || cut.end != DIALECT_CUT);
            hearing_clear(&part);
            translating_clear(&cut);
        }
        done();
    }
}

int main(void)
{
    RUN(a_text_is_a_message_of_one_part);
    RUN(texts_that_follow_each_other_are_parts_of_one_message);
    RUN(calls_and_texts_are_items_in_their_order);
    RUN(calls_may_be_told_in_turns);
    RUN(calls_are_given_back_as_the_client_knows_them);
    RUN(half_a_text_for_a_tool_is_never_its_input);
    RUN(what_is_cut_is_not_completed);
    RUN(each_event_of_an_error_goes_on_by_itself);
    RUN(what_was_thought_comes_back_to_its_provider);
    RUN(what_chats_thought_is_an_item_too);
    RUN(reasons_are_this_apis);
    RUN(a_cut_answer_has_no_end);
    RUN(errors_are_this_apis);
    RUN(a_whole_answer_is_the_same_items);
    RUN(a_long_answer_is_refused_and_not_kept);
    RUN(nothing_depends_on_the_cut);
    return unit_close("translate_responses");
}
