/*
 * A comment line into a silent stream, where the operator asked for it: load balancers and proxies cut connections that
 * carry nothing for a minute, while models think for longer.
 *
 *     keepalive_begin(call);      // once the stream has begun; call->timer is its own until the call ends
 *     keepalive_wait(job);        // the stream's end waits for its record: comments go before it
 *     keepalive_end(job);
 *
 * One line end and no blank line: a blank line would make clients that have seen an id dispatch an empty event. Only
 * between events, and only while the client takes what it is sent. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_KEEPALIVE_H
#define MOONGATE_FLOW_KEEPALIVE_H

#include "flow/call.h"

void keepalive_begin(struct call *call);
/* Behind the end of the call. Of answers that are no stream nothing is said. */
void keepalive_wait(struct job *job);
void keepalive_end(struct job *job);

#endif
