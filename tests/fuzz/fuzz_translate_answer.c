/*
 * Answers of any bytes, in another dialect than their client's. The first bytes are the plan, the rest is the answer: by
 * a grammar of what providers say, a production a byte, or as it stands.
 *
 * Whatever comes, what leaves is what a strict client reads (tests/unit/wire/hearing.h), up to where a fault ended it;
 * an end marker leaves only behind the provider's own end; what leaves does not depend on how the answer was cut; and
 * what leaves, translated back, says the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/wire/hearing.h"
#include "../unit/wire/translating.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAN_BYTES 2

struct plan {
    const struct dialect *provider, *client;
    bool is_body, is_failure, is_grammar;
    struct answer_manner manner;
    size_t step;
};

static struct plan read_plan(const uint8_t b[PLAN_BYTES])
{
    static const size_t steps[] = {1, 2, 3, 7, 30, 200, 3000, 0};
    static struct tool_name patch = {.flat = {"\"f\"", 3}, .name = {"\"f\"", 3}, .takes_text = true};
    static struct tool_name named = {
        .flat = {"\"g\"", 3}, .name = {"\"h\"", 3}, .space = {"\"s\"", 3}, .next = &patch};
    static const struct tool_names names = {.first = &named, .count = 2};
    bool is_openai = b[0] & 1, is_responses = b[0] & 32, is_gemini = b[0] & 64, for_gemini = b[0] & 128 && !is_gemini;
    bool of_items = b[1] & 64; /* of the Responses API */
    const struct dialect *const others = is_openai ? &dialect_openai : &dialect_anthropic;
    return (struct plan){
        .provider = b[1] & 64    ? &dialect_responses
                    : b[1] & 128 ? &dialect_converse
                    : is_gemini  ? &dialect_gemini
                                 : others,
        .client = for_gemini                   ? &dialect_gemini
                   : is_responses && !of_items ? &dialect_responses
                   : is_openai    ? &dialect_anthropic
                                  : &dialect_openai,
        .is_body = b[0] & 2,
        .is_failure = (b[0] & 6) == 6,
        .is_grammar = !(b[0] & 8),
        .manner = {.id = {"req-1", 5}, .created = 1, .is_stream = true, .wants_usage = b[0] & 16, .names = &names},
        .step = steps[b[1] % 8],
    };
}

/* ---- the answer */

#define CHUNK(rest) "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0," rest "}]}\n\n"
#define TEXT(text) CHUNK("\"delta\":{\"content\":\"" text "\"},\"finish_reason\":null")
#define CALL(index, rest) CHUNK("\"delta\":{\"tool_calls\":[{\"index\":" index rest "}]}")
#define ASK(index, text) CALL(index, ",\"function\":{\"arguments\":\"" text "\"}")

static const char *const openai[] = {
    TEXT("a"), TEXT(""), TEXT("\\ud83d"), TEXT("\\ude00\\u0041\\ud83d"), TEXT("\\\\ud83d\\n\\\""),
    CHUNK("\"delta\":{\"reasoning_content\":\"t\"}"), CHUNK("\"delta\":{\"reasoning\":\"t\\ud83d\"}"),
    CHUNK("\"delta\":{\"reasoning_details\":[{\"signature\":\"s\",\"index\":0},{\"data\":\"d\"}]}"),
    CHUNK("\"delta\":{\"refusal\":\"no\"}"), CHUNK("\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"p\"},"
                                                   "{\"type\":\"thinking\",\"thinking\":[{\"text\":\"q\"}]}]}"),
    CALL("0", ",\"id\":\"i\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}"),
    CALL("0", ",\"id\":\"j\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}"),
    CALL("1", ",\"function\":{\"name\":\"h\",\"arguments\":\"{\"}"),
    CALL("2", ",\"id\":\"k\",\"function\":{\"name\":\"o\",\"arguments\":{\"x\":[1,\"\\n\"]}}"),
    ASK("0", "{\\\"a\\\":"), ASK("0", "\\\"}\\\\u007b\\\"}"), ASK("1", "}"), ASK("1", "\\\"b\\\":[\\\"\\ud83d"),
    ASK("1", "\\ude00\\\"]"), ASK("0", " "), CHUNK("\"delta\":{\"function_call\":{\"name\":\"l\",\"arguments\":\"{}\"}}"),
    CHUNK("\"delta\":{},\"finish_reason\":\"stop\""), CHUNK("\"delta\":{},\"finish_reason\":\"tool_calls\""),
    CHUNK("\"delta\":{},\"finish_reason\":\"length\""), CHUNK("\"delta\":{\"content\":\"z\"},\"finish_reason\":\"content_filter\""),
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,\"total_tokens\":12}}\n\n",
    "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"other\"}}]}\n\n", "data: [DONE]\n\n",
    "data: {\"error\":{\"message\":\"M\",\"code\":429}}\n\n", ": c\n\n", "data: {\"choices\":\n\n",
    "event: error\ndata: x\n\n", CHUNK("\"logprobs\":{\"content\":[1]},\"delta\":{\"odd\":7}"),
};

