/*
 * The Responses dialect: bodies and what is read of them, edits, ends of streams, errors; what a stream says, and says
 * again. Requests of real clients too (../shared/captured, or where MOONGATE_CAPTURED says).
 */
#include "../unit.h"

#include "captured.h"

#include "base/limits.h"
#include "wire/dialect.h"

static const struct dialect *const d = &dialect_responses;

#include "speaking.h"

#define HEAD "\"model\":\"m\","
#define INPUT(items) "{" HEAD "\"input\":[" items "]}"
#define USER(content) INPUT("{\"role\":\"user\",\"content\":" content "}")

static void a_length_of_nothing_is_none(void)
{
    struct fixture f;
    begin(&f, "{\"model\":\"m\",\"max_output_tokens\":0,\"input\":\"u\"}");
    EXPECT_INT(-1, f.r.max_tokens);
    finish(&f);
}

static void all_that_is_asked_for_is_found(void)
{
    struct fixture f;
    EXPECT_STR("/responses", d->path(CHAT_CHAT));
    EXPECT_STR("/responses/input_tokens", d->path(CHAT_COUNT));
    EXPECT_STR("/responses/compact", d->path(CHAT_COMPACT));
    EXPECT(d->path(CHAT_EMBEDDINGS) == NULL);
    begin(&f, "{\"model\":\"some\\u002dmodel\",\"max_output_tokens\":1e2,\"stream\":true,\"instructions\":\"s\","
              "\"temperature\":0.5,\"service_tier\":\"flex\",\"user\":\"u-1\",\"metadata\":{\"moongate\":{\"data\":\"x\"}},"
              "\"input\":[{\"role\":\"user\",\"content\":\"u\"},{\"type\":\"function_call\",\"name\":\"f\"}],"
              "\"tools\":[{\"type\":\"function\",\"name\":\"f\"},{\"type\":\"custom\",\"name\":\"c\"}]}");
    EXPECT_SLICE(SLICE("some-model"), f.r.model);
    EXPECT(f.r.is_stream && f.r.include_usage == CHAT_TRUE);
    EXPECT_INT(100, f.r.max_tokens);
    EXPECT(f.r.temperature == 0.5);
    EXPECT_INT(1, f.r.choices);
    EXPECT_INT(2, f.r.message_count);
    EXPECT_INT(2, f.r.tool_count);
    EXPECT_INT(CHAT_USES_TOOLS, f.r.uses);
    EXPECT_SLICE(SLICE("flex"), f.r.service_tier);
    EXPECT_SLICE(SLICE("\"u-1\""), json_raw(&f.r.tape, f.r.user_node));
    EXPECT_SLICE(SLICE("{\"data\":\"x\"}"), json_raw(&f.r.tape, f.r.hints_node));
    finish(&f);
    begin(&f, "{" HEAD "\"input\":\"hi\"}");
    EXPECT_INT(1, f.r.message_count);
    EXPECT_SLICE(SLICE("hi"), chat_last_user_text(&f.r, 100, &f.arena));
    struct chat_cursor cursor = CHAT_CURSOR;
    EXPECT(chat_next_outside(&f.r, &cursor) && !chat_next_outside(&f.r, &cursor));
    finish(&f);
    begin(&f, "{" HEAD "\"instructions\":\"by us\"}");
    EXPECT_INT(0, f.r.message_count);
    cursor = CHAT_CURSOR;
    EXPECT(!chat_next_outside(&f.r, &cursor));
    finish(&f);
}

#define TOOLS(list) "{" HEAD "\"tools\":[" list "]}"

