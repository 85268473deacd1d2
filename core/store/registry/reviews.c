#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "store/registry/reviews_inner.h"

static const struct {
    unsigned bit;
    const char *name;
    bool (*add)(struct review_making *m);
} kinds[] = {{REVIEW_ROWS, "rows", review_add_rows},
             {REVIEW_GRANTS, "grants", review_add_grants},
             {REVIEW_KEYS, "keys", review_add_keys},
             {REVIEW_ROLES, "roles", review_add_roles}};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* ---- Opening. */

static bool check_word(struct slice text, const char *what, struct fault *why)
{
    if (!text.len || text.len > LIMIT_KEY_FIELD_BYTES || !utf8_is_valid(text))
        return fault_set(why, FAULT_INTERNAL, "%s is 1 to %u bytes of UTF-8", what, LIMIT_KEY_FIELD_BYTES);
    return true;
}

static bool check_spec(const struct review_spec *spec, struct fault *why)
{
    if (spec->due_s < 1 || spec->unused_s < 1)
        return fault_set(why, FAULT_INTERNAL, "a review has a second or more until it is due");
    if (!(spec->scope & 15u)) return fault_set(why, FAULT_INTERNAL, "a review is of rows, grants, keys or roles");
    return check_word(spec->plan, "a plan's name", why) && check_word(spec->by, "the role of who answers", why);
}

/* One at a time; when the one before was opened, for what has ended since. */
static bool look_back(struct review_making *m)
{
    bool runs = false;
    struct registry_query *q =
        REGISTRY_ASK(m->r, "SELECT opened_at, state, due_at FROM review WHERE plan = ? ORDER BY opened_at",
                     value_text(m->spec->plan));
    while (registry_next(q)) {
        m->last_s = registry_int(q, 0);
        runs = slice_equal(registry_text(q, 1), SLICE("open")) && registry_int(q, 2) > m->now_s;
    }
    if (!registry_end(q, m->why)) return false;
    return !runs || registry_refuse_as(m->r, REGISTRY_EXISTS, m->why);
}

