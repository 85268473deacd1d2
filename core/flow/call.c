#include "flow/call.h"

#include <string.h>

#include "base/mem.h"

/* Few accounts have more than their key: room for what there is, not for what there may be. */
static void keep_secrets(struct call *call)
{
    struct slice found[PROVIDER_SECRETS_MAX];
    call->secret_count = provider_secrets(call->provider, found);
    struct slice *kept = arena_alloc(&call->job->x->arena, call->secret_count * sizeof *kept);
    memcpy(kept, found, call->secret_count * sizeof *kept);
    call->secrets = kept;
}

struct call *call_new(struct job *job, const struct provider *provider, const struct dialect *dialect)
{
    struct call *call = mem_zalloc(1, sizeof *call);
    call_free(job->call);
    job->call = call;
    call->job = job;
    call->provider = provider;
    call->dialect = dialect;
    buf_init(&call->crossed);
    keep_secrets(call);
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
    buf_clear(&call->crossed);
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
