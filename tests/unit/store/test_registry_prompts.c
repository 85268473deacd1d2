/* Prompts in the registry: the way of a text from its author to production, and all that bars it. */
#include "../unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "store/registry/people.h"
#include "store/registry/prompts.h"
#include "store/registry/registry.h"
#include "store/prompts.h"

static struct registry *registry;
static struct fault why;
static const struct change_by by = {.actor = {"ana", 3}, .host = {"here", 4}, .via = {"cli", 3}};
static char ana[PERSON_ID_BYTES], kim[PERSON_ID_BYTES], lee[PERSON_ID_BYTES];

static void make_person(const char *name, char id[PERSON_ID_BYTES])
{
    if (!registry_prompt_person(registry, slice_str(name), &by, id, &why)) UNIT_FAIL("%s", why.text);
}

static void give(const char *person, const char *role, const char *scope, const char *giver)
{
    struct role_spec spec = {slice_str(person), slice_str(role), slice_str(scope), slice_str(giver), 0};
    if (!registry_role_give(registry, &spec, &by, &why)) UNIT_FAIL("%s", why.text);
}

static char folder[64];

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/prompts-XXXXXX");
    if (!mkdtemp(folder)) UNIT_FAIL("no folder");
    registry = registry_open(folder, &why);
    if (!registry) UNIT_FAIL("%s", why.text);
    make_person("ana", ana);
    make_person("kim", kim);
    make_person("lee", lee);
    give(kim, "approver", "support", ana);
    give(ana, "approver", "support", kim);
    give(lee, "approver", "claims", kim);
}

static void end(void)
{
    char command[128];
    registry_close(registry);
    snprintf(command, sizeof command, "rm -r %s", folder);
    EXPECT(system(command) == 0);
}

static bool push(const char *person, const char *text, struct semver version, struct prompt_pushed *pushed)
{
    char content[400];
    snprintf(content, sizeof content, "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", text);
    struct prompt_push p = {.name = SLICE("support/reply"), .owner = SLICE("support-team"),
                            .department = SLICE("support"), .content = slice_str(content),
                            .person = slice_str(person), .version = version};
    why = (struct fault){0};
    return registry_prompt_push(registry, &p, &by, pushed, &why);
}

static struct prompt_at at(struct semver version, const char *person)
{
    return (struct prompt_at){SLICE("support/reply"), version, slice_str(person)};
}

static enum registry_found approve(struct semver version, const char *person, const char *sha256, uint32_t share)
{
    struct prompt_verdict v = {.at = at(version, person), .sha256 = slice_str(sha256), .share = share};
    return registry_prompt_approve(registry, &v, &by, &why);
}

/* Who answers a request without a version; "" where nobody does. */
static const char *active(void)
{
    static char text[SEMVER_BYTES];
    struct buf bytes = {0};
    struct prompts_hit hit;
    text[0] = '\0';
    if (!registry_section(registry, SECTION_PROMPTS, 0, &bytes, &why)) UNIT_FAIL("%s", why.text);
    struct prompts *p = prompts_copy(buf_slice(&bytes), &why);
    if (prompts_find(p, &(struct prompts_asked){.name = SLICE("support/reply")}, &hit) == PROMPTS_FOUND)
        semver_write(hit.prompt.version, text);
    prompts_unref(p);
    buf_clear(&bytes);
    return text;
}

#define V(a, b, c) ((struct semver){a, b, c})
#define NEXT ((struct semver){0, 0, 0})