#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
#define OPEN(index, block) EVENT("content_block_start", ",\"index\":" index ",\"content_block\":" block)
#define DELTA(index, delta) EVENT("content_block_delta", ",\"index\":" index ",\"delta\":{\"type\":" delta "}")

static const char *const anthropic[] = {
    EVENT("message_start", ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"model\":\"m\",\"content\":[],"
                           "\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}"),
    OPEN("0", "{\"type\":\"text\",\"text\":\"\"}"), OPEN("1", "{\"type\":\"text\",\"text\":\"begun\"}"),
    OPEN("0", "{\"type\":\"tool_use\",\"id\":\"i\",\"name\":\"f\",\"input\":{}}"),
    OPEN("1", "{\"type\":\"tool_use\",\"id\":\"j\",\"name\":\"g\",\"input\":{\"x\":\"\\ud83d\\ude00\"}}"),
    OPEN("0", "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"),
    OPEN("1", "{\"type\":\"redacted_thinking\",\"data\":\"d\"}"),
    OPEN("1", "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"w\",\"input\":{}}"),
    DELTA("0", "\"text_delta\",\"text\":\"a\""), DELTA("0", "\"text_delta\",\"text\":\"\\ud83d\""),
    DELTA("0", "\"text_delta\",\"text\":\"\\ude00\\\\ud83d\""), DELTA("1", "\"text_delta\",\"text\":\"b\""),
    DELTA("0", "\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\\\"\\ud83d\""),
    DELTA("0", "\"input_json_delta\",\"partial_json\":\"\\ude00\\\"}\""),
    DELTA("0", "\"input_json_delta\",\"partial_json\":\"\""), DELTA("1", "\"input_json_delta\",\"partial_json\":\"{}\""),
    DELTA("0", "\"thinking_delta\",\"thinking\":\"t\""), DELTA("0", "\"signature_delta\",\"signature\":\"s\""),
    DELTA("0", "\"citations_delta\",\"citation\":{}"), EVENT("content_block_stop", ",\"index\":0"),
    EVENT("content_block_stop", ",\"index\":1"), EVENT("ping", ""),
    EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}"),
    EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"tool_use\"}"), EVENT("message_stop", ""),
    EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"refusal\",\"stop_details\":{\"explanation\":\"no\"}}"),
    EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"max_tokens\"}"), EVENT("new_event", ""), ": c\n\n",
    EVENT("error", ",\"error\":{\"type\":\"overloaded_error\",\"message\":\"M\"}"), "event: ping\ndata: {\n\n",
    EVENT("message_start", ",\"message\":{\"id\":\"msg_2\",\"type\":\"message\",\"model\":\"m\",\"stop_reason\":\"tool_use\","
                           "\"content\":[{\"type\":\"tool_use\",\"id\":\"k\",\"name\":\"h\",\"input\":{}}]}"),
};

#define PIECE(rest) "data: {" rest ",\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":2},\"responseId\":\"r\"}\r\n\r\n"
#define PART(part) PIECE("\"candidates\":[{\"content\":{\"parts\":[" part "]},\"index\":0}]")
#define PARTIAL(path, value) PART("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"" path "\"," value "}],\"willContinue\":true}}")
#define ENDS(reason) PIECE("\"candidates\":[{\"finishReason\":" reason "}]")

