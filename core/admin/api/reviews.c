#include "admin/api/reviews.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "base/clock.h"
#include "store/registry/review_evidence.h"

const struct api_field reviews_decide_fields[] = {
    {"items", API_JSON, true, "numbers of the items: [1, 2, 7]; all of them are answered, or none"},
    {"decision", API_TEXT, true, "keep, revoke, reduce"},
    {"note", API_TEXT, false, "why, at most 500 bytes; needed to keep what is recommended to go"},
    {"ends_at", API_INSTANT, false, "reduce: the new end of a grant, a key, a role; a key without one ends in a year"},
    {"scope", API_TEXT, false, "reduce: the one department of a role that is held for all"},
    {"departments", API_TEXTS, false, "reduce: those that stay of a row that is for any"},
    REASON_FIELD,
    FIELDS_END,
};

const struct api_field reviews_delegate_fields[] = {
    {"delegate", API_TEXT, true, "the id of the person who may answer in one's place"},
    {"ends_at", API_INSTANT, true, "until when, UTC; within a year"},
    REASON_FIELD,
    FIELDS_END,
};

const struct api_field reviews_complete_fields[] = {REASON_FIELD, FIELDS_END};

static int64_t now(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

/* ---- Looking. */

static bool add_waiting(struct api_call *call, json_t *review)
{
    size_t i;
    json_t *item;
    int64_t count = 0;
    struct fault why;
    struct slice id = slice_str(json_string_value(json_object_get(review, "id")));
    json_t *items = registry_review_items(call->api->registry, id, acting_person(call), now(), &why);
    if (!items) return answer_registry(call, &why);
    json_array_foreach (items, i, item)
        count += json_is_true(json_object_get(item, "waits_for_me"));
    json_object_set_new(review, "waits_for_me", json_integer(count));
    json_decref(items);
    return true;
}

/* What was known of items keeps its numbers: they stand in evidence so. */
static void tell_times(json_t *review)
{
    acting_tell_times(review);
    json_t *as_of = json_object_get(review, "as_of");
    if (as_of) acting_tell_times(as_of);
}

void reviews_list(struct api_call *call)
{
    size_t i;
    json_t *one;
    struct fault why;
    struct registry *r = acting_registry(call);
    json_t *all = r && acting_person(call).len ? registry_reviews(r, SLICE(""), now(), &why) : NULL;
    if (!all) {
        if (!call->answer.status) answer_registry(call, &why);
        return;
    }
    bool is_good = true;
    json_array_foreach (all, i, one) {
        is_good = is_good && add_waiting(call, one);
        tell_times(one);
    }
    if (is_good) list_give(call, all);
    else json_decref(all);
}

/* One with its items; NULL: it is answered. */
static json_t *read_one(struct api_call *call, struct slice id)
{
    struct fault why;
    struct registry *r = call->api->registry;
    json_t *list = registry_reviews(r, id, now(), &why), *review = json_incref(json_array_get(list, 0));
    json_t *items = review ? registry_review_items(r, id, acting_person(call), now(), &why) : NULL;
    json_t *delegations = items ? registry_review_delegations(r, id, &why) : NULL;
    if (list && !review)
        answer_refuse(call, 404, "not_found", "id", "GET " API_BASE "/reviews lists them", "there is no review %.*s",
                      SLICE_FMT(id));
    else if (!delegations)
        answer_registry(call, &why);
    if (review) json_object_set(review, "entries", items);
    if (review) json_object_set(review, "delegations", delegations);
    json_decref(list);
    json_decref(items);
    if (!delegations) json_decref(review);
    return delegations ? (json_decref(delegations), review) : NULL;
}

static void show(struct api_call *call, int status)
{
    json_t *review = read_one(call, call->parameters[0]);
    if (!review) return;
    call->answer.rev = json_integer_value(json_object_get(review, "rev"));
    tell_times(review);
    answer_give(call, status, review);
}

void reviews_show(struct api_call *call)
{
    if (acting_registry(call) && acting_person(call).len) show(call, 200);
}

/* ---- Answering. */

static int64_t *read_items(struct api_call *call, size_t *count)
{
    size_t i;
    json_t *one, *list = body_json(call, "items");
    int64_t *items = arena_zalloc(&call->arena, (json_array_size(list) + 1) * sizeof *items);
    *count = json_array_size(list);
    json_array_foreach (list, i, one) {
        items[i] = json_integer_value(one);
        if (!json_is_integer(one)) *count = 0;
    }
    if (*count) return items;
    answer_refuse(call, 400, "invalid_field", "items", "write [1, 2, 7]", "`items` is a list of numbers");
    return NULL;
}

void reviews_decide(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    struct review_answer answer = {.review = call->parameters[0],
                                   .decision = body_text(call, "decision"),
                                   .note = body_text(call, "note"),
                                   .ends_at = body_instant(call, "ends_at"),
                                   .scope = body_text(call, "scope")};
    answer.departments = body_texts(call, "departments", &answer.department_count);
    if (!r || !(answer.person = acting_person(call)).len || !(answer.items = read_items(call, &answer.count))) return;
    struct change_by by = acting_by(call);
    if (acting_is_done(call, registry_review_decide(r, &answer, &by, &why), "review", &why)) show(call, 200);
}

void reviews_delegate(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    struct review_delegation d = {.review = call->parameters[0],
                                  .delegate = body_text(call, "delegate"),
                                  .reason = body_text(call, "reason"),
                                  .ends_at = body_instant(call, "ends_at")};
    if (!r || !(d.person = acting_person(call)).len) return;
    struct change_by by = acting_by(call);
    if (acting_is_done(call, registry_review_delegate(r, &d, &by, &why), "review", &why)) show(call, 200);
}

/* ---- The end. */

void reviews_complete(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    struct slice person;
    if (!r || !(person = acting_person(call)).len) return;
    struct anchor_key *key = anchor_key_open(call->api->data_dir, &why);
    if (!key) {
        answer_fault(call, &why);
        return;
    }
    struct change_by by = acting_by(call);
    enum registry_found found =
        registry_review_complete(r, call->parameters[0], person, review_evidence_sign, key, &by, &why);
    anchor_key_free(key);
    if (acting_is_done(call, found, "review", &why)) show(call, 200);
}

void reviews_evidence(struct api_call *call)
{
    struct fault why;
    struct buf text;
    struct registry *r = acting_registry(call);
    if (!r) return;
    buf_init(&text);
    enum registry_found found = registry_review_evidence(r, call->parameters[0], &text, &why);
    json_t *document = json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL);
    if (found == REGISTRY_FAILED) answer_registry(call, &why);
    else if (document) answer_give(call, 200, document);
    else answer_refuse(call, 404, "not_found", "id", "complete it first", "there is no evidence of that review");
    buf_clear(&text);
}
