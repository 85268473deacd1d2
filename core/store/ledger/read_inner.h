/* What the files that read the ledger share: the open file, a statement with its values, and what went wrong. */
#ifndef MOONGATE_STORE_LEDGER_READ_INNER_H
#define MOONGATE_STORE_LEDGER_READ_INNER_H

#include <sqlite3.h>
#include <sys/types.h>

#include "store/column.h"
#include "store/ledger/filter_inner.h"
#include "store/ledger/read.h"

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

/* ---- The chain in pieces of LIMIT_LEDGER_PIECE entries, each a reading of its own: while one is under way the
 * write-ahead log cannot begin anew, and what is looked for may be in none of millions. */

struct ledger_span {
    uint64_t low, high; /* seqs, both included; low > high: none */
};

/* Of the requests between the filter's times; of the whole chain where it says none. */
bool ledger_read_span(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_span *span,
                      struct fault *why);

struct ledger_pieces {
    sqlite3_stmt *edge; /* where the next one begins: seqs that are not there are not looked for */
    struct ledger_span all, piece;
    bool is_upward, is_over; /* is_over: there is no piece more */
};

bool ledger_pieces_open(struct ledger_read *l, struct ledger_pieces *p, struct ledger_span all, bool is_upward,
                        struct fault *why);
/* The piece behind that seq; behind 0 the first. */
bool ledger_pieces_next(struct ledger_read *l, struct ledger_pieces *p, uint64_t behind, struct fault *why);
void ledger_pieces_close(struct ledger_pieces *p);

#endif
