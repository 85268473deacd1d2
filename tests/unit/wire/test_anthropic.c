/*
 * Anthropic's dialect: bodies and what is read of them, edits, ends of streams, errors, lists, rates. Requests of real
 * clients too (../shared/captured, or where MOONGATE_CAPTURED says).
 */
#include "../unit.h"

#include "captured.h"

#include "base/limits.h"
#include "wire/dialect.h"

static const struct dialect *const d = &dialect_anthropic;

#include "speaking.h"

#define HEAD "\"model\":\"m\",\"max_tokens\":9,"
#define USER(content) "{" HEAD "\"messages\":[{\"role\":\"user\",\"content\":" content "}]}"

static void all_that_is_asked_for_is_found(void)
{
    struct fixture f;
    begin(&f, "{\"model\":\"some\\u002dmodel\",\"max_tokens\":1e2,\"stream\":true,\"system\":\"s\",\"temperature\":0.5,"
              "\"service_tier\":\"auto\",\"metadata\":{\"user_id\":\"u-1\",\"moongate\":{\"data\":\"internal\"}},"
              "\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"system\",\"content\":\"now\"}],"
              "\"tools\":[{\"name\":\"f\",\"input_schema\":{}},{\"type\":\"bash_20250124\",\"name\":\"bash\"}]}");
    EXPECT_SLICE(SLICE("some-model"), f.r.model);
    EXPECT(f.r.is_stream);
    EXPECT_INT(100, f.r.max_tokens);
    EXPECT(f.r.temperature == 0.5);
    EXPECT_INT(1, f.r.choices);
    EXPECT_INT(1, f.r.generated);
    EXPECT_INT(2, f.r.message_count);
    EXPECT_INT(2, f.r.tool_count);
    EXPECT_INT(CHAT_USES_TOOLS, f.r.uses);
    EXPECT_SLICE(SLICE("auto"), f.r.service_tier);
    EXPECT_SLICE(SLICE("\"u-1\""), json_raw(&f.r.tape, f.r.user_node));
    EXPECT_SLICE(SLICE("{\"data\":\"internal\"}"), json_raw(&f.r.tape, f.r.hints_node));
    finish(&f);
}

static void what_it_makes_the_model_do_is_known(void)
{
    expect_uses(USER("[{\"type\":\"image\",\"source\":{}}]"), CHAT_USES_IMAGES);
    expect_uses(USER("[{\"type\":\"document\",\"source\":{}}]"), CHAT_USES_FILES);
    expect_uses(USER("[{\"type\":\"tool_result\",\"content\":[{\"type\":\"image\",\"source\":{}}]}]"), CHAT_USES_IMAGES);
    expect_uses("{" HEAD "\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]}", CHAT_USES_HOSTED_TOOLS);
    expect_uses("{" HEAD "\"tools\":[{\"type\":\"of_next_year\"}]}", CHAT_USES_HOSTED_TOOLS);
    expect_uses("{" HEAD "\"tools\":[{\"type\":\"custom\",\"name\":\"f\"}]}", CHAT_USES_TOOLS);
    expect_uses("{" HEAD "\"mcp_servers\":[{\"url\":\"https://x\"}]}", CHAT_USES_REMOTE_MCP | CHAT_USES_HOSTED_TOOLS);
    expect_uses("{" HEAD "\"mcp_servers\":[]}", 0);
}

