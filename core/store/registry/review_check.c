#include <string.h>

#include "store/registry/review_check.h"
#include "store/registry/review_evidence.h"
#include "store/registry/reviews_inner.h"

/* What a list says of one object, without what says which it is. */
static bool is_same(const json_t *then, const json_t *now)
{
    static const char *const names[] = {"state", "revoked_at", "ends_at", "expires_at"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *a = json_object_get(then, names[i]), *b = json_object_get(now, names[i]);
        if ((a || b) && !json_equal(a, b)) return false;
    }
    return true;
}

/* Somebody changed it after the review was completed, and there is an event that says so: of the object itself, of a
 * later review's, or of a restored backup. */
static bool has_changed_since(struct registry *r, const json_t *item, int64_t rev, bool *has, struct fault *why)
{
    struct buf in;
    const json_t *facts = json_object_get(item, "facts");
    bool is_role = strcmp(review_text(item, "kind"), "role") == 0;
    const char *object = is_role ? review_text(facts, "person") : review_text(item, "object");
    buf_init(&in);
    buf_printf(&in, "%%%s%%", object);
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT 1 FROM event WHERE rev > ? AND (object = ? OR action = 'registry.restore' OR"
                     " (action LIKE 'reviews.%' AND after LIKE ?) OR (action = 'keys.rotate' AND after LIKE ?))"
                     " LIMIT 1",
                     value_int(rev), value_str(object), value_text(buf_slice(&in)), value_text(buf_slice(&in)));
    *has = registry_next(q);
    buf_clear(&in);
    return registry_end(q, why);
}

struct checking {
    struct registry *r;
    void (*each)(void *arg, struct slice object);
    void *arg;
    struct fault *why;
};

static bool check_one(struct checking *c, const char *id, const json_t *item, const json_t *then, int64_t rev)
{
    bool has_changed = true;
    char object[REVIEW_ID_BYTES + 24];
    if (strcmp(review_text(item, "kind"), "row") == 0) return true; /* of a policy, which is not in here */
    json_t *now = review_state_now(c->r, item, c->why);
    bool is_good = now && (is_same(then, now) || has_changed_since(c->r, item, rev, &has_changed, c->why));
    snprintf(object, sizeof object, "%s/%lld", id, (long long)review_number(item, "n"));
    if (is_good && !has_changed) c->each(c->arg, slice_str(object));
    json_decref(now);
    return is_good;
}

static bool check_review(struct checking *c, const json_t *review)
{
    size_t i;
    json_t *item;
    struct buf text;
    bool is_good = true;
    const char *id = review_text(review, "id");
    buf_init(&text);
    if (registry_review_evidence(c->r, slice_str(id), &text, c->why) == REGISTRY_FAILED) is_good = false;
    json_t *document = json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL);
    const json_t *evidence = json_object_get(document, "evidence"), *after = json_object_get(evidence, "after");
    if (is_good && !evidence) c->each(c->arg, slice_str(id));
    json_array_foreach (json_object_get(evidence, "before"), i, item)
        is_good = is_good && check_one(c, id, item, json_array_get(after, i), review_number(review, "rev"));
    json_decref(document);
    buf_clear(&text);
    return is_good;
}

bool review_check(struct registry *r, void (*each)(void *arg, struct slice object), void *arg, struct fault *why)
{
    size_t i;
    json_t *one, *all = registry_reviews(r, SLICE(""), registry_now_s(), why);
    struct checking c = {r, each, arg, why};
    bool is_good = all != NULL;
    json_array_foreach (all, i, one)
        if (strcmp(review_text(one, "state"), "complete") == 0) is_good = is_good && check_review(&c, one);
    json_decref(all);
    return is_good;
}
