#include "flow/fallback.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/lru.h"
#include "base/mem.h"
#include "store/counters/shared.h"

#define OWN "/local" /* behind the request's id, by which a ledger finds that it is recorded */
#define SHARE 5 /* of what was left, a fifth is given away */

/* What is known of a budget in a period, or of a session's. */
struct seen {
    int64_t spent, held; /* as was heard last */
    uint64_t at_ns;
    bool is_begun;      /* asked for here since then … */
    int64_t spent_here; /* … when so much was spent here. What is held here the fleet has never heard of */
};

struct name {
    uint64_t hash[2];
    int64_t start_s;
};

struct fallback {
    struct lru *seen; /* by struct name */
    uint8_t secret[HASH_SECRET_BYTES];
    unsigned workers;
};

struct fallback *fallback_new(unsigned workers)
{
    struct fallback *f = mem_zalloc(1, sizeof *f);
    check(getrandom(f->secret, sizeof f->secret, 0) == (ssize_t)sizeof f->secret);
    f->seen = lru_new(&(struct lru_rules){.entries_max = LIMIT_COUNTERS_SEEN});
    f->workers = workers ? workers : 1;
    return f;
}

void fallback_free(struct fallback *f)
{
    if (!f) return;
    lru_free(f->seen);
    mem_free(f);
}

bool fallback_is_own(const char *hold)
{
    size_t len = strlen(hold), own = sizeof OWN - 1;
    return len > own && strcmp(hold + len - own, OWN) == 0;
}

/* --- what was heard --- */

static struct name name_of(const struct fallback *f, const struct counters_item *item)
{
    struct name name = {.start_s = item->stop_s ? item->start_s : -1};
    hash_twice(item->key, f->secret, name.hash);
    return name;
}

/* NULL: nothing was heard of it. */
static struct seen *find(const struct fallback *f, const struct counters_item *item)
{
    struct name name = name_of(f, item);
    struct slice found = lru_get(f->seen, slice_of((const char *)&name, sizeof name));
    return found.len ? (struct seen *)(uintptr_t)found.ptr : NULL;
}

static struct seen *make(struct fallback *f, const struct counters_item *item)
{
    struct name name = name_of(f, item);
    return lru_put(f->seen, slice_of((const char *)&name, sizeof name), sizeof(struct seen));
}

void fallback_note(struct fallback *f, const struct counters_question *q, const struct counters_answer *answer,
                   uint64_t now_ns)
{
    if (answer->error) return;
    for (size_t i = 0; i < answer->state_count; i++) {
        if (q->items[i].unit != COUNTERS_MONEY) continue;
        struct seen *seen = find(f, &q->items[i]);
        if (!seen) seen = make(f, &q->items[i]);
        *seen = (struct seen){.spent = answer->states[i].spent, .held = answer->states[i].held, .at_ns = now_ns};
    }
}

/* --- each item by its own rule --- */

static bool is_limited(const struct counters_item *item)
{
    return item->unit == COUNTERS_MONEY && item->limit != COUNTERS_NO_LIMIT;
}

/* NULL, too: it was too long ago. */
static struct seen *recent(const struct fallback *f, const struct counters_item *item, uint64_t now_ns)
{
    struct seen *seen = item->unit == COUNTERS_MONEY ? find(f, item) : NULL;
    return seen && now_ns - seen->at_ns < LIMIT_COUNTERS_SEEN_MS * NS_PER_MS ? seen : NULL;
}

static enum counters_loss loss_of(const struct fallback *f, const struct counters_item *item, uint64_t now_ns)
{
    switch (item->on_loss) {
    case COUNTERS_OPEN: return COUNTERS_OPEN;
    case COUNTERS_CLOSED: return COUNTERS_CLOSED;
    case COUNTERS_NOT_LOST:
    case COUNTERS_LOCAL: break;
    }
    return is_limited(item) && !recent(f, item, now_ns) ? COUNTERS_CLOSED : COUNTERS_LOCAL;
}

static int64_t part(int64_t whole, uint32_t of)
{
    if (whole < 1) return whole;
    return whole / of ? whole / of : 1;
}

static int64_t allowance(const struct fallback *f, const struct counters_item *item, const struct seen *seen,
                         uint32_t gateways)
{
    int64_t used = counters_sum(seen->spent, seen->held);
    return item->limit > used ? (item->limit - used) / SHARE / gateways / f->workers : 0;
}

/* The item as it is asked for here. */
static struct counters_item own_item(const struct fallback *f, const struct counters_item *item,
                                     enum counters_loss loss, const struct fallback_here *here)
{
    struct counters_item own = *item;
    own.is_observed = item->is_observed || loss != COUNTERS_LOCAL;
    if (loss != COUNTERS_LOCAL) return own;
    if (item->unit != COUNTERS_MONEY) {
        own.limit = part(item->limit, here->gateways);
        own.burst = part(item->burst, here->gateways);
    } else if (is_limited(item)) {
        const struct seen *seen = recent(f, item, here->now_ns);
        own.limit = counters_sum(seen->spent_here, allowance(f, item, seen, here->gateways));
    }
    return own;
}

/* --- the question --- */

static void put(const struct fallback_here *here, const struct counters_question *q, struct fallback_space *space,
                struct counters_answer *answer)
{
    struct counters_asker asker = {.owner = here->owner, .now_ns = here->wall_ns};
    counters_shared_ask(here->counters, q, asker, space->states, answer);
}

static bool is_to_begin(const struct fallback *f, const struct fallback_here *here, const struct counters_question *q)
{
    for (size_t i = 0; i < q->item_count; i++) {
        const struct seen *seen = recent(f, &q->items[i], here->now_ns);
        if (seen && !seen->is_begun) return true;
    }
    return false;
}

