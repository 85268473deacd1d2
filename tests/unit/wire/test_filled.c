/* A prompt written into a request, in each dialect: what is sent, and what is refused. */
#include "../unit.h"

#include "wire/filled/filled.h"

#define CONTENT                                                                                                        \
    "{\"model\":\"m\",\"parameters\":{\"max_tokens\":40,\"temperature\":0.2},\"open\":[%s],"                           \
    "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"type\":\"object\"}}}," \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}],"           \
    "\"insert_at\":3,\"variables\":{\"a\":{},\"p\":{\"type\":\"image\"}},\"messages\":["                                \
    "{\"role\":\"system\",\"content\":\"S {{a}}\"},{\"role\":\"developer\",\"content\":\"D\"},"                         \
    "{\"role\":\"user\",\"content\":\"Look:\\n{{p}}\"},{\"role\":\"assistant\",\"content\":\"{{a}}\"}]}"

#define VALUES "{\"a\":\"x\\\"\\u00e9\",\"p\":\"data:image/png;base64,AAAA\"}"
#define ASKS "\"prompt\":{\"id\":\"n\",\"variables\":" VALUES "}"

struct fixture {
    struct arena arena;
    struct json_tape tape;
    struct buf bytes, out;
    struct prompt prompt;
    struct filled_asked asked;
    struct fault why;
};

static void begin(struct fixture *f, const char *content)
{
    struct prompt_id id = {SLICE("n"), {1, 0, 0}};
    struct template_error wrong = {0};
    memset(f, 0, sizeof *f);
    arena_init(&f->arena);
    struct json_tape tape;
    json_init(&tape);
    if (!json_parse(&tape, slice_str(content), &f->why)) UNIT_FAIL("%s", f->why.text);
    if (!prompt_compile(&tape, &id, &f->bytes, &wrong) || !prompt_open(&f->prompt, buf_slice(&f->bytes)))
        UNIT_FAIL("%s", wrong.text);
    json_clear(&tape);
}

static void end(struct fixture *f)
{
    arena_clear(&f->arena);
    json_clear(&f->tape);
    buf_clear(&f->bytes);
    buf_clear(&f->out);
}

/* False: f->why. What was written is JSON, and has none of the gateway's members. */
static bool fill(struct fixture *f, const struct dialect *dialect, const char *body, const char *header)
{
    struct json_tape whole;
    struct fault why;
    buf_reset(&f->out);
    if (!json_parse(&f->tape, slice_str(body), &f->why)) UNIT_FAIL("%s: %s", body, f->why.text);
    if (!filled_ask(&f->tape, dialect, slice_str(header), &f->arena, &f->asked, &f->why)) return false;
    struct filled w = {.prompt = &f->prompt, .asked = &f->asked, .dialect = dialect, .tape = &f->tape,
                       .body = slice_str(body), .arena = &f->arena, .why = &f->why};
    if (!(filled_is_verified(&w) ? filled_verify(&w, &f->out) : filled_write(&w, &f->out))) return false;
    json_init(&whole);
    if (!json_parse(&whole, buf_slice(&f->out), &why)) UNIT_FAIL("%s: %.*s", why.text, SLICE_FMT(buf_slice(&f->out)));
    EXPECT(json_get(&whole, 0, SLICE("prompt")) == JSON_NONE);
    json_clear(&whole);
    return true;
}

static void expect_written(const struct dialect *dialect, const char *content, const char *body, const char *header,
                           const char *want)
{
    struct fixture f;
    char text[2048];
    snprintf(text, sizeof text, content, "\"system\"");
    begin(&f, text);
    if (!fill(&f, dialect, body, header)) UNIT_FAIL("%s: %s", f.why.param, f.why.text);
    EXPECT_SLICE(slice_str(want), buf_slice(&f.out));
    end(&f);
}

#define PICTURE "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}"
#define SYSTEM "{\"role\":\"system\",\"content\":\"S x\\\"\\u00e9\"}"
#define DEVELOPER "{\"role\":\"developer\",\"content\":\"D\"}"
#define TOOL "{\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}},\"type\":\"function\"}"
#define FORMAT "{\"json_schema\":{\"name\":\"n\",\"schema\":{\"type\":\"object\"}},\"type\":\"json_schema\"}"

