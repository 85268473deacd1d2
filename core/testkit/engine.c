/* What specs ask of the policy engine: `engine`, the argument of scripts/test/kit.lua. */
#include "testkit/engine.h"

#include <lauxlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/record.h"
#include "flow/replay.h"
#include "flow/told.h"
#include "lua/ask.h"
#include "lua/bind_values.h"
#include "lua/policy.h"
#include "lua/script.h"
#include "lua/simulate.h"
#include "testkit/counters.h"
#include "testkit/respond.h"
#include "testkit/services.h"
#include "testkit/watch.h"

#define ENGINE "moongate.engine"

struct engine {
    struct policy_set *set;
    struct watch *watch; /* NULL: not watched */
};

static struct engine *check_engine(lua_State *L)
{
    return luaL_checkudata(L, 1, ENGINE);
}

static struct policy_set *check_set(lua_State *L)
{
    return check_engine(L)->set;
}

static int on_engine_gc(lua_State *L)
{
    struct engine *engine = check_engine(L);
    policy_set_unref(engine->set);
    watch_free(engine->watch);
    *engine = (struct engine){0};
    return 0;
}

static void set_field(lua_State *L, const char *name, struct slice s)
{
    lua_pushlstring(L, s.ptr, s.len);
    lua_setfield(L, -2, name);
}

static void push_errors(lua_State *L, const struct policy_errors *errors)
{
    lua_newtable(L);
    for (size_t i = 0; i < errors->count; i++) {
        const struct policy_error *error = &errors->items[i];
        lua_newtable(L);
        set_field(L, "code", slice_str(finding_info(error->finding)->code));
        set_field(L, "file", error->file);
        set_field(L, "text", error->text);
        set_field(L, "hint", error->hint);
        lua_pushinteger(L, error->line);
        lua_setfield(L, -2, "line");
        lua_pushinteger(L, error->column);
        lua_setfield(L, -2, "column");
        lua_pushboolean(L, finding_is_warning(error->finding));
        lua_setfield(L, -2, "is_warning");
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* The bundle of a table {path = text}; raises when it is none. */
static struct bundle *check_bundle(lua_State *L, int index)
{
    struct bundle_file files[64];
    struct fault why;
    size_t count = 0;
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (count == sizeof files / sizeof files[0]) luaL_error(L, "more files than a test needs");
        files[count++] = (struct bundle_file){bind_check_slice(L, -2), bind_check_slice(L, -1)};
    }
    struct bundle *bundle = bundle_of(files, count, &why);
    if (!bundle) luaL_error(L, "%s", why.text);
    return bundle;
}

static const struct settings *push_settings(struct settings *settings, lua_State *L, int index)
{
    if (lua_isnoneornil(L, index)) return NULL;
    luaL_checktype(L, index, LUA_TTABLE);
    size_t count = lua_objlen(L, index);
    settings->providers = arena_zalloc(&settings->arena, (count + 1) * sizeof *settings->providers);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        settings->providers[i].name = arena_copy(&settings->arena, bind_opt_slice(L, -1));
        lua_pop(L, 1);
    }
    settings->provider_count = count;
    return settings;
}

/* load(files [, names of providers [, with lines]]) → engine or nil, list of errors and warnings, the same as printed
 * text. Watched (watch.h) when the third is given, true: lines too. */
static int on_load(lua_State *L)
{
    struct policy_errors errors;
    struct buf out;
    lua_settop(L, 3);
    struct engine *engine = lua_newuserdata(L, sizeof *engine);
    *engine = (struct engine){0};
    luaL_getmetatable(L, ENGINE);
    lua_setmetatable(L, -2);
    struct bundle *bundle = check_bundle(L, 1);
    struct settings *settings = settings_new();
    policy_errors_init(&errors);
    if (!lua_isnil(L, 3)) engine->watch = watch_new(lua_toboolean(L, 3));
    struct policy_observer observer = engine->watch ? watch_observer(engine->watch) : (struct policy_observer){0};
    struct policy_load load = {
        .settings = push_settings(settings, L, 2), .host = counters_rehearsing_host(), .observer = &observer};
    engine->set = policy_set_load_for(bundle, &load, &errors);
    if (!engine->set) lua_pushnil(L);
    push_errors(L, &errors);
    buf_init(&out);
    policy_errors_print(&errors, bundle, &out);
    lua_pushlstring(L, buf_slice(&out).ptr, buf_len(&out));
    buf_clear(&out);
    policy_errors_clear(&errors);
    settings_unref(settings);
    bundle_unref(bundle);
    return 3;
}

/* decide(engine, description of a request [, goes on]) → outcome; its `slices` says how often it stepped aside. What it
 * holds is settled as estimated, unless it goes on. */
static int on_decide(lua_State *L)
{
    struct policy_set *set = check_set(L);
    struct fault why;
    struct exchange *x = simulate_exchange(bind_check_slice(L, 2), &why);
    if (!x) return luaL_error(L, "the request of this spec: %s", fault_message(&why));
    int slices = 1;
    struct policy_eval *eval = services_begin(L, set, x, &(struct policy_call){.phase = PHASE_REQUEST});
    bool ok = services_evaluate(L, eval, &slices);
    policy_eval_free(eval);
    if (ok && !lua_toboolean(L, 3)) ok = counters_close(L, x, (struct counters_totals){-1, -1});
    if (!ok) {
        simulate_free(x);
        return lua_error(L);
    }
    bind_push_outcome(L, x);
    lua_pushinteger(L, slices);
    lua_setfield(L, -2, "slices");
    simulate_free(x);
    return 1;
}

