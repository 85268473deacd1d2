/*
 * Counters of which nothing was ever taken, and of which nothing ever is: for who loads policies that want counting,
 * and for requests that are only made up. What does not fit into the whole of a limit is refused there too.
 *
 *     struct policy_load load = {.settings = settings, .host = unspent_host()};
 *
 * One process, one thread.
 */
#ifndef MOONGATE_LUA_UNSPENT_H
#define MOONGATE_LUA_UNSPENT_H

#include "lua/host.h"

const struct policy_host *unspent_host(void);
/* What they say to that. As many states as the question has items; the answer points to them. */
void unspent_answer(const struct counters_question *question, struct counters_state *states,
                    struct counters_answer *answer);

#endif
