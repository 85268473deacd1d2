/*
 * Requests from one dialect to another, whole: tests/data/translate/<from>_to_<to>.txt, where each case has a name
 * ("== …"), the client's body (">…"), and either the exact bytes that go upstream ("<…") with what is dropped ("-…"),
 * or why it is refused ("!…"). Each body that goes upstream is valid by the vendor's reference (*.schema.json). What the model takes is what scripts/catalogue/ says of its name.
 */
#include "../files.h"
#include "../unit.h"
#include "../wire/schema_check.h"

#include "lua/counting.h"
#include "lua/traits.h"
#include "wire/dialect.h"
#include "wire/translate/translate.h"

struct golden {
    struct slice name, request, upstream, dropped, refusal;
};

struct translated {
    struct arena arena;
    struct buf out, dropped;
    struct fault why;
    bool is_good;
};

static struct slice model_of(struct slice body, struct arena *arena)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    struct slice model = SLICE("");
    if (json_parse(&tape, body, &why)) {
        uint32_t node = json_get(&tape, 0, SLICE("model"));
        if (json_is(&tape, node, JSON_STRING)) model = arena_copy(arena, json_text(&tape, node, arena));
        if (slice_starts(model, SLICE("models/"))) model = slice_of(model.ptr + 7, model.len - 7);
    }
    json_clear(&tape);
    return model;
}

static void translate(struct translated *t, const struct dialect *from, const struct dialect *to, struct slice body)
{
    struct dropped dropped = {.count = 0};
    arena_init(&t->arena);
    buf_init(&t->out);
    buf_init(&t->dropped);
    t->why = (struct fault){0};
    struct slice model = model_of(body, &t->arena);
    const struct count_rules *rules = counting_find(model);
    struct translate_target target = {.traits = traits_find(model),
                                      .limit = rules ? rules->limit : CHAT_LIMIT_ANY,
                                      .asks_usage = true,
                                      .model = model};
    t->is_good = translate_request(from, body, to, &target, &t->arena, &t->out, &dropped, &t->why);
    dropped_write(&dropped, &t->dropped);
}

static void finish(struct translated *t)
{
    buf_clear(&t->out);
    buf_clear(&t->dropped);
    arena_clear(&t->arena);
}

static struct checked openai, responses, anthropic, gemini, converse;

static struct checked *schema_of(const struct dialect *dialect)
{
    if (dialect == &dialect_gemini) return &gemini;
    if (dialect == &dialect_converse) return &converse;
    if (dialect == &dialect_responses) return &responses;
    return dialect == &dialect_openai ? &openai : &anthropic;
}

static void expect_golden(const struct golden *g, const struct dialect *from, const struct dialect *to)
{
    struct translated t;
    translate(&t, from, to, g->request);
    if (t.is_good != !g->refusal.ptr)
        UNIT_FAIL("%.*s: %s", SLICE_FMT(g->name), t.is_good ? "is not refused" : t.why.text);
    else if (!t.is_good && !slice_equal(g->refusal, slice_str(t.why.text)))
        UNIT_FAIL("%.*s: refused otherwise:\n!%s", SLICE_FMT(g->name), t.why.text);
    else if (t.is_good && !slice_equal(g->upstream, buf_slice(&t.out)))
        UNIT_FAIL("%.*s: another body:\n<%.*s", SLICE_FMT(g->name), SLICE_FMT(buf_slice(&t.out)));
    if (t.is_good && !slice_equal(g->dropped, buf_slice(&t.dropped)))
        UNIT_FAIL("%.*s: other drops:\n-%.*s", SLICE_FMT(g->name), SLICE_FMT(buf_slice(&t.dropped)));
    const char *wrong = t.is_good ? checked_body(schema_of(to), buf_slice(&t.out)) : NULL;
    if (wrong) UNIT_FAIL("%.*s: its body is not valid: %s", SLICE_FMT(g->name), wrong);
    finish(&t);
}

