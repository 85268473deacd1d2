#include "flow/holds.h"

#include <string.h>

#include "base/check.h"
#include "base/list.h"
#include "base/mem.h"
#include "exchange/bill.h"
#include "exchange/hold.h"
#include "flow/job.h"
#include "flow/tally.h"
#include "lua/host.h"

/* What a policy asked, and was not answered at once. */
struct asking {
    struct list_link link;
    struct holds *holds;
    uint64_t ticket;
    struct tally_asked asked;
};

struct holds {
    struct tally *tally;
    struct list_link waiting;
};

/* --- what policies ask --- */

/* By the id, and under what, it was taken. */
static void give_back(struct holds *h, const struct counters_question *admitted, const struct counters_answer *said)
{
    struct counters_question question = *admitted;
    question.operation = COUNTERS_RELEASE;
    memcpy(question.hold, said->hold, sizeof question.hold);
    if (said->items) question.items = said->items;
    tally_end(h->tally, &question);
}

/* The question may be gone when the answer has been heard. */
static void answer(struct holds *h, const struct counters_question *question, uint64_t ticket,
                   const struct counters_answer *said)
{
    struct counters_question copy = *question;
    bool is_taken = question->operation == COUNTERS_ADMIT && !said->error && said->is_ok;
    if (!policy_counters_done(ticket, said) && is_taken) give_back(h, &copy, said);
}

static void drop(struct asking *asking)
{
    list_remove(&asking->link);
    mem_free(asking);
}

static void on_answer(void *arg, const struct counters_answer *said)
{
    struct asking *asking = arg;
    struct holds *h = asking->holds;
    struct counters_question question = asking->asked.question;
    uint64_t ticket = asking->ticket;
    drop(asking);
    answer(h, &question, ticket, said);
}

void holds_ask(struct holds *h, const struct counters_question *question, uint64_t ticket)
{
    struct fallback_space space;
    struct counters_answer said;
    if (tally_now(h->tally, question, &space, &said)) {
        answer(h, question, ticket, &said);
        return;
    }
    struct asking *asking = mem_alloc(sizeof *asking);
    *asking = (struct asking){.holds = h, .ticket = ticket};
    asking->asked = (struct tally_asked){.question = *question, .fn = on_answer, .arg = asking};
    list_append(&h->waiting, &asking->link);
    tally_wait(h->tally, &asking->asked);
}

void holds_forget(struct holds *h, uint64_t ticket)
{
    for (struct list_link *at = h->waiting.next; at != &h->waiting; at = at->next) {
        struct asking *asking = LIST_OWNER(at, struct asking, link);
        if (asking->ticket != ticket) continue;
        tally_forget(h->tally, &asking->asked);
        drop(asking);
        return;
    }
}

struct holds *holds_new(const struct holds_options *options)
{
    struct holds *h = mem_zalloc(1, sizeof *h);
    h->tally = tally_new(&(struct tally_options){.loop = options->loop,
                                                 .counters = options->counters,
                                                 .owner = options->owner,
                                                 .redis = options->redis,
                                                 .metrics = options->metrics});
    list_init(&h->waiting);
    return h;
}

void holds_free(struct holds *h)
{
    if (!h) return;
    check(list_is_empty(&h->waiting));
    tally_free(h->tally);
    mem_free(h);
}

struct tally *holds_tally(const struct holds *h)
{
    return h->tally;
}

const char *holds_trouble(const struct holds *h)
{
    return tally_trouble(h->tally);
}

/* --- a job's --- */

struct counters_totals holds_paid(const struct job *job)
{
    struct bill bill = bill_of(job->x);
    return (struct counters_totals){.tokens = bill_tokens(&bill),
                                    .nano = bill.cost.state == COST_UNPRICED ? 0 : bill.cost.nano};
}

/* Some totals for all holds of a job, one after the other; of one that is refused, how it stands with the budget. */
struct extension {
    struct job *job;
    struct counters_totals totals;
    struct hold *hold; /* that is asked for */
    bool is_looking;   /* it was refused */
    bool is_waiting;
    struct tally_asked asked;
    struct holds_over asked_over, over; /* that is being looked at; as it was said last */
    holds_fn then;
};

