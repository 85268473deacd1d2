/*
 * What tests want to know of a generation beside its decisions: which lines of the policy files ran, which rules there
 * are, and what the policies' functions remember from one request to the next.
 *
 *     struct watch *watch = watch_new(true);
 *     struct policy_observer observer = watch_observer(watch);
 *     struct policy_set *set = policy_set_load_observed(bundle, settings, &observer, &errors);
 *     ... decide ...
 *     if (watch_ran(watch, SLICE("policies/access.lua"), 12)) ...
 *     watch_memory(set, &out, &why);        // compare with the same of before
 *     policy_set_unref(set);
 *     watch_free(watch);                    // after the set
 *
 * With lines a state runs a hook at every line, and its CPU limit is WATCH_SLOWDOWN times as high: for tests only.
 * Limits: LIMIT_WATCH_VALUES for what functions remember.
 */
#ifndef MOONGATE_TESTKIT_WATCH_H
#define MOONGATE_TESTKIT_WATCH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/fault.h"
#include "lua/observe.h"
#include "lua/policy.h"

#define WATCH_SLOWDOWN 20u

struct watch;

/* has_lines: lines are of interest too. */
struct watch *watch_new(bool has_lines);
void watch_free(struct watch *watch); /* NULL is welcome */

/* What makes the watch see a generation. */
struct policy_observer watch_observer(struct watch *watch);
/* path: "policies/access.lua" */
bool watch_ran(const struct watch *watch, struct slice path, int line);

/* The rules of the generation, a line each: policy, file, line and rule, with tabs between. */
struct slice watch_outline(const struct watch *watch);

/*
 * Appends a line for each value that functions of policies can reach through their upvalues and that is not reached by
 * another way before: "interns^seen.ana", a byte 1, the value. Policies with keeps_state = true are left out.
 * False and *why when there is more than LIMIT_WATCH_VALUES of it.
 */
bool watch_memory(struct policy_set *set, struct buf *out, struct fault *why);

#endif
