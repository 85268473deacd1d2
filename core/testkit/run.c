#include "testkit/run.h"

#include <stdio.h>

#include <lauxlib.h>
#include <lualib.h>

#include "lua/bind_values.h"
#include "lua/script.h"
#include "testkit/engine.h"

static void set_flag(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

static const struct run_job *job_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* on_test(name) */
static int on_test(lua_State *L)
{
    job_of(L)->on_test(job_of(L)->arg, bind_check_slice(L, 1));
    return 0;
}

/* on_failure(file, line, name, text) */
static int on_failure(lua_State *L)
{
    struct run_failure failure = {.file = bind_opt_slice(L, 1),
                                      .line = (int)luaL_optinteger(L, 2, 0),
                                      .name = bind_opt_slice(L, 3),
                                      .text = bind_check_slice(L, 4)};
    job_of(L)->on_failure(job_of(L)->arg, &failure);
    return 0;
}

static void push_call(lua_State *L, const struct run_job *job, const char *name, lua_CFunction fn)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)job);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, name);
}

static void push_bundle(lua_State *L, const struct bundle *bundle)
{
    lua_newtable(L);
    for (size_t i = 0; i < bundle_count(bundle); i++) {
        const struct bundle_file *file = bundle_at(bundle, i);
        lua_pushlstring(L, file->path.ptr, file->path.len);
        lua_pushlstring(L, file->text.ptr, file->text.len);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "bundle");
}

static void push_options(lua_State *L, const struct run_job *job)
{
    lua_newtable(L);
    set_flag(L, "is_json", job->is_json);
    set_flag(L, "is_coloured", job->is_coloured);
    set_flag(L, "has_coverage", job->has_coverage);
    lua_pushstring(L, job->policies);
    lua_setfield(L, -2, "policies");
    if (job->bundle) {
        push_bundle(L, job->bundle);
        push_call(L, job, "on_test", on_test);
        push_call(L, job, "on_failure", on_failure);
    }
    lua_newtable(L);
    for (size_t i = 0; i < job->word_count; i++) {
        lua_pushstring(L, job->words[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "words");
}

/* Protected; leaves the number that scripts/test/run.lua gives. */
static int run(lua_State *L)
{
    const struct run_job *job = lua_touserdata(L, 1);
    const struct embedded_script *script = script_find(SLICE("scripts/test/run.lua"));
    luaL_openlibs(L);
    if (!script) return luaL_error(L, "scripts/test/run.lua is not in this binary");
    if (luaL_loadbuffer(L, script->text, script->len, "@scripts/test/run.lua") != 0) return lua_error(L);
    engine_open(L);
    push_options(L, job);
    lua_call(L, 2, 1);
    lua_pushinteger(L, lua_tointeger(L, -1));
    lua_setfield(L, LUA_REGISTRYINDEX, "moongate.end");
    return 0;
}

enum run_end run_specs(const struct run_job *job)
{
    enum run_end end = RUN_UNUSABLE;
    lua_State *L = luaL_newstate();
    if (!L) return end;
    if (lua_cpcall(L, run, (void *)job) == 0) {
        lua_getfield(L, LUA_REGISTRYINDEX, "moongate.end");
        end = lua_tointeger(L, -1) == 0 ? RUN_PASSED : lua_tointeger(L, -1) == 1 ? RUN_FAILED : end;
    } else {
        const char *text = lua_tostring(L, -1);
        fprintf(stderr, "error: %s\n", text ? text : "the tests ended with an error that is no text");
    }
    fflush(stdout);
    lua_close(L);
    return end;
}