static void what_could_be_read_in_two_ways_is_refused(void)
{
    expect_refused("{\"model\":\"m\",\"messages\":[]}", CHAT_CHAT, "\"max_tokens\" is missing");
    expect_refused("{\"model\":\"m\",\"max_tokens\":\"9\"}", CHAT_CHAT, "\"max_tokens\" must be a whole number");
    expect_refused("{\"model\":\"m\",\"max_tokens\":-1}", CHAT_CHAT, "\"max_tokens\" must be a whole number");
    expect_refused("{\"max_tokens\":9}", CHAT_COUNT, "\"model\" is missing");
    expect_refused("{" HEAD "\"Model\":\"x\"}", CHAT_CHAT, "\"model\" must be written in lower case");
    expect_refused("{" HEAD "\"system\":\"a\",\"s\\u0079stem\":\"b\"}", CHAT_CHAT, "\"system\" is given twice; give it once");
    expect_refused("{" HEAD "\"messages\":\"hi\"}", CHAT_CHAT, "\"messages\" must be an array");
    expect_refused(USER("[{\"type\":\"text\",\"text\":\"a\",\"text\":\"b\"}]"), CHAT_CHAT,
                   "messages[0]: \"text\" is given twice; give it once");
    expect_refused("{" HEAD "\"system\":[{\"text\":\"a\",\"text\":\"b\"}]}", CHAT_CHAT,
                   "system: \"text\" is given twice; give it once");
    expect_refused("{" HEAD "\"tools\":[{\"type\":\"custom\",\"type\":\"web_search_1\"}]}", CHAT_CHAT,
                   "a tool's \"type\" is given twice; give it once");
    expect_refused(USER("[{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"type\":\"text\",\"data\":\"a\"}}]"), CHAT_CHAT,
                   "messages[0]: \"type\" is given twice; give it once");
    expect_refused("{" HEAD "\"metadata\":{\"user_id\":\"a\",\"user_id\":\"b\"}}", CHAT_CHAT,
                   "\"metadata.user_id\" is given twice; give it once");
    expect_refused("{" HEAD "\"output_config\":{\"effort\":\"low\",\"effort\":\"high\"}}", CHAT_CHAT,
                   "\"output_config.effort\" is given twice; give it once");
    expect_refused("{" HEAD "\"fallbacks\":[{\"model\":\"dear\"}]}", CHAT_CHAT,
                   "\"fallbacks\" must be left out: which model comes next is this gateway's to say");
}

static void every_block_is_walked(void)
{
    expect_pieces("{" HEAD "\"system\":[{\"type\":\"text\",\"text\":\"sys\"}],\"messages\":["
                  "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"t\"},\"plain\","
                  "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"AAAA\"}},"
                  "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://x\"}},"
                  "{\"type\":\"document\",\"title\":\"T\",\"source\":{\"type\":\"text\",\"data\":\"doc\"}},"
                  "{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"data\":\"BBBB\"}},"
                  "{\"type\":\"document\",\"source\":{\"type\":\"file\",\"file_id\":\"f\"}},"
                  "{\"type\":\"search_result\",\"source\":\"src\",\"content\":[{\"type\":\"text\",\"text\":\"found\"}]}]},"
                  "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"S\"},"
                  "{\"type\":\"redacted_thinking\",\"data\":\"D\"},"
                  "{\"type\":\"tool_use\",\"id\":\"i\",\"name\":\"f\",\"input\":{\"a\":1}}]},"
                  "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"i\",\"content\":\"r\"},"
                  "{\"type\":\"of_next_year\",\"content\":[{\"type\":\"text\",\"text\":\"new\"}]}]}],"
                  "\"tools\":[{\"name\":\"f\",\"input_schema\":{}}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"},"
                  "\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"x\":1}}}}",
                  "content \"sys\"\ncontent \"t\"\ncontent \"plain\"\npicture \"AAAA\"\npicture -\ncontent \"T\"\n"
                  "content \"doc\"\nfile \"BBBB\"\nelsewhere {\"type\":\"file\",\"file_id\":\"f\"}\ncontent \"src\"\n"
                  "content \"found\"\nreasoning \"hm\"\ncall \"f\"\njson {\"a\":1}\ncontent result \"r\"\n"
                  "content \"new\"\ntool \"f\"\nchoice \"f\"\nschema {\"x\":1}\n");
}