static void what_it_makes_the_model_do_is_known(void)
{
    static const unsigned mcp = CHAT_USES_REMOTE_MCP | CHAT_USES_HOSTED_TOOLS;
    expect_uses(USER("[{\"type\":\"input_image\",\"image_url\":\"https://x\"}]"), CHAT_USES_IMAGES);
    expect_uses(USER("[{\"type\":\"input_file\",\"file_url\":\"f\",\"file_id\":null}]"), CHAT_USES_FILES);
    expect_uses(INPUT("{\"type\":\"image_generation_call\",\"id\":\"ig\",\"result\":\"AAAA\"}"), CHAT_USES_IMAGES);
    expect_uses(USER("[{\"type\":\"input_audio\",\"input_audio\":{}}]"), CHAT_USES_AUDIO);
    expect_uses(INPUT("{\"type\":\"computer_call_output\",\"output\":{\"type\":\"computer_screenshot\",\"image_url\":\"f\"}}"),
                CHAT_USES_IMAGES);
    expect_uses(INPUT("{\"type\":\"function_call_output\",\"output\":[{\"type\":\"input_image\"}]}"), CHAT_USES_IMAGES);
    expect_uses(TOOLS("{\"type\":\"local_shell\"},{\"type\":\"apply_patch\"},{\"type\":\"shell\"}"), CHAT_USES_TOOLS);
    expect_uses(TOOLS("{\"type\":\"shell\",\"environment\":{\"type\":\"local\"}}"), CHAT_USES_TOOLS);
    expect_uses(TOOLS("{\"type\":\"shell\",\"environment\":{\"type\":\"container_auto\"}}"), CHAT_USES_HOSTED_TOOLS);
    expect_uses(TOOLS("{\"type\":\"web_search\"}"), CHAT_USES_HOSTED_TOOLS);
    expect_uses(TOOLS("{\"type\":\"of_next_year\"}"), CHAT_USES_HOSTED_TOOLS);
    expect_uses(TOOLS("{\"type\":\"mcp\",\"server_url\":\"https://x\"}"), mcp);
    expect_uses(TOOLS("{\"type\":\"namespace\",\"tools\":[{\"type\":\"function\"},{\"type\":\"mcp\"}]}"), mcp | CHAT_USES_TOOLS);
    expect_uses(INPUT("{\"type\":\"tool_search_output\",\"tools\":[{\"type\":\"mcp\"}]}"), mcp);
    expect_uses(INPUT("{\"type\":\"mcp_list_tools\",\"tools\":[{\"name\":\"a\"}]}"), 0);
}

static void what_could_be_read_in_two_ways_is_refused(void)
{
    expect_refused("{\"input\":\"x\"}", CHAT_CHAT, "\"model\" is missing");
    expect_refused("{" HEAD "\"Input\":\"x\"}", CHAT_CHAT, "\"input\" must be written in lower case");
    expect_refused("{" HEAD "\"instructions\":\"a\",\"instruct\\u0069ons\":\"b\"}", CHAT_COUNT,
                   "\"instructions\" is given twice; give it once");
    expect_refused("{" HEAD "\"instructions\":[\"a\"]}", CHAT_CHAT, "\"instructions\" must be a string");
    expect_refused("{" HEAD "\"input\":{}}", CHAT_CHAT, "\"input\" must be a string or an array");
    expect_refused("{" HEAD "\"tools\":{}}", CHAT_CHAT, "\"tools\" must be an array");
    expect_refused(USER("[{\"type\":\"input_text\",\"text\":\"a\",\"text\":\"b\"}]"), CHAT_CHAT,
                   "input[0]: \"text\" is given twice; give it once");
    expect_refused(INPUT("{\"type\":\"function_call\",\"arguments\":\"a\",\"arguments\":\"b\"}"), CHAT_CHAT,
                   "input[0]: \"arguments\" is given twice; give it once");
    expect_refused(TOOLS("{\"type\":\"namespace\",\"tools\":[{\"type\":\"function\",\"type\":\"mcp\"}]}"), CHAT_CHAT,
                   "a tool's \"type\" is given twice; give it once");
    expect_refused("{" HEAD "\"reasoning\":{\"effort\":\"low\",\"effort\":\"high\"}}", CHAT_CHAT,
                   "\"reasoning.effort\" is given twice; give it once");
    expect_refused("{" HEAD "\"background\":true}", CHAT_CHAT,
                   "\"background\" must be left out: wait for the answer, or ask for a stream");
    static const char *const backgrounds[] = {"1", "\"true\"", "\"false\"", "{}", "[]"};
    for (size_t i = 0; i < sizeof backgrounds / sizeof backgrounds[0]; i++) {
        char body[100];
        snprintf(body, sizeof body, "{" HEAD "\"background\":%s}", backgrounds[i]);
        expect_refused(body, CHAT_CHAT, "\"background\" must be left out: wait for the answer, or ask for a stream");
    }
    expect_uses("{" HEAD "\"background\":false}", 0);
    expect_uses("{" HEAD "\"background\":null}", 0);
}

