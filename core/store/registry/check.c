#include "store/registry/check.h"

#include "store/registry/registry_inner.h"
#include "store/registry/review_check.h"

#define TOLD_MAX 100

#define VERSION_NAME "v.name || '@' || v.major || '.' || v.minor || '.' || v.patch"
#define SAME_VERSION(a, b)                                                                                             \
    a ".name = " b ".name AND " a ".major = " b ".major AND " a ".minor = " b ".minor AND " a ".patch = " b ".patch"
/* Both columns name one and the same person. (A file that is only read has no views.) */
#define SAME_PERSON(a, b)                                                                                              \
    "EXISTS(SELECT 1 FROM person x JOIN person y ON coalesce(y.same_as, y.id) = coalesce(x.same_as, x.id)"             \
    " WHERE x.id = " a " AND y.id = " b ")"

static const struct {
    const char *rule, *what, *sql; /* sql: the names of what breaks it */
} rules[] = {
    {"V1", "approved, but nobody else has approved this text",
     "SELECT " VERSION_NAME " FROM prompt_version v WHERE v.status IN('approved', 'archived', 'revoked')"
     " AND NOT EXISTS(SELECT 1 FROM prompt_review r JOIN person p ON p.id = r.person AND p.kind = 'human'"
     " WHERE " SAME_VERSION("r", "v") " AND r.sha256 = v.sha256 AND r.verdict = 'approve'"
     " AND NOT EXISTS(SELECT 1 FROM prompt_author a"
     " WHERE " SAME_VERSION("a", "v") " AND " SAME_PERSON("a.person", "r.person") "))"},
    {"V2", "production points at a version that is not approved",
     "SELECT " VERSION_NAME " FROM prompt_label v WHERE v.label = 'production' AND NOT EXISTS(SELECT 1 FROM"
     " prompt_version w WHERE " SAME_VERSION("w", "v") " AND w.status = 'approved')"},
    {"V2", "the shares of a label do not come to 1000",
     "SELECT name || '@' || label FROM prompt_label GROUP BY name, label HAVING sum(share) <> 1000"},
    {"V3", "granted without another person's decision",
     "SELECT g.id FROM access_grant g WHERE g.is_break_glass = 0 AND NOT EXISTS(SELECT 1 FROM access_request r"
     " JOIN decision d ON d.request = r.id AND d.verdict = 'approve' JOIN person p ON p.id = d.person AND"
     " p.kind = 'human' WHERE r.id = g.request AND r.subject = g.subject AND r.object = g.object"
     " AND NOT " SAME_PERSON("d.person", "r.requested_by")
     " AND NOT (r.subject_kind = 'user' AND " SAME_PERSON("d.person", "r.subject") "))"},
    {"V3", "break-glass of more than an hour, or without a reason",
     "SELECT g.id FROM access_grant g WHERE g.is_break_glass = 1 AND (g.ends_at - g.starts_at > 3600 OR"
     " length(trim(g.reason)) < 8)"},
    {"V4", "a grant lasts longer than was asked for",
     "SELECT g.id FROM access_grant g JOIN access_request r ON r.id = g.request WHERE"
     " g.ends_at - g.starts_at > r.seconds"},
    {"V5", "revisions without an event before this one",
     "SELECT CAST(e.rev AS TEXT) FROM event e WHERE e.rev > 1 AND e.action <> 'registry.restore'"
     " AND NOT EXISTS(SELECT 1 FROM event f WHERE f.rev = e.rev - 1)"},
    {"V5", "the last event is not of the last revision",
     "SELECT CAST(rev AS TEXT) FROM rev WHERE rev <> (SELECT coalesce(max(rev), 0) FROM event)"},
    {"V7", "decided by who asked, or by who would get it",
     "SELECT r.id FROM decision d JOIN access_request r ON r.id = d.request WHERE " SAME_PERSON(
         "d.person", "r.requested_by") " OR (r.subject_kind = 'user' AND " SAME_PERSON("d.person", "r.subject") ")"},
    {"V7", "break-glass that was closed by who broke it",
     "SELECT g.id FROM access_grant g WHERE g.closed_by IS NOT NULL AND " SAME_PERSON("g.closed_by", "g.granted_by")},
    {"V7", "a role that was given by who has it",
     "SELECT g.person || ' ' || g.role || ' ' || g.scope FROM role_grant g WHERE " SAME_PERSON("g.given_by",
                                                                                             "g.person")},
    {"V7", "an item of a review that was decided by whom it is about",
     "SELECT i.review || '/' || i.n FROM review_item i WHERE i.decided_by IS NOT NULL AND " SAME_PERSON(
         "i.decided_by", "i.subject_person")},
};

struct teller {
    void (*each)(void *arg, const struct registry_finding *finding);
    void *arg;
    uint64_t count;
    unsigned reviews; /* findings of V8 */
};

static bool tell_all(struct registry *r, const char *rule, const char *what, const char *sql, struct teller *t,
                     struct fault *why)
{
    unsigned told = 0;
    struct registry_query *q = registry_ask(r, sql, NULL, 0);
    while (registry_next(q)) {
        struct registry_finding finding = {rule, what, registry_text(q, 0)};
        if (told++ < TOLD_MAX) t->each(t->arg, &finding);
        t->count++;
    }
    return registry_end(q, why);
}

static void tell_review(void *arg, struct slice object)
{
    struct teller *t = arg;
    struct registry_finding finding = {
        "V8", "what a completed review found at its end is otherwise, and no event says why", object};
    if (t->reviews++ < TOLD_MAX) t->each(t->arg, &finding);
    t->count++;
}

static bool sum_up(struct registry *r, struct registry_checked *sum, struct fault *why)
{
    struct registry_query *q =
        registry_ask(r,
                     "SELECT (SELECT count(*) FROM event WHERE chained = 0), (SELECT count(*) FROM person)"
                     " + (SELECT count(*) FROM credential) + (SELECT count(*) FROM prompt_version)"
                     " + (SELECT count(*) FROM access_request) + (SELECT count(*) FROM access_grant)",
                     NULL, 0);
    if (registry_next(q)) {
        sum->waiting = registry_int(q, 0);
        sum->rows = registry_int(q, 1);
    }
    return registry_end(q, why) && registry_moment(r, &sum->epoch, &sum->revision, why);
}

static bool check_all(struct registry *r, struct teller *t, struct registry_checked *sum, struct fault *why)
{
    for (const char *const *sql = r->engine->intact; sql && *sql; sql++) {
        if (!tell_all(r, "intact", "the file is damaged", *sql, t, why)) return false;
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!tell_all(r, rules[i].rule, rules[i].what, rules[i].sql, t, why)) return false;
    }
    return review_check(r, tell_review, t, why) && sum_up(r, sum, why);
}

bool registry_check(struct registry *r, void (*each)(void *arg, const struct registry_finding *finding), void *arg,
                    struct registry_checked *sum, struct fault *why)
{
    struct teller t = {.each = each, .arg = arg};
    *sum = (struct registry_checked){.findings = 0};
    bool is_good = registry_read_begin(r, why) && registry_read_end(r, check_all(r, &t, sum, why), why);
    sum->findings = t.count;
    return is_good;
}
