#include "flow/holds.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "exchange/bill.h"
#include "exchange/hold.h"
#include "flow/job.h"
#include "lua/host.h"

#define AGAIN_MS 5u

/* A question that came while the counters were being rebuilt, or somebody kept all others out. */
struct early {
    struct list_link link;
    const struct counters_question *question;
    uint64_t ticket, until_ns;
};

struct holds {
    struct loop *loop;
    struct counters_shared *counters;
    uint64_t owner;
    struct list_link early;
    struct loop_timer timer;
};

static void put(struct holds *h, const struct counters_question *question, struct counters_state *states,
                struct counters_answer *answer)
{
    struct counters_asker asker = {.owner = h->owner, .now_ns = (int64_t)clock_wall_ns()};
    if (h->counters)
        counters_shared_ask(h->counters, question, asker, states, answer);
    else
        *answer = (struct counters_answer){.error = "nobody counts here"};
}

/* --- what policies ask --- */

static void give_back(struct holds *h, const struct counters_question *admitted)
{
    struct counters_question question = *admitted;
    struct counters_answer answer;
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    question.operation = COUNTERS_RELEASE;
    put(h, &question, states, &answer);
}

/* The question may be gone when the answer has been heard. */
static void answer(struct holds *h, const struct counters_question *question, uint64_t ticket,
                   const struct counters_answer *said)
{
    struct counters_question copy = *question;
    bool is_taken = question->operation == COUNTERS_ADMIT && !said->error && said->is_ok;
    if (!policy_counters_done(ticket, said) && is_taken) give_back(h, &copy);
}

static bool may_come(const struct counters_answer *said)
{
    return said->error && (strcmp(said->error, "starting") == 0 || strcmp(said->error, "unreachable") == 0);
}

static void wait_for_it(struct holds *h, const struct counters_question *question, uint64_t ticket)
{
    struct early *early = mem_zalloc(1, sizeof *early);
    early->question = question;
    early->ticket = ticket;
    uint32_t wait_ms = question->timeout_ms;
    if (wait_ms > LIMIT_COUNTERS_WAIT_MS) wait_ms = LIMIT_COUNTERS_WAIT_MS;
    early->until_ns = clock_mono_ns() + wait_ms * NS_PER_MS;
    list_append(&h->early, &early->link);
    if (!loop_timer_is_armed(&h->timer)) loop_timer_arm_ms(&h->timer, AGAIN_MS);
}

static void drop_early(struct early *early)
{
    list_remove(&early->link);
    mem_free(early);
}

void holds_ask(struct holds *h, const struct counters_question *question, uint64_t ticket)
{
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_answer said;
    put(h, question, states, &said);
    if (may_come(&said) && question->timeout_ms)
        wait_for_it(h, question, ticket);
    else
        answer(h, question, ticket, &said);
}

void holds_forget(struct holds *h, uint64_t ticket)
{
    for (struct list_link *at = h->early.next; at != &h->early; at = at->next) {
        struct early *early = LIST_OWNER(at, struct early, link);
        if (early->ticket != ticket) continue;
        drop_early(early);
        return;
    }
}

/* One turn for each: an answer may bring others to ask, or to be forgotten. */
static void ask_again(struct holds *h, struct early *early)
{
    struct early this = *early;
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_answer said;
    put(h, this.question, states, &said);
    if (may_come(&said) && clock_mono_ns() < this.until_ns) {
        list_remove(&early->link);
        list_append(&h->early, &early->link);
        return;
    }
    drop_early(early);
    answer(h, this.question, this.ticket, &said);
}

static void on_again(void *arg)
{
    struct holds *h = arg;
    size_t count = 0;
    for (struct list_link *at = h->early.next; at != &h->early; at = at->next)
        count++;
    while (count-- > 0 && !list_is_empty(&h->early))
        ask_again(h, LIST_OWNER(h->early.next, struct early, link));
    if (!list_is_empty(&h->early) && !loop_timer_is_armed(&h->timer)) loop_timer_arm_ms(&h->timer, AGAIN_MS);
}

struct holds *holds_new(const struct holds_options *options)
{
    struct holds *h = mem_zalloc(1, sizeof *h);
    h->loop = options->loop;
    h->counters = options->counters;
    h->owner = options->owner;
    list_init(&h->early);
    loop_timer_init(&h->timer, options->loop, on_again, h);
    return h;
}

void holds_free(struct holds *h)
{
    if (!h) return;
    check(list_is_empty(&h->early));
    loop_timer_disarm(&h->timer);
    mem_free(h);
}

/* --- a job's --- */

struct counters_totals holds_paid(const struct job *job)
{
    struct bill bill = bill_of(job->x);
    return (struct counters_totals){.tokens = bill_tokens(&bill),
                                    .nano = bill.cost.state == COST_UNPRICED ? 0 : bill.cost.nano};
}

/* How it stands with the one that refused. */
static void look(struct holds *h, const struct counters_item *item, struct holds_over *over)
{
    struct counters_question question = {.operation = COUNTERS_PEEK, .items = item, .item_count = 1};
    struct counters_answer said;
    *over = (struct holds_over){.item = item};
    put(h, &question, &over->state, &said);
}

static enum holds_word extend(struct holds *h, struct hold *hold, struct counters_totals totals,
                              struct holds_over *over)
{
    struct counters_question question;
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_answer said;
    if (!hold_extend(hold, totals, &question)) return HOLDS_GRANTED;
    put(h, &question, states, &said);
    if (said.error) return HOLDS_UNHEARD;
    if (said.is_ok) {
        hold_grow(hold, totals);
        return HOLDS_GRANTED;
    }
    look(h, &hold->items[said.failed], over);
    over->more = totals.nano - hold->totals.nano;
    return HOLDS_REFUSED;
}

enum holds_word holds_extend(struct job *job, struct counters_totals totals, struct holds_over *over)
{
    enum holds_word word = HOLDS_GRANTED;
    for (struct hold *hold = job->x->holds; hold && word == HOLDS_GRANTED; hold = hold->next)
        word = extend(job->flow->holds, hold, totals, over);
    return word;
}

/* Nothing was called: it is as if it had never been, but for having asked. */
void holds_close(struct job *job)
{
    const struct exchange *x = job->x;
    struct counters_totals paid = holds_paid(job);
    for (struct hold *hold = x->holds; hold; hold = hold->next) {
        struct counters_question question;
        struct counters_state states[LIMIT_COUNTERS_ITEMS];
        struct counters_answer said;
        if (!hold_close(hold, exchange_attempt(x) ? &paid : NULL, &question)) continue;
        put(job->flow->holds, &question, states, &said);
    }
}
