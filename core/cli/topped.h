/*
 * The top-ups of budgets that hold now, as the registry of a data folder has them, for commands that show them or
 * decide by them.
 *
 *     struct topups *topups = topped_read(data_dir, now_s, why, sizeof why);
 *     topups_unref(topups);
 *
 * A registry that may not be read is no reason to show nothing: then there are none, and `why` says why for people.
 */
#ifndef MOONGATE_CLI_TOPPED_H
#define MOONGATE_CLI_TOPPED_H

#include <stddef.h>

#include "store/topups.h"

struct json_t;

/* Never NULL. why: "" where they could be read. */
struct topups *topped_read(const char *data_dir, int64_t now_s, char *why, size_t size);
/* Sets the question's "topups", a list for scripts/explain/question.lua, where any are not over. */
void topped_ask(struct json_t *question, const char *data_dir, int64_t now_s, char *why, size_t size);

#endif
