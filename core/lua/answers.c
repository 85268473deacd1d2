#include "lua/answers.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "lua/unspent.h"

#define BODY_BYTES_MAX 1024u /* of a service's answer that is kept */
#define REPEATED_BYTES 16u   /* of the request's words in it: it is not */

/* ---- Counters, noted. */

static const char *const refusals[] = {[COUNTERS_FITS] = "",
                                       [COUNTERS_OVER] = "over",
                                       [COUNTERS_CONTENDED] = "contended",
                                       [COUNTERS_TOO_LARGE] = "too_large",
                                       [COUNTERS_SHUT] = "shut"};
#define REFUSALS (sizeof refusals / sizeof refusals[0])

/* By hand: an admission is noted with each request, and printf would take longer than all else of it. */
static void append_whole(struct buf *out, struct slice name, int64_t value)
{
    buf_append(out, name);
    if (value < 0) buf_append_char(out, '-');
    buf_append_u64(out, value < 0 ? (uint64_t)-value : (uint64_t)value);
}

/* 0 is left out. */
static void append_number(struct buf *out, struct slice name, int64_t value)
{
    if (value) append_whole(out, name, value);
}

static void append_word(struct buf *out, struct slice name, const char *word)
{
    buf_append(out, name);
    buf_append(out, slice_str(word));
    buf_append_char(out, '"');
}

static void append_item(struct buf *out, const struct counters_item *item, const struct counters_state *state)
{
    buf_append(out, SLICE("{\"key\":"));
    buf_append_json(out, item->key);
    append_word(out, SLICE(",\"unit\":\""), counters_unit_name(item->unit));
    append_number(out, SLICE(",\"amount\":"), item->amount);
    if (item->limit != COUNTERS_NO_LIMIT) append_whole(out, SLICE(",\"limit\":"), item->limit);
    append_number(out, SLICE(",\"window\":"), item->window_s);
    append_number(out, SLICE(",\"burst\":"), item->burst);
    append_number(out, SLICE(",\"start\":"), item->start_s);
    if (state) {
        append_number(out, SLICE(",\"spent\":"), state->spent);
        append_number(out, SLICE(",\"held\":"), state->held);
        if (state->refusal != COUNTERS_FITS) append_word(out, SLICE(",\"refusal\":\""), refusals[state->refusal]);
        if (state->lost != COUNTERS_NOT_LOST) append_word(out, SLICE(",\"lost\":\""), counters_loss_name(state->lost));
        append_number(out, SLICE(",\"part\":"), state->part);
    }
    buf_append_char(out, '}');
}

static void append_answer(struct buf *out, const struct counters_question *question,
                          const struct counters_answer *answer)
{
    append_word(out, SLICE("{\"do\":\""), counters_operation_name(question->operation));
    if (answer->error) {
        buf_append(out, SLICE(",\"error\":"));
        buf_append_json(out, slice_str(answer->error));
    } else if (!answer->is_ok) {
        append_number(out, SLICE(",\"failed\":"), (int64_t)answer->failed + 1);
        append_number(out, SLICE(",\"retry_after\":"), answer->retry_after_s);
    }
    buf_append(out, SLICE(",\"items\":["));
    for (size_t i = 0; i < question->item_count; i++) {
        if (i) buf_append_char(out, ',');
        append_item(out, &question->items[i], answer->error ? NULL : &answer->states[i]);
    }
    buf_append(out, SLICE("]}"));
}

void answers_note_counters(struct exchange *x, const struct counters_question *question,
                           const struct counters_answer *answer)
{
    struct buf json;
    if (x->asked.recall) return;
    buf_init_small(&json, 512);
    append_answer(&json, question, answer);
    asked_note(&x->asked, &x->arena, ASKED_COUNTERS, SLICE(""), ASKED_AS_JSON, buf_slice(&json));
    buf_clear(&json);
}

/* ---- Calls, noted. */

struct slice answers_key(const struct policy_http_request *request, struct arena *arena)
{
    size_t path = 0;
    while (path < request->url.len && request->url.ptr[path] != '?' && request->url.ptr[path] != '#')
        path++;
    uint64_t hash = hash_bytes(request->body, hash_bytes(request->url, 0));
    for (size_t i = 0; i < request->header_count; i++)
        hash = hash_bytes(request->headers[i].value, hash_bytes(request->headers[i].name, hash));
    return arena_printf(arena, "%.*s %.*s #%016llx", SLICE_FMT(request->method),
                        SLICE_FMT(slice_of(request->url.ptr, path < 160 ? path : 160)), (unsigned long long)hash);
}

