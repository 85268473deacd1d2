/*
 * An exchange made of its record, and its decision taken again: with the same facts, time, id and answers, by whatever
 * policies. Nobody is asked: no service, no counter, no clock.
 *
 *     struct exchange *x = again_exchange(record, &why);    // NULL: no record, or of a version that kept no facts
 *     again_decide(set, x, settings);                       // x->decision says what these policies decide
 *     asked_has_missed(&x->asked)                           // they read what is not in the record: that counts nothing
 *     simulate_free(x);
 *
 * Only what policies decide before the call is decided again; hooks of later phases are not run.
 */
#ifndef MOONGATE_LUA_AGAIN_H
#define MOONGATE_LUA_AGAIN_H

#include "base/fault.h"
#include "exchange/exchange.h"
#include "lua/answers.h"
#include "lua/policy.h"

/* record: one JSON object as flow/record.h writes it; copied. */
struct exchange *again_exchange(struct slice record, struct fault *why);
/* settings may be NULL: then no service is listed anywhere, and any may be called. */
void again_decide(struct policy_set *set, struct exchange *x, const struct settings *settings);

#endif
