/*
 * What of a provider's head decides how its answer is read (flow/relay/relay.h).
 *
 *     struct relay_head relayed = heading_read(head, &x->arena);
 *
 * Texts are copied. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_HEADING_H
#define MOONGATE_FLOW_HEADING_H

#include "flow/relay/relay.h"
#include "net/fetch.h"

struct relay_head heading_read(const struct fetch_head *head, struct arena *arena);

#endif