static void what_is_no_text_is_not_looked_at(void)
{
    expect_texts(USER("[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"x\"}},"
                      "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"m\",\"data\":\"D\"}},"
                      "{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":\"m\",\"data\":\"b\"}},"
                      "{\"type\":\"thinking\",\"thinking\":\"c\",\"signature\":\"S\"},"
                      "{\"type\":\"redacted_thinking\",\"data\":\"D\"},"
                      "{\"type\":\"tool_result\",\"tool_use_id\":\"I\",\"content\":[{\"type\":\"text\",\"text\":\"d\"}]},"
                      "{\"type\":\"of_next_year\",\"note\":\"e\"}]"),
                 "a b c d e ");
    expect_texts_in("{" HEAD "\"system\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\"}},"
                    "{\"type\":\"text\",\"text\":\"b\"}],\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", true, "a b ");
    expect_texts_in("{" HEAD "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"system\":\"a\"}", true, "a ");
}

/* Whoever writes a tool's input may call its members as he likes: nothing hides there. */
static void nothing_hides_in_a_tools_input(void)
{
    expect_texts(USER("[{\"type\":\"tool_use\",\"id\":\"I\",\"name\":\"n\",\"input\":{\"id\":\"a\",\"signature\":\"b\","
                      "\"source\":{\"type\":\"base64\",\"data\":\"c\"},\"deep\":[{\"type\":\"redacted_thinking\",\"x\":\"d\"}]}},"
                      "{\"type\":\"tool_use\",\"content\":[{\"type\":\"x\",\"input\":{\"id\":\"e\"}}],\"input\":{\"id\":\"f\"}},"
                      "{\"type\":\"text\",\"id\":\"I\",\"text\":\"g\"}]"),
                 "n a b base64 c redacted_thinking d e f g ");
}

static struct slice last_text(struct fixture *f, const char *messages)
{
    static char body[1024];
    snprintf(body, sizeof body, "{" HEAD "\"messages\":%s}", messages);
    begin(f, body);
    return chat_last_user_text(&f->r, 100, &f->arena);
}

static void what_tools_gave_back_nobody_has_said(void)
{
    struct fixture f;
    EXPECT_SLICE(SLICE("ask"), last_text(&f, "[{\"role\":\"user\",\"content\":\"ask\"},{\"role\":\"user\",\"content\":"
                                             "[{\"type\":\"tool_result\",\"content\":\"21\"}]}]"));
    finish(&f);
    EXPECT_SLICE(SLICE("and\nmore"),
                 last_text(&f, "[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"content\":\"21\"},"
                               "{\"type\":\"text\",\"text\":\"and\"},{\"type\":\"text\",\"text\":\"more\"}]},"
                               "{\"role\":\"system\",\"content\":\"not this\"}]"));
    finish(&f);
}

#define THINKS(budget) "{" HEAD "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":" budget "}}"

