/*
 * Services for specs: calls are answered by a function of the spec, metrics and logs are written down for it.
 *
 *     {"serve_with", services_serve_with}   // engine.serve_with(fn): fn(call) → reply, or nil and why not
 *     {"seen", services_seen}               // engine.seen() → JSON, {"metric": …} or {"log": …} a line; forgets them
 *
 *     eval = services_begin(L, set, x, PHASE_REQUEST);
 *     bool ok = services_evaluate(L, eval, &slices);   // false: the spec's function raised; its message is on top of L
 */
#ifndef MOONGATE_TESTKIT_SERVICES_H
#define MOONGATE_TESTKIT_SERVICES_H

#include <lua.h>

#include "lua/policy.h"

int services_serve_with(lua_State *L);
int services_seen(lua_State *L);

struct policy_eval *services_begin(lua_State *L, struct policy_set *set, struct exchange *x,
                                  const struct policy_call *how);
/* To its end; *slices counts steps. */
bool services_evaluate(lua_State *L, struct policy_eval *eval, int *slices);

#endif
