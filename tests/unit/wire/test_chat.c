/* Request bodies: what is read, what is refused and why, and the gateway's own edits. */
#include "../unit.h"

#include <math.h>

#include "base/limits.h"
#include "base/mem.h"
#include "wire/chat.h"
#include "wire/dialect.h"

struct fixture {
    struct chat_request r;
    struct arena arena;
    struct fault why;
};

static bool parse_kind(struct fixture *f, const char *body, enum chat_kind kind)
{
    arena_init(&f->arena);
    chat_init(&f->r);
    f->why = (struct fault){0};
    return chat_parse(&f->r, &dialect_openai, slice_str(body), kind, &f->arena, &f->why);
}

static void begin(struct fixture *f, const char *body)
{
    if (!parse_kind(f, body, CHAT_CHAT)) UNIT_FAIL("%s: %s", body, f->why.text);
}

static void finish(struct fixture *f)
{
    chat_clear(&f->r);
    arena_clear(&f->arena);
}

static void expect_refused(const char *body, enum fault_code code, const char *text)
{
    struct fixture f;
    if (parse_kind(&f, body, CHAT_CHAT)) UNIT_FAIL("accepted: %s", body);
    EXPECT_INT(code, f.why.code);
    EXPECT_STR(text, f.why.text);
    finish(&f);
}

static void all_that_is_asked_for_is_found(void)
{
    struct fixture f;
    begin(&f, "{\"model\":\"gpt-4\\u006f\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","
              "\"content\":\"u\"}],\"stream\":true,\"stream_options\":{\"include_usage\":false},\"max_tokens\":9,"
              "\"max_completion_tokens\":9,\"temperature\":0.5,\"n\":3,\"user\":\"u-1\",\"tools\":[{\"type\":"
              "\"function\"},{\"type\":\"web_search\"}],\"metadata\":{\"moongate\":{\"data\":\"internal\"},\"x\":1}}");
    EXPECT_SLICE(SLICE("gpt-4o"), f.r.model);
    EXPECT(f.r.is_stream);
    EXPECT_INT(CHAT_FALSE, f.r.include_usage);
    EXPECT_INT(9, f.r.max_tokens);
    EXPECT_SLICE(SLICE("9"), json_raw(&f.r.tape, f.r.max_tokens_node));
    EXPECT(f.r.temperature == 0.5);
    EXPECT_INT(3, f.r.choices);
    EXPECT_INT(2, f.r.message_count);
    EXPECT_INT(2, f.r.tool_count);
    EXPECT_INT(CHAT_USES_TOOLS | CHAT_USES_HOSTED_TOOLS, f.r.uses);
    EXPECT_SLICE(SLICE("\"u-1\""), json_raw(&f.r.tape, f.r.user_node));
    EXPECT_SLICE(SLICE("{\"data\":\"internal\"}"), json_raw(&f.r.tape, f.r.hints_node));
    finish(&f);
}

/* A body is freed as soon as its stream is committed to; what was read of it is asked for until the record is written. */
static void what_is_kept_outlives_the_body(void)
{
    static const char text[] = "{\"model\":\"some-model\",\"service_tier\":\"priority\",\"stream\":true}";
    struct fixture f;
    char *body = mem_alloc(sizeof text);
    memcpy(body, text, sizeof text);
    begin(&f, body);
    memset(body, 'X', sizeof text);
    mem_free(body);
    json_clear(&f.r.tape);
    EXPECT_SLICE(SLICE("some-model"), f.r.model);
    EXPECT_SLICE(SLICE("priority"), f.r.service_tier);
    finish(&f);
}

