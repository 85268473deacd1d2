#include "flow/call.h"

#include "base/mem.h"

struct call *call_new(struct job *job, const struct provider *provider, const struct dialect *dialect)
{
    struct call *call = mem_zalloc(1, sizeof *call);
    call_free(job->call);
    job->call = call;
    call->job = job;
    call->provider = provider;
    call->dialect = dialect;
    call->secret_count = provider_secrets(provider, call->secrets);
    return call;
}

/* As long as the fetch is there to say so. */
void call_drop_fetch(struct call *call)
{
    if (!call->fetch) return;
    exchange_attempt(call->job->x)->was_sent = fetch_is_sent(call->fetch);
    fetch_cancel(call->fetch);
    call->fetch = NULL;
}

void call_stop(struct call *call)
{
    call_drop_fetch(call);
    arena_clear(&call->passing);
    loop_timer_disarm(&call->timer);
    if (call->relay) relay_stop(call->relay);
}

/* Its timer may be the one that is running. */
void call_free(struct call *call)
{
    if (!call) return;
    call_stop(call);
    relay_free(call->relay);
    loop_defer(call->job->flow->parts.loop, mem_free, call);
}
