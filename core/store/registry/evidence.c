#include "store/registry/evidence.h"

#include <jansson.h>

#include "store/registry/notices.h"
#include "store/registry/registry_inner.h"

#define YEAR_S (366 * 86400)

/* A statement whose rows become objects: texts first, then numbers, by these names. */
struct listed {
    const char *sql;
    const char *texts[6], *numbers[6];
};

static json_t *object_of_row(const struct registry_query *q, const struct listed *what)
{
    json_t *one = json_object();
    int column = 0;
    for (size_t i = 0; i < 6 && what->texts[i]; i++)
        registry_set_text(one, what->texts[i], q, column++);
    for (size_t i = 0; i < 6 && what->numbers[i]; i++)
        registry_set_int(one, what->numbers[i], q, column++);
    return one;
}

/* NULL and *why. */
static json_t *list_rows(struct registry *r, const struct listed *what, const struct registry_value *values,
                         size_t count, struct fault *why)
{
    json_t *list = json_array();
    struct registry_query *q = registry_ask(r, what->sql, values, count);
    while (registry_next(q) && json_array_size(list) < EVIDENCE_LISTED)
        json_array_append_new(list, object_of_row(q, what));
    if (registry_end(q, why)) return list;
    json_decref(list);
    return NULL;
}

static bool add_list(struct registry *r, json_t *facts, const char *name, const struct listed *what, int64_t value,
                     struct fault *why)
{
    json_t *list = list_rows(r, what, REGISTRY_VALUES(value_int(value)), 1, why);
    return list && json_object_set_new(facts, name, list) == 0;
}

/* ---- Keys, and what is left of those who left. */

#define LIVE_KEY "c.kind <> 'scim' AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > ?)"
#define ENDLESS "(c.expires_at IS NULL OR c.expires_at - c.created_at > ?)"

static bool add_sample(struct registry *r, json_t *about, const char *sql, const struct registry_value *values,
                       size_t count, struct fault *why)
{
    json_t *sample = json_array();
    struct registry_query *q = registry_ask(r, sql, values, count);
    while (registry_next(q) && json_array_size(sample) < EVIDENCE_SAMPLE)
        json_array_append_new(sample, json_stringn(registry_text(q, 0).ptr, registry_text(q, 0).len));
    json_object_set_new(about, "sample", sample);
    return registry_end(q, why);
}

static bool add_keys(struct registry *r, json_t *facts, int64_t now_s, struct fault *why)
{
    json_t *keys = json_object();
    json_object_set_new(facts, "keys", keys);
    struct registry_query *q = REGISTRY_ASK(
        r,
        "SELECT count(*), CAST(coalesce(sum(CASE WHEN c.person IS NULL THEN 1 ELSE 0 END), 0) AS bigint),"
        " CAST(coalesce(sum(CASE WHEN " ENDLESS " THEN 1 ELSE 0 END), 0) AS bigint) FROM credential c WHERE " LIVE_KEY,
        value_int(YEAR_S), value_int(now_s));
    if (registry_next(q)) {
        registry_set_int(keys, "live", q, 0);
        registry_set_int(keys, "unowned", q, 1);
        registry_set_int(keys, "endless", q, 2);
    }
    if (!registry_end(q, why)) return false;
    return add_sample(r, keys,
                      "SELECT c.id FROM credential c WHERE " LIVE_KEY " AND (c.person IS NULL OR " ENDLESS
                      ") ORDER BY c.id LIMIT 5",
                      REGISTRY_VALUES(value_int(now_s), value_int(YEAR_S)), 2, why);
}

/* Who is meant by a person, also where he was merged into another; readers have no view of it. */
#define AS_WHOM " JOIN person p ON p.id = coalesce(o.same_as, o.id)"

