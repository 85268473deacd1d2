#include "flow/call.h"

#include <string.h>

#include "base/mem.h"

/* Few accounts have more than their key: room for what there is, not for what there may be. */
static void keep_secrets(struct call *call)
{
    struct slice found[PROVIDER_SECRETS_MAX];
    call->secret_count = provider_secrets(call->provider, found);
    bool has_token = call->provider->credentials.len > 0;
    struct slice *kept = arena_alloc(&call->job->x->arena, (call->secret_count + has_token) * sizeof *kept);
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

/* Its place among the secrets was kept. */
void call_keep_token(struct call *call, struct slice token, uint64_t number)
{
    call->token = slice_of(mem_strndup(token.ptr, token.len), token.len);
    call->token_number = number;
    call->secrets[call->secret_count++] = call->token;
}

static void wipe_token(struct call *call)
{
    char *bytes = (char *)(uintptr_t)call->token.ptr;
    if (bytes) explicit_bzero(bytes, call->token.len);
    mem_free(bytes);
    call->token = SLICE_NONE;
    call->secret_count = 0;
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
    wipe_token(call);
    loop_defer(call->job->flow->parts.loop, mem_free, call);
}
