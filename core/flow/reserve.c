#include "flow/reserve.h"

#include "exchange/bill.h"
#include "exchange/hold.h"
#include "exchange/money.h"
#include "exchange/terms.h"
#include "flow/account.h"
#include "flow/call.h"
#include "flow/holds.h"
#include "flow/metrics.h"
#include "store/counters/counters.h"

#define PART_LEAST 16u /* of a slice: less is not asked for */

/* --- how a budget refuses, later than its policy would --- */

/* Does only what others hold stand in the way? */
static bool is_contended(const struct holds_over *over, const struct counters_totals *wanted)
{
    return counters_sum(over->state.spent, wanted->nano) <= over->item->limit;
}

/* As scripts/constructors/budget_words.lua has it; what the job itself holds is none of the others'. */
static struct slice reason_of(struct arena *arena, const struct holds_over *over, bool is_short, const char *what)
{
    const struct counters_words *words = over->item->words;
    char amounts[4][MONEY_SAID_BYTES];
    struct slice spent = money_said(over->state.spent, amounts[0]), more = money_said(over->more, amounts[1]);
    struct slice held = {0}, own = {0}, again = words->again;
    bool is_shared = over->state.held > over->own;
    if (is_short && is_shared) again = SLICE("again when requests under way have ended");
    if (is_shared)
        held = arena_printf(arena, " and holds %s", money_said(over->state.held - over->own, amounts[2]).ptr);
    if (over->own > 0) own = arena_printf(arena, ", this request holds %s", money_said(over->own, amounts[3]).ptr);
    return arena_printf(arena, "%.*s has used %.*s%.*s of %.*s%.*s, and %s may cost %.*s%s%.*s", SLICE_FMT(words->who),
                        SLICE_FMT(spent), SLICE_FMT(held), SLICE_FMT(words->what), SLICE_FMT(own), what,
                        SLICE_FMT(more), again.len ? "; " : "", SLICE_FMT(again));
}

static const struct counters_words unsaid = {
    .policy = {"budget", 6}, .code = {"budget_exhausted", 16}, .status = 402};

/* The budget may have room, but not for what this gateway gives away alone. */
static struct verdict own_refusal(struct exchange *x, const struct holds_over *over)
{
    const struct counters_words *words = over->item->words ? over->item->words : &unsaid;
    struct verdict no = {.kind = VERDICT_DENY, .status = 503, .code = SLICE("limits_unavailable"), .retry_after_s = 5};
    no.policy = words->policy;
    no.rule = over->item->rule;
    no.reason = arena_printf(&x->arena,
                             "shared counters are out of reach, and this gateway's part of %.*s for %.*s is used up",
                             SLICE_FMT(words->what), SLICE_FMT(words->who));
    if (!over->item->words) no.reason = SLICE("shared counters are out of reach, and this gateway's part is used up");
    return no;
}

/* It refused, and could not be asked how it stands. */
static struct slice unknown_reason(struct arena *arena, const struct counters_words *words)
{
    if (!words) return SLICE("it has no room for more");
    return arena_printf(arena, "%.*s has no room for more in %.*s", SLICE_FMT(words->who), SLICE_FMT(words->what));
}

static struct verdict refusal(struct exchange *x, const struct holds_over *over, const struct counters_totals *wanted,
                              const char *what)
{
    if (over->is_own) return own_refusal(x, over);
    const struct counters_words *words = over->item->words;
    struct verdict no = {.kind = VERDICT_DENY, .status = 429, .code = SLICE("budget_contended"), .retry_after_s = 1};
    bool is_short = is_contended(over, wanted);
    no.policy = (words ? words : &unsaid)->policy;
    no.rule = !words || is_short ? over->item->rule : words->rule;
    bool is_told = words && !over->is_unknown;
    no.reason = is_told ? reason_of(&x->arena, over, is_short, what) : unknown_reason(&x->arena, words);
    if (is_short) return no;
    no.status = (words ? words : &unsaid)->status;
    no.code = (words ? words : &unsaid)->code;
    no.retry_after_s = 0;
    return no;
}

static void note(struct exchange *x, const struct holds_over *over, const struct verdict *no, struct slice verb)
{
    const struct counters_words *words = over->item->words;
    trace_add(&x->decision.trace, &x->arena,
              &(struct trace_entry){.policy = no->policy,
                                    .rule = no->rule,
                                    .verb = verb,
                                    .reason = no->reason,
                                    .mode = SLICE("enforce"),
                                    .file = words ? words->file : SLICE(""),
                                    .line = words ? words->line : 0});
}

/* --- what is held --- */

