/*
 * A registry with three people, a service, their roles and keys, and what tests of access reviews do with it.
 */
#ifndef MOONGATE_TESTS_REVIEWS_KIT_H
#define MOONGATE_TESTS_REVIEWS_KIT_H

#include <jansson.h>

#include "../unit.h"
#include "base/mem.h"
#include "store/registry/approvals.h"
#include "store/registry/check.h"
#include "store/registry/registry_inner.h"
#include "store/registry/review_evidence.h"

#define DAY 86400

static struct registry *suite_fresh(void);

static struct registry *r;
static struct fault why;
static const struct change_by by = {.actor = SLICE("kim"), .host = SLICE("gw-1"), .via = SLICE("cli"), .uid = 7};
static char ana[PERSON_ID_BYTES], kim[PERSON_ID_BYTES], lee[PERSON_ID_BYTES], bot[PERSON_ID_BYTES];
static char ana_key[KEY_ID_BYTES], lost_key[KEY_ID_BYTES];
static struct review_made made;

/* ---- A registry with three people, a service, roles, two keys and a grant. */

static inline void person(const char *name, enum person_kind kind, char id[PERSON_ID_BYTES])
{
    struct person_spec spec = {
        .kind = kind, .issuer = PERSON_LOCAL, .subject = slice_str(name), .department = SLICE("research")};
    EXPECT(registry_person_create(r, &spec, &by, id, &why));
}

static inline void role(const char *whose, const char *name, const char *scope)
{
    struct role_spec spec = {slice_str(whose), slice_str(name), slice_str(scope), .given_by = SLICE("root")};
    EXPECT(registry_role_give(r, &spec, &by, &why));
}

static inline void key(const char *owner, char id[KEY_ID_BYTES])
{
    struct key_made new;
    struct key_spec spec = {.app = SLICE("bot"), .department = SLICE("research"), .owner = slice_str(owner)};
    EXPECT(registry_key_create(r, &spec, &by, &new, &why));
    snprintf(id, KEY_ID_BYTES, "%s", new.id);
}

static inline void begin(void)
{
    why = (struct fault){.text = ""};
    r = suite_fresh();
    person("ana", PERSON_HUMAN, ana);
    person("kim", PERSON_HUMAN, kim);
    person("lee", PERSON_HUMAN, lee);
    person("bot", PERSON_SERVICE, bot);
    role(kim, "approver", "research");
    role(lee, "approver", "*");
    key(ana, ana_key);
    key("", lost_key);
}

static inline void end(void)
{
    registry_close(r);
}

static inline json_t *rows(void)
{
    return json_pack("[{s:s, s:s, s:s, s:i, s:i}, {s:s, s:s, s:s, s:i, s:i}]", "department", "research", "model", "large",
                     "file", "policies/access.lua", "line", 3, "requests", 9, "department", "sales", "model", "large",
                     "file", "policies/access.lua", "line", 3, "requests", 0);
}

static inline struct review_spec spec_of(unsigned scope, const char *unanswered)
{
    return (struct review_spec){.plan = SLICE("quarterly"),
                                .by = SLICE("approver"),
                                .scope = scope,
                                .due_s = 14 * DAY,
                                .unused_s = 90 * DAY,
                                .unanswered = slice_str(unanswered),
                                .person = slice_str(lee),
                                .bundle = SLICE("abc")};
}

static inline void open_with(unsigned scope, const char *unanswered)
{
    struct review_spec spec = spec_of(scope, unanswered);
    json_t *allowed = rows(), *usage = json_pack("{s:i, s:i, s:{}, s:{}}", "seq", 7, "since_at", 1, "keys", "grants");
    spec.rows = allowed;
    spec.usage = usage;
    if (!registry_review_open(r, &spec, &by, &made, &why)) UNIT_FAIL("%s", why.text);
    json_decref(allowed);
    json_decref(usage);
}

/* ---- What is asked of it. */

static inline json_t *items(const char *who)
{
    json_t *list = registry_review_items(r, slice_str(made.id), slice_str(who), registry_now_s(), &why);
    if (!list) UNIT_FAIL("%s", why.text);
    return list;
}

