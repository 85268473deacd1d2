/* A prompt as a file: what is read, where it is wrong, and that what is written is read back as the same. */
#include "../unit.h"

#include "lua/promptfile.h"

static bool open_beside(void *arg, struct slice name, struct buf *out, char *text, size_t size)
{
    (void)arg;
    snprintf(text, size, "no such file");
    if (!slice_equal(name, SLICE("reply.schema.json"))) return false;
    buf_append(out, SLICE("{ \"type\": \"json_schema\", \"json_schema\": {\"required\":[], \"a\":null} }"));
    return true;
}

#define HEAD                                                                                                           \
    "---\n"                                                                                                            \
    "name = \"support/reply\", version = \"2.2.0\", department = \"support\", owner = \"support-team\",\n"             \
    "model = \"gpt-4o-mini\", parameters = { temperature = 0.2, max_tokens = 400 }, open = { \"temperature\" },\n"     \
    "response_format = json \"reply.schema.json\", data = \"internal\", apps = { \"support-bot\" },\n"                 \
    "variables = { company = { default = \"Acme\" }, tone = choice { \"plain\", \"warm\" }, n = integer,\n"            \
    "  question = { max = 8000, example = \"Where is my parcel?\" } },\n"                                              \
    "cases = { { \"promises no refund\", runs = 3, expect = { tokens = le(200) } } },\n"                               \
    "---\n"

#define BODY                                                                                                           \
    "@system\n"                                                                                                        \
    "You are for {{company}}, {{tone}}.\n"                                                                             \
    "\n"                                                                                                               \
    "\\@user\n"                                                                                                        \
    "\n"                                                                                                               \
    "@messages\n"                                                                                                      \
    "@user\n"                                                                                                          \
    "{{question}} {{n}}\n"                                                                                             \
    "\\\n"

static void a_file_is_a_version(void)
{
    struct promptfile f;
    struct promptfile_error why = {0};
    promptfile_init(&f);
    if (!promptfile_read(&f, SLICE(HEAD BODY), open_beside, NULL, &why)) UNIT_FAIL("%u: %s", why.line, why.text);
    EXPECT_SLICE(SLICE("{\"department\":\"support\",\"name\":\"support/reply\",\"owner\":\"support-team\","
                       "\"version\":\"2.2.0\"}"),
                 buf_slice(&f.about));
    EXPECT(slice_starts(buf_slice(&f.content), slice_str("{\"apps\":[\"support-bot\"],")));
    static const char *const parts[] = {
        "\"data\":\"internal\"", "\"insert_at\":1",
        "\"messages\":[{\"content\":\"You are for {{company}}, {{tone}}.\\n\\n@user\",\"role\":\"system\"},"
        "{\"content\":\"{{question}} {{n}}\\n\",\"role\":\"user\"}]",
        "\"model\":\"gpt-4o-mini\"", "\"parameters\":{\"max_tokens\":400,\"temperature\":0.2}",
        "\"response_format\":{\"json_schema\":{\"a\":null,\"required\":[]},\"type\":\"json_schema\"}",
        "\"n\":{\"type\":\"integer\"}", "\"tone\":{\"type\":\"choice\",\"values\":[\"plain\",\"warm\"]}",
        "\"tokens\":{\"le\":200}"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct slice all = buf_slice(&f.content);
        if (!memmem(all.ptr, all.len, parts[i], strlen(parts[i]))) UNIT_FAIL("%s not in %.*s", parts[i], SLICE_FMT(all));
    }
    promptfile_clear(&f);
}