static const char *const gemini[] = {
    PART("{\"text\":\"a\"}"), PART("{\"text\":\"\\ud83d\"}"), PART("{\"text\":\"\\ude00\\\\ud83d\"}"), PART("{\"text\":\"t\",\"thought\":true}"),
    PART("{\"text\":\"\",\"thoughtSignature\":\"s\"}"), PART("{\"text\":\"b\",\"thoughtSignature\":\"s\"}"),
    PART("{\"functionCall\":{\"name\":\"f\",\"args\":{\"input\":\"\\ud83d\\ude00\"}},\"thoughtSignature\":\"s\"}"),
    PART("{\"functionCall\":{\"id\":\"i\",\"name\":\"g\"}},{\"function_call\":{\"name\":\"h\",\"args\":{}}}"),
    PART("{\"functionCall\":{\"name\":\"p\",\"willContinue\":true}}"), PART("{\"functionCall\":{}}"),
    PARTIAL("$.a[0].b", "\"stringValue\":\"x\",\"willContinue\":true"), PARTIAL("$.a[0].b", "\"stringValue\":\"y\""),
    PARTIAL("$.a[1]['c d']", "\"numberValue\":1e400"), PARTIAL("$.e", "\"boolValue\":true"), PARTIAL("$.f", "\"nullValue\":\"NULL_VALUE\""),
    PART("{\"executableCode\":{\"code\":\"1\"}}"), PART("{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA\"}}"),
    ENDS("\"STOP\""), ENDS("\"MAX_TOKENS\""), ENDS("3"), ENDS("\"SAFETY\",\"finishMessage\":\"no\""), ENDS("\"MALFORMED_FUNCTION_CALL\""),
    ENDS("\"NEW\""), PIECE("\"promptFeedback\":{\"blockReason\":\"SAFETY\"}"), "data: ]\n\n", ": c\n\n", "data: {\n\n",
    "data: {\"error\":{\"code\":503,\"message\":\"M\",\"status\":\"UNAVAILABLE\"}}\n\n", "data: {\"modelVersion\":\"m\"}\n\n",
    PIECE("\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}},{\"finishReason\":\"STOP\"},{\"index\":0,\"finishReason\":\"STOP\"}]"),
};
static const char *const odd_gemini[] = {
    PART("1,null,[],{},{\"text\":1},{\"functionCall\":1}"), PART("{\"functionCall\":{\"name\":\"f\",\"args\":[1]}}"), ENDS("{}"), ENDS("\"\""), ENDS("99"), ENDS("0"), ENDS("\"FINISH_REASON_UNSPECIFIED\""),
    PARTIAL("$", "\"stringValue\":\"\""), PARTIAL("$.a.b", "\"stringValue\":1"), PARTIAL("$[0]", "\"boolValue\":1"), PARTIAL("$.a", ""),
    PART("{\"functionCall\":{\"partialArgs\":[1,{}],\"willContinue\":true}}"), PART("{\"functionCall\":{\"partialArgs\":{}}}"), "data: []\n\n",
    "data: {\"candidates\":{}}\n\n", "data: {\"candidates\":[1,null,[]]}\n\n", PIECE("\"promptFeedback\":{\"blockReason\":\"\"}"),
    PIECE("\"candidates\":[{\"index\":-1,\"content\":[1]},{\"index\":1e30,\"finishReason\":\"STOP\"}]"), PART("{\"thoughtSignature\":\"s\"}"),
};
static const char *const gemini_body[] = {
    "{\"candidates\":[{\"content\":{\"parts\":[", "]},\"finishReason\":\"STOP\"}]", "]},\"finishReason\":2}]", "]}}]", "}", ",", "[", "]",
    ",\"usageMetadata\":{\"promptTokenCount\":3,\"totalTokenCount\":9}", "{\"text\":\"a\\ud83d\\ude00\"}", "{\"text\":\"t\",\"thought\":true,\"thoughtSignature\":\"s\"}",
    "{\"functionCall\":{\"name\":\"f\",\"args\":{\"input\":1e400}},\"thoughtSignature\":\"s\"}", "{\"functionCall\":{\"args\":{}}}", "{}", "1",
    ",\"error\":{\"message\":\"M\"}", "{\"promptFeedback\":{\"blockReason\":\"SAFETY\",\"blockReasonMessage\":\"no\"}}",
};