static char *as_of_text(const struct review_making *m, int64_t epoch)
{
    const struct review_spec *spec = m->spec;
    json_t *as_of = json_pack("{s:I, s:I, s:s%, s:s%, s:s%, s:I}", "epoch", (json_int_t)epoch, "revision",
                              (json_int_t)(m->r->rev - 1), "bundle", spec->bundle.ptr ? spec->bundle.ptr : "",
                              spec->bundle.len, "by", spec->by.ptr, spec->by.len, "opened_by", spec->person.ptr,
                              spec->person.len, "unused_s", (json_int_t)spec->unused_s);
    if (spec->usage) {
        json_object_set_new(as_of, "ledger_seq", json_integer(review_number(spec->usage, "seq")));
        json_object_set_new(as_of, "usage_since_at", json_integer(review_number(spec->usage, "since_at")));
    }
    char *text = json_dumps(as_of, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(as_of);
    return text;
}

static void append_scope(struct buf *out, unsigned scope)
{
    for (size_t i = 0; i < KINDS; i++)
        if (scope & kinds[i].bit) buf_printf(out, "%s%s", buf_len(out) ? " " : "", kinds[i].name);
}

static bool insert_campaign(struct review_making *m, int64_t due_at)
{
    int64_t epoch, rev;
    struct buf scope;
    buf_init(&scope);
    append_scope(&scope, m->spec->scope);
    if (!registry_moment(m->r, &epoch, &rev, m->why)) return false;
    char *as_of = as_of_text(m, epoch);
    bool is_good = REGISTRY_DO(m->r, m->why,
                               "INSERT INTO review(id, plan, scope, opened_at, due_at, unanswered, as_of, state, rev)"
                               " VALUES(?, ?, ?, ?, ?, ?, ?, 'open', ?)",
                               value_str(m->id), value_text(m->spec->plan), value_text(buf_slice(&scope)),
                               value_int(m->now_s), value_int(due_at), value_text(m->spec->unanswered),
                               value_str(as_of), value_rev(m->r));
    mem_free(as_of);
    buf_clear(&scope);
    return is_good;
}

static bool add_items(struct review_making *m)
{
    for (size_t i = 0; i < KINDS; i++)
        if ((m->spec->scope & kinds[i].bit) && !kinds[i].add(m)) return false;
    return true;
}

static bool is_human(struct registry *r, struct slice person, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT 1 FROM person WHERE id = ? AND kind = 'human' AND disabled_at IS NULL", value_text(person));
    bool is_one = registry_next(q);
    if (!registry_end(q, why)) return false;
    return is_one || registry_refuse_as(r, REGISTRY_NOT_HUMAN, why);
}

bool registry_review_open(struct registry *r, const struct review_spec *spec, const struct change_by *by,
                          struct review_made *made, struct fault *why)
{
    struct review_making m = {.r = r, .spec = spec, .id = made->id, .now_s = registry_now_s(), .why = why};
    if (!check_spec(spec, why) || !registry_make_id(made->id, "rvw_", why)) return false;
    m.since_s = m.last_s = m.now_s - spec->unused_s;
    made->due_at = m.now_s + spec->due_s;
    bool is_good = registry_begin(r, why) && is_human(r, spec->person, why) && look_back(&m) &&
                   insert_campaign(&m, made->due_at) && add_items(&m) &&
                   registry_commit(r, by, "reviews.open", slice_str(made->id), NULL,
                                   json_pack("{s:s%, s:I, s:I}", "plan", spec->plan.ptr, spec->plan.len, "items",
                                             (json_int_t)m.n, "due_at", (json_int_t)made->due_at),
                                   why);
    made->items = m.n;
    return is_good || registry_abort(r);
}

/* ---- As one stands. */

static void copy_text(char *to, size_t size, struct slice text)
{
    snprintf(to, size, "%.*s", SLICE_FMT(text));
}

enum registry_found review_read(struct registry *r, struct slice id, struct review_old *old, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT as_of, state, unanswered, due_at, rev FROM review WHERE id = ?", value_text(id));
    *old = (struct review_old){NULL};
    bool is_there = registry_next(q);
    if (is_there) {
        old->as_of = json_loadb(registry_text(q, 0).ptr, registry_text(q, 0).len, 0, NULL);
        copy_text(old->state, sizeof old->state, registry_text(q, 1));
        copy_text(old->unanswered, sizeof old->unanswered, registry_text(q, 2));
        old->due_at = registry_int(q, 3);
        old->rev = registry_int(q, 4);
    }
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

void review_forget(struct review_old *old)
{
    json_decref(old->as_of);
    old->as_of = NULL;
}

/* ---- All of them. */

static const char all_reviews[] =
    "SELECT v.id, v.plan, v.unanswered, CASE WHEN v.state = 'open' AND v.due_at <= ? THEN 'overdue' ELSE v.state END,"
    " v.opened_at, v.due_at, v.rev, (SELECT count(*) FROM review_item i WHERE i.review = v.id),"
    " (SELECT count(*) FROM review_item i WHERE i.review = v.id AND i.decision IS NOT NULL),"
    " (SELECT count(*) FROM review_item i WHERE i.review = v.id AND i.kind = 'row' AND"
    " i.decision IN('revoke', 'reduce') AND i.effect NOT LIKE '%\"in_force\"%'), v.scope, v.as_of FROM review v"
    " WHERE ? = '' OR v.id = ? ORDER BY v.opened_at DESC, v.id LIMIT ?";

static json_t *scope_list(struct slice words)
{
    json_t *list = json_array();
    while (words.len) {
        struct slice word = slice_split(words, ' ', &words);
        json_array_append_new(list, json_stringn(word.ptr, word.len));
    }
    return list;
}

static json_t *review_of_row(const struct registry_query *q)
{
    static const char *const texts[] = {"id", "plan", "unanswered", "state"};
    static const char *const numbers[] = {"opened_at", "due_at", "rev", "items", "decided", "pending_rows"};
    json_t *review = json_object();
    for (int i = 0; i < 4; i++)
        registry_set_text(review, texts[i], q, i);
    for (int i = 0; i < 6; i++)
        registry_set_int(review, numbers[i], q, 4 + i);
    json_t *as_of = json_loadb(registry_text(q, 11).ptr, registry_text(q, 11).len, 0, NULL);
    json_object_set_new(review, "scope", scope_list(registry_text(q, 10)));
    json_object_set(review, "by", json_object_get(as_of, "by"));
    json_object_set_new(review, "as_of", as_of ? as_of : json_object());
    return review;
}

json_t *registry_reviews(struct registry *r, struct slice id, int64_t now_s, struct fault *why)
{
    json_t *list = json_array();
    struct registry_query *q = REGISTRY_ASK(r, all_reviews, value_int(now_s), value_text(id), value_text(id),
                                            value_int(LIMIT_ACCESS_LISTED));
    while (registry_next(q))
        json_array_append_new(list, review_of_row(q));
    if (registry_end(q, why)) return list;
    json_decref(list);
    return NULL;
}

static const char all_items[] =
    "SELECT i.kind, i.object, i.subject_person, i.reviewer, i.recommend, i.why, i.decision, i.note, i.decided_by,"
    " coalesce(s.same_as, s.id), i.n, e.at, i.rev, i.facts, i.effect FROM review_item i"
    " LEFT JOIN event e ON e.rev = i.rev AND i.decision IS NOT NULL LEFT JOIN person s ON s.id = i.subject_person"
    " WHERE i.review = ? ORDER BY i.n";

/* "approver@sales": who answers, and for which department. */
static void set_reviewer(json_t *item)
{
    const char *text = review_text(item, "reviewer"), *at = strchr(text, '@');
    json_object_set_new(item, "role", json_stringn(text, at ? (size_t)(at - text) : strlen(text)));
    json_object_set_new(item, "department", json_string(at ? at + 1 : ""));
    json_object_del(item, "reviewer");
}

static void set_json(json_t *item, const char *name, const struct registry_query *q, int column)
{
    json_t *value = json_loadb(registry_text(q, column).ptr, registry_text(q, column).len, 0, NULL);
    if (value) json_object_set_new(item, name, value);
}

static json_t *item_of_row(const struct registry_query *q)
{
    static const char *const texts[] = {"kind", "object",   "subject", "reviewer",   "recommend",
                                        "why",  "decision", "note",    "decided_by", "who"};
    static const char *const numbers[] = {"n", "decided_at", "rev"};
    json_t *item = json_object();
    for (int i = 0; i < 10; i++)
        registry_set_text(item, texts[i], q, i);
    for (int i = 0; i < 3; i++)
        registry_set_int(item, numbers[i], q, 10 + i);
    set_json(item, "facts", q, 13);
    set_json(item, "effect", q, 14);
    set_reviewer(item);
    return item;
}

json_t *review_read_items(struct registry *r, struct slice id, struct fault *why)
{
    json_t *list = json_array();
    struct registry_query *q = REGISTRY_ASK(r, all_items, value_text(id));
    while (registry_next(q))
        json_array_append_new(list, item_of_row(q));
    if (registry_end(q, why)) return list;
    json_decref(list);
    return NULL;
}

static bool mark_waiting(struct registry *r, json_t *items, struct slice id, struct slice person, int64_t now_s,
                         struct fault *why)
{
    size_t i;
    json_t *item;
    char who[PERSON_ID_BYTES] = "";
    json_t *eyes = person.len ? review_eyes(r, id, person, now_s, who, why) : json_array();
    if (!eyes) return false;
    json_array_foreach (items, i, item) {
        bool waits = !json_object_get(item, "decision") && review_may(eyes, who, item);
        if (person.len) json_object_set_new(item, "waits_for_me", json_boolean(waits));
        json_object_del(item, "who");
    }
    json_decref(eyes);
    return true;
}

json_t *registry_review_items(struct registry *r, struct slice id, struct slice person, int64_t now_s,
                              struct fault *why)
{
    if (!registry_read_begin(r, why)) return NULL;
    json_t *items = review_read_items(r, id, why);
    bool is_good = items && mark_waiting(r, items, id, person, now_s, why);
    if (registry_read_end(r, is_good, why)) return items;
    json_decref(items);
    return NULL;
}

/* ---- What waits for somebody. */

static bool count_one(struct registry *r, struct slice id, struct slice person, int64_t now_s, int64_t *count,
                      struct fault *why)
{
    size_t i;
    json_t *item, *items = registry_review_items(r, id, person, now_s, why);
    json_array_foreach (items, i, item)
        *count += json_is_true(json_object_get(item, "waits_for_me"));
    json_decref(items);
    return items != NULL;
}

bool registry_reviews_waiting(struct registry *r, struct slice person, int64_t now_s, int64_t *count,
                              struct fault *why)
{
    size_t i;
    json_t *one, *all = registry_reviews(r, SLICE(""), now_s, why);
    bool is_good = all != NULL;
    *count = 0;
    json_array_foreach (all, i, one) {
        if (is_good && strcmp(review_text(one, "state"), "complete") != 0)
            is_good = count_one(r, slice_str(review_text(one, "id")), person, now_s, count, why);
    }
    json_decref(all);
    return is_good;
}

json_t *registry_review_delegations(struct registry *r, struct slice id, struct fault *why)
{
    static const char *const texts[] = {"person", "delegate", "reason"};
    json_t *list = json_array();
    struct registry_query *q = REGISTRY_ASK(r,
                                            "SELECT person, delegate, reason, at, ends_at FROM review_delegation"
                                            " WHERE review = ? ORDER BY at, person, delegate",
                                            value_text(id));
    while (registry_next(q)) {
        json_t *one = json_object();
        for (int i = 0; i < 3; i++)
            registry_set_text(one, texts[i], q, i);
        registry_set_int(one, "at", q, 3);
        registry_set_int(one, "ends_at", q, 4);
        json_array_append_new(list, one);
    }
    if (registry_end(q, why)) return list;
    json_decref(list);
    return NULL;
}
