/*
 * A relay without sockets: its sink, its policies, what is done to it inside their callbacks, and a watch on what its
 * header promises.
 *
 *     struct kit k;
 *     kit_open(&k, "text/event-stream");        // k.parts, k.head, k.x may be changed until the first byte
 *     k.parts.hooks.has_delta = true;
 *     k.act = KIT_DETACH, k.act_at = KIT_WRITE, k.act_in = 2;      // inside the second write()
 *     kit_feed(&k, bytes, 1);                   // in pieces of one byte; 0: all at once
 *     kit_finish(&k, NULL);                     // k.out, k.ends, k.how … say what came of it
 *     kit_answer_all(&k);
 *     kit_close(&k);                            // k.wrong: the promise that was broken, NULL when none was
 *
 * Watched: head() once at most and before write(), end() once and last, nothing said to a sink that is gone or after
 * relay_free(), each end with what its name says. Bytes are fed from memory of their own, freed behind the call.
 * Shared with the fuzzer: nothing here expects, it only notes.
 */
#ifndef MOONGATE_TESTS_UNIT_RELAY_KIT_H
#define MOONGATE_TESTS_UNIT_RELAY_KIT_H

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/refusal.h"
#include "flow/relay/relay.h"
#include "wire/tokens/vocabulary.h"

enum kit_place { KIT_HEAD, KIT_WRITE, KIT_END, KIT_ASK };
enum kit_act { KIT_NOTHING, KIT_FREE, KIT_DETACH, KIT_CUT, KIT_STOP };

struct kit {
    struct exchange *x;
    struct said_reader reader;
    struct relay_parts parts;
    struct relay_head head;
    struct relay *relay; /* NULL: not begun, or freed */
    const char *wrong;

    struct buf out; /* what left */
    struct buf told; /* the error event that its end is told with, where it can be */
    int heads, ends, tails;
    size_t tail_at; /* of out: what is written behind it is the end */
    int64_t length;
    enum relay_how how;
    enum exchange_outcome outcome;
    bool has_why, has_refusal, is_finished, is_gone; /* gone: detached, freed or stopped */
    bool is_detached, is_stopped; /* stopped or freed: no end comes any more */

    struct buf asked, allowed; /* texts of on_delta, those let through */
    unsigned questions, responses, cancels;
    unsigned denied_at;  /* the question that is denied, from 1; 0: none */
    const char *denied;  /* a text that is denied wherever it stands; NULL: none */
    enum verdict_kind word; /* of a denial */
    bool answers_later, is_asking;
    bool is_released; /* on_response let it through */
    struct policy_call question;
    struct buf question_text;
    relay_word_fn then;
    void *then_arg;

    enum kit_act act; /* once */
    enum kit_place act_at;
    unsigned act_in; /* at which call, from 1 */
};

static struct loop *kit_loop;

static inline void kit_is_wrong(struct kit *k, const char *promise)
{
    if (!k->wrong) k->wrong = promise;
}

static inline void kit_do(struct kit *k, enum kit_act act)
{
    struct fault why = {.code = FAULT_DRAINING};
    struct relay *r = k->relay;
    if (!r) return;
    if (act == KIT_DETACH && !k->ends && !k->is_stopped) k->is_detached = true;
    if (act == KIT_STOP || act == KIT_FREE) k->is_stopped = true;
    if (act != KIT_CUT && act != KIT_NOTHING && !k->ends) k->is_gone = true;
    switch (act) {
    case KIT_NOTHING: return;
    case KIT_CUT: relay_cut(r, &why, OUTCOME_DRAINED); return;
    case KIT_STOP: relay_stop(r); return;
    case KIT_FREE:
        k->is_gone = true;
        k->relay = NULL;
        relay_free(r);
        return;
    case KIT_DETACH: relay_detach(r); return;
    }
}

static inline void kit_at(struct kit *k, enum kit_place place)
{
    if (place != k->act_at || k->act == KIT_NOTHING || k->act_in == 0 || --k->act_in > 0) return;
    enum kit_act act = k->act;
    k->act = KIT_NOTHING;
    kit_do(k, act);
}

/* --- the sink --- */

