/*
 * What the last call came to that another target was to make good: where none can be asked after all, the caller gets
 * that provider's answer as if nobody else had been meant to be asked, and not why the others were passed over. His
 * request was good, and 429 or 503 says that it may be sent again.
 *
 *     earlier_await(job, head, then);          // its provider answered with a failure
 *     if (earlier_hears(job, bytes, false)) …  // its body; then(job): it is in, too long, or for nobody
 *     earlier_keep_fault(job, &why);           // or it came to no answer
 *     switch (earlier_begin(job)) …            // nobody else can be asked
 *     earlier_free(job);
 *
 * At most LIMIT_EARLIER_BYTES of a body, for LIMIT_EARLIER_MS, are waited for: the caller waits for the other answer.
 * Of one that has not come whole by then he is told its status, when to come again, and what the provider's limits
 * leave.
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_EARLIER_H
#define MOONGATE_FLOW_EARLIER_H

#include "flow/call.h"

/* Of job->call, whose timer it takes. */
void earlier_await(struct job *job, const struct fetch_head *head, loop_fn then);
/* More of it; or, without bytes, its end, whole or not. False: no failure's body is awaited. */
bool earlier_hears(struct job *job, struct slice bytes, bool is_whole);
void earlier_keep_fault(struct job *job, const struct fault *why);

enum earlier_word {
    EARLIER_NONE,    /* no call was made before */
    EARLIER_REPLIED, /* that is all that is known of it, and the caller has it */
    EARLIER_AGAIN,   /* job->call is that one again: its answer is to be relayed */
};
enum earlier_word earlier_begin(struct job *job);
/* Of EARLIER_AGAIN: the answer, valid as long as the job. */
struct fetch_head earlier_head(const struct job *job);
struct slice earlier_body(const struct job *job);
void earlier_free(struct job *job);

#endif