#define LEFT_OVER                                                                                                      \
    "SELECT c.id AS id FROM credential c JOIN person o ON o.id = c.person" AS_WHOM                                     \
    " WHERE p.disabled_at IS NOT NULL AND " LIVE_KEY                                                                   \
    " UNION ALL SELECT g.id AS id FROM access_grant g JOIN person o ON o.id = g.subject" AS_WHOM                       \
    " WHERE p.disabled_at IS NOT NULL AND g.subject_kind = 'user' AND g.revoked_at IS NULL AND g.ends_at > ?"

static bool add_number(struct registry *r, json_t *about, const char *name, const char *sql,
                       const struct registry_value *values, size_t count, struct fault *why)
{
    struct registry_query *q = registry_ask(r, sql, values, count);
    int64_t number = registry_next(q) ? registry_int(q, 0) : 0;
    json_object_set_new(about, name, json_integer((json_int_t)number));
    return registry_end(q, why);
}

static bool add_leavers(struct registry *r, json_t *facts, int64_t now_s, struct fault *why)
{
    json_t *leavers = json_object();
    json_object_set_new(facts, "leavers", leavers);
    const struct registry_value values[] = {value_int(now_s), value_int(now_s)};
    return add_number(r, leavers, "disabled",
                      "SELECT count(*) FROM person WHERE disabled_at IS NOT NULL AND same_as IS NULL", NULL, 0, why) &&
           add_number(r, leavers, "left", "SELECT count(*) FROM (" LEFT_OVER ") x", values, 2, why) &&
           add_sample(r, leavers, "SELECT id FROM (" LEFT_OVER ") x ORDER BY id LIMIT 5", values, 2, why);
}

/* ---- Lists. */

static const struct listed roles = {
    .sql = "SELECT g.person, p.id, g.role, g.scope, p.kind FROM role_grant g JOIN person o ON o.id = g.person"
           AS_WHOM " WHERE p.disabled_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > ?)"
           " ORDER BY g.person, g.role, g.scope",
    .texts = {"person", "who", "role", "scope", "kind"}};

static const struct listed glass = {
    .sql = "SELECT g.id, g.ends_at, CASE WHEN g.closed_by IS NULL THEN 0 ELSE coalesce((SELECT e.at FROM event e"
           " WHERE e.object = g.id AND e.action = 'grants.close' ORDER BY e.rev LIMIT 1), g.ends_at) END"
           " FROM access_grant g WHERE g.is_break_glass = 1 AND g.starts_at >= ? ORDER BY g.id",
    .texts = {"id"},
    .numbers = {"ends_at", "closed_at"}};

#define OF_RUN(column)                                                                                                 \
    "(SELECT r." column " FROM prompt_run r WHERE r.name = l.name AND r.sha256 = v.sha256"                             \
    " ORDER BY r.at DESC, r.id LIMIT 1)"

static const struct listed prompts = {
    .sql = "SELECT l.name, v.status, (SELECT count(*) FROM prompt_review w WHERE w.name = l.name AND w.major = l.major"
           " AND w.minor = l.minor AND w.patch = l.patch AND w.sha256 = v.sha256 AND w.verdict = 'approve'), "
           OF_RUN("passed") ", " OF_RUN("failed") ", " OF_RUN("at")
           " FROM prompt_label l JOIN prompt_version v ON v.name = l.name AND v.major = l.major AND v.minor = l.minor"
           " AND v.patch = l.patch WHERE l.label = 'production' AND l.share > ? ORDER BY l.name",
    .texts = {"name", "status"},
    .numbers = {"reviews", "passed", "failed", "ran_at"}};

static const struct listed reviews = {
    .sql = "SELECT id, plan, opened_at, due_at, CASE WHEN state = 'complete' THEN 1 ELSE 0 END FROM review"
           " WHERE opened_at > ? ORDER BY opened_at DESC, id",
    .texts = {"id", "plan"},
    .numbers = {"opened_at", "due_at", "is_done"}};