/* A member of the n-th item as a text. */
static inline const char *item(int64_t n, const char *name)
{
    static char texts[8][400];
    static unsigned turn;
    char *out = texts[turn++ % 8];
    json_t *list = items("");
    const json_t *value = json_object_get(json_array_get(list, (size_t)(n - 1)), name);
    char *dumped = value && !json_is_string(value) ? json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT)
                                                   : NULL;
    snprintf(out, sizeof texts[0], "%s", dumped ? dumped : json_is_string(value) ? json_string_value(value) : "");
    mem_free(dumped);
    json_decref(list);
    return out;
}

static inline int64_t find(const char *kind, const char *object)
{
    int64_t n = 0;
    size_t i;
    json_t *one, *list = items("");
    json_array_foreach (list, i, one)
        if (strcmp(json_string_value(json_object_get(one, "kind")), kind) == 0 &&
            strstr(json_string_value(json_object_get(one, "object")), object))
            n = (int64_t)i + 1;
    json_decref(list);
    return n;
}

static inline const char *word(enum registry_found found)
{
    if (found == REGISTRY_MISSING) return "missing";
    if (found == REGISTRY_FAILED && !registry_refused(r)) UNIT_FAIL("%s", why.text);
    return found == REGISTRY_FOUND ? "" : registry_refusal_word(registry_refused(r));
}

static inline const char *answer_with(const char *who, const int64_t *n, size_t count, const char *decision,
                                      const char *note, int64_t ends_at)
{
    struct review_answer answer = {.review = slice_str(made.id),
                                   .person = slice_str(who),
                                   .items = n,
                                   .count = count,
                                   .decision = slice_str(decision),
                                   .note = slice_str(note),
                                   .ends_at = ends_at};
    return word(registry_review_decide(r, &answer, &by, &why));
}

static inline const char *answer(const char *who, int64_t n, const char *decision, const char *note)
{
    return answer_with(who, &n, 1, decision, note, 0);
}

static inline int64_t number(const char *sql)
{
    struct registry_query *q = registry_ask(r, sql, NULL, 0);
    int64_t n = registry_next(q) ? registry_int(q, 0) : -1;
    if (!registry_end(q, &why)) UNIT_FAIL("%s: %s", sql, why.text);
    return n;
}

static inline int64_t of_key(const char *id, const char *column)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT coalesce(%s, 0) FROM credential WHERE id = '%s'", column, id);
    return number(sql);
}

static inline int64_t waiting(const char *who)
{
    int64_t count = -1;
    EXPECT(registry_reviews_waiting(r, slice_str(who), registry_now_s(), &count, &why));
    return count;
}

static inline unsigned due(int64_t now_s)
{
    unsigned count = 99;
    if (!registry_reviews_due(r, now_s, &by, &count, &why)) UNIT_FAIL("%s", why.text);
    return count;
}

static inline const char *state(void)
{
    static char text[32];
    json_t *list = registry_reviews(r, slice_str(made.id), registry_now_s(), &why);
    snprintf(text, sizeof text, "%s", json_string_value(json_object_get(json_array_get(list, 0), "state")));
    json_decref(list);
    return text;
}

static inline void count_finding(void *arg, const struct registry_finding *finding)
{
    snprintf(arg, 100, "%s %.*s", finding->rule, SLICE_FMT(finding->object));
}

static inline const char *checked(void)
{
    static char text[100];
    struct registry_checked sum;
    text[0] = '\0';
    if (!registry_check(r, count_finding, text, &sum, &why)) UNIT_FAIL("%s", why.text);
    return text;
}

static inline void sql(const char *text)
{
    EXPECT(registry_begin(r, &why) && registry_run(r, text, &why) &&
           registry_commit(r, &by, "test", SLICE("x"), NULL, NULL, &why));
}

static inline const char *try(const char *text)
{
    EXPECT(registry_begin(r, &why));
    bool is_good = registry_run(r, text, &why);
    registry_abort(r);
    return is_good ? "" : registry_refusal_word(registry_refused(r));
}

static struct anchor_key *anchor;

static inline const char *complete(const char *who)
{
    return word(registry_review_complete(r, slice_str(made.id), slice_str(who), review_evidence_sign, anchor, &by, &why));
}

static inline json_t *evidence(struct buf *text)
{
    buf_init(text);
    EXPECT_INT(REGISTRY_FOUND, registry_review_evidence(r, slice_str(made.id), text, &why));
    return json_loadb(buf_ptr(text), buf_len(text), 0, NULL);
}

#endif
