/*
 * The phases after the request for specs, driven as a worker drives them, with an answer that the spec made up.
 *
 *     return respond_with(L, set, request, answer);   // the work of engine.respond()
 *
 * The description of a request is that of lua/simulate.h; that of an answer is JSON: "status", "text" or "chunks" (a
 * stream), which are written in the dialect of the API that was asked, "finish_reason", "input_tokens",
 * "output_tokens", "cached_tokens", "cost_nano" (what budgets are settled with), "outcome" (when it is not "ok"). An
 * attempt that on_attempt denied is no attempt. The outcome has, beside what engine.decide() gives: answer = {kind,
 * status, code, reason, policy, rule, phase} when a later hook spoke, delivered = the text that left.
 */
#ifndef MOONGATE_TESTKIT_RESPOND_H
#define MOONGATE_TESTKIT_RESPOND_H

#include <lua.h>

#include "lua/policy.h"

/* Leaves the outcome, or raises. */
int respond_with(lua_State *L, struct policy_set *set, struct slice request, struct slice answer);

#endif
