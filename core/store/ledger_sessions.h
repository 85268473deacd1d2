/*
 * What a ledger's file remembers of the counters that a fleet shares (store/counters_script.h): the name under which
 * its sums are told, and the sessions that its gateway has begun: also those that were cleared away, for a day. A Redis
 * that loses the last it was told, as a replica or a file may, has them again.
 *
 *     ledger_sessions_source(db, source);               // the file's own name, the same in all of its copies
 *     ledger_sessions_name(gateway, session, sizeof session);
 *     ledger_sessions_keep(db, session);                // before it is begun: who is killed leaves it behind by name
 *     ledger_sessions_each(db, on_session, arg);        // those that were never cleared away first
 *     ledger_sessions_cleared(db, session, now_s);      // nothing is held in it any more
 *
 * Rows of `meta`. Each write is a transaction of its own, between batches. False: sqlite3_errmsg(db) says why.
 */
#ifndef MOONGATE_STORE_LEDGER_SESSIONS_H
#define MOONGATE_STORE_LEDGER_SESSIONS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_SOURCE_BYTES 17u /* with the NUL: hexadecimal digits */

/* Made when it is asked for first: from the chain's first entry, or at random where there is none. */
bool ledger_sessions_source(sqlite3 *db, char source[LEDGER_SOURCE_BYTES]);
/* A new one: the gateway's name as letters, digits and "-", and what is said of nobody else. */
void ledger_sessions_name(const char *gateway, char *session, size_t size);
bool ledger_sessions_keep(sqlite3 *db, const char *session);
/* Forgets those that have been for long enough, and all but the last LIMIT_COUNTERS_SESSIONS. */
bool ledger_sessions_cleared(sqlite3 *db, const char *session, int64_t now_s);
/* The name is borrowed for the call, in which nothing is written. */
bool ledger_sessions_each(sqlite3 *db, void (*fn)(void *arg, const char *session), void *arg);

#endif
