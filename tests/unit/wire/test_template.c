/* Templates of prompts: what is refused where, what fills a hole, and that no value is ever more than a value. */
#include "../unit.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/template/template.h"

struct fixture {
    struct arena arena;
    struct json_tape source, given;
    struct buf bytes, out;
    struct template t;
    struct template_error wrong;
    struct template_refusal bad;
    struct slice values[LIMIT_TEMPLATE_VARIABLES];
};

static bool begin(struct fixture *f, struct slice source)
{
    struct fault why = {0};
    memset(f, 0, sizeof *f);
    arena_init(&f->arena);
    if (!json_parse(&f->source, source, &why)) UNIT_FAIL("%s", why.text);
    return template_compile(&f->source, 0, &f->bytes, &f->wrong) && template_open(&f->t, buf_slice(&f->bytes));
}

static void end(struct fixture *f)
{
    arena_clear(&f->arena);
    json_clear(&f->source);
    json_clear(&f->given);
    buf_clear(&f->bytes);
    buf_clear(&f->out);
}

static bool give(struct fixture *f, struct slice given)
{
    struct fault why = {0};
    if (!json_parse(&f->given, given, &why)) UNIT_FAIL("%s", why.text);
    return template_read(&f->t, &f->given, 0, &f->arena, f->values, &f->bad);
}

static struct slice written(struct fixture *f, uint32_t message)
{
    buf_reset(&f->out);
    template_write(&f->t, message, f->values, &f->out);
    return buf_slice(&f->out);
}

/* A user message of that text, as JSON writes it, and those variables. */
static bool begin_text(struct fixture *f, const char *text, const char *variables)
{
    static char source[8192];
    snprintf(source, sizeof source, "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],\"variables\":%s}", text,
             variables);
    return begin(f, slice_str(source));
}

#define A "{\"a\":{}}"

static void a_hole_takes_the_callers_own_bytes(void)
{
    struct fixture f;
    EXPECT(begin_text(&f, "Hi {{a}}, {{ a }}!\\n", A));
    EXPECT(give(&f, SLICE("{\"a\":\"x\\u00e9\\n\\\"{{a}}\"}")));
    EXPECT_SLICE(slice_str("Hi x\\u00e9\\n\\\"{{a}}, x\\u00e9\\n\\\"{{a}}!\\n"), written(&f, 0));
    EXPECT(buf_len(&f.out) <= template_bytes(&f.t, f.values));
    end(&f);
}

static void single_braces_and_json_are_text(void)
{
    struct fixture f;
    EXPECT(begin_text(&f, "{\\\"x\\\":{\\\"y\\\":[{}]}} } }} {{a}}}} \\\\{{a}} {% if %}", A));
    EXPECT(give(&f, SLICE("{\"a\":\"1\"}")));
    EXPECT_SLICE(slice_str("{\\\"x\\\":{\\\"y\\\":[{}]}} } }} 1}} {{a}} {% if %}"), written(&f, 0));
    end(&f);
}

static void what_is_no_name_is_refused_with_its_place(void)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *says;
    } cases[] = {
        {"{{#if a}}x{{/if}}", 1, 1, "logic of another"},
        {"\xc3\xa9\\n \xc3\xa9{{> partial}}", 2, 3, "logic of another"},
        {"a{{{a}}}", 1, 2, "three braces"},
        {"{{\\\"a\\\":1}}", 1, 1, "\\{{"},
        {"{{a|upper}}", 1, 1, "filters"},
        {"{{ a.b }}", 1, 1, "no members"},
        {"{{a()}}", 1, 1, "no members"},
        {"{{a", 1, 1, "no }} ends"},
        {"{{", 1, 1, "not followed by a name"},
        {"{{a }", 1, 1, "no }} ends"},
        {"{{ b }}", 1, 1, "b is not declared"},
        {"{{1a}}", 1, 1, "not followed by a name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        EXPECT(!begin_text(&f, cases[i].text, A));
        EXPECT_INT(0, f.wrong.message);
        EXPECT_INT(cases[i].line, f.wrong.line);
        EXPECT_INT(cases[i].column, f.wrong.column);
        if (!strstr(f.wrong.text, cases[i].says)) UNIT_FAIL("%s: %s", cases[i].text, f.wrong.text);
        EXPECT_INT(0, buf_len(&f.bytes));
        end(&f);
    }
}

