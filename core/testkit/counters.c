#include "testkit/counters.h"

#include <lauxlib.h>

#include "exchange/hold.h"
#include "lua/bind_values.h"

#define COUNTERS "moongate.counters"
#define WAITING_MAX 16 /* strands of one evaluation are fewer */

struct waiting {
    uint64_t ticket;
    const struct counters_question *question;
};

static lua_State *asking; /* the spec's state or coroutine that has something decided right now */
static struct waiting waiting[WAITING_MAX];
static size_t waiting_count;

int counters_count_with(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, COUNTERS);
    return 0;
}

void counters_enter(lua_State *L)
{
    asking = L;
    waiting_count = 0;
}

/* --- a question --- */

static void set_text(lua_State *L, const char *name, struct slice text)
{
    lua_pushlstring(L, text.ptr ? text.ptr : "", text.len);
    lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, int64_t value)
{
    lua_pushnumber(L, (lua_Number)value);
    lua_setfield(L, -2, name);
}

static void push_item(lua_State *L, const struct counters_item *item)
{
    lua_newtable(L);
    set_text(L, "kind", slice_str(counters_unit_name(item->unit)));
    set_text(L, "key", item->key);
    set_text(L, "rule", item->rule);
    set_text(L, "on_loss", slice_str(counters_loss_name(item->on_loss)));
    set_number(L, "amount", item->amount);
    if (item->limit != COUNTERS_NO_LIMIT) set_number(L, "limit", item->limit);
    if (item->window_s) set_number(L, "window", item->window_s);
    if (item->burst) set_number(L, "burst", item->burst);
    if (item->stop_s) set_number(L, "start", item->start_s);
    if (item->stop_s) set_number(L, "stop", item->stop_s);
    if (item->idle_s) set_number(L, "idle", item->idle_s);
    lua_pushboolean(L, item->is_observed);
    lua_setfield(L, -2, "observe");
    lua_newtable(L);
    for (size_t i = 0; i < item->scope_count; i++)
        set_text(L, item->scope[i].name.ptr, item->scope[i].value);
    lua_setfield(L, -2, "scope");
}

