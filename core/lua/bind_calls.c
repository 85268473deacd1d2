/* Calls that wait: http, and together(). A function that waits yields with nothing; what came is fetched by another one
 * when the strand goes on, inside it and under its limits. scripts/services/ makes one call of the two. */
#include "lua/bind.h"
#include "base/limits.h"
#include "lua/answers.h"
#include "lua/calls.h"

#define CALLS_MAX 16
#define HEADERS_MAX 32

struct policy_eval *bind_waiting_eval(lua_State *L, const char *name)
{
    struct policy_eval *eval = bind_set(L)->running;
    if (!eval) luaL_error(L, "%s works while a request is being decided, not while the file is loaded", name);
    if (eval->how.phase == PHASE_DELTA)
        luaL_error(L, "%s cannot wait in on_delta, which stands in the way of a stream: ask in on_request", name);
    if (!lua_isyieldable(L)) luaL_error(L, "%s cannot wait inside a sort comparator: call it before the sort", name);
    return eval;
}

/* --- http --- */

/* egress(url) → nil when no moongate.lua says anything; else whether there is such a service, and its clearance, the
 * name of its secret, its time in milliseconds */
static int on_egress(lua_State *L)
{
    const struct settings *settings = bind_eval(L)->how.settings;
    struct slice url = bind_check_slice(L, 1);
    if (!settings) return 0;
    const struct egress *egress = settings_egress(settings, url);
    lua_pushboolean(L, egress != NULL);
    if (!egress) return 1;
    lua_pushlstring(L, egress->clearance.ptr, egress->clearance.len);
    bind_push_fact(L, egress->secret.len ? egress->name : SLICE(""));
    lua_pushnumber(L, egress->timeout_ms);
    return 4;
}

/* has_redis() → is there one to be asked? nil when no moongate.lua says anything */
static int on_has_redis(lua_State *L)
{
    const struct settings *settings = bind_eval(L)->how.settings;
    if (!settings) return 0;
    lua_pushboolean(L, settings->has_redis);
    return 1;
}

/* has_http() → can calls be made at all? Not where a decision is only rehearsed. */
static int on_has_http(lua_State *L)
{
    const struct policy_host *host = bind_eval(L)->how.host;
    lua_pushboolean(L, host && host->http_start);
    return 1;
}

static size_t collect_headers(lua_State *L, int index, struct pair *headers)
{
    size_t count = lua_objlen(L, index) / 2;
    if (count > HEADERS_MAX) luaL_error(L, "http: more than %d headers", HEADERS_MAX);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (int)(2 * i + 1));
        lua_rawgeti(L, index, (int)(2 * i + 2));
        headers[i] = (struct pair){bind_check_slice(L, -2), bind_check_slice(L, -1)}; /* the list keeps them alive */
        lua_pop(L, 2);
    }
    return count;
}

/* http_start(method, url, {name, value, …}, body, timeout in ms, with its secret) → waits; or false, why not */
static int on_http_start(lua_State *L)
{
    struct policy_eval *eval = bind_waiting_eval(L, "http");
    const struct policy_host *host = eval->how.host;
    struct pair headers[HEADERS_MAX];
    struct policy_http_request request = {
        .method = bind_check_slice(L, 1),
        .url = bind_check_slice(L, 2),
        .body = bind_opt_slice(L, 4),
        .headers = headers,
        .timeout_ms = (uint32_t)luaL_checkinteger(L, 5),
        .answer_bytes_max = LIMIT_EGRESS_ANSWER_BYTES,
        .egress = eval->how.settings ? settings_egress(eval->how.settings, bind_check_slice(L, 2)) : NULL,
    };
    luaL_checktype(L, 3, LUA_TTABLE);
    request.header_count = collect_headers(L, 3, headers);
    request.has_secret = lua_toboolean(L, 6);
    if (request.egress) request.answer_bytes_max = request.egress->answer_bytes_max;
    vm_charge(L, request.body.len + 3000);
    const char *refusal = !host || !host->http_start ? "refused" : eval->calls++ >= CALLS_MAX ? "limit" : NULL;
    if (refusal) {
        if (eval->how.phase == PHASE_REQUEST) answers_note_refusal(eval->x, &request, refusal);
        lua_pushboolean(L, false);
        lua_pushstring(L, refusal);
        return 2;
    }
    calls_http(eval, eval->current, &request);
    return lua_yield(L, 0);
}

