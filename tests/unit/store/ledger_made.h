/*
 * A ledger for tests of those who read one: the real tables, rows as a test says, no writer.
 *
 *     char folder[64];
 *     sqlite3 *db = made_open(folder);              // <folder>/ledger.db, as the writer leaves it (WAL)
 *     made_request(db, 1, "ok", "department='Sales', cost_nano=5");
 *     made_close(db, folder);                       // and the folder goes
 */
#ifndef MOONGATE_TESTS_LEDGER_MADE_H
#define MOONGATE_TESTS_LEDGER_MADE_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/ledger/schema.h"

#define MADE_TIME_US 1793491200000000ll /* 2026-11-01T00:00:00Z */

static inline void made_run(sqlite3 *db, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", sql, error);
        abort();
    }
}

static inline sqlite3 *made_open(char folder[64])
{
    char path[128];
    sqlite3 *db;
    snprintf(folder, 64, "/tmp/moongate-read-XXXXXX");
    check(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/" LEDGER_FILE, folder);
    check(sqlite3_open(path, &db) == SQLITE_OK);
    made_run(db, "PRAGMA journal_mode = WAL");
    for (int i = 0; i < LEDGER_SCHEMA_VERSION; i++)
        made_run(db, ledger_schemas[i]);
    snprintf(path, sizeof path, "PRAGMA user_version = %d", LEDGER_SCHEMA_VERSION);
    made_run(db, path);
    return db;
}

static inline void made_close(sqlite3 *db, const char *folder)
{
    char command[256];
    sqlite3_close(db);
    snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", folder, folder);
    check(system(command) == 0);
}

static inline void made_entry(sqlite3 *db, int seq, int kind, const char *body)
{
    char *sql = sqlite3_mprintf("INSERT INTO chain VALUES(%d, %d, CAST(%Q AS BLOB), zeroblob(32))", seq, kind, body);
    made_run(db, sql);
    sqlite3_free(sql);
}

/* Request number seq at second seq of 2026-11-01, with empty columns but for those that `set` names as UPDATE does. */
static inline void made_request(sqlite3 *db, int seq, const char *outcome, const char *set)
{
    char *sql = sqlite3_mprintf(
        "INSERT INTO records VALUES(%d, x'0199f3a27c41700080%014x', %lld, 20261101, 'chat', 200, %Q, '','','','','','',"
        "'','','','','','','',0,0,0,0,0,0,0,0,0,0,'','','','',0,'',0,'','','',0,'')",
        seq, seq, MADE_TIME_US + seq * 1000000ll, outcome);
    made_run(db, sql);
    sqlite3_free(sql);
    sql = sqlite3_mprintf("UPDATE records SET %s WHERE seq = %d", set, seq);
    made_run(db, sql);
    sqlite3_free(sql);
}

#endif