/* Members of another type, or not there. */
static const char *const odd_openai[] = {
    "data: {}\n\n", "data: {\"choices\":null}\n\n", "data: {\"choices\":[1,null,[],{}]}\n\n", "data: {\"usage\":{}}\n\n",
    "data: {\"id\":1,\"model\":[],\"choices\":[{}]}\n\n", CHUNK("\"delta\":null"), CHUNK("\"delta\":[1]"),
    CHUNK("\"delta\":{\"tool_calls\":{}}"), CHUNK("\"delta\":{\"tool_calls\":[1,{},{\"function\":2}]}"),
    CHUNK("\"delta\":{\"tool_calls\":[{\"index\":-1,\"function\":{\"name\":\"f\",\"arguments\":7}}]}"),
    CHUNK("\"delta\":{\"tool_calls\":[{\"index\":1e9,\"id\":3,\"function\":{\"name\":\"f\",\"arguments\":[]}}]}"),
    CHUNK("\"delta\":{\"reasoning_details\":[1,{\"signature\":2,\"data\":{}}]}"), CHUNK("\"finish_reason\":3"),
    CHUNK("\"text\":\"x\""), CHUNK("\"message\":{\"content\":\"y\"}"), "data: {\"error\":\"\"}\n\n",
    "data: {\"error\":{\"message\":1,\"code\":[]}}\n\n", CHUNK("\"delta\":{\"content\":[1,{\"text\":2}]}"),
    "data: {\"choices\":[{\"index\":\"0\",\"finish_reason\":\"error\"}]}\n\n",
};
static const char *const odd_anthropic[] = {
    EVENT("message_start", ""), EVENT("message_start", ",\"message\":{}"), EVENT("message_start", ",\"message\":[1]"),
    EVENT("message_start", ",\"message\":{\"id\":1,\"content\":{},\"container\":3}"),
    EVENT("message_start", ",\"message\":{\"content\":[1,null,{},{\"type\":7}]}"), EVENT("content_block_start", ""),
    OPEN("0", "1"), OPEN("0", "{}"), OPEN("-1", "{\"type\":\"text\"}"), OPEN("\"0\"", "{\"type\":\"text\"}"),
    OPEN("0", "{\"type\":\"tool_use\",\"name\":1,\"input\":2}"), OPEN("1", "{\"type\":\"tool_use\",\"name\":\"f\",\"input\":[]}"),
    OPEN("1", "{\"type\":\"text\",\"text\":{},\"citations\":[1]}"), EVENT("content_block_delta", ",\"index\":0"),
    DELTA("0", "1"), DELTA("0", "\"text_delta\""), DELTA("0", "\"text_delta\",\"text\":1"), EVENT("message_delta", ""),
    EVENT("message_delta", ",\"delta\":{\"stop_reason\":1,\"stop_details\":2}"), EVENT("content_block_stop", ""),
    "event: error\ndata: {\"type\":\"error\"}\n\n", "data: {}\n\n", EVENT("error", ",\"error\":{\"type\":1}"),
};

static const char *const openai_body[] = {
    "{\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"", "},\"finish_reason\":\"stop\"}]",
    "},\"finish_reason\":\"length\"}]", ",\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2,\"total_tokens\":6}", "}",
    ",\"content\":\"a\\ud83d\\ude00\"", ",\"content\":null", ",\"refusal\":\"no\"", ",\"reasoning_content\":\"t\"",
    ",\"tool_calls\":[{\"id\":\"i\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1e400}\"}}]",
    ",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{\"}},{\"function\":{\"name\":\"g\"}}]",
    ",\"error\":{\"message\":\"M\"}", "{\"choices\":[1]", "{\"choices\":[{\"message\":[", ",\"tool_calls\":[1]",
    ",\"content\":[{\"text\":1},2]", "{\"choices\":[{\"index\":0,\"message\":null,\"x\":{\"y\":1",
};

static const char *const anthropic_body[] = {
    "{\"id\":\"msg_1\",\"type\":\"message\",\"model\":\"m\",\"content\":[", "],\"stop_reason\":\"end_turn\"",
    "],\"stop_reason\":\"tool_use\"", ",\"usage\":{\"input_tokens\":4,\"output_tokens\":2}", "}", ",",
    "{\"type\":\"text\",\"text\":\"a\\ud83d\\ude00\"}", "{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"}",
    "{\"type\":\"redacted_thinking\",\"data\":\"d\"}", "{\"type\":\"tool_use\",\"id\":\"i\",\"name\":\"f\",\"input\":{\"x\":1e400}}",
    "{\"type\":\"server_tool_use\",\"name\":\"w\"}", "{}", "1", "{\"type\":\"text\",\"text\":1,\"citations\":2}",
    "{\"type\":\"tool_use\"}", "{\"type\":\"tool_use\",\"name\":\"f\",\"input\":[]}", ",\"error\":{\"type\":\"api_error\",\"message\":\"M\"}",
};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

#define NAMED(name, data) "event: " name "\ndata: {" data "}\n\n"
#define PIECE(index, delta) NAMED("contentBlockDelta", "\"contentBlockIndex\":" index ",\"delta\":{" delta "}")
#define BEGIN(index, start) NAMED("contentBlockStart", "\"contentBlockIndex\":" index ",\"start\":{" start "}")

