/*
 * What tests may see of a generation beside its decisions: which lines of its policy files run, which rules there are,
 * and the tables that its policies came in. The one door of core/testkit/ into the inside of a generation.
 *
 *     struct policy_observer observer = {.on_outline = keep, .on_line = count, .slowdown = 20, .arg = watch};
 *     struct policy_load load = {.settings = settings, .observer = &observer};
 *     struct policy_set *set = policy_set_load_for(bundle, &load, &errors);
 *     policy_set_visit(set, walk, &arg, &why);
 *
 * An observed generation is slower, and nothing that serves requests is observed.
 */
#ifndef MOONGATE_LUA_OBSERVE_H
#define MOONGATE_LUA_OBSERVE_H

#include <lua.h>

#include "lua/policy.h"

struct policy_observer {
    /* The rules of the generation, a line each: policy, file, line and rule, with tabs between. Once, at the end of
     * loading; borrowed for the call. NULL: nothing is gathered for policy_set_visit() either. */
    void (*on_outline)(void *arg, struct slice outline);
    /* A line of "policies/x.lua" runs. NULL: no hook at lines. */
    void (*on_line)(void *arg, const char *source, int line);
    unsigned slowdown; /* with on_line: evaluations may take so many times the CPU */
    void *arg; /* outlives the set */
};

/*
 * Calls fn(arg as light userdata, list) inside the generation's state, protected: list is {name, table, name, table, …}
 * of what its policy files returned, nil when nothing was gathered. False and *why when fn raised.
 */
bool policy_set_visit(struct policy_set *set, lua_CFunction fn, void *arg, struct fault *why);

#endif
