/* What the ledger's files share: the open file, its statements and what the batch under way has come to. */
#ifndef MOONGATE_STORE_LEDGER_LEDGER_INNER_H
#define MOONGATE_STORE_LEDGER_LEDGER_INNER_H

#include <sqlite3.h>

#include "store/ledger/ledger.h"
#include "store/ledger/alerts.h"
#include "store/ledger/charges.h"
#include "store/ledger/days.h"
#include "store/ledger/file.h"
#include "store/ledger/objects.h"
#include "store/ledger/pace.h"
#include "store/ledger/record.h"
#include "store/ledger/rollup.h"

#define LEDGER_BUSY_MS 5000 /* for another process that writes too */

enum ledger_statement {
    PUT_CHAIN,
    PUT_CHANGE,
    PUT_RECORD,
    PUT_INTENT,
    CLOSE_INTENT,
    GET_HEAD,
    GET_VERSION,
    HAS_OPEN,
    LEDGER_BEGIN,
    LEDGER_COMMIT,
    /* Of what tends it (store/ledger/keep.h), when it first does. */
    FIND_CUT,
    FIND_ENTRIES,
    KEEP_PLACE,
    CUT_INTENT,
    CUT_TEXTS,
    CUT_RECORDS,
    CUT_ANCHORS,
    CUT_CHAIN,
    WIPE_TEXTS,
    COUNT_PAGES,
    COUNT_SPARE,
    NEWEST_TIME,
    LEDGER_STATEMENTS
};

struct ledger_place {
    uint64_t seq;
    uint8_t hash[CHAIN_HASH_BYTES];
};

struct ledger {
    sqlite3 *db;
    char *path;
    struct ledger_file files;
    sqlite3_stmt *statements[LEDGER_STATEMENTS];
    struct ledger_days days;
    struct ledger_place genesis, head, next; /* next: of the batch under way */
    int64_t version;                         /* of the file, by which others' commits are seen */
    bool is_open, is_head_known;             /* is_open: a batch is under way */
    bool has_open;                           /* there may be intents without their record */
    uint32_t log_pages;   /* of the write-ahead log, since it was last begun anew */
    uint32_t log_done;    /* … of which are in the file */
    uint64_t looked_us;   /* when nothing was found to tend */
    uint64_t forgot_us;   /* … and when no charge was old enough */
    int64_t announced;    /* the anchor up to which the chain says that it is deleted */
    bool must_cut_log;    /* texts were deleted that it still has */
    bool is_relaxed;      /* commits are not synced: of what tends the file, never of entries */
    struct ledger_pace cutting, wiping, giving; /* entries, texts, pages */
    struct ledger_reader reader;
    struct ledger_record record;
    struct ledger_rollup rollup, cut_sums; /* cut_sums: of what is deleted for its age */
    struct ledger_charges charges, cut_charges;
    struct ledger_alerts alerts;
    struct ledger_objects objects;
};

/* Always false; says the file and what SQLite says. */
bool ledger_fail(const struct ledger *l, struct fault *why);
bool ledger_run(struct ledger *l, const char *sql, struct fault *why);
/* Kept, for statements that run often. */
bool ledger_prepare(struct ledger *l, sqlite3_stmt **q, const char *sql, struct fault *why);
/* Whether commits are on the disk when they return. */
bool ledger_relax(struct ledger *l, bool is_relaxed, struct fault *why);
/* A PASSIVE or TRUNCATE one. Readers and other writers are not waited for: what they hold up is done the next time. */
bool ledger_checkpoint(struct ledger *l, int mode, struct fault *why);

#endif
