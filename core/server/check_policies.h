/* The work of a check itself, wherever it runs. Apart from checker.c because wire/json.h and jansson.h clash. */
#ifndef MOONGATE_SERVER_CHECK_POLICIES_H
#define MOONGATE_SERVER_CHECK_POLICIES_H

#include "lua/policy.h"
#include "server/checker.h"
#include "server/config.h"

/* What policies are checked against. */
struct check_against {
    const struct settings *settings; /* NULL: default limits, and any provider and database will do */
    bool has_postgres;
    int in_force_fd; /* the bundle whose prices it is compared with, or -1 */
};

/* Reads and loads a policy folder; false when the report got errors. The bundle's bytes are appended to `out`. */
bool check_policies(const char *folder, const struct check_against *against, struct buf *out,
                    struct check_result *result);

/* Runs the specs of the folder against the serialised bundle that was read from it; failures go into the report, with
 * the spec's name. on_test hears of each spec that begins; NULL is welcome. False when one failed,
 * or none could run. */
bool check_specs(const char *folder, struct slice serialised, struct report *report,
                 void (*on_test)(void *arg, struct slice name), void *arg);

/* Copies them, with the source lines that the bundle knows. */
void check_add_errors(const struct policy_errors *errors, const struct bundle *bundle, struct report *report);

#endif
