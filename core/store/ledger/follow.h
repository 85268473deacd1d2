/*
 * What the ledger process reads back of its own file: intents that are still open, entries for a copy, and the marks of
 * who follows the chain.
 *
 *     ledger_open_intents(l, LIMIT, on_intent, arg, &why);          // announced, and no record came yet
 *     ledger_entries(l, after, CHAIN_EXCHANGE, LIMIT, on_entry, arg, &why);   // of that kind behind a seq, in order
 *     ledger_mark(l, "copy", seq, &why);   ledger_marked(l, "copy", &seq);
 *
 * Between batches, on the writer's own connection; blocking, and bounded by what the caller asks for at a time.
 */
#ifndef MOONGATE_STORE_LEDGER_FOLLOW_H
#define MOONGATE_STORE_LEDGER_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "store/ledger/ledger.h"
#include "store/ledger/link.h"

struct ledger_intent {
    uint8_t id[LINK_ID_BYTES], instance[LINK_ID_BYTES];
    uint64_t seq;
    struct slice body; /* borrowed for the call */
};

/* At most `max`, behind the seq `after`. False: fault. */
bool ledger_open_intents(struct ledger *l, uint64_t after, unsigned max,
                         void (*each)(void *arg, const struct ledger_intent *intent), void *arg, struct fault *why);

/* At most `max`; false from `each` ends it too, and is no fault. */
bool ledger_entries(struct ledger *l, uint64_t after, enum chain_kind kind, unsigned max,
                    bool (*each)(void *arg, uint64_t seq, struct slice body), void *arg, struct fault *why);

/* The seq of the record with this id; false: there is none. */
bool ledger_seq_of(struct ledger *l, const uint8_t id[LINK_ID_BYTES], uint64_t *seq);

/* A number kept under a name of the caller's own. */
bool ledger_mark(struct ledger *l, const char *name, uint64_t value, struct fault *why);
bool ledger_marked(struct ledger *l, const char *name, uint64_t *value);
bool ledger_unmark(struct ledger *l, const char *name, struct fault *why);

/* Of the file and its write-ahead log, on the disk. */
void ledger_file_bytes(const struct ledger *l, uint64_t *file, uint64_t *log);

#endif
