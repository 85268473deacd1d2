#include "store/ledger_sessions.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/limits.h"

#define PREFIX "session."
#define GATEWAY_BYTES 24 /* of its name, in a session's */
#define SOURCE_BYTES (LEDGER_SOURCE_BYTES / 2)

/* ---- The source. */

/* Copies of a file, made before it had a name and after, come to the same name. */
static bool first_hash(sqlite3 *db, uint8_t bytes[SOURCE_BYTES])
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, "SELECT hash FROM chain WHERE seq = 1", -1, &q, NULL) != SQLITE_OK) return false;
    int rc = sqlite3_step(q);
    bool is_there = rc == SQLITE_ROW && sqlite3_column_bytes(q, 0) >= (int)SOURCE_BYTES;
    if (is_there) memcpy(bytes, sqlite3_column_blob(q, 0), SOURCE_BYTES);
    else check(getrandom(bytes, SOURCE_BYTES, 0) == (ssize_t)SOURCE_BYTES);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

bool ledger_sessions_source(sqlite3 *db, char source[LEDGER_SOURCE_BYTES])
{
    static const char sql[] =
        "INSERT INTO meta VALUES('counters.source', ?) ON CONFLICT DO UPDATE SET v = v RETURNING v";
    uint8_t bytes[SOURCE_BYTES];
    sqlite3_stmt *q;
    if (!first_hash(db, bytes)) return false;
    hex_write(bytes, sizeof bytes, source);
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    sqlite3_bind_text(q, 1, source, -1, SQLITE_TRANSIENT);
    bool is_good = sqlite3_step(q) == SQLITE_ROW;
    if (is_good) snprintf(source, LEDGER_SOURCE_BYTES, "%s", (const char *)sqlite3_column_text(q, 0));
    is_good = is_good && sqlite3_step(q) == SQLITE_DONE;
    sqlite3_finalize(q);
    return is_good;
}

/* ---- Sessions. */

void ledger_sessions_name(const char *gateway, char *session, size_t size)
{
    uint8_t bytes[8];
    char hex[2 * sizeof bytes + 1], letters[GATEWAY_BYTES + 1];
    check(getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes);
    hex_write(bytes, sizeof bytes, hex);
    snprintf(letters, sizeof letters, "%s", gateway);
    for (char *at = letters; *at; at++) {
        bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!is_letter) *at = '-';
    }
    snprintf(session, size, "%s-%s", letters, hex);
}

/* v is when it was cleared away, or 1. */
static bool write_name(sqlite3 *db, const char *sql, const char *session, int64_t number)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    if (session) sqlite3_bind_text(q, 1, session, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, number);
    bool is_good = sqlite3_step(q) == SQLITE_DONE;
    sqlite3_finalize(q);
    return is_good;
}

bool ledger_sessions_keep(sqlite3 *db, const char *session)
{
    return write_name(db, "INSERT OR IGNORE INTO meta VALUES('" PREFIX "' || ?1, ?2)", session, 1);
}

bool ledger_sessions_cleared(sqlite3 *db, const char *session, int64_t now_s)
{
    static const char clear[] = "UPDATE meta SET v = ?2 WHERE k = '" PREFIX "' || ?1 AND v = 1";
    static const char forget[] = "DELETE FROM meta WHERE k GLOB '" PREFIX "*' AND v > 1 AND v < ?2";
    static const char bound[] = "DELETE FROM meta WHERE k IN (SELECT k FROM meta WHERE k GLOB '" PREFIX "*' AND v > 1"
                                " ORDER BY v DESC LIMIT -1 OFFSET ?2)";
    return write_name(db, clear, session, now_s) &&
           write_name(db, forget, NULL, now_s - LIMIT_COUNTERS_CLEARED_S) &&
           write_name(db, bound, NULL, LIMIT_COUNTERS_SESSIONS);
}

bool ledger_sessions_each(sqlite3 *db, void (*fn)(void *arg, const char *session), void *arg)
{
    sqlite3_stmt *q;
    int rc;
    const char *sql = "SELECT k FROM meta WHERE k GLOB '" PREFIX "*' ORDER BY v, k";
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        fn(arg, (const char *)sqlite3_column_text(q, 0) + strlen(PREFIX));
    sqlite3_finalize(q);
    return rc == SQLITE_DONE;
}