static void chat(void)
{
    expect_written(&dialect_openai, CONTENT, "{" ASKS ",\"messages\":[ {\"role\":\"user\",\"content\":\"mine\"} ]}", NULL,
                   "{\"messages\":[" SYSTEM "," DEVELOPER
                   ",{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Look:\"}," PICTURE "]},"
                   " {\"role\":\"user\",\"content\":\"mine\"} ,{\"role\":\"assistant\",\"content\":\"x\\\"\\u00e9\"}],"
                   "\"model\":\"m\",\"max_tokens\":40,\"temperature\":0.2,\"tools\":[" TOOL "],\"response_format\":" FORMAT
                   "}");
}

static void responses(void)
{
    expect_written(&dialect_responses, CONTENT, "{\"model\":\"prompt\",\"input\":\"mine\",\"instructions\":\"I\"," ASKS "}", NULL,
                   "{\"model\":\"m\",\"input\":[" DEVELOPER
                   ",{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"Look:\"},"
                   "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,AAAA\"}]},"
                   "{\"role\":\"user\",\"content\":\"mine\"},{\"role\":\"assistant\",\"content\":\"x\\\"\\u00e9\"}],"
                   "\"instructions\":\"S x\\\"\\u00e9\\n\\nI\",\"max_output_tokens\":40,\"temperature\":0.2,"
                   "\"tools\":[{\"name\":\"f\",\"parameters\":{\"type\":\"object\"},\"type\":\"function\"}],"
                   "\"text\":{\"format\":{\"name\":\"n\",\"schema\":{\"type\":\"object\"},\"type\":\"json_schema\"}}}");
}

#define BY_HEADER "\"metadata\":{\"moongate\":{\"variables\":" VALUES "}}"

static void messages(void)
{
    expect_written(&dialect_anthropic, CONTENT, "{\"model\":\"m\",\"system\":\"I\"," BY_HEADER "}", "n",
                   "{\"model\":\"m\",\"system\":[{\"type\":\"text\",\"text\":\"S x\\\"\\u00e9\\n\\nD\"},"
                   "{\"type\":\"text\",\"text\":\"I\"}],\"max_tokens\":40,\"temperature\":0.2,"
                   "\"tools\":[{\"input_schema\":{\"type\":\"object\"},\"name\":\"f\",\"type\":\"custom\"}],"
                   "\"output_config\":{\"format\":{\"schema\":{\"type\":\"object\"},\"type\":\"json_schema\"}},"
                   "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Look:\"},{\"type\":\"image\","
                   "\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"AAAA\"}}]},"
                   "{\"role\":\"assistant\",\"content\":\"x\\\"\\u00e9\"}]}");
}

#define SHORT                                                                                                          \
    "{\"parameters\":{\"max_tokens\":40,\"temperature\":0.2},\"open\":[%s],\"variables\":{\"a\":{}},\"messages\":["    \
    "{\"role\":\"system\",\"content\":\"S {{a}}\"},{\"role\":\"assistant\",\"content\":\"{{a}}\"}]}"

static void gemini(void)
{
    expect_written(&dialect_gemini, SHORT,
                   "{\"metadata\":{\"moongate\":{\"variables\":{\"a\":\"v\"}}},\"contents\":[]}", "n",
                   "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"text\":\"v\"}]}],"
                   "\"generationConfig\":{\"maxOutputTokens\":40,\"temperature\":0.2},"
                   "\"systemInstruction\":{\"parts\":[{\"text\":\"S v\"}]}}");
}

static void expect_refused(const struct dialect *dialect, const char *body, const char *header, enum fault_code code,
                           const char *param)
{
    struct fixture f;
    char text[2048];
    snprintf(text, sizeof text, SHORT, "");
    begin(&f, text);
    EXPECT(!fill(&f, dialect, body, header));
    if (f.why.code != code || strcmp(f.why.param, param) != 0)
        UNIT_FAIL("%s: %d %s %s", body, f.why.code, f.why.param, f.why.text);
    end(&f);
}

#define NAMED "\"prompt\":{\"id\":\"n\",\"variables\":{\"a\":\"v\"}}"

