/*
 * Objects of a provider that requests of the Responses dialect name, and those that answers say were made. Other
 * dialects' requests: tests/e2e/owned_spec.lua.
 */
#include "../unit.h"

#include "base/limits.h"
#include "wire/dialect.h"
#include "wire/kept_answer.h"

static const struct dialect *const d = &dialect_responses;

#include "speaking.h"

#define HEAD "\"model\":\"m\","
#define INPUT(items) "{" HEAD "\"input\":[" items "]}"
#define USER(content) INPUT("{\"role\":\"user\",\"content\":" content "}")
#define TOOLS(list) "{" HEAD "\"tools\":[" list "]}"

/* As "kind id", with commas. */
static void expect_named(const char *body, enum chat_kind kind, const char *want)
{
    struct fixture f;
    char text[200] = "";
    size_t len = 0;
    if (!parse(&f, slice_str(body), kind)) UNIT_FAIL("%s: %s", body, f.why.text);
    for (uint32_t i = 0; i < f.r.kept_count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %.*s", len ? ", " : "",
                                kept_name(f.r.kept[i].kind), SLICE_FMT(f.r.kept[i].id));
    if (strcmp(want, text) != 0) UNIT_FAIL("%s: expected '%s', got '%s'", body, want, text);
    EXPECT((f.r.kept_count > 0) == ((f.r.uses & CHAT_USES_STORED) != 0));
    finish(&f);
}

static void expect_no_item(const char *item)
{
    char body[400];
    const char *id = strstr(item, "\"id\":\"") + 6;
    char want[100];
    snprintf(body, sizeof body, INPUT("{\"role\":\"user\",\"content\":\"x\"},%s"), item);
    snprintf(want, sizeof want, "item %.*s", (int)strcspn(id, "\""), id);
    expect_named(body, CHAT_CHAT, want);
    expect_named(body, CHAT_COUNT, want);
}

