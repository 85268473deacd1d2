/*
 * The tables of <data>/ledger.db. `chain` is the truth; all others but `texts`, `anchors`,
 * `outbox` and `objects` are made from it and can be made anew (`moongate ledger check`).
 */
#ifndef MOONGATE_STORE_LEDGER_SCHEMA_H
#define MOONGATE_STORE_LEDGER_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/fault.h"

#define LEDGER_FILE "ledger.db"
#define LEDGER_SCHEMA_VERSION 5

/* Of the tables of sums. */
#define LEDGER_ROLLUP_COLUMNS                                                                                          \
    "day INTEGER NOT NULL,"                                                                                            \
    "department TEXT NOT NULL, app TEXT NOT NULL, user TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL,"    \
    "key_id TEXT NOT NULL,"                                                                                            \
    "requests INTEGER NOT NULL, denied INTEGER NOT NULL, failed INTEGER NOT NULL, unpriced INTEGER NOT NULL,"          \
    "input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,"                                                   \
    "output_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,"                                               \
    "cost_nano INTEGER NOT NULL, saved_nano INTEGER NOT NULL,"                                                         \
    "PRIMARY KEY(day, department, app, user, model, provider, key_id)"
#define LEDGER_LABEL_COLUMNS                                                                                           \
    "day INTEGER NOT NULL, label TEXT NOT NULL, value TEXT NOT NULL,"                                                  \
    "requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,"                        \
    "cost_nano INTEGER NOT NULL,"                                                                                      \
    "PRIMARY KEY(day, label, value)"
#define LEDGER_CHARGES_COLUMNS(more)                                                                                   \
    "key TEXT NOT NULL, start_s INTEGER NOT NULL, stop_s INTEGER NOT NULL, idle_s INTEGER NOT NULL,"                   \
    "nano INTEGER NOT NULL, last_s INTEGER NOT NULL," more                                                             \
    "PRIMARY KEY(key, start_s)"
/* Of a session, when its sum began; 0: it is a period, or had begun when that was not noted yet. */
#define LEDGER_CHARGES_BEGUN "begun_s INTEGER NOT NULL DEFAULT 0"

/* What each version adds to the one before; a new file takes them all. */
extern const char *const ledger_schemas[LEDGER_SCHEMA_VERSION];

/* Up to which it is; 0: it has no tables. False: it cannot be read, or is newer than this program, which leaves it
 * alone then. */
bool ledger_schema_read(sqlite3 *db, const char *path, int *version, struct fault *why);
/* It is of this version; for who cannot bring it up to date. *why: what is wrong, a newline, the cure. */
bool ledger_schema_is_known(sqlite3 *db, const char *path, struct fault *why);

#endif