static bool stands_in_body(const struct exchange *x, struct slice text)
{
    return text.len >= REPEATED_BYTES && memmem(buf_ptr(&x->body), buf_len(&x->body), text.ptr, text.len);
}

/* Does it say the request's own words again? Of JSON each text is looked at, of all else the whole. */
static bool repeats(const struct exchange *x, struct slice body)
{
    struct json_tape tape;
    struct fault why;
    bool does = false;
    if (buf_len(&x->body) == 0) return false;
    json_init(&tape);
    if (!json_parse(&tape, body, &why)) does = stands_in_body(x, body);
    for (uint32_t node = 0; !does && node < tape.count; node++) {
        struct slice raw = json_is(&tape, node, JSON_STRING) ? json_raw(&tape, node) : SLICE("\"\"");
        does = stands_in_body(x, slice_of(raw.ptr + 1, raw.len - 2));
    }
    json_clear(&tape);
    return does;
}

static void append_reply(struct buf *out, struct slice key, const struct policy_http_reply *reply)
{
    buf_append(out, SLICE("{\"call\":"));
    buf_append_json(out, key);
    if (reply->error) {
        buf_append(out, SLICE(",\"error\":"));
        buf_append_json(out, slice_str(reply->error));
    } else {
        buf_printf(out, ",\"status\":%d,\"headers\":{", reply->status);
        for (size_t i = 0; i < reply->header_count; i++) {
            if (i) buf_append_char(out, ',');
            buf_append_json(out, reply->headers[i].name);
            buf_append_char(out, ':');
            buf_append_json(out, reply->headers[i].value);
        }
        buf_append(out, SLICE("},\"body\":"));
        buf_append_json(out, reply->body);
    }
    buf_append_char(out, '}');
}

/* What buf_append_json() changes would come back as something else. */
static bool is_kept_as_it_is(struct slice body)
{
    return body.len <= BODY_BYTES_MAX && utf8_is_valid(body);
}

void answers_note_call(struct exchange *x, struct slice key, const struct policy_http_reply *reply)
{
    struct buf json;
    if (x->asked.recall) return;
    if (!reply->error && (!is_kept_as_it_is(reply->body) || repeats(x, reply->body))) {
        asked_miss(&x->asked, &x->arena, key);
        return;
    }
    buf_init_small(&json, 1024);
    append_reply(&json, key, reply);
    asked_note(&x->asked, &x->arena, ASKED_CALLS, SLICE(""), ASKED_AS_JSON, buf_slice(&json));
    buf_clear(&json);
}

void answers_note_refusal(struct exchange *x, const struct policy_http_request *request, const char *word)
{
    if (x->asked.recall) return;
    answers_note_call(x, answers_key(request, &x->arena), &(struct policy_http_reply){.error = word});
}

/* ---- Counters, again. */

struct counted {
    const struct json_tape *tape;
    const struct counters_question *question;
    struct exchange *x;
    bool is_same; /* limits and amounts, too */
};

static int64_t number_of(const struct json_tape *tape, uint32_t object, const char *name, int64_t absent)
{
    int64_t value = absent;
    uint32_t node = json_get(tape, object, slice_str(name));
    if (json_is(tape, node, JSON_NUMBER)) json_to_i64(tape, node, &value);
    return value;
}

static bool has_word(const struct json_tape *tape, uint32_t object, const char *name, const char *word)
{
    uint32_t node = json_get(tape, object, slice_str(name));
    return node == JSON_NONE ? !*word : json_text_is(tape, node, slice_str(word));
}

static bool is_same_item(const struct json_tape *tape, uint32_t node, const struct counters_item *item)
{
    return number_of(tape, node, "amount", 0) == item->amount &&
           number_of(tape, node, "limit", COUNTERS_NO_LIMIT) == item->limit &&
           number_of(tape, node, "window", 0) == item->window_s && number_of(tape, node, "burst", 0) == item->burst;
}

/* What is counted, whatever its limit: budgets of one scope have one key, and each its period. */
static bool is_same_cell(const struct json_tape *tape, uint32_t node, const struct counters_item *item)
{
    return json_text_is(tape, json_get(tape, node, SLICE("key")), item->key) &&
           has_word(tape, node, "unit", counters_unit_name(item->unit)) &&
           number_of(tape, node, "start", 0) == item->start_s;
}

/* Of several of one cell the one with its limit, else the first: they say the same of what was spent. */
static uint32_t find_item(const struct json_tape *tape, uint32_t entry, const struct counters_item *item)
{
    uint32_t items = json_get(tape, entry, SLICE("items")), found = JSON_NONE;
    for (uint32_t node = json_first(tape, items); node != JSON_NONE; node = json_next(tape, node)) {
        if (!is_same_cell(tape, node, item)) continue;
        if (is_same_item(tape, node, item)) return node;
        if (found == JSON_NONE) found = node;
    }
    return found;
}

