#include <string.h>

#include "base/mem.h"
#include "store/registry/reviews_inner.h"

/* What one answer does, of one item. */
struct effect {
    struct registry *r;
    const json_t *item;
    const struct review_answer *answer;
    int64_t now_s;
    json_t *done; /* {"state", …}: kept with the item */
    struct fault *why;
};

static const char *object_of(const struct effect *e)
{
    return review_text(e->item, "object");
}

static int64_t fact(const struct effect *e, const char *name)
{
    return review_number(json_object_get(e->item, "facts"), name);
}

static struct slice fact_text(const struct effect *e, const char *name)
{
    return slice_str(review_text(json_object_get(e->item, "facts"), name));
}

static bool is_revoked(const struct effect *e)
{
    return slice_equal(e->answer->decision, SLICE("revoke"));
}

static bool set_done(struct effect *e, const char *state, const char *name, int64_t number)
{
    json_object_set_new(e->done, "state", json_string(state));
    if (name) json_object_set_new(e->done, name, json_integer(number));
    return true;
}

/* The statement gives back what it has changed; nothing: it was over before. */
static bool change(struct effect *e, const char *sql, const struct registry_value *values, size_t count,
                   const char *state, const char *name, int64_t number)
{
    struct registry_query *q = registry_ask(e->r, sql, values, count);
    bool is_changed = registry_next(q);
    if (!registry_end(q, e->why)) return false;
    return is_changed ? set_done(e, state, name, number) : set_done(e, "was_over", NULL, 0);
}

/* ---- Grants. */

static bool on_grant(struct effect *e)
{
    int64_t end = e->answer->ends_at;
    if (is_revoked(e))
        return change(e,
                      "UPDATE access_grant SET revoked_at = ?, revoked_by = ?, rev = ? WHERE id = ? AND revoked_at IS"
                      " NULL AND ends_at > ? RETURNING id",
                      REGISTRY_VALUES(value_int(e->now_s), value_text_or_null(e->answer->person), value_rev(e->r),
                                      value_str(object_of(e)), value_int(e->now_s)),
                      5, "revoked", "revoked_at", e->now_s);
    if (end <= e->now_s || end >= fact(e, "ends_at")) return registry_refuse_as(e->r, REGISTRY_INVALID, e->why);
    return change(e,
                  "UPDATE access_grant SET ends_at = ?, rev = ? WHERE id = ? AND revoked_at IS NULL AND ends_at > ?"
                  " RETURNING id",
                  REGISTRY_VALUES(value_int(end), value_rev(e->r), value_str(object_of(e)), value_int(end)), 4,
                  "reduced", "ends_at", end);
}

/* ---- Keys. */

static bool on_key(struct effect *e)
{
    int64_t end = e->answer->ends_at, old = fact(e, "expires_at");
    if (is_revoked(e))
        return change(e,
                      "UPDATE credential SET revoked_at = ?, rev = ? WHERE id = ? AND revoked_at IS NULL"
                      " RETURNING id",
                      REGISTRY_VALUES(value_int(e->now_s), value_rev(e->r), value_str(object_of(e))), 3, "revoked",
                      "revoked_at", e->now_s);
    if (!end && !old) end = e->now_s + REVIEW_REDUCED_S;
    if (end <= e->now_s || (old && end >= old)) return registry_refuse_as(e->r, REGISTRY_INVALID, e->why);
    return change(e,
                  "UPDATE credential SET expires_at = ?, rev = ? WHERE id = ? AND revoked_at IS NULL AND (expires_at IS"
                  " NULL OR expires_at > ?) RETURNING id",
                  REGISTRY_VALUES(value_int(end), value_rev(e->r), value_str(object_of(e)), value_int(end)), 4,
                  "reduced", "expires_at", end);
}

/* ---- Roles. */

static bool end_role(struct effect *e, int64_t end)
{
    return change(e,
                  "UPDATE role_grant SET ends_at = ?, rev = ? WHERE person = ? AND role = ? AND scope = ? AND"
                  " (ends_at IS NULL OR ends_at > ?) RETURNING person",
                  REGISTRY_VALUES(value_int(end), value_rev(e->r), value_text(fact_text(e, "person")),
                                  value_text(fact_text(e, "role")), value_text(fact_text(e, "scope")), value_int(end)),
                  6, "reduced", "ends_at", end);
}

