/*
 * What an answer used and what that costs: the provider's own numbers, and where they never came the gateway's count,
 * marked as such. Billed is what a provider was given to work on and answered; its failures, and the text of its errors,
 * are not.
 */
#include "flow/job.h"

#include "exchange/bill.h"
#include "exchange/terms.h"

static const struct count_rules *rules_of(const struct exchange *x, const struct attempt *attempt)
{
    const struct terms *terms = attempt ? x->decision.verdict.targets[attempt->target].terms : NULL;
    return terms ? terms->counting : NULL;
}

static const struct count_rules *rules_now(const struct job *job)
{
    return rules_of(job->x, exchange_attempt(job->x));
}

void account_begin(struct job *job)
{
    struct exchange *x = job->x;
    struct attempt *attempt = exchange_attempt(x);
    const struct count_rules *rules = rules_of(x, attempt);
    if (x->count) {
        struct count_total t = count_total(x->count, rules);
        attempt->estimate.input_tokens = t.input_tokens;
        attempt->estimate.is_flagged = t.is_estimated;
        attempt->estimate.is_partial = t.is_partial;
    }
    meter_free(job->meter);
    job->meter = x->api == API_EMBEDDINGS ? NULL : meter_new(count_vocabulary(rules));
}

static uint64_t counted_tokens(const struct job *job)
{
    struct meter_total t = job->meter ? meter_total(job->meter) : (struct meter_total){0};
    return t.text_tokens ? count_output_tokens(rules_now(job), t.text_tokens, t.calls) : 0;
}

uint64_t account_output_tokens(const struct job *job)
{
    return job->meter ? count_scale(rules_now(job), meter_settled(job->meter)) : 0;
}

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

/* A call that the client's going, or ours, broke off while the provider was at work. */
static bool is_broken_off(const struct attempt *a)
{
    bool is_ours = a->error == FAULT_CLIENT_GONE || a->error == FAULT_DRAINING;
    return is_ours && a->was_sent && !a->status;
}

/* An error in a stream bills what was said before it, and nothing when that is nothing. */
static bool is_billed(const struct job *job, const struct attempt *a, uint64_t counted)
{
    if (usage_is_known(&a->usage)) return true;
    if (job->told.has_error) return counted > 0;
    return is_success(a->status) || is_broken_off(a);
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

static void count_output(struct job *job, struct attempt *a, uint64_t counted)
{
    struct usage_parts *parts = &a->parts;
    struct meter_total t = job->meter ? meter_total(job->meter) : (struct meter_total){0};
    int64_t reasoning = t.reasoning_tokens < counted ? (int64_t)t.reasoning_tokens : (int64_t)counted;
    if (usage_has_output(&a->usage) && (!is_cut(job) || (int64_t)counted <= output_of(parts))) return;
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

static void fill_parts(struct job *job, struct attempt *a)
{
    struct usage_parts *parts = &a->parts;
    uint64_t counted = counted_tokens(job) + unread_tokens(job);
    usage_normalise(&a->usage, parts);
    a->is_billed = is_billed(job, a, counted);
    if (!a->is_billed) {
        *parts = (struct usage_parts){.is_suspect = parts->is_suspect};
        return;
    }
    parts->count[USAGE_REQUESTS] = 1;
    if (a->usage.input_tokens == USAGE_UNKNOWN) {
        parts->count[USAGE_INPUT] = (int64_t)a->estimate.input_tokens;
        parts->is_estimated = true;
    }
    if (job->x->api != API_EMBEDDINGS) count_output(job, a, counted);
}

void account_settle(struct job *job)
{
    struct exchange *x = job->x;
    struct attempt *attempt = exchange_attempt(x);
    if (!attempt || attempt->is_closed) return;
    attempt->usage = job->told.usage;
    attempt->finish_reason = arena_copy(&x->arena, slice_str(job->told.finish_reason));
    fill_parts(job, attempt);
    attempt->cost = (struct cost){.state = COST_KNOWN};
    if (attempt->is_billed) bill_attempt(x, attempt);
}

void account_close(struct job *job)
{
    struct attempt *attempt = exchange_attempt(job->x);
    account_settle(job);
    if (attempt) attempt->is_closed = true;
}