/* Budgets that are asked for here for the first time: what they have come to so far is known to whoever was heard. */
static bool begin(struct fallback *f, const struct fallback_here *here, const struct counters_question *q,
                  struct fallback_space *space, struct counters_answer *answer)
{
    struct counters_question look = *q;
    look.operation = COUNTERS_PEEK;
    if (!is_to_begin(f, here, q)) return true;
    put(here, &look, space, answer);
    for (size_t i = 0; i < q->item_count && !answer->error; i++) {
        struct seen *seen = recent(f, &q->items[i], here->now_ns);
        if (!seen || seen->is_begun) continue;
        seen->is_begun = true;
        seen->spent_here = answer->states[i].spent;
    }
    return !answer->error;
}

/* --- the answer --- */

static int64_t more_than(int64_t now, int64_t before)
{
    return now > before ? now - before : 0;
}

/* As the fleet would say it: what was heard, and what came here since. */
static void tell_whole(const struct fallback *f, const struct counters_item *item, const struct fallback_here *here,
                       struct counters_state *state)
{
    const struct seen *seen = recent(f, item, here->now_ns);
    if (!seen || !seen->is_begun) return;
    state->spent = counters_sum(seen->spent, more_than(state->spent, seen->spent_here));
    state->held = counters_sum(seen->held, state->held);
}

/* By the whole limit. `taken` of what is held is this request's own. */
static enum counters_refusal judge_whole(const struct counters_item *item, const struct counters_state *state,
                                         int64_t taken)
{
    if (item->unit == COUNTERS_TOKENS) return item->amount > item->limit ? COUNTERS_TOO_LARGE : COUNTERS_FITS;
    if (item->unit != COUNTERS_MONEY) return COUNTERS_OVER;
    int64_t wanted = counters_sum(state->spent, item->amount), held = more_than(state->held, taken);
    if (counters_sum(wanted, held) <= item->limit) return COUNTERS_FITS;
    return wanted <= item->limit ? COUNTERS_CONTENDED : COUNTERS_OVER;
}

/* Why the part of an item that has one is not enough. */
static enum counters_refusal why_over(const struct counters_item *item, const struct counters_state *state,
                                      int64_t taken)
{
    bool is_plain = item->unit != COUNTERS_MONEY && state->refusal != COUNTERS_TOO_LARGE;
    if (state->refusal == COUNTERS_FITS || is_plain) return state->refusal;
    enum counters_refusal whole = judge_whole(item, state, taken);
    if (whole != COUNTERS_FITS) return whole;
    return item->is_observed ? COUNTERS_FITS : COUNTERS_SHUT;
}

static void tell(const struct fallback *f, const struct counters_item *item, const struct fallback_here *here,
                 enum counters_loss loss, bool is_taken, struct counters_state *state)
{
    tell_whole(f, item, here, state);
    state->lost = loss;
    switch (loss) {
    case COUNTERS_NOT_LOST:
    case COUNTERS_OPEN: state->refusal = COUNTERS_FITS; return;
    case COUNTERS_CLOSED: state->refusal = COUNTERS_SHUT; return;
    case COUNTERS_LOCAL: state->refusal = why_over(item, state, is_taken ? item->amount : 0); break;
    }
    if (item->unit != COUNTERS_MONEY && here->gateways > 1) state->part = part(item->limit, here->gateways);
}

static bool refuses(const struct counters_item *item, const struct counters_state *state)
{
    return state->refusal != COUNTERS_FITS && !item->is_observed;
}

/* The first that stands in the way. */
static void conclude(const struct counters_question *q, struct counters_answer *answer)
{
    size_t i = 0;
    while (i < q->item_count && !refuses(&q->items[i], &answer->states[i]))
        i++;
    answer->is_ok = i == q->item_count;
    if (answer->is_ok) return;
    bool is_same = answer->failed == i && answer->states[i].refusal == COUNTERS_OVER;
    answer->failed = i;
    if (!is_same) answer->retry_after_s = 0;
}

static bool has_closed(const struct counters_question *q, const enum counters_loss *loss)
{
    for (size_t i = 0; i < q->item_count; i++)
        if (loss[i] == COUNTERS_CLOSED && !q->items[i].is_observed) return true;
    return false;
}

static void name_own(char to[COUNTERS_HOLD_BYTES], const char *hold)
{
    snprintf(to, COUNTERS_HOLD_BYTES, "%.*s" OWN, (int)(COUNTERS_HOLD_BYTES - sizeof OWN), hold);
}

/* What is refused in any case takes nothing. */
void fallback_ask(struct fallback *f, const struct fallback_here *here, const struct counters_question *q,
                  struct fallback_space *space, struct counters_answer *answer)
{
    enum counters_loss loss[LIMIT_COUNTERS_ITEMS];
    struct counters_question own = *q;
    check(q->item_count <= LIMIT_COUNTERS_ITEMS && (q->operation == COUNTERS_ADMIT || q->operation == COUNTERS_PEEK));
    if (!begin(f, here, q, space, answer)) return;
    for (size_t i = 0; i < q->item_count; i++) {
        loss[i] = loss_of(f, &q->items[i], here->now_ns);
        space->items[i] = own_item(f, &q->items[i], loss[i], here);
    }
    name_own(own.hold, q->hold);
    own.items = space->items;
    if (has_closed(q, loss)) own.operation = COUNTERS_PEEK;
    put(here, &own, space, answer);
    if (answer->error) return;
    bool is_taken = answer->is_ok && own.operation == COUNTERS_ADMIT;
    for (size_t i = 0; i < q->item_count; i++)
        tell(f, &q->items[i], here, loss[i], is_taken, &space->states[i]);
    if (is_taken) answer->items = space->items;
    else conclude(q, answer);
}
