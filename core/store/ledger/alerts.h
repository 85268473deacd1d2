/*
 * Which notices of budgets were given: each budget, period and threshold once, whoever brings it and however often.
 *
 *     ledger_alerts_init(&alerts);
 *     ledger_alerts_install(&alerts, db);                       // the tables of store/ledger/schema.h
 *     ledger_alerts_note(&alerts, body, seq)                    // ALERT_NEW: it goes into the chain as that entry
 *
 * In the transaction of a batch, so that the chain, what is known to be told and what is still to be sent are one: for
 * each receiver of a new notice there is a row in `outbox` (ledger/alerts.h sends it). A notice of a threshold below
 * one that was told of in the same period counts as told. What was told is forgotten after LIMIT_NOTICES_KEPT_S, a few
 * rows with each new one.
 */
#ifndef MOONGATE_STORE_LEDGER_ALERTS_H
#define MOONGATE_STORE_LEDGER_ALERTS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/slice.h"
#include "wire/json.h"

struct ledger_alerts {
    struct json_tape tape;
    struct arena arena;
    sqlite3_stmt *set, *post, *forget;
    bool has_posted; /* the batch put something into the outbox */
};

/* What a notice says (flow/notices.h); what is not there is empty or 0. Borrowed from tape and arena. */
struct ledger_alert {
    struct slice id, key, budget, text, rule, owner; /* budget: "policy/budget", the rule without its threshold */
    int64_t start_s, at;
    struct slice to[LIMIT_NOTICE_RECEIVERS]; /* "owner", "slack:#ai-spend" */
    size_t to_count;
};

/* Which gateway gives a notice out, of those that share its budget. Kept with it. */
enum alerts_whose { ALERTS_UNKNOWN, ALERTS_OWN, ALERTS_ANOTHERS };

enum ledger_alerted { ALERT_NEW, ALERT_KNOWN, ALERT_FAILED };

void ledger_alerts_init(struct ledger_alerts *alerts);
void ledger_alerts_clear(struct ledger_alerts *alerts);
bool ledger_alerts_install(struct ledger_alerts *alerts, sqlite3 *db);
/* ALERT_FAILED: sqlite3_errmsg(db) says why. A body that is no notice is new each time, and goes to nobody. */
enum ledger_alerted ledger_alerts_note(struct ledger_alerts *alerts, struct slice body, uint64_t seq);
/* False: it is no notice. */
bool ledger_alert_read(struct json_tape *tape, struct arena *arena, struct slice body, struct ledger_alert *alert);
/* A notice that was given out, as it is looked for: its place in the table, and where its entry is. */
struct ledger_alerted_row {
    struct slice key, budget;
    int64_t start_s;
    struct slice body; /* empty: it was deleted for its age */
};
/* So many of those that were given, in the order of their places behind that one. is_own: its period still counts, and
 * it is given out from here: it is known to be, or nobody has said whose it is and nothing of it waits to be sent.
 * Borrowed as in ledger_charges_page(). False: sqlite3_errmsg(db). */
bool ledger_alerts_page(sqlite3 *db, const struct ledger_alerted_row *after, int64_t now_s, uint32_t max,
                        void (*fn)(void *arg, const struct ledger_alerted_row *row, bool is_own), void *arg);
/* Of the notice of that entry; between batches. False: sqlite3_errmsg(db). */
bool ledger_alerts_mark(sqlite3 *db, uint64_t seq, enum alerts_whose whose);
/* "slack:#ai-spend" → "slack" and "#ai-spend"; "owner" has no address. */
struct slice ledger_alert_sink(struct slice receiver, struct slice *address);

#endif