static void what_is_not_said_stays_unsaid(void)
{
    struct fixture f;
    begin(&f, "{\"model\":\"m\"}");
    EXPECT(!f.r.is_stream);
    EXPECT_INT(CHAT_ABSENT, f.r.include_usage);
    EXPECT_INT(-1, f.r.max_tokens);
    EXPECT(isnan(f.r.temperature));
    EXPECT_INT(1, f.r.choices);
    EXPECT_INT(0, f.r.uses);
    EXPECT_INT(JSON_NONE, f.r.messages_node);
    EXPECT_INT(JSON_NONE, f.r.hints_node);
    EXPECT_INT(0, chat_text_bytes(&f.r));
    EXPECT_SLICE(SLICE(""), chat_last_user_text(&f.r, 100, &f.arena));
    finish(&f);
    begin(&f, "{\"model\":\"m\",\"stream\":null,\"max_completion_tokens\":null,\"max_tokens\":1e2,\"n\":null,"
              "\"tools\":null,\"messages\":null,\"stream_options\":null,\"metadata\":null}");
    EXPECT(!f.r.is_stream);
    EXPECT_INT(100, f.r.max_tokens);
    EXPECT_INT(1, f.r.choices);
    finish(&f);
}

static void expect_choices(const char *body, uint32_t choices)
{
    struct fixture f;
    EXPECT(parse_kind(&f, body, CHAT_COMPLETIONS));
    EXPECT_INT(choices, f.r.choices);
    finish(&f);
}

static void expect_generated(const char *body, uint32_t answers)
{
    struct fixture f;
    EXPECT(parse_kind(&f, body, CHAT_COMPLETIONS));
    EXPECT_INT(answers, f.r.generated);
    finish(&f);
}

static void each_prompt_has_its_answers(void)
{
    expect_choices("{\"model\":\"m\"}", 1);
    expect_choices("{\"model\":\"m\",\"prompt\":\"a\",\"n\":2}", 2);
    expect_generated("{\"model\":\"m\",\"prompt\":\"a\",\"n\":2}", 2);
    expect_generated("{\"model\":\"m\",\"prompt\":\"a\",\"n\":2,\"best_of\":5}", 5);
    expect_generated("{\"model\":\"m\",\"prompt\":\"a\",\"n\":2,\"best_of\":1}", 2);
    expect_generated("{\"model\":\"m\",\"prompt\":[\"a\",\"b\"],\"best_of\":3}", 6);
    expect_generated("{\"model\":\"m\",\"prompt\":\"a\",\"best_of\":\"x\"}", 1);
    expect_generated("{\"model\":\"m\",\"prompt\":[\"a\",\"b\"],\"best_of\":99999999999999}", UINT32_MAX);
    expect_choices("{\"model\":\"m\",\"prompt\":[]}", 1);
    expect_choices("{\"model\":\"m\",\"prompt\":[\"a\"]}", 1);
    expect_choices("{\"model\":\"m\",\"prompt\":[\"a\",\"b\"]}", 2);
    expect_choices("{\"model\":\"m\",\"n\":3,\"prompt\":[\"a\",\"b\"]}", 6);
    expect_choices("{\"model\":\"m\",\"prompt\":[1,2,3]}", 1);
    expect_choices("{\"model\":\"m\",\"prompt\":[[1,2,3],[4]]}", 2);
    expect_choices("{\"model\":\"m\",\"n\":4294967295,\"prompt\":[\"a\",\"b\"]}", UINT32_MAX);
}

static void what_the_model_is_made_to_do_is_seen(void)
{
    static const struct {
        const char *body;
        unsigned uses;
    } table[] = {
        {"{\"model\":\"m\",\"functions\":[{\"name\":\"f\"}]}", CHAT_USES_TOOLS},
        {"{\"model\":\"m\",\"tools\":[{\"type\":\"custom\"}]}", CHAT_USES_TOOLS},
        {"{\"model\":\"m\",\"tools\":[{\"type\":\"mcp\"}]}", CHAT_USES_REMOTE_MCP | CHAT_USES_HOSTED_TOOLS},
        {"{\"model\":\"m\",\"tools\":[]}", 0},
        {"{\"model\":\"m\",\"web_search_options\":{}}", CHAT_USES_HOSTED_TOOLS},
        {"{\"model\":\"m\",\"modalities\":[\"text\",\"audio\"]}", CHAT_USES_AUDIO},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}]}", 0},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}]}",
         CHAT_USES_IMAGES},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"},"
         "{\"type\":\"file\",\"file\":{}}]}]}",
         CHAT_USES_AUDIO | CHAT_USES_FILES},
        {"{\"model\":\"m\",\"cache_control\":{}}", CHAT_USES_CACHING},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\","
         "\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}}]}]}",
         CHAT_USES_CACHING},
        {"{\"model\":\"m\",\"prompt_cache_breakpoint\":null,\"prompt_cache_key\":\"k\"}", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fixture f;
        begin(&f, table[i].body);
        if (f.r.uses != table[i].uses) UNIT_FAIL("%s: uses %u, expected %u", table[i].body, f.r.uses, table[i].uses);
        finish(&f);
    }
}