static void every_item_is_walked(void)
{
    expect_pieces("{" HEAD "\"instructions\":\"sys\",\"input\":["
                  "{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"t\"},"
                  "{\"type\":\"input_image\",\"image_url\":\"data:x\",\"detail\":\"low\"},"
                  "{\"type\":\"input_image\"},{\"type\":\"input_file\",\"file_data\":\"BBBB\",\"filename\":\"n\"},"
                  "{\"type\":\"input_file\",\"file_url\":\"f\"}]},"
                  "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"o\","
                  "\"annotations\":[],\"logprobs\":[]}]},"
                  "{\"type\":\"reasoning\",\"id\":\"rs\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"why\"}],"
                  "\"encrypted_content\":\"E\"},"
                  "{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"},"
                  "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"r\"},"
                  "{\"type\":\"custom_tool_call_output\",\"output\":[{\"type\":\"input_text\",\"text\":\"r2\"}]},"
                  "{\"type\":\"local_shell_call\",\"action\":{\"command\":[\"ls\"]}},"
                  "{\"type\":\"shell_call_output\",\"output\":[{\"stdout\":\"so\",\"outcome\":{\"a\":1}}]},"
                  "{\"type\":\"image_generation_call\",\"result\":\"AAAA\"},"
                  "{\"type\":\"of_next_year\",\"said\":\"new\"}],"
                  "\"tools\":[{\"type\":\"namespace\",\"name\":\"n\",\"description\":\"d\",\"tools\":[{\"type\":\"function\","
                  "\"name\":\"f\",\"parameters\":{}}]},{\"type\":\"web_search\"}],"
                  "\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"},"
                  "\"text\":{\"format\":{\"type\":\"json_schema\",\"schema\":{}}}}",
                  "content \"sys\"\ncontent \"t\"\npicture \"data:x\"\npicture -\nfile \"BBBB\"\ncall \"n\"\n"
                  "elsewhere \"input_file\"\ncontent \"o\"\nreasoning \"why\"\nelsewhere \"E\"\ncall \"f\"\ncall \"{}\"\n"
                  "content result \"r\"\ncontent result \"r2\"\njson {\"command\":[\"ls\"]}\n"
                  "json result {\"stdout\":\"so\",\"outcome\":{\"a\":1}}\npicture \"AAAA\"\ncall \"new\"\ncall \"n\"\ncall \"d\"\ntool \"f\"\ntool -\nchoice \"f\"\n"
                  "schema {\"type\":\"json_schema\",\"schema\":{}}\n");
    expect_pieces("{" HEAD "\"input\":\"hi\",\"tool_choice\":\"none\"}", "content \"hi\"\nchoice -\n");
}

static void what_is_no_text_is_not_looked_at(void)
{
    expect_texts(INPUT("{\"role\":\"user\",\"type\":\"message\",\"id\":\"I\",\"status\":\"S\",\"content\":[{\"type\":\"T\","
                       "\"text\":\"a\"},{\"type\":\"T\",\"image_url\":\"U\",\"detail\":\"D\",\"file_data\":\"F\"}]},"
                       "{\"type\":\"reasoning\",\"encrypted_content\":\"E\",\"summary\":[{\"text\":\"b\"}]},"
                       "{\"type\":\"image_generation_call\",\"result\":\"R\"},"
                       "{\"type\":\"of_next_year\",\"note\":\"c\",\"call_id\":\"C\"}"),
                 "a b c ");
}

/* Whoever writes what a tool is asked may call its members as he likes: nothing hides there. */
static void nothing_hides_in_what_a_tool_is_asked(void)
{
    expect_texts(INPUT("{\"type\":\"local_shell_call\",\"id\":\"I\",\"action\":{\"id\":\"a\",\"env\":{\"type\":\"b\","
                       "\"image_url\":\"c\"}}},"
                       "{\"type\":\"tool_search_call\",\"arguments\":{\"status\":\"d\"}},"
                       "{\"type\":\"of_next_year\",\"list\":[{\"encrypted_content\":\"e\"}]},"
                       "{\"type\":\"tool_search_output\",\"tools\":[{\"type\":\"f\"}]},"
                       "{\"role\":\"user\",\"content\":[{\"type\":\"T\",\"content\":[{\"id\":\"g\"}]}]}"),
                 "a b c d e f g ");
}