/* By whatever name it has: an id does not say whose it is. */
static void what_a_provider_keeps_is_named(void)
{
    expect_no_item("{\"type\":null,\"id\":\"msg_1\"}");
    expect_no_item("{\"type\":\"image_generation_call\",\"id\":\"ig_1\"}");
    expect_no_item("{\"type\":\"image_generation_call\",\"id\":\"ig_1\",\"result\":null}");
    expect_no_item("{\"type\":\"image_generation_call\",\"id\":\"ig_1\",\"result\":\"\"}");
    expect_no_item("{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[]}");
    expect_no_item("{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"text\":\"\"}],\"content\":[{\"text\":1}],"
                   "\"encrypted_content\":null}");
    expect_uses(INPUT("{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[],\"encrypted_content\":\"E\"},"
                      "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"text\":\"a\"}]},"
                      "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[],\"content\":[{\"text\":\"a\"}]},"
                      "{\"type\":\"reasoning\",\"summary\":[]}"), 0);
    expect_named(USER("[{\"type\":\"input_file\",\"file_id\":\"f\"}]"), CHAT_CHAT, "file f");
    /* Of what nobody here knows, too: it may be read there. */
    expect_named(INPUT("{\"type\":\"new_call\",\"place\":{\"work\":[{\"container_id\":\"c\"}]}}"), CHAT_CHAT, "container c");
    expect_named(USER("[{\"type\":\"new\",\"new\":{\"file_id\":\"f\"}}]"), CHAT_CHAT, "file f");
    expect_named(INPUT("{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":{\"file_id\":\"f\"}}"), CHAT_CHAT, "");
    expect_named(USER("[{\"type\":\"input_image\",\"file\\u005fid\":\"f\"}]"), CHAT_COUNT, "file f");
    expect_named(INPUT("{\"type\":\"computer_call_output\",\"output\":{\"type\":\"computer_screenshot\",\"file_id\":\"f\"}}"),
                   CHAT_CHAT, "file f");
    expect_named(INPUT("{\"type\":\"function_call_output\",\"output\":[{\"type\":\"input_file\",\"file_id\":\"f\"}]}"),
                   CHAT_CHAT, "file f");
    expect_named(TOOLS("{\"type\":\"code_interpreter\",\"container\":\"cntr_1\"}"), CHAT_CHAT, "container cntr_1");
    expect_named(TOOLS("{\"type\":\"code_interpreter\",\"container\":{\"type\":\"auto\",\"file_ids\":[\"f\"]}}"), CHAT_CHAT,
                   "file f");
    expect_named(TOOLS("{\"type\":\"namespace\",\"tools\":[{\"type\":\"shell\",\"environment\":{\"type\":\"container_reference\","
                         "\"container_id\":\"cntr_1\"}}]}"), CHAT_CHAT, "container cntr_1");
    expect_named(TOOLS("{\"type\":\"image_generation\",\"input_image_mask\":{\"file_id\":\"f\"}}"), CHAT_CHAT,
                   "file f");
    expect_named(INPUT("{\"type\":\"tool_search_output\",\"tools\":[{\"type\":\"code_interpreter\",\"container\":\"c\"}]}"),
                   CHAT_CHAT, "container c");
    expect_uses(TOOLS("{\"type\":\"code_interpreter\",\"container\":{\"type\":\"auto\",\"file_ids\":[]}}"), CHAT_USES_HOSTED_TOOLS);
    expect_named(INPUT("{\"type\":\"shell_call\",\"environment\":{\"type\":\"container_reference\",\"container_id\":\"c\"}}"),
                 CHAT_CHAT, "container c");
    expect_named(INPUT("{\"type\":\"function_call\",\"arguments\":{\"file_id\":\"f\"}}"), CHAT_CHAT, "");
    expect_named("{" HEAD "\"previous_response_id\":\"resp_\\u0031\",\"conversation\":{\"id\":\"conv_1\"}}", CHAT_CHAT,
                 "response resp_1, conversation conv_1");
    expect_named("{" HEAD "\"previous_response_id\":null,\"conversation\":\"conv_1\"}", CHAT_COMPACT, "conversation conv_1");
    expect_named(TOOLS("{\"type\":\"file_search\",\"vector_store_ids\":[\"a\",\"b\",\"a\"]}"), CHAT_CHAT, "store a, store b");
    expect_named(TOOLS("{\"type\":\"function\",\"parameters\":{\"file_id\":\"f\"}}"), CHAT_CHAT, "");
    expect_refused("{" HEAD "\"previous_response_id\":7}", CHAT_CHAT, "\"previous_response_id\" must be a string");
    expect_refused("{" HEAD "\"previous_response_id\":\"\"}", CHAT_CHAT,
                   "the id of a response must be a text of 1 to 256 bytes");
    expect_refused("{" HEAD "\"conversation\":{\"id\":\"a\",\"id\":\"b\"}}", CHAT_CHAT,
                   "\"conversation\" must be an id, or an object with one \"id\"");
    expect_refused(INPUT("{\"type\":\"item_reference\",\"id\":\"a\",\"id\":\"b\"}"), CHAT_CHAT,
                   "input[0] must be an item, or refer to one that the provider keeps by one \"id\"");
}

/* In whatever letters a provider may read. */
static void every_name_is_found(void)
{
    static const struct {
        const char *name, *kind;
        bool is_object;
    } names[] = {{"file_id", "file", false}, {"file_ids", "file", false}, {"input_file_id", "file", false},
                 {"container", "container", false}, {"container_id", "container", false}, {"vector_store_id", "store", false},
                 {"vector_store_ids", "store", false}, {"document_library_ids", "store", false},
                 {"collection_ids", "store", false}, {"skill_id", "skill", false}, {"audio", "voice", true},
                 {"voice", "voice", true}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (unsigned upper = 0; upper < 2; upper++) {
            char name[40], body[200], want[60];
            snprintf(name, sizeof name, "%s", names[i].name);
            if (upper) name[0] = (char)(name[0] - 'a' + 'A');
            snprintf(body, sizeof body, "{" HEAD "\"x\":[{\"%s\":%s}]}", name, names[i].is_object ? "{\"id\":\"7\"}" : "\"7\"");
            snprintf(want, sizeof want, "%s 7", names[i].kind);
            expect_named(body, CHAT_CHAT, want);
        }
    }
    expect_named("{" HEAD "\"x\":{\"parameters\":{\"file_id\":\"7\"},\"input_schema\":{\"file_id\":\"7\"},\"schema\":"
                 "{\"file_id\":\"7\"},\"input_examples\":[{\"file_id\":\"7\"}],\"metadata\":{\"file_id\":\"7\"}}}", CHAT_CHAT, "");
}

static void more_than_may_be_named_is_refused(void)
{
    struct buf body;
    struct fixture f;
    buf_init(&body);
    buf_append(&body, SLICE("{" HEAD "\"tools\":[{\"type\":\"file_search\",\"vector_store_ids\":[\"s\""));
    for (unsigned i = 1; i < LIMIT_KEPT; i++)
        buf_printf(&body, ",\"s%u\"", i);
    size_t len = buf_len(&body);
    buf_append(&body, SLICE("]}]}"));
    EXPECT(parse(&f, buf_slice(&body), CHAT_CHAT));
    EXPECT_INT(LIMIT_KEPT, f.r.kept_count);
    finish(&f);
    body.end -= buf_len(&body) - len;
    buf_append(&body, SLICE(",\"more\"]}]}"));
    EXPECT(!parse(&f, buf_slice(&body), CHAT_CHAT));
    EXPECT_INT(FAULT_BAD_BODY, f.why.code);
    finish(&f);
    buf_clear(&body);
}

/* ---- Answers. */

static struct buf told;

static void on_kept(void *arg, enum kept_kind kind, uint32_t id)
{
    const struct json_tape *tape = arg;
    if (buf_len(&told)) buf_append(&told, SLICE(", "));
    buf_printf(&told, "%s %.*s", kept_name(kind), SLICE_FMT(json_raw(tape, id)));
}

static void expect_told(const struct dialect *dialect, const char *body, const char *want)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    buf_reset(&told);
    EXPECT(json_parse(&tape, slice_str(body), &why));
    dialect->tell_kept(&(struct kept_answer){&tape, on_kept, &tape});
    if (!slice_equal(buf_slice(&told), slice_str(want)))
        UNIT_FAIL("%s: expected '%s', got '%.*s'", body, want, SLICE_FMT(buf_slice(&told)));
    json_clear(&tape);
}