/* The entry of an operation that counted one of the question's items. */
static bool is_counted(void *arg, const struct json_tape *tape, uint32_t entry)
{
    const struct counters_question *question = arg;
    if (!has_word(tape, entry, "do", counters_operation_name(question->operation))) return false;
    for (size_t i = 0; i < question->item_count; i++) {
        if (find_item(tape, entry, &question->items[i]) != JSON_NONE) return true;
    }
    return question->item_count == 0;
}

static enum counters_refusal refusal_of(const struct json_tape *tape, uint32_t node)
{
    for (unsigned i = 0; i < REFUSALS; i++)
        if (has_word(tape, node, "refusal", refusals[i])) return (enum counters_refusal)i;
    return COUNTERS_OVER;
}

static enum counters_loss loss_of(const struct json_tape *tape, uint32_t node)
{
    for (int i = COUNTERS_NOT_LOST; i <= COUNTERS_CLOSED; i++)
        if (has_word(tape, node, "lost", counters_loss_name((enum counters_loss)i))) return (enum counters_loss)i;
    return COUNTERS_NOT_LOST;
}

/* Money with other figures: by what was spent and held before. */
static enum counters_refusal reckon(const struct counters_item *item, const struct counters_state *state)
{
    if (item->limit == COUNTERS_NO_LIMIT) return COUNTERS_FITS;
    int64_t spent = counters_sum(state->spent, item->amount);
    if (counters_sum(spent, state->held) <= item->limit) return COUNTERS_FITS;
    return spent <= item->limit ? COUNTERS_CONTENDED : COUNTERS_OVER;
}

/* was_ok: what was admitted is in what was held then, and taken again by take_admitted(). False: nobody can say how it
 * would be answered. */
static bool recall_item(const struct json_tape *tape, uint32_t node, const struct counters_item *item, bool was_ok,
                        struct counters_state *state, bool *is_same)
{
    if (node == JSON_NONE) return false;
    *state = (struct counters_state){.spent = number_of(tape, node, "spent", 0),
                                     .held = number_of(tape, node, "held", 0),
                                     .refusal = refusal_of(tape, node),
                                     .lost = loss_of(tape, node),
                                     .part = number_of(tape, node, "part", 0)};
    bool is_known = item->unit == COUNTERS_MONEY && state->lost == COUNTERS_NOT_LOST;
    if (is_known && was_ok) state->held -= number_of(tape, node, "amount", 0);
    if (state->held < 0) state->held = 0;
    if (is_same_item(tape, node, item)) return true;
    *is_same = false;
    if (!is_known) return false;
    state->refusal = reckon(item, state);
    return true;
}

static void conclude(const struct counters_question *question, const struct counters_state *states,
                     struct counters_answer *answer)
{
    answer->is_ok = true;
    for (size_t i = 0; answer->is_ok && i < question->item_count; i++) {
        answer->is_ok = question->items[i].is_observed || states[i].refusal == COUNTERS_FITS;
        answer->failed = i;
    }
}

static void take_admitted(const struct counters_question *question, struct counters_state *states)
{
    for (size_t i = 0; i < question->item_count; i++)
        if (question->items[i].unit == COUNTERS_MONEY && states[i].lost == COUNTERS_NOT_LOST)
            states[i].held = counters_sum(states[i].held, question->items[i].amount);
}

static bool recall_answer(const struct json_tape *tape, uint32_t entry, const struct counters_question *question,
                          struct counters_state *states, struct counters_answer *answer)
{
    size_t failed = (size_t)number_of(tape, entry, "failed", 0);
    bool is_same = json_count(tape, json_get(tape, entry, SLICE("items"))) == question->item_count;
    bool was_admitted = !failed && question->operation == COUNTERS_ADMIT;
    for (size_t i = 0; i < question->item_count; i++) {
        uint32_t node = find_item(tape, entry, &question->items[i]);
        if (!recall_item(tape, node, &question->items[i], was_admitted, &states[i], &is_same)) return false;
    }
    answer->states = states;
    answer->state_count = question->item_count;
    if (is_same) {
        answer->is_ok = !failed;
        answer->failed = failed ? failed - 1 : 0;
        answer->retry_after_s = (uint32_t)number_of(tape, entry, "retry_after", 0);
    } else {
        conclude(question, states, answer);
    }
    if (answer->is_ok && question->operation == COUNTERS_ADMIT) take_admitted(question, states);
    return answer->is_ok || answer->failed < question->item_count;
}