static void what_the_user_said_last_is_no_tools_word(void)
{
    struct fixture f;
    begin(&f, INPUT("{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"and\"},{\"type\":\"input_file\","
                    "\"filename\":\"x\",\"file_url\":\"f\"},{\"type\":\"input_text\",\"text\":\"more\"}]},"
                    "{\"type\":\"function_call_output\",\"output\":\"21\"},{\"role\":\"developer\",\"content\":\"not this\"}"));
    EXPECT_SLICE(SLICE("and\nmore"), chat_last_user_text(&f.r, 100, &f.arena));
    finish(&f);
}

static void edits_are_written_as_this_api_calls_them(void)
{
    static const char plain[] = "{\"model\":\"m\"}";
    expect_edit(plain, "max_tokens", "5", "{\"model\":\"m\",\"max_output_tokens\":5}");
    expect_edit("{" HEAD "\"max_output_tokens\":9}", "max_tokens", "5", "{" HEAD "\"max_output_tokens\":5}");
    expect_edit("{" HEAD "\"max_output_tokens\":9}", "max_tokens", "", plain);
    expect_edit(plain, "temperature", "0.1", "{\"model\":\"m\",\"temperature\":0.1}");
    expect_edit(plain, "store", "false", "{\"model\":\"m\",\"store\":false}");
    expect_edit(plain, "seed", "1", plain);
    expect_edit(plain, "stop", "\"x\"", plain);
    expect_edit(plain, "reasoning_effort", "\"low\"", "{\"model\":\"m\",\"reasoning\":{\"effort\":\"low\"}}");
    expect_edit("{" HEAD "\"reasoning\":{\"summary\":\"auto\"}}", "reasoning_effort", "\"low\"",
                "{" HEAD "\"reasoning\":{\"summary\":\"auto\",\"effort\":\"low\"}}");
    expect_edit("{" HEAD "\"text\":{\"verbosity\":\"high\"}}", "verbosity", "\"low\"", "{" HEAD "\"text\":{\"verbosity\":\"low\"}}");
    expect_edit("{" HEAD "\"metadata\":{\"moongate\":{}}}", "user", "\"u\"", "{\"model\":\"m\",\"user\":\"u\"}");
}

static void ends_of_streams(void)
{
    struct dialect_stream s;
    dialect_stream_init(&s, 1);
    EXPECT_INT(0, read_event(&s, "x", "{\"type\":\"response.created\",\"response\":{\"model\":\"m-1\",\"status\":\"in_progress\","
                                      "\"error\":null,\"usage\":null}}"));
    EXPECT_STR("m-1", s.model);
    EXPECT_INT(SAID_PART_ENDS, read_event(&s, "x", "{\"type\":\"response.output_text.done\",\"text\":\"a\"}"));
    EXPECT_INT(DIALECT_CUT, d->judge_end(&s));
    EXPECT_INT(SAID_DONE | SAID_FINISHED,
               read_event(&s, "x", "{\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\","
                                   "\"incomplete_details\":{\"reason\":\"max_output_tokens\"},\"usage\":{\"input_tokens\":5,"
                                   "\"output_tokens\":7,\"output_tokens_details\":{\"reasoning_tokens\":2}}}}"));
    EXPECT_STR("max_output_tokens", s.finish_reason);
    EXPECT_INT(5, s.usage.input_tokens);
    EXPECT_INT(2, s.usage.reasoning_tokens);
    EXPECT_INT(DIALECT_COMPLETE, d->judge_end(&s));
    EXPECT_INT(SAID_DONE, read_event(&s, "", " [DONE]"));
    EXPECT_INT(SAID_UNREADABLE, read_event(&s, "x", "[1]"));
    dialect_stream_init(&s, 1);
    EXPECT_INT(SAID_ERROR, read_event(&s, "x", "{\"type\":\"error\",\"code\":\"c\",\"message\":\"m\"}"));
    EXPECT_INT(DIALECT_FAILED, d->judge_end(&s));
    dialect_stream_init(&s, 1);
    EXPECT_INT(SAID_DONE | SAID_FINISHED | SAID_ERROR,
               read_event(&s, "x", "{\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"c\"}}}"));
    EXPECT_INT(DIALECT_FAILED, d->judge_end(&s));
}

/* Kind and text of all that one event says: "0 a\n". */
static void expect_says(struct dialect_stream *s, const char *data, const char *want)
{
    struct said said;
    struct buf out;
    struct arena arena;
    arena_init(&arena);
    buf_init(&out);
    d->read_event(&reader, s, SLICE("x"), slice_str(data), &said);
    for (uint32_t i = 0; i < said.text_count; i++)
        buf_printf(&out, "%d %u %.*s\n", said.texts[i].kind, said.texts[i].call,
                   SLICE_FMT(said_decode(&said, &said.texts[i], &arena)));
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
    arena_clear(&arena);
}