static void expect_tier(const char *body, const char *want)
{
    struct fixture f;
    begin(&f, body);
    EXPECT_SLICE(slice_str(want), f.r.service_tier);
    finish(&f);
}

static void the_tier_of_service_is_found(void)
{
    expect_tier("{\"model\":\"m\",\"service_tier\":\"flex\"}", "flex");
    expect_tier("{\"service_\\u0074ier\":\"prio\\u0072ity\",\"model\":\"m\"}", "priority");
    expect_tier("{\"model\":\"m\"}", "");
    expect_tier("{\"model\":\"m\",\"service_tier\":null}", "");
    expect_tier("{\"model\":\"m\",\"service_tier\":7}", ""); /* the provider's to refuse */
    expect_refused("{\"model\":\"m\",\"service_tier\":\"flex\",\"service_tier\":\"priority\"}", FAULT_BAD_BODY,
                   "\"service_tier\" is given twice; give it once");
}

static void wrong_bodies_are_refused_by_name(void)
{
    static const struct {
        const char *body, *why;
    } table[] = {
        {"[]", "the body must be a JSON object"},
        {"{}", "\"model\" is missing"},
        {"{\"model\":null}", "\"model\" must be a string"},
        {"{\"model\":7}", "\"model\" must be a string"},
        {"{\"model\":\"\"}", "\"model\" must be a string that is not empty"},
        {"{\"model\":\"m\",\"stream\":\"true\"}", "\"stream\" must be true or false"},
        {"{\"model\":\"m\",\"stream\":1}", "\"stream\" must be true or false"},
        {"{\"model\":\"m\",\"messages\":\"hi\"}", "\"messages\" must be an array"},
        {"{\"model\":\"m\",\"tools\":{}}", "\"tools\" must be an array"},
        {"{\"model\":\"m\",\"functions\":\"f\"}", "\"functions\" must be an array"},
        {"{\"model\":\"m\",\"n\":0}", "\"n\" must be a whole number, 1 or more"},
        {"{\"model\":\"m\",\"n\":1.5}", "\"n\" must be a whole number, 1 or more"},
        {"{\"model\":\"m\",\"n\":\"2\"}", "\"n\" must be a whole number, 1 or more"},
        {"{\"model\":\"m\",\"stream_options\":{\"include_usage\":true,\"include_usage\":false}}",
         "\"stream_options.include_usage\" is given twice; give it once"},
        {"{\"model\":\"m\",\"metadata\":{\"moongate\":1,\"moongat\\u0065\":2}}",
         "\"metadata.moongate\" is given twice; give it once"},
        {"{\"model\":\"m\",\"tools\":[{\"type\":\"function\",\"type\":\"mcp\"}]}",
         "a tool's \"type\" is given twice; give it once"},
        {"{\"model\":\"m\",\"messages\":[{},{\"role\":\"user\",\"content\":\"a\",\"c\\u006fntent\":\"b\"}]}",
         "messages[1]: \"content\" is given twice; give it once"},
        {"{\"model\":\"m\",\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"a\",\"text\":\"b\"}]}]}",
         "messages[0]: \"text\" is given twice; give it once"},
        {"{\"Model\":\"m\"}", "\"model\" must be written in lower case"},
        {"{\"model\":\"m\",\"MAX_TOKENS\":1}", "\"max_tokens\" must be written in lower case"},
        {"{\"model\":\"m\",\"me\xC5\xBF\xC5\xBF"
         "ages\":[]}",
         "\"messages\" must be written in lower case"},
        {"{\"model\":\"m\",\"max_to\xE2\x84\xAA"
         "ens\":1}",
         "\"max_tokens\" must be written in lower case"},
        {"{\"model\":\"m\",\"\\u0055ser\":1}", "\"user\" must be written in lower case"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        expect_refused(table[i].body, FAULT_BAD_BODY, table[i].why);
    }
    expect_refused("{\"model\":\"m\",}", FAULT_BAD_JSON, "byte 13: expected a key, found '}'");
    expect_refused("", FAULT_BAD_JSON, "byte 0: expected a value, found the end");
}

static void a_second_key_is_refused_in_every_spelling(void)
{
    static const char *const names[] = {
        "model",          "messages", "prompt",    "input",      "stream",
        "stream_options", "tools",    "functions", "max_tokens", "max_completion_tokens",
        "user",           "metadata", "n",         "best_of",    "temperature"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char body[300], why[100];
        bool is_model = strcmp(names[i], "model") == 0;
        const char *first = is_model ? "" : "\"model\":\"m\",";
        snprintf(why, sizeof why, "\"%s\" is given twice; give it once", names[i]);
        snprintf(body, sizeof body, "{%s\"%s\":null,\"x\":{\"%s\":1},\"%s\":null}", first, names[i], names[i],
                 names[i]);
        expect_refused(body, FAULT_BAD_BODY, why);
        for (size_t at = 0; at < strlen(names[i]); at++) {
            snprintf(body, sizeof body, "{%s\"%s\":null,\"%.*s\\u%04x%s\":null}", first, names[i], (int)at, names[i],
                     (unsigned)names[i][at], names[i] + at + 1);
            expect_refused(body, FAULT_BAD_BODY, why);
        }
    }
}

static void unknown_keys_pass_even_twice(void)
{
    struct fixture f;
    begin(&f, "{\"x\":1,\"model\":\"m\",\"x\":2,\"Modell\":1,\"MODE\":2,\"mod\":3,\"N1\":0,\"\":1,\"\":2}");
    EXPECT_SLICE(SLICE("m"), f.r.model);
    finish(&f);
}

static void a_model_name_has_a_bound(void)
{
    char body[LIMIT_MODEL_BYTES + 100], name[LIMIT_MODEL_BYTES + 2];
    memset(name, 'm', sizeof name);
    for (size_t over = 0; over < 2; over++) {
        struct fixture f;
        snprintf(body, sizeof body, "{\"model\":\"%.*s\"}", (int)(LIMIT_MODEL_BYTES + over), name);
        EXPECT_INT(over == 0, parse_kind(&f, body, CHAT_CHAT));
        EXPECT_INT(LIMIT_MODEL_BYTES, f.r.model.len); /* what is kept of it, too */
        finish(&f);
    }
}

/* A request is complete only with its last byte: no prefix is taken for one. */
static void no_prefix_is_accepted(void)
{
    static const char body[] =
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9 \xE2\x82\xAC\"}]}";
    for (size_t len = 0; len < sizeof body - 1; len++) {
        struct fixture f;
        arena_init(&f.arena);
        chat_init(&f.r);
        EXPECT(!chat_parse(&f.r, &dialect_openai, slice_of(body, len), CHAT_CHAT, &f.arena, &f.why));
        finish(&f);
    }
}

static void text_is_measured(void)
{
    static const struct {
        enum chat_kind kind;
        const char *body;
        uint64_t bytes;
    } table[] = {
        {CHAT_CHAT, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"12345\"}]}", 5},
        {CHAT_CHAT,
         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"123\"},"
         "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]},"
         "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\","
         "\"function\":{\"name\":\"fun\",\"arguments\":\"{}\"}}]},"
         "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"12\"}]}",
         10},
        {CHAT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":\"1234\"}", 4},
        {CHAT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[\"12\",\"345\"]}", 5},
        {CHAT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":[11,12,13]}", 12},
        {CHAT_EMBEDDINGS, "{\"model\":\"m\",\"input\":[[1,2],[3]]}", 12},
        {CHAT_EMBEDDINGS, "{\"model\":\"m\",\"input\":\"\"}", 0},
        {CHAT_EMBEDDINGS, "{\"model\":\"m\",\"messages\":\"not read\"}", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fixture f;
        EXPECT(parse_kind(&f, table[i].body, table[i].kind));
        EXPECT_INT(table[i].bytes, chat_text_bytes(&f.r));
        finish(&f);
    }
}

static void the_last_user_text_is_found_and_cut(void)
{
    struct fixture f;
    begin(&f, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"first\"},{\"role\":\"us\\u0065r\","
              "\"content\":[{\"type\":\"text\",\"text\":\"h\\u00e9\"},{\"type\":\"image_url\"},{\"type\":\"text\","
              "\"text\":\"two\"}]},{\"role\":\"assistant\",\"content\":\"a\"}]}");
    static const char *const want[] = {"", "h", "h", "hé", "hé\n", "hé\nt", "hé\ntw", "hé\ntwo", "hé\ntwo"};
    for (size_t max = 0; max < 9; max++) {
        EXPECT_SLICE(slice_str(want[max]), chat_last_user_text(&f.r, max, &f.arena));
    }
    finish(&f);
    EXPECT(parse_kind(&f, "{\"model\":\"m\",\"prompt\":[\"a\",\"b\",7]}", CHAT_COMPLETIONS));
    EXPECT_SLICE(SLICE("b"), chat_last_user_text(&f.r, 9, &f.arena));
    finish(&f);
    EXPECT(parse_kind(&f, "{\"model\":\"m\",\"input\":\"whole\"}", CHAT_EMBEDDINGS));
    EXPECT_SLICE(SLICE("who"), chat_last_user_text(&f.r, 3, &f.arena));
    finish(&f);
    begin(&f, "{\"model\":\"m\",\"messages\":[1,{\"role\":\"user\",\"content\":null}]}");
    EXPECT_SLICE(SLICE(""), chat_last_user_text(&f.r, 9, &f.arena));
    finish(&f);
}

/* All three edits on one body. */
static void expect_edited(const char *body, const char *model, const char *want)
{
    struct fixture f;
    struct splice edits;
    struct buf out;
    begin(&f, body);
    splice_init(&edits, &f.r.tape, slice_str(body), &f.arena);
    chat_edit_model(&f.r, &edits, slice_str(model));
    if (f.r.is_stream) chat_edit_ask_usage(&f.r, &edits);
    chat_edit_drop_hints(&f.r, &edits);
    buf_init(&out);
    splice_apply(&edits, &out);
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    EXPECT_INT(strcmp(body, want) == 0, splice_is_empty(&edits));
    buf_clear(&out);
    finish(&f);
}

static void expect_limited(enum chat_kind kind, const char *body, enum chat_limit limit, const char *json, const char *want)
{
    struct fixture f;
    struct splice edits;
    struct buf out = {0};
    EXPECT(parse_kind(&f, body, kind));
    splice_init(&edits, &f.r.tape, slice_str(body), &f.arena);
    chat_edit_member(&f.r, &edits, limit, SLICE("max_tokens"), slice_str(json));
    splice_apply(&edits, &out);
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
    finish(&f);
}

#define BODY(more) "{\"model\":\"m\"" more "}"
#define PLAIN(n) ",\"max_tokens\":" n
#define COMPLETION(n) ",\"max_completion_tokens\":" n

static void a_limit_is_written_as_its_target_calls_it(void)
{
    expect_limited(CHAT_CHAT, BODY(""), CHAT_LIMIT_ANY, "5", BODY(PLAIN("5")));
    expect_limited(CHAT_CHAT, BODY(""), CHAT_LIMIT_TOKENS, "5", BODY(PLAIN("5")));
    expect_limited(CHAT_CHAT, BODY(""), CHAT_LIMIT_COMPLETION, "5", BODY(COMPLETION("5")));
    expect_limited(CHAT_CHAT, BODY(PLAIN("9")), CHAT_LIMIT_ANY, "5", BODY(PLAIN("5")));
    expect_limited(CHAT_CHAT, BODY(PLAIN("9")), CHAT_LIMIT_COMPLETION, "5", BODY(COMPLETION("5")));
    expect_limited(CHAT_CHAT, BODY(COMPLETION("9")), CHAT_LIMIT_ANY, "5", BODY(COMPLETION("5")));
    expect_limited(CHAT_CHAT, BODY(COMPLETION("9")), CHAT_LIMIT_TOKENS, "5", BODY(PLAIN("5")));
    expect_limited(CHAT_CHAT, BODY(PLAIN("9") COMPLETION("9")), CHAT_LIMIT_ANY, "5", BODY(PLAIN("5") COMPLETION("5")));
    expect_limited(CHAT_CHAT, BODY(PLAIN("9") COMPLETION("9")), CHAT_LIMIT_COMPLETION, "5", BODY(COMPLETION("5")));
    expect_limited(CHAT_CHAT, BODY(PLAIN("9") COMPLETION("9")), CHAT_LIMIT_TOKENS, "", BODY(""));
    expect_limited(CHAT_CHAT, BODY(COMPLETION("8")), CHAT_LIMIT_ANY, "", BODY(""));
    expect_limited(CHAT_COMPLETIONS, BODY(""), CHAT_LIMIT_COMPLETION, "5", BODY(PLAIN("5")));
}

static void expect_named(enum chat_kind kind, const char *body, enum chat_limit limit, const char *want)
{
    struct fixture f;
    struct splice edits;
    struct buf out = {0};
    EXPECT(parse_kind(&f, body, kind));
    splice_init(&edits, &f.r.tape, slice_str(body), &f.arena);
    chat_edit_limit_name(&f.r, &edits, limit);
    splice_apply(&edits, &out);
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
    finish(&f);
}

static void a_callers_own_limit_goes_by_the_name_that_its_target_takes(void)
{
    expect_named(CHAT_CHAT, BODY(COMPLETION("9")), CHAT_LIMIT_TOKENS, BODY(PLAIN("9")));
    expect_named(CHAT_CHAT, BODY(PLAIN("9")), CHAT_LIMIT_COMPLETION, BODY(COMPLETION("9")));
    expect_named(CHAT_CHAT, BODY(PLAIN("9") COMPLETION("9.0")), CHAT_LIMIT_TOKENS, BODY(PLAIN("9.0")));
    expect_named(CHAT_CHAT, BODY(COMPLETION("null") PLAIN("9")), CHAT_LIMIT_TOKENS, BODY(PLAIN("9")));
    const char *same[] = {BODY(PLAIN("9")), BODY(COMPLETION("9")), BODY(COMPLETION("null")), BODY("")};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        expect_named(CHAT_CHAT, same[i], CHAT_LIMIT_ANY, same[i]);
    expect_named(CHAT_CHAT, BODY(PLAIN("9")), CHAT_LIMIT_TOKENS, BODY(PLAIN("9")));
    expect_named(CHAT_COMPLETIONS, BODY(COMPLETION("9")), CHAT_LIMIT_TOKENS, BODY(COMPLETION("9")));
}

static void expect_limit_read(enum chat_kind kind, const char *body, int64_t want)
{
    struct fixture f;
    EXPECT(parse_kind(&f, body, kind));
    EXPECT_INT(want, f.r.max_tokens);
    finish(&f);
}

static void two_limits_that_differ_are_refused(void)
{
    const char *differ[] = {BODY(PLAIN("65536") COMPLETION("1")), BODY(COMPLETION("\"1\"") PLAIN("1")),
                            BODY(COMPLETION("1") PLAIN("\"1\""))};
    for (size_t i = 0; i < sizeof differ / sizeof differ[0]; i++) {
        struct fixture f;
        EXPECT(!parse_kind(&f, differ[i], CHAT_CHAT));
        finish(&f);
    }
    expect_limit_read(CHAT_CHAT, BODY(PLAIN("7") COMPLETION("7")), 7);
    expect_limit_read(CHAT_CHAT, BODY(PLAIN("null") COMPLETION("7")), 7);
    expect_limit_read(CHAT_COMPLETIONS, BODY(PLAIN("0") COMPLETION("1")), 0);
    expect_limit_read(CHAT_CHAT, BODY(PLAIN("0") COMPLETION("null")), -1); /* some read no bound in it */
    expect_limit_read(CHAT_CHAT, BODY(PLAIN("0") COMPLETION("0.0")), -1);
}

static void edits_are_the_least_that_is_needed(void)
{
    expect_edited("{\"model\":\"m\" }", "m", "{\"model\":\"m\" }");
    expect_edited("{\"model\":\"\\u006d\"}", "m", "{\"model\":\"\\u006d\"}");
    expect_edited("{\"model\" : \"m\" }", "a\"b", "{\"model\" : \"a\\\"b\" }");
    expect_edited("{\"model\":\"m\",\"stream\":true}", "m",
                  "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    expect_edited("{\"model\":\"m\",\"stream\":true,\"stream_options\":null}", "m",
                  "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    expect_edited("{\"model\":\"m\",\"stream\":true,\"stream_options\":{}}", "m",
                  "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    expect_edited("{\"stream_options\":{\"include_obfuscation\":false},\"model\":\"m\",\"stream\":true}", "m",
                  "{\"stream_options\":{\"include_obfuscation\":false,\"include_usage\":true},\"model\":\"m\","
                  "\"stream\":true}");
    expect_edited("{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\": false}}", "m",
                  "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\": true}}");
    expect_edited("{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", "m",
                  "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    expect_edited("{\"model\":\"m\",\"stream\":true,\"stream_options\":\"x\"}", "m",
                  "{\"model\":\"m\",\"stream\":true,\"stream_options\":\"x\"}");
    expect_edited("{\"model\":\"m\",\"metadata\":{\"moongate\":{\"a\":1},\"b\":2}}", "m",
                  "{\"model\":\"m\",\"metadata\":{\"b\":2}}");
    expect_edited("{\"model\":\"m\",\"metadata\":{\"moongate\":{\"a\":1}}}", "m", "{\"model\":\"m\"}");
    expect_edited("{\"metadata\":{\"moongate\":{}},\"model\":\"m\",\"stream\":true}", "gpt",
                  "{\"model\":\"gpt\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    expect_edited("{\"model\":\"m\",\"stream\":true,\"metadata\":{\"moongate\":{}}}", "gpt",
                  "{\"model\":\"gpt\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
}

int main(void)
{
    RUN(all_that_is_asked_for_is_found);
    RUN(what_is_kept_outlives_the_body);
    RUN(what_is_not_said_stays_unsaid);
    RUN(each_prompt_has_its_answers);
    RUN(what_the_model_is_made_to_do_is_seen);
    RUN(the_tier_of_service_is_found);
    RUN(wrong_bodies_are_refused_by_name);
    RUN(a_second_key_is_refused_in_every_spelling);
    RUN(unknown_keys_pass_even_twice);
    RUN(a_model_name_has_a_bound);
    RUN(no_prefix_is_accepted);
    RUN(text_is_measured);
    RUN(the_last_user_text_is_found_and_cut);
    RUN(a_limit_is_written_as_its_target_calls_it);
    RUN(a_callers_own_limit_goes_by_the_name_that_its_target_takes);
    RUN(two_limits_that_differ_are_refused);
    RUN(edits_are_the_least_that_is_needed);
    return unit_close("chat");
}
