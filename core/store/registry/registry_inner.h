/*
 * What the registry's files share; nobody else includes it.
 *
 *     registry/sqlite.c    the open file, its tables
 *     registry/changes.c   what the ledger is to be told
 *     registry/keys.c      making, rotating and revoking keys
 *     registry/list.c      all of them
 */
#ifndef MOONGATE_STORE_REGISTRY_REGISTRY_INNER_H
#define MOONGATE_STORE_REGISTRY_REGISTRY_INNER_H

#include <sqlite3.h>

#include "store/registry/registry.h"

struct registry {
    sqlite3 *db;
    char *path;
};

/* Always false; says the file and what SQLite says. */
bool registry_fail(const struct registry *r, struct fault *why);
bool registry_run(struct registry *r, const char *sql, struct fault *why);
/* `before` and `after` are given back; NULL: there is none. Both are what differs, without secrets. In the transaction
 * of what is changed: both are there, or neither. */
bool registry_note(struct registry *r, const struct change_by *by, const char *action, struct slice target,
                   struct json_t *before, struct json_t *after, struct fault *why);

#endif
