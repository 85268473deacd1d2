#include "flow/breaking.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/metrics.h"
#include "store/breakers.h"

static uint64_t now_ms(void)
{
    return clock_mono_ns() / NS_PER_MS;
}

static const struct provider *provider_of(const struct job *job, size_t target)
{
    return settings_provider(job->settings, job->x->decision.verdict.targets[target].provider);
}

/* NULL: it has none. */
static struct breaker *breaker_of(const struct job *job, const struct provider *p)
{
    return p && p->breaker_failures ? breakers_find(job->flow->parts.breakers, p->name) : NULL;
}

/* --- what they say --- */

bool breaking_is_open(const struct job *job, size_t target)
{
    const struct breaker *b = breaker_of(job, provider_of(job, target));
    return b && breaker_may_be_open(b) && breaker_is_open(b, now_ms());
}

static struct slice reason_of(struct exchange *x, const struct target *target, const struct breaker_view *view)
{
    struct slice account = target->provider;
    if (view->left_ms && !view->is_probed)
        return arena_printf(&x->arena, "the breaker of %.*s is open for %llu ms more", SLICE_FMT(account),
                            (unsigned long long)view->left_ms);
    if (view->hint_left_ms && !view->is_probed)
        return arena_printf(&x->arena, "the breaker of %.*s is open, as other gateways say", SLICE_FMT(account));
    return arena_printf(&x->arena, "the breaker of %.*s is open, and another request tries it", SLICE_FMT(account));
}

static void note(struct job *job, size_t target, struct slice verb, const struct breaker_view *view)
{
    struct exchange *x = job->x;
    const struct target *t = &x->decision.verdict.targets[target];
    trace_add(&x->decision.trace, &x->arena,
              &(struct trace_entry){.policy = SLICE("breaker"),
                                    .rule = t->name,
                                    .verb = verb,
                                    .reason = reason_of(x, t, view),
                                    .mode = SLICE("enforce")});
}

void breaking_pass(struct job *job, size_t target)
{
    struct breaking *at = &job->breaking;
    const struct breaker *b = breaker_of(job, provider_of(job, target));
    if (!b || (at->passed >> target & 1)) return;
    struct breaker_view view = breaker_view(b, now_ms());
    at->passed |= 1u << target;
    note(job, target, SLICE("pass_over"), &view);
}

/* --- a probe --- */

static void keep_probe(struct job *job, uint64_t probe)
{
    job->breaking.probe = probe;
    list_remove(&job->breaking.link);
    if (probe) list_append(&job->flow->probing, &job->breaking.link);
}

/* One that is open is called when no other target is left. */
void breaking_begin(struct job *job, size_t target)
{
    struct breaking *at = &job->breaking;
    breaking_leave(job);
    at->tried |= 1u << target;
    at->is_failure = false;
    at->provider = provider_of(job, target);
    struct breaker *b = breaker_of(job, at->provider);
    if (!b || !breaker_may_be_open(b)) return;
    uint64_t now = now_ms();
    struct breaker_view view = breaker_view(b, now);
    if (!view.is_open) return;
    keep_probe(job, breaker_probe(b, now, LIMIT_BREAKER_LEASE_MS));
    if (!at->probe) note(job, target, SLICE("call_anyway"), &view);
}

void breaking_leave(struct job *job)
{
    struct breaking *at = &job->breaking;
    struct breaker *b = at->probe ? breaker_of(job, at->provider) : NULL;
    if (b) breaker_release(b, at->probe, now_ms());
    keep_probe(job, 0);
    at->provider = NULL;
}

void breaking_renew(struct flow *flow)
{
    uint64_t now = now_ms();
    for (struct list_link *link = flow->probing.next, *next; link != &flow->probing; link = next) {
        struct job *job = LIST_OWNER(link, struct job, breaking.link);
        struct breaker *b = breaker_of(job, job->breaking.provider);
        next = link->next;
        uint64_t probe = b ? breaker_renew(b, job->breaking.probe, now, LIMIT_BREAKER_LEASE_MS) : 0;
        if (probe) job->breaking.probe = probe;
        else keep_probe(job, 0);
    }
}

