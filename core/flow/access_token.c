#include "flow/access_token.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/access_tokens.h"

#define LOOK_MS 20u /* a word of shared memory, while somebody waits for the first token of an account */

static void end_wait(struct call *call, const struct fault *why)
{
    access_token_fn then = call->on_token;
    call->on_token = NULL;
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

static enum access_tokens_state look(struct call *call, uint64_t id)
{
    struct access_tokens_copy copy;
    const struct access_tokens *all = call->job->flow->parts.access_tokens;
    enum access_tokens_state state = access_tokens_get(all, id, clock_mono_ns(), &copy);
    if (state == ACCESS_TOKENS_GOOD) call_keep_token(call, slice_of(copy.token, copy.len), copy.number);
    access_tokens_copy_wipe(&copy);
    return state;
}

static void on_time(void *arg)
{
    struct call *call = arg;
    switch (look(call, provider_credentials(call->provider).id)) {
    case ACCESS_TOKENS_GOOD: end_wait(call, NULL); return;
    case ACCESS_TOKENS_FAILED: fail(call, "is given no token"); return;
    case ACCESS_TOKENS_AWAITED: break;
    }
    if (clock_mono_ns() >= call->token_until_ns)
        fail(call, "has been given no token in time");
    else
        loop_timer_arm_ms(&call->timer, LOOK_MS);
}

void access_token_await(struct call *call, access_token_fn then)
{
    call->on_token = then;
    call->token_until_ns = clock_mono_ns() + LIMIT_ACCESS_TOKEN_WAIT_MS * NS_PER_MS;
    if (!call->provider->credentials.len) {
        end_wait(call, NULL);
        return;
    }
    loop_timer_init(&call->timer, call->job->flow->parts.loop, on_time, call);
    on_time(call);
}

void access_token_refused(const struct call *call)
{
    struct access_tokens *all = call->job->flow->parts.access_tokens;
    if (call->token.len) access_tokens_refuse(all, provider_credentials(call->provider).id, call->token_number);
}