static inline void kit_on_head(void *arg, const struct relay_head *head, int64_t length)
{
    struct kit *k = arg;
    if (k->heads++) kit_is_wrong(k, "head() twice");
    if (k->is_gone || k->ends) kit_is_wrong(k, "head() to nobody");
    if (head->status != k->head.status) kit_is_wrong(k, "another head");
    k->length = length;
    kit_at(k, KIT_HEAD);
}

static inline void kit_on_write(void *arg, struct slice bytes)
{
    struct kit *k = arg;
    if (!k->heads) kit_is_wrong(k, "write() before head()");
    if (k->is_gone || k->ends) kit_is_wrong(k, "write() to nobody");
    if (!bytes.len) kit_is_wrong(k, "write() of nothing");
    buf_append(&k->out, bytes);
    if (k->length != CONN_STREAM && buf_len(&k->out) > (size_t)k->length) kit_is_wrong(k, "more than the head says");
    kit_at(k, KIT_WRITE);
}

static inline void kit_keep_error(struct kit *k, const struct relay_end *end)
{
    struct fault fault = {.code = FAULT_POLICY};
    struct dialect_error error;
    k->has_why = end->why;
    k->has_refusal = end->refusal;
    if (!end->why && !end->refusal) return;
    if (end->refusal && end->refusal->kind == VERDICT_DENY)
        error = refusal_of_denial(k->x, end->refusal);
    else
        error = refusal_of_fault(k->x, end->refusal ? &fault : end->why);
    k->parts.client->write_event_error(&k->told, &error);
}

static inline void kit_check_end(struct kit *k, const struct relay_end *end)
{
    bool is_short = k->length != CONN_STREAM && buf_len(&k->out) != (size_t)k->length;
    switch (end->how) {
    case RELAY_UNSENT:
        if (k->heads || !(end->why || end->refusal)) kit_is_wrong(k, "RELAY_UNSENT of what began, or for no reason");
        break;
    case RELAY_SENT:
        if (!k->heads || is_short) kit_is_wrong(k, "RELAY_SENT of what is not whole");
        break;
    case RELAY_BROKEN:
        if (!k->heads || !(end->why || end->refusal)) kit_is_wrong(k, "RELAY_BROKEN of nothing, or for no reason");
        break;
    case RELAY_DETACHED:
        if (!k->is_detached) kit_is_wrong(k, "RELAY_DETACHED, though the sink is there");
        break;
    }
    if (k->is_detached && end->how != RELAY_DETACHED) kit_is_wrong(k, "another end than RELAY_DETACHED");
}

static inline void kit_on_tail(void *arg)
{
    struct kit *k = arg;
    if (k->tails++) kit_is_wrong(k, "tail() twice");
    if (k->is_gone || k->ends) kit_is_wrong(k, "tail() to nobody");
    k->tail_at = buf_len(&k->out);
}

static inline void kit_on_end(void *arg, const struct relay_end *end)
{
    struct kit *k = arg;
    if (k->ends++) kit_is_wrong(k, "end() twice");
    if (k->is_gone && !k->is_detached) kit_is_wrong(k, "end() to nobody");
    k->how = end->how;
    k->outcome = end->outcome;
    kit_check_end(k, end);
    kit_keep_error(k, end);
    kit_at(k, KIT_END);
}

/* --- the policies --- */

static inline bool kit_holds(const struct buf *b, const char *text)
{
    struct slice all = buf_slice(b);
    return memmem(all.ptr, all.len, text, strlen(text)) != NULL;
}

static inline bool kit_is_denied(const struct kit *k)
{
    if (k->questions == k->denied_at) return true;
    return k->denied && kit_holds(&k->question_text, k->denied);
}

/* Says the word on the question that is open. */
static inline void kit_answer(struct kit *k)
{
    struct verdict word = {.kind = VERDICT_ALLOW};
    if (!k->is_asking) return;
    k->is_asking = false;
    if (k->question.phase == PHASE_DELTA && !slice_equal(k->question.delta, buf_slice(&k->question_text)))
        kit_is_wrong(k, "the delta changed while it was judged");
    if (kit_is_denied(k)) {
        word = (struct verdict){.kind = k->word, .status = 403, .code = SLICE("no"), .reason = SLICE("Not this."),
                                .fault_text = SLICE("raised")};
    } else if (k->question.phase == PHASE_DELTA) {
        buf_append(&k->allowed, buf_slice(&k->question_text));
    } else {
        k->is_released = true;
    }
    k->then(k->then_arg, &word);
}

