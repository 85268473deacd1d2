/*
 * What workers ask the ledger (store/ledger/link.h): whose the objects are that they do not know themselves,
 * and which a caller has.
 *
 *     answering_ask(ledger, link, ask, keys);        // is answered at once
 *     answering_list(ledger, link, list, owner);     // so is this
 *
 * One reading a key, of rows that few ask for: what is asked for often the workers keep (store/owned.h).
 */
#ifndef MOONGATE_LEDGER_ANSWERING_H
#define MOONGATE_LEDGER_ANSWERING_H

#include "ledger/link.h"

struct ledger;

/* ledger NULL: it is not open, and the answer says so. */
void answering_ask(struct ledger *ledger, struct link *link, const struct link_ask *ask, const struct owned_key *keys);
void answering_list(struct ledger *ledger, struct link *link, const struct link_list *list, struct slice owner);

#endif
