#include "testkit/services.h"

#include <lauxlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "lua/bind_values.h"
#include "store/cache.h"
#include "testkit/counters.h"

#define SERVICES "moongate.services"
#define PENDING_MAX 64

/* Calls that wait for the spec's function. */
struct pending {
    uint64_t ticket;
    struct policy_http_request request;
};

static struct pending pending[PENDING_MAX];
static size_t pending_count;
static struct buf seen;
static struct cache *shared_cache; /* one for the process of the specs, as for a worker */

int services_serve_with(lua_State *L)
{
    lua_settop(L, 1);
    if (!lua_isnil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_setfield(L, LUA_REGISTRYINDEX, SERVICES);
    cache_free(shared_cache);
    shared_cache = NULL;
    return 0;
}

int services_seen(lua_State *L)
{
    lua_pushlstring(L, buf_len(&seen) ? buf_ptr(&seen) : "", buf_len(&seen));
    buf_clear(&seen);
    return 1;
}

/* --- the host --- */

static void *http_start(void *arg, const struct policy_http_request *request, uint64_t ticket)
{
    (void)arg;
    if (pending_count == PENDING_MAX) {
        policy_http_done(ticket, &(struct policy_http_reply){.error = "limit"});
        return NULL;
    }
    struct pending *p = &pending[pending_count++];
    *p = (struct pending){.ticket = ticket, .request = *request};
    return (void *)(uintptr_t)ticket;
}

static void http_cancel(void *arg, void *call)
{
    (void)arg;
    for (size_t i = 0; i < pending_count; i++) {
        if (pending[i].ticket != (uint64_t)(uintptr_t)call) continue;
        memmove(pending + i, pending + i + 1, (--pending_count - i) * sizeof *pending);
        return;
    }
}

static void metric(void *arg, const struct policy_metric *m)
{
    (void)arg;
    buf_printf(&seen, "{\"metric\":{\"kind\":\"%s\",\"value\":%.17g,\"name\":",
               m->kind == POLICY_COUNTER ? "counter" : "histogram", m->value);
    buf_append_json(&seen, m->name);
    buf_append(&seen, SLICE(",\"labels\":{"));
    for (size_t i = 0; i < m->label_count; i++) {
        if (i) buf_append_char(&seen, ',');
        buf_append_json(&seen, m->labels[i].name);
        buf_append_char(&seen, ':');
        buf_append_json(&seen, m->labels[i].value);
    }
    buf_append(&seen, SLICE("}}}\n"));
}

static void log_line(void *arg, const char *level, struct slice place, struct slice text)
{
    (void)arg;
    buf_printf(&seen, "{\"log\":{\"level\":\"%s\",\"place\":", level);
    buf_append_json(&seen, place);
    buf_append(&seen, SLICE(",\"text\":"));
    buf_append_json(&seen, text);
    buf_append(&seen, SLICE("}}\n"));
}

static struct cache *cache(void *arg)
{
    (void)arg;
    if (!shared_cache) shared_cache = cache_new(LIMIT_POLICY_CACHE_BYTES, LIMIT_POLICY_CACHE_ENTRIES);
    return shared_cache;
}

static const struct policy_host with_calls = {.http_start = http_start,
                                              .http_cancel = http_cancel,
                                              .metric = metric,
                                              .log = log_line,
                                              .cache = cache,
                                              .counters = counters_ask,
                                              .counters_cancel = counters_forget,
                                              .notify = counters_notify};
static const struct policy_host without_calls = {.metric = metric,
                                                 .log = log_line,
                                                 .cache = cache,
                                                 .counters = counters_ask,
                                                 .counters_cancel = counters_forget,
                                                 .notify = counters_notify};

struct policy_eval *services_begin(lua_State *L, struct policy_set *set, struct exchange *x,
                                  const struct policy_call *how)
{
    struct policy_call call = *how;
    lua_getfield(L, LUA_REGISTRYINDEX, SERVICES);
    call.host = lua_isfunction(L, -1) ? &with_calls : &without_calls;
    lua_pop(L, 1);
    pending_count = 0;
    counters_enter(L);
    return policy_begin(set, x, &call);
}

/* --- calls --- */

static void set_text(lua_State *L, const char *name, struct slice text)
{
    lua_pushlstring(L, text.ptr ? text.ptr : "", text.len);
    lua_setfield(L, -2, name);
}

static void push_call(lua_State *L, const struct policy_http_request *r)
{
    lua_newtable(L);
    set_text(L, "method", r->method);
    set_text(L, "url", r->url);
    set_text(L, "body", r->body);
    lua_pushinteger(L, (lua_Integer)r->timeout_ms);
    lua_setfield(L, -2, "timeout_ms");
    lua_pushboolean(L, r->has_secret);
    lua_setfield(L, -2, "has_secret");
    lua_newtable(L);
    for (size_t i = 0; i < r->header_count; i++) {
        lua_pushlstring(L, r->headers[i].name.ptr, r->headers[i].name.len);
        lua_pushlstring(L, r->headers[i].value.ptr, r->headers[i].value.len);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "headers");
}

/* Protected: the spec's function with the call of light userdata 1; its answer goes to the ticket. */
static int on_call(lua_State *L)
{
    static const char *const words[] = {"timeout", "refused", "closed", "limit", NULL};
    struct pending *p = lua_touserdata(L, 1);
    struct pair headers[16];
    struct policy_http_reply reply = {.headers = headers};
    lua_settop(L, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, SERVICES);
    push_call(L, &p->request);
    lua_call(L, 1, 2);
    if (lua_isnil(L, 1)) {
        reply.error = words[luaL_checkoption(L, 2, "closed", words)];
    } else {
        luaL_checktype(L, 1, LUA_TTABLE);
        lua_getfield(L, 1, "status");
        lua_getfield(L, 1, "body");
        lua_getfield(L, 1, "headers"); // reply why status body headers
        reply.status = (int)luaL_checkinteger(L, 3);
        reply.body = bind_opt_slice(L, 4);
        for (lua_pushnil(L); lua_istable(L, 5) && lua_next(L, 5) && reply.header_count < 16; lua_pop(L, 1))
            headers[reply.header_count++] = (struct pair){bind_check_slice(L, -2), bind_check_slice(L, -1)};
    }
    policy_http_done(p->ticket, &reply);
    return 0;
}

static bool answer_one(lua_State *L)
{
    struct pending first = pending[0];
    memmove(pending, pending + 1, --pending_count * sizeof *pending);
    lua_pushcfunction(L, on_call);
    lua_pushlightuserdata(L, &first);
    return lua_pcall(L, 1, 0, 0) == 0;
}

bool services_evaluate(lua_State *L, struct policy_eval *eval, int *slices)
{
    enum policy_step step;
    while ((step = policy_eval_step(eval)) != POLICY_DONE) {
        if (slices) ++*slices;
        if (step != POLICY_WAITING) continue;
        bool is_good = counters_are_asked() ? counters_answer_next(L) : pending_count == 0 || answer_one(L);
        if (!is_good) return false;
    }
    return true;
}
