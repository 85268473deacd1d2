/*
 * What the ledger can tell for the checklist (admin/checklist): who was served, what was lost, who has seen its
 * anchors, when alerts arrived.
 *
 *     json_t *facts = ledger_evidence(l, &(struct ledger_evidence_ask){.since_s = since_s, .now_s = now_s}, &why);
 */
#ifndef MOONGATE_STORE_LEDGER_EVIDENCE_H
#define MOONGATE_STORE_LEDGER_EVIDENCE_H

#include "store/ledger/read.h"

#define LEDGER_EVIDENCE_LISTED 10000

struct json_t; /* jansson.h cannot be included beside wire/json.h */

struct ledger_evidence_ask {
    int64_t since_s, now_s;
    struct slice switched; /* a provider account that was switched off then; empty: none was */
    int64_t switched_s, switched_until_s; /* until: back on, or now */
};

/* A new object; NULL and *why:
 *     models, departments  [{"name", "requests", "denied"}]   since then, LEDGER_EVIDENCE_LISTED of each at most
 *     unpriced, requests   n                                  since then
 *     losses               n                                  records that could not be kept, since then
 *     anchor_seq, anchor_at, newest                           0: there is none
 *     witnesses            [{"name", "seq"}]
 *     delivered            {"sink": seconds since 1970}       when each took a notice last
 *     after_switch         n                                  requests that went to `switched` later than 1 s after it
 */
struct json_t *ledger_evidence(struct ledger_read *l, const struct ledger_evidence_ask *ask, struct fault *why);

/* Of who writes it (ledger/alerts.c): when a sink took a notice. */
struct sqlite3;
bool ledger_note_delivered(struct sqlite3 *db, struct slice sink, int64_t at_s, struct fault *why);

#endif
