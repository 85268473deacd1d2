/*
 * What keeps the ledger's file small and quick while it is written: the write-ahead log goes into the file, what is
 * older than it is to be kept goes away, and pages that stay free go back to the disk.
 *
 *     struct ledger_upkeep how = {.now_us = …, .retain_us = …, .is_idle = nothing comes};
 *     while (ledger_tend(l, &how, &why) == LEDGER_MORE && …)      // between two batches, and from a timer
 *
 * Each call does one piece of it, of LIMIT_LEDGER_STEP_US or so (store/ledger/pace.h), so that commits go on. It is not
 * synced by itself: the next commit does that, and what a power cut undoes before is done once more.
 *
 * Entries are deleted up to an anchor that is too old itself (store/anchor/anchor.h): it is the first thing that stays,
 * and verification begins there. The chain says so in an entry of its own (LEDGER_CUT_ACTION), and meta keeps the hash
 * that it goes on from. A ledger without anchors keeps everything. What was deleted stays in the sums; of budgets it
 * does until LIMIT_LEDGER_CHARGES_S after their period, whatever is kept of entries. Texts are overwritten where they
 * stood, and the log that has them is cut to nothing when all of that is done, or it is full, and no reader needs it.
 *
 * A reader that keeps one transaction open keeps the log from beginning anew: readers go in pages.
 */
#ifndef MOONGATE_STORE_LEDGER_KEEP_H
#define MOONGATE_STORE_LEDGER_KEEP_H

#include "store/ledger/ledger.h"

/* {"time", "actor", "action", "target":"chain", "before": the first seq that stays, "reason"} */
#define LEDGER_CUT_ACTION "delete_entries"

struct ledger_upkeep {
    uint64_t now_us;
    uint64_t retain_us, retain_texts_us; /* 0: for ever */
    uint64_t keep_from; /* this seq and all behind it stay, whatever their age: not shipped yet; 0: no such bound */
    bool is_idle;       /* nothing was put for some seconds: the log is cut to nothing */
};

enum ledger_tended {
    LEDGER_TENDED,      /* nothing is left to do for now */
    LEDGER_MORE,        /* there may be more */
    LEDGER_TEND_FAILED, /* *why; the file is as it was */
};

/* Not inside a batch. */
enum ledger_tended ledger_tend(struct ledger *l, const struct ledger_upkeep *how, struct fault *why);

#endif
