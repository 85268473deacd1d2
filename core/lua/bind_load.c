/* What loading a bundle needs: texts, chunks, a run under limits, a place for errors. */
#include "base/check.h"
#include "base/fiber.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/zone.h"
#include "lua/bind.h"
#include "lua/again.h"
#include "lua/calls.h"
#include "lua/globals.h"
#include "lua/raised.h"
#include "lua/sandbox.h"
#include "lua/script.h"
#include "lua/simulate.h"

static struct policy_set *loading_set(lua_State *L)
{
    struct policy_set *set = bind_set(L);
    if (!set->errors) luaL_error(L, "this works only while a bundle is being loaded");
    return set;
}

/* script(name) → the chunk of an embedded script */
static int on_script(lua_State *L)
{
    struct slice name = bind_check_slice(L, 1);
    const struct embedded_script *script = script_find(name);
    if (!script) return luaL_error(L, "there is no script '%s'", name.ptr);
    script_push(L, script);
    return 1;
}

/* scripts() → names of all embedded scripts */
static int on_scripts(lua_State *L)
{
    lua_newtable(L);
    int count = 0;
    for (const struct embedded_script *s = script_table; s->name; s++) {
        lua_pushstring(L, s->name);
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

#define LOAD_BYTES (16u * KIB) /* compiled between two looks at whether a slice of loading is over */

static const char *read_piece(lua_State *L, void *arg, size_t *len)
{
    struct slice *rest = arg;
    const char *piece = rest->ptr;
    (void)L;
    fiber_rest();
    *len = rest->len < LOAD_BYTES ? rest->len : LOAD_BYTES;
    *rest = slice_of(rest->ptr + *len, rest->len - *len);
    return piece;
}

/* load(text, chunk name, environment) → function, or nil and Lua's message. Source only: bytecode is not checked. */
static int on_load_chunk(lua_State *L)
{
    struct slice rest = bind_check_slice(L, 1);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    if (lua_loadx(L, read_piece, &rest, name, "t") != 0) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    lua_pushvalue(L, 3);
    lua_setfenv(L, -2);
    return 1;
}

/* globals(chunk) → the globals it reads and sets: globals.h */
static int on_globals(lua_State *L)
{
    char out[GLOBALS_BYTES_MAX];
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    size_t len = globals_find(L, out, sizeof out);
    lua_pushlstring(L, out, len);
    return 1;
}

/* bundle_text(path) → text, or nil */
static int on_bundle_text(lua_State *L)
{
    const struct bundle_file *file = bundle_find(bind_set(L)->bundle, bind_check_slice(L, 1));
    if (!file) return 0;
    lua_pushlstring(L, file->text.ptr, file->text.len);
    return 1;
}

/* bundle_paths() → sorted list */
static int on_bundle_paths(lua_State *L)
{
    const struct bundle *bundle = bind_set(L)->bundle;
    lua_newtable(L);
    for (size_t i = 0; i < bundle_count(bundle); i++) {
        struct slice path = bundle_at(bundle, i)->path;
        lua_pushlstring(L, path.ptr, path.len);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int on_digest(lua_State *L)
{
    lua_pushstring(L, bundle_digest(bind_set(L)->bundle));
    return 1;
}

/* Of one evaluation; more in a large bundle, whose rows take their time. */
static struct vm_limits load_limits(const struct policy_set *set)
{
    struct vm_limits limits = set->limits;
    unsigned times = 1 + (unsigned)(bundle_bytes(set->bundle) / LIMIT_POLICY_PLAIN_BYTES);
    limits.bytecodes *= times;
    limits.cpu_ms *= times;
    limits.deadline_ms *= times;
    limits.alloc_bytes = (uint64_t)LIMIT_POLICY_EVAL_BYTES * times;
    return limits;
}

/* run(fn, …) → true and its results, or false and why not. To its end, under limits. */
static int on_run(lua_State *L)
{
    struct policy_set *set = bind_set(L);
    struct vm_limits limits = load_limits(set);
    int nargs = lua_gettop(L) - 1;
    struct vm_task task;
    enum vm_result result;
    char text[512];
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L); /* stays on this stack, so it is not collected */
    lua_insert(L, 1);
    luaL_checkstack(co, nargs + 1, "arguments");
    lua_xmove(L, co, nargs + 1);
    vm_task_init(&task, &limits);
    for (result = vm_resume(set->vm, &task, co, nargs); result == VM_MORE;)
        result = vm_resume(set->vm, &task, co, 0);
    lua_pushboolean(L, result == VM_DONE);
    if (result != VM_DONE) {
        vm_fault_text(&task, co, result, text, sizeof text);
        lua_pushstring(L, text);
        return 2;
    }
    int count = lua_gettop(co);
    luaL_checkstack(L, count, "results");
    lua_xmove(co, L, count);
    return count + 1;
}

/* raised(message) → the finding's word: raised.h */
static int on_raised(lua_State *L)
{
    lua_pushstring(L, finding_info(raised_finding(bind_check_slice(L, 1)))->word);
    return 1;
}

/* error(finding, file, line, column, text, hint) */
static int on_error(lua_State *L)
{
    struct policy_error error = {
        .finding = finding_of(bind_check_slice(L, 1)),
        .file = bind_check_slice(L, 2),
        .line = (int)luaL_optinteger(L, 3, 0),
        .column = (int)luaL_optinteger(L, 4, 0),
        .text = bind_check_slice(L, 5),
        .hint = bind_opt_slice(L, 6),
    };
    check(error.finding != FINDING_NONE);
    policy_errors_add(loading_set(L)->errors, &error);
    return 0;
}

/* governance(text): the rules as JSON (store/governance.h); false when they are too long */
static int on_governance(lua_State *L)
{
    struct policy_set *set = loading_set(L);
    struct slice text = bind_check_slice(L, 1);
    bool is_good = text.len <= LIMIT_GOVERNANCE_BYTES;
    mem_free(set->governance);
    set->governance = is_good ? mem_strndup(text.ptr, text.len) : NULL;
    lua_pushboolean(L, is_good);
    return 1;
}

/* deadline_ms() → what an evaluation may take, waiting included */
static int on_deadline_ms(lua_State *L)
{
    lua_pushinteger(L, loading_set(L)->limits.deadline_ms);
    return 1;
}

/* zone(name) → {time, seconds east of Greenwich, …} in order of time, or nil when there is no such zone */
static int on_zone(lua_State *L)
{
    struct zone_change changes[ZONE_CHANGES_MAX];
    size_t count = zone_read(luaL_checkstring(L, 1), changes, ZONE_CHANGES_MAX);
    if (count == 0) return 0;
    lua_createtable(L, (int)count * 2, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushnumber(L, (double)changes[i].at_s);
        lua_rawseti(L, -2, (int)i * 2 + 1);
        lua_pushinteger(L, changes[i].offset_s);
        lua_rawseti(L, -2, (int)i * 2 + 2);
    }
    return 1;
}

static int on_proxy_newindex(lua_State *L)
{
    return luaL_error(L, "the library '%s' cannot be changed", lua_tostring(L, lua_upvalueindex(1)));
}

/* proxy(name, library) → userdata that reads from the table and cannot be written, whatever one tries */
static int on_proxy(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_newuserdata(L, 0); // name library proxy
    lua_newtable(L);       // name library proxy metatable
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, on_proxy_newindex, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    return 1;
}

/* install(phase, run, after_fault): the functions that evaluations of "request", "attempt" … begin with */
static int on_install(lua_State *L)
{
    struct policy_set *set = loading_set(L);
    struct policy_entry *entry = &set->entries[luaL_checkoption(L, 1, NULL, bind_phase_names)];
    luaL_checktype(L, 2, LUA_TFUNCTION);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    entry->after_fault_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    entry->run_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* is_checked() → whether the same was loaded before, and all said of it */
static int on_is_checked(lua_State *L)
{
    lua_pushboolean(L, loading_set(L)->is_checked);
    return 1;
}

/* buffer_streams(): some on_response wants them whole */
static int on_buffer_streams(lua_State *L)
{
    loading_set(L)->buffers = true;
    return 0;
}

/* wants_remote(path, line): a rule or a hook of this file wants records in PostgreSQL */
static int on_wants_remote(lua_State *L)
{
    struct policy_set *set = loading_set(L);
    struct slice path = bind_check_slice(L, 1), folder = SLICE("policies/");
    if (set->remote_file || !slice_starts(path, folder)) return 0;
    set->remote_file = bundle_find(set->bundle, slice_of(path.ptr + folder.len, path.len - folder.len));
    set->remote_line = (int)luaL_checkinteger(L, 2);
    return 0;
}

/* watched() → whether a test observes this generation */
static int on_watched(lua_State *L)
{
    lua_pushboolean(L, loading_set(L)->observer.on_outline != NULL);
    return 1;
}

/* watch(outline, {name, table, name, table, …}): the rules there are, and the tables whose functions are watched */
static int on_watch(lua_State *L)
{
    struct policy_set *set = loading_set(L);
    struct slice outline = bind_check_slice(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    if (!set->observer.on_outline) return 0;
    lua_settop(L, 2);
    set->watched_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    set->observer.on_outline(set->observer.arg, outline);
    return 0;
}

/* keep(use): how further scripts of this state are reached (lua/ask.h) */
static int on_keep(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    loading_set(L)->use_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

#define NEAREST_MAX 2000

/* nearest(word, list) → the entry of the list that it most likely stands for, or nil */
static int on_nearest(lua_State *L)
{
    struct slice word = bind_check_slice(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t count = lua_objlen(L, 2), used = 0;
    if (count > NEAREST_MAX) count = NEAREST_MAX;
    const char **known = lua_newuserdata(L, (count + 1) * sizeof *known);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, 2, (int)i);
        if (lua_type(L, -1) == LUA_TSTRING) known[used++] = lua_tostring(L, -1); /* the list keeps it alive */
        lua_pop(L, 1);
    }
    lua_pushstring(L, nearest_word(word, known, used));
    return 1;
}

/* --- examples --- */

/* Owns what a simulation needs, so that a raise in the middle frees it all the same. */
struct simulation {
    struct exchange *x;
    struct policy_eval eval;
    struct policy_host host; /* the counters of the set's */
    struct answers answers;  /* of a record, instead of them */
};

static int on_simulation_gc(lua_State *L)
{
    struct simulation *simulation = lua_touserdata(L, 1);
    simulate_free(simulation->x);
    simulation->x = NULL;
    return 0;
}

static struct simulation *push_simulation(lua_State *L)
{
    struct simulation *simulation = lua_newuserdata(L, sizeof *simulation);
    *simulation = (struct simulation){0};
    lua_newtable(L);
    lua_pushcfunction(L, on_simulation_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return simulation;
}

/* It peeks at the counters, and takes nothing; other services it has none. */
static void decide_simulation(struct policy_set *set, struct simulation *simulation, const struct policy_entry *entry)
{
    struct policy_call how = {.phase = PHASE_REQUEST, .is_rehearsal = true};
    if (set->host && set->host->counters) {
        simulation->host = (struct policy_host){.counters = set->host->counters,
                                                .counters_cancel = set->host->counters_cancel};
        how.host = &simulation->host;
        how.host_arg = set->host_arg;
    }
    bool is_again = simulation->x->asked.recall != NULL;
    if (is_again) {
        simulation->answers = (struct answers){.x = simulation->x};
        how = (struct policy_call){
            .phase = PHASE_REQUEST, .host = answers_host(), .host_arg = &simulation->answers};
    }
    struct policy_eval *eval = &simulation->eval;
    enum policy_step step;
    eval_init(eval, set, simulation->x, entry, &how);
    while ((step = eval_step(eval)) != POLICY_DONE) {
        if (step == POLICY_WAITING && is_again) answers_give(&simulation->answers);
        else if (step == POLICY_WAITING) calls_refuse(eval); /* this stands inside a call of Lua's: nobody can wait */
    }
    eval_clear(eval);
}

/* A request that is described, or {"record":…} of one that was decided before. */
static struct exchange *simulated(struct slice description, struct fault *why)
{
    struct json_tape tape;
    json_init(&tape);
    uint32_t record = json_parse(&tape, description, why) ? json_get(&tape, 0, SLICE("record")) : JSON_NONE;
    struct slice text = json_raw(&tape, record);
    json_clear(&tape);
    return record == JSON_NONE ? simulate_exchange(description, why) : again_exchange(text, why);
}

/* simulate(description, decide, after_fault) → outcome, or nil and why not: one made-up request, decided by the given
 * functions */
static int on_simulate(lua_State *L)
{
    struct policy_set *set = bind_set(L);
    struct slice description = bind_check_slice(L, 1);
    struct fault why;
    luaL_checktype(L, 2, LUA_TFUNCTION);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    struct simulation *simulation = push_simulation(L);
    simulation->x = simulated(description, &why);
    if (!simulation->x) {
        lua_pushnil(L);
        lua_pushstring(L, fault_message(&why));
        return 2;
    }
    lua_pushvalue(L, 2);
    struct policy_entry entry;
    entry.run_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, 3);
    entry.after_fault_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    decide_simulation(set, simulation, &entry);
    luaL_unref(L, LUA_REGISTRYINDEX, entry.run_ref);
    luaL_unref(L, LUA_REGISTRYINDEX, entry.after_fault_ref);
    bind_push_outcome(L, simulation->x);
    simulate_free(simulation->x); /* now, not when the collector comes: thousands may follow */
    simulation->x = NULL;
    return 1;
}

void bind_load_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"script", on_script},
                                         {"scripts", on_scripts},
                                         {"load", on_load_chunk},
                                         {"globals", on_globals},
                                         {"bundle_text", on_bundle_text},
                                         {"bundle_paths", on_bundle_paths},
                                         {"digest", on_digest},
                                         {"run", on_run},
                                         {"raised", on_raised},
                                         {"error", on_error},
                                         {"governance", on_governance},
                                         {"deadline_ms", on_deadline_ms},
                                         {"proxy", on_proxy},
                                         {"zone", on_zone},
                                         {"install", on_install},
                                         {"watched", on_watched},
                                         {"watch", on_watch},
                                         {"is_checked", on_is_checked},
                                         {"buffer_streams", on_buffer_streams},
                                         {"wants_remote", on_wants_remote},
                                         {"keep", on_keep},
                                         {"nearest", on_nearest},
                                         {"simulate", on_simulate},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
    sandbox_push_safe(L);
    lua_setfield(L, -2, "safe");
}