static const char *const converse[] = {
    NAMED("messageStart", "\"role\":\"assistant\",\"p\":\"abc\""), PIECE("0", "\"text\":\"a\""), PIECE("0", "\"text\":\"\""),
    PIECE("0", "\"text\":\"\\ud83d\""), PIECE("0", "\"text\":\"\\ude00\\\\ud83d\""), PIECE("1", "\"text\":\"b\""),
    PIECE("0", "\"reasoningContent\":{\"text\":\"t\"}"), PIECE("0", "\"reasoningContent\":{\"signature\":\"s\"}"),
    PIECE("1", "\"reasoningContent\":{\"redactedContent\":\"d\"}"), PIECE("0", "\"citation\":{\"title\":\"t\"}"),
    BEGIN("0", "\"toolUse\":{\"toolUseId\":\"i\",\"name\":\"f\"}"), BEGIN("1", "\"toolUse\":{\"toolUseId\":\"j\",\"name\":\"g\"}"),
    BEGIN("2", "\"toolUse\":{\"toolUseId\":\"k\",\"name\":\"h\",\"type\":\"server_tool_use\"}"), BEGIN("1", ""),
    PIECE("0", "\"toolUse\":{\"input\":\"{\\\"a\\\":\\\"\\ud83d\"}"), PIECE("0", "\"toolUse\":{\"input\":\"\\ude00\\\"}\"}"),
    PIECE("1", "\"toolUse\":{\"input\":\"{}\"}"), PIECE("1", "\"toolUse\":{\"input\":\"\"}"),
    NAMED("contentBlockStop", "\"contentBlockIndex\":0"), NAMED("contentBlockStop", "\"contentBlockIndex\":1"),
    NAMED("contentBlockStop", "\"contentBlockIndex\":2"), NAMED("messageStop", "\"stopReason\":\"end_turn\""),
    NAMED("messageStop", "\"stopReason\":\"tool_use\""), NAMED("messageStop", "\"stopReason\":\"max_tokens\""),
    NAMED("messageStop", "\"stopReason\":\"guardrail_intervened\""), ": c\n\n",
    NAMED("metadata", "\"usage\":{\"inputTokens\":3,\"outputTokens\":4,\"totalTokens\":7},\"metrics\":{\"latencyMs\":1}"),
    NAMED("throttlingException", "\"message\":\"M\""), NAMED("newEvent", "\"x\":1"),
};
static const char *const odd_converse[] = {
    NAMED("messageStart", ""), NAMED("contentBlockDelta", ""), NAMED("contentBlockStart", ""), NAMED("contentBlockStop", ""),
    NAMED("messageStop", ""), NAMED("messageStop", "\"stopReason\":1"), NAMED("metadata", "\"usage\":[1]"), NAMED("metadata", ""),
    PIECE("-1", "\"text\":\"a\""), PIECE("\"0\"", "\"text\":\"a\""), PIECE("4294967295", "\"text\":\"a\""), PIECE("0", ""),
    PIECE("0", "\"text\":1"), PIECE("0", "\"toolUse\":[]"), PIECE("1", "\"image\":{}"), BEGIN("0", "\"toolUse\":{\"name\":1}"),
    BEGIN("0", "\"toolUse\":1"), "event: metadata\ndata: {\n\n", "event: messageStop\ndata: [1]\n\n", "data: {}\n\n",
    "event: internalServerException\ndata: x\n\n", NAMED("messageStop", "\"stopReason\":\"malformed_tool_use\""),
};
static const char *const converse_body[] = {
    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[", "]}},\"stopReason\":\"end_turn\"",
    "]}},\"stopReason\":\"tool_use\"", ",\"usage\":{\"inputTokens\":4,\"outputTokens\":2,\"totalTokens\":6}", "}", ",",
    "{\"text\":\"a\\ud83d\\ude00\"}", "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"t\",\"signature\":\"s\"}}}",
    "{\"reasoningContent\":{\"redactedContent\":\"d\"}}", "{\"toolUse\":{\"toolUseId\":\"i\",\"name\":\"f\",\"input\":{\"x\":1e400}}}",
    "{\"citationsContent\":{\"content\":[{\"text\":\"c\"},1],\"citations\":[]}}", "{\"image\":{}}", "{}", "1", "{\"toolUse\":{}}",
    "{\"message\":\"M\"", "{\"__type\":\"x#ThrottlingException\",\"Message\":\"M\"", "{\"__type\":\"\"", "{\"text\":1}",
};

