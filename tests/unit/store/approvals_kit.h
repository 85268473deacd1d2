/*
 * A registry with three people, a service and their roles, and what tests of requests and grants do with it.
 */
#ifndef MOONGATE_TESTS_APPROVALS_KIT_H
#define MOONGATE_TESTS_APPROVALS_KIT_H

#include "../unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/grants.h"
#include "store/registry/approvals.h"
#include "store/registry/registry_inner.h"

#define DAY 86400

static char dir[64];
static struct registry *r;
static struct fault why;
static char ana[PERSON_ID_BYTES], kim[PERSON_ID_BYTES], lee[PERSON_ID_BYTES], bot[PERSON_ID_BYTES];
static const struct change_by by = {.actor = SLICE("kim"), .host = SLICE("gw-1"), .via = SLICE("cli"), .uid = 7};

/* ---- A registry with three people and a service. */

static inline void person(const char *name, enum person_kind kind, char id[PERSON_ID_BYTES])
{
    struct person_spec spec = {.kind = kind, .issuer = PERSON_LOCAL, .subject = slice_str(name)};
    EXPECT(registry_person_create(r, &spec, &by, id, &why));
}

static inline void role(const char *whose, const char *name, const char *scope)
{
    struct role_spec spec = {slice_str(whose), slice_str(name), slice_str(scope), .given_by = SLICE("root")};
    EXPECT(registry_role_give(r, &spec, &by, &why));
}

static inline void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/moongate-approvals-XXXXXX");
    if (!mkdtemp(dir)) exit(1);
    why = (struct fault){.text = ""};
    r = registry_open(dir, &why);
    if (!r) UNIT_FAIL("%s", why.text);
    if (!r) exit(1);
    person("ana", PERSON_HUMAN, ana);
    person("kim", PERSON_HUMAN, kim);
    person("lee", PERSON_HUMAN, lee);
    person("bot", PERSON_SERVICE, bot);
    role(kim, "manager", "research");
    role(lee, "security", "*");
}

static inline void end(void)
{
    static const char *const names[] = {"", "-wal", "-shm"};
    char path[128];
    registry_close(r);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/registry.db%s", dir, names[i]);
        unlink(path);
    }
    EXPECT_INT(0, rmdir(dir));
}

static inline struct access_spec spec_of(const char *asker)
{
    return (struct access_spec){.subject_kind = SLICE("user"),
                                .subject = slice_str(ana),
                                .object = SLICE("claude-3-opus"),
                                .purpose = SLICE("tender: the new town hall"),
                                .seconds = 7 * DAY,
                                .pending_s = 7 * DAY,
                                .requested_by = slice_str(asker),
                                .department = SLICE("research"),
                                .rule = {.by = SLICE("manager")}};
}

static inline const char *ask_for(struct access_spec spec)
{
    static struct access_made made;
    if (!registry_access_request(r, &spec, &by, &made, &why)) UNIT_FAIL("%s", why.text);
    return made.id;
}

static struct access_decided decided;

/* "" where it counts; else the word of the refusal. */
static inline const char *decide(const char *request, const char *person_id, bool is_approval)
{
    struct access_verdict verdict = {slice_str(request), slice_str(person_id), .is_approval = is_approval};
    enum registry_found found = registry_access_decide(r, &verdict, &by, &decided, &why);
    if (found == REGISTRY_MISSING) return "missing";
    if (found == REGISTRY_FAILED && !registry_refused(r)) UNIT_FAIL("%s", why.text);
    return found == REGISTRY_FOUND ? "" : registry_refusal_word(registry_refused(r));
}

static inline const char *text_of(json_t *list, const char *name)
{
    static char texts[8][300];
    static unsigned turn;
    char *out = texts[turn++ % 8];
    const char *text = json_string_value(json_object_get(json_array_get(list, 0), name));
    snprintf(out, sizeof texts[0], "%s", text ? text : "");
    json_decref(list);
    return out;
}

static inline const char *request_state(const char *id)
{
    return text_of(registry_access_requests(r, slice_str(id), registry_now_s(), &why), "state");
}

static inline const char *grant_state(const char *id)
{
    return text_of(registry_grants(r, slice_str(id), registry_now_s(), &why), "state");
}

/* ---- As workers see it. */

static inline struct grants *handed_over(void)
{
    struct buf bytes;
    buf_init(&bytes);
    bool is_good = registry_section(r, SECTION_GRANTS, registry_now_s(), &bytes, &why);
    struct grants *grants = is_good ? grants_copy(buf_slice(&bytes), &why) : NULL;
    if (!grants) UNIT_FAIL("%s", why.text);
    buf_clear(&bytes);
    return grants;
}

static inline bool holds(const char *whose, int64_t at_s)
{
    char subject[64];
    struct grant found;
    struct grants *grants = handed_over();
    snprintf(subject, sizeof subject, "user:%s", whose);
    bool is_found = grants_find(grants, slice_str(subject), SLICE("claude-3-opus"), at_s, &found);
    grants_unref(grants);
    return is_found;
}

#endif
