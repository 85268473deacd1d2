/* What later phases know beyond the request: where it was sent, what came back, how it ended. */
#include "base/clock.h"
#include "exchange/bill.h"
#include "lua/bind.h"

static const struct exchange *current(lua_State *L)
{
    return bind_eval(L)->x;
}

/* phase() → "request", "attempt", … */
static int on_phase(lua_State *L)
{
    lua_pushstring(L, bind_phase_names[bind_eval(L)->how.phase]);
    return 1;
}

/* is_deciding(): is a request at hand, or is the file only being loaded? */
static int on_is_deciding(lua_State *L)
{
    lua_pushboolean(L, bind_set(L)->running != NULL);
    return 1;
}

/* is_sent(): in on_response, has the client the answer already? */
static int on_is_sent(lua_State *L)
{
    lua_pushboolean(L, bind_eval(L)->how.is_sent);
    return 1;
}

/* delta() → the text to be judged */
static int on_delta(lua_State *L)
{
    struct slice text = bind_eval(L)->how.delta;
    vm_charge(L, text.len);
    lua_pushlstring(L, text.ptr ? text.ptr : "", text.len);
    return 1;
}

/* canonical() → the model as the request's own phase resolved it, or false */
static int on_canonical(lua_State *L)
{
    return bind_push_fact(L, current(L)->decision.verdict.model);
}

static const struct target *target_of(const struct exchange *x)
{
    return x->target_index >= 0 ? &x->decision.verdict.targets[x->target_index] : NULL;
}

/* target() → the name of the one that is called, or was last; false */
static int on_target(lua_State *L)
{
    const struct target *target = target_of(current(L));
    return bind_push_fact(L, target ? target->name : SLICE(""));
}

