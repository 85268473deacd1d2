#include "flow/estimate.h"

#include "exchange/terms.h"
#include "flow/counting.h"
#include "flow/decide.h"

#define BYTES_A_TOKEN 3 /* of text that is not counted: few texts have fewer */

/* Where keys are asked for, only a live one makes work: a stranger's request is about to be refused. */
static bool is_worth_counting(const struct job *job)
{
    const struct exchange *x = job->x;
    return !policy_set_auth(job->policies) || (x->identity.key && key_record_is_live(x->identity.key, x->born_wall_ns));
}

/* Should the policies let the stranger in all the same: more than most texts come to. */
static void guess(struct exchange *x)
{
    /* Where nobody reads a body there is none. */
    uint64_t bytes = x->request.tape.count ? chat_text_bytes(&x->request) : 0;
    x->estimate.input_tokens = (bytes + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN;
    x->estimate.output_tokens = x->request.max_tokens > 0 ? (uint64_t)x->request.max_tokens : 0;
    x->estimate.is_made = x->estimate.is_flagged = true;
}

void estimate(struct job *job)
{
    struct exchange *x = job->x;
    const struct terms_table *terms = policy_set_terms(job->policies);
    if (!x->api->has_text || !is_worth_counting(job)) {
        if (x->api->has_text) guess(x);
        decide(job);
        return;
    }
    x->count = count_new(&x->request, 1u << terms_table_vocabulary(terms, x->request.model), job->flow->memo);
    count_stop_above(x->count, terms_table_context_max(terms));
    counting_run(job, decide);
}