#define EVENT(type, rest) "{\"type\":\"response." type "\"," rest "}"

static void what_is_said_again_is_told_once(void)
{
    struct dialect_stream s;
    dialect_stream_init(&s, 1);
    expect_says(&s, EVENT("output_text.delta", "\"output_index\":1,\"delta\":\"a\",\"item_id\":\"i\""), "0 1 a\n");
    expect_says(&s, EVENT("output_text.done", "\"output_index\":1,\"text\":\"a\""), "");
    expect_says(&s, EVENT("output_item.done", "\"output_index\":1,\"item\":{\"content\":[{\"text\":\"a\"}]}"), "");
    expect_says(&s, EVENT("reasoning_summary_text.delta", "\"delta\":\"b\""), "2 0 b\n");
    expect_says(&s, EVENT("refusal.delta", "\"delta\":\"c\""), "1 0 c\n");
    expect_says(&s, EVENT("output_item.added", "\"output_index\":2,\"item\":{\"type\":\"function_call\",\"name\":\"f\","
                                               "\"arguments\":\"\"}"), "3 2 f\n");
    expect_says(&s, EVENT("function_call_arguments.delta", "\"output_index\":2,\"delta\":\"{}\""), "4 2 {}\n");
    expect_says(&s, EVENT("of_next_year.delta", "\"output_index\":3,\"delta\":\"d\""), "4 3 d\n");
    expect_says(&s, EVENT("audio.delta", "\"delta\":\"AAAA\""), "");
    expect_says(&s, EVENT("shell_call_output_content.delta", "\"delta\":\"so\""), "");
    expect_says(&s, EVENT("output_item.done", "\"output_index\":4,\"item\":{\"type\":\"local_shell_call\",\"action\":{\"a\":1}}"),
                "4 4 {\"a\":1}\n"); /* it had no deltas */
    expect_says(&s, EVENT("output_item.done", "\"output_index\":5,\"item\":{\"type\":\"shell_call_output\",\"input\":\"x\"}"), "");
    expect_says(&s, EVENT("completed", "\"response\":{\"output\":[{\"content\":[{\"text\":\"b\"}]}]}"), "");
    /* A part that had no deltas, behind one that had; and what was thought beside what was said. */
    expect_says(&s, EVENT("output_text.delta", "\"output_index\":6,\"content_index\":0,\"delta\":\"f\""), "0 6 f\n");
    expect_says(&s, EVENT("output_item.done", "\"output_index\":6,\"item\":{\"content\":[{\"text\":\"f\"},{\"text\":\"g\"}],"
                                              "\"summary\":[{\"text\":\"h\"}]}"), "2 6 h\n0 6 g\n");
    expect_says(&s, EVENT("completed", "\"response\":{\"output\":[]}"), "");
    /* Pieces of an answer too large to be kept. */
    expect_says(&s, "{\"output\":[null,{\"type\":\"message\",\"content\":[{\"text\":\"e\"}]}]}", "0 1 e\n");
}

/* Of proxies that have no stream themselves. */
static void what_comes_with_the_end_alone_is_told(void)
{
    struct dialect_stream s;
    dialect_stream_init(&s, 1);
    expect_says(&s, EVENT("output_text.delta", "\"output_index\":0,\"delta\":\"\""), "");
    expect_says(&s, EVENT("output_item.done", "\"output_index\":0,\"item\":{\"content\":[]}"), "");
    expect_says(&s, EVENT("output_text.delta", "\"output_index\":1,\"delta\":\"b\""), "0 1 b\n");
    expect_says(&s, EVENT("output_item.done", "\"output_index\":2,\"item\":{\"content\":[{\"text\":\"c\"}]}"), "0 2 c\n");
    expect_says(&s, EVENT("output_item.added", "\"output_index\":3,\"item\":{\"name\":\"f\",\"arguments\":\"\"}"), "3 3 f\n");
    expect_says(&s, EVENT("in_progress", "\"response\":{\"output\":[{\"content\":[{\"text\":\"a\"}]}]}"), "");
    expect_says(&s,
                EVENT("completed", "\"response\":{\"output\":[{\"content\":[{\"text\":\"a\"}]},{\"content\":[{\"text\":\"b\"}]},"
                                   "{\"content\":[{\"text\":\"c\"}]},{\"name\":\"f\",\"arguments\":\"{}\"},"
                                   "{\"name\":\"g\",\"arguments\":\"{1}\"},{\"type\":\"shell_call_output\",\"name\":\"x\"}]}"),
                "0 0 a\n4 3 {}\n3 4 g\n4 4 {1}\n");
    static const char *const ends[] = {"incomplete", "failed", "cancelled"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char event[200];
        snprintf(event, sizeof event, EVENT("%s", "\"response\":{\"output\":[{\"content\":[{\"text\":\"a\"}]}]}"), ends[i]);
        dialect_stream_init(&s, 1);
        expect_says(&s, event, "0 0 a\n");
        expect_says(&s, event, "");
    }
}

