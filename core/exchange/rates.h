/*
 * What the limits of a request left to its caller, for the headers of its answer: of all that count requests, and of
 * all that count tokens, the one that leaves least.
 *
 *     rates_note(&x->rates, &question, &answer, clock_wall_ns());      // for each answer to an admission
 *     dialect->write_rates(arena, &x->rates, clock_wall_ns(), headers) // wire/dialect.h
 *
 * `limit` is the limit as it is written, or this gateway's part of it while it counts alone; `left` is what may be sent
 * at that moment, which is never more than its burst. A limit that refused is told before all others. Limits that are
 * only observed are no business of the caller's, nor are those that were out of reach.
 * It keeps figures; it asks nobody.
 */
#ifndef MOONGATE_EXCHANGE_RATES_H
#define MOONGATE_EXCHANGE_RATES_H

#include "store/counters/counters.h"
#include "wire/dialect.h"

/* Of a question that only peeks, or an answer that is none, nothing is noted. */
void rates_note(struct dialect_rates *rates, const struct counters_question *question,
                const struct counters_answer *answer, uint64_t now_ns);
/* Was any limit counted that the caller is told of? */
bool rates_are_told(const struct dialect_rates *rates);

#endif