static void expect_same(struct slice about, struct slice body)
{
    struct promptfile f;
    struct promptfile_error why = {0};
    struct buf one = {0}, other = {0};
    promptfile_init(&f);
    EXPECT(promptfile_write(about, body, &one));
    if (!promptfile_read(&f, buf_slice(&one), NULL, NULL, &why))
        UNIT_FAIL("%u: %s in\n%.*s", why.line, why.text, SLICE_FMT(buf_slice(&one)));
    EXPECT_SLICE(about, buf_slice(&f.about));
    EXPECT_SLICE(body, buf_slice(&f.content));
    EXPECT(promptfile_write(buf_slice(&f.about), buf_slice(&f.content), &other));
    EXPECT_SLICE(buf_slice(&one), buf_slice(&other));
    promptfile_clear(&f);
    buf_clear(&one);
    buf_clear(&other);
}

static void what_is_written_is_read_back(void)
{
    struct promptfile f;
    struct promptfile_error why;
    promptfile_init(&f);
    EXPECT(promptfile_read(&f, SLICE(HEAD BODY), open_beside, NULL, &why));
    expect_same(buf_slice(&f.about), buf_slice(&f.content));
    promptfile_clear(&f);
    static const char *const texts[] = {"", "\\n", "\\n\\n", "a\\n\\n", "@user", "\\\\@user\\n\\\\", "\\\\\\\\", " \\n ",
                                        "a\\n\\n@messages\\nb ", "\\n@system\\n", "]]=]\\\"\\u0001\xc3\xa9", "---\\n---"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char body[400];
        snprintf(body, sizeof body,
                 "{\"messages\":[{\"content\":\"x\",\"role\":\"system\"},{\"content\":\"%s\",\"role\":\"user\"}],"
                 "\"parameters\":{\"end\":1.5,\"stop\":[\"]]\",\"]=]\"]}}",
                 texts[i]);
        expect_same(SLICE("{\"name\":\"a\",\"tags\":[\"]]\\n\"]}"), slice_str(body));
    }
}

static void what_is_wrong_has_its_line(void)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *says;
    } cases[] = {
        {"name = 1", 1, 0, "must be ---"},
        {"---\nname = \"a\"\n", 3, 0, "no end"},
        {"---\nname = \"a\",\nmodel = gpt,\n---\n@user\nx", 3, 0, "gpt"},
        {"---\nname = \"a\",\nwhile true do\n---\n@user\nx", 3, 0, ""},
        {"---\nname = \"a\"\n---\nhello\n@user\nx", 4, 0, "before the first message"},
        {"---\nname = \"a\"\n---\n@user\nx\n\xc3\xa9 {{nobody}}", 6, 3, "not declared"},
        {"---\nname = \"a\"\n---\n@system\ny\n@user\nx\n{{#each a}}", 8, 1, "logic"},
        {"---\nmodel = \"a\"\n---\n@user\nx", 2, 0, "must say a name"},
        {"---\nname = \"a\"\n---\n", 4, 0, "no message"},
        {"---\nname = \"a\", response_format = json \"x.json\"\n---\n@user\nx", 0, 0, "no such file"},
        {"---\nname = os.exit()\n---\n@user\nx", 2, 0, "os"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct promptfile f;
        struct promptfile_error why = {0};
        promptfile_init(&f);
        EXPECT(!promptfile_read(&f, slice_str(cases[i].text), open_beside, NULL, &why));
        if (why.line != cases[i].line || why.column != cases[i].column || !strstr(why.text, cases[i].says))
            UNIT_FAIL("%s: %u:%u %s", cases[i].text, why.line, why.column, why.text);
        promptfile_clear(&f);
    }
}

static void an_endless_head_is_stopped(void)
{
    struct promptfile f;
    struct promptfile_error why = {0};
    promptfile_init(&f);
    EXPECT(!promptfile_read(&f, SLICE("---\nname = (function() while true do end end)()\n---\n@user\nx"), NULL, NULL,
                            &why));
    EXPECT(strstr(why.text, "too much work"));
    promptfile_clear(&f);
}

int main(void)
{
    RUN(a_file_is_a_version);
    RUN(what_is_written_is_read_back);
    RUN(what_is_wrong_has_its_line);
    RUN(an_endless_head_is_stopped);
    return unit_close("promptfile");
}
