/*
 * Texts that a policy wants kept beside the record: the prompt as it was sent, and who they are about. The answer's are
 * collected on its way (flow/relay/keep.c); both are sealed by the ledger process, and the record has their salted
 * hashes only.
 *
 *     wording_keep_prompt(x, target);         // while the body is there
 *     wording_append(&out, x);                // the record's member: ,"texts":{"prompt":{"sha256", …}}
 *     wording_subject(x, subject);            // "user:ana"
 *
 * Each is cut at LIMIT_RECORD_TEXT_BYTES, between two characters. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_WORDING_H
#define MOONGATE_FLOW_WORDING_H

#include "base/buf.h"
#include "exchange/exchange.h"

/* A line a text, each behind its role; those of an attempt before go. Nothing unless a policy wants it. */
void wording_keep_prompt(struct exchange *x, const struct target *target);
/* Nothing where there is none. */
void wording_append(struct buf *out, const struct exchange *x);
/* Empty where there are no texts; at most LIMIT_TEXT_SUBJECT_BYTES. */
void wording_subject(const struct exchange *x, struct buf *out);

#endif
