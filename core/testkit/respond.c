#include "testkit/respond.h"

#include <lauxlib.h>

#include "base/clock.h"
#include "exchange/bill.h"
#include "lua/bind_values.h"
#include "lua/simulate.h"
#include "flow/relay/relay.h"
#include "testkit/answer.h"
#include "testkit/counters.h"
#include "testkit/services.h"
#include "wire/json.h"

struct play {
    lua_State *L;
    struct policy_set *set;
    struct exchange *x;
    struct json_tape tape; /* the answer's description */
    struct answer answer;
    struct relay *relay;   /* the gateway's own way of an answer */
    struct buf sent;       /* what came out of it */
    struct buf delivered;  /* the text in that */
    struct verdict word; /* of a later hook that was not content; kind VERDICT_NONE: all were */
    enum policy_phase phase;
    bool is_stream, has_failed;
};

/* One evaluation; true when it lets things go on. */
static bool passes(struct play *play, const struct policy_call *how)
{
    if (play->has_failed || !policy_has(play->set, how->phase)) return !play->has_failed;
    struct policy_eval *eval = services_begin(play->L, play->set, play->x, how);
    play->has_failed = !services_evaluate(play->L, eval, NULL);
    const struct verdict *answer = policy_eval_answer(eval);
    bool is_good = !play->has_failed && answer->kind == VERDICT_ALLOW;
    if (!is_good && how->phase != PHASE_REQUEST && how->phase != PHASE_DONE && !how->is_sent) {
        play->word = *answer;
        play->phase = how->phase;
    }
    policy_eval_free(eval);
    return is_good;
}

static uint32_t member(const struct play *play, const char *name)
{
    return json_get(&play->tape, 0, slice_str(name));
}

static void read_count(const struct play *play, const char *name, int64_t *to)
{
    uint32_t node = member(play, name);
    if (json_is(&play->tape, node, JSON_NUMBER)) json_to_i64(&play->tape, node, to);
}

static struct slice read_text(struct play *play, const char *name)
{
    uint32_t node = member(play, name);
    if (!json_is(&play->tape, node, JSON_STRING)) return SLICE("");
    return arena_copy(&play->x->arena, json_text(&play->tape, node, &play->x->arena));
}

static bool attempt(struct play *play)
{
    struct exchange *x = play->x;
    for (size_t i = 0; i < x->decision.verdict.target_count; i++) {
        x->target_index = (int)i;
        bool is_good = passes(play, &(struct policy_call){.phase = PHASE_ATTEMPT});
        struct attempt *attempt = exchange_add_attempt(x);
        attempt->is_denied = !is_good;
        if (is_good) {
            play->word.kind = VERDICT_NONE;
            return true;
        }
        attempt->ended_ns = attempt->began_ns;
        if (play->word.kind == VERDICT_FAULT) break;
    }
    x->target_index = -1;
    return false;
}

static void take_answer(struct play *play)
{
    struct exchange *x = play->x;
    struct attempt *attempt = exchange_attempt(x);
    struct usage *usage = &attempt->usage;
    int64_t status = 200;
    read_count(play, "status", &status);
    read_count(play, "input_tokens", &usage->input_tokens);
    read_count(play, "output_tokens", &usage->output_tokens);
    read_count(play, "cached_tokens", &usage->cached_tokens);
    read_count(play, "cache_write_tokens", &usage->cache_write_tokens);
    read_count(play, "reasoning_tokens", &usage->reasoning_tokens);
    read_count(play, "audio_input_tokens", &usage->audio_input_tokens);
    read_count(play, "audio_output_tokens", &usage->audio_output_tokens);
    struct slice tier = read_text(play, "service_tier");
    snprintf(usage->tier, sizeof usage->tier, "%.*s", SLICE_FMT(tier));
    attempt->status = (int)status;
    play->answer = (struct answer){.dialect = answer_dialect(x),
                                   .status = attempt->status,
                                   .text = read_text(play, "text"),
                                   .finish_reason = read_text(play, "finish_reason")};
    if (status < 300) attempt->finish_reason = answer_reason(&play->answer);
    x->first_byte_ns = x->born_mono_ns + 1;
}

/* --- the relay's sink, and the policies that it asks --- */

static void on_head(void *arg, const struct relay_head *head, int64_t length)
{
    struct play *play = arg;
    (void)length;
    play->x->response.status = head->status;
}

static void on_write(void *arg, struct slice bytes)
{
    struct play *play = arg;
    buf_append(&play->sent, bytes);
}

