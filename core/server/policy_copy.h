/*
 * The policies in force, loaded once more in a process that decides nothing, so that its scripts can tell of them.
 *
 *     struct policy_set *set = policy_copy_load(bundle, settings);     // NULL: they do not load, and the log says so
 *     policy_copy_free(set);
 *
 * Beside jansson: lua/policy.h cannot be included where that is.
 */
#ifndef MOONGATE_SERVER_POLICY_COPY_H
#define MOONGATE_SERVER_POLICY_COPY_H

#include "exchange/settings.h"
#include "lua/bundle.h"

struct policy_set;

struct policy_set *policy_copy_load(struct bundle *bundle, const struct settings *settings);
void policy_copy_free(struct policy_set *set); /* NULL is welcome */

#endif
