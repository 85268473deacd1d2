/* Requests between dialects beyond the golden ones (tests/unit/lua/test_translate.c): there and back, bodies that mean
 * harm, bounds, requests of real clients (../shared/captured, or where MOONGATE_CAPTURED says). */
#include "../files.h"
#include "../unit.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/limits.h"
#include "crossing_over.h"
#include "schema_check.h"

static const char *folder;
static size_t captured;
static struct checked openai, responses, anthropic, gemini, converse;

static void what_both_can_say_is_kept(void)
{
    uint8_t bytes[256];
    uint64_t state = 88172645463325252u;
    for (int n = 0; n < 3000; n++) {
        struct buf what;
        buf_init(&what);
        for (size_t i = 0; i < sizeof bytes; i++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            bytes[i] = (uint8_t)(state >> 24);
        }
        if (!over_and_back(bytes, sizeof bytes, &what)) UNIT_FAIL("%.*s", SLICE_FMT(buf_slice(&what)));
        buf_clear(&what);
    }
}

static void expect_refused(const struct dialect *from, const struct dialect *to, struct slice body, enum fault_code code)
{
    struct buf out, dropped;
    struct fault why = {.code = FAULT_NONE};
    buf_init(&out);
    buf_init(&dropped);
    if (over_translate(from, to, body, &out, &dropped, &why)) UNIT_FAIL("translated: %.60s", body.ptr);
    EXPECT_INT(code, why.code);
    EXPECT_INT(0, buf_len(&out));
    buf_clear(&out);
    buf_clear(&dropped);
}

static void both_refuse(const char *body, enum fault_code code)
{
    expect_refused(&dialect_openai, &dialect_anthropic, slice_str(body), code);
    expect_refused(&dialect_anthropic, &dialect_openai, slice_str(body), code);
    expect_refused(&dialect_openai, &dialect_gemini, slice_str(body), code);
    expect_refused(&dialect_anthropic, &dialect_gemini, slice_str(body), code);
    expect_refused(&dialect_openai, &dialect_responses, slice_str(body), code);
    expect_refused(&dialect_anthropic, &dialect_responses, slice_str(body), code);
}

#define ASKED "{\"model\":\"m\",\"max_tokens\":9,"

static void bodies_that_mean_harm_are_refused(void)
{
    both_refuse("", FAULT_BAD_JSON);
    both_refuse("[]", FAULT_BAD_BODY);
    both_refuse("{\"model\":\"m\",\"max_tokens\":9}", FAULT_BAD_BODY);
    both_refuse(ASKED "\"messages\":[{\"role\":\"user\",\"content\":\"\\ud83d\"}]}", FAULT_BAD_JSON);
    both_refuse(ASKED "\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"content\":\"b\"}]}", FAULT_BAD_BODY);
    both_refuse(ASKED "\"messages\":[{\"role\":\"user\",\"role\":\"system\",\"content\":\"a\"}]}", FAULT_BAD_BODY);
    both_refuse(ASKED "\"messages\":[],\"mess\\u0061ges\":[]}", FAULT_BAD_BODY);
    both_refuse(ASKED "\"messages\":[[]]}", FAULT_BAD_BODY);
    both_refuse(ASKED "\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\"}}]}", FAULT_BAD_BODY);
    both_refuse(ASKED "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":1}]}]}", FAULT_BAD_BODY);
    both_refuse(ASKED "\"messages\":[],\"temperature\":\"hot\"}", FAULT_BAD_BODY);
    both_refuse(ASKED "\"messages\":[],\"tools\":[1]}", FAULT_BAD_BODY);
    both_refuse(ASKED "\"messages\":[],\"tools\":[{}]}", FAULT_BAD_BODY);
}

static void repeat(struct buf *out, const char *piece, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_append(out, slice_str(piece));
}