static struct tally *tally_of(const struct extension *e)
{
    return e->job->flow->holds->tally;
}

static void on_extended(void *arg, const struct counters_answer *said);

/* True: *word is what came of it. */
static bool took(struct extension *e, const struct counters_answer *said, enum holds_word *word);

static bool put(struct extension *e, enum holds_word *word)
{
    struct fallback_space space;
    struct counters_answer said;
    if (tally_now(tally_of(e), &e->asked.question, &space, &said)) return took(e, &said, word);
    e->is_waiting = true;
    tally_wait(tally_of(e), &e->asked);
    return false;
}

/* Those that have as much already are not asked for. */
static bool next(struct extension *e, enum holds_word *word)
{
    struct counters_question question;
    for (e->hold = e->job->x->holds; e->hold; e->hold = e->hold->next) {
        if (!hold_extend(e->hold, e->totals, &question)) continue;
        e->asked = (struct tally_asked){.question = question, .fn = on_extended, .arg = e};
        e->is_looking = false;
        return put(e, word);
    }
    *word = HOLDS_GRANTED;
    return true;
}

/* How it stands with the one that refused. */
static bool look(struct extension *e, size_t failed, enum holds_word *word)
{
    struct hold *hold = e->hold;
    const struct counters_item *item = &hold->items[failed];
    e->asked_over = (struct holds_over){
        .item = item, .more = e->totals.nano - hold->totals.nano, .own = hold->totals.nano,
        .is_own = fallback_is_own(hold->id)};
    e->is_looking = true;
    e->asked.question = (struct counters_question){.operation = COUNTERS_PEEK, .items = item, .item_count = 1};
    memcpy(e->asked.question.hold, hold->id, sizeof e->asked.question.hold); /* where it is to be asked */
    return put(e, word);
}

static bool took(struct extension *e, const struct counters_answer *said, enum holds_word *word)
{
    *word = e->is_looking ? HOLDS_REFUSED : HOLDS_UNHEARD;
    if (e->is_looking) e->over = e->asked_over;
    e->over.is_unknown = said->error || !said->state_count;
    if (e->is_looking && said->state_count) e->over.state = said->states[0];
    if (e->is_looking || said->error) return true;
    if (!said->is_ok) return look(e, said->failed, word);
    hold_grow(e->hold, e->totals);
    return next(e, word);
}

static void on_extended(void *arg, const struct counters_answer *said)
{
    struct extension *e = arg;
    enum holds_word word;
    e->is_waiting = false;
    if (took(e, said, &word)) e->then(e->job, word, &e->over);
}

/* Made once for a job, when it needs more for the first time. */
static struct extension *extension_of(struct job *job)
{
    if (!job->extension) {
        job->extension = arena_zalloc(&job->x->arena, sizeof *job->extension);
        job->extension->job = job;
    }
    return job->extension;
}

static bool has_enough(const struct job *job, struct counters_totals totals)
{
    struct counters_question question;
    for (const struct hold *hold = job->x->holds; hold; hold = hold->next)
        if (hold_extend(hold, totals, &question)) return false;
    return true;
}

enum holds_word holds_extend(struct job *job, struct counters_totals totals, holds_fn then,
                             const struct holds_over **over)
{
    enum holds_word word;
    if (has_enough(job, totals)) return HOLDS_GRANTED;
    struct extension *e = extension_of(job);
    check(!e->is_waiting);
    e->totals = totals;
    e->then = then;
    *over = &e->over;
    return next(e, &word) ? word : HOLDS_ASKED;
}

void holds_leave(struct job *job)
{
    struct extension *e = job->extension;
    if (!e || !e->is_waiting) return;
    e->is_waiting = false;
    tally_forget(tally_of(e), &e->asked);
}

/* Nothing was called: it is as if it had never been, but for having asked. */
void holds_close(struct job *job)
{
    const struct exchange *x = job->x;
    struct counters_totals paid = holds_paid(job);
    holds_leave(job);
    for (struct hold *hold = x->holds; hold; hold = hold->next) {
        struct counters_question question;
        if (hold_close(hold, exchange_attempt(x) ? &paid : NULL, &question))
            tally_end(job->flow->holds->tally, &question);
    }
}
