/*
 * What tests want to know of a generation beside its decisions: which lines of the policy files ran, which rules there
 * are, and what the policies' functions remember from one request to the next.
 *
 *     struct watch *watch = watch_new(true);
 *     struct policy_set *set = policy_set_load_tested(bundle, settings, watch, NULL, &errors);
 *     ... decide ...
 *     if (watch_ran(watch, SLICE("policies/access.lua"), 12)) ...
 *     watch_memory(set, &out, &why);        // compare with the same of before
 *     policy_set_unref(set);
 *     watch_free(watch);                    // after the set
 *
 * With lines a state runs a hook at every line, and its CPU limit is WATCH_SLOWDOWN times as high: for tests only.
 * Limits: LIMIT_WATCH_VALUES for what functions remember.
 */
#ifndef MOONGATE_LUA_WATCH_H
#define MOONGATE_LUA_WATCH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/fault.h"
#include "lua/policy.h"
#include "lua/vm.h"

#define WATCH_SLOWDOWN 20u

struct watch;

/* has_lines: lines are of interest too. */
struct watch *watch_new(bool has_lines);
bool watch_has_lines(const struct watch *watch);
void watch_free(struct watch *watch); /* NULL is welcome */

/* vm_watch() calls this, with the watch as its argument. */
void watch_line(void *watch, const char *source, int line);
/* path: "policies/access.lua" */
bool watch_ran(const struct watch *watch, struct slice path, int line);

/* The rules of the generation, a line each: policy, file, line and rule, with tabs between. */
void watch_set_outline(struct watch *watch, struct slice outline);
struct slice watch_outline(const struct watch *watch);

/*
 * Appends a line for each value that functions of policies can reach through their upvalues and that is not reached by
 * another way before: "interns^seen.ana", a byte 1, the value. Policies with keeps_state = true are left out.
 * False and *why when there is more than LIMIT_WATCH_VALUES of it.
 */
bool watch_memory(struct policy_set *set, struct buf *out, struct fault *why);

#endif
