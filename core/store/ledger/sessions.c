#include "store/ledger/sessions.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/hex.h"

#define PREFIX "session."
#define STANDS 0 /* of a session; else when it was cleared */
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

static bool write_name(sqlite3 *db, const char *sql, const char *session, int64_t time_s)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    sqlite3_bind_text(q, 1, session, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, time_s);
    bool is_good = sqlite3_step(q) == SQLITE_DONE;
    sqlite3_finalize(q);
    return is_good;
}

bool ledger_sessions_keep(sqlite3 *db, const char *session)
{
    return write_name(db, "INSERT INTO meta VALUES('" PREFIX "' || ?1, ?2) ON CONFLICT DO UPDATE SET v = ?2", session,
                      STANDS);
}

bool ledger_sessions_clear(sqlite3 *db, const char *session, int64_t now_s)
{
    return write_name(db, "UPDATE meta SET v = ?2 WHERE k = '" PREFIX "' || ?1", session, now_s);
}

bool ledger_sessions_forget(sqlite3 *db, int64_t before_s)
{
    return write_name(db, "DELETE FROM meta WHERE k GLOB '" PREFIX "*' AND v > 0 AND v < ?2", "", before_s);
}

bool ledger_sessions_each(sqlite3 *db, bool is_all, void (*fn)(void *arg, const char *session), void *arg)
{
    sqlite3_stmt *q;
    int rc;
    const char *sql = "SELECT k FROM meta WHERE k GLOB '" PREFIX "*' AND (?1 OR v = 0) ORDER BY v, k";
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    sqlite3_bind_int(q, 1, is_all);
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        fn(arg, (const char *)sqlite3_column_text(q, 0) + strlen(PREFIX));
    sqlite3_finalize(q);
    return rc == SQLITE_DONE;
}
