#include "store/counters/table.h"

#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "store/counters/rules.h"

#define NS INT64_C(1000000000)

/* One question at work: what its items have been found to be. */
struct asking {
    struct counters_memory *m;
    const struct counters_question *q;
    struct counters_asker asker;
    struct counters_time now;
    struct counters_state *states;
    struct counters_answer *answer;
    struct counters_cell *cells[LIMIT_COUNTERS_ITEMS];
    struct counters_judged judged[LIMIT_COUNTERS_ITEMS];
    struct counters_name names[LIMIT_COUNTERS_ITEMS];
    bool is_twice[LIMIT_COUNTERS_ITEMS], is_kept[LIMIT_COUNTERS_ITEMS]; /* once all have their cells */
};

static struct counters_name name_of(const struct counters_memory *m, const struct counters_item *item)
{
    bool has_period = item->unit == COUNTERS_MONEY && item->stop_s;
    return counters_memory_name(m, item->unit, item->key, has_period ? item->start_s : 0);
}

/* What the ledger has read may be any number. */
static int64_t ns_of(int64_t seconds)
{
    return seconds < 0 ? 0 : seconds > INT64_MAX / NS ? INT64_MAX : seconds * NS;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- admission --- */

/* What time has done to it. A session begins anew after its silence, if nothing of it is under way; a clock that
 * stepped back must not close a key for as long as it stepped. */
static void renew(const struct counters_item *item, struct counters_cell *cell, struct counters_time now)
{
    if (item->unit == COUNTERS_REQUESTS || item->unit == COUNTERS_TOKENS)
        cell->until_ns = counters_until(item, cell->until_ns, now.steady_ns);
    if (item->unit == COUNTERS_MONEY && item->stop_s == 0 && cell->held == 0 && cell->stop_ns <= now.wall_ns)
        cell->spent = 0;
}

static void say_left(struct asking *a, size_t i)
{
    static const struct counters_cell never;
    const struct counters_item *item = &a->q->items[i];
    const struct counters_cell *cell = a->cells[i] ? a->cells[i] : &never;
    struct counters_state *state = &a->states[i];
    if (item->unit == COUNTERS_CONCURRENT) {
        state->left = item->limit > cell->refs ? item->limit - cell->refs : 0;
    } else if (item->unit != COUNTERS_MONEY) {
        state->left = counters_left_of(item, a->judged[i].burst_ns, cell->until_ns, a->now.steady_ns);
        state->reset_s = counters_reset_s(item, cell->until_ns, a->now.steady_ns);
    }
}

static void say_all_left(struct asking *a)
{
    for (size_t i = 0; i < a->q->item_count; i++)
        say_left(a, i);
}

static void judge(struct asking *a, size_t i)
{
    const struct counters_item *item = &a->q->items[i];
    struct counters_cell *cell = counters_memory_find(a->m, a->names[i]);
    struct counters_seen seen = {0};
    if (cell) {
        renew(item, cell, a->now);
        seen = (struct counters_seen){cell->until_ns, cell->spent, cell->held, cell->refs};
    }
    a->cells[i] = cell;
    a->judged[i] = counters_judge(item, &seen, a->now.steady_ns);
    a->states[i] = (struct counters_state){.spent = seen.spent, .held = seen.held, .refusal = a->judged[i].refusal};
}

static void name_all(struct asking *a)
{
    for (size_t i = 0; i < a->q->item_count; i++) {
        a->names[i] = name_of(a->m, &a->q->items[i]);
        counters_memory_expect(a->m, a->names[i]);
    }
    for (size_t i = 0; i < a->q->item_count; i++)
        counters_memory_expect_now(a->m, a->names[i]);
}

/* All of them: who is refused is told of the first that stands in his way, and of the state of each. */
static void judge_all(struct asking *a)
{
    name_all(a);
    a->answer->is_ok = true;
    for (size_t i = 0; i < a->q->item_count; i++) {
        judge(a, i);
        bool stands = a->judged[i].refusal != COUNTERS_FITS && !a->q->items[i].is_observed;
        if (!a->answer->is_ok || !stands) continue;
        a->answer->is_ok = false;
        a->answer->failed = i;
        a->answer->retry_after_s = a->judged[i].retry_after_s;
    }
}

static void let_go(struct asking *a)
{
    for (size_t i = 0; i < a->q->item_count; i++)
        if (a->cells[i]) a->cells[i]->refs--;
}

/* Cells are made before anything is taken. What is referred to is not forgotten when others are made: so those that are
 * there come first. */
static bool make_cells(struct asking *a)
{
    bool is_good = true;
    for (size_t i = 0; i < a->q->item_count; i++)
        if (a->cells[i]) a->cells[i]->refs++;
    for (size_t i = 0; i < a->q->item_count && is_good; i++) {
        const struct counters_item *item = &a->q->items[i];
        if (a->cells[i]) continue;
        a->cells[i] = counters_memory_cell(a->m, a->names[i], item->unit, a->now);
        is_good = a->cells[i] != NULL;
        if (is_good) a->cells[i]->refs++;
    }
    if (!is_good) let_go(a);
    return is_good;
}

/* Budgets of one scope are one cell where their periods begin together, a day's and its month's: each has its own limit
 * there, and it is taken once. */
static bool is_twice(const struct asking *a, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (a->cells[k] == a->cells[i]) return true;
    return false;
}

/* Is there something that comes back, or stays until the ledger has it? Requests are counted, and that is all. */
static bool is_kept(const struct asking *a, size_t i)
{
    if (a->is_twice[i]) return false;
    bool is_over = a->judged[i].refusal != COUNTERS_FITS; /* only observed */
    return a->q->items[i].unit != COUNTERS_REQUESTS && !(a->q->items[i].unit == COUNTERS_TOKENS && is_over);
}

static void keep(struct asking *a, size_t i, struct counters_taken *taken)
{
    const struct counters_item *item = &a->q->items[i];
    *taken = (struct counters_taken){.cell = counters_memory_number(a->m, a->cells[i]),
                                     .unit = (uint8_t)item->unit,
                                     .item = (uint16_t)i,
                                     .amount = item->amount,
                                     .part_ns = item->unit == COUNTERS_TOKENS ? a->judged[i].part_ns : 0};
}

static struct counters_block *make_hold(struct asking *a)
{
    uint32_t count = 0;
    for (size_t i = 0; i < a->q->item_count; i++) {
        a->is_twice[i] = is_twice(a, i);
        a->is_kept[i] = is_kept(a, i);
        count += a->is_kept[i];
    }
    struct counters_block *hold = counters_memory_new_hold(a->m, a->q->hold, count);
    if (!hold) return NULL;
    hold->owner = a->asker.owner;
    for (size_t i = 0; i < a->q->item_count; i++)
        if (a->is_kept[i]) keep(a, i, counters_memory_taken(a->m, hold, hold->count++));
    return hold;
}

static void take(struct asking *a, size_t i)
{
    const struct counters_item *item = &a->q->items[i];
    struct counters_cell *cell = a->cells[i];
    if (item->unit == COUNTERS_MONEY) {
        if (!a->is_twice[i]) cell->held = counters_sum(cell->held, item->amount);
        if (item->stop_s) cell->stop_ns = larger(cell->stop_ns, ns_of(item->stop_s));
        a->states[i].held = cell->held;
    } else if (item->unit != COUNTERS_CONCURRENT && a->judged[i].refusal == COUNTERS_FITS) {
        cell->until_ns = larger(cell->until_ns, a->judged[i].until_ns);
    }
    say_left(a, i);
    if (!a->is_kept[i]) cell->refs--;
}

static void refuse_full(struct asking *a)
{
    a->answer->is_ok = false;
    a->answer->error = "full";
}

/* The hold stands last: who is killed before has used up of rates what nobody gives back, and taken nothing else. */
static void take_all(struct asking *a)
{
    if (!make_cells(a)) {
        refuse_full(a);
        return;
    }
    struct counters_block *hold = make_hold(a);
    if (!hold) {
        let_go(a);
        refuse_full(a);
        return;
    }
    for (size_t i = 0; i < a->q->item_count; i++)
        take(a, i);
    counters_memory_stand(a->m, hold);
}

/* Of the same items? What would be settled by others would be settled wrongly. */
static bool is_held_by(const struct asking *a, struct counters_block *hold)
{
    for (uint32_t i = 0; i < hold->count; i++) {
        const struct counters_taken *taken = counters_memory_taken(a->m, hold, i);
        if (taken->item >= a->q->item_count || !a->cells[taken->item]) return false;
        if (counters_memory_number(a->m, a->cells[taken->item]) != taken->cell) return false;
    }
    return true;
}

/* What it holds is what was asked the first time. */
static void grant_again(struct asking *a, struct counters_block *hold)
{
    judge_all(a);
    if (!is_held_by(a, hold)) {
        a->answer->is_ok = false;
        a->answer->error = "held for something else";
        return;
    }
    say_all_left(a);
    a->answer->is_ok = true;
    for (size_t i = 0; i < a->q->item_count; i++)
        a->states[i].refusal = COUNTERS_FITS;
}

static void peek(struct asking *a)
{
    judge_all(a);
    say_all_left(a);
}

static void admit(struct asking *a)
{
    struct counters_block *hold = counters_memory_hold(a->m, a->q->hold);
    if (hold) {
        grant_again(a, hold);
        return;
    }
    judge_all(a);
    if (a->answer->is_ok) take_all(a);
    else say_all_left(a);
}

/* --- a hold that stands --- */

static void set_held(struct counters_memory *m, struct counters_taken *taken, int64_t nano)
{
    struct counters_cell *cell = counters_memory_cell_at(m, taken->cell);
    int64_t others = cell->held - taken->amount;
    cell->held = counters_sum(others, nano);
    taken->amount = nano;
}

/* A question about a hold brings the items that it was admitted by. */
static const struct counters_item *item_of(const struct asking *a, const struct counters_taken *taken)
{
    check(taken->item < a->q->item_count && a->q->items[taken->item].unit == taken->unit);
    return &a->q->items[taken->item];
}

/* Money is asked for within what is left; of what only is counted, and of an observed item, nothing stands in the
 * way. */
static bool is_within(const struct asking *a, const struct counters_taken *taken, const struct counters_item *item)
{
    const struct counters_cell *cell = counters_memory_cell_at(a->m, taken->cell);
    int64_t more = a->q->totals.nano - taken->amount;
    if (more <= 0 || item->limit == COUNTERS_NO_LIMIT || item->is_observed) return true;
    return counters_sum(counters_sum(cell->spent, cell->held), more) <= item->limit;
}

static bool is_same_cell(const struct counters_item *a, const struct counters_item *b)
{
    return a->unit == b->unit && (a->stop_s ? a->start_s : 0) == (b->stop_s ? b->start_s : 0) &&
           slice_equal(a->key, b->key);
}

/* Under all that were admitted with it. */
static bool are_within(struct asking *a, const struct counters_taken *taken)
{
    const struct counters_item *item = item_of(a, taken);
    for (size_t i = taken->item; i < a->q->item_count; i++) {
        const struct counters_item *other = &a->q->items[i];
        if (!is_same_cell(item, other) || is_within(a, taken, other)) continue;
        a->answer->failed = i;
        return false;
    }
    return true;
}

static bool may_extend(struct asking *a, struct counters_block *hold)
{
    for (uint32_t i = 0; i < hold->count; i++) {
        const struct counters_taken *taken = counters_memory_taken(a->m, hold, i);
        if (taken->unit == COUNTERS_MONEY && !are_within(a, taken)) return false;
    }
    return true;
}

/* Moves a key's time by what the tokens are more or less than they were; of a debt that ends sooner no more is given
 * back than was taken. */
static void set_tokens(struct asking *a, struct counters_taken *taken, int64_t tokens)
{
    const struct counters_item *item = item_of(a, taken);
    struct counters_cell *cell = counters_memory_cell_at(a->m, taken->cell);
    int64_t more_ns = counters_part_ns(item, tokens) - taken->part_ns;
    if (more_ns > 0) more_ns = counters_until(item, cell->until_ns + more_ns, a->now.steady_ns) - cell->until_ns;
    if (more_ns < -taken->part_ns) more_ns = -taken->part_ns;
    if (more_ns > 0) cell->until_ns += more_ns; /* who is killed between gives less back than was taken, never more */
    counters_memory_set_part(taken, taken->part_ns + more_ns);
    if (more_ns < 0) cell->until_ns += more_ns;
    taken->amount = tokens;
}

static void grow(struct asking *a, struct counters_block *hold)
{
    for (uint32_t i = 0; i < hold->count; i++) {
        struct counters_taken *taken = counters_memory_taken(a->m, hold, i);
        if (taken->unit == COUNTERS_MONEY && a->q->totals.nano > taken->amount)
            set_held(a->m, taken, a->q->totals.nano);
        if (taken->unit == COUNTERS_TOKENS && a->q->totals.tokens > taken->amount)
            set_tokens(a, taken, a->q->totals.tokens);
    }
}

/* It is not known any more when its owner was taken for dead: nothing is held for it then. */
static void extend(struct asking *a)
{
    struct counters_block *hold = counters_memory_hold(a->m, a->q->hold);
    a->answer->is_ok = hold && !hold->is_settled && may_extend(a, hold);
    if (!hold || hold->is_settled) a->answer->error = "not held";
    else if (a->answer->is_ok) grow(a, hold);
}

/* --- its end --- */

static void give_back(struct counters_memory *m, struct counters_taken *taken)
{
    struct counters_cell *cell = counters_memory_cell_at(m, taken->cell);
    if (taken->is_given_back) return;
    counters_memory_give_back(taken);
    if (taken->unit == COUNTERS_MONEY) set_held(m, taken, 0);
    if (taken->unit == COUNTERS_TOKENS) cell->until_ns -= taken->part_ns;
    cell->refs--;
}

static void drop(struct counters_memory *m, struct counters_block *hold)
{
    for (uint32_t i = 0; i < hold->count; i++)
        give_back(m, counters_memory_taken(m, hold, i));
    counters_memory_drop(m, hold);
}

static void release(struct asking *a)
{
    struct counters_block *hold = counters_memory_hold(a->m, a->q->hold);
    a->answer->is_ok = true;
    if (hold && !hold->is_settled) drop(a->m, hold);
}

/* What it came to is known: of tokens the rest goes back, of money it stays until the ledger has it. */
static void settle_one(struct asking *a, struct counters_taken *taken)
{
    switch ((enum counters_unit)taken->unit) {
    case COUNTERS_MONEY: set_held(a->m, taken, a->q->totals.nano); return;
    case COUNTERS_TOKENS:
        set_tokens(a, taken, counters_came_to(item_of(a, taken), a->q));
        taken->part_ns = 0; /* used up, and not given back */
        break;
    case COUNTERS_REQUESTS:
    case COUNTERS_CONCURRENT: break;
    }
    give_back(a->m, taken);
}

static void settle(struct asking *a)
{
    struct counters_block *hold = counters_memory_hold(a->m, a->q->hold);
    bool has_money = false;
    a->answer->is_ok = true;
    if (!hold || hold->is_settled) return;
    for (uint32_t i = 0; i < hold->count; i++) {
        struct counters_taken *taken = counters_memory_taken(a->m, hold, i);
        settle_one(a, taken);
        has_money = has_money || taken->unit == COUNTERS_MONEY;
    }
    hold->is_settled = 1;
    if (!has_money) drop(a->m, hold);
}

void counters_table_ask(struct counters_memory *m, const struct counters_question *q, struct counters_asker asker,
                        struct counters_state *states, struct counters_answer *answer)
{
    struct asking a; /* its lists are as long as its items are many, and not made empty before */
    a.m = m;
    a.q = q;
    a.asker = asker;
    a.now = (struct counters_time){asker.now_ns, asker.steady_ns ? asker.steady_ns : asker.now_ns};
    a.states = states;
    a.answer = answer;
    *answer = (struct counters_answer){0};
    if (q->item_count > LIMIT_COUNTERS_ITEMS) {
        answer->error = "more items than one question may have";
        return;
    }
    memcpy(answer->hold, q->hold, sizeof answer->hold);
    switch (q->operation) {
    case COUNTERS_ADMIT: admit(&a); break;
    case COUNTERS_PEEK: peek(&a); break;
    case COUNTERS_EXTEND: extend(&a); return;
    case COUNTERS_SETTLE: settle(&a); return;
    case COUNTERS_RELEASE: release(&a); return;
    }
    answer->states = states;
    answer->state_count = q->item_count;
}

/* --- the ledger's part --- */

/* The last second in which a session goes on is that in which its silence is as long as it may be. */
static int64_t silent_ns(const struct counters_spent *spent)
{
    return ns_of(counters_sum(spent->last_s, (int64_t)spent->idle_s + 1));
}

static bool set_spent(struct counters_memory *m, const struct counters_spent *spent, struct counters_time now)
{
    struct counters_name name = counters_memory_name(m, COUNTERS_MONEY, spent->key, spent->stop_s ? spent->start_s : 0);
    int64_t stop_ns = spent->stop_s ? ns_of(spent->stop_s) : silent_ns(spent);
    struct counters_cell *cell = counters_memory_find(m, name);
    if (!cell && stop_ns <= now.wall_ns - COUNTERS_OVER_NS) return true;
    if (!cell) cell = counters_memory_cell(m, name, COUNTERS_MONEY, now);
    if (!cell) return false;
    cell->spent = counters_sum(spent->nano, 0);
    cell->stop_ns = stop_ns;
    return true;
}

/* Its end was not heard of: what it took of tokens is taken for what it used. */
static void use_up(struct counters_memory *m, struct counters_block *hold)
{
    for (uint32_t i = 0; i < hold->count; i++)
        counters_memory_taken(m, hold, i)->part_ns = 0;
}

/* Sums first: who is killed between has money counted twice until the next, never not at all. */
uint32_t counters_table_spend(struct counters_memory *m, const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count,
                              const struct counters_spent *spent, size_t count, struct counters_time now)
{
    uint32_t missed = 0;
    for (size_t i = 0; i < count; i++)
        missed += !set_spent(m, &spent[i], now);
    for (size_t i = 0; i < hold_count; i++) {
        struct counters_block *hold = counters_memory_hold(m, holds[i]);
        if (!hold) continue;
        if (!hold->is_settled) use_up(m, hold);
        drop(m, hold);
    }
    return missed;
}

uint32_t counters_table_return(struct counters_memory *m, bool (*is_gone)(void *arg, uint64_t owner), void *arg)
{
    uint32_t at = 0, returned = 0;
    for (struct counters_block *hold; (hold = counters_memory_next(m, &at));) {
        if (!is_gone(arg, hold->owner)) continue;
        drop(m, hold);
        returned++;
    }
    return returned;
}
