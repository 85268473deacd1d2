/* Versions of prompts: one form of what means the same, what a change is called, and what workers see of it. */
#include "../unit.h"

#include <stdlib.h>

#include "wire/canonical.h"
#include "wire/prompt/prompt.h"

static void parse(struct json_tape *tape, const char *text)
{
    struct fault why = {0};
    json_init(tape);
    if (!json_parse(tape, slice_str(text), &why)) UNIT_FAIL("%s: %s", text, why.text);
}

static void one_form_for_one_meaning(void)
{
    static const char *const cases[][2] = {
        {"{\"b\":1,\"a\":[true , null]}", "{\"a\":[true,null],\"b\":1}"},
        {"{\"\\u0061\":\"\\u00e9\\/\\u000a\"}", "{\"a\":\"\xc3\xa9/\\n\"}"},
        {"[1e2,0.20,0.20000000000000001,-0,1.0,12345678901234567890,0.1,1e-7,2.5e300]",
         "[100,0.2,0.2,0,1,12345678901234567890,0.1,1e-07,2.5e+300]"},
        {"{\"a\":{},\"aa\":1,\"B\":[]}", "{\"B\":[],\"a\":{},\"aa\":1}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = {0}, again = {0};
        struct fault why = {0};
        EXPECT(canonical_text(slice_str(cases[i][0]), &out, &why));
        EXPECT_SLICE(slice_str(cases[i][1]), buf_slice(&out));
        EXPECT(canonical_text(buf_slice(&out), &again, &why));
        EXPECT_SLICE(buf_slice(&out), buf_slice(&again));
        buf_clear(&out);
        buf_clear(&again);
    }
    struct buf out = {0};
    struct fault why = {0};
    EXPECT(!canonical_text(SLICE("{\"a\":1,\"\\u0061\":2}"), &out, &why));
    EXPECT(strstr(why.text, "twice"));
    buf_clear(&out);
}

static void versions_are_three_numbers(void)
{
    struct semver v;
    unsigned parts;
    char text[SEMVER_BYTES];
    EXPECT(semver_parse(SLICE("2.10.0"), &v) && v.major == 2 && v.minor == 10 && v.patch == 0);
    semver_write(v, text);
    EXPECT_STR("2.10.0", text);
    EXPECT(semver_compare(v, (struct semver){2, 9, 9}) > 0 && semver_compare(v, v) == 0);
    EXPECT(semver_parse_prefix(SLICE("2.1"), &v, &parts) && parts == 2 && v.minor == 1);
    static const char *const bad[] = {"", "1", "1.2", "01.0.0", "1.2.3.4", "1.2.", "1..2", "v1.0.0", "1.0.0-rc1",
                                      "99999999.0.0", "+1.0.0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT(!semver_parse(slice_str(bad[i]), &v));
    EXPECT_INT(3, semver_next((struct semver){2, 1, 7}, SEMVER_MAJOR).major);
    EXPECT_INT(0, semver_next((struct semver){2, 1, 7}, SEMVER_MINOR).patch);
}

#define MESSAGE(text) "\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]"

static void a_change_is_called_by_what_it_asks(void)
{
    static const struct {
        const char *before, *after;
        enum semver_bump bump;
    } cases[] = {
        {"{" MESSAGE("a") "}", "{" MESSAGE("a") "}", SEMVER_SAME},
        {"{" MESSAGE("a") "}", "{" MESSAGE("b") "}", SEMVER_PATCH},
        {"{" MESSAGE("a") "}", "{\"model\":\"m\"," MESSAGE("a") "}", SEMVER_MINOR},
        {"{" MESSAGE("a") "}", "{\"variables\":{\"x\":{}}," MESSAGE("{{x}}") "}", SEMVER_MAJOR},
        {"{" MESSAGE("a") "}", "{\"variables\":{\"x\":{\"default\":\"\"}}," MESSAGE("{{x}}") "}", SEMVER_MINOR},
        {"{\"variables\":{\"x\":{}}," MESSAGE("{{x}}") "}", "{" MESSAGE("a") "}", SEMVER_MAJOR},
        {"{\"variables\":{\"x\":{}}," MESSAGE("{{x}}") "}",
         "{\"variables\":{\"x\":{\"type\":\"number\"}}," MESSAGE("{{x}}") "}", SEMVER_MAJOR},
        {"{\"variables\":{\"x\":{\"default\":\"\"}}," MESSAGE("{{x}}") "}",
         "{\"variables\":{\"x\":{}}," MESSAGE("{{x}}") "}", SEMVER_MAJOR},
        {"{" MESSAGE("a") "}", "{\"messages\":[{\"role\":\"system\",\"content\":\"a\"}]}", SEMVER_MINOR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_tape before, after;
        parse(&before, cases[i].before);
        parse(&after, cases[i].after);
        enum semver_bump got = semver_propose(&before, &after);
        if (got != cases[i].bump) UNIT_FAIL("%s > %s: %s", cases[i].before, cases[i].after, semver_bump_name(got));
        json_clear(&before);
        json_clear(&after);
    }
}

static const struct prompt_id id = {{"support/reply", 13}, {2, 1, 0}};

static void a_version_says_what_it_sets(void)
{
    struct json_tape tape;
    struct template_error why = {0};
    struct buf bytes = {0};
    struct prompt p;
    parse(&tape, "{\"model\":\"m\",\"parameters\":{\"temperature\":0.20,\"top_p\":1},\"open\":[\"top_p\",\"system\"],"
                 "\"apps\":[\"bot\"],\"tools\":[],\"variables\":{\"a\":{}}," MESSAGE("Hi {{a}}") "}");
    EXPECT(prompt_compile(&tape, &id, &bytes, &why) && prompt_open(&p, buf_slice(&bytes)));
    EXPECT_INT(buf_len(&bytes), prompt_length(buf_slice(&bytes)));
    EXPECT_SLICE(SLICE("support/reply"), p.name);
    EXPECT_SLICE(SLICE("m"), p.model);
    EXPECT_INT(3, p.field_count);
    EXPECT_SLICE(SLICE("temperature"), prompt_field(&p, 0).name);
    EXPECT_SLICE(SLICE("0.2"), prompt_field(&p, 0).json);
    EXPECT(!prompt_field(&p, 0).is_open && prompt_field(&p, 1).is_open);
    EXPECT(prompt_opens(&p, SLICE("system")) && !prompt_opens(&p, SLICE("bot")));
    EXPECT(prompt_serves(&p, SLICE("bot")) && !prompt_serves(&p, SLICE("system")) && !prompt_serves(&p, SLICE("")));
    for (size_t cut = 0; cut < buf_len(&bytes); cut++)
        EXPECT(!prompt_open(&p, slice_of(buf_ptr(&bytes), cut)));
    json_clear(&tape);
    buf_clear(&bytes);
}

static void what_no_prompt_has_is_refused(void)
{
    static const char *const cases[] = {
        "{\"modell\":\"m\"," MESSAGE("x") "}", "{\"parameters\":{\"stream\":true}," MESSAGE("x") "}",
        "{\"parameters\":{\"Model\":1}," MESSAGE("x") "}", "{\"tools\":{}," MESSAGE("x") "}",
        "{\"open\":[1]," MESSAGE("x") "}", "{\"model\":1," MESSAGE("x") "}", "[]", "{" MESSAGE("x") "," MESSAGE("x") "}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_tape tape;
        struct template_error why = {0};
        struct buf bytes = {0};
        parse(&tape, cases[i]);
        if (prompt_compile(&tape, &id, &bytes, &why)) UNIT_FAIL("taken: %s", cases[i]);
        EXPECT(why.text[0] && buf_len(&bytes) == 0);
        json_clear(&tape);
        buf_clear(&bytes);
    }
    static const char *const names[] = {"", "/a", "a/", "a//b", "A", "a b", "a@1", "-a", "a/\xc3\xa9"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        EXPECT(!prompt_is_name(slice_str(names[i])));
    EXPECT(prompt_is_name(SLICE("support/reply-2.b_c")));
}

int main(void)
{
    RUN(one_form_for_one_meaning);
    RUN(versions_are_three_numbers);
    RUN(a_change_is_called_by_what_it_asks);
    RUN(a_version_says_what_it_sets);
    RUN(what_no_prompt_has_is_refused);
    return unit_close("prompt");
}