static void what_is_deep_is_as_deep_as_json_may_be(void)
{
    for (size_t depth = 1; depth < LIMIT_JSON_DEPTH + 4; depth++) {
        struct buf body;
        buf_init(&body);
        buf_append(&body, SLICE(ASKED "\"messages\":[{\"role\":\"user\",\"content\":"));
        repeat(&body, "[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":", depth);
        buf_append(&body, SLICE("\"x\""));
        repeat(&body, "}]", depth);
        buf_append(&body, SLICE("}]}"));
        over_any(&dialect_anthropic, &dialect_openai, buf_slice(&body));
        over_any(&dialect_openai, &dialect_anthropic, buf_slice(&body));
        over_any(&dialect_anthropic, &dialect_gemini, buf_slice(&body));
        buf_reset(&body);
        buf_append(&body, SLICE(ASKED "\"messages\":[],\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":"));
        repeat(&body, "{\"type\":\"object\",\"properties\":{\"a\":", depth / 2);
        buf_append(&body, SLICE("{}"));
        repeat(&body, "}}", depth / 2);
        buf_append(&body, SLICE("}}}"));
        over_any(&dialect_openai, &dialect_anthropic, buf_slice(&body));
        over_any(&dialect_openai, &dialect_gemini, buf_slice(&body));
        buf_clear(&body);
    }
}

static void there_are_bounds(void)
{
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE(ASKED "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}"));
    repeat(&body, ",{\"role\":\"user\",\"content\":\"a\"}", LIMIT_TRANSLATE_PARTS / 2);
    buf_append(&body, SLICE("]}"));
    expect_refused(&dialect_openai, &dialect_anthropic, buf_slice(&body), FAULT_BAD_BODY);
    expect_refused(&dialect_anthropic, &dialect_openai, buf_slice(&body), FAULT_BAD_BODY);
    buf_clear(&body);
}

static void expect_bounded(const struct dialect *from, const char *begin, const char *piece, const char *end)
{
    struct buf body;
    buf_init(&body);
    buf_append(&body, slice_str(begin));
    repeat(&body, piece, LIMIT_TRANSLATE_PARTS);
    buf_append(&body, slice_str(end));
    expect_refused(from, &dialect_anthropic, buf_slice(&body), FAULT_BAD_BODY);
    buf_clear(&body);
}

/* Whoever says nothing, and tools that may not be called, are read all the same. */
static void what_leaves_nothing_is_counted_too(void)
{
#define TOOLS                                                                                                          \
    "\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"auto\",\"tools\":[{\"name\":\"g\"}],"                           \
    "\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"name\":\"g\"}]}},\"tools\":["
    expect_bounded(&dialect_openai, "{\"model\":\"m\",\"messages\":[", "{\"role\":\"system\"},",
                   "{\"role\":\"user\",\"content\":\"a\"}]}");
    expect_bounded(&dialect_responses, "{\"model\":\"m\",\"store\":false,\"input\":[", "{\"role\":\"system\",\"content\":[]},",
                   "{\"role\":\"user\",\"content\":\"a\"}]}");
    expect_bounded(&dialect_responses, "{\"model\":\"m\",\"store\":false,\"input\":[", "{\"type\":\"web_search_call\"},",
                   "{\"role\":\"user\",\"content\":\"a\"}]}");
    expect_bounded(&dialect_openai, "{\"model\":\"m\",\"messages\":[]," TOOLS,
                   "{\"type\":\"function\",\"function\":{\"name\":\"f\"}},",
                   "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}");
    expect_bounded(&dialect_responses, "{\"model\":\"m\",\"store\":false,\"input\":\"a\"," TOOLS,
                   "{\"type\":\"function\",\"name\":\"f\"},", "{\"type\":\"function\",\"name\":\"f\"}]}");
#undef TOOLS
}

/* All that the system says at first is one list, whose parts each message looks at once: were it all of them each time,
 * this would take minutes. */
static void a_long_beginning_is_read_once(void)
{
    struct buf body, out, dropped;
    struct fault why;
    buf_init(&body);
    buf_init(&out);
    buf_init(&dropped);
    buf_append(&body, SLICE(ASKED "\"messages\":[{\"role\":\"system\",\"content\":[\"a\""));
    repeat(&body, ",\"a\"", LIMIT_TRANSLATE_PARTS / 2);
    buf_append(&body, SLICE("]}"));
    repeat(&body, ",{\"role\":\"system\",\"content\":\"\"}", LIMIT_TRANSLATE_PARTS / 2 - 8);
    buf_append(&body, SLICE(",{\"role\":\"user\",\"content\":\"a\"}]}"));
    EXPECT(over_translate(&dialect_openai, &dialect_anthropic, buf_slice(&body), &out, &dropped, &why));
    buf_clear(&body);
    buf_clear(&out);
    buf_clear(&dropped);
}

static void the_list_of_drops_is_bounded(void)
{
    struct buf body, out, dropped;
    struct fault why;
    buf_init(&body);
    buf_init(&out);
    buf_init(&dropped);
    buf_append(&body, SLICE(ASKED "\"messages\":[]"));
    for (int i = 0; i < 60; i++)
        buf_printf(&body, ",\"x%d_%s\":1", i, "a name that is longer than names are, with \\u0007 and \\u20ac in it ,\\\" \\r\\n");
    buf_append_char(&body, '}');
    EXPECT(over_translate(&dialect_openai, &dialect_anthropic, buf_slice(&body), &out, &dropped, &why));
    EXPECT_SLICE(SLICE("x0_a?name?that?is?longer?than?names?are??with???and?????, x1_"), slice_of(buf_ptr(&dropped), 61));
    EXPECT_SLICE(SLICE(", +12"), slice_of(buf_ptr(&dropped) + buf_len(&dropped) - 5, 5));
    buf_clear(&body);
    buf_clear(&out);
    buf_clear(&dropped);
}

/* --- real clients --- */

/* It goes on with what OpenAI keeps. */
static bool is_refused(const char *name)
{
    return strcmp(name, "openai-python.responses.1.json") == 0;
}

static struct checked *schema_of(const struct dialect *dialect)
{
    if (dialect == &dialect_gemini) return &gemini;
    if (dialect == &dialect_converse) return &converse;
    if (dialect == &dialect_responses) return &responses;
    return dialect == &dialect_openai ? &openai : &anthropic;
}

static void cross(const char *name, const struct dialect *from, const struct dialect *to, struct slice body)
{
    struct fault why;
    struct buf out, dropped;
    if (is_refused(name)) {
        expect_refused(from, to, body, FAULT_BAD_BODY);
        return;
    }
    buf_init(&out);
    buf_init(&dropped);
    if (!over_translate(from, to, body, &out, &dropped, &why)) UNIT_FAIL("%s: %s", name, why.text);
    const char *wrong = checked_body(schema_of(to), buf_slice(&out));
    if (wrong) UNIT_FAIL("%s: %s", name, wrong);
    captured++;
    buf_clear(&out);
    buf_clear(&dropped);
}

static void cross_captured(const char *name, struct slice text)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    if (!json_parse(&tape, text, &why)) UNIT_FAIL("%s: %s", name, why.text);
    struct slice body = json_raw(&tape, json_get(&tape, 0, SLICE("body")));
    const struct dialect *from = strstr(name, ".chat.")       ? &dialect_openai
                                 : strstr(name, ".messages.") ? &dialect_anthropic
                                 : strstr(name, ".gemini.")   ? &dialect_gemini
                                                              : &dialect_responses;
    if (from != &dialect_anthropic) cross(name, from, &dialect_anthropic, body);
    if (from != &dialect_openai) cross(name, from, &dialect_openai, body);
    if (from != &dialect_responses) cross(name, from, &dialect_responses, body);
    cross(name, from, &dialect_converse, body);
    if (from != &dialect_gemini) cross(name, from, &dialect_gemini, body);
    json_clear(&tape);
}

static void the_checker_can_say_no(void)
{
#define SAID(text) "{\"model\":\"m\",\"messages\":[" text "]}"
    EXPECT(!checked_body(&openai, SLICE(SAID("{\"role\":\"user\",\"content\":\"a\"}"))));
    EXPECT(checked_body(&openai, SLICE(SAID("{\"role\":\"user\",\"content\":\"a\",\"x\":1}"))));
    EXPECT(checked_body(&openai, SLICE(SAID("{\"role\":\"assistant\"}"))));
    EXPECT(checked_body(&openai, SLICE(SAID("{\"role\":\"user\",\"content\":[]}"))));
    EXPECT(checked_body(&openai, SLICE(SAID("{\"role\":\"user\",\"content\":\"a\"},"
                                            "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"r\"}"))));
#undef SAID
#define SAID(text) "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[" text "]}"
    EXPECT(!checked_body(&anthropic, SLICE(SAID("{\"role\":\"user\",\"content\":\"a\"}"))));
    EXPECT(checked_body(&anthropic, SLICE(SAID("{\"role\":\"user\",\"content\":\"\"}"))));
    EXPECT(checked_body(&anthropic, SLICE(SAID("{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"}"))));
    EXPECT(checked_body(&anthropic, SLICE(SAID("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                                               "{\"type\":\"tool_result\",\"tool_use_id\":\"t\"}]}"))));
    EXPECT(checked_body(&anthropic, SLICE("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}")));
#undef SAID
#define SAID(text) "{\"model\":\"m\",\"store\":false,\"input\":[{\"role\":\"user\",\"content\":\"a\"}" text "]}"
#define THOUGHT ",{\"type\":\"reasoning\",\"id\":\"r\",\"summary\":[],\"encrypted_content\":\"x\"}"
#define CALL ",{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"}"
#define RESULT ",{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"r\"}"
    EXPECT(!checked_body(&responses, SLICE(SAID(THOUGHT CALL RESULT))));
    EXPECT(checked_body(&responses, SLICE(SAID(RESULT CALL))));
    EXPECT(checked_body(&responses, SLICE(SAID(CALL THOUGHT RESULT))));
    EXPECT(checked_body(&responses, SLICE(SAID(THOUGHT))));
    EXPECT(checked_body(&responses, SLICE(SAID(",{\"role\":\"user\",\"content\":[]}"))));
#undef SAID
#undef THOUGHT
#undef CALL
#undef RESULT
#define SAID(text) "{\"messages\":[{\"role\":\"user\",\"content\":[" text "]}]}"
#define FILE(name) "{\"document\":{\"format\":\"pdf\",\"name\":\"" name "\",\"source\":{\"bytes\":\"JVBERi0=\"}}}"
    EXPECT(!checked_body(&converse, SLICE(SAID("{\"text\":\"a\"}," FILE("b") "," FILE("c (2)")))));
    EXPECT(checked_body(&converse, SLICE(SAID("{\"text\":\"\"}"))));
    EXPECT(checked_body(&converse, SLICE(SAID("{\"text\":\"a\",\"image\":{}}"))));
    EXPECT(checked_body(&converse, SLICE(SAID(FILE("b")))));
    EXPECT(checked_body(&converse, SLICE(SAID("{\"text\":\"a\"}," FILE("b") "," FILE("b")))));
    EXPECT(checked_body(&converse, SLICE(SAID("{\"text\":\"a\"}," FILE("b.pdf")))));
    EXPECT(checked_body(&converse, SLICE(SAID("{\"toolResult\":{\"toolUseId\":\"t\",\"content\":[]}}"))));
#undef FILE
#undef SAID
#define SAID(text) "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]}" text "]}"
#define CALL "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{}}}]}"
#define RESULT "{\"functionResponse\":{\"name\":\"f\",\"response\":{}}}"
    EXPECT(!checked_body(&gemini, SLICE(SAID("," CALL ",{\"role\":\"user\",\"parts\":[" RESULT "]}"))));
    EXPECT(checked_body(&gemini, SLICE(SAID("," CALL ",{\"role\":\"user\",\"parts\":[" RESULT "," RESULT "]}"))));
    EXPECT(checked_body(&gemini, SLICE(SAID(",{\"role\":\"user\",\"parts\":[{\"text\":\"b\"}]}"))));
    EXPECT(checked_body(&gemini, SLICE(SAID(",{\"role\":\"model\",\"parts\":[{\"text\":\"\"}]}"))));
    EXPECT(checked_body(&gemini, SLICE(SAID(",{\"role\":\"model\",\"parts\":[]}"))));
#undef SAID
#undef CALL
#undef RESULT
}

static void requests_of_real_clients_cross(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct buf file;
        bool is_chat = strstr(entry->d_name, ".chat.") || strstr(entry->d_name, ".messages.") ||
                       strstr(entry->d_name, ".responses.") || strstr(entry->d_name, ".gemini.");
        if (!is_chat || !read_file(folder, entry->d_name, &file)) continue;
        cross_captured(entry->d_name, buf_slice(&file));
        buf_clear(&file);
    }
    if (dir) closedir(dir);
}

int main(void)
{
    folder = getenv("MOONGATE_CAPTURED");
    if (!folder) folder = "../shared/captured";
    EXPECT(checked_open(&openai, "tests/data/translate", "openai.schema.json"));
    EXPECT(checked_open(&converse, "tests/data/translate", "converse.schema.json"));
    EXPECT(checked_open(&responses, "tests/data/translate", "responses.schema.json"));
    EXPECT(checked_open(&anthropic, "tests/data/translate", "anthropic.schema.json"));
    EXPECT(checked_open(&gemini, "tests/data/translate", "gemini.schema.json"));
    gemini.pairs_calls = true;
    RUN(what_both_can_say_is_kept);
    RUN(bodies_that_mean_harm_are_refused);
    RUN(what_is_deep_is_as_deep_as_json_may_be);
    RUN(there_are_bounds);
    RUN(what_leaves_nothing_is_counted_too);
    RUN(a_long_beginning_is_read_once);
    RUN(the_list_of_drops_is_bounded);
    RUN(the_checker_can_say_no);
    RUN(requests_of_real_clients_cross);
    checked_close(&openai);
    checked_close(&responses);
    checked_close(&anthropic);
    checked_close(&converse);
    checked_close(&gemini);
    printf("translate: %zu requests of real clients\n", captured);
    return unit_close("translate");
}