/* targets() → names, in order of preference */
static int on_targets(lua_State *L)
{
    const struct verdict *v = &current(L)->decision.verdict;
    lua_createtable(L, (int)v->target_count, 0);
    for (size_t i = 0; i < v->target_count; i++) {
        lua_pushlstring(L, v->targets[i].name.ptr, v->targets[i].name.len);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* route_rule() → "policy/rule" that chose the targets, or false */
static int on_route_rule(lua_State *L)
{
    const struct trace *trace = &current(L)->decision.trace;
    for (size_t i = trace->count; i-- > 0;) {
        const struct trace_entry *e = &trace->entries[i];
        if (!slice_equal(e->verb, SLICE("route")) || slice_equal(e->mode, SLICE("observe"))) continue;
        lua_pushlstring(L, e->policy.ptr, e->policy.len);
        lua_pushliteral(L, "/");
        lua_pushlstring(L, e->rule.ptr, e->rule.len);
        lua_concat(L, 3);
        return 1;
    }
    lua_pushboolean(L, false);
    return 1;
}

static void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

/* attempts() → {{target =, status =, ms =, error =}, …} */
static int on_attempts(lua_State *L)
{
    const struct exchange *x = current(L);
    lua_createtable(L, (int)x->attempt_count, 0);
    for (size_t i = 0; i < x->attempt_count; i++) {
        const struct attempt *a = x->attempts[i];
        const struct slice name = x->decision.verdict.targets[a->target].name;
        lua_createtable(L, 0, 4);
        lua_pushlstring(L, name.ptr, name.len);
        lua_setfield(L, -2, "target");
        if (a->status) set_number(L, "status", a->status);
        if (a->is_denied) set_text(L, "error", "denied");
        if (a->error != FAULT_NONE) set_text(L, "error", fault_info(a->error)->code);
        if (a->ended_ns) set_number(L, "ms", (double)(a->ended_ns - a->began_ns) / (double)NS_PER_MS);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* --- the answer --- */

static int push_tokens(lua_State *L, int64_t tokens)
{
    if (tokens < 0)
        lua_pushboolean(L, false);
    else
        lua_pushnumber(L, (double)tokens);
    return 1;
}

static int push_ms(lua_State *L, uint64_t from_ns, uint64_t to_ns)
{
    if (to_ns && to_ns >= from_ns)
        lua_pushnumber(L, (double)(to_ns - from_ns) / (double)NS_PER_MS);
    else
        lua_pushboolean(L, false);
    return 1;
}

/* The status as the client sees it, or will. */
static int push_status(lua_State *L, const struct exchange *x)
{
    const struct attempt *attempt = exchange_attempt(x);
    int status = x->response.status || !attempt ? x->response.status : attempt->status;
    return push_tokens(L, status ? status : -1);
}

static int push_latency(lua_State *L, const struct exchange *x)
{
    uint64_t ended = x->entered_ns[EXCHANGE_SETTLING];
    return push_ms(L, x->born_mono_ns, ended ? ended : clock_mono_ns());
}

enum answer_field {
    ANSWER_STATUS,
    ANSWER_MODEL,
    ANSWER_PROVIDER,
    ANSWER_FINISH_REASON,
    ANSWER_LATENCY_MS,
    ANSWER_TTFT_MS,
    ANSWER_OUTCOME,
};

static const char *const answer_names[] = {"status",     "model",   "provider", "finish_reason",
                                           "latency_ms", "ttft_ms", "outcome",  NULL};

/* answer(name) → its value, false when it is not known */
static int on_answer(lua_State *L)
{
    const struct exchange *x = current(L);
    const struct target *target = target_of(x);
    const struct attempt *attempt = exchange_attempt(x);
    switch ((enum answer_field)luaL_checkoption(L, 1, NULL, answer_names)) {
    case ANSWER_STATUS: return push_status(L, x);
    case ANSWER_MODEL: return bind_push_fact(L, target ? target->model : SLICE(""));
    case ANSWER_PROVIDER: return bind_push_fact(L, target ? target->provider : SLICE(""));
    case ANSWER_FINISH_REASON: return bind_push_fact(L, attempt ? attempt->finish_reason : SLICE(""));
    case ANSWER_LATENCY_MS: return push_latency(L, x);
    case ANSWER_TTFT_MS: return push_ms(L, x->born_mono_ns, x->first_byte_ns);
    case ANSWER_OUTCOME:
        if (x->outcome == OUTCOME_NONE)
            lua_pushboolean(L, false);
        else
            lua_pushstring(L, exchange_outcome_name(x->outcome));
        return 1;
    }
    return 0;
}

/* --- what it used --- */

/* ctx.usage's counts: each is a sum of parts. */
static const struct used {
    const char *name;
    unsigned parts; /* one bit each */
} used_fields[] = {
#define PART(part) (1u << USAGE_##part)
    {"input_tokens", PART(INPUT) | PART(CACHE_READ) | PART(CACHE_WRITE_5M) | PART(CACHE_WRITE_1H) | PART(AUDIO_INPUT) |
                         PART(IMAGE_INPUT)},
    {"output_tokens", PART(OUTPUT) | PART(REASONING) | PART(AUDIO_OUTPUT) | PART(IMAGE_OUTPUT)},
    {"cached_tokens", PART(CACHE_READ)},
    {"cache_write_tokens", PART(CACHE_WRITE_5M) | PART(CACHE_WRITE_1H)},
    {"reasoning_tokens", PART(REASONING)},
    {"audio_input_tokens", PART(AUDIO_INPUT)},
    {"audio_output_tokens", PART(AUDIO_OUTPUT)},
    {"image_input_tokens", PART(IMAGE_INPUT)},
    {"image_output_tokens", PART(IMAGE_OUTPUT)},
    {"images", PART(IMAGES)},
    {"searches", PART(SEARCHES)},
    {"tool_calls", PART(TOOL_CALLS)},
#undef PART
    {NULL, 0}};

static int push_sum(lua_State *L, const struct usage_parts *parts, unsigned which)
{
    int64_t sum = 0;
    for (int part = 0; part < USAGE_PARTS; part++) {
        if (which & 1u << part) sum += parts->count[part];
    }
    return push_tokens(L, sum);
}

/* used(name) → a count, "cost_nano", "estimated" or "priced"; false when it is not known */
static int on_used(lua_State *L)
{
    struct bill bill = bill_of(current(L));
    bool is_known = bill.parts.count[USAGE_REQUESTS] > 0;
    struct slice name = bind_check_slice(L, 1);
    if (!is_known) bill.cost.state = COST_UNPRICED;
    if (slice_equal(name, SLICE("cost_nano")))
        return push_tokens(L, bill.cost.state == COST_UNPRICED ? -1 : bill.cost.nano);
    bool is_estimated = is_known && bill.parts.is_estimated;
    for (const struct used *u = used_fields; u->name; u++) {
        if (!slice_equal(name, slice_str(u->name))) continue;
        return is_known ? push_sum(L, &bill.parts, u->parts) : push_tokens(L, -1);
    }
    lua_pushboolean(L, slice_equal(name, SLICE("estimated")) ? is_estimated : bill.cost.state == COST_KNOWN);
    return 1;
}

/* answer_text() → what the model said, in full */
static int on_answer_text(lua_State *L)
{
    const struct buf *text = &current(L)->response.text;
    vm_charge(L, buf_len(text));
    lua_pushlstring(L, buf_len(text) ? buf_ptr(text) : "", buf_len(text));
    return 1;
}

void bind_answer_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"phase", on_phase},
                                         {"is_deciding", on_is_deciding},
                                         {"is_sent", on_is_sent},
                                         {"delta", on_delta},
                                         {"canonical", on_canonical},
                                         {"target", on_target},
                                         {"targets", on_targets},
                                         {"route_rule", on_route_rule},
                                         {"attempts", on_attempts},
                                         {"answer", on_answer},
                                         {"used", on_used},
                                         {"answer_text", on_answer_text},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