/* --- what they are told --- */

static void say(struct job *job, const struct breaker *b, enum breaker_change change, const char *why)
{
    struct slice name = job->breaking.provider->name;
    unsigned long long left_ms = breaker_view(b, now_ms()).left_ms;
    switch (change) {
    case BREAKER_SAME: return;
    case BREAKER_TRIPPED:
        metrics_breaker_tripped(job->flow->metrics, name);
        log_event(LOG_WARN, "breaker_open", "the provider account %.*s is passed over for %llu ms: %u failures in a row"
                  ", the last: %s", SLICE_FMT(name), left_ms, job->breaking.provider->breaker_failures, why);
        return;
    case BREAKER_PROLONGED:
        log_event(LOG_INFO, "breaker_still_open", "the provider account %.*s is passed over for %llu ms more: %s",
                  SLICE_FMT(name), left_ms, why);
        return;
    case BREAKER_CLOSED:
        log_event(LOG_INFO, "breaker_closed", "the provider account %.*s answers again", SLICE_FMT(name));
        return;
    }
}

static void tell_failure(struct job *job, const char *why)
{
    const struct provider *p = job->breaking.provider;
    struct breaker *b = breaker_of(job, p);
    if (!b) return;
    job->breaking.is_failure = true;
    struct breaker_rule rule = {p->breaker_failures, p->breaker_window_ms, p->breaker_open_ms, p->breaker_open_max_ms};
    enum breaker_change change = breaker_failed(b, &rule, job->breaking.probe, now_ms());
    keep_probe(job, 0);
    say(job, b, change, why);
}

void breaking_head(struct job *job, bool is_failure)
{
    char why[32];
    struct breaker *b = breaker_of(job, job->breaking.provider);
    if (!b) return;
    if (is_failure) {
        snprintf(why, sizeof why, "status %d", exchange_attempt(job->x)->status);
        tell_failure(job, why);
        return;
    }
    enum breaker_change change = breaker_answered(b);
    keep_probe(job, 0);
    say(job, b, change, "");
}

void breaking_told(void *arg, bool is_limited)
{
    struct job *job = arg;
    if (job->breaking.is_failure || job->x->api->kind != API_CALL) return; /* an object may be one that failed */
    if (is_limited)
        job->breaking.is_failure = true; /* and no success either */
    else
        tell_failure(job, "an error in an answer of status 200");
}

/* Of an answer that has begun the whole time may be its client's, who reads slowly. */
static bool is_providers(enum fault_code code, bool has_head)
{
    switch ((int)code) {
    case FAULT_UPSTREAM_CONNECT:
    case FAULT_UPSTREAM_TLS:
    case FAULT_UPSTREAM_PROTOCOL:
    case FAULT_UPSTREAM_STREAM:
    case FAULT_UPSTREAM_CLOSED:
    case FAULT_UPSTREAM_ACCOUNT: /* it has no token (flow/access_token.h) */
    case FAULT_CONNECT_TIMEOUT:
    case FAULT_FIRST_BYTE_TIMEOUT:
    case FAULT_UPSTREAM_IDLE_TIMEOUT:
    case FAULT_STREAM_INCOMPLETE: return true;
    case FAULT_TOTAL_TIMEOUT: return !has_head;
    default: return false;
    }
}

static bool is_success(int status)
{
    return status && status != 429;
}

void breaking_end(struct job *job, const struct fault *why)
{
    int status = exchange_attempt(job->x)->status;
    struct breaker *b = breaker_of(job, job->breaking.provider);
    if (!b || job->breaking.is_failure) return;
    if (why && is_providers(why->code, status > 0))
        tell_failure(job, fault_message(why));
    else if (!why && is_success(status))
        breaker_succeeded(b);
}
