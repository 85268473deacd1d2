/*
 * Bodies for accounts that host another's API (wire/hosting.h).
 *
 *     hosted_note(call, &dropped);           // previews that the host would refuse the request for
 *     hosted_edit(call, &edits);             // of the caller's own body …
 *     hosted_rewrite(call, &why);            // … or of call->crossed
 *
 * Of calls to others nothing is done. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_HOSTED_H
#define MOONGATE_FLOW_HOSTED_H

#include "flow/call.h"
#include "wire/hosting.h"

/* NULL: its account has the API as its maker has it. */
const struct host *hosted_by(const struct call *call);
/* What is asked for in headers stands in the body there: the headers stay here. */
bool hosted_has_headers_in_body(const struct call *call);
void hosted_note(const struct call *call, struct dropped *dropped);
void hosted_edit(const struct call *call, struct splice *edits);
/* False: FAULT_BAD_BODY, and call->crossed is as it was. */
bool hosted_rewrite(struct call *call, struct fault *why);

#endif
