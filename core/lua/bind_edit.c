/* ctx.request:set(…): changes of the request's body, kept in the exchange until it is sent. */
#include <math.h>

#include "lua/bind.h"

/* edit(name, json): the body's member becomes that, or goes with "" */
static int on_edit(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    if (eval->how.phase != PHASE_REQUEST && eval->how.phase != PHASE_ATTEMPT)
        return luaL_error(L, "ctx.request:set() comes too late: the request was sent");
    if (!exchange_edit(eval->x, bind_check_slice(L, 1), bind_check_slice(L, 2)))
        return luaL_error(L, "ctx.request:set(): more than %d fields of one request", DECISION_EDITS_MAX);
    return 0;
}

/* What a lower bound leaves to think, the caller reads behind it. */
static struct slice with_thinking(struct exchange *x, struct slice note)
{
    int64_t left = chat_thinking_within(&x->request, x->request.max_tokens);
    if (left == x->request.thinking_tokens) return arena_copy(&x->arena, note);
    if (!left) return arena_printf(&x->arena, "%.*s; thinking taken out", SLICE_FMT(note));
    return arena_printf(&x->arena, "%.*s; thinking.budget_tokens %lld", SLICE_FMT(note), (long long)left);
}

/* set_max_tokens(count or nil, note): what facts say from now on; the note goes to the client */
static int on_set_max_tokens(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    x->request.max_tokens = lua_isnil(L, 1) ? -1 : (int64_t)luaL_checknumber(L, 1);
    x->estimate.output_tokens = x->request.max_tokens > 0 ? (uint64_t)x->request.max_tokens : 0;
    struct slice note = bind_opt_slice(L, 2);
    x->decision.max_tokens_note = SLICE("");
    if (note.len) x->decision.max_tokens_note = with_thinking(x, note);
    return 0;
}

/* note_max_tokens(note): to the client; what the request says stays what facts say */
static int on_note_max_tokens(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    x->decision.max_tokens_note = arena_copy(&x->arena, bind_check_slice(L, 1));
    return 0;
}

/* bound_output(tokens): no answer is longer. The lowest bound holds. */
static int on_bound_output(lua_State *L)
{
    struct decision *d = &bind_eval(L)->x->decision;
    int64_t most = (int64_t)luaL_checknumber(L, 1);
    if (!d->output_bound || most < d->output_bound) d->output_bound = most;
    return 0;
}

/* output_bound() → tokens, or nil without a bound */
static int on_output_bound(lua_State *L)
{
    int64_t most = bind_eval(L)->x->decision.output_bound;
    if (!most) return 0;
    lua_pushnumber(L, (lua_Number)most);
    return 1;
}

/* set_temperature(value or nil) */
static int on_set_temperature(lua_State *L)
{
    bind_eval(L)->x->request.temperature = lua_isnil(L, 1) ? NAN : luaL_checknumber(L, 1);
    return 0;
}

void bind_edit_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"edit", on_edit},
                                         {"set_max_tokens", on_set_max_tokens},
                                         {"note_max_tokens", on_note_max_tokens},
                                         {"bound_output", on_bound_output},
                                         {"output_bound", on_output_bound},
                                         {"set_temperature", on_set_temperature},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
