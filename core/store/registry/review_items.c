#include <string.h>

#include "base/mem.h"
#include "store/registry/reviews_inner.h"

bool review_put(struct review_making *m, const struct review_item *item)
{
    char reviewer[2 * LIMIT_KEY_FIELD_BYTES + 2];
    struct slice department = item->department.len ? item->department : SLICE(REVIEW_EVERYBODY);
    char *facts = json_dumps(item->facts, JSON_COMPACT | JSON_SORT_KEYS);
    snprintf(reviewer, sizeof reviewer, "%.*s@%.*s", SLICE_FMT(m->spec->by), SLICE_FMT(department));
    bool is_good = m->n < LIMIT_REVIEW_ITEMS ||
                   fault_set(m->why, FAULT_INTERNAL, "more than %u items: narrow the plan's scope", LIMIT_REVIEW_ITEMS);
    is_good = is_good && REGISTRY_DO(m->r, m->why,
                                     "INSERT INTO review_item(review, n, kind, object, subject_person, facts,"
                                     " recommend, why, reviewer, rev) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                     value_str(m->id), value_int(++m->n), value_str(item->kind),
                                     value_text(item->object), value_text_or_null(item->subject), value_str(facts),
                                     value_str(item->recommend), value_str(item->reason), value_str(reviewer),
                                     value_rev(m->r));
    mem_free(facts);
    json_decref(item->facts);
    return is_good;
}

/* ---- Use. */

const json_t *review_usage(const struct review_making *m, const char *kind, const char *id)
{
    return m->spec->usage ? json_object_get(json_object_get(m->spec->usage, kind), id) : NULL;
}

bool review_is_unused(const struct review_making *m, const json_t *usage, int64_t made_at)
{
    return m->spec->usage && made_at <= m->since_s && review_number(usage, "last_at") <= m->since_s;
}

static void add_usage(json_t *facts, const json_t *usage)
{
    if (usage) json_object_update(facts, (json_t *)(uintptr_t)usage);
}

/* ---- Rows of the access matrix. */

static bool add_row(struct review_making *m, json_t *row)
{
    struct buf object;
    const char *department = review_text(row, "department"), *model = review_text(row, "model");
    bool is_unused = m->spec->usage && review_number(row, "requests") == 0;
    buf_init(&object);
    buf_printf(&object, "%s x %s", department, model);
    bool is_good = review_put(m, &(struct review_item){.kind = "row",
                                                       .object = buf_slice(&object),
                                                       .department = slice_str(department),
                                                       .recommend = is_unused ? "revoke" : "",
                                                       .reason = is_unused ? "not used" : "",
                                                       .facts = json_incref(row)});
    buf_clear(&object);
    return is_good;
}

bool review_add_rows(struct review_making *m)
{
    size_t i;
    json_t *row;
    json_array_foreach ((json_t *)(uintptr_t)m->spec->rows, i, row)
        if (!add_row(m, row)) return false;
    return true;
}

/* ---- What the store holds: read whole, then asked about, since a statement at a time is under way. */

static json_t *read_all(struct review_making *m, const char *sql, const struct registry_value *values, size_t count,
                        const char *const *names)
{
    json_t *list = json_array();
    struct registry_query *q = registry_ask(m->r, sql, values, count);
    while (registry_next(q)) {
        json_t *one = json_object();
        int at = 0;
        for (; names[at][0] != '#'; at++)
            registry_set_text(one, names[at], q, at);
        for (; names[at]; at++)
            registry_set_int(one, names[at] + 1, q, at);
        json_array_append_new(list, one);
    }
    if (registry_end(q, m->why)) return list;
    json_decref(list);
    return NULL;
}

static bool each(struct review_making *m, json_t *list, bool (*add)(struct review_making *m, json_t *one))
{
    size_t i;
    json_t *one;
    bool is_good = list != NULL;
    json_array_foreach (list, i, one)
        is_good = is_good && add(m, one);
    json_decref(list);
    return is_good;
}

/* Takes a member out of what becomes the facts; free it with mem_free. */
static char *take(json_t *one, const char *name)
{
    char *text = mem_strdup(review_text(one, name));
    json_object_del(one, name);
    return text;
}

/* ---- Grants. */

/* Of an app's grant there is no person but who asked for it. */
static bool add_grant(struct review_making *m, json_t *one)
{
    char *id = take(one, "id"), *who = take(one, "who"), *rule = take(one, "rule"), *home = take(one, "home");
    json_t *asked = json_loads(rule, 0, NULL);
    bool is_department = strcmp(review_text(one, "subject_kind"), "department") == 0;
    struct slice department = slice_str(is_department ? review_text(one, "subject") : review_text(asked, "department"));
    if (!department.len) department = slice_str(home);
    add_usage(one, review_usage(m, "grants", id));
    bool is_good = review_put(m, &(struct review_item){.kind = "grant",
                                                       .object = slice_str(id),
                                                       .subject = slice_str(who),
                                                       .department = department,
                                                       .recommend = "",
                                                       .reason = "",
                                                       .facts = json_incref(one)});
    json_decref(asked);
    mem_free(id);
    mem_free(who);
    mem_free(rule);
    mem_free(home);
    return is_good;
}

