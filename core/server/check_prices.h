/* Compares the prices of policies that are about to be loaded with those in force: a figure that is 1,000 times its
 * predecessor is a unit gone wrong. Called by check_policies.c, wherever that runs. */
#ifndef MOONGATE_SERVER_CHECK_PRICES_H
#define MOONGATE_SERVER_CHECK_PRICES_H

#include "lua/policy.h"
#include "server/report.h"

/* set was loaded from bundle; in_force_fd is the sealed bundle of the generation in force, which stays the caller's.
 * What is wrong goes into the report; false when something is.
 * A bundle in force that cannot be read compares with nothing. */
bool check_prices(struct policy_set *set, const struct bundle *bundle, int in_force_fd, struct report *report);

#endif