static void edits_are_written_as_this_api_calls_them(void)
{
    static const char plain[] = "{\"model\":\"m\",\"max_tokens\":9}";
    expect_edit(plain, "max_tokens", "5", "{\"model\":\"m\",\"max_tokens\":5}");
    expect_edit(plain, "max_tokens", "", plain);
    expect_edit(THINKS("5000"), "max_tokens", "5001", "{\"model\":\"m\",\"max_tokens\":5001,\"thinking\":{\"type\":\"enabled\","
                                                      "\"budget_tokens\":5000}}");
    expect_edit(THINKS("5000"), "max_tokens", "5000", "{\"model\":\"m\",\"max_tokens\":5000,\"thinking\":{\"type\":\"enabled\","
                                                      "\"budget_tokens\":2500}}");
    expect_edit(THINKS("5000"), "max_tokens", "2047", "{\"model\":\"m\",\"max_tokens\":2047}");
    expect_edit(THINKS("5000"), "temperature", "1", "{\"model\":\"m\",\"max_tokens\":9,\"thinking\":{\"type\":\"enabled\","
                                                    "\"budget_tokens\":5000},\"temperature\":1}");
    expect_edit(plain, "temperature", "0.1", "{\"model\":\"m\",\"max_tokens\":9,\"temperature\":0.1}");
    expect_edit(plain, "seed", "1", plain);
    expect_edit(plain, "store", "false", plain);
    expect_edit(plain, "stop", "\"x\"", "{\"model\":\"m\",\"max_tokens\":9,\"stop_sequences\":[\"x\"]}");
    expect_edit(plain, "stop", "[\"x\",\"y\"]", "{\"model\":\"m\",\"max_tokens\":9,\"stop_sequences\":[\"x\",\"y\"]}");
    expect_edit(plain, "reasoning_effort", "\"low\"",
                "{\"model\":\"m\",\"max_tokens\":9,\"output_config\":{\"effort\":\"low\"}}");
    expect_edit("{" HEAD "\"output_config\":{\"a\":1}}", "reasoning_effort", "\"low\"",
                "{" HEAD "\"output_config\":{\"a\":1,\"effort\":\"low\"}}");
    expect_edit(plain, "safety_identifier", "\"u\"",
                "{\"model\":\"m\",\"max_tokens\":9,\"metadata\":{\"user_id\":\"u\"}}");
    expect_edit("{" HEAD "\"metadata\":{\"user_id\":\"a\"}}", "safety_identifier", "", /* its own name is another */
                "{" HEAD "\"metadata\":{\"user_id\":\"a\"}}");
    expect_edit(plain, "user", "\"u\"", "{\"model\":\"m\",\"max_tokens\":9,\"metadata\":{\"user_id\":\"u\"}}");
    expect_edit("{" HEAD "\"metadata\":{\"user_id\":\"a\"}}", "user", "\"u\"", "{" HEAD "\"metadata\":{\"user_id\":\"u\"}}");
    expect_edit("{" HEAD "\"metadata\":{\"moongate\":{}}}", "user", "\"u\"", "{" HEAD "\"metadata\":{\"user_id\":\"u\"}}");
    expect_edit(plain, "parallel_tool_calls", "false", plain);
    expect_edit("{" HEAD "\"tools\":[{\"name\":\"f\"}]}", "parallel_tool_calls", "false",
                "{" HEAD "\"tools\":[{\"name\":\"f\"}],\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}}");
}

static void ends_of_streams(void)
{
    struct dialect_stream s;
    dialect_stream_init(&s, 1);
    EXPECT_INT(0, read_event(&s, "ping", "{\"type\": \"ping\"}   "));
    EXPECT_INT(SAID_PART_ENDS, read_event(&s, "content_block_stop", "{\"type\":\"content_block_stop\",\"index\":0}"));
    EXPECT_INT(DIALECT_CUT, d->judge_end(&s));
    EXPECT_INT(SAID_FINISHED,
               read_event(&s, "message_delta", "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}"));
    EXPECT_STR("end_turn", s.finish_reason);
    EXPECT_INT(DIALECT_CUT, d->judge_end(&s)); /* the library waits for message_stop */
    EXPECT_INT(SAID_DONE, read_event(&s, "message_stop", "{\"type\":\"message_stop\"}"));
    EXPECT_INT(DIALECT_COMPLETE, d->judge_end(&s));
    EXPECT_INT(SAID_UNREADABLE, read_event(&s, "x", "[1]"));
    EXPECT_INT(SAID_UNREADABLE, read_event(&s, "x", "{"));
    EXPECT_INT(SAID_ERROR | SAID_UNREADABLE, read_event(&s, "error", "no JSON"));
    EXPECT_INT(DIALECT_FAILED, d->judge_end(&s));
    dialect_stream_init(&s, 1);
    EXPECT_INT(SAID_ERROR, read_event(&s, "error", "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}"));
    EXPECT_INT(DIALECT_FAILED, d->judge_end(&s));
}

/* Of several reports the last that says something counts, number by number. */
static void usage_comes_in_parts(void)
{
    struct dialect_stream s;
    dialect_stream_init(&s, 1);
    read_event(&s, "message_start", "{\"type\":\"message_start\",\"message\":{\"model\":\"m-1\",\"usage\":{\"input_tokens\":5,"
                                    "\"cache_read_input_tokens\":7,\"cache_creation_input_tokens\":2,\"output_tokens\":1}}}");
    read_event(&s, "message_delta", "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":4}}");
    read_event(&s, "message_delta", "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"input_tokens\":6,"
                                    "\"cache_read_input_tokens\":null,\"output_tokens\":9}}");
    EXPECT_STR("m-1", s.model);
    struct usage_parts parts;
    usage_normalise(&s.usage, &parts);
    EXPECT_INT(15, usage_parts_input(&parts));
    EXPECT_INT(7, parts.count[USAGE_CACHE_READ]);
    EXPECT_INT(9, usage_parts_output(&parts));
}

