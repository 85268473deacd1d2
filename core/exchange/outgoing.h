/*
 * The request as a provider gets it: the caller's own bytes, and the edits of all who have a say.
 *
 *     struct splice edits;
 *     outgoing_edit(x, target->model, job->asked_usage, &edits);
 *     ... splice_iovecs(&edits, …) ...
 */
#ifndef MOONGATE_EXCHANGE_OUTGOING_H
#define MOONGATE_EXCHANGE_OUTGOING_H

#include "exchange/exchange.h"
#include "wire/splice.h"

/* Begins `edits` over the body, in the exchange's arena: the target's model, hints taken out, usage asked for, what is
 * masked, and what policies set. */
void outgoing_edit(struct exchange *x, struct slice model, bool asks_usage, struct splice *edits);

#endif
