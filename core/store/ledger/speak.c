/* How the ledger speaks with SQLite, and what SQLite says. */
#include "store/ledger/ledger_inner.h"

static const char *cure_of(int code)
{
    switch (code) {
    case SQLITE_FULL: return ": make room on its disk";
    case SQLITE_BUSY: return " by another process";
    case SQLITE_CONSTRAINT: return ": its tables are not what its chain says: `moongate ledger check` tells more";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ": put a backup back: `moongate ledger restore`";
    default: return "";
    }
}

bool ledger_fail(const struct ledger *l, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s%s", l->path, sqlite3_errmsg(l->db),
                     cure_of(sqlite3_errcode(l->db)));
}

bool ledger_run(struct ledger *l, const char *sql, struct fault *why)
{
    return sqlite3_exec(l->db, sql, NULL, NULL, NULL) == SQLITE_OK || ledger_fail(l, why);
}

bool ledger_prepare(struct ledger *l, sqlite3_stmt **q, const char *sql, struct fault *why)
{
    return sqlite3_prepare_v3(l->db, sql, -1, SQLITE_PREPARE_PERSISTENT, q, NULL) == SQLITE_OK || ledger_fail(l, why);
}
