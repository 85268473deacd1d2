/*
 * The ledger's tables of anchors, and of what each witness has seen of them.
 *
 *     ledger_begin(l, &why) && anchor_put(l, &a, &why) && witness_advance(l, SLICE("file"), a.seq, &why)
 *     && ledger_commit(l, &why);
 *     anchor_after(l, seq, &a, &why);                     // the next one that a witness is to have
 *
 * Written within a batch of the ledger (store/ledger/ledger.h), read at any time. The gateway's name is not in the
 * table: an anchor that is read has none.
 */
#ifndef MOONGATE_STORE_ANCHOR_TABLE_H
#define MOONGATE_STORE_ANCHOR_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"
#include "store/anchor/anchor.h"

struct ledger;

enum anchor_found { ANCHOR_FOUND, ANCHOR_MISSING, ANCHOR_FAILED };

/* Over one of the same seq: a second signature of the same head is as good. */
bool anchor_put(struct ledger *l, const struct anchor *a, struct fault *why);
/* The first whose seq is greater. */
enum anchor_found anchor_after(struct ledger *l, uint64_t seq, struct anchor *a, struct fault *why);
enum anchor_found anchor_last(struct ledger *l, struct anchor *a, struct fault *why);
/* How many there are with a greater seq. */
bool anchor_count_after(struct ledger *l, uint64_t seq, uint64_t *count, struct fault *why);

/* Up to which anchor a witness has them; 0: none. */
bool witness_progress(struct ledger *l, struct slice name, uint64_t *seq, struct fault *why);
bool witness_advance(struct ledger *l, struct slice name, uint64_t seq, struct fault *why);

#endif