static const struct listed events = {
    .sql = "SELECT e.action, e.object, e.actor, e.after, e.at FROM event e WHERE e.rev IN(SELECT max(x.rev) FROM event"
           " x WHERE x.action IN('audit.verify', 'ledger.backup', 'registry.backup', 'ledger.trial',"
           " 'registry.trial', 'registry.restore', 'providers.disable')"
           " AND x.at > ? GROUP BY x.action) ORDER BY e.rev DESC",
    .texts = {"action", "object", "actor", "after"},
    .numbers = {"at"}};

/* A row of the access matrix is in force when a bundle without it is: until then its effect says "open", "patched". */
#define WAITING                                                                                                        \
    "SELECT count(*) FROM review_item i JOIN review v ON v.id = i.review WHERE i.decision IN('revoke', 'reduce')"      \
    " AND ((v.state = 'complete' AND i.effect IS NULL) OR i.effect LIKE '%\"open\"%' OR i.effect LIKE '%\"patched\"%')"

/* When the account that was switched off last was on again. */
#define SWITCHED_BACK                                                                                                  \
    "SELECT coalesce(min(b.at), 0) FROM event b JOIN event a ON a.object = b.object WHERE b.action ="                  \
    " 'providers.enable' AND b.rev > a.rev AND a.rev = (SELECT max(x.rev) FROM event x WHERE x.action ="               \
    " 'providers.disable')"

/* What stands in the row is the text of an object. */
static void read_after(json_t *list)
{
    size_t i;
    json_t *event;
    json_array_foreach(list, i, event) {
        const char *text = json_string_value(json_object_get(event, "after"));
        json_t *after = text ? json_loads(text, 0, NULL) : NULL;
        json_object_set_new(event, "after", after ? after : json_object());
    }
}

/* When each sink took a notice last; what was given up has had all its tries. */
static bool add_delivered(struct registry *r, json_t *facts, struct fault *why)
{
    json_t *delivered = json_object();
    json_object_set_new(facts, "delivered", delivered);
    struct registry_query *q = REGISTRY_ASK(
        r,
        "SELECT sink, max(done_at) FROM notice WHERE sink <> '' AND done_at IS NOT NULL AND tries < ?"
        " GROUP BY sink",
        value_int(NOTICE_TRIES));
    while (registry_next(q))
        json_object_setn_new(delivered, registry_text(q, 0).ptr, registry_text(q, 0).len,
                             json_integer((json_int_t)registry_int(q, 1)));
    return registry_end(q, why);
}

static bool read_all(struct registry *r, json_t *facts, int64_t since_s, int64_t now_s, struct fault *why)
{
    bool is_good = add_keys(r, facts, now_s, why) && add_delivered(r, facts, why) &&
                   add_leavers(r, facts, now_s, why) &&
                   add_list(r, facts, "roles", &roles, now_s, why) &&
                   add_list(r, facts, "glass", &glass, since_s, why) &&
                   add_list(r, facts, "prompts", &prompts, 0, why) && add_list(r, facts, "reviews", &reviews, 0, why) &&
                   add_list(r, facts, "events", &events, 0, why) &&
                   add_number(r, facts, "revokes_waiting",
                              WAITING, NULL, 0, why) &&
                   add_number(r, facts, "switched_back_at", SWITCHED_BACK, NULL, 0, why);
    if (is_good) read_after(json_object_get(facts, "events"));
    return is_good;
}

json_t *registry_evidence(struct registry *r, int64_t since_s, int64_t now_s, struct fault *why)
{
    json_t *facts = json_object();
    bool is_good = registry_read_begin(r, why) &&
                   registry_read_end(r, read_all(r, facts, since_s, now_s, why), why);
    if (is_good) return facts;
    json_decref(facts);
    return NULL;
}

bool registry_note(struct registry *r, const struct change_by *by, const char *action, struct slice object,
                   json_t *after, struct fault *why)
{
    if (!registry_begin(r, why)) {
        json_decref(after);
        return registry_abort(r);
    }
    return registry_commit(r, by, action, object, NULL, after, why) || registry_abort(r);
}