/* record(engine, description of a request) → outcome, the record that the gateway would keep of it, a JSON text */
static int on_record(lua_State *L)
{
    struct policy_set *set = check_set(L);
    struct fault why;
    struct buf record;
    struct exchange *x = simulate_exchange(bind_check_slice(L, 2), &why);
    if (!x) return luaL_error(L, "the request of this spec: %s", fault_message(&why));
    told_keep(x);
    struct policy_eval *eval = services_begin(L, set, x, &(struct policy_call){.phase = PHASE_REQUEST});
    bool ok = services_evaluate(L, eval, NULL);
    policy_eval_free(eval);
    if (ok) ok = counters_close(L, x, (struct counters_totals){-1, -1});
    if (!ok) {
        simulate_free(x);
        return lua_error(L);
    }
    exchange_move(x, EXCHANGE_SETTLING);
    x->response.status = x->decision.verdict.kind == VERDICT_DENY ? x->decision.verdict.status : 0;
    buf_init(&record);
    record_format(&record, x);
    bind_push_outcome(L, x);
    lua_pushlstring(L, buf_ptr(&record), buf_len(&record) - 1);
    buf_clear(&record);
    simulate_free(x);
    return 2;
}

/* replay(engine, record) → its outcome's name, differences, missing and what is decided now, as JSON texts */
static int on_replay(lua_State *L)
{
    struct replay_report report;
    struct replay *replay = replay_new(check_set(L), NULL);
    enum replay_outcome outcome = replay_run(replay, bind_check_slice(L, 2), &report);
    lua_pushstring(L, replay_outcome_name(outcome));
    lua_pushlstring(L, report.differences.ptr, report.differences.len);
    lua_pushlstring(L, report.missing.ptr, report.missing.len);
    lua_pushlstring(L, report.decision.ptr, report.decision.len);
    lua_pushstring(L, report.reason ? report.reason : "");
    replay_free(replay);
    return 5;
}

/* respond(engine, description of a request, of an answer) → outcome of all phases */
static int on_respond(lua_State *L)
{
    struct policy_set *set = check_set(L);
    return respond_with(L, set, bind_check_slice(L, 2), bind_check_slice(L, 3));
}

/* ask(engine, script, question as JSON) → the answer's text, its number */
static int on_ask(lua_State *L)
{
    struct buf answer;
    struct fault why;
    int code = 0;
    buf_init(&answer);
    counters_enter(L);
    bool ok = policy_set_ask(check_set(L), luaL_checkstring(L, 2), bind_check_slice(L, 3), &answer, &code, &why);
    lua_pushlstring(L, buf_slice(&answer).ptr, buf_len(&answer));
    lua_pushinteger(L, code);
    buf_clear(&answer);
    return ok ? 2 : luaL_error(L, "%s", fault_message(&why));
}

/* json(text) → tables; null and [] become {_raw = …} */
static int on_json(lua_State *L)
{
    bind_push_json(L, bind_check_slice(L, 1));
    return 1;
}

/* script(name) → text of an embedded script */
static int on_script(lua_State *L)
{
    const struct embedded_script *script = script_find(bind_check_slice(L, 1));
    if (!script) return luaL_error(L, "there is no script '%s'", lua_tostring(L, 1));
    lua_pushlstring(L, script->text, script->len);
    return 1;
}

static int on_memory(lua_State *L)
{
    lua_pushnumber(L, (double)policy_set_memory(check_set(L)));
    return 1;
}

/* outline(engine) → text of the rules there are: watch.h; nil when it is not watched */
static int on_outline(lua_State *L)
{
    const struct watch *watch = check_engine(L)->watch;
    if (!watch) return 0;
    struct slice outline = watch_outline(watch);
    lua_pushlstring(L, outline.ptr, outline.len);
    return 1;
}

/* ran(engine, path, line) → whether that line of "policies/x.lua" ran */
static int on_ran(lua_State *L)
{
    const struct watch *watch = check_engine(L)->watch;
    lua_pushboolean(L, watch && watch_ran(watch, bind_check_slice(L, 2), (int)luaL_checkinteger(L, 3)));
    return 1;
}

/* remembered(engine) → text of what its policies' functions remember: watch.h */
static int on_remembered(lua_State *L)
{
    struct policy_set *set = check_set(L);
    struct buf out;
    struct fault why;
    buf_init(&out);
    bool ok = watch_memory(set, &out, &why);
    lua_pushlstring(L, buf_slice(&out).ptr, buf_len(&out));
    buf_clear(&out);
    return ok ? 1 : luaL_error(L, "what the policies remember cannot be told: %s", why.text);
}

void engine_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"load", on_load},       {"decide", on_decide},
        {"respond", on_respond}, {"ask", on_ask},
        {"record", on_record},   {"replay", on_replay},
        {"json", on_json},       {"script", on_script},
        {"memory", on_memory},   {"outline", on_outline},
        {"ran", on_ran},         {"remembered", on_remembered},
        {"seen", services_seen}, {"serve_with", services_serve_with},
        {"count_with", counters_count_with},
        {NULL, NULL}};
    luaL_newmetatable(L, ENGINE);
    lua_pushcfunction(L, on_engine_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_newtable(L);
    luaL_register(L, NULL, functions);
}
