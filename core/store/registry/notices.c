#include "store/registry/notices.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/registry/registry_inner.h"

#define PEOPLE_MAX 200
#define SHARED_MAX 64 /* changes at a time */

/* After each failure, in seconds; all of them together are less than a day. */
static const int64_t delays_s[NOTICE_TRIES] = {10, 60, 300, 1800, 7200, 14400, 28800, 0};

/* ---- Who is to know. */

static void add_person(json_t *to, const struct registry_query *q)
{
    static const char *const names[] = {"person", "name", "email", "as"};
    json_t *one = json_object();
    for (int i = 0; i < 4; i++)
        registry_set_text(one, names[i], q, i);
    json_array_append_new(to, one);
}

static bool add_people(struct registry *r, json_t *to, const char *sql, const struct registry_value *values,
                       size_t count, struct fault *why)
{
    struct registry_query *q = registry_ask(r, sql, values, count);
    while (registry_next(q) && json_array_size(to) < PEOPLE_MAX)
        add_person(to, q);
    return registry_end(q, why);
}

/* Ids of different objects are different, so that the object alone says whose it is. */
#define CONCERNED                                                                                                      \
    "SELECT p.id, p.name, p.email, x.said FROM (SELECT requested_by AS who, 'requester' AS said FROM access_request"   \
    " WHERE id = ? UNION SELECT granted_by, 'requester' FROM access_grant WHERE id = ? AND is_break_glass = 1"         \
    " UNION SELECT a.requested_by, 'requester' FROM access_grant g JOIN access_request a ON a.id = g.request"          \
    " WHERE g.id = ? UNION SELECT owner, 'owner' FROM prompt WHERE name = ?"                                           \
    " UNION SELECT reviewer, 'approver' FROM review_item WHERE review = ?) x JOIN person p ON p.id = x.who"            \
    " WHERE p.disabled_at IS NULL ORDER BY p.id"

#define DECIDERS                                                                                                       \
    "SELECT DISTINCT p.id, p.name, p.email, 'approver' FROM role_grant g JOIN person p ON p.id = g.person"             \
    " WHERE g.role IN(?, ?) AND (g.scope = '*' OR g.scope = ?) AND p.kind = 'human' AND p.disabled_at IS NULL"         \
    " AND (g.ends_at IS NULL OR g.ends_at > ?) ORDER BY p.id"

static struct registry_value text_value(const json_t *object, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, name));
    return value_str(text ? text : otherwise);
}

/* Who may decide, by the rule of a request; of break-glass the admins; of a prompt its department's approvers. */
static bool add_deciders(struct registry *r, json_t *to, struct slice action, struct slice object, int64_t now_s,
                         struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT rule, '' FROM access_request WHERE id = ? UNION ALL SELECT '{\"by\":\"approver\"}',"
                     " department FROM prompt WHERE name = ?",
                     value_text(object), value_text(object));
    json_t *rule = registry_next(q) ? json_loadb(registry_text(q, 0).ptr, registry_text(q, 0).len, 0, NULL) : NULL;
    if (rule && registry_text(q, 1).len)
        json_object_set_new(rule, "department", json_stringn(registry_text(q, 1).ptr, registry_text(q, 1).len));
    bool is_good = registry_end(q, why);
    if (!rule && slice_starts(action, SLICE("grants."))) rule = json_pack("{s:s}", "by", "admin");
    if (is_good && rule) {
        const struct registry_value values[] = {text_value(rule, "by", ""), text_value(rule, "also", ""),
                                                text_value(rule, "department", "*"), value_int(now_s)};
        is_good = add_people(r, to, DECIDERS, values, 4, why);
    }
    json_decref(rule);
    return is_good;
}

/* "research/house@1.2.0" is of the prompt in front of the @. */
static struct slice bare_object(struct slice object)
{
    struct slice rest;
    return slice_split(object, '@', &rest);
}

static json_t *people_of(struct registry *r, struct slice action, struct slice object, int64_t now_s, struct fault *why)
{
    json_t *to = json_array();
    struct slice bare = bare_object(object);
    const struct registry_value ids[] = {value_text(object), value_text(object), value_text(object), value_text(bare),
                                         value_text(object)};
    if (add_people(r, to, CONCERNED, ids, 5, why) && add_deciders(r, to, action, bare, now_s, why)) return to;
    json_decref(to);
    return NULL;
}

/* ---- One row a change becomes one a sink. */

/* The event as it is told, but for whom. */
static json_t *event_of_row(const struct registry_query *q)
{
    static const char *const texts[] = {"id", "action", "object", "actor", "reason"};
    json_t *event = json_object();
    for (int i = 0; i < 5; i++)
        registry_set_text(event, texts[i], q, i);
    registry_set_int(event, "at", q, 5);
    json_t *after = json_loadb(registry_text(q, 6).ptr, registry_text(q, 6).len, 0, NULL);
    if (after) json_object_set_new(event, "after", after);
    registry_set_int(event, "rev", q, 7);
    return event;
}

