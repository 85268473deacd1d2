/*
 * Services for specs: calls are answered by a function of the spec, metrics and logs are written down for it. And the
 * phases after the request, driven as a worker drives them, with an answer that the spec made up.
 *
 *     {"serve_with", testbed_serve_with}     // engine.serve_with(fn): fn(call) → reply, or nil and why not
 *     {"seen", testbed_seen}                 // engine.seen() → JSON, a line each: {"metric": …} or {"log": …}; forgets them
 *     {"respond", testbed_respond}           // engine.respond(engine, description of a request, of an answer) → outcome
 *
 *     eval = testbed_begin(L, set, x, PHASE_REQUEST);
 *     bool ok = testbed_evaluate(L, eval, &slices);   // false: the spec's function raised; its message is on top of L
 *
 * The description of an answer is JSON: "status", "text" or "chunks" (a stream), "finish_reason", "input_tokens",
 * "output_tokens", "cached_tokens", "outcome" (when it is not "ok"). An attempt that on_attempt denied is no attempt.
 * The outcome has, beside what engine.decide gives: answer = {kind, status, code, reason, policy, rule, phase} when a
 * later hook spoke, delivered = the text that left.
 */
#ifndef MOONGATE_LUA_TESTBED_SERVICES_H
#define MOONGATE_LUA_TESTBED_SERVICES_H

#include <lua.h>

#include "lua/eval.h"

int testbed_serve_with(lua_State *L);
int testbed_seen(lua_State *L);

struct policy_eval *testbed_begin(lua_State *L, struct policy_set *set, struct exchange *x,
                                  const struct policy_call *how);
/* To its end; *slices counts steps. */
bool testbed_evaluate(lua_State *L, struct policy_eval *eval, int *slices);

/* The work of engine.respond() for a set. Leaves the outcome, or raises. */
int testbed_respond_with(lua_State *L, struct policy_set *set, struct slice request, struct slice answer);

#endif
