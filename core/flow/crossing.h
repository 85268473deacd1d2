/*
 * Requests to targets whose accounts speak another dialect than the caller: who can be asked at all, and what is sent.
 *
 *     const struct dialect *d = crossing_dialect(job, target);     // NULL: nobody there understands this request
 *     if (crossing_is_counted_here(job, provider, d)) …            // no API there counts: the gateway does
 *     if (!crossing_write(call, target, &dropped, &why)) …         // call->crossed: the body in that dialect
 *
 * Of the caller's own dialect nothing is done. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_CROSSING_H
#define MOONGATE_FLOW_CROSSING_H

#include "flow/call.h"

/* What the target's account is spoken to in: the caller's dialect, where it understands that, else one that this
 * request can be translated to. */
const struct dialect *crossing_dialect(const struct job *job, const struct target *target);
static inline bool crossing_is_foreign(const struct call *call)
{
    return call->dialect != call->job->x->api->client;
}
bool crossing_is_counted_here(const struct job *job, const struct provider *provider, const struct dialect *dialect);
/* dropped: what could not be said, as a header tells it, in the exchange's arena; empty: nothing.
 * False: FAULT_BAD_BODY, it cannot be said there; FAULT_UNCARRIED, not all of it, and the model's row in models.lua
 * wants that refused; or there is no room for it in the worker's memory. */
bool crossing_write(struct call *call, const struct target *target, struct slice *dropped, struct fault *why);
/* The trace tells of the target that was passed over for it. */
void crossing_note(struct job *job, const struct target *target, const struct fault *why);

#endif
