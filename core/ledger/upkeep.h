/*
 * Keeps the ledger's file small and quick beside the commits (store/ledger/keep.h): a bounded piece now and then, more
 * of them while there is more to do; while entries wait for a commit each lets them go first, for a time.
 *
 *     struct upkeep *u = upkeep_new(loop, ledger, commit);
 *     upkeep_retain(u, retain_ms, retain_texts_ms);   // 0: for ever
 *     upkeep_put(u);                                  // entries were put just now
 *     upkeep_free(u);
 */
#ifndef MOONGATE_LEDGER_UPKEEP_H
#define MOONGATE_LEDGER_UPKEEP_H

#include <stdint.h>

#include "ledger/commit.h"

struct loop;
struct upkeep;

/* All are borrowed until upkeep_free(). */
struct upkeep *upkeep_new(struct loop *loop, struct ledger *ledger, const struct commit *commit);
void upkeep_free(struct upkeep *u); /* NULL is welcome */
void upkeep_retain(struct upkeep *u, uint64_t retain_ms, uint64_t retain_texts_ms);
/* This seq and all behind it stay, whatever their age; 0: no such bound. */
void upkeep_keep_from(struct upkeep *u, uint64_t seq);
void upkeep_put(struct upkeep *u);

#endif