/* Developer creates, submits; reviewer approves; it answers; a new version takes its place, and goes again. */
static void the_way_to_production(void)
{
    struct prompt_pushed one, two;
    struct semver now;
    begin();
    EXPECT(push(ana, "one", NEXT, &one) && one.is_new);
    EXPECT_INT(0, semver_compare(one.version, V(1, 0, 0)));
    EXPECT_STR("", active());
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_submit(registry, &(struct prompt_at){SLICE("support/reply"), V(1, 0, 0), slice_str(ana)}, &by, &why));
    EXPECT_INT(REGISTRY_FOUND, approve(V(1, 0, 0), kim, one.sha256, 0));
    EXPECT_STR("1.0.0", active());
    EXPECT(push(kim, "two", NEXT, &two));
    EXPECT_INT(0, semver_compare(two.version, V(1, 0, 1)));
    struct prompt_at second = at(V(1, 0, 1), kim);
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_submit(registry, &second, &by, &why));
    EXPECT_STR("1.0.0", active());
    EXPECT_INT(REGISTRY_FOUND, approve(V(1, 0, 1), ana, two.sha256, 0));
    EXPECT_STR("1.0.1", active());
    struct prompt_at back = at(NEXT, ana);
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_rollback(registry, &back, &by, &now, &why));
    EXPECT_STR("1.0.0", active());
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_rollback(registry, &back, &by, &now, &why));
    EXPECT_STR("1.0.1", active());
    end();
}

static void expect_refused(enum registry_found found, enum registry_refusal refusal)
{
    EXPECT_INT(REGISTRY_FAILED, found);
    EXPECT_STR(registry_refusal_word(refusal), registry_refusal_word(registry_refused(registry)));
}

static void nobody_approves_their_own(void)
{
    struct prompt_pushed one;
    begin();
    EXPECT(push(ana, "one", NEXT, &one));
    struct prompt_at first = at(V(1, 0, 0), ana);
    expect_refused(approve(V(1, 0, 0), kim, one.sha256, 0), REGISTRY_STALE_REVIEW); /* not in review */
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_submit(registry, &first, &by, &why));
    expect_refused(approve(V(1, 0, 0), ana, one.sha256, 0), REGISTRY_SELF_APPROVAL);
    EXPECT_INT(REGISTRY_FAILED, approve(V(1, 0, 0), lee, one.sha256, 0)); /* of another department */
    EXPECT(strstr(why.text, PROMPTS_FORBIDDEN));
    expect_refused(approve(V(1, 0, 0), kim, "00", 0), REGISTRY_STALE_REVIEW);
    /* Withdrawn, changed by the reviewer, changed back by its author: both wrote it now. */
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_withdraw(registry, &first, &by, &why));
    struct prompt_pushed again;
    EXPECT(push(kim, "other", V(1, 0, 0), &again) && push(ana, "one", V(1, 0, 0), &again));
    EXPECT_STR(one.sha256, again.sha256);
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_submit(registry, &first, &by, &why));
    expect_refused(approve(V(1, 0, 0), kim, one.sha256, 0), REGISTRY_SELF_APPROVAL);
    EXPECT_STR("", active());
    end();
}

static void what_was_looked_at_stays(void)
{
    struct prompt_pushed one, other;
    begin();
    EXPECT(push(ana, "one", V(1, 2, 3), &one));
    struct prompt_at first = at(V(1, 2, 3), ana);
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_submit(registry, &first, &by, &why));
    EXPECT(!push(ana, "other", V(1, 2, 3), &other));
    EXPECT_INT(REGISTRY_IMMUTABLE, registry_refused(registry));
    EXPECT(strstr(why.text, "next free version is 1.2.4"));
    EXPECT(push(ana, "one", V(1, 2, 3), &other) && other.is_same && !other.is_new);
    EXPECT(push(ana, "one", NEXT, &other) && other.is_same);
    EXPECT_INT(REGISTRY_FAILED, registry_prompt_submit(registry, &first, &by, &why));
    EXPECT_INT(REGISTRY_ILLEGAL_MOVE, registry_refused(registry));
    struct prompt_verdict no = {.at = at(V(1, 2, 3), kim), .comment = SLICE("too long")};
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_reject(registry, &no, &by, &why));
    EXPECT_INT(REGISTRY_FAILED, registry_prompt_submit(registry, &first, &by, &why));
    struct prompt_at nobody = at(V(9, 0, 0), ana);
    EXPECT_INT(REGISTRY_MISSING, registry_prompt_submit(registry, &nobody, &by, &why));
    end();
}

