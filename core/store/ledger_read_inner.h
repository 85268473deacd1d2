/* What the files that read the ledger share: the open file, a statement with its values, and what went wrong. */
#ifndef MOONGATE_STORE_LEDGER_READ_INNER_H
#define MOONGATE_STORE_LEDGER_READ_INNER_H

#include <sqlite3.h>
#include <sys/types.h>

#include "store/ledger_filter_inner.h"
#include "store/ledger_read.h"

struct ledger_read {
    sqlite3 *db;
    char *path;
    dev_t device; /* and inode: of the file that is open */
    ino_t inode;
    sqlite3_stmt *version;
    int64_t version_seen;
};

/* Always false: the file, what SQLite says, and what can be done about it. */
bool ledger_read_fail(const struct ledger_read *l, struct fault *why);
/* NULL and *why. */
sqlite3_stmt *ledger_read_prepare(struct ledger_read *l, struct slice sql, const struct ledger_where *values,
                                  struct fault *why);
/* Finalizes it. False: the last step did not end as it should. */
bool ledger_read_end(struct ledger_read *l, sqlite3_stmt *q, int last_step, struct fault *why);
struct slice ledger_read_text(sqlite3_stmt *q, int column);
/* The seqs of all requests between the filter's times, as a condition on `r`; nothing where it says no time. */
bool ledger_read_span(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_where *where,
                      struct fault *why);

#endif
