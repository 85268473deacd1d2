/*
 * Tables that several policy files share: they read like tables and nobody can change them.
 *
 *     frozen_push(L, "lib/lists", 2);        // pushes a userdata that stands for the table at index 2
 *     if (frozen_table(L, 1)) …              // pushes the table behind one, for who only reads it
 *
 * Userdata, since a stand-in made of a table could be filled by table.insert() or rawset(). The table itself is never
 * shown to a policy. All functions may raise for lack of memory.
 */
#ifndef MOONGATE_LUA_FROZEN_H
#define MOONGATE_LUA_FROZEN_H

#include <stdbool.h>

#include <lua.h>

/* name stands in the error of who tries to write. What the table holds is not frozen by this. */
void frozen_push(lua_State *L, const char *name, int index);
/* False, and nothing is pushed, when the value at index is something else. */
bool frozen_table(lua_State *L, int index);
/* Where the value at index is one, the table takes its place; for functions that only read their arguments. */
void frozen_thaw(lua_State *L, int index);

/* freeze(name, table), thaw(value) → the table or nil: for scripts/modules.lua. */
void frozen_register(lua_State *L);

#endif