/* A refusal of the relay's own: an answer that policies must read and cannot. */
static void on_end(void *arg, const struct relay_end *end)
{
    struct play *play = arg;
    if (!end->refusal || play->word.kind != VERDICT_NONE) return;
    play->word = *end->refusal;
    play->phase = PHASE_RESPONSE;
}

static const struct relay_sink sink = {on_head, on_write, on_end, NULL};

static void ask(void *arg, const struct policy_call *how, relay_word_fn then, void *then_arg)
{
    struct play *play = arg;
    struct policy_eval *eval = services_begin(play->L, play->set, play->x, how);
    play->has_failed = !services_evaluate(play->L, eval, NULL);
    if (play->has_failed) {
        relay_stop(play->relay);
    } else {
        const struct verdict *word = policy_eval_answer(eval);
        if (word->kind != VERDICT_ALLOW) {
            play->word = *word;
            play->phase = how->phase;
        }
        then(then_arg, word);
    }
    policy_eval_free(eval);
}

/* Nothing is ever waited for: ask() answers inside. */
static void cancel(void *arg)
{
    (void)arg;
}

static struct relay_parts parts_of(struct play *play, struct loop *loop, struct said_reader *reader)
{
    return (struct relay_parts){
        .loop = loop,
        .x = play->x,
        .provider = play->answer.dialect,
        .client = play->answer.dialect,
        .reader = reader,
        .redact = relay_redact(play->x),
        .hooks = {.has_delta = policy_has(play->set, PHASE_DELTA),
                  .has_response = policy_has(play->set, PHASE_RESPONSE),
                  .buffers = policy_buffers(play->set),
                  .ask = ask,
                  .cancel = cancel,
                  .arg = play},
        .sink = &sink,
        .sink_arg = play,
    };
}

/* --- the answer on its way --- */

/* Each text comes a while after the one before: so it is judged by itself. */
static void feed_chunks(struct play *play, uint32_t chunks, struct buf *bytes)
{
    const struct json_tape *tape = &play->tape;
    answer_write_begin(&play->answer, bytes);
    relay_feed(play->relay, buf_slice(bytes));
    for (uint32_t chunk = json_first(tape, chunks); chunk != JSON_NONE; chunk = json_next(tape, chunk)) {
        if (!json_is(tape, chunk, JSON_STRING)) continue;
        buf_reset(bytes);
        answer_write_chunk(&play->answer, json_text(tape, chunk, &play->x->arena), bytes);
        relay_feed(play->relay, buf_slice(bytes));
        relay_pass_time(play->relay);
    }
}

static void feed(struct play *play)
{
    struct buf bytes;
    buf_init(&bytes);
    if (play->is_stream) feed_chunks(play, member(play, "chunks"), &bytes);
    buf_reset(&bytes);
    if (play->is_stream)
        answer_write_end(&play->answer, &bytes);
    else
        answer_write_body(&play->answer, &bytes);
    relay_feed(play->relay, buf_slice(&bytes));
    relay_finish(play->relay, NULL);
    buf_clear(&bytes);
}

/* A stream that nobody held, once the client has it. */
static void respond_behind(struct play *play)
{
    bool is_due = play->is_stream && play->word.kind == VERDICT_NONE && play->x->response.status < 300;
    if (is_due && !relay_report(play->relay).is_judged)
        passes(play, &(struct policy_call){.phase = PHASE_RESPONSE, .is_sent = true});
}

static void respond(struct play *play)
{
    struct loop *loop = loop_new();
    struct said_reader reader;
    said_reader_init(&reader);
    play->is_stream = json_is(&play->tape, member(play, "chunks"), JSON_ARRAY);
    take_answer(play);
    struct relay_parts parts = parts_of(play, loop, &reader);
    struct relay_head head = {.status = exchange_attempt(play->x)->status,
                              .content_type = play->is_stream ? SLICE("text/event-stream") : SLICE("application/json")};
    play->relay = relay_new(&parts, &head);
    feed(play);
    if (!play->has_failed) respond_behind(play);
    answer_read(play->answer.dialect, buf_slice(&play->sent), play->is_stream, &play->delivered);
    relay_free(play->relay);
    loop_free(loop);
    said_reader_clear(&reader);
}