static void what_has_failed_has_whether_it_says_why_or_not(void)
{
    static const char *const failed[] = {EVENT("failed", "\"response\":{\"status\":\"failed\",\"error\":null}"),
                                         EVENT("failed", "\"x\":1")};
    for (size_t i = 0; i < sizeof failed / sizeof failed[0]; i++) {
        struct dialect_stream s;
        dialect_stream_init(&s, 1);
        expect_says(&s, failed[i], "");
        EXPECT_INT(DIALECT_FAILED, dialect_responses.judge_end(&s));
    }
}

#define CALLS                                                                                                      \
    "{\"type\":\"web_search_call\",\"action\":{\"type\":\"search\"}},{\"type\":\"web_search_call\",\"action\":{\"type\":"    \
    "\"open_page\"}},{\"type\":\"file_search_call\"},{\"type\":\"code_interpreter_call\"},{\"type\":\"mcp_call\"},"             \
    "{\"type\":\"function_call\"},{\"type\":\"image_generation_call\"}"

static void expect_charged(const struct dialect_stream *s)
{
    struct usage_parts parts;
    usage_normalise(&s->usage, &parts);
    EXPECT_INT(1, parts.count[USAGE_SEARCHES]);
    EXPECT_INT(2, parts.count[USAGE_TOOL_CALLS]);
    EXPECT_INT(1, parts.count[USAGE_IMAGES]);
}

/* Of an answer's items, each once: the last event of a stream has them all again. */
static void calls_that_cost_money_are_counted(void)
{
    struct dialect_stream s;
    struct said said;
    dialect_stream_init(&s, 1);
    d->read_body(&reader, &s, SLICE("{\"output\":[" CALLS "],\"usage\":{\"input_tokens\":1}}"), &said);
    expect_charged(&s);
    dialect_stream_init(&s, 1);
    read_event(&s, "x", EVENT("output_item.added", "\"item\":{\"type\":\"web_search_call\"}"));
    read_event(&s, "x", EVENT("output_item.done", "\"item\":{\"type\":\"web_search_call\",\"action\":{\"type\":\"search\"}}"));
    read_event(&s, "x", EVENT("output_item.done", "\"item\":{\"type\":\"file_search_call\"}"));
    read_event(&s, "x", EVENT("output_item.done", "\"item\":{\"type\":\"code_interpreter_call\"}"));
    read_event(&s, "x", EVENT("output_item.done", "\"item\":{\"type\":\"image_generation_call\"}"));
    read_event(&s, "x", EVENT("completed", "\"response\":{\"output\":[" CALLS "]}"));
    expect_charged(&s);
    dialect_stream_init(&s, 1);
    read_event(&s, "x", EVENT("completed", "\"response\":{\"output\":[" CALLS "]}")); /* all that came */
    expect_charged(&s);
    dialect_stream_init(&s, 1);
    read_event(&s, "x", "{\"output\":[" CALLS "]}"); /* a piece of one too large to be kept */
    expect_charged(&s);
}

static void errors_are_this_apis(void)
{
    struct buf out;
    buf_init(&out);
    expect_error((struct dialect_error){.message = SLICE("No"), .type = SLICE("t"), .code = SLICE("c")},
                 "{\"error\":{\"message\":\"No\",\"type\":\"t\",\"param\":null,\"code\":\"c\",\"request_id\":null}}");
    d->write_event_error(&out, &(struct dialect_error){.message = SLICE("cut"), .type = SLICE("invalid_request_error"),
                                                       .code = SLICE("c")});
    EXPECT_SLICE(SLICE("event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,\"error\":{\"message\":\"cut\",\"type\":"
                       "\"invalid_request_error\",\"param\":null,\"code\":\"c\",\"request_id\":null}}\n\n"
                       "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":0,\"response\":{\"object\":"
                       "\"response\",\"status\":\"failed\",\"output\":[],\"error\":{\"code\":"
                       "\"invalid_prompt\",\"message\":\"cut\"}}}\n\n"),
                 buf_slice(&out));
    buf_reset(&out);
    d->write_event_error(&out, &(struct dialect_error){.message = SLICE("cut"), .type = SLICE("upstream_error")});
    EXPECT(memmem(buf_ptr(&out), buf_len(&out), "{\"code\":\"server_error\"", 22) != NULL);
    buf_clear(&out);
}

