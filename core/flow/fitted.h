/*
 * Bodies for accounts whose server takes less than the API that it speaks (wire/fitting.h, moongate.lua's rejects and
 * renames).
 *
 *     if (!fitted_write(call, target, &dropped, &why)) …   // of the caller's own body: call->crossed, where it changes
 *     if (!fitted_rewrite(call, &dropped, &why)) …         // of call->crossed
 *
 * For other accounts, forms, and bodies with nothing of that, nothing is done: the caller's bytes go out. False
 * (FAULT_BAD_BODY): it cannot be read once more. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_FITTED_H
#define MOONGATE_FLOW_FITTED_H

#include "flow/call.h"
#include "wire/translate/dropped.h"

bool fitted_write(struct call *call, const struct target *target, struct dropped *dropped, struct fault *why);
bool fitted_rewrite(struct call *call, struct dropped *dropped, struct fault *why);

#endif