static void errors_are_this_apis(void)
{
    expect_error((struct dialect_error){.message = SLICE("No \"x\""), .type = SLICE("invalid_request_error"),
                                        .code = SLICE("not_allowed"), .request_id = SLICE("r-1"), .policy = SLICE("access"),
                                        .rule = SLICE("m")},
                 "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"No \\\"x\\\"\","
                 "\"code\":\"not_allowed\",\"policy\":\"access\",\"rule\":\"m\"},\"request_id\":\"r-1\"}");
    expect_error((struct dialect_error){.message = SLICE("m")},
                 "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"}}");
    struct buf out;
    buf_init(&out);
    d->write_event_error(&out, &(struct dialect_error){.message = SLICE("cut"), .type = SLICE("rate_limit_error")});
    EXPECT_SLICE(SLICE("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":"
                       "\"cut\"}}\n\n"), buf_slice(&out));
    buf_clear(&out);
}

static void expect_type(int status, const char *type, const char *want)
{
    struct buf out = {0}, text = {0};
    buf_printf(&text, "\"error\":{\"type\":\"%s\",", want);
    d->write_event_error(&out, &(struct dialect_error){.message = SLICE("m"), .type = slice_str(type), .status = status});
    buf_append_char(&out, '\0');
    buf_append_char(&text, '\0');
    if (!strstr(buf_ptr(&out), buf_ptr(&text))) UNIT_FAIL("%d is no %s: %s", status, want, buf_ptr(&out));
    buf_clear(&text);
    buf_clear(&out);
}

