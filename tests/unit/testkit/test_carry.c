/* Values between Lua states: whole, copied, and nothing that cannot live in both. */
#include "testkit/carry.h"

#include <lauxlib.h>

#include "../unit.h"

static lua_State *from, *to;

static bool carry_text(const char *text)
{
    lua_settop(from, 0);
    lua_settop(to, 0);
    EXPECT(luaL_loadstring(from, text) == 0 && lua_pcall(from, 0, 1, 0) == 0);
    return carry_value(from, -1, to);
}

/* The number at a path of names of what arrived. */
static double number_at(const char *a, const char *b)
{
    lua_getfield(to, 1, a);
    if (b) lua_getfield(to, -1, b);
    double value = lua_tonumber(to, -1);
    lua_settop(to, 1);
    return value;
}

static void plain_values_arrive_as_they_are(void)
{
    EXPECT(carry_text("return 2.5") && lua_tonumber(to, 1) == 2.5);
    EXPECT(carry_text("return true") && lua_toboolean(to, 1));
    EXPECT(carry_text("return nil") && lua_isnil(to, 1) && lua_gettop(to) == 1);
    size_t len;
    EXPECT(carry_text("return 'a\\0b'"));
    EXPECT(slice_equal(slice_of(lua_tolstring(to, 1, &len), 3), slice_of("a\0b", 3)) && len == 3);
    EXPECT_INT(1, lua_gettop(from));
}

static void tables_are_copied_with_what_they_hold(void)
{
    EXPECT(carry_text("return { n = 1, t = { n = 2 }, 'x', [2.5] = 'y' }"));
    EXPECT(number_at("n", NULL) == 1 && number_at("t", "n") == 2);
    EXPECT_INT(1, (int)lua_objlen(to, 1));
    lua_pushnumber(to, 2.5);
    lua_rawget(to, 1);
    EXPECT(lua_isstring(to, -1));
}

static void what_cannot_live_in_both_is_refused(void)
{
    static const char *const texts[] = {
        "return function() end",
        "return { a = 1, b = function() end }",
        "return { [function() end] = 1 }",
        "local t = {} t.t = t return t",
        "local t = {} for i = 1, 17 do t = { t } end return t",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        EXPECT(!carry_text(texts[i]));
        EXPECT(lua_gettop(to) == 1 && lua_isnil(to, 1));
        EXPECT_INT(1, lua_gettop(from));
    }
    EXPECT(carry_text("local t = {} for i = 1, 15 do t = { t } end return t"));
}

int main(void)
{
    from = luaL_newstate();
    to = luaL_newstate();
    RUN(plain_values_arrive_as_they_are);
    RUN(tables_are_copied_with_what_they_hold);
    RUN(what_cannot_live_in_both_is_refused);
    lua_close(from);
    lua_close(to);
    return unit_close("carry");
}