/* What a tool, a model or the caller said is no provider's word. */
static void only_the_providers_own_word_counts(void)
{
    const struct dialect *a = &dialect_anthropic;
    buf_init(&told);
    expect_told(d, "{\"object\":\"response\",\"id\":\"r\",\"tools\":[{\"container\":\"c\"}],\"metadata\":{\"file_id\":\"f\"},"
                   "\"output\":[{\"type\":\"code_interpreter_call\",\"id\":\"ci\",\"container_id\":\"cntr\"},7,"
                   "{\"type\":\"mcp_list_tools\",\"id\":\"m\",\"tools\":[{\"annotations\":{\"file_id\":\"f\"}}]},"
                   "{\"type\":\"message\",\"id\":\"msg\",\"content\":[{\"annotations\":[{\"type\":\"file_citation\",\"file_id\":\"f\"},"
                   "{\"type\":\"container_file_citation\",\"container_id\":\"c2\",\"file_id\":\"cfile\"}]}]}]}",
                "response \"r\", item \"ci\", container \"cntr\", item \"m\", item \"msg\", file \"cfile\", container \"c2\"");
    expect_told(d, "{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"output\":[]}}", "response \"r\"");
    expect_told(d, "{\"type\":\"response.output_item.done\",\"item\":{\"type\":\"function_call\",\"id\":\"fc\",\"arguments\":\"{}\"}}",
                "item \"fc\"");
    expect_told(d, "{\"type\":\"response.output_text.delta\",\"item_id\":\"x\",\"delta\":\"y\"}", "");
    expect_told(d, "{\"object\":\"conversation\",\"id\":\"conv\",\"metadata\":{\"file_id\":\"f\"}}", "conversation \"conv\"");
    expect_told(d, "{\"object\":\"list\",\"data\":[{\"type\":\"message\",\"id\":\"msg\",\"content\":[{\"annotations\":[{\"type\":"
                   "\"container_file_citation\",\"container_id\":\"c\",\"file_id\":\"f\"}]}]}]}", "item \"msg\"");
    expect_told(d, "{\"object\":\"response\",\"id\":null,\"output\":{}}", "");
    expect_told(a, "{\"type\":\"message\",\"id\":\"msg\",\"container\":{\"id\":\"c\"},\"content\":[{\"type\":\"tool_use\",\"input\":"
                   "{\"file_id\":\"f\",\"content\":[{\"type\":\"bash_code_execution_output\",\"file_id\":\"f\"}]}},"
                   "{\"type\":\"mcp_tool_result\",\"content\":{\"content\":[{\"type\":\"bash_code_execution_output\",\"file_id\":\"f\"}]}},"
                   "{\"type\":\"bash_code_execution_tool_result\",\"content\":{\"content\":[{\"type\":\"bash_code_execution_output\","
                   "\"file_id\":\"own\"},{\"type\":\"text\",\"file_id\":\"f\"}]}}]}",
                "container \"c\", file \"own\"");
    expect_told(a, "{\"type\":\"message_start\",\"message\":{\"container\":null,\"content\":[]}}", "");
    expect_told(a, "{\"type\":\"content_block_delta\",\"delta\":{\"container\":{\"id\":\"c\"}}}", "");
    buf_clear(&told);
}

int main(void)
{
    RUN(what_a_provider_keeps_is_named);
    RUN(every_name_is_found);
    RUN(more_than_may_be_named_is_refused);
    RUN(only_the_providers_own_word_counts);
    return unit_close("kept");
}