static void a_misspelt_name_is_told_the_nearest(void)
{
    struct fixture f;
    EXPECT(!begin_text(&f, "{{questoin}}", "{\"question\":{}}"));
    EXPECT(strstr(f.wrong.text, "is meant question?"));
    end(&f);
    EXPECT(begin_text(&f, "{{question}}", "{\"question\":{}}"));
    EXPECT(!give(&f, SLICE("{\"questoin\":\"x\"}")));
    EXPECT_INT(TEMPLATE_BAD_UNKNOWN, f.bad.bad);
    EXPECT_STR("questoin", f.bad.name);
    EXPECT(strstr(f.bad.text, "is meant question?"));
    end(&f);
}

static void what_is_declared_must_stand_somewhere(void)
{
    struct fixture f;
    EXPECT(!begin_text(&f, "Hi", A));
    EXPECT(strstr(f.wrong.text, "variable a stands in no message"));
    end(&f);
}

static void a_missing_one_is_named(void)
{
    struct fixture f;
    EXPECT(begin_text(&f, "{{a}}{{b}}", "{\"a\":{\"default\":\"\\u0041\\\"\"},\"b\":{}}"));
    EXPECT(!give(&f, SLICE("{}")));
    EXPECT_INT(TEMPLATE_BAD_MISSING, f.bad.bad);
    EXPECT_STR("b", f.bad.name);
    EXPECT(give(&f, SLICE("{\"b\":\"\"}")));
    EXPECT_SLICE(slice_str("\\u0041\\\""), written(&f, 0));
    end(&f);
}

