#include "testkit/respond.h"

#include <lauxlib.h>

#include "base/clock.h"
#include "exchange/bill.h"
#include "lua/bind_values.h"
#include "lua/simulate.h"
#include "testkit/counters.h"
#include "testkit/services.h"
#include "wire/json.h"

struct play {
    lua_State *L;
    struct policy_set *set;
    struct exchange *x;
    struct json_tape tape; /* the answer's description */
    struct buf delivered;
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
    snprintf(usage->service_tier, sizeof usage->service_tier, "%.*s", SLICE_FMT(tier));
    attempt->status = x->response.status = (int)status;
    attempt->finish_reason = read_text(play, "finish_reason");
    x->first_byte_ns = x->born_mono_ns + 1;
}

static bool stream(struct play *play, uint32_t chunks)
{
    const struct json_tape *tape = &play->tape;
    for (uint32_t chunk = json_first(tape, chunks); chunk != JSON_NONE; chunk = json_next(tape, chunk)) {
        if (!json_is(tape, chunk, JSON_STRING)) continue;
        struct slice text = json_text(tape, chunk, &play->x->arena);
        buf_append(&play->x->response.text, text);
        if (!passes(play, &(struct policy_call){.phase = PHASE_DELTA, .delta = text})) return false;
        if (!policy_buffers(play->set)) buf_append(&play->delivered, text);
    }
    return true;
}

static void respond(struct play *play)
{
    struct exchange *x = play->x;
    uint32_t chunks = member(play, "chunks");
    play->is_stream = json_is(&play->tape, chunks, JSON_ARRAY);
    take_answer(play);
    if (play->is_stream && !stream(play, chunks)) return;
    if (!play->is_stream) buf_append(&x->response.text, read_text(play, "text"));
    bool is_sent = play->is_stream && !policy_buffers(play->set);
    bool is_good = x->response.status >= 300 ||
                   passes(play, &(struct policy_call){.phase = PHASE_RESPONSE, .is_sent = is_sent});
    if (is_good && !is_sent) buf_append(&play->delivered, buf_slice(&x->response.text));
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

static void finish(struct play *play)
{
    struct exchange *x = play->x;
    const struct verdict *last = play->word.kind == VERDICT_DENY ? &play->word : &x->decision.verdict;
    if (last->kind == VERDICT_DENY) x->response.status = last->status;
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
    buf_clear(&play.delivered);
    simulate_free(play.x);
    return is_read && !play.has_failed ? 1 : lua_error(L);
}