bool review_add_grants(struct review_making *m)
{
    static const char *const names[] = {"id",     "subject_kind", "subject",     "model",       "granted_by",
                                        "reason", "who",          "rule",        "home",        "#starts_at",
                                        "#ends_at", "#revoked_at", "#break_glass", NULL};
    return each(m,
                read_all(m,
                         "SELECT g.id, g.subject_kind, g.subject, g.object, g.granted_by, g.reason,"
                         " CASE WHEN g.subject_kind = 'user' THEN g.subject ELSE coalesce(a.requested_by,"
                         " g.granted_by) END, a.rule, p.department, g.starts_at, g.ends_at, g.revoked_at,"
                         " g.is_break_glass FROM access_grant g LEFT JOIN access_request a ON a.id = g.request"
                         " LEFT JOIN person p ON g.subject_kind = 'user' AND p.id = g.subject"
                         " WHERE coalesce(g.revoked_at, g.ends_at) > ? AND g.starts_at <= ? ORDER BY g.starts_at, g.id",
                         REGISTRY_VALUES(value_int(m->last_s), value_int(m->now_s)), 2, names),
                add_grant);
}

/* ---- Keys. */

/* The first that holds says why. */
static const char *key_advice(const struct review_making *m, const json_t *one, const json_t *usage,
                              const char **reason)
{
    bool is_callers = strcmp(review_text(one, "kind"), "data") == 0; /* of the others no use is kept */
    bool is_unused = is_callers && review_is_unused(m, usage, review_number(one, "created_at"));
    bool is_owned = json_object_get(one, "owner") && !review_number(one, "owner_disabled_at");
    bool never_ends = !review_number(one, "expires_at");
    *reason = is_unused ? "not used" : !is_owned ? "nobody owns it" : never_ends ? "it never ends" : "";
    return is_unused || !is_owned ? "revoke" : never_ends ? "reduce" : "";
}

static bool add_key(struct review_making *m, json_t *one)
{
    const char *reason;
    char *id = take(one, "id"), *text = take(one, "fields");
    json_t *fields = json_loads(text, 0, NULL);
    const json_t *usage = review_usage(m, "keys", id);
    const char *recommend = key_advice(m, one, usage, &reason);
    const char *own = review_text(fields, "department"), *home = review_text(one, "owner_department");
    json_object_set(one, "approvals", json_object_get(fields, "approvals"));
    add_usage(one, usage);
    bool is_good = review_put(m, &(struct review_item){.kind = "key",
                                                       .object = slice_str(id),
                                                       .subject = slice_str(review_text(one, "owner")),
                                                       .department = slice_str(own[0] ? own : home),
                                                       .recommend = recommend,
                                                       .reason = reason,
                                                       .facts = json_incref(one)});
    json_decref(fields);
    mem_free(text);
    mem_free(id);
    return is_good;
}

bool review_add_keys(struct review_making *m)
{
    static const char *const names[] = {"id",          "kind",   "app",         "owner",
                                        "owner_department", "tail", "fields",    "#created_at",
                                        "#expires_at", "#owner_disabled_at", NULL};
    return each(m,
                read_all(m,
                         "SELECT c.id, c.kind, c.app, c.person, p.department, c.tail, c.fields, c.created_at,"
                         " c.expires_at, p.disabled_at FROM credential c LEFT JOIN person p ON p.id = c.person"
                         " WHERE c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > ?)"
                         " ORDER BY c.made, c.id",
                         REGISTRY_VALUES(value_int(m->now_s)), 1, names),
                add_key);
}

/* ---- Roles. */

static bool only_looks(const char *role)
{
    static const char *const words[] = {"viewer", "author", "content_reader"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(role, words[i]) == 0) return true;
    return false;
}

static bool add_role(struct review_making *m, json_t *one)
{
    struct buf object;
    int64_t last_s = review_number(one, "last_decision_at");
    bool is_unused = !only_looks(review_text(one, "role")) && review_number(one, "at") <= m->since_s &&
                     last_s <= m->since_s;
    buf_init(&object);
    buf_printf(&object, "%s %s %s", review_text(one, "person"), review_text(one, "role"), review_text(one, "scope"));
    bool is_good = review_put(m, &(struct review_item){.kind = "role",
                                                       .object = buf_slice(&object),
                                                       .subject = slice_str(review_text(one, "person")),
                                                       .department = slice_str(review_text(one, "scope")),
                                                       .recommend = is_unused ? "revoke" : "",
                                                       .reason = is_unused ? "nothing was decided in it" : "",
                                                       .facts = json_incref(one)});
    buf_clear(&object);
    return is_good;
}

/* Decided: requests, prompts, items of other reviews. */
bool review_add_roles(struct review_making *m)
{
    static const char *const names[] = {"person", "name", "role", "scope", "given_by", "#at",
                                        "#ends_at", "#confirmed_at", "#decisions", "#last_decision_at", NULL};
    return each(m,
                read_all(m,
                         "SELECT g.person, coalesce(p.name, p.subject), g.role, g.scope, g.given_by, g.at, g.ends_at,"
                         " p.confirmed_at, (SELECT count(*) FROM decision d WHERE d.person = g.person)"
                         " + (SELECT count(*) FROM prompt_review v WHERE v.person = g.person)"
                         " + (SELECT count(*) FROM review_item i WHERE i.decided_by = g.person),"
                         " (SELECT max(e.at) FROM event e WHERE e.rev IN(SELECT d.rev FROM decision d WHERE"
                         " d.person = g.person UNION SELECT v.rev FROM prompt_review v WHERE v.person = g.person"
                         " UNION SELECT i.rev FROM review_item i WHERE i.decided_by = g.person))"
                         " FROM role_grant g JOIN person p ON p.id = g.person WHERE (g.ends_at IS NULL OR"
                         " g.ends_at > ?) AND p.disabled_at IS NULL ORDER BY g.person, g.role, g.scope",
                         REGISTRY_VALUES(value_int(m->now_s)), 1, names),
                add_role);
}