static void push_question(lua_State *L, const struct counters_question *question)
{
    lua_newtable(L);
    set_text(L, "hold", slice_str(question->hold));
    set_number(L, "tokens", question->totals.tokens);
    set_number(L, "nano", question->totals.nano);
    lua_createtable(L, (int)question->item_count, 0);
    for (size_t i = 0; i < question->item_count; i++) {
        push_item(L, &question->items[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "items");
}

/* --- an answer --- */

static bool flag_of(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static int64_t number_of(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    int64_t value = (int64_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static enum counters_refusal refusal_of(lua_State *L, int index)
{
    if (flag_of(L, index, "is_closed")) return COUNTERS_SHUT;
    if (!flag_of(L, index, "is_over")) return COUNTERS_FITS;
    if (flag_of(L, index, "is_contended")) return COUNTERS_CONTENDED;
    return flag_of(L, index, "is_too_large") ? COUNTERS_TOO_LARGE : COUNTERS_OVER;
}

/* The state at `index`. */
static struct counters_state state_of(lua_State *L, int index)
{
    static const char *const losses[] = {"", "local", "open", "closed", NULL};
    lua_getfield(L, index, "lost");
    enum counters_loss lost = (enum counters_loss)luaL_checkoption(L, -1, "", losses);
    lua_pop(L, 1);
    return (struct counters_state){.spent = number_of(L, index, "spent"),
                                   .held = number_of(L, index, "held"),
                                   .refusal = refusal_of(L, index),
                                   .lost = lost};
}

/* What the function gave, the reply at 1 or nil and why not at 2; its states live on the stack of L. */
static void read_answer(lua_State *L, const struct counters_question *question, struct counters_answer *answer)
{
    if (lua_isnil(L, 1)) {
        answer->error = luaL_optstring(L, 2, "the counters gave no answer");
        return;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    answer->is_ok = flag_of(L, 1, "ok");
    answer->failed = answer->is_ok ? 0 : (size_t)number_of(L, 1, "failed") - 1;
    answer->retry_after_s = (uint32_t)number_of(L, 1, "retry_after");
    memcpy(answer->hold, question->hold, sizeof answer->hold);
    answer->state_count = question->item_count;
    lua_getfield(L, 1, "states");
    luaL_checktype(L, -1, LUA_TTABLE);
    int list = lua_gettop(L);
    struct counters_state *states = lua_newuserdata(L, (question->item_count + 1) * sizeof *states);
    answer->states = states;
    for (size_t i = 0; i < question->item_count; i++) {
        lua_rawgeti(L, list, (int)i + 1);
        states[i] = state_of(L, lua_gettop(L));
        lua_pop(L, 1);
    }
}

/* Protected: the spec's function with the question of light userdata 1; its answer goes to the ticket, if there is one.
 * */
static int on_ask(lua_State *L)
{
    const struct waiting *w = lua_touserdata(L, 1);
    struct counters_answer answer = {0};
    lua_settop(L, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, COUNTERS);
    lua_pushstring(L, counters_operation_name(w->question->operation));
    push_question(L, w->question);
    lua_call(L, 2, 2);
    if (!w->ticket) return 0;
    read_answer(L, w->question, &answer);
    policy_counters_done(w->ticket, &answer);
    return 0;
}

static bool ask_spec(lua_State *L, struct waiting *w)
{
    lua_pushcfunction(L, on_ask);
    lua_pushlightuserdata(L, w);
    return lua_pcall(L, 1, 0, 0) == 0;
}

/* --- for evaluations that are put aside --- */

void counters_ask(void *arg, const struct counters_question *question, uint64_t ticket)
{
    (void)arg;
    if (waiting_count == WAITING_MAX)
        policy_counters_done(ticket, &(struct counters_answer){.error = "limit"});
    else
        waiting[waiting_count++] = (struct waiting){ticket, question};
}

void counters_forget(void *arg, uint64_t ticket)
{
    (void)arg;
    for (size_t i = 0; i < waiting_count; i++) {
        if (waiting[i].ticket != ticket) continue;
        memmove(waiting + i, waiting + i + 1, (--waiting_count - i) * sizeof *waiting);
        return;
    }
}

bool counters_are_asked(void)
{
    return waiting_count > 0;
}

bool counters_answer_next(lua_State *L)
{
    struct waiting first = waiting[0];
    memmove(waiting, waiting + 1, --waiting_count * sizeof *waiting);
    return ask_spec(L, &first);
}

bool counters_close(lua_State *L, struct exchange *x, struct counters_totals actual)
{
    bool is_allowed = x->decision.verdict.kind == VERDICT_ALLOW;
    for (struct hold *hold = x->holds; hold; hold = hold->next) {
        struct counters_question question;
        struct counters_totals came_to = {actual.tokens < 0 ? hold->totals.tokens : actual.tokens,
                                          actual.nano < 0 ? hold->totals.nano : actual.nano};
        if (!hold_close(hold, is_allowed ? &came_to : NULL, &question)) continue;
        if (!ask_spec(L, &(struct waiting){0, &question})) return false;
    }
    return true;
}

/* --- notices --- */

/* Protected: the spec's function with the notice of light userdata 1. */
static int on_notify(lua_State *L)
{
    const struct counters_notice *notice = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, COUNTERS);
    lua_pushliteral(L, "notify");
    lua_newtable(L);
    set_text(L, "key", notice->key);
    set_number(L, "period", notice->start_s);
    set_number(L, "at", notice->at);
    set_text(L, "text", notice->text);
    set_text(L, "budget", notice->budget);
    set_text(L, "threshold", notice->threshold);
    set_text(L, "rule", notice->rule);
    set_text(L, "app", notice->app);
    set_text(L, "owner", notice->owner);
    lua_createtable(L, (int)notice->to_count, 0);
    for (size_t i = 0; i < notice->to_count; i++) {
        lua_pushlstring(L, notice->to[i].ptr, notice->to[i].len);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "to");
    lua_call(L, 2, 0);
    return 0;
}

void counters_notify(void *arg, const struct counters_notice *notice)
{
    (void)arg;
    if (notice->from) return; /* a spec's requests spend nothing: mg:spend says what was */
    int top = lua_gettop(asking);
    lua_pushcfunction(asking, on_notify);
    lua_pushlightuserdata(asking, (void *)(uintptr_t)notice);
    lua_pcall(asking, 1, 0, 0); /* one that raises has told nobody, and the spec finds mg.sent empty */
    lua_settop(asking, top);
}

/* --- for those that nobody can put aside --- */

static void ask_now(void *arg, const struct counters_question *question, uint64_t ticket)
{
    (void)arg;
    int top = lua_gettop(asking);
    if (!ask_spec(asking, &(struct waiting){ticket, question})) {
        const char *text = lua_tostring(asking, -1);
        policy_counters_done(ticket, &(struct counters_answer){.error = text ? text : "the spec's counters raised"});
    }
    lua_settop(asking, top);
}

const struct policy_host *counters_rehearsing_host(void)
{
    static const struct policy_host host = {.counters = ask_now};
    return &host;
}
