/*
 * What an answer used and what that costs: the provider's own numbers, and where they never came the gateway's count,
 * marked as such. Billed is what a provider was given to work on and answered; its failures, and the text of its errors,
 * are not.
 */
#include "flow/job.h"

#include "exchange/bill.h"
#include "exchange/terms.h"

static const struct target *target_of(const struct exchange *x)
{
    return x->target_index >= 0 ? &x->verdict.targets[x->target_index] : NULL;
}

static const struct count_rules *rules_of(const struct exchange *x)
{
    const struct target *target = target_of(x);
    return target && target->terms ? target->terms->counting : NULL;
}

void account_begin(struct job *job)
{
    struct exchange *x = job->x;
    if (x->count) {
        struct count_total t = count_total(x->count, rules_of(x));
        x->estimate_input_tokens = t.input_tokens;
        x->is_estimate_flagged = t.is_estimated;
        x->is_estimate_partial = t.is_partial;
    }
    meter_free(job->meter);
    job->meter = x->api == API_EMBEDDINGS ? NULL : meter_new(count_vocabulary(rules_of(x)));
}

static uint64_t counted_tokens(const struct job *job)
{
    struct meter_total t = job->meter ? meter_total(job->meter) : (struct meter_total){0};
    return t.text_tokens ? count_output_tokens(rules_of(job->x), t.text_tokens, t.calls) : 0;
}

uint64_t account_output_tokens(const struct job *job)
{
    return job->meter ? count_scale(rules_of(job->x), meter_settled(job->meter)) : 0;
}

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

/* A call that the client's going, or ours, broke off while the provider was at work. */
static bool is_broken_off(const struct exchange *x)
{
    const struct attempt *last = x->attempt_count ? &x->attempts[x->attempt_count - 1] : NULL;
    bool is_ours = x->fault.code == FAULT_CLIENT_GONE || x->fault.code == FAULT_DRAINING;
    return is_ours && last && last->was_connected && !x->response.upstream_status;
}

/* An error in a stream bills what was said before it, and nothing when that is nothing. */
static bool is_billed(const struct job *job, uint64_t counted)
{
    const struct exchange *x = job->x;
    if (!job->dialect || x->target_index < 0) return false;
    if (usage_is_known(&x->usage)) return true;
    if (job->told.has_error) return counted > 0;
    return is_success(x->response.upstream_status) || is_broken_off(x);
}

/* Of a stream that did not come to its end, reports on the way lag behind what was said. */
static bool is_cut(const struct job *job)
{
    return job->mode == RELAY_EVENTS && job->dialect->judge_end(&job->told) == DIALECT_CUT;
}

static int64_t output_of(const struct usage_parts *parts)
{
    return parts->count[USAGE_OUTPUT] + parts->count[USAGE_REASONING] + parts->count[USAGE_AUDIO_OUTPUT] +
           parts->count[USAGE_IMAGE_OUTPUT];
}

static void count_output(struct job *job, struct usage_parts *parts, uint64_t counted)
{
    struct meter_total t = job->meter ? meter_total(job->meter) : (struct meter_total){0};
    int64_t reasoning = t.reasoning_tokens < counted ? (int64_t)t.reasoning_tokens : (int64_t)counted;
    if (usage_has_output(&job->x->usage) && (!is_cut(job) || (int64_t)counted <= output_of(parts))) return;
    parts->count[USAGE_REASONING] = reasoning;
    parts->count[USAGE_OUTPUT] = (int64_t)counted - reasoning;
    parts->is_estimated = true;
}

/* What went by unread is taken for text: four bytes a token, and no more than was asked for. */
static uint64_t unread_tokens(const struct job *job)
{
    const struct exchange *x = job->x;
    uint64_t tokens = job->mode == RELAY_RAW ? x->response.bytes_out / 4 : 0;
    bool is_bounded = x->request.max_tokens >= 0 && (uint64_t)x->request.max_tokens < tokens;
    return x->api == API_EMBEDDINGS ? 0 : is_bounded ? (uint64_t)x->request.max_tokens : tokens;
}

static void fill_parts(struct job *job)
{
    struct exchange *x = job->x;
    struct usage_parts *parts = &x->parts;
    uint64_t counted = counted_tokens(job) + unread_tokens(job);
    usage_normalise(&x->usage, parts);
    x->is_billed = is_billed(job, counted);
    if (!x->is_billed) {
        *parts = (struct usage_parts){.is_suspect = parts->is_suspect};
        return;
    }
    parts->count[USAGE_REQUESTS] = 1;
    if (x->usage.input_tokens == USAGE_UNKNOWN) {
        parts->count[USAGE_INPUT] = (int64_t)x->estimate_input_tokens;
        parts->is_estimated = true;
    }
    if (x->api != API_EMBEDDINGS) count_output(job, parts, counted);
}

void account_settle(struct job *job)
{
    struct exchange *x = job->x;
    x->usage = job->told.usage;
    fill_parts(job);
    x->cost = x->is_billed ? bill_cost(x, &x->parts) : (struct cost){.state = COST_KNOWN};
}
