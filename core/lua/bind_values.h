/*
 * Values between C and Lua, as the bindings and the test kit carry them: slices, JSON, what became of an exchange.
 *
 *     struct slice name = bind_check_slice(L, 1);      // borrowed from Lua: as long as the value stays on the stack
 *     bind_push_outcome(L, x);
 *
 * Of the bindings' files this one alone may be included from above (tests/house/floors.lua). All may raise.
 */
#ifndef MOONGATE_LUA_BIND_VALUES_H
#define MOONGATE_LUA_BIND_VALUES_H

#include <lua.h>

#include "base/slice.h"
#include "exchange/exchange.h"

/* "request", "attempt", "delta", "response", "done", NULL: by enum policy_phase. */
extern const char *const bind_phase_names[];

struct slice bind_check_slice(lua_State *L, int index);
/* Empty when absent or nil. */
struct slice bind_opt_slice(lua_State *L, int index);
/* false for an empty one: how facts say "absent". */
int bind_push_fact(lua_State *L, struct slice s);

/* Pushes a JSON text as tables; raises when it is none. null and [] become {_raw = …} (scripts/json.lua). */
void bind_push_json(lua_State *L, struct slice text);

/* Pushes {kind =, status =, code =, …, trace = {…}} of a finished exchange: for examples and the test kit. */
void bind_push_outcome(lua_State *L, struct exchange *x);

#endif
