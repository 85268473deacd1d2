/* The work of a check itself, wherever it runs. Apart from checker.c because wire/json.h and jansson.h clash. */
#ifndef MOONGATE_SERVER_CHECK_POLICIES_H
#define MOONGATE_SERVER_CHECK_POLICIES_H

#include "lua/policy.h"
#include "server/checker.h"
#include "server/config.h"

/* Reads and loads a policy folder; false when the report got errors. The bundle's bytes are appended to `out`.
 * settings NULL: default limits, and any provider will do. */
bool check_policies(const char *folder, const struct settings *settings, struct buf *out, struct check_result *result);

/* Copies them, with the source lines that the bundle knows. */
void check_add_errors(const struct policy_errors *errors, const struct bundle *bundle, struct report *report);

#endif