static const char *error_of(const struct json_tape *tape, uint32_t entry, struct arena *arena)
{
    uint32_t node = json_get(tape, entry, SLICE("error"));
    return json_is(tape, node, JSON_STRING) ? arena_copy(arena, json_text(tape, node, arena)).ptr : NULL;
}

static void on_counters(void *arg, const struct counters_question *question, uint64_t ticket)
{
    struct answers *a = arg;
    struct exchange *x = a->x;
    const struct json_tape *tape = recall_tape(x->asked.recall);
    struct counters_state *states = arena_zalloc(&x->arena, (question->item_count + 1) * sizeof *states);
    uint32_t entry = asked_take(&x->asked, ASKED_COUNTERS, is_counted, (void *)(uintptr_t)question);
    struct counters_answer answer = {.error = entry == JSON_NONE ? NULL : error_of(tape, entry, &x->arena)};
    if (!answer.error && (entry == JSON_NONE || !recall_answer(tape, entry, question, states, &answer))) {
        asked_miss(&x->asked, &x->arena, SLICE("counters"));
        unspent_answer(question, states, &answer);
    }
    memcpy(answer.hold, question->hold, sizeof answer.hold);
    policy_counters_done(ticket, &answer);
}

/* ---- Calls, again. */

static void *on_start(void *arg, const struct policy_http_request *request, uint64_t ticket)
{
    struct answers *a = arg;
    if (a->pending_count == ANSWERS_PENDING) {
        policy_http_done(ticket, &(struct policy_http_reply){.error = "limit"});
        return NULL;
    }
    size_t i = a->pending_count++;
    a->pending[i].ticket = ticket;
    a->pending[i].key = answers_key(request, &a->x->arena);
    return (void *)(uintptr_t)ticket;
}

static void drop(struct answers *a, size_t i)
{
    memmove(a->pending + i, a->pending + i + 1, (--a->pending_count - i) * sizeof *a->pending);
}

static void on_cancel(void *arg, void *call)
{
    struct answers *a = arg;
    for (size_t i = 0; i < a->pending_count; i++) {
        if (a->pending[i].ticket != (uint64_t)(uintptr_t)call) continue;
        drop(a, i);
        return;
    }
}

static size_t find_pending(const struct answers *a, const struct json_tape *tape, uint32_t entry)
{
    uint32_t key = json_get(tape, entry, SLICE("call"));
    size_t i = 0;
    while (i < a->pending_count && !json_text_is(tape, key, a->pending[i].key))
        i++;
    return i;
}

static bool is_pending(void *arg, const struct json_tape *tape, uint32_t entry)
{
    const struct answers *a = arg;
    return find_pending(a, tape, entry) < a->pending_count;
}

static void read_headers(const struct json_tape *tape, uint32_t headers, struct arena *arena,
                         struct policy_http_reply *reply)
{
    struct pair *pairs = arena_alloc(arena, (json_count(tape, headers) + 1) * sizeof *pairs);
    for (uint32_t node = json_first(tape, headers); node != JSON_NONE; node = json_next(tape, node)) {
        if (!json_is(tape, node, JSON_STRING)) continue;
        pairs[reply->header_count++] =
            (struct pair){json_key_text(tape, node, arena), json_text(tape, node, arena)};
    }
    reply->headers = pairs;
}

void answers_give(struct answers *a)
{
    struct exchange *x = a->x;
    const struct json_tape *tape = recall_tape(x->asked.recall);
    struct policy_http_reply reply = {.error = "refused"};
    if (!a->pending_count) return;
    uint32_t entry = asked_take(&x->asked, ASKED_CALLS, is_pending, a);
    size_t i = 0;
    if (entry == JSON_NONE) {
        asked_miss(&x->asked, &x->arena, a->pending[0].key);
    } else {
        i = find_pending(a, tape, entry);
        reply.error = error_of(tape, entry, &x->arena);
    }
    if (!reply.error) {
        uint32_t body = json_get(tape, entry, SLICE("body"));
        reply.status = (int)number_of(tape, entry, "status", 0);
        reply.body = json_is(tape, body, JSON_STRING) ? json_text(tape, body, &x->arena) : SLICE("");
        uint32_t headers = json_get(tape, entry, SLICE("headers"));
        if (json_is(tape, headers, JSON_OBJECT)) read_headers(tape, headers, &x->arena, &reply);
    }
    uint64_t ticket = a->pending[i].ticket;
    drop(a, i);
    policy_http_done(ticket, &reply);
}

const struct policy_host *answers_host(void)
{
    static const struct policy_host host = {.http_start = on_start, .http_cancel = on_cancel, .counters = on_counters};
    return &host;
}