static struct counters_totals totals_of(const struct job *job, const struct target *target, uint64_t output)
{
    const struct reserved *r = &job->reserved;
    const struct exchange *x = job->x;
    const struct price *price = target->terms ? target->terms->price : NULL;
    output = bill_output(x, target->terms, output);
    struct price_ask ask = {x->api->asks,      r->input_tokens,   output, x->request.uses,
                            x->request.pieces, bill_asked_tier(x, target->terms), x->born_wall_ns};
    struct cost cost = price_at_most(price, &ask);
    int64_t tokens = counters_sum((int64_t)r->input_tokens, (int64_t)output);
    return (struct counters_totals){counters_sum(r->paid.tokens, tokens), counters_sum(r->paid.nano, cost.nano)};
}

/* As that target counts them. */
static uint64_t input_tokens(const struct exchange *x, const struct target *target)
{
    if (!x->count) return exchange_estimate(x)->input_tokens;
    return count_total(x->count, target->terms ? target->terms->counting : NULL).input_tokens;
}

/* All that may come of a stream, as far as the request bounds it: to some servers 0 is no bound. */
static uint64_t most_output(const struct exchange *x)
{
    uint64_t answers = x->request.generated ? x->request.generated : 1, most;
    int64_t each = x->decision.output_bound ? x->decision.output_bound : x->request.max_tokens;
    bool is_unbounded = each <= 0 || __builtin_mul_overflow((uint64_t)each, answers, &most) ||
                        most > (uint64_t)COUNTERS_AMOUNT_MAX;
    return is_unbounded ? (uint64_t)COUNTERS_AMOUNT_MAX : most;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t first_output(const struct exchange *x)
{
    const struct reserve *want = &x->decision.reserve;
    uint64_t all = want->output_tokens ? want->output_tokens : x->estimate.output_tokens;
    if (!x->api->meters_output) return 0;
    if (x->request.max_tokens > 0) all = most_output(x); /* a later policy may have set another */
    return want->slice ? smaller(want->slice, all) : all;
}

/* Of an answer whose length nobody said only money is held: limits on tokens count what is told, as at the admission,
 * and in the end what it came to. */
static bool is_told(const struct exchange *x)
{
    return x->request.max_tokens >= 0 || x->decision.reserve.slice;
}

static int64_t tokens_told(const struct job *job)
{
    const struct reserved *r = &job->reserved;
    int64_t told = counters_sum((int64_t)r->input_tokens, (int64_t)job->x->estimate.output_tokens);
    return counters_sum(r->paid.tokens, told);
}

static const struct target *target_of(const struct job *job)
{
    return &job->x->decision.verdict.targets[job->x->target_index];
}

/* What could not be asked for is charged in any case, when it has come. */
static void on_attempt_word(struct job *job, enum holds_word word, const struct holds_over *over)
{
    struct exchange *x = job->x;
    if (word == HOLDS_REFUSED) {
        struct verdict no = refusal(x, over, &job->reserved.wanted,
                                    exchange_attempt(x) ? "another attempt" : "this request");
        note(x, over, &no, SLICE("deny"));
        job->reserved.then(job, &no);
    } else {
        job->reserved.then(job, NULL);
    }
}

void reserve_attempt(struct job *job, reserve_fn then)
{
    struct exchange *x = job->x;
    const struct holds_over *over = NULL;
    if (!x->holds) {
        then(job, NULL);
        return;
    }
    const struct target *target = target_of(job);
    struct reserved *r = &job->reserved;
    *r = (struct reserved){.paid = holds_paid(job),
                           .input_tokens = input_tokens(x, target),
                           .output_tokens = first_output(x),
                           .then = then};
    r->wanted = totals_of(job, target, r->output_tokens);
    if (!is_told(x)) r->wanted.tokens = tokens_told(job);
    enum holds_word word = holds_extend(job, r->wanted, on_attempt_word, &over);
    if (word != HOLDS_ASKED) on_attempt_word(job, word, over);
}

/* --- of a stream --- */

static bool is_open(const struct exchange *x)
{
    for (const struct hold *hold = x->holds; hold; hold = hold->next)
        if (hold->state == HOLD_OPEN) return true;
    return false;
}

/* Half of what is held of an answer is used, and more may come. */
static bool is_short(const struct job *job, uint64_t said)
{
    const struct reserve *want = &job->x->decision.reserve;
    const struct reserved *r = &job->reserved;
    return said + want->slice / 2 >= r->output_tokens && r->output_tokens < most_output(job->x);
}

/* By what is settled, which is cheap. Where there was no room, not each token asks again; but a stream that is to be
 * cut is counted as closely as it will be charged. */
static bool is_due(const struct job *job, uint64_t settled)
{
    const struct reserved *r = &job->reserved;
    if (!is_short(job, settled)) return r->again_at && job->x->decision.reserve.cuts;
    return settled >= r->again_at || job->x->decision.reserve.cuts;
}

static void note_end(struct job *job, const struct holds_over *over, struct verdict *no)
{
    bool is_cut = job->x->decision.reserve.cuts;
    struct counters_totals wanted = totals_of(job, target_of(job), job->reserved.said);
    job->reserved.is_over = true;
    *no = refusal(job->x, over, &wanted, "more of the answer");
    if (is_cut) {
        no->code = SLICE("budget_cut");
        no->status = 402;
        no->retry_after_s = 0;
    }
    note(job->x, over, no, is_cut ? SLICE("cut") : SLICE("over"));
    metrics_budget_overrun(job->flow->metrics, is_cut);
}

static uint32_t least_part(const struct job *job)
{
    uint32_t slice = job->x->decision.reserve.slice;
    return slice / PART_LEAST ? slice / PART_LEAST : 1;
}

static void on_part(struct job *job, enum holds_word word, const struct holds_over *over);

/* One more part behind what was said or is held, whichever is more. */
static uint64_t with_part(const struct job *job)
{
    const struct reserved *r = &job->reserved;
    uint64_t from = r->said > r->output_tokens ? r->said : r->output_tokens;
    return smaller(from + r->part, most_output(job->x));
}

static enum holds_word ask_part(struct job *job, const struct holds_over **over)
{
    struct reserved *r = &job->reserved;
    r->asked = with_part(job);
    return holds_extend(job, totals_of(job, target_of(job), r->asked), on_part, over);
}

/* By what the budget has left as it refused: what cannot fit is not asked for. */
static bool may_fit(const struct job *job, const struct holds_over *over)
{
    int64_t asked = totals_of(job, target_of(job), job->reserved.asked).nano;
    int64_t now = totals_of(job, target_of(job), with_part(job)).nano;
    int64_t used = counters_sum(over->state.spent, over->state.held);
    return over->more - (asked - now) <= over->item->limit - used;
}

/* The word on what was asked for; where there is no room for it, on smaller ones. */
static enum holds_word take_word(struct job *job, enum holds_word word, const struct holds_over *over)
{
    struct reserved *r = &job->reserved;
    while (word == HOLDS_REFUSED && (r->part /= 2) >= least_part(job))
        if (may_fit(job, over)) word = ask_part(job, &over);
    if (word == HOLDS_ASKED) return word;
    if (word == HOLDS_GRANTED) r->output_tokens = r->asked;
    r->again_at = word == HOLDS_GRANTED ? 0 : r->said + least_part(job);
    r->over = word == HOLDS_REFUSED ? over : NULL;
    r->asked = 0;
    return word;
}

/* No other piece may come to say it. */
static void on_part(struct job *job, enum holds_word word, const struct holds_over *over)
{
    struct verdict no;
    bool is_refused = take_word(job, word, over) == HOLDS_REFUSED;
    if (is_refused && !job->x->decision.reserve.cuts && !job->reserved.is_over)
        note_end(job, job->reserved.over, &no);
}

static enum holds_word take_slice(struct job *job)
{
    const struct holds_over *over = NULL;
    job->reserved.part = job->x->decision.reserve.slice;
    enum holds_word word = ask_part(job, &over);
    return take_word(job, word, over);
}

/* Would the next read go beyond what is held, bringing as much as this one? */
static bool is_used_up(struct reserved *r, uint64_t said)
{
    uint64_t step = r->again_at && said > r->said ? said - r->said : 1;
    r->said = said;
    return said + step > r->output_tokens;
}

/* What was refused last counts while another word is waited for: the stream is not. */
static enum holds_word word_now(struct job *job)
{
    struct reserved *r = &job->reserved;
    enum holds_word word = r->asked ? HOLDS_ASKED : take_slice(job);
    return word == HOLDS_ASKED && r->over ? HOLDS_REFUSED : word;
}

bool reserve_stream(struct job *job, struct verdict *no)
{
    struct exchange *x = job->x;
    struct reserved *r = &job->reserved;
    if (!x->decision.reserve.slice || !is_open(x) || !is_due(job, account_output_tokens(x, job->call->relay)))
        return true;
    uint64_t said = account_output_now(x, job->call->relay);
    bool is_cut = x->decision.reserve.cuts, is_end = is_used_up(r, said);
    if (!is_short(job, said) || (said < r->again_at && !is_end)) return true;
    if (word_now(job) != HOLDS_REFUSED) return true;
    if (!r->is_over && (is_end || !is_cut)) note_end(job, r->over, no);
    return !is_cut || !is_end;
}
