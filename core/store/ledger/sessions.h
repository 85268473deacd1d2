/*
 * What a ledger's file remembers of the counters that a fleet shares (store/counters/script.h): the name under which
 * its sums are told, and the sessions that its gateway has begun and that nobody has cleared away yet.
 *
 *     ledger_sessions_source(db, source);               // the file's own name, the same in all of its copies
 *     ledger_sessions_name(gateway, session, sizeof session);
 *     ledger_sessions_keep(db, session);                // before it is begun: who is killed leaves it behind by name
 *     ledger_sessions_each(db, false, on_session, arg);
 *     ledger_sessions_clear(db, session, now_s);        // nothing is held in it any more
 *     ledger_sessions_forget(db, before_s);
 *
 * What was cleared is remembered for some time: a Redis that loses its last seconds has it once more.
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
bool ledger_sessions_clear(sqlite3 *db, const char *session, int64_t now_s);
/* Those that were cleared before that time. */
bool ledger_sessions_forget(sqlite3 *db, int64_t before_s);
/* All, or those that were not cleared; these come first. The name is borrowed for the call, in which nothing is
 * written. */
bool ledger_sessions_each(sqlite3 *db, bool is_all, void (*fn)(void *arg, const char *session), void *arg);

#endif