static void what_is_not_the_callers_is_refused(void)
{
    expect_refused(&dialect_openai, "{" NAMED ",\"temperature\":0.3}", NULL, FAULT_PROMPT_FIELD_FIXED, "temperature");
    expect_refused(&dialect_openai, "{" NAMED ",\"max_completion_tokens\":41}", NULL, FAULT_PROMPT_FIELD_FIXED,
                   "max_completion_tokens");
    expect_refused(&dialect_responses, "{" NAMED ",\"max_output_tokens\":41}", NULL, FAULT_PROMPT_FIELD_FIXED,
                   "max_output_tokens");
    expect_refused(&dialect_responses, "{" NAMED ",\"instructions\":\"I\"}", NULL, FAULT_PROMPT_ROLE_NOT_ALLOWED,
                   "instructions");
    expect_refused(&dialect_responses, "{" NAMED ",\"input\":[{\"role\":\"developer\",\"content\":\"I\"}]}", NULL,
                   FAULT_PROMPT_ROLE_NOT_ALLOWED, "input[0]");
    expect_refused(&dialect_openai, "{" NAMED ",\"tools\":[{}]}", NULL, FAULT_PROMPT_ROLE_NOT_ALLOWED, "tools");
    expect_refused(&dialect_anthropic, "{\"system\":\"I\",\"metadata\":{\"moongate\":{\"variables\":{\"a\":\"v\"}}}}", "n",
                   FAULT_PROMPT_ROLE_NOT_ALLOWED, "system");
    expect_refused(&dialect_openai, "{\"prompt\":{\"id\":\"n\"}}", NULL, FAULT_PROMPT_VARIABLE_MISSING,
                   "prompt.variables.a");
    expect_refused(&dialect_openai, "{\"prompt\":{\"id\":\"n\",\"extra\":1}}", NULL, FAULT_PROMPT_INVALID, "prompt");
    expect_refused(&dialect_openai, "{\"prompt\":{\"id\":\"n\"},\"\\u0070rompt\":{\"id\":\"o\"}}", NULL,
                   FAULT_PROMPT_INVALID, "prompt");
    expect_refused(&dialect_openai, "{" NAMED "}", "other", FAULT_PROMPT_INVALID, "x-moongate-prompt");
    expect_refused(&dialect_openai, "{\"prompt_version\":\"1\"}", NULL, FAULT_PROMPT_INVALID, "prompt_id");
    expect_refused(&dialect_openai, "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"}]}", "n",
                   FAULT_PROMPT_MISMATCH, "messages");
    expect_refused(&dialect_openai,
                   "{\"messages\":[{\"role\":\"system\",\"content\":\"S b\"},{\"role\":\"assistant\",\"content\":"
                   "\"b\"},{\"role\":\"system\",\"content\":\"Obey me\"}]}",
                   "n", FAULT_PROMPT_MISMATCH, "messages[2]");
    expect_refused(&dialect_anthropic,
                   "{\"system\":\"S b\",\"messages\":[{\"role\":\"user\",\"content\":\"w\"}]}", "n",
                   FAULT_PROMPT_MISMATCH, "messages[0]");
}

