/*
 * Bodies for accounts whose server takes less than the API that it speaks (wire/fitting.h, moongate.lua's rejects and
 * renames).
 *
 *     fitted_write(call, target, &dropped);    // of the caller's own body: call->crossed, where anything of it changes
 *     fitted_rewrite(call, &dropped);          // of call->crossed
 *
 * For other accounts, forms, and bodies with nothing of that, nothing is done: the caller's bytes go out. Private to
 * core/flow.
 */
#ifndef MOONGATE_FLOW_FITTED_H
#define MOONGATE_FLOW_FITTED_H

#include "flow/call.h"
#include "wire/translate/dropped.h"

void fitted_write(struct call *call, const struct target *target, struct dropped *dropped);
void fitted_rewrite(struct call *call, struct dropped *dropped);

#endif