static size_t expect_file(const char *name, const struct dialect *from, const struct dialect *to)
{
    char file_name[64];
    struct golden g = {.name = SLICE_NONE};
    size_t count = 0;
    snprintf(file_name, sizeof file_name, "%s.txt", name);
    struct buf file;
    if (!read_file("tests/data/translate", file_name, &file)) UNIT_FAIL("%s cannot be read", name);
    struct slice rest = buf_slice(&file);
    while (rest.len) {
        struct slice line = slice_split(rest, '\n', &rest), text;
        if (line.len < 1 || line.ptr[0] == '#') continue;
        text = slice_of(line.ptr + 1, line.len - 1);
        switch (line.ptr[0]) {
        case '=':
            if (g.name.ptr) expect_golden(&g, from, to);
            g = (struct golden){.name = slice_trim(slice_of(line.ptr + 2, line.len - 2))};
            count++;
            break;
        case '>': g.request = text; break;
        case '<': g.upstream = text; break;
        case '-': g.dropped = text; break;
        case '!': g.refusal = text; break;
        default: UNIT_FAIL("%s: what is \"%.*s\"?", name, SLICE_FMT(line));
        }
    }
    if (g.name.ptr) expect_golden(&g, from, to);
    buf_clear(&file);
    return count;
}

static void requests_of_openai_clients_reach_anthropic(void)
{
    EXPECT(expect_file("openai_to_anthropic", &dialect_openai, &dialect_anthropic) >= 30);
}

static void requests_of_anthropic_clients_reach_openai(void)
{
    EXPECT(expect_file("anthropic_to_openai", &dialect_anthropic, &dialect_openai) >= 30);
}

static void requests_of_responses_clients_reach_others(void)
{
    EXPECT(expect_file("responses_to_anthropic", &dialect_responses, &dialect_anthropic) >= 30);
    EXPECT(expect_file("responses_to_openai", &dialect_responses, &dialect_openai) >= 30);
}

static void requests_of_all_clients_reach_converse(void)
{
    EXPECT(expect_file("openai_to_converse", &dialect_openai, &dialect_converse) >= 30);
    EXPECT(expect_file("anthropic_to_converse", &dialect_anthropic, &dialect_converse) >= 30);
    EXPECT(expect_file("responses_to_converse", &dialect_responses, &dialect_converse) >= 30);
    EXPECT(expect_file("gemini_to_converse", &dialect_gemini, &dialect_converse) >= 20);
}

/* Their bodies name the model as Google has it, for these tests alone: elsewhere their path does. */
static void requests_of_gemini_clients_reach_others(void)
{
    EXPECT(expect_file("gemini_to_anthropic", &dialect_gemini, &dialect_anthropic) >= 30);
    EXPECT(expect_file("gemini_to_openai", &dialect_gemini, &dialect_openai) >= 30);
}

static void requests_of_all_others_clients_reach_gemini(void)
{
    EXPECT(expect_file("openai_to_gemini", &dialect_openai, &dialect_gemini) >= 30);
    EXPECT(expect_file("anthropic_to_gemini", &dialect_anthropic, &dialect_gemini) >= 30);
    EXPECT(expect_file("responses_to_gemini", &dialect_responses, &dialect_gemini) >= 30);
}

static void requests_of_all_others_clients_reach_responses(void)
{
    EXPECT(expect_file("openai_to_responses", &dialect_openai, &dialect_responses) >= 30);
    EXPECT(expect_file("anthropic_to_responses", &dialect_anthropic, &dialect_responses) >= 30);
    EXPECT(expect_file("gemini_to_responses", &dialect_gemini, &dialect_responses) >= 30);
}

int main(void)
{
    EXPECT(checked_open(&converse, "tests/data/translate", "converse.schema.json"));
    EXPECT(checked_open(&openai, "tests/data/translate", "openai.schema.json"));
    EXPECT(checked_open(&responses, "tests/data/translate", "responses.schema.json"));
    EXPECT(checked_open(&anthropic, "tests/data/translate", "anthropic.schema.json"));
    EXPECT(checked_open(&gemini, "tests/data/translate", "gemini.schema.json"));
    RUN(requests_of_openai_clients_reach_anthropic);
    RUN(requests_of_anthropic_clients_reach_openai);
    RUN(requests_of_responses_clients_reach_others);
    RUN(requests_of_gemini_clients_reach_others);
    RUN(requests_of_all_others_clients_reach_gemini);
    RUN(requests_of_all_others_clients_reach_responses);
    RUN(requests_of_all_clients_reach_converse);
    checked_close(&converse);
    checked_close(&openai);
    checked_close(&responses);
    checked_close(&anthropic);
    checked_close(&gemini);
    return unit_close("translate");
}
