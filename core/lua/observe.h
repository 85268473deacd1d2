/*
 * What tests may see of a generation beside its decisions: which lines of its policy files run, which rules there are,
 * and the tables that its policies came in. The one door of core/testkit/ into the inside of a generation.
 *
 *     struct policy_observer observer = {.on_outline = keep, .on_line = count, .slowdown = 20, .arg = watch};
 *     struct policy_set *set = policy_set_load_observed(bundle, settings, &observer, &errors);
 *     policy_set_visit(set, walk, &arg, &why);
 *
 * An observed generation is slower, and nothing that serves requests is observed.
 */
#ifndef MOONGATE_LUA_OBSERVE_H
#define MOONGATE_LUA_OBSERVE_H

#include <lua.h>

#include "lua/policy.h"

/* Who counts for limits and budgets: called inside Lua, with an operation and its table as the only two values on the
 * stack; gives the answer, or nil and why not. May raise, may yield. */
typedef int (*policy_counters_fn)(lua_State *L);

struct policy_observer {
    /* The rules of the generation, a line each: policy, file, line and rule, with tabs between. Once, at the end of
     * loading; borrowed for the call. NULL: nothing is gathered for policy_set_visit() either. */
    void (*on_outline)(void *arg, struct slice outline);
    /* A line of "policies/x.lua" runs. NULL: no hook at lines. */
    void (*on_line)(void *arg, const char *source, int line);
    unsigned slowdown; /* with on_line: evaluations may take so many times the CPU */
    void *arg;
    policy_counters_fn counters; /* NULL: nobody counts */
};

/* policy_set_load() under the eyes of an observer, which is copied; its arg outlives the set. */
struct policy_set *policy_set_load_observed(struct bundle *bundle, const struct settings *settings,
                                            const struct policy_observer *observer, struct policy_errors *errors);

/*
 * Calls fn(arg as light userdata, list) inside the generation's state, protected: list is {name, table, name, table, …}
 * of what its policy files returned, nil when nothing was gathered. False and *why when fn raised.
 */
bool policy_set_visit(struct policy_set *set, lua_CFunction fn, void *arg, struct fault *why);

#endif
