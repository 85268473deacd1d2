#include "flow/switched.h"

#include <stdio.h>

#include "base/clock.h"
#include "flow/reply.h"
#include "store/provider_switches.h"

static const struct target *target_of(const struct job *job, size_t target)
{
    return &job->x->decision.verdict.targets[target];
}

static bool is_off(const struct job *job, struct slice account, struct provider_switch *s)
{
    *s = provider_switches_get(job->flow->parts.switches, account);
    return s->is_off && provider_switch_is_off(s, (int64_t)(clock_wall_ns() / NS_PER_S));
}

bool switched_is_off(const struct job *job, size_t target)
{
    struct provider_switch s;
    return is_off(job, target_of(job, target)->provider, &s);
}

/* "until 2026-11-27T18:00:00Z" or "until somebody switches it on". */
static void say_end(const struct provider_switch *s, char text[CLOCK_TEXT_BYTES + 40])
{
    char when[CLOCK_TEXT_BYTES];
    if (!s->until_s) {
        snprintf(text, CLOCK_TEXT_BYTES + 40, "until somebody switches it on");
        return;
    }
    clock_format((uint64_t)s->until_s * NS_PER_S, when);
    snprintf(text, CLOCK_TEXT_BYTES + 40, "until %.19sZ", when);
}

void switched_pass(struct job *job, size_t target)
{
    struct provider_switch s;
    struct exchange *x = job->x;
    const struct target *t = target_of(job, target);
    char end[CLOCK_TEXT_BYTES + 40];
    if ((job->switched >> target & 1) || !is_off(job, t->provider, &s)) return;
    job->switched |= 1u << target;
    say_end(&s, end);
    trace_add(&x->decision.trace, &x->arena,
              &(struct trace_entry){.policy = SLICE("switch"),
                                    .rule = t->name,
                                    .verb = SLICE("pass_over"),
                                    .reason = arena_printf(&x->arena, "%.*s is switched off %s",
                                                           SLICE_FMT(t->provider), end),
                                    .mode = SLICE("enforce")});
}

bool switched_refuse(struct job *job)
{
    struct fault why;
    struct provider_switch s;
    char end[CLOCK_TEXT_BYTES + 40];
    const struct verdict *v = &job->x->decision.verdict;
    for (size_t i = 0; i < v->target_count; i++) {
        if ((job->breaking.tried >> i & 1) || !is_off(job, v->targets[i].provider, &s)) continue;
        say_end(&s, end);
        fault_set(&why, FAULT_PROVIDER_OFF, "No provider of the model %.*s is left to ask: %.*s is switched off %s.",
                  SLICE_FMT(v->model), SLICE_FMT(v->targets[i].provider), end);
        reply_fault(job, &why);
        return true;
    }
    return false;
}

bool switched_cuts(const struct job *job, struct fault *why)
{
    struct provider_switch s;
    const struct provider *provider = job->breaking.provider;
    if (!job->call || !provider || !is_off(job, provider->name, &s) || !s.is_cut) return false;
    fault_set(why, FAULT_PROVIDER_OFF, "The provider account %.*s was switched off while it answered.",
              SLICE_FMT(provider->name));
    return true;
}
