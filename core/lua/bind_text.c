/* Looking at text without making Lua strings of it, and the small text tools of scripts/. */
#include "lua/bind.h"

/* Backtracks to the last star only, so it is linear in text × stars at worst; both are short names. */
static bool glob(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* glob(pattern, text) → whether a pattern with '*' matches the whole text */
static int on_glob(lua_State *L)
{
    struct slice pattern = bind_check_slice(L, 1), text = bind_check_slice(L, 2);
    vm_charge(L, pattern.len + text.len);
    lua_pushboolean(L, glob(pattern, text));
    return 1;
}

void bind_text_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"glob", on_glob}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
