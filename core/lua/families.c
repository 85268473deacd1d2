#include "lua/families.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <strings.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "lua/script.h"

/* --- reading, protected --- */

int64_t family_whole(lua_State *L, int table, const char *field)
{
    lua_getfield(L, table, field);
    lua_Number value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return (int64_t)value;
}

bool family_flag(lua_State *L, int table, const char *field)
{
    lua_getfield(L, table, field);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

int family_word(lua_State *L, int table, const char *field, const char *const *words, int count)
{
    lua_getfield(L, table, field);
    const char *word = luaL_optstring(L, -1, words[0]);
    int place = 0;
    while (place < count && strcmp(word, words[place]) != 0)
        place++;
    if (place == count) luaL_error(L, "%s: no such word as '%s'", field, word);
    lua_pop(L, 1);
    return place;
}

static void add_names(lua_State *L, struct families *f, int table)
{
    lua_getfield(L, table, "names");
    for (int i = 1; lua_rawgeti(L, -1, i), !lua_isnil(L, -1); i++, lua_pop(L, 1)) {
        void *value = mem_zalloc(1, f->size);
        f->all = mem_realloc(f->all, (f->count + 1) * sizeof *f->all);
        f->all[f->count++] = (struct family){slice_str(mem_strdup(luaL_checkstring(L, -1))), value};
        f->read(L, table, value);
    }
    lua_pop(L, 2);
}

static int read_all(lua_State *L)
{
    struct families *f = lua_touserdata(L, 1);
    const struct embedded_script *script = script_find(slice_str(f->script));
    lua_settop(L, 0);
    luaL_openlibs(L);
    if (!script || luaL_loadbuffer(L, script->text, script->len, f->script) != 0) return lua_error(L);
    lua_call(L, 0, 1);
    for (int i = 1; lua_rawgeti(L, 1, i), !lua_isnil(L, -1); i++, lua_settop(L, 1))
        add_names(L, f, lua_gettop(L));
    return 0;
}

static void read_once(struct families *f)
{
    if (f->count) return;
    lua_State *L = luaL_newstate();
    bool is_read = L && lua_cpcall(L, read_all, f) == 0;
    if (!is_read) log_event(LOG_ERROR, "catalogue", "%s", L ? lua_tostring(L, -1) : "out of memory");
    check(is_read && f->count > 0);
    lua_close(L);
}

/* --- finding --- */

static const struct family *longest(const struct families *f, struct slice name, const struct family *best)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct family *one = &f->all[i];
        bool fits = one->name.len <= name.len && strncasecmp(name.ptr, one->name.ptr, one->name.len) == 0;
        if (fits && (!best || one->name.len > best->name.len)) best = one;
    }
    return best;
}

const void *families_find(struct families *f, struct slice model)
{
    const struct family *best = NULL;
    read_once(f);
    for (size_t at = 0; at < model.len; at++) {
        char before = at ? model.ptr[at - 1] : '/';
        if (before == '/' || before == ':' || before == '.')
            best = longest(f, slice_of(model.ptr + at, model.len - at), best);
    }
    return best ? best->value : NULL;
}

const char *families_name(const struct families *f, const void *value)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->all[i].value == value) return f->all[i].name.ptr;
    }
    return "";
}
