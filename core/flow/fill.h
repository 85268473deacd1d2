/*
 * A request that names a prompt becomes one that has its messages: between who asks and what it costs, so that
 * counting, policies, redaction, budgets, cache and audit see what is sent.
 *
 *     if (!fill(job, &model, &is_indexed, &why)) return false;      // x->body is whole, its tape not yet made
 *     is_indexed ? chat_read_indexed(&x->request, …) : chat_parse_for(&x->request, …, buf_slice(&x->body), …)
 *
 * Which version it is: the snapshot of the registry that the flow has, the label of the app, and who asks, for shares
 * (the user, else the key). What outlives the old body is copied. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_FILL_H
#define MOONGATE_FLOW_FILL_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/slice.h"

struct job;

#define FILL_HEADER SLICE("x-moongate-prompt")

/* model: what the path says, which a version may change; in the exchange's arena, or static. is_indexed: the request's
 * tape is the body's by now. False: *why. */
bool fill(struct job *job, struct slice *model, bool *is_indexed, struct fault *why);

#endif
