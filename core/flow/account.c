#include "flow/account.h"

#include "exchange/bill.h"
#include "exchange/pieces.h"
#include "exchange/terms.h"

static const struct count_rules *rules_of(const struct exchange *x, const struct attempt *attempt)
{
    const struct terms *terms = attempt ? x->decision.verdict.targets[attempt->target].terms : NULL;
    return terms ? terms->counting : NULL;
}

const struct vocabulary *account_begin(struct exchange *x)
{
    struct attempt *attempt = exchange_attempt(x);
    const struct count_rules *rules = rules_of(x, attempt);
    if (x->count) {
        struct count_total t = count_total(x->count, rules);
        attempt->estimate.input_tokens = t.input_tokens;
        attempt->estimate.is_flagged = t.is_estimated;
        attempt->estimate.is_partial = t.is_partial;
    }
    return x->api->meters_output ? count_vocabulary(rules) : NULL;
}

static uint64_t counted_tokens(const struct exchange *x, const struct attempt *a, const struct meter_total *t)
{
    return t->text_tokens ? count_output_tokens(rules_of(x, a), t->text_tokens, t->calls) : 0;
}

uint64_t account_output_tokens(const struct exchange *x, const struct relay *r)
{
    return count_scale(rules_of(x, exchange_attempt(x)), relay_settled_tokens(r));
}

uint64_t account_output_now(const struct exchange *x, const struct relay *r)
{
    struct relay_report told = relay_report(r);
    return counted_tokens(x, exchange_attempt(x), &told.counted);
}

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

/* Not the provider's doing: the client's going, ours, or that our patience was over. */
static bool is_ended_here(enum fault_code error)
{
    switch (error) {
    case FAULT_CLIENT_GONE:
    case FAULT_CLIENT_STALLED:
    case FAULT_DRAINING:
    case FAULT_KEY_REVOKED:
    case FAULT_FIRST_BYTE_TIMEOUT:
    case FAULT_UPSTREAM_IDLE_TIMEOUT: /* inside the answer's head */
    case FAULT_TOTAL_TIMEOUT: return true;
    default: return false;
    }
}

/* A call that was broken off from here while the provider was at work. */
static bool is_broken_off(const struct attempt *a)
{
    return is_ended_here(a->error) && a->was_sent && !a->status;
}

/* An error in a stream bills what was said before it, and nothing when that is nothing. */
static bool is_billed(const struct attempt *a, const struct relay_report *told, uint64_t counted)
{
    if (usage_is_known(&a->usage)) return true;
    if (told->has_error) return counted > 0;
    return is_success(a->status) || is_broken_off(a);
}

/* Nothing is known, or nothing is said to have been read, where the request has something to read. */
static void count_input(const struct exchange *x, struct attempt *a)
{
    struct usage_parts *parts = &a->parts;
    bool is_known = a->usage.input_tokens != USAGE_UNKNOWN;
    if (a->usage.seconds != USAGE_UNKNOWN) return; /* paid for by its length, whatever is said in it */
    if (usage_parts_input(parts) > 0 || (is_known && a->estimate.input_tokens == 0)) return;
    parts->count[pieces_input(x, a)] = (int64_t)a->estimate.input_tokens;
    parts->is_estimated = true;
}

/* Of a stream that did not come to its end, reports on the way lag behind what was said. */
static void count_output(struct attempt *a, const struct relay_report *told, uint64_t counted)
{
    struct usage_parts *parts = &a->parts;
    uint64_t reasoning_tokens = told->counted.reasoning_tokens;
    int64_t reasoning = reasoning_tokens < counted ? (int64_t)reasoning_tokens : (int64_t)counted;
    if (usage_has_output(&a->usage) && (!told->is_cut || (int64_t)counted <= usage_parts_output(parts))) return;
    if (a->usage.output_tokens == 0 && counted == 0) return;
    parts->count[USAGE_REASONING] = reasoning;
    parts->count[USAGE_OUTPUT] = (int64_t)counted - reasoning;
    parts->is_estimated = true;
    if (usage_is_total_alone(&a->usage)) {
        int64_t *input = &parts->count[USAGE_INPUT];
        *input = *input > (int64_t)counted ? *input - (int64_t)counted : 0;
    }
}

/* What went by unread is taken for text: four bytes a token, no more than was asked for; 0 bounds nothing. */
static uint64_t unread_tokens(const struct exchange *x, const struct relay_report *told)
{
    int64_t asked = x->request.max_tokens, added = x->decision.output_bound;
    uint64_t tokens = told->unread_bytes / 4, wanted, choices = x->request.choices ? x->request.choices : 1;
    bool is_counted = !__builtin_mul_overflow((uint64_t)(asked > 0 ? asked : added), choices, &wanted);
    bool is_bounded = (asked > 0 || added > 0) && is_counted && wanted < tokens;
    return !x->api->meters_output ? 0 : is_bounded ? wanted : tokens;
}

static void fill_parts(const struct exchange *x, struct attempt *a, const struct relay_report *told)
{
    struct usage_parts *parts = &a->parts;
    uint64_t counted = counted_tokens(x, a, &told->counted) + unread_tokens(x, told);
    pieces_sort(x, a);
    usage_normalise(&a->usage, parts);
    a->is_billed = !x->api->is_free && is_billed(a, told, counted);
    if (!a->is_billed) {
        *parts = (struct usage_parts){.is_suspect = parts->is_suspect};
        return;
    }
    parts->count[USAGE_REQUESTS] = 1;
    count_input(x, a);
    pieces_add(x, a, parts);
    if (x->api->meters_output) count_output(a, told, counted);
}

/* Once: it only grows, and is asked for at the end. */
static void keep_dropped(struct exchange *x, struct attempt *a, const struct dropped *dropped)
{
    struct buf names;
    if (!dropped || dropped_is_empty(dropped)) return;
    buf_init(&names);
    dropped_write(dropped, &names);
    if (!slice_equal(a->dropped_answer, buf_slice(&names)))
        a->dropped_answer = arena_copy(&x->arena, buf_slice(&names));
    buf_clear(&names);
}

void account_settle(struct exchange *x, const struct relay *r)
{
    struct attempt *attempt = exchange_attempt(x);
    struct relay_report told = {0};
    if (!attempt || attempt->is_closed) return;
    if (r) {
        told = relay_report(r);
        attempt->usage = *told.usage;
        attempt->finish_reason = arena_copy(&x->arena, slice_str(told.finish_reason));
        keep_dropped(x, attempt, told.dropped);
    }
    fill_parts(x, attempt, &told);
    attempt->cost = (struct cost){.state = COST_KNOWN};
    if (attempt->is_billed) bill_attempt(x, attempt);
}

void account_close(struct exchange *x, const struct relay *r)
{
    struct attempt *attempt = exchange_attempt(x);
    account_settle(x, r);
    if (attempt) attempt->is_closed = true;
}