static enum exchange_outcome outcome_of(struct play *play)
{
    struct slice wanted = read_text(play, "outcome");
    for (int i = OUTCOME_OK; wanted.len && i <= OUTCOME_INTERNAL; i++) {
        if (slice_equal(wanted, slice_str(exchange_outcome_name((enum exchange_outcome)i))))
            return (enum exchange_outcome)i;
    }
    enum verdict_kind kind = play->word.kind != VERDICT_NONE ? play->word.kind : play->x->decision.verdict.kind;
    if (kind == VERDICT_DENY) return OUTCOME_DENIED;
    if (kind == VERDICT_FAULT) return OUTCOME_POLICY_ERROR;
    return play->x->response.status < 300 ? OUTCOME_OK : OUTCOME_UPSTREAM_ERROR;
}

/* By the described report alone: there is no text of a provider's to count. */
static void settle(struct exchange *x)
{
    struct attempt *attempt = exchange_attempt(x);
    if (!attempt) return;
    usage_normalise(&attempt->usage, &attempt->parts);
    attempt->is_billed = attempt->parts.count[USAGE_REQUESTS] > 0;
    if (attempt->is_billed) bill_attempt(x, attempt);
    attempt->ended_ns = clock_mono_ns();
    attempt->is_closed = true;
}

/* What it cost as the spec says, else as estimated; tokens as the answer says, else the same. */
static void close_holds(struct play *play)
{
    struct usage usage = bill_of(play->x).usage;
    int64_t tokens = usage.input_tokens + usage.output_tokens, nano = -1;
    read_count(play, "cost_nano", &nano);
    struct counters_totals totals = {tokens > 0 ? tokens : -1, nano};
    play->has_failed = play->has_failed || !counters_close(play->L, play->x, totals);
}

/* Of an answer of the gateway's own. */
static int status_of(const struct play *play)
{
    const struct verdict *last = play->word.kind != VERDICT_NONE ? &play->word : &play->x->decision.verdict;
    return last->kind == VERDICT_DENY    ? last->status
           : last->kind == VERDICT_FAULT ? fault_info(FAULT_POLICY)->status
                                         : 0;
}

static void finish(struct play *play)
{
    struct exchange *x = play->x;
    if (!x->response.status) x->response.status = status_of(play);
    exchange_move(x, EXCHANGE_SETTLING);
    settle(x);
    x->outcome = outcome_of(play);
    close_holds(play);
    passes(play, &(struct policy_call){.phase = PHASE_DONE});
}

static void set_slice(lua_State *L, const char *name, struct slice s)
{
    lua_pushlstring(L, s.ptr ? s.ptr : "", s.len);
    lua_setfield(L, -2, name);
}

static void push_word(lua_State *L, const struct play *play)
{
    const struct verdict *v = &play->word;
    if (v->kind == VERDICT_NONE) return;
    lua_newtable(L);
    set_slice(L, "kind", v->kind == VERDICT_DENY ? SLICE("deny") : SLICE("fault"));
    set_slice(L, "phase", slice_str(bind_phase_names[play->phase]));
    set_slice(L, "code", v->code);
    set_slice(L, "reason", v->reason);
    set_slice(L, "policy", v->policy);
    set_slice(L, "rule", v->rule);
    set_slice(L, "fault", v->fault_text);
    lua_pushinteger(L, v->status);
    lua_setfield(L, -2, "status");
    lua_setfield(L, -2, "answer");
}

int respond_with(lua_State *L, struct policy_set *set, struct slice request, struct slice answer)
{
    struct fault why;
    struct play play = {.L = L, .set = set, .x = simulate_exchange(request, &why)};
    if (!play.x) return luaL_error(L, "the request of this spec: %s", fault_message(&why));
    json_init(&play.tape);
    buf_init(&play.sent);
    buf_init(&play.delivered);
    bool is_read = json_parse(&play.tape, answer, &why);
    if (is_read && passes(&play, &(struct policy_call){.phase = PHASE_REQUEST}) && attempt(&play)) respond(&play);
    if (is_read && !play.has_failed) finish(&play);
    if (is_read && !play.has_failed) {
        bind_push_outcome(L, play.x);
        push_word(L, &play);
        set_slice(L, "outcome", slice_str(exchange_outcome_name(play.x->outcome)));
        set_slice(L, "delivered", buf_slice(&play.delivered));
    } else if (!is_read) {
        lua_pushfstring(L, "the answer of this spec: %s", fault_message(&why));
    }
    json_clear(&play.tape);
    buf_clear(&play.sent);
    buf_clear(&play.delivered);
    simulate_free(play.x);
    return is_read && !play.has_failed ? 1 : lua_error(L);
}
