#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "store/registry/reviews_inner.h"

/* ---- Answering. */

struct answering {
    struct registry *r;
    const struct review_answer *answer;
    json_t *eyes, *items, *effects;
    char who[PERSON_ID_BYTES];
    struct fault *why;
};

/* The item is named before what is wrong with it. Always false. */
static bool refuse(struct answering *a, int64_t n, enum registry_refusal refusal)
{
    char text[FAULT_TEXT_BYTES];
    registry_refuse_as(a->r, refusal, a->why);
    snprintf(text, sizeof text, "%s", fault_message(a->why));
    return fault_set(a->why, FAULT_INTERNAL, "item %" PRId64 ": %s", n, text);
}

static bool needs_note(const struct review_answer *answer, const json_t *item)
{
    return slice_equal(answer->decision, SLICE("keep")) && review_text(item, "recommend")[0] && !answer->note.len;
}

static bool is_own(const struct answering *a, const json_t *item)
{
    return strcmp(review_text(item, "who"), a->who) == 0 && a->who[0];
}

static bool answer_one(struct answering *a, int64_t n)
{
    const json_t *item = json_array_get(a->items, (size_t)(n - 1));
    if (n < 1 || !item) return refuse(a, n, REGISTRY_UNKNOWN);
    if (!a->who[0]) return refuse(a, n, REGISTRY_NOT_HUMAN);
    if (is_own(a, item)) return refuse(a, n, REGISTRY_SELF_APPROVAL);
    const char *whose = review_may(a->eyes, a->who, item);
    if (!whose) return refuse(a, n, REGISTRY_NOT_YOUR_SCOPE);
    if (json_object_get(item, "decision")) return refuse(a, n, REGISTRY_NOT_PENDING);
    if (needs_note(a->answer, item)) return refuse(a, n, REGISTRY_NOTE_NEEDED);
    if (review_answer_one(a->r, item, a->answer, strcmp(whose, a->who) == 0 ? NULL : whose, a->effects, a->why))
        return true;
    enum registry_refusal refusal = registry_refused(a->r);
    return refusal ? refuse(a, n, refusal) : false;
}

static json_t *numbers(const struct review_answer *answer)
{
    json_t *list = json_array();
    for (size_t i = 0; i < answer->count; i++)
        json_array_append_new(list, json_integer(answer->items[i]));
    return list;
}

static bool answer_all(struct answering *a, const struct change_by *by)
{
    const struct review_answer *answer = a->answer;
    for (size_t i = 0; i < answer->count; i++)
        if (!answer_one(a, answer->items[i])) return false;
    json_t *after = json_pack("{s:s%, s:s%, s:o, s:O}", "decision", answer->decision.ptr, answer->decision.len, "note",
                              answer->note.ptr ? answer->note.ptr : "", answer->note.len, "items", numbers(answer),
                              "effects", a->effects);
    return registry_commit(a->r, by, "reviews.decide", answer->review, NULL, after, a->why);
}

static bool check_answer(const struct review_answer *answer, struct fault *why)
{
    static const char *const words[] = {"keep", "revoke", "reduce"};
    bool is_word = false;
    for (size_t i = 0; i < 3; i++)
        is_word = is_word || slice_equal(answer->decision, slice_str(words[i]));
    if (!is_word) return fault_set(why, FAULT_INTERNAL, "an answer is keep, revoke or reduce");
    if (!answer->count || answer->count > LIMIT_REVIEW_ITEMS)
        return fault_set(why, FAULT_INTERNAL, "say which items: 1 to %u of them", LIMIT_REVIEW_ITEMS);
    return !answer->note.len || registry_check_reason(answer->note, why);
}

static bool decide(struct answering *a, const struct review_old *old, const struct change_by *by)
{
    if (strcmp(old->state, "complete") == 0) return registry_refuse_as(a->r, REGISTRY_NOT_PENDING, a->why);
    a->eyes = review_eyes(a->r, a->answer->review, a->answer->person, registry_now_s(), a->who, a->why);
    a->items = a->eyes ? review_read_items(a->r, a->answer->review, a->why) : NULL;
    bool is_good = a->items && answer_all(a, by);
    json_decref(a->items);
    json_decref(a->eyes);
    return is_good;
}

enum registry_found registry_review_decide(struct registry *r, const struct review_answer *answer,
                                           const struct change_by *by, struct fault *why)
{
    struct review_old old;
    struct answering a = {.r = r, .answer = answer, .effects = json_array(), .why = why};
    enum registry_found found = REGISTRY_FAILED;
    bool is_good = check_answer(answer, why) && registry_begin(r, why);
    if (is_good) {
        found = review_read(r, answer->review, &old, why);
        is_good = found == REGISTRY_FOUND && decide(&a, &old, by);
        review_forget(&old);
        found = registry_end_change(r, found, is_good);
    }
    json_decref(a.effects);
    return found;
}

/* ---- In somebody's place. */

static bool holds_role(struct registry *r, const struct review_old *old, struct slice person, int64_t now_s,
                       struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT 1 FROM role_grant g JOIN person p ON p.id = g.person WHERE g.person = ? AND g.role = ?"
                     " AND (g.ends_at IS NULL OR g.ends_at > ?) AND p.kind = 'human' AND p.disabled_at IS NULL",
                     value_text(person), value_str(review_text(old->as_of, "by")), value_int(now_s));
    bool holds = registry_next(q);
    if (!registry_end(q, why)) return false;
    return holds || registry_refuse_as(r, REGISTRY_NOT_YOUR_SCOPE, why);
}

static bool put_delegation(struct registry *r, const struct review_delegation *d, int64_t now_s, struct fault *why)
{
    return REGISTRY_DO(r, why,
                       "INSERT INTO review_delegation(review, person, delegate, at, ends_at, reason, rev)"
                       " VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(review, person, delegate)"
                       " DO UPDATE SET at = excluded.at, ends_at = excluded.ends_at, reason = excluded.reason,"
                       " rev = excluded.rev",
                       value_text(d->review), value_text(d->person), value_text(d->delegate), value_int(now_s),
                       value_int(d->ends_at), value_text_or_null(d->reason), value_rev(r));
}

static bool delegate(struct registry *r, const struct review_old *old, const struct review_delegation *d,
                     const struct change_by *by, struct fault *why)
{
    int64_t now_s = registry_now_s();
    if (strcmp(old->state, "complete") == 0) return registry_refuse_as(r, REGISTRY_NOT_PENDING, why);
    if (d->ends_at <= now_s || d->ends_at > now_s + REVIEW_REDUCED_S)
        return registry_refuse_as(r, REGISTRY_INVALID, why);
    return holds_role(r, old, d->person, now_s, why) && put_delegation(r, d, now_s, why) &&
           registry_commit(r, by, "reviews.delegate", d->review, NULL,
                           json_pack("{s:s%, s:s%, s:I}", "person", d->person.ptr, d->person.len, "delegate",
                                     d->delegate.ptr, d->delegate.len, "ends_at", (json_int_t)d->ends_at),
                           why);
}

enum registry_found registry_review_delegate(struct registry *r, const struct review_delegation *d,
                                             const struct change_by *by, struct fault *why)
{
    struct review_old old;
    if ((d->reason.len && !registry_check_reason(d->reason, why)) || !registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = review_read(r, d->review, &old, why);
    bool is_good = found == REGISTRY_FOUND && delegate(r, &old, d, by, why);
    review_forget(&old);
    return registry_end_change(r, found, is_good);
}
