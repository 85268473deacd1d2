/*
 * Counters for specs: what policies ask of them goes to a function of the spec, which keeps them in a table.
 *
 *     {"count_with", counters_count_with}     // engine.count_with(fn)
 *     load.host = counters_rehearsing_host();
 *     counters_enter(L);                      // before anything is decided: whose function answers
 *     counters_answer_next(L)                 // for an evaluation that waits
 *     counters_close(L, x, totals);           // the request has ended
 *
 * fn("admit" or "peek", { items = …, hold = … }) gives the answer, or nil and why not; fn("settle", { hold =, tokens =,
 * nano = }) and fn("release", { hold = }) close what was admitted; fn("notify", …) tells somebody
 * (scripts/test/counters.lua). Evaluations are put aside until they are answered, as with counters behind a network.
 */
#ifndef MOONGATE_TESTKIT_COUNTERS_H
#define MOONGATE_TESTKIT_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "exchange/exchange.h"
#include "lua/host.h"

int counters_count_with(lua_State *L);
void counters_enter(lua_State *L);
/* For requests made up inside a generation, which nobody can put aside: answers come inside the call. */
const struct policy_host *counters_rehearsing_host(void);

/* Members of a host: what is asked waits in a queue. */
void counters_ask(void *arg, const struct counters_question *question, uint64_t ticket);
void counters_forget(void *arg, uint64_t ticket);
void counters_notify(void *arg, const struct counters_notice *notice);

bool counters_are_asked(void);
/* Answers the question that waited longest. False: the function raised; its message is on top of L. */
bool counters_answer_next(lua_State *L);

/* Closes what the exchange holds. An allowed request came to these totals, where one is negative to what was held; any
 * other gives all of it back. False as above. */
bool counters_close(lua_State *L, struct exchange *x, struct counters_totals actual);

#endif
