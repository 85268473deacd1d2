#include <string.h>

#include "store/registry/reviews_inner.h"

static bool find_who(struct registry *r, struct slice person, char who[PERSON_ID_BYTES], struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT coalesce(same_as, id) FROM person WHERE id = ? AND kind = 'human' AND disabled_at IS NULL",
                     value_text(person));
    bool is_there = registry_next(q);
    who[0] = '\0';
    if (is_there) snprintf(who, PERSON_ID_BYTES, "%.*s", SLICE_FMT(registry_text(q, 0)));
    return registry_end(q, why);
}

/* His own first: what he may by himself he does not do for others. */
json_t *review_eyes(struct registry *r, struct slice review, struct slice person, int64_t now_s,
                    char who[PERSON_ID_BYTES], struct fault *why)
{
    json_t *eyes = json_array();
    bool is_good = find_who(r, person, who, why);
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT g.role, g.scope, coalesce(p.same_as, p.id) AS whose, CASE WHEN g.person = ? THEN 0 ELSE 1"
                     " END AS turn FROM role_grant g JOIN person p ON p.id = g.person"
                     " WHERE p.kind = 'human' AND p.disabled_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > ?)"
                     " AND (g.person = ? OR EXISTS(SELECT 1 FROM review_delegation d WHERE d.review = ?"
                     " AND d.person = g.person AND d.delegate = ? AND d.ends_at > ?))"
                     " ORDER BY turn, whose, g.role, g.scope",
                     value_text(person), value_int(now_s), value_text(person), value_text(review), value_text(person),
                     value_int(now_s));
    while (registry_next(q)) {
        json_t *one = json_object();
        registry_set_text(one, "role", q, 0);
        registry_set_text(one, "scope", q, 1);
        registry_set_text(one, "whose", q, 2);
        json_array_append_new(eyes, one);
    }
    is_good = registry_end(q, why) && is_good;
    if (is_good && who[0]) return eyes;
    json_array_clear(eyes);
    if (is_good) return eyes;
    json_decref(eyes);
    return NULL;
}

static bool covers(const json_t *eye, const json_t *item)
{
    const char *scope = review_text(eye, "scope");
    return strcmp(review_text(eye, "role"), review_text(item, "role")) == 0 &&
           (strcmp(scope, "*") == 0 || strcmp(scope, review_text(item, "department")) == 0);
}

const char *review_may(const json_t *eyes, const char *who, const json_t *item)
{
    size_t i;
    json_t *eye;
    const char *whose = review_text(item, "who");
    if (!who[0] || strcmp(whose, who) == 0) return NULL;
    json_array_foreach ((json_t *)(uintptr_t)eyes, i, eye)
        if (covers(eye, item) && strcmp(review_text(eye, "whose"), whose) != 0) return review_text(eye, "whose");
    return NULL;
}
