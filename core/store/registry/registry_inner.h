/*
 * What the registry's files share; nobody else includes it.
 *
 *     registry/sqlite.c    the open file, its tables
 *     registry/changes.c   what the ledger is to be told
 *     registry/keys.c      making, rotating and revoking keys
 *     registry/list.c      all of them
 *     registry/sections.c  what workers get, of each kind
 *     registry/topups.c    making, ending and listing top-ups
 *     registry/reading.c   what is there, without opening it for writing
 *     registry/mark.c      has it changed? without opening it
 *     registry/text.c      names that nobody guesses, lists as workers get them
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
/* Takes back what was begun, if anything was. Always false. */
bool registry_give_up(struct registry *r);
/* The end of a transaction that began with the reading of what it changes. */
enum registry_found registry_end_change(struct registry *r, enum registry_found found, bool is_good, struct fault *why);
/* The text outlives the statement. */
void registry_bind_text(sqlite3_stmt *q, int at, struct slice text);
/* `count` characters of base 62 and a NUL. */
bool registry_random(char *text, size_t count, struct fault *why);
/* {"name":list} in one line; the list is given back. */
void registry_append(struct buf *out, const char *name, struct json_t *list);
/* `before` and `after` are given back; NULL: there is none. Both are what differs, without secrets. In the transaction
 * of what is changed: both are there, or neither. */
bool registry_note(struct registry *r, const struct change_by *by, const char *action, struct slice target,
                   struct json_t *before, struct json_t *after, struct fault *why);

#endif
