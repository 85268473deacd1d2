/*
 * Erasing what is kept of a person: the key of their texts is destroyed (store/texts/texts.h), and the chain says who
 * asked for it and why, as a change (store/change.h) whose action is ERASE_ACTION and whose target is the subject.
 *
 *     struct erasure e = {.subject = SLICE("ann"), .by = &by};
 *     if (!erase_offline(&options, &e, &why)) …                   // a command, when no gateway runs
 *     if (erase_read(json, &subject)) …                           // a change that the ledger process is told of:
 *                                                                 // ledger/changes.h destroys the key, then keeps it
 *
 * First the key, then the entry: killed in between, it is asked for again and says so again. What stays is the record
 * of each request, with the text's salted hash and the subject's name; use a name that means nothing elsewhere.
 */
#ifndef MOONGATE_STORE_ERASE_H
#define MOONGATE_STORE_ERASE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"
#include "store/change.h"
#include "store/ledger/ledger.h"

struct texts;

#define ERASE_ACTION "texts.erase"

struct erasure {
    struct slice subject;
    const struct change_by *by; /* with the reason */
    bool had_key;               /* out: there was one to destroy */
};

/* Somebody is named, and nothing is too long. */
bool erase_check(struct slice subject, struct slice reason, struct fault *why);
/* Whose texts a change is about; false: it is another one. */
bool erase_read(struct slice json, struct buf *subject);
/* False: *why says whether the key is gone and only the entry is missing; to be asked for again. */
bool erase_subject(struct texts *t, struct ledger *l, struct erasure *e, struct fault *why);
/* The same on the files. The caller knows that no gateway has them open. */
bool erase_offline(const struct ledger_options *options, struct erasure *e, struct fault *why);

#endif