static inline void kit_on_ask(void *arg, const struct policy_call *how, relay_word_fn then, void *then_arg)
{
    struct kit *k = arg;
    if (k->is_asking) kit_is_wrong(k, "two questions at once");
    if (k->is_gone || k->ends) kit_is_wrong(k, "a question about what is over");
    k->is_asking = true;
    k->question = *how;
    k->then = then;
    k->then_arg = then_arg;
    k->questions++;
    k->responses += how->phase == PHASE_RESPONSE;
    buf_reset(&k->question_text);
    buf_append(&k->question_text, how->phase == PHASE_DELTA ? how->delta : buf_slice(&k->x->response.text));
    if (how->phase == PHASE_DELTA) buf_append(&k->asked, how->delta);
    kit_at(k, KIT_ASK);
    if (!k->answers_later) kit_answer(k);
}

static inline void kit_on_cancel(void *arg)
{
    struct kit *k = arg;
    if (!k->is_asking) kit_is_wrong(k, "nothing to cancel");
    k->is_asking = false;
    k->cancels++;
}

/* --- a life --- */

/* Of a request that was let through to one target. */
static inline struct exchange *kit_exchange(void)
{
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->api = api_find(SLICE("chat"));
    x->decision.verdict.targets = arena_zalloc(&x->arena, sizeof *x->decision.verdict.targets);
    x->decision.verdict.target_count = 1;
    x->target_index = 0;
    exchange_add_attempt(x);
    return x;
}

static inline void kit_open(struct kit *k, const char *type)
{
    static const struct relay_sink sink = {kit_on_head, kit_on_write, kit_on_end, kit_on_tail};
    *k = (struct kit){.word = VERDICT_DENY, .length = CONN_STREAM};
    if (!kit_loop) kit_loop = loop_new();
    said_reader_init(&k->reader);
    k->x = kit_exchange();
    k->head = (struct relay_head){.status = 200, .content_type = slice_str(type)};
    k->parts = (struct relay_parts){.loop = kit_loop,
                                    .x = k->x,
                                    .provider = &dialect_openai,
                                    .client = &dialect_openai,
                                    .reader = &k->reader,
                                    .vocabulary = vocabulary_at(0),
                                    .hooks = {.ask = kit_on_ask, .cancel = kit_on_cancel, .arg = k},
                                    .sink = &sink,
                                    .sink_arg = k};
}

/* The provider's head is in. */
static inline void kit_begin(struct kit *k)
{
    if (!k->relay && !k->is_gone) k->relay = relay_new(&k->parts, &k->head);
}

static inline void kit_feed_piece(struct kit *k, struct slice piece)
{
    char *copy = mem_alloc(piece.len + 1);
    if (piece.len) memcpy(copy, piece.ptr, piece.len);
    char *exact = mem_realloc(copy, piece.len ? piece.len : 1);
    if (k->relay) relay_feed(k->relay, slice_of(exact, piece.len));
    mem_free(exact);
}

/* In pieces of `step` bytes; 0: all at once. */
static inline void kit_feed(struct kit *k, struct slice bytes, size_t step)
{
    kit_begin(k);
    if (!step) step = bytes.len ? bytes.len : 1;
    for (size_t at = 0; at < bytes.len; at += step)
        kit_feed_piece(k, slice_of(bytes.ptr + at, step < bytes.len - at ? step : bytes.len - at));
}

/* In three pieces; from == to: in two. */
static inline void kit_feed_cut(struct kit *k, struct slice bytes, size_t from, size_t to)
{
    kit_begin(k);
    kit_feed_piece(k, slice_of(bytes.ptr, from));
    kit_feed_piece(k, slice_of(bytes.ptr + from, to - from));
    kit_feed_piece(k, slice_of(bytes.ptr + to, bytes.len - to));
}

static inline void kit_answer_all(struct kit *k)
{
    while (k->relay && k->is_asking)
        kit_answer(k);
}

static inline void kit_finish(struct kit *k, const struct fault *why)
{
    kit_begin(k);
    k->is_finished = true;
    if (k->relay) relay_finish(k->relay, why);
}