/* Source: Anthropic API reference, "Errors". */
static void refusals_have_the_type_of_their_status(void)
{
    static const struct {
        int status;
        const char *type;
    } table[] = {{400, "invalid_request_error"}, {401, "authentication_error"}, {402, "billing_error"},
                 {403, "permission_error"},      {404, "not_found_error"},      {405, "invalid_request_error"},
                 {409, "conflict_error"},        {413, "request_too_large"},    {429, "rate_limit_error"},
                 {500, "api_error"},             {502, "api_error"},            {503, "overloaded_error"},
                 {504, "timeout_error"},         {529, "overloaded_error"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        expect_type(table[i].status, "server_error", table[i].type);
    expect_type(402, "invalid_request_error", "billing_error");
    expect_type(429, "invalid_request_error", "rate_limit_error");
    expect_type(503, "invalid_request_error", "api_error");
}

static void lists_and_rates_are_this_apis(void)
{
    struct slice names[] = {SLICE("a"), SLICE("b")};
    struct dialect_header headers[DIALECT_RATE_HEADERS_MAX];
    struct dialect_rates rates = {.tokens = {.limit = 10, .left = 3, .reset_ns = 86400000000000u + 1}};
    struct arena arena;
    struct buf out;
    buf_init(&out);
    arena_init(&arena);
    d->write_models(&out, names, 2, 86400);
    EXPECT_SLICE(SLICE("{\"data\":[{\"type\":\"model\",\"id\":\"a\",\"display_name\":\"a\",\"created_at\":"
                       "\"1970-01-02T00:00:00Z\"},{\"type\":\"model\",\"id\":\"b\",\"display_name\":\"b\",\"created_at\":"
                       "\"1970-01-02T00:00:00Z\"}],\"has_more\":false,\"first_id\":\"a\",\"last_id\":\"b\"}"),
                 buf_slice(&out));
    buf_reset(&out);
    d->write_models(&out, names, 0, 0);
    EXPECT_SLICE(SLICE("{\"data\":[],\"has_more\":false,\"first_id\":null,\"last_id\":null}"), buf_slice(&out));
    EXPECT_INT(3, d->write_rates(&arena, &rates, 0, headers));
    EXPECT_SLICE(SLICE("anthropic-ratelimit-tokens-remaining"), headers[1].name);
    EXPECT_SLICE(SLICE("3"), headers[1].value);
    EXPECT_SLICE(SLICE("1970-01-02T00:00:01Z"), headers[2].value);
    buf_clear(&out);
    arena_clear(&arena);
}

static void calls_inputs_and_system_prompts_are_counted(void)
{
    struct fixture f;
    begin(&f, USER("\"hi\""));
    uint64_t plain = tokens_of(&f);
    finish(&f);
    begin(&f, "{" HEAD "\"system\":\"one two three\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
    EXPECT_INT(3, tokens_of(&f) - plain);
    EXPECT_INT(15, chat_text_bytes(&f.r));
    finish(&f);
    begin(&f, USER("[{\"type\":\"text\",\"text\":\"hi\"},{\"type\":\"tool_use\",\"name\":\"f\",\"input\":{\"city\":\"Berlin\"}}]"));
    EXPECT(tokens_of(&f) > plain + 4);
    finish(&f);
}

static size_t captured;

static const char *const names[] = {
    "anthropic-sdk-js.messages-count-tokens.1.json", "anthropic-sdk-js.messages.1.json", "claude-code.messages.1.json",
    "claude-code.messages.2.json", "claude-code.messages.3.json", "claude-code.messages.4.json",
    "litellm.messages.1.json", "opencode.messages.1.json", "opencode.messages.2.json"};

static void check_captured(const char *name, json_t *body)
{
    struct fixture f;
    char *text = json_dumps(body, JSON_COMPACT);
    bool is_count = strstr(name, "count-tokens") != NULL;
    json_t *messages = json_object_get(body, "messages"), *tools = json_object_get(body, "tools");
    if (!parse(&f, slice_str(text), is_count ? CHAT_COUNT : CHAT_CHAT)) UNIT_FAIL("%s: %s", name, f.why.text);
    EXPECT_SLICE(slice_str(json_string_value(json_object_get(body, "model"))), f.r.model);
    EXPECT_INT(json_array_size(messages), f.r.message_count);
    EXPECT_INT(json_array_size(tools), f.r.tool_count);
    EXPECT_INT(ORACLE_IS(json_object_get(body, "stream"), TRUE), f.r.is_stream);
    EXPECT_INT(0, f.r.uses & ~(unsigned)(CHAT_USES_TOOLS | CHAT_USES_CACHING));
    EXPECT_INT(strstr(text, "\"cache_control\":{") != NULL, (f.r.uses & CHAT_USES_CACHING) != 0);
    EXPECT(tokens_of(&f) > 0 && chat_last_user_text(&f.r, 1000, &f.arena).len > 0);
    enum chat_kind kind;
    if (!is_count && f.r.system_node != JSON_NONE) EXPECT(dialect_guess(&f.r.tape, &kind) == d && kind == CHAT_CHAT);
    finish(&f);
    free(text);
}

static void requests_of_real_clients_are_read(void)
{
    captured = captured_each(names, sizeof names / sizeof names[0], check_captured);
}

int main(void)
{
    RUN(all_that_is_asked_for_is_found);
    RUN(what_it_makes_the_model_do_is_known);
    RUN(what_could_be_read_in_two_ways_is_refused);
    RUN(every_block_is_walked);
    RUN(what_is_no_text_is_not_looked_at);
    RUN(nothing_hides_in_a_tools_input);
    RUN(what_tools_gave_back_nobody_has_said);
    RUN(edits_are_written_as_this_api_calls_them);
    RUN(ends_of_streams);
    RUN(usage_comes_in_parts);
    RUN(errors_are_this_apis);
    RUN(refusals_have_the_type_of_their_status);
    RUN(lists_and_rates_are_this_apis);
    RUN(calls_inputs_and_system_prompts_are_counted);
    RUN(requests_of_real_clients_are_read);
    printf("anthropic: %zu requests of real clients\n", captured);
    said_reader_clear(&reader);
    return unit_close("anthropic");
}