#define R_EVENT(type, rest) EVENT("response." type, rest)
#define R_WHOLE(type, rest) R_EVENT(type, ",\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\"output\":[]" rest "}")
#define R_ITEM(type, place, item) R_EVENT("output_item." type, ",\"output_index\":" place ",\"item\":{" item "}")
#define R_DELTA(type, place, rest) R_EVENT(type ".delta", ",\"output_index\":" place rest)
#define R_MESSAGE(content) "\"id\":\"msg_1\",\"type\":\"message\",\"content\":[" content "]"
#define R_TEXT(text) "{\"type\":\"output_text\",\"text\":\"" text "\"}"
#define R_CALL(name, asked) "\"type\":\"function_call\",\"call_id\":\"i\",\"name\":\"" name "\",\"arguments\":\"" asked "\""
#define R_THOUGHT(words, rest) "\"id\":\"rs_1\",\"type\":\"reasoning\",\"summary\":[" words "]" rest
#define R_CUSTOM "\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"f\",\"input\":\"\\ud83d\\ude00\\\"\""
#define R_USAGE ",\"usage\":{\"input_tokens\":3,\"output_tokens\":4,\"total_tokens\":7}"

static const char *const responses[] = {
    R_WHOLE("created", ",\"status\":\"in_progress\""), R_WHOLE("in_progress", ""), R_ITEM("added", "0", R_MESSAGE("")),
    R_ITEM("added", "0", R_CALL("f", "")), R_ITEM("added", "1", R_CALL("g", "")), R_ITEM("added", "1", R_THOUGHT("", "")),
    R_ITEM("added", "2", R_CALL("", "")), R_ITEM("added", "2", "\"type\":\"web_search_call\""), R_ITEM("added", "3", R_MESSAGE("")),
    R_DELTA("output_text", "0", ",\"content_index\":0,\"delta\":\"a\""), R_DELTA("output_text", "0", ",\"content_index\":1,\"delta\":\"b\""),
    R_DELTA("output_text", "3", ",\"delta\":\"\\ud83d\""), R_DELTA("output_text", "3", ",\"delta\":\"\\ude00\\\\ud83d\""),
    R_DELTA("refusal", "3", ",\"content_index\":2,\"delta\":\"no\""), R_DELTA("function_call_arguments", "0", ",\"delta\":\"{\\\"a\\\":\\\"\\ud83d\""),
    R_DELTA("function_call_arguments", "0", ",\"delta\":\"\\ude00\\\"}\""), R_DELTA("function_call_arguments", "1", ",\"delta\":\"{}\""),
    R_DELTA("reasoning_summary_text", "1", ",\"summary_index\":0,\"delta\":\"t\\ud83d\""),
    R_DELTA("reasoning_summary_text", "1", ",\"summary_index\":1,\"delta\":\"\\ude00\""),
    R_DELTA("reasoning_text", "1", ",\"content_index\":0,\"delta\":\"w\""), R_EVENT("output_text.done", ",\"output_index\":3,\"text\":\"c\""),
    R_ITEM("done", "0", R_MESSAGE(R_TEXT("a") "," R_TEXT("b\\ud83d\\ude00") ",{\"type\":\"refusal\",\"refusal\":\"n\"}")),
    R_ITEM("done", "0", R_CALL("f", "{}")), R_ITEM("done", "1", R_CALL("g", "{\\\"x\\\":1}")), R_ITEM("done", "2", R_CALL("h", "{}")),
    R_ITEM("done", "1", R_THOUGHT("{\"text\":\"t\"},{\"text\":\"u\"}", ",\"encrypted_content\":\"E\"")),
    R_ITEM("done", "2", R_THOUGHT("", ",\"encrypted_content\":\"F\"")), R_ITEM("done", "3", R_MESSAGE(R_TEXT("d"))), R_ITEM("done", "4", R_CUSTOM),
    R_EVENT("output_text.annotation.added", ",\"output_index\":0,\"annotation\":{}"), EVENT("keepalive", ""), R_EVENT("new", ""),
    R_WHOLE("completed", ",\"status\":\"completed\"" R_USAGE), R_WHOLE("completed", ",\"status\":\"completed\"" R_USAGE),
    R_WHOLE("incomplete", ",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}"),
    R_WHOLE("incomplete", ",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"content_filter\"}"), "data: [DONE]\n\n", ": c\n\n",
    R_EVENT("completed", ",\"response\":{\"status\":\"completed\",\"output\":[{" R_MESSAGE(R_TEXT("e")) "},{" R_CALL("k", "{}") "}]}"),
    R_WHOLE("failed", ",\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"M\"}"), "data: {\"type\":\n\n",
};
static const char *const odd_responses[] = {
    "data: {}\n\n", R_EVENT("created", ""), R_EVENT("created", ",\"response\":[1]"), R_EVENT("completed", ""), R_EVENT("failed", ",\"response\":{\"error\":null}"),
    R_WHOLE("cancelled", ""), R_WHOLE("completed", ",\"status\":\"queued\""), R_WHOLE("completed", ",\"status\":7,\"usage\":[]"),
    R_EVENT("completed", ",\"response\":{\"output\":[1,null,{},{\"type\":1}]}"), R_EVENT("completed", ",\"response\":{\"output\":{}}"),
    R_EVENT("output_item.added", ",\"output_index\":0"), R_EVENT("output_item.done", ",\"output_index\":0,\"item\":1"), R_ITEM("done", "-1", ""),
    R_ITEM("done", "1e3", R_MESSAGE("1,null,{},{\"type\":\"output_text\",\"text\":2},{\"type\":\"new\"}")), R_ITEM("added", "1024", ""),
    R_ITEM("done", "5", R_MESSAGE("{\"type\":\"refusal\"}") ",\"phase\":\"commentary\""), R_ITEM("done", "6", "\"type\":\"reasoning\",\"summary\":{},\"content\":[1,{\"text\":2}],\"encrypted_content\":3"),
    R_ITEM("done", "7", "\"type\":\"function_call\",\"name\":1,\"arguments\":{}"), R_ITEM("done", "8", "\"type\":\"function_call\",\"status\":\"incomplete\",\"name\":\"f\",\"arguments\":\"{\""),
    R_ITEM("done", "9", "\"type\":\"custom_tool_call\",\"name\":\"f\",\"input\":{}"), R_DELTA("output_text", "0", ",\"content_index\":64,\"delta\":\"a\""),
    R_DELTA("output_text", "0", ",\"content_index\":-1,\"delta\":\"a\""), R_DELTA("output_text", "\"0\"", ",\"delta\":\"a\""), R_DELTA("output_text", "0", ",\"delta\":1"),
    R_DELTA("reasoning_summary_text", "1", ",\"summary_index\":4294967294,\"delta\":\"a\""), EVENT("error", ",\"message\":\"M\",\"code\":null"), EVENT("error", ",\"error\":1"),
};
static const char *const responses_body[] = {
    "{\"id\":\"resp_1\",\"object\":\"response\",\"model\":\"m\",\"output\":[", "],\"status\":\"completed\"", "],\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}",
    R_USAGE "}", "}", ",", "{" R_MESSAGE(R_TEXT("a\\ud83d\\ude00")) "}", "{" R_CALL("f", "{\\\"x\\\":1e400}") "}", "{" R_THOUGHT("{\"text\":\"t\"}", ",\"encrypted_content\":\"E\"") "}",
    "{" R_THOUGHT("", ",\"encrypted_content\":\"F\"") "}", "{" R_CUSTOM "}", "{\"type\":\"web_search_call\"}", "{}", "1", ",\"error\":{\"code\":\"server_error\",\"message\":\"M\"}", "{" R_CALL("g", "{") "}",
};

