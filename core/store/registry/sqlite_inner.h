/*
 * What sqlite.c and upgrade.c know of each other: the file behind a registry.
 */
#ifndef MOONGATE_STORE_REGISTRY_SQLITE_INNER_H
#define MOONGATE_STORE_REGISTRY_SQLITE_INNER_H

#include <sqlite3.h>

#include "store/registry/registry_inner.h"

struct registry_sqlite {
    struct registry base;
    sqlite3 *db;
};

/* In a transaction that is under way: the tables of version 1 to 4 become those that `make` makes. */
bool registry_upgrade(struct registry_sqlite *s, int version,
                      bool (*make)(struct registry_sqlite *s, struct fault *why), struct fault *why);
bool registry_sqlite_version(struct registry_sqlite *s, int *version, struct fault *why);
/* Inside one transaction, so that two processes that start together make it once. Without one where there is nothing
 * to do: who only reads waits for nobody. */
bool registry_sqlite_migrate(struct registry_sqlite *s, struct fault *why);

#endif
