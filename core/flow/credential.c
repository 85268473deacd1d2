#include "flow/credential.h"

#include "base/log.h"
#include "flow/metrics.h"
#include "flow/reply.h"

/* The API is not where the account's url says; a client that went there would take its own key along. */
static bool is_elsewhere(int status)
{
    return status >= 300 && status < 400;
}

/* 402: no credit. */
bool credential_is_refused(int status)
{
    return status == 401 || status == 402 || status == 403 || status == 407 || is_elsewhere(status);
}

void credential_report(struct job *job, int status)
{
    const struct provider *account = job->call->provider;
    const char *field = is_elsewhere(status) ? "url" : account->credentials.len ? "credentials" : "key";
    metrics_account_refused(job->flow->metrics, account->name, status);
    log_event(LOG_ERROR, "provider_account",
              "%s: the provider account %.*s was answered %d: look at its %s in moongate.lua", job->x->id,
              SLICE_FMT(account->name), status, field);
}

void credential_fault(const struct job *job, int status, struct fault *why)
{
    fault_set(why, FAULT_UPSTREAM_ACCOUNT,
              "The provider %s the gateway's account \"%.*s\" (%d). Your own key is good; whoever runs the "
              "gateway must look at the account.",
              is_elsewhere(status) ? "redirected" : "refused", SLICE_FMT(job->call->provider->name), status);
}

void credential_refuse(struct job *job, int status)
{
    struct fault why;
    credential_fault(job, status, &why);
    exchange_end_attempt(job->x, why.code);
    reply_fault(job, &why);
}