static bool take_role(struct effect *e)
{
    return change(e, "DELETE FROM role_grant WHERE person = ? AND role = ? AND scope = ? RETURNING person",
                  REGISTRY_VALUES(value_text(fact_text(e, "person")), value_text(fact_text(e, "role")),
                                  value_text(fact_text(e, "scope"))),
                  3, "revoked", "revoked_at", e->now_s);
}

/* Of all departments one is left, until the same end. */
static bool narrow_role(struct effect *e)
{
    struct slice scope = e->answer->scope;
    if (!slice_equal(fact_text(e, "scope"), SLICE("*")) || slice_equal(scope, SLICE("*")))
        return registry_refuse_as(e->r, REGISTRY_INVALID, e->why);
    if (!take_role(e) || strcmp(review_text(e->done, "state"), "was_over") == 0) return e->why->text[0] == '\0';
    json_object_set_new(e->done, "scope", json_stringn(scope.ptr, scope.len));
    set_done(e, "reduced", NULL, 0);
    return REGISTRY_DO(e->r, e->why,
                       "INSERT INTO role_grant(person, role, scope, given_by, at, ends_at, rev)"
                       " VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                       value_text(fact_text(e, "person")), value_text(fact_text(e, "role")), value_text(scope),
                       value_text(e->answer->person), value_int(e->now_s), value_int_or_null(fact(e, "ends_at")),
                       value_rev(e->r));
}

static bool on_role(struct effect *e)
{
    int64_t end = e->answer->ends_at, old = fact(e, "ends_at");
    if (is_revoked(e)) return take_role(e);
    if (e->answer->scope.len) return narrow_role(e);
    if (end <= e->now_s || (old && end >= old)) return registry_refuse_as(e->r, REGISTRY_INVALID, e->why);
    return end_role(e, end);
}

/* ---- Rows of policies: whoever merges the patch does it. */

static bool on_row(struct effect *e)
{
    json_t *list = json_array();
    for (size_t i = 0; i < e->answer->department_count; i++)
        json_array_append_new(list, json_stringn(e->answer->departments[i].ptr, e->answer->departments[i].len));
    bool is_any = slice_equal(fact_text(e, "department"), SLICE(REVIEW_EVERYBODY));
    bool is_good = is_revoked(e) || (is_any && json_array_size(list) > 0) ||
                   registry_refuse_as(e->r, REGISTRY_INVALID, e->why);
    if (json_array_size(list)) json_object_set(e->done, "departments", list);
    json_decref(list);
    return is_good && set_done(e, "open", NULL, 0);
}

static const struct {
    const char *kind;
    bool (*act)(struct effect *e);
} acts[] = {{"row", on_row}, {"grant", on_grant}, {"key", on_key}, {"role", on_role}};

static bool act(struct effect *e)
{
    const char *kind = review_text(e->item, "kind");
    e->why->text[0] = '\0';
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(kind, acts[i].kind) == 0) return acts[i].act(e);
    return fault_set(e->why, FAULT_INTERNAL, "an item of the kind `%s`", kind);
}

/* ---- The answer. */

static void tell(const struct effect *e, json_t *effects)
{
    json_t *said = json_deep_copy(e->done);
    json_object_set(said, "n", json_object_get(e->item, "n"));
    json_object_set(said, "kind", json_object_get(e->item, "kind"));
    json_object_set(said, "object", json_object_get(e->item, "object"));
    json_array_append_new(effects, said);
}

static bool write_answer(struct effect *e, struct fault *why)
{
    const struct review_answer *answer = e->answer;
    char *text = json_object_size(e->done) ? json_dumps(e->done, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    bool is_good = REGISTRY_DO(e->r, why,
                               "UPDATE review_item SET decision = ?, note = ?, decided_by = ?, effect = ?, rev = ?"
                               " WHERE review = ? AND n = ?",
                               value_text(answer->decision), value_text_or_null(answer->note),
                               value_text_or_null(answer->person), text ? value_str(text) : value_null(),
                               value_rev(e->r), value_text(answer->review), value_int(review_number(e->item, "n")));
    mem_free(text);
    return is_good;
}

bool review_answer_one(struct registry *r, const json_t *item, const struct review_answer *answer, const char *whose,
                       json_t *effects, struct fault *why)
{
    struct effect e = {r, item, answer, registry_now_s(), json_object(), why};
    bool is_kept = slice_equal(answer->decision, SLICE("keep"));
    if (whose) json_object_set_new(e.done, "for", json_string(whose));
    bool is_good = (is_kept || act(&e)) && write_answer(&e, why);
    if (is_good && !is_kept) tell(&e, effects);
    json_decref(e.done);
    return is_good;
}
