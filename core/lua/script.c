#include "lua/script.h"

#include <lauxlib.h>

#include "base/buf.h"
#include "base/fiber.h"
#include "base/mem.h"

const struct embedded_script *script_find(struct slice name)
{
    for (const struct embedded_script *s = script_table; s->name; s++) {
        if (slice_equal(slice_str(s->name), name)) return s;
    }
    return NULL;
}

/* Bytecode by place in the table; for the life of the process, and of those that it forks. Only what was compiled here
 * is ever loaded from here. */
static struct buf *compiled;

static struct buf *compiled_at(const struct embedded_script *script)
{
    if (!compiled) {
        size_t count = 0;
        while (script_table[count].name)
            count++;
        compiled = mem_zalloc(count, sizeof *compiled);
    }
    return &compiled[script - script_table];
}

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
    struct buf *code = compiled_at(script);
    if (buf_len(code) == 0) {
        compile(L, script);
        lua_dump(L, on_dump, code);
        return;
    }
    fiber_rest();
    if (luaL_loadbuffer(L, buf_ptr(code), buf_len(code), script->name) != 0) lua_error(L);
}
