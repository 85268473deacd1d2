/* Files for batches: each line is read as its request would be, in steps, and what it asks for is the file's. */
#include "../unit.h"

#include "base/limits.h"
#include "exchange/lines.h"
#include "wire/dialect.h"

static struct arena arena;
static struct chat_request r;
static struct fault why;

static struct lines *begin(struct slice text)
{
    arena_clear(&arena);
    EXPECT(chat_parse_for(&r, &dialect_openai, SLICE("{\"purpose\":\"batch\",\"file\":{}}"), CHAT_FILES, SLICE("files"),
                          &arena, &why));
    return lines_new(&r, text, &arena);
}

static enum lines_state read(const char *text)
{
    return lines_step(begin(slice_str(text)), SIZE_MAX, &why);
}

static void expect_refused(const char *text, const char *says)
{
    if (read(text) != LINES_BAD) UNIT_FAIL("taken: %s", text);
    if (!strstr(fault_message(&why), says)) UNIT_FAIL("%s", fault_message(&why));
}

#define CHAT(body) "{\"url\":\"/v1/chat/completions\",\"body\":" body "}\n"
#define SAID(text) CHAT("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":" text "}]}")

static void what_lines_ask_for_is_the_files(void)
{
    EXPECT_INT(LINES_READ, read(SAID("\"a\"") "\r\n\n  " SAID("[{\"type\":\"image_url\",\"image_url\":{\"url\":\"u\"}}]")
                                    CHAT("{\"model\":\"n\",\"messages\":[]}")));
    EXPECT_INT(2, r.line_model_count);
    EXPECT_SLICE(SLICE("m"), r.line_models[0]);
    EXPECT_SLICE(SLICE("n"), r.line_models[1]);
    EXPECT_INT(CHAT_USES_IMAGES, r.uses & CHAT_USES_IMAGES);
    EXPECT_SLICE(SLICE("/v1/chat/completions"), r.lines_endpoint);
    EXPECT_INT(LINES_READ, read("{\"url\":\"/v1/responses\",\"body\":{\"model\":\"n\",\"input\":\"a\","
                                    "\"previous_response_id\":\"p\",\"tools\":[{\"type\":\"mcp\"},"
                                    "{\"type\":\"file_search\",\"vector_store_ids\":[\"v\"]}]}}"));
    EXPECT_INT(2, r.kept_count);
    EXPECT_SLICE(SLICE("/v1/responses"), r.lines_endpoint);
    EXPECT_INT(CHAT_USES_REMOTE_MCP, r.uses & CHAT_USES_REMOTE_MCP);
}

static void without_an_url_the_body_says_what_it_is(void)
{
    EXPECT_INT(LINES_READ, read("{\"body\":{\"model\":\"m\",\"messages\":[]}}"));
    EXPECT_INT(LINES_READ, read("{\"body\":{\"model\":\"m\",\"prompt\":\"a\"}}"));
    EXPECT_SLICE(SLICE("/v1/completions"), r.lines_endpoint);
    expect_refused("{\"body\":{\"model\":\"m\",\"messages\":[]}}\n{\"body\":{\"model\":\"m\",\"prompt\":\"a\"}}",
                   "line 2 of the batch's file is for another \"url\"");
    expect_refused("{\"body\":{\"model\":\"m\",\"input\":\"a\"}}", "line 1 of the batch's file names no \"url\"");
}

static void what_two_could_read_differently_is_refused(void)
{
    expect_refused("\n{", "line 2 of the batch's file is no JSON");
    expect_refused("7", "is no JSON object");
    expect_refused("{\"url\":\"/v1/files\",\"body\":{}}", "names no \"url\"");
    expect_refused("{\"url\":7,\"body\":{\"messages\":[]}}", "names no \"url\"");
    expect_refused("{\"url\":\"/v1/chat/completions\"}", "has no \"body\"");
    expect_refused("{\"url\":\"a\",\"url\":\"/v1/chat/completions\",\"body\":{}}", "twice");
    expect_refused("{\"url\":\"a\",\"URL\":\"/v1/chat/completions\",\"body\":{}}", "lower case");
    expect_refused("{\"body\":{},\"\\u0042ody\":{}}", "lower case");
    expect_refused(CHAT("{\"model\":\"m\",\"Model\":\"n\",\"messages\":[]}"), "file: \"model\" must be written in lower case");
    expect_refused(CHAT("{\"model\":\"\",\"messages\":[]}"), "not empty");
}

static void steps_end_between_lines(void)
{
    struct lines *l = begin(SLICE(SAID("\"a\"") SAID("\"b\"") SAID("7") "x"));
    EXPECT_INT(LINES_MORE, lines_step(l, 1, &why));
    EXPECT_INT(LINES_MORE, lines_step(l, 1, &why));
    enum lines_state state = LINES_MORE;
    for (int i = 0; i < 4 && state == LINES_MORE; i++)
        state = lines_step(l, 1, &why);
    EXPECT_INT(LINES_BAD, state);
    EXPECT_INT(LINES_READ, read(""));
    EXPECT_INT(LINES_BAD, lines_step(begin(SLICE_NONE), 1, &why));
    EXPECT(strstr(fault_message(&why), "UTF-8") != NULL);
}

static void models_and_objects_are_bounded(void)
{
    struct buf text;
    buf_init(&text);
    for (unsigned i = 0; i <= LIMIT_LINE_MODELS; i++)
        buf_printf(&text, "{\"body\":{\"model\":\"m%u\",\"messages\":[]}}\n", i);
    EXPECT_INT(LINES_BAD, lines_step(begin(buf_slice(&text)), SIZE_MAX, &why));
    EXPECT(strstr(fault_message(&why), "line 65 of the batch's file names one model more") != NULL);
    buf_reset(&text);
    for (unsigned i = 0; i <= LIMIT_KEPT; i++)
        buf_printf(&text, "{\"url\":\"/v1/responses\",\"body\":{\"model\":\"m\",\"input\":\"a\",\"previous_response_id\":\"r%u\"}}\n", i);
    EXPECT_INT(LINES_BAD, lines_step(begin(buf_slice(&text)), SIZE_MAX, &why));
    EXPECT_INT(LIMIT_KEPT, r.kept_count);
    buf_clear(&text);
}

static void only_files_for_batches_have_lines(void)
{
    static const struct { const char *body; bool has; } cases[] = {
        {"{\"purpose\":\"batch\"}", true}, {"{\"purpose\":\"batch-api\"}", true}, {"{\"purpose\":\"\\u0042atch\"}", true},
        {"{\"purpose\":\"user_data\"}", false}, {"{\"purpose\":\"\"}", false}, {"{}", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EXPECT(chat_parse_for(&r, &dialect_openai, slice_str(cases[i].body), CHAT_FILES, SLICE("files"), &arena, &why));
        if (lines_are_in(&r) != cases[i].has) UNIT_FAIL("%s", cases[i].body);
    }
    EXPECT(!chat_parse_for(&r, &dialect_openai, SLICE("{\"purpose\":{}}"), CHAT_FILES, SLICE("files"), &arena, &why));
}

int main(void)
{
    arena_init(&arena);
    chat_init(&r);
    RUN(what_lines_ask_for_is_the_files);
    RUN(without_an_url_the_body_says_what_it_is);
    RUN(what_two_could_read_differently_is_refused);
    RUN(steps_end_between_lines);
    RUN(models_and_objects_are_bounded);
    RUN(only_files_for_batches_have_lines);
    chat_clear(&r);
    arena_clear(&arena);
    return unit_close("lines");
}
