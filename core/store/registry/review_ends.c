#include <string.h>

#include "base/mem.h"
#include "store/registry/review_evidence.h"
#include "store/registry/reviews_inner.h"

static bool is_in(const char *state, const char *one, const char *other)
{
    return strcmp(state, one) == 0 || strcmp(state, other) == 0;
}

/* ---- Rows of policies. */

static bool set_row_state(struct registry *r, struct slice id, const json_t *item, const char *state, struct fault *why)
{
    json_t *effect = json_deep_copy(json_object_get(item, "effect"));
    if (!effect) effect = json_object();
    json_object_set_new(effect, "state", json_string(state));
    json_object_set_new(effect, "at", json_integer(registry_now_s()));
    char *text = json_dumps(effect, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(effect);
    bool is_good = REGISTRY_DO(r, why, "UPDATE review_item SET effect = ? WHERE review = ? AND n = ?", value_str(text),
                               value_text(id), value_int(review_number(item, "n")));
    mem_free(text);
    return is_good;
}

static const char *row_state(const json_t *item)
{
    if (strcmp(review_text(item, "kind"), "row") != 0 || !json_object_get(item, "decision") ||
        strcmp(review_text(item, "decision"), "keep") == 0)
        return "";
    return review_text(json_object_get(item, "effect"), "state");
}

static bool patch_all(struct registry *r, struct slice id, const json_t *items, const int64_t *which, size_t count,
                      json_t *done, struct fault *why)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(items, (size_t)(which[i] - 1));
        if (strcmp(row_state(item), "open") != 0) continue;
        json_array_append_new(done, json_integer(which[i]));
        if (!set_row_state(r, id, item, "patched", why)) return false;
    }
    return true;
}

enum registry_found registry_review_patched(struct registry *r, struct slice id, const int64_t *items, size_t count,
                                            const struct change_by *by, struct fault *why)
{
    struct review_old old;
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = review_read(r, id, &old, why);
    json_t *all = found == REGISTRY_FOUND ? review_read_items(r, id, why) : NULL, *done = json_array();
    bool is_good = all && patch_all(r, id, all, items, count, done, why);
    if (is_good && json_array_size(done))
        is_good = registry_commit(r, by, "reviews.patch", id, NULL, json_pack("{s:O}", "items", done), why);
    json_decref(done);
    json_decref(all);
    review_forget(&old);
    return registry_end_change(r, found, is_good);
}

/* A row that is for any counts as reduced when it is that no more. */
static bool is_allowed(const json_t *rows, const json_t *item)
{
    size_t i;
    json_t *row;
    const json_t *facts = json_object_get(item, "facts");
    json_array_foreach ((json_t *)(uintptr_t)rows, i, row)
        if (strcmp(review_text(row, "department"), review_text(facts, "department")) == 0 &&
            strcmp(review_text(row, "model"), review_text(facts, "model")) == 0)
            return true;
    return false;
}

static bool enforce_all(struct registry *r, struct slice id, const json_t *items, const json_t *rows, json_t *done,
                        struct fault *why)
{
    size_t i;
    json_t *item;
    json_array_foreach ((json_t *)(uintptr_t)items, i, item) {
        if (!is_in(row_state(item), "open", "patched") || is_allowed(rows, item)) continue;
        json_array_append(done, json_object_get(item, "n"));
        if (!set_row_state(r, id, item, "in_force", why)) return false;
    }
    return true;
}

enum registry_found registry_review_in_force(struct registry *r, struct slice id, const json_t *rows,
                                             struct slice bundle, const struct change_by *by, int64_t *count,
                                             struct fault *why)
{
    struct review_old old;
    *count = 0;
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = review_read(r, id, &old, why);
    bool is_over = found != REGISTRY_FOUND || strcmp(old.state, "complete") == 0;
    json_t *all = is_over ? json_array() : review_read_items(r, id, why), *done = json_array();
    bool is_good = all && enforce_all(r, id, all, rows, done, why);
    *count = (int64_t)json_array_size(done);
    if (is_good && *count)
        is_good = registry_commit(r, by, "reviews.in_force", id, NULL,
                                  json_pack("{s:O, s:s%}", "items", done, "bundle", bundle.ptr, bundle.len), why);
    json_decref(done);
    json_decref(all);
    review_forget(&old);
    return registry_end_change(r, found, is_good);
}

/* ---- What is due. */

/* False: there is none, or *why is set. */
static bool next_due(struct registry *r, int64_t now_s, char id[REVIEW_ID_BYTES], struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT id FROM review WHERE state = 'open' AND due_at <= ? ORDER BY due_at, id LIMIT 1", value_int(now_s));
    bool is_there = registry_next(q);
    if (is_there) snprintf(id, REVIEW_ID_BYTES, "%.*s", SLICE_FMT(registry_text(q, 0)));
    return registry_end(q, why) && is_there;
}

/* What the plan says of an item that nobody answered; "": it stays as it is. */
static const char *fallback(const struct review_old *old, const json_t *item)
{
    if (json_object_get(item, "decision") || strcmp(old->unanswered, "flag") == 0) return "";
    return strcmp(old->unanswered, "revoke") == 0 ? "revoke" : review_text(item, "recommend");
}

