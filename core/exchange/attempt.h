/*
 * One call to one target, and what it came to: it owns its money, so that a call that was paid for is not lost when the
 * next one answers.
 *
 *     struct attempt *a = exchange_add_attempt(x);   // exchange.h; of x->target_index
 *     a->usage = …; a->parts = …; bill_attempt(x, a);    // bill.h; the exchange's bill is the sum over attempts
 *
 * A target that on_attempt refused has an attempt too, which was never called.
 */
#ifndef MOONGATE_EXCHANGE_ATTEMPT_H
#define MOONGATE_EXCHANGE_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"
#include "exchange/estimate.h"
#include "exchange/price.h"
#include "wire/usage.h"

struct dialect; /* wire/dialect.h */

struct attempt {
    int target;            /* of verdict.targets */
    bool is_denied;        /* on_attempt said no: it was not called */
    bool was_sent;         /* the provider may have the request, or a part of it */
    int status;            /* the provider's; 0: it did not answer */
    enum fault_code error; /* FAULT_NONE: an answer came */
    uint64_t began_ns, ended_ns; /* monotonic; ended 0: under way */
    uint64_t events;             /* of a stream, so far */
    struct slice request_id;     /* the provider's name for it; in the exchange's arena, as the next is */
    struct slice finish_reason;
    const struct dialect *dialect; /* what it was spoken to in, where that is not the caller's; NULL: it is */
    struct slice dropped;          /* what of the request that has no words for, as a header tells it … */
    struct slice dropped_answer;   /* … and what of its answer the caller's has none for */

    struct estimate estimate; /* by this target's counting rules */
    struct usage usage;       /* as the provider reported it */
    struct usage_parts parts; /* what is paid for: that, or the gateway's own count where it never came */
    struct cost cost;         /* of the parts, at this target's price as it was at the admission */
    bool is_billed;           /* the provider worked on it: false for failures and errors */
    bool is_closed;           /* its money is final */
};

#endif