static const char *production_of_responses(const struct plan *p, uint8_t byte)
{
    if (p->is_body) return responses_body[byte % COUNT(responses_body)];
    return byte >= 160 ? odd_responses[byte % COUNT(odd_responses)] : responses[byte % COUNT(responses)];
}

static const char *production_of_converse(const struct plan *p, uint8_t byte)
{
    if (p->is_body) return converse_body[byte % COUNT(converse_body)];
    return byte >= 160 ? odd_converse[byte % COUNT(odd_converse)] : converse[byte % COUNT(converse)];
}

static const char *production_of_gemini(const struct plan *p, uint8_t byte)
{
    if (p->is_body) return gemini_body[byte % COUNT(gemini_body)];
    return byte >= 160 ? odd_gemini[byte % COUNT(odd_gemini)] : gemini[byte % COUNT(gemini)];
}

static const char *production(const struct plan *p, uint8_t byte)
{
    if (p->provider == &dialect_responses && byte < 250) return production_of_responses(p, byte);
    if (p->provider == &dialect_converse && byte < 250) return production_of_converse(p, byte);
    if (p->provider == &dialect_gemini && byte < 250) return production_of_gemini(p, byte);
    bool is_openai = p->provider == &dialect_openai;
    if (byte >= 250) is_openai = !is_openai;
    if (!p->is_body && byte >= 160 && byte < 250)
        return is_openai ? odd_openai[byte % COUNT(odd_openai)] : odd_anthropic[byte % COUNT(odd_anthropic)];
    if (p->is_body) return is_openai ? openai_body[byte % COUNT(openai_body)] : anthropic_body[byte % COUNT(anthropic_body)];
    return is_openai ? openai[byte % COUNT(openai)] : anthropic[byte % COUNT(anthropic)];
}