static inline void kit_close(struct kit *k)
{
    if (k->is_finished && !k->is_stopped && !k->is_asking && !k->ends && k->relay) kit_is_wrong(k, "end() never came");
    relay_free(k->relay);
    k->relay = NULL;
    if (k->is_asking) kit_is_wrong(k, "a question about what is gone");
    loop_run(kit_loop);
    exchange_move(k->x, EXCHANGE_SETTLING);
    exchange_move(k->x, EXCHANGE_RECORDED);
    exchange_free(k->x);
    said_reader_clear(&k->reader);
    buf_clear(&k->out);
    buf_clear(&k->told);
    buf_clear(&k->asked);
    buf_clear(&k->allowed);
    buf_clear(&k->question_text);
}

/* --- what the answer of a request with masks is restored and masked by --- */

#define KIT_ASKED "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"ana@example.com\"}]}"

/* "[email]" stands for ana@example.com; EMP- and six digits are masked. */
static inline void kit_redact(struct kit *k)
{
    static const struct detect_mask masks[] = {{{"employee_id", 11}, {"EMP-######", 10}}};
    static struct redact_rules rules;
    struct fault why;
    if (!rules.detect) {
        rules.detect = detect_new(DETECT_ALL, masks, 1, &why);
        rules.is_restoring = true;
        rules.response_finds = rules.response_masks = ~0ull;
        rules.scan_bytes_max = LIMIT_REDACT_SCAN_BYTES;
        redact_rules_index(&rules);
    }
    struct slice body = SLICE(KIT_ASKED);
    struct redact *redact = redact_new(&rules, &k->x->arena);
    if (!chat_parse(&k->x->request, &dialect_openai, body, CHAT_CHAT, &k->x->arena, &why))
        kit_is_wrong(k, "the request cannot be read");
    while (!redact_scan(redact, &k->x->request, body))
        continue;
    for (unsigned kind = 0; kind < detect_kind_count(rules.detect); kind++)
        redact_mask(redact, kind);
    k->parts.redact = redact;
}

/* --- what may leave --- */

/* Behind a blank line, or at the very beginning. */
static inline bool kit_ends_event(struct slice s)
{
    if (s.len && s.ptr[s.len - 1] == '\n') s.len -= s.len > 1 && s.ptr[s.len - 2] == '\r' ? 2 : 1;
    else if (s.len && s.ptr[s.len - 1] == '\r') s.len--;
    else return s.len == 0;
    return s.len == 0 || s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r';
}

/* Without the error event of ours in whose write the sink went: it holds the exchange's id. */
static inline struct slice kit_without_error(const struct kit *k, struct slice out)
{
    struct slice error = SLICE("data: {\"error\":");
    for (size_t at = out.len; at-- > 0;) {
        struct slice rest = slice_of(out.ptr + at, out.len - at);
        if (!slice_starts(rest, error)) continue;
        return memmem(rest.ptr, rest.len, k->x->id, strlen(k->x->id)) ? slice_of(out.ptr, at) : out;
    }
    return out;
}

/* What left is the beginning of `may`; all of it when nothing is said to the contrary; and where its end is told, that
 * stands behind whole events. */
static inline void kit_check_left(struct kit *k, struct slice may)
{
    struct slice out = buf_slice(&k->out), told = buf_slice(&k->told);
    bool is_sent = k->ends && k->how == RELAY_SENT;
    if (is_sent && told.len) {
        if (out.len < told.len || memcmp(out.ptr + out.len - told.len, told.ptr, told.len) != 0) {
            kit_is_wrong(k, "the end was not told");
            return;
        }
        out.len -= told.len;
        if (!kit_ends_event(out)) kit_is_wrong(k, "the end is told inside an event");
    }
    if (k->is_gone) out = kit_without_error(k, out);
    if (!slice_starts(may, out)) kit_is_wrong(k, "what left is not what may leave");
    if (is_sent && !told.len && out.len != may.len) kit_is_wrong(k, "something did not leave");
}

/* --- what is fed --- */

#define KIT_DELTA(text) "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define KIT_FINISH "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define KIT_USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n"
#define KIT_DONE "data: [DONE]\n\n"
#define KIT_WHOLE(text) "{\"choices\":[{\"message\":{\"content\":\"" text "\"}}]}"

#endif
