#include "flow/decide.h"

#include "flow/ask.h"
#include "flow/attempt.h"
#include "flow/intent.h"
#include "flow/keeping.h"
#include "flow/listing.h"
#include "flow/owning.h"
#include "flow/reply.h"
#include "flow/told.h"

static void announce(struct job *job)
{
    intent_first(job, attempt_first);
}

static void act(struct job *job)
{
    const struct verdict *v = &job->x->decision.verdict;
    switch (v->kind) {
    case VERDICT_ALLOW:
        if (job->x->api->kind == API_CALL)
            owning_first(job, announce);
        else if (job->x->api->kind == API_OBJECT)
            keeping_first(job);
        else if (job->x->api->kind == API_LIST)
            listing_first(job);
        else
            reply_models(job);
        return;
    case VERDICT_DENY: reply_denied(job); return;
    case VERDICT_NONE:
    case VERDICT_FAULT: reply_policy_fault(job); return;
    }
}

static void on_decided(struct job *job, const struct verdict *verdict)
{
    (void)verdict; /* is the exchange's */
    act(job);
}

void decide(struct job *job)
{
    exchange_move(job->x, EXCHANGE_DECIDING);
    job->stop = ask_cancel;
    told_keep(job->x);
    ask(job, (struct policy_call){.phase = PHASE_REQUEST}, on_decided);
}