static void write_answer(const struct plan *p, const uint8_t *data, size_t size, struct buf *answer)
{
    buf_init(answer);
    for (size_t i = 0; i < size && buf_len(answer) < 100000; i++) {
        if (p->is_grammar)
            buf_append(answer, slice_str(production(p, data[i])));
        else
            buf_append_char(answer, (char)data[i]);
    }
}

/* ---- what must hold */

static void check_heard(const struct hearing *h)
{
    if (h->wrong) fprintf(stderr, "%s: %s\n", h->wrong, h->place);
    check(!h->wrong);
}

/* There and back: what both dialects can say is as it was. Arguments that are no object have no place in one, and a
 * refusal is a text of its own in the other. */
static void check_back(const struct plan *p, const struct hearing *h, struct slice events)
{
    struct translating back;
    struct hearing again;
    bool is_plain = !h->is_beyond && !memchr(buf_slice(&h->calls).ptr, '?', buf_len(&h->calls));
    if (!h->has_ended || !is_plain || buf_len(&h->refusal)) return;
    translate_stream_as(&back, p->client, p->provider, &p->manner, events, 0);
    hearing_begin(&again, p->provider);
    hearing_stream(&again, buf_slice(&back.out));
    check_heard(&again);
    check(again.has_ended && !back.has_stopped);
    check(slice_equal(buf_slice(&h->text), buf_slice(&again.text)));
    check(slice_equal(buf_slice(&h->reasoning), buf_slice(&again.reasoning)));
    bool is_own = p->client == &dialect_gemini || p->client == &dialect_responses;
    bool is_signed = !is_own; /* providers of these have signatures of their own */
    check(!is_signed || slice_equal(buf_slice(&h->signatures), buf_slice(&again.signatures)));
    check(!is_signed || slice_equal(buf_slice(&h->redacted), buf_slice(&again.redacted)));
    bool is_renamed = p->client == &dialect_responses || p->provider == &dialect_responses; /* its clients call some so */
    check(is_renamed || slice_equal(buf_slice(&h->calls), buf_slice(&again.calls)));
    hearing_clear(&again);
    translating_clear(&back);
}

static void check_stream(const struct plan *p, struct slice answer)
{
    struct translating whole, cut;
    struct hearing h;
    translate_stream_as(&whole, p->provider, p->client, &p->manner, answer, 0);
    translate_stream_as(&cut, p->provider, p->client, &p->manner, answer, p->step);
    check(slice_equal(buf_slice(&whole.out), buf_slice(&cut.out)));
    check(whole.has_stopped == cut.has_stopped && whole.why.code == cut.why.code);
    check(!whole.has_stopped || whole.why.code == FAULT_UNTRANSLATABLE);
    hearing_begin(&h, p->client);
    hearing_stream(&h, buf_slice(&whole.out));
    check_heard(&h);
    bool is_over = whole.end == DIALECT_COMPLETE || whole.end == DIALECT_COMPLETE_UNMARKED;
    check(!h.has_ended || is_over || whole.told.has_error); /* an error may come behind the end */
    check(!is_over || h.has_ended || h.has_error || whole.has_stopped || h.is_beyond);
    check(!(h.has_ended && whole.has_stopped));
    bool has_way_back = p->client->answers->reader_new && p->provider->answers->writer_new;
    if (has_way_back) check_back(p, &h, buf_slice(&whole.out));
    hearing_clear(&h);
    translating_clear(&whole);
    translating_clear(&cut);
}

static void check_body(const struct plan *p, struct slice answer)
{
    struct translating t;
    struct hearing h;
    if (p->is_failure)
        translate_failure(&t, p->provider, p->client, 400 + (int)answer.len % 130, answer);
    else
        translate_body(&t, p->provider, p->client, answer);
    hearing_begin(&h, p->client);
    check(!t.has_stopped || t.why.code == FAULT_UNTRANSLATABLE);
    check(t.has_stopped == !buf_len(&t.out));
    if (buf_len(&t.out)) hearing_body(&h, buf_slice(&t.out));
    check_heard(&h);
    check(!p->is_failure || h.has_error);
    hearing_clear(&h);
    translating_clear(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf answer;
    if (size < PLAN_BYTES) return 0;
    struct plan p = read_plan(data);
    write_answer(&p, data + PLAN_BYTES, size - PLAN_BYTES, &answer);
    if (p.is_body)
        check_body(&p, buf_slice(&answer));
    else
        check_stream(&p, buf_slice(&answer));
    buf_clear(&answer);
    return 0;
}