static json_t *read_new(struct registry *r, struct fault *why)
{
    json_t *list = json_array();
    struct registry_query *q = REGISTRY_ASK(
        r,
        "SELECT e.id, e.action, e.object, e.actor, e.reason, e.at, e.after, n.rev FROM notice n JOIN event e"
        " ON e.rev = n.rev WHERE n.sink = ? AND n.done_at IS NULL ORDER BY n.rev LIMIT 64",
        value_str(""));
    while (registry_next(q) && json_array_size(list) < SHARED_MAX)
        json_array_append_new(list, event_of_row(q));
    if (registry_end(q, why)) return list;
    json_decref(list);
    return NULL;
}

static struct slice member(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return slice_of(json_string_value(text), json_string_length(text));
}

static bool put(struct registry *r, struct slice sink, const json_t *event, const char *body, int64_t now_s,
                struct fault *why)
{
    char id[NOTICE_ID_BYTES];
    snprintf(id, sizeof id, "%.*s.%.*s", SLICE_FMT(member(event, "id")), SLICE_FMT(sink));
    return REGISTRY_DO(r, why,
                       "INSERT INTO notice(id, rev, sink, body, tries, next_at) VALUES(?, ?, ?, ?, 0, ?)"
                       " ON CONFLICT DO NOTHING",
                       value_str(id), value_int(json_integer_value(json_object_get(event, "rev"))), value_text(sink),
                       value_str(body), value_int(now_s));
}

/* Each step may be made again: rows have ids of their own, and the change's own row is done last. */
static bool share_one(struct registry *r, json_t *event, const struct slice *sinks, size_t count, int64_t now_s,
                      struct fault *why)
{
    json_t *to = count ? people_of(r, member(event, "action"), member(event, "object"), now_s, why) : json_array();
    if (!to) return false;
    json_object_set_new(event, "to", to);
    char *body = json_dumps(event, JSON_COMPACT);
    bool is_good = true;
    for (size_t i = 0; i < count && is_good; i++)
        is_good = put(r, sinks[i], event, body, now_s, why);
    mem_free(body);
    return is_good && REGISTRY_DO(r, why, "UPDATE notice SET done_at = ? WHERE id = ?", value_int(now_s),
                                  value_text(member(event, "id")));
}

bool registry_notices_share(struct registry *r, const struct slice *sinks, size_t count, int64_t now_s,
                            struct fault *why)
{
    size_t i;
    json_t *event, *list = read_new(r, why);
    bool is_good = list != NULL;
    json_array_foreach(list, i, event) is_good = is_good && share_one(r, event, sinks, count, now_s, why);
    if (is_good && json_array_size(list))
        is_good = REGISTRY_DO(r, why, "DELETE FROM notice WHERE done_at < ?", value_int(now_s - NOTICE_KEPT_S));
    json_decref(list);
    return is_good;
}

/* ---- One row on its way. */

json_t *registry_notice_claim(struct registry *r, struct slice sink, int64_t now_s, struct notice_item *item,
                              struct fault *why)
{
    json_t *body = NULL;
    struct registry_query *q = REGISTRY_ASK(
        r,
        "UPDATE notice SET claimed_until = ? WHERE id = (SELECT id FROM notice WHERE sink = ? AND done_at IS NULL"
        " AND next_at <= ? AND (claimed_until IS NULL OR claimed_until <= ?) ORDER BY rev, id LIMIT 1)"
        " AND (claimed_until IS NULL OR claimed_until <= ?) RETURNING id, tries, body",
        value_int(now_s + NOTICE_CLAIM_S), value_text(sink), value_int(now_s), value_int(now_s), value_int(now_s));
    *why = (struct fault){0};
    if (registry_next(q)) {
        snprintf(item->id, sizeof item->id, "%.*s", SLICE_FMT(registry_text(q, 0)));
        item->tries = registry_int(q, 1);
        body = json_loadb(registry_text(q, 2).ptr, registry_text(q, 2).len, 0, NULL);
    }
    if (registry_end(q, why)) return body;
    json_decref(body);
    return NULL;
}

bool registry_notice_taken(struct registry *r, const struct notice_item *item, int64_t now_s, struct fault *why)
{
    return REGISTRY_DO(r, why, "UPDATE notice SET done_at = ?, claimed_until = NULL WHERE id = ?", value_int(now_s),
                       value_str(item->id));
}

bool registry_notice_failed(struct registry *r, const struct notice_item *item, int64_t now_s, bool *is_given_up,
                            struct fault *why)
{
    int64_t tries = item->tries + 1;
    *is_given_up = tries >= NOTICE_TRIES;
    return REGISTRY_DO(r, why,
                       "UPDATE notice SET tries = ?, next_at = ?, done_at = ?, claimed_until = NULL WHERE id = ?",
                       value_int(tries), value_int(now_s + delays_s[(tries - 1) % NOTICE_TRIES]),
                       value_int_or_null(*is_given_up ? now_s : 0), value_str(item->id));
}