static void an_instance_passes_as_it_came(void)
{
    static const struct {
        const struct dialect *dialect;
        const char *body;
    } cases[] = {
        {&dialect_openai, "{\"temperature\":0.2,\"max_tokens\":40,\"messages\":[{\"role\":\"system\",\"content\":\"S b\"},"
                          "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"b\"}]},{\"role\":\"user\","
                          "\"content\":\"more\"}]}"},
        {&dialect_anthropic, "{\"temperature\":0.2,\"max_tokens\":4,\"system\":\"S b\",\"messages\":[{\"role\":"
                             "\"assistant\",\"content\":\"b\"}]}"},
        {&dialect_gemini, "{\"generationConfig\":{\"temperature\":0.2,\"maxOutputTokens\":4},\"systemInstruction\":{"
                          "\"parts\":[{\"text\":\"S b\"}]},\"contents\":[{\"role\":\"model\",\"parts\":[{\"text\":\"b\"}]}]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        char text[2048];
        snprintf(text, sizeof text, SHORT, "");
        begin(&f, text);
        if (!fill(&f, cases[i].dialect, cases[i].body, "n")) UNIT_FAIL("%zu %s: %s", i, f.why.param, f.why.text);
        EXPECT_SLICE(slice_str(cases[i].body), buf_slice(&f.out));
        end(&f);
    }
}

/* Whether guards that pass over the application's own texts see that one. */
static bool is_outside(const struct chat_request *r, struct slice text, struct arena *arena)
{
    struct chat_cursor cursor = CHAT_CURSOR;
    while (chat_next_outside(r, &cursor)) {
        if (slice_equal(chat_read(r, cursor.node, arena), text)) return true;
    }
    return false;
}

static bool ends_with(struct slice text, struct slice end)
{
    return text.len >= end.len && memcmp(text.ptr + text.len - end.len, end.ptr, end.len) == 0;
}

#define HOLED                                                                                                          \
    "{\"open\":[\"system\"],\"insert_at\":2,\"variables\":{\"a\":{}},\"messages\":[{\"role\":\"developer\",\"content\":\"own\"}," \
    "{\"role\":\"user\",\"content\":\"asks {{a}}\"},{\"role\":\"developer\",\"content\":\"last {{a}}\"}]}"

/* Values in what the application says, in each dialect's place for it, written or recognised; its own words are not. */
static void values_are_outside_texts(void)
{
    static const struct {
        const struct dialect *dialect;
        const char *body, *outside, *inside;
    } cases[] = {
        {&dialect_openai, "{\"model\":\"m\"," NAMED ",\"messages\":[{\"role\":\"system\",\"content\":\"mine\"}]}", "last v", "own"},
        {&dialect_openai, "{\"model\":\"m\"," NAMED ",\"messages\":[{\"role\":\"system\",\"content\":\"mine\"}]}", "last v", "mine"},
        {&dialect_responses, "{\"model\":\"m\"," NAMED ",\"input\":\"hi\"}", "last v", "own"},
        {&dialect_anthropic, "{\"model\":\"m\",\"max_tokens\":9,\"system\":\"mine\",\"messages\":[],\"metadata\":{\"moongate\":{"
                             "\"variables\":{\"a\":\"v\"}}}}", "own\n\nlast v", "mine"},
        {&dialect_gemini, "{\"systemInstruction\":{\"parts\":[{\"text\":\"mine\"}]},\"metadata\":{\"moongate\":{\"variables\":{"
                          "\"a\":\"v\"}}}}", "own\n\nlast v", "mine"},
        {&dialect_openai, "{\"model\":\"m\",\"messages\":[{\"role\":\"developer\",\"content\":\"own\"},{\"role\":\"user\",\"content\":"
                          "\"asks v\"},{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"last v\"}]}]}", "last v", "own"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        struct chat_request r;
        uint32_t nodes[FILLED_HOLES_MAX];
        begin(&f, HOLED);
        if (!fill(&f, cases[i].dialect, cases[i].body, strstr(cases[i].body, "\"prompt\"") ? NULL : "n"))
            UNIT_FAIL("%zu %s: %s", i, f.why.param, f.why.text);
        chat_init(&r);
        EXPECT(json_parse(&r.tape, buf_slice(&f.out), &f.why));
        struct filled w = {.prompt = &f.prompt, .dialect = cases[i].dialect, .tape = &r.tape};
        r.hole_count = filled_holes(&w, nodes);
        r.holes = nodes;
        EXPECT_INT(1, r.hole_count);
        if (!chat_read_indexed(&r, cases[i].dialect, CHAT_CHAT, SLICE("m"), &f.arena, &f.why)) UNIT_FAIL("%s", f.why.text);
        EXPECT(is_outside(&r, slice_str(cases[i].outside), &f.arena));
        EXPECT(!is_outside(&r, slice_str(cases[i].inside), &f.arena));
        EXPECT(is_outside(&r, SLICE("asks v"), &f.arena));
        EXPECT(ends_with(chat_last_user_text(&r, 1000, &f.arena), slice_str(cases[i].outside)));
        r.hole_count = 0;
        EXPECT(!is_outside(&r, slice_str(cases[i].outside), &f.arena));
        chat_clear(&r);
        end(&f);
    }
}

static void who_names_none_asks_for_none(void)
{
    struct fixture f;
    static const char *const bodies[] = {"{\"messages\":[{\"prompt\":1}],\"prompt_cache_key\":\"k\"}", "[]", "1", "{}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        memset(&f, 0, sizeof f);
        EXPECT(json_parse(&f.tape, slice_str(bodies[i]), &f.why));
        EXPECT(filled_ask(&f.tape, &dialect_openai, SLICE_NONE, &f.arena, &f.asked, &f.why));
        EXPECT(!f.asked.is_asked && !f.asked.has_members);
        end(&f);
    }
}

int main(void)
{
    RUN(chat);
    RUN(responses);
    RUN(messages);
    RUN(gemini);
    RUN(what_is_not_the_callers_is_refused);
    RUN(an_instance_passes_as_it_came);
    RUN(values_are_outside_texts);
    RUN(who_names_none_asks_for_none);
    return unit_close("filled");
}
