#include "lua/script.h"

#include <lauxlib.h>

#include "base/buf.h"

const struct embedded_script *script_find(struct slice name)
{
    for (const struct embedded_script *s = script_table; s->name; s++) {
        if (slice_equal(slice_str(s->name), name)) return s;
    }
    return NULL;
}

#define SCRIPTS_MAX 64

/* Bytecode by place in the table; for the life of the process. Only what was compiled here is ever loaded from here. */
static struct buf compiled[SCRIPTS_MAX];

static int on_dump(lua_State *L, const void *bytes, size_t len, void *arg)
{
    (void)L;
    buf_append(arg, slice_of(bytes, len));
    return 0;
}

static void compile(lua_State *L, const struct embedded_script *script)
{
    lua_pushfstring(L, "@%s", script->name);
    if (luaL_loadbuffer(L, script->text, script->len, lua_tostring(L, -1)) != 0) lua_error(L);
    lua_remove(L, -2);
}

void script_push(lua_State *L, const struct embedded_script *script)
{
    size_t index = (size_t)(script - script_table);
    if (index >= SCRIPTS_MAX) {
        compile(L, script);
        return;
    }
    struct buf *code = &compiled[index];
    if (buf_len(code) == 0) {
        compile(L, script);
        lua_dump(L, on_dump, code);
        return;
    }
    if (luaL_loadbuffer(L, buf_ptr(code), buf_len(code), script->name) != 0) lua_error(L);
}
