/*
 * The client's side of an answer that is relayed: its head, its bytes, its end, and how fast it may come.
 *
 *     deliver_head(job, head, length);     // the commit point
 *     deliver_bytes(job, bytes);
 *     deliver_end(job, OUTCOME_OK);        // the job ends when the last byte has left, or waits alone
 *
 * What the client has not taken is bounded: above a mark nothing more is read from the provider. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_DELIVER_H
#define MOONGATE_FLOW_DELIVER_H

#include "flow/call.h"

/* As the client is told a header of the provider's; in the arena. */
struct slice deliver_header_name(const struct exchange *x, struct arena *arena, struct slice name);
/* The provider's headers that may pass, and ours, into the call; the head itself may go then. */
void deliver_keep_headers(struct call *call, const struct fetch_head *head);
void deliver_head(struct job *job, const struct relay_head *head, int64_t length);
void deliver_bytes(struct job *job, struct slice bytes);
void deliver_end(struct job *job, enum exchange_outcome outcome);
/* In the middle of bytes: only a broken connection says so. */
void deliver_abort(struct job *job, enum exchange_outcome outcome);

/* After bytes of the provider's: pauses it where too much waits. */
void deliver_hold_back(struct call *call);
/* Something went out: reads on where little waits. */
void deliver_let_flow(struct call *call);
/* The client took what was waiting. */
void deliver_drained(struct job *job);

#endif
