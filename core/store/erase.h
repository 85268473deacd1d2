/*
 * Erasing what is kept of a person: the key of their texts is destroyed (store/texts.h), and the chain says who asked
 * for it and why.
 *
 *     struct erasure e = {.subject = SLICE("ann"), .actor = SLICE("dpo"), .reason = SLICE("art. 17, case 4711")};
 *     if (!erase_subject(texts, ledger, &e, &why)) …              // the ledger process, between two batches
 *     if (!erase_offline(&options, &e, &why)) …                   // a command, when no gateway runs
 *
 * First the key, then the entry: killed in between, it is asked for again and says so again. What stays is the record
 * of each request, with the text's salted hash and the subject's name; use a name that means nothing elsewhere.
 */
#ifndef MOONGATE_STORE_ERASE_H
#define MOONGATE_STORE_ERASE_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/slice.h"
#include "store/ledger.h"

struct texts;

#define ERASE_ACTION "erase"

struct erasure {
    struct slice subject, actor, reason;
    bool had_key; /* out: there was one to destroy */
};

/* False: *why says whether the key is gone and only the entry is missing; to be asked for again. */
bool erase_subject(struct texts *t, struct ledger *l, struct erasure *e, struct fault *why);
/* The same on the files. The caller knows that no gateway has them open. */
bool erase_offline(const struct ledger_options *options, struct erasure *e, struct fault *why);

#endif