/* Type, what is given, and what fills the hole; NULL: it is refused. */
static void each_type_takes_its_own(void)
{
    static const struct {
        const char *declared, *given, *want;
    } cases[] = {
        {"{}", "\"x\"", "x"},
        {"{}", "{\"type\":\"input_text\",\"text\":\"y\"}", "y"},
        {"{}", "1", NULL},
        {"{}", "null", NULL},
        {"{\"max\":3}", "\"abcd\"", NULL},
        {"{\"max\":3}", "\"\\u0061\\u0061a\"", "\\u0061\\u0061a"},
        {"{\"type\":\"number\"}", "1.50", "1.50"},
        {"{\"type\":\"number\",\"min\":2}", "1.5", NULL},
        {"{\"type\":\"number\",\"max\":2}", "2.5", NULL},
        {"{\"type\":\"number\"}", "1e999", NULL},
        {"{\"type\":\"number\"}", "\"1\"", NULL},
        {"{\"type\":\"integer\"}", "12", "12"},
        {"{\"type\":\"integer\"}", "1.5", NULL},
        {"{\"type\":\"boolean\"}", "true", "true"},
        {"{\"type\":\"boolean\"}", "0", NULL},
        {"{\"type\":\"choice\",\"values\":[\"de\",\"\\\"q\\\"\"]}", "\"\\u0064e\"", "de"},
        {"{\"type\":\"choice\",\"values\":[\"de\",\"\\\"q\\\"\"]}", "\"\\\"q\\\"\"", "\\\"q\\\""},
        {"{\"type\":\"choice\",\"values\":[\"de\"]}", "\"fr\"", NULL},
        {"{\"type\":\"list\",\"join\":\"\\\", \"}", "[\"a\",\"\",\"\\n\"]", "a\\\", \\\", \\n"},
        {"{\"type\":\"list\",\"max_items\":1}", "[\"a\",\"b\"]", NULL},
        {"{\"type\":\"list\"}", "[1]", NULL},
        {"{\"type\":\"list\"}", "[]", ""},
        {"{\"type\":\"json\"}", "{\"a\":[1, \"x\\n\"]}", "{\\\"a\\\":[1, \\\"x\\\\n\\\"]}"},
        {"{\"type\":\"json\",\"max\":4}", "[1,2,3]", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        char declared[200], given[200];
        snprintf(declared, sizeof declared, "{\"a\":%s}", cases[i].declared);
        snprintf(given, sizeof given, "{\"a\":%s}", cases[i].given);
        EXPECT(begin_text(&f, "{{a}}", declared));
        bool is_good = give(&f, slice_str(given));
        if (is_good != (cases[i].want != NULL)) UNIT_FAIL("%s %s: %s", declared, given, f.bad.text);
        if (is_good) EXPECT_SLICE(slice_str(cases[i].want), written(&f, 0));
        if (!is_good) EXPECT_INT(TEMPLATE_BAD_INVALID, f.bad.bad);
        if (!is_good) EXPECT_STR("a", f.bad.name);
        end(&f);
    }
}

static void wrong_declarations_are_refused(void)
{
    static const char *const cases[] = {
        "{\"a\":{\"type\":\"texts\"}}",      "{\"a\":{\"maximum\":1}}",        "{\"a\":{\"max\":0}}",
        "{\"a\":{\"min\":1}}",               "{\"a\":{\"type\":\"choice\"}}",  "{\"a\":{\"values\":[\"x\"]}}",
        "{\"a\":{\"join\":\",\"}}",          "{\"a\":{\"default\":1}}",        "{\"a b\":{}}",
        "{\"a\":{\"max\":1,\"max\":2}}",     "[]",                             "{\"a\":{},\"a\":{}}",
        "{\"a\":{\"type\":\"integer\",\"max\":3,\"default\":4}}",      "{\"a\":{\"type\":\"list\",\"max_items\":\" \"}}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        if (begin_text(&f, "{{a}}", cases[i])) UNIT_FAIL("taken: %s", cases[i]);
        EXPECT(f.wrong.text[0] && f.wrong.message == TEMPLATE_NO_MESSAGE);
        end(&f);
    }
}

static void a_picture_is_a_part_of_its_own(void)
{
    struct fixture f;
    struct template_part part;
    uint32_t at = 0;
    EXPECT(begin_text(&f, "Look:\\n {{pic}} \\nWell, {{a}}?", "{\"a\":{},\"pic\":{\"type\":\"image\"}}"));
    EXPECT(f.t.has_media && template_has_parts(&f.t, 0));
    EXPECT(give(&f, SLICE("{\"a\":\"so\",\"pic\":{\"type\":\"input_image\",\"image_url\":\"data:,\"}}")));
    EXPECT(template_write_part(&f.t, 0, f.values, &at, &f.out, &part) && part.is_text);
    EXPECT_SLICE(slice_str("Look:"), buf_slice(&f.out));
    EXPECT(template_write_part(&f.t, 0, f.values, &at, &f.out, &part) && !part.is_text);
    EXPECT_INT(TEMPLATE_IMAGE, part.type);
    EXPECT_SLICE(slice_str("{\"type\":\"input_image\",\"image_url\":\"data:,\"}"), part.value);
    buf_reset(&f.out);
    EXPECT(template_write_part(&f.t, 0, f.values, &at, &f.out, &part) && part.is_text);
    EXPECT_SLICE(slice_str("Well, so?"), buf_slice(&f.out));
    EXPECT(!template_write_part(&f.t, 0, f.values, &at, &f.out, &part));
    end(&f);
    EXPECT(!begin_text(&f, "x {{pic}}", "{\"pic\":{\"type\":\"image\"}}"));
    EXPECT(strstr(f.wrong.text, "alone on its line"));
    end(&f);
}

static void an_instance_is_known(void)
{
    struct fixture f;
    EXPECT(begin_text(&f, "Dear {{a}}, \\\\{{x}} and {{a}}.", A));
    EXPECT(template_matches(&f.t, 0, SLICE("Dear Ana, {{x}} and Bo.")));
    EXPECT(template_matches(&f.t, 0, SLICE("Dear , {{x}} and .")));
    EXPECT(template_matches(&f.t, 0, SLICE("Dear x, {{x}} and y, {{x}} and ..")));
    EXPECT(!template_matches(&f.t, 0, SLICE("Dear Ana, {{x}} and Bo")));
    EXPECT(!template_matches(&f.t, 0, SLICE("dear Ana, {{x}} and Bo.")));
    EXPECT(!template_matches(&f.t, 0, SLICE_NONE));
    end(&f);
}

static void roles_and_places_are_kept(void)
{
    struct fixture f;
    EXPECT(begin(&f, SLICE("{\"insert_at\":1,\"messages\":[{\"role\":\"system\",\"content\":\"S\"},"
                           "{\"role\":\"developer\",\"content\":\"\"},{\"role\":\"assistant\",\"content\":\"A\"}]}")));
    EXPECT_INT(3, f.t.message_count);
    EXPECT_INT(1, f.t.insert_at);
    EXPECT_INT(TEMPLATE_SYSTEM, template_role(&f.t, 0));
    EXPECT_INT(TEMPLATE_DEVELOPER, template_role(&f.t, 1));
    EXPECT_INT(TEMPLATE_ASSISTANT, template_role(&f.t, 2));
    EXPECT_SLICE(slice_str(""), written(&f, 1));
    end(&f);
    EXPECT(!begin(&f, SLICE("{\"messages\":[{\"role\":\"tool\",\"content\":\"S\"}]}")));
    end(&f);
    EXPECT(!begin(&f, SLICE("{\"messages\":[]}")));
    end(&f);
    EXPECT(!begin(&f, SLICE("{\"insert_at\":2,\"messages\":[{\"role\":\"user\",\"content\":\"S\"}]}")));
    end(&f);
}

static void what_is_cut_or_flipped_is_not_opened_or_stays_inside(void)
{
    struct fixture f;
    struct template t;
    EXPECT(begin_text(&f, "Hi {{a}} {{b}}",
                      "{\"a\":{\"type\":\"choice\",\"values\":[\"x\"]},\"b\":{\"default\":\"y\"}}"));
    size_t len = buf_len(&f.bytes);
    char *copy = aligned_alloc(8, (len + 7) / 8 * 8);
    memcpy(copy, buf_ptr(&f.bytes), len);
    for (size_t cut = 0; cut < len; cut++)
        EXPECT(!template_open(&t, slice_of(copy, cut)));
    for (size_t i = 0; i < len; i++) {
        copy[i] = (char)~copy[i];
        if (template_open(&t, slice_of(copy, len))) {
            buf_reset(&f.out);
            for (uint32_t v = 0; v < t.variable_count; v++)
                f.values[v] = SLICE("v");
            for (uint32_t m = 0; m < t.message_count; m++)
                template_write(&t, m, f.values, &f.out);
        }
        copy[i] = (char)~copy[i];
    }
    EXPECT(template_open(&t, slice_of(copy, len)));
    free(copy);
    end(&f);
}

/* 10^5 values of markers, breakers of JSON, halves of escapes: the message written around each is one JSON string. */
static void no_value_leaves_its_string(void)
{
    static const char *const parts[] = {"\\n@system\\n", "\\\"}]", "{{a}}", "\\\\", "<|im_start|>system", "\\ud83d\\ude00",
                                        "\\u0022", "\\u0000", "},{", "\xf0\x9f\x98\x80", "\\/", "\\t"};
    struct fixture f;
    unsigned seed = 7;
    EXPECT(begin_text(&f, "x{{a}}y", A));
    for (int round = 0; round < 100000 && !unit_case_failures; round++) {
        char given[512];
        size_t at = (size_t)snprintf(given, sizeof given, "{\"a\":\"");
        for (int i = 0; i < 8; i++) {
            seed = seed * 1103515245u + 12345u;
            at += (size_t)snprintf(given + at, sizeof given - at, "%s", parts[(seed >> 16) % 12]);
        }
        snprintf(given + at, sizeof given - at, "\"}");
        EXPECT(give(&f, slice_str(given)));
        struct buf whole = {0};
        struct json_tape tape;
        struct fault why = {0};
        json_init(&tape);
        buf_append(&whole, SLICE("[\""));
        buf_append(&whole, written(&f, 0));
        buf_append(&whole, SLICE("\"]"));
        EXPECT(json_parse(&tape, buf_slice(&whole), &why));
        EXPECT_INT(1, json_count(&tape, 0));
        struct slice text = json_text(&tape, 1, &f.arena);
        EXPECT(text.ptr[0] == 'x' && text.ptr[text.len - 1] == 'y');
        json_clear(&tape);
        buf_clear(&whole);
    }
    end(&f);
}

int main(void)
{
    RUN(a_hole_takes_the_callers_own_bytes);
    RUN(single_braces_and_json_are_text);
    RUN(what_is_no_name_is_refused_with_its_place);
    RUN(a_misspelt_name_is_told_the_nearest);
    RUN(what_is_declared_must_stand_somewhere);
    RUN(a_missing_one_is_named);
    RUN(each_type_takes_its_own);
    RUN(wrong_declarations_are_refused);
    RUN(a_picture_is_a_part_of_its_own);
    RUN(an_instance_is_known);
    RUN(roles_and_places_are_kept);
    RUN(what_is_cut_or_flipped_is_not_opened_or_stays_inside);
    RUN(no_value_leaves_its_string);
    return unit_close("template");
}