/* Onto the table on top: the name, and the value, behind those that came by the name before (RFC 9110 5.3). */
static void push_joined(lua_State *L, struct slice name, struct slice value)
{
    lua_pushlstring(L, name.ptr, name.len);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3); // headers name former
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushlstring(L, value.ptr, value.len);
        return;
    }
    lua_pushliteral(L, ", ");
    lua_pushlstring(L, value.ptr, value.len);
    lua_concat(L, 3);
}

/* http_take() → status, {name = value}, body; or nil and what went wrong */
static int on_http_take(lua_State *L)
{
    struct strand *strand = bind_eval(L)->current;
    if (!strand->reply) return luaL_error(L, "no answer is there");
    const struct policy_http_reply *reply = &strand->reply->reply;
    if (reply->error) {
        lua_pushnil(L);
        lua_pushstring(L, reply->error);
    } else {
        lua_pushinteger(L, reply->status);
        lua_createtable(L, 0, (int)reply->header_count);
        for (size_t i = 0; i < reply->header_count; i++) {
            struct slice name = reply->headers[i].name, value = reply->headers[i].value;
            char lower[128];
            size_t len = name.len < sizeof lower ? name.len : sizeof lower;
            for (size_t c = 0; c < len; c++)
                lower[c] = name.ptr[c] >= 'A' && name.ptr[c] <= 'Z' ? (char)(name.ptr[c] | 0x20) : name.ptr[c];
            push_joined(L, slice_of(lower, len), value); // … name value
            lua_rawset(L, -3);
        }
        vm_charge(L, reply->body.len);
        lua_pushlstring(L, reply->body.ptr, reply->body.len);
    }
    http_answer_free(strand->reply);
    strand->reply = NULL;
    return lua_gettop(L) >= 3 && lua_isnumber(L, -3) ? 3 : 2;
}

/* --- together --- */

/* together_start(f, …): runs them as children and waits until all have ended */
static int on_together_start(lua_State *L)
{
    struct policy_eval *eval = bind_waiting_eval(L, "together");
    struct strand *parent = eval->current;
    int count = lua_gettop(L);
    if (count == 0) return luaL_error(L, "together(f, g, …) wants functions");
    for (int i = 1; i <= count; i++)
        luaL_checktype(L, i, LUA_TFUNCTION);
    parent->children = 0;
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(L, i);
        struct strand *child = eval_add_child(L, eval);
        if (!child) return luaL_error(L, "together: at most %d functions at a time in one hook", EVAL_STRANDS_MAX - 1);
        child->order = i;
        parent->children++;
    }
    parent->state = STRAND_JOINING;
    return lua_yield(L, 0);
}

/* together_take() → the first result of each, in their order */
static int on_together_take(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    int count = 0;
    lua_settop(L, 0);
    luaL_checkstack(L, EVAL_STRANDS_MAX, "results");
    for (int order = 1; order < EVAL_STRANDS_MAX; order++) {
        for (size_t i = 0; i < EVAL_STRANDS_MAX; i++) {
            struct strand *child = &eval->strands[i];
            if (child->state != STRAND_ENDED || child->parent != eval->current || child->order != order) continue;
            lua_settop(child->co, lua_gettop(child->co) ? 1 : 0);
            if (lua_gettop(child->co))
                lua_xmove(child->co, L, 1);
            else
                lua_pushnil(L);
            eval_drop_strand(eval, child);
            count++;
        }
    }
    return count;
}

void bind_calls_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"has_http", on_has_http},
                                         {"has_redis", on_has_redis},
                                         {"egress", on_egress},
                                         {"http_start", on_http_start},
                                         {"http_take", on_http_take},
                                         {"together_start", on_together_start},
                                         {"together_take", on_together_take},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
