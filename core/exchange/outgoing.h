/*
 * The request as a provider gets it: the caller's own bytes, and the edits of all who have a say.
 *
 *     struct splice edits;
 *     outgoing_edit(x, target, call->asks_usage, &call->sending, &edits);
 *     ... splice_iovecs(&edits, …) ...
 */
#ifndef MOONGATE_EXCHANGE_OUTGOING_H
#define MOONGATE_EXCHANGE_OUTGOING_H

#include "exchange/exchange.h"
#include "wire/splice.h"

/* Begins `edits` over the body, in an arena that lasts as long as they are wanted: the target's model, hints taken out,
 * usage asked for, what is masked, and what policies set, by the names that the target knows. target NULL:
 * there is none. */
void outgoing_edit(struct exchange *x, const struct target *target, bool asks_usage, struct arena *arena,
                   struct splice *edits);
/* Also, of a body that is translated: of "user" and "safety_identifier" one goes along. What a policy set comes before
 * the caller's own; of two that it set, and of two of the caller's, the second. */
void outgoing_edit_user(const struct exchange *x, struct splice *edits);

#endif