static uint64_t count_of(const char *body)
{
    struct fixture f;
    begin(&f, body);
    uint64_t tokens = tokens_of(&f);
    finish(&f);
    return tokens;
}

/* As the provider does: 3, and of each message 3, its role and its words. */
static void a_text_and_instructions_are_messages(void)
{
    EXPECT_INT(8, count_of("{" HEAD "\"input\":\"hi\"}"));
    EXPECT_INT(8, count_of(USER("\"hi\"")));
    EXPECT_INT(8, count_of(USER("[{\"type\":\"input_text\",\"text\":\"hi\"}]")));
    EXPECT_INT(15, count_of("{" HEAD "\"input\":\"hi\",\"instructions\":\"one two three\"}"));
    EXPECT_INT(15, count_of(INPUT("{\"role\":\"developer\",\"content\":\"one two three\"},{\"role\":\"user\",\"content\":\"hi\"}")));
    EXPECT(count_of(INPUT("{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"{}\"}")) > 8);
}

static size_t captured;

static const char *const names[] = {
    "codex.responses.1.json", "codex.responses.2.json", "codex.responses.3.json", "langchain.responses.1.json",
    "litellm.responses.1.json", "llamaindex.responses.1.json", "openai-agents.responses.1.json",
    "opencode.responses.1.json", "opencode.responses.2.json", "pydantic-ai.responses.1.json",
    "vercel-ai-sdk.responses.1.json", "vercel-ai-sdk.responses.2.json"};

static void check_captured(const char *name, json_t *body)
{
    struct fixture f;
    char *text = json_dumps(body, JSON_COMPACT);
    json_t *input = json_object_get(body, "input");
    if (!parse(&f, slice_str(text), CHAT_CHAT)) UNIT_FAIL("%s: %s", name, f.why.text);
    EXPECT_SLICE(slice_str(json_string_value(json_object_get(body, "model"))), f.r.model);
    EXPECT_INT(ORACLE_IS(input, STRING) ? 1 : json_array_size(input), f.r.message_count);
    EXPECT(f.r.tool_count >= json_array_size(json_object_get(body, "tools")));
    EXPECT_INT(ORACLE_IS(json_object_get(body, "stream"), TRUE), f.r.is_stream);
    EXPECT_INT(0, f.r.uses & ~(unsigned)(CHAT_USES_TOOLS | CHAT_USES_HOSTED_TOOLS | CHAT_USES_IMAGES));
    EXPECT(tokens_of(&f) > 0 && chat_last_user_text(&f.r, 1000, &f.arena).len > 0);
    enum chat_kind kind;
    if (!ORACLE_IS(input, STRING)) EXPECT(dialect_guess(&f.r.tape, &kind) == d && kind == CHAT_CHAT);
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
    RUN(a_length_of_nothing_is_none);
    RUN(what_it_makes_the_model_do_is_known);
    RUN(what_could_be_read_in_two_ways_is_refused);
    RUN(every_item_is_walked);
    RUN(what_is_no_text_is_not_looked_at);
    RUN(nothing_hides_in_what_a_tool_is_asked);
    RUN(what_the_user_said_last_is_no_tools_word);
    RUN(edits_are_written_as_this_api_calls_them);
    RUN(ends_of_streams);
    RUN(what_is_said_again_is_told_once);
    RUN(what_has_failed_has_whether_it_says_why_or_not);
    RUN(what_comes_with_the_end_alone_is_told);
    RUN(calls_that_cost_money_are_counted);
    RUN(errors_are_this_apis);
    RUN(a_text_and_instructions_are_messages);
    RUN(requests_of_real_clients_are_read);
    printf("responses: %zu requests of real clients\n", captured);
    said_reader_clear(&reader);
    return unit_close("responses");
}