static bool fall_back(struct registry *r, const char *id, const struct review_old *old, json_t *items, json_t *effects,
                      int64_t *untouched, struct fault *why)
{
    size_t i;
    json_t *item;
    json_array_foreach (items, i, item) {
        const char *decision = fallback(old, item);
        if (!decision[0]) *untouched += !json_object_get(item, "decision");
        if (!decision[0]) continue;
        struct review_answer answer = {
            .review = slice_str(id), .decision = slice_str(decision), .note = SLICE("nobody answered")};
        if (!review_answer_one(r, item, &answer, NULL, effects, why)) return false;
    }
    return true;
}

static bool set_state(struct registry *r, const char *id, const char *state, struct fault *why)
{
    return REGISTRY_DO(r, why, "UPDATE review SET state = ?, rev = ? WHERE id = ?", value_str(state), value_rev(r),
                       value_str(id));
}

static bool end_one(struct registry *r, const char *id, const struct change_by *by, struct fault *why)
{
    struct review_old old;
    int64_t untouched = 0;
    if (review_read(r, slice_str(id), &old, why) != REGISTRY_FOUND) return false;
    bool is_first = strcmp(old.state, "open") == 0; /* somebody else may have been faster */
    json_t *items = is_first ? review_read_items(r, slice_str(id), why) : NULL, *effects = json_array();
    bool is_good = items && set_state(r, id, "overdue", why) &&
                   fall_back(r, id, &old, items, effects, &untouched, why) &&
                   registry_commit(r, by, "reviews.due", slice_str(id), NULL,
                                   json_pack("{s:s, s:I, s:O}", "unanswered", old.unanswered, "flagged",
                                             (json_int_t)untouched, "effects", effects),
                                   why);
    json_decref(effects);
    json_decref(items);
    review_forget(&old);
    return is_good || (!is_first && !registry_abort(r));
}

bool registry_reviews_due(struct registry *r, int64_t now_s, const struct change_by *by, unsigned *count,
                          struct fault *why)
{
    char id[REVIEW_ID_BYTES];
    why->text[0] = '\0';
    for (*count = 0; *count < LIMIT_ACCESS_LISTED && next_due(r, now_s, id, why); (*count)++)
        if (!registry_begin(r, why) || !end_one(r, id, by, why)) return registry_abort(r);
    return why->text[0] == '\0';
}

/* ---- Complete. */

static bool may_end(struct registry *r, struct slice person, const struct review_old *old, const json_t *items,
                    struct fault *why)
{
    size_t i;
    json_t *item;
    bool is_due = strcmp(old->state, "overdue") == 0 || old->due_at <= registry_now_s();
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT 1 FROM role_grant g JOIN person p ON p.id = g.person WHERE g.person = ? AND"
                     " g.role IN(?, 'admin') AND (g.ends_at IS NULL OR g.ends_at > ?) AND p.kind = 'human' AND"
                     " p.disabled_at IS NULL",
                     value_text(person), value_str(review_text(old->as_of, "by")), value_int(registry_now_s()));
    bool holds = registry_next(q);
    if (!registry_end(q, why)) return false;
    if (!holds) return registry_refuse_as(r, REGISTRY_NOT_YOUR_SCOPE, why);
    json_array_foreach ((json_t *)(uintptr_t)items, i, item) {
        if (!is_due && !json_object_get(item, "decision")) return registry_refuse_as(r, REGISTRY_UNANSWERED, why);
        if (is_in(row_state(item), "open", "patched")) return registry_refuse_as(r, REGISTRY_NOT_IN_FORCE, why);
    }
    return true;
}

static bool keep_evidence(struct registry *r, struct slice id, const json_t *items, struct slice person,
                          review_sign sign, void *arg, struct fault *why)
{
    char *text = review_evidence_make(r, id, items, person, sign, arg, why);
    bool is_good = text && REGISTRY_DO(r, why,
                                       "UPDATE review SET state = 'complete', evidence = ?, rev = ? WHERE id = ?",
                                       value_str(text), value_rev(r), value_text(id));
    mem_free(text);
    return is_good;
}

static bool complete(struct registry *r, struct slice id, const struct review_old *old, struct slice person,
                     review_sign sign, void *arg, const struct change_by *by, struct fault *why)
{
    if (strcmp(old->state, "complete") == 0) return registry_refuse_as(r, REGISTRY_NOT_PENDING, why);
    json_t *items = review_read_items(r, id, why);
    bool is_good = items && may_end(r, person, old, items, why) &&
                   keep_evidence(r, id, items, person, sign, arg, why) &&
                   registry_commit(r, by, "reviews.complete", id, json_pack("{s:s}", "state", old->state),
                                   json_pack("{s:s, s:s%}", "state", "complete", "person", person.ptr, person.len),
                                   why);
    json_decref(items);
    return is_good;
}

enum registry_found registry_review_complete(struct registry *r, struct slice id, struct slice person, review_sign sign,
                                             void *arg, const struct change_by *by, struct fault *why)
{
    unsigned count;
    struct review_old old;
    if (!registry_reviews_due(r, registry_now_s(), by, &count, why) || !registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = review_read(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND && complete(r, id, &old, person, sign, arg, by, why);
    review_forget(&old);
    return registry_end_change(r, found, is_good);
}

enum registry_found registry_review_evidence(struct registry *r, struct slice id, struct buf *out, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT evidence FROM review WHERE id = ? AND evidence IS NOT NULL", value_text(id));
    bool is_there = registry_next(q);
    if (is_there) buf_append(out, registry_text(q, 0));
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}