static void go(struct semver version, const char *text, uint32_t share)
{
    struct prompt_pushed made;
    struct prompt_at here = at(version, ana);
    EXPECT(push(ana, text, version, &made));
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_submit(registry, &here, &by, &why));
    if (approve(version, kim, "", share) != REGISTRY_FOUND) UNIT_FAIL("%s", why.text);
}

static void shares_and_labels(void)
{
    begin();
    go(V(1, 0, 0), "one", 0);
    go(V(1, 1, 0), "two", 100);
    struct prompt_arm wrong[] = {{V(1, 0, 0), 900}, {V(1, 1, 0), 200}}, draft[] = {{V(2, 0, 0), 1000}};
    struct prompt_pushed made;
    expect_refused(registry_prompt_label(registry, SLICE("support/reply"), SLICE("production"), wrong, 2,
                                         slice_str(kim), &by, &why), REGISTRY_SHARES);
    EXPECT(push(ana, "three", V(2, 0, 0), &made));
    expect_refused(registry_prompt_label(registry, SLICE("support/reply"), SLICE("production"), draft, 1,
                                         slice_str(kim), &by, &why), REGISTRY_NOT_APPROVED);
    EXPECT_INT(REGISTRY_FAILED, registry_prompt_label(registry, SLICE("support/reply"), SLICE("production"), wrong, 1,
                                                      slice_str(lee), &by, &why));
    /* A label of one's own takes drafts, without anybody. */
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_label(registry, SLICE("support/reply"), SLICE("dev"), draft, 1,
                                                     slice_str(lee), &by, &why));
    EXPECT_INT(REGISTRY_FAILED, registry_prompt_label(registry, SLICE("support/reply"), SLICE("production"), NULL, 0,
                                                      slice_str(kim), &by, &why));
    struct prompt_at old = at(V(1, 0, 0), kim), new = at(V(1, 1, 0), kim);
    expect_refused(registry_prompt_revoke(registry, &old, NEXT, &by, &why), REGISTRY_IN_PRODUCTION);
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_revoke(registry, &old, V(1, 1, 0), &by, &why));
    EXPECT_STR("1.1.0", active());
    expect_refused(registry_prompt_revoke(registry, &new, V(1, 0, 0), &by, &why), REGISTRY_NOT_APPROVED);
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_alias(registry, SLICE("pmpt_1"), &old, &by, &why));
    expect_refused(registry_prompt_alias(registry, SLICE("pmpt_1"), &old, &by, &why), REGISTRY_EXISTS);
    end();
}

/* Words of other template languages: each refused with its place, before anything is written. */
static void other_languages_are_refused(void)
{
    static const char *const texts[] = {
        "{{ self.__init__.__globals__ }}", "{{#each users}}", "{{> header}}", "{{{raw}}}", "{{name|upper}}",
        "{{''.__class__.__mro__}}", "{{cycler.__init__()}}", "{{&x}}", "{{^x}}", "{{/x}}", "{{!x}}", "{{= =}}",
        "{{ 7*7 }}", "{{config}}", "{{lipsum()}}", "{{#if a}}b{{else}}c{{/if}}", "{{../x}}", "{{@index}}", "{{x.y}}",
        "{{range .Items}}", "{{template \\\"a\\\"}}", "{{- x -}}",
    };
    begin();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct prompt_pushed made;
        if (push(ana, texts[i], NEXT, &made)) UNIT_FAIL("taken: %s", texts[i]);
        EXPECT(strstr(why.text, "line 1, column 1"));
    }
    end();
}

int main(void)
{
    RUN(the_way_to_production);
    RUN(nobody_approves_their_own);
    RUN(what_was_looked_at_stays);
    RUN(shares_and_labels);
    RUN(other_languages_are_refused);
    return unit_close("registry prompts");
}
