/* Prompts as workers have them: which version answers whom. */
#include "../unit.h"

#include "store/prompts.h"

static void compile(struct buf *out, struct semver version, const char *text)
{
    struct json_tape tape;
    struct fault why = {0};
    struct template_error wrong = {0};
    struct prompt_id id = {SLICE("support/reply"), version};
    char json[200];
    snprintf(json, sizeof json, "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", text);
    json_init(&tape);
    if (!json_parse(&tape, slice_str(json), &why) || !prompt_compile(&tape, &id, out, &wrong))
        UNIT_FAIL("%s %s", why.text, wrong.text);
    json_clear(&tape);
}

static void add(struct prompts_build *b, struct semver version, enum prompt_status status)
{
    struct buf bytes = {0};
    struct fault why = {0};
    bool is_callable = status == PROMPT_APPROVED || status == PROMPT_ARCHIVED;
    if (is_callable) compile(&bytes, version, "x");
    if (!prompts_build_version(b, version, status, buf_slice(&bytes), &why)) UNIT_FAIL("%s", why.text);
    buf_clear(&bytes);
}

static struct prompts *made(uint32_t newer_share)
{
    struct prompts_build *b = prompts_build_new();
    struct buf bytes = {0};
    struct fault why = {0};
    EXPECT(prompts_build_prompt(b, SLICE("other"), &why));
    add(b, (struct semver){1, 0, 0}, PROMPT_DRAFT);
    EXPECT(prompts_build_prompt(b, SLICE("support/reply"), &why));
    add(b, (struct semver){1, 0, 0}, PROMPT_ARCHIVED);
    add(b, (struct semver){2, 0, 0}, PROMPT_APPROVED);
    add(b, (struct semver){2, 1, 0}, PROMPT_APPROVED);
    add(b, (struct semver){2, 1, 1}, PROMPT_REVOKED);
    add(b, (struct semver){2, 2, 0}, PROMPT_REVIEW);
    EXPECT(prompts_build_arm(b, SLICE("eu"), (struct semver){2, 0, 0}, 1000, &why));
    EXPECT(prompts_build_arm(b, SLICE("production"), (struct semver){2, 0, 0}, 1000 - newer_share, &why));
    EXPECT(prompts_build_arm(b, SLICE("production"), (struct semver){2, 1, 0}, newer_share, &why));
    EXPECT(!prompts_build_arm(b, SLICE("production"), (struct semver){9, 1, 0}, 1, &why));
    EXPECT(prompts_build_alias(b, SLICE("pmpt_123"), SLICE("support/reply"), &why));
    EXPECT(!prompts_build_alias(b, SLICE("pmpt_124"), SLICE("nobody"), &why));
    if (!prompts_build_end(b, &(struct section_about){.revision = 7}, &bytes, &why)) UNIT_FAIL("%s", why.text);
    prompts_build_free(b);
    struct prompts *p = prompts_copy(buf_slice(&bytes), &why);
    if (!p) UNIT_FAIL("%s", why.text);
    buf_clear(&bytes);
    return p;
}

static void each_way_of_asking_has_its_version(void)
{
    static const struct {
        const char *name, *version, *label;
        enum prompts_found found;
        struct semver got;
    } cases[] = {
        {"support/reply", "2.0.0", "", PROMPTS_FOUND, {2, 0, 0}},
        {"support/reply", "1.0.0", "", PROMPTS_FOUND, {1, 0, 0}},
        {"support/reply", "2", "", PROMPTS_FOUND, {2, 1, 0}},
        {"support/reply", "2.0", "", PROMPTS_FOUND, {2, 0, 0}},
        {"support/reply", "1", "", PROMPTS_NO_VERSION, {0, 0, 0}},
        {"support/reply", "2.1.1", "", PROMPTS_REVOKED, {0, 0, 0}},
        {"support/reply", "2.2.0", "", PROMPTS_NOT_APPROVED, {0, 0, 0}},
        {"support/reply", "3.0.0", "", PROMPTS_NO_VERSION, {0, 0, 0}},
        {"support/reply", "x", "", PROMPTS_BAD_VERSION, {0, 0, 0}},
        {"support/reply", "@eu", "", PROMPTS_FOUND, {2, 0, 0}},
        {"support/reply", "", "eu", PROMPTS_FOUND, {2, 0, 0}},
        {"support/reply", "@us", "", PROMPTS_NO_LABEL, {0, 0, 0}},
        {"pmpt_123", "2.1.0", "", PROMPTS_FOUND, {2, 1, 0}},
        {"other", "", "", PROMPTS_NO_LABEL, {0, 0, 0}},
        {"other", "1.0.0", "", PROMPTS_NOT_APPROVED, {0, 0, 0}},
        {"nobody", "", "", PROMPTS_NO_NAME, {0, 0, 0}},
        {"", "", "", PROMPTS_NO_NAME, {0, 0, 0}},
    };
    struct prompts *p = made(100);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct prompts_asked asked = {slice_str(cases[i].name), slice_str(cases[i].version), slice_str(cases[i].label),
                                      SLICE("ana")};
        struct prompts_hit hit;
        enum prompts_found found = prompts_find(p, &asked, &hit);
        if (found != cases[i].found) UNIT_FAIL("%s@%s: %d", cases[i].name, cases[i].version, found);
        if (found != PROMPTS_FOUND) continue;
        EXPECT_INT(0, semver_compare(hit.prompt.version, cases[i].got));
        EXPECT_SLICE(SLICE("support/reply"), hit.name);
    }
    struct prompts_hit hit;
    EXPECT_INT(PROMPTS_NO_NAME, prompts_find(NULL, &(struct prompts_asked){.name = SLICE("support/reply")}, &hit));
    EXPECT_INT(7, prompts_about(p)->revision);
    prompts_unref(p);
}

/* Whoever has the newer version keeps it while its share grows, and as many as said have it. */
static void shares_stick(void)
{
    struct prompts *small = made(100), *large = made(400);
    int few = 0, many = 0;
    for (int i = 0; i < 10000; i++) {
        char caller[24];
        struct prompts_hit one, other, again;
        snprintf(caller, sizeof caller, "user-%d", i);
        struct prompts_asked asked = {.name = SLICE("support/reply"), .caller = slice_str(caller)};
        EXPECT_INT(PROMPTS_FOUND, prompts_find(small, &asked, &one));
        EXPECT_INT(PROMPTS_FOUND, prompts_find(large, &asked, &other));
        EXPECT_INT(PROMPTS_FOUND, prompts_find(small, &asked, &again));
        EXPECT_INT(one.prompt.version.minor, again.prompt.version.minor);
        bool has_new = one.prompt.version.minor == 1, has_it_later = other.prompt.version.minor == 1;
        if (has_new) EXPECT(has_it_later);
        EXPECT_INT(has_new ? 100 : 900, one.share);
        few += has_new;
        many += has_it_later;
    }
    if (few < 850 || few > 1150 || many < 3800 || many > 4200) UNIT_FAIL("%d, %d of 10000", few, many);
    prompts_unref(small);
    prompts_unref(large);
}

int main(void)
{
    RUN(each_way_of_asking_has_its_version);
    RUN(shares_stick);
    return unit_close("prompts");
}
