#include "flow/earlier.h"

#include "flow/breaking.h"
#include "flow/reply.h"
#include "wire/conceal.h"

struct earlier {
    int status;       /* the provider's; 0: there is none, and `why` says what became of the call */
    struct fault why;
    struct reply_again again;
};

static struct earlier *keep(struct job *job)
{
    struct earlier *earlier = arena_zalloc(&job->x->arena, sizeof *earlier);
    job->earlier = earlier;
    return earlier;
}

static bool says_when(struct slice name)
{
    return slice_iequal(name, SLICE("retry-after")) || slice_iequal(name, SLICE("retry-after-ms"));
}

void earlier_keep_answer(struct job *job, const struct fetch_head *head)
{
    struct earlier *earlier = keep(job);
    const struct call *call = job->call;
    struct reply_again *again = &earlier->again;
    earlier->status = head->status;
    for (size_t i = 0; i < head->header_count && again->count < REPLY_AGAIN_MAX; i++) {
        struct slice name = head->headers[i].name, value = head->headers[i].value;
        if (!says_when(name) || conceal_finds(call->secrets, call->secret_count, value)) continue;
        again->headers[again->count++] =
            (struct conn_header){arena_copy(&job->x->arena, name), arena_copy(&job->x->arena, value)};
    }
}

void earlier_keep_fault(struct job *job, const struct fault *why)
{
    keep(job)->why = *why;
}

bool earlier_reply(struct job *job)
{
    const struct earlier *earlier = job->earlier;
    if (!earlier) return false;
    breaking_leave(job);
    job->x->target_index = exchange_attempt(job->x)->target;
    if (earlier->status)
        reply_failure(job, earlier->status, &earlier->again);
    else
        reply_fault(job, &earlier->why);
    return true;
}
