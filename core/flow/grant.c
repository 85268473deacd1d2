#include "flow/grant.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/grants.h"

#define LOOK_MS 20u /* a word of shared memory, while somebody waits for the first token of an account */

static void end_wait(struct call *call, const struct fault *why)
{
    grant_fn then = call->granted;
    call->granted = NULL;
    loop_timer_disarm(&call->timer);
    then(call->job, why);
}

static void fail(struct call *call, const char *how)
{
    struct fault why;
    fault_set(&why, FAULT_UPSTREAM_ACCOUNT,
              "The gateway's account \"%.*s\" %s. Your own key is good; whoever runs the gateway must look at the "
              "account's `credentials`.",
              SLICE_FMT(call->provider->name), how);
    end_wait(call, &why);
}

static enum grants_state look(struct call *call, uint64_t id)
{
    struct grants_copy copy;
    enum grants_state state = grants_get(call->job->flow->parts.grants, id, clock_mono_ns(), &copy);
    if (state == GRANTS_GOOD) call_keep_token(call, slice_of(copy.token, copy.len), copy.number);
    grants_copy_wipe(&copy);
    return state;
}

static void on_time(void *arg)
{
    struct call *call = arg;
    switch (look(call, provider_credentials(call->provider).id)) {
    case GRANTS_GOOD: end_wait(call, NULL); return;
    case GRANTS_FAILED: fail(call, "is given no token"); return;
    case GRANTS_AWAITED: break;
    }
    if (clock_mono_ns() >= call->granted_until_ns)
        fail(call, "has been given no token in time");
    else
        loop_timer_arm_ms(&call->timer, LOOK_MS);
}

void grant_await(struct call *call, grant_fn then)
{
    call->granted = then;
    call->granted_until_ns = clock_mono_ns() + LIMIT_GRANT_WAIT_MS * NS_PER_MS;
    if (!call->provider->credentials.len) {
        end_wait(call, NULL);
        return;
    }
    loop_timer_init(&call->timer, call->job->flow->parts.loop, on_time, call);
    on_time(call);
}

void grant_refused(const struct call *call)
{
    if (call->token.len)
        grants_refuse(call->job->flow->parts.grants, provider_credentials(call->provider).id, call->token_number);
}
