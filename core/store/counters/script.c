#include "store/counters/script.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/counters/plan.h"
#include "store/counters/rules.h"

#define HERE COUNTERS_PLACE

/* --- calls --- */

static struct counters_call begin(enum counters_script script, size_t key_max, size_t arg_max, struct arena *arena)
{
    return (struct counters_call){.script = script,
                                  .keys = arena_alloc(arena, (key_max + 1) * sizeof(struct slice)),
                                  .args = arena_alloc(arena, (arg_max + 1) * sizeof(struct slice))};
}

static void add_key(struct counters_call *call, struct slice key)
{
    call->keys[call->key_count++] = key;
}

static void add(struct counters_call *call, struct slice arg)
{
    call->args[call->arg_count++] = arg;
}

static void add_text(struct counters_call *call, const char *text)
{
    add(call, slice_str(text));
}

static void add_integer(struct counters_call *call, int64_t value, struct arena *arena)
{
    add(call, arena_printf(arena, "%" PRId64, value));
}

static void add_owner(struct counters_call *call, uint64_t owner, struct arena *arena)
{
    add(call, arena_printf(arena, "%016" PRIx64, owner));
}

static void add_session(struct counters_call *call, const char *session, struct arena *arena)
{
    add_key(call, SLICE(HERE "R"));
    add_key(call, arena_printf(arena, HERE "H:%s", session));
}

/* The number in KEYS of the hash of a period, which is added when it is not among them yet. */
static size_t add_period(struct counters_call *call, int64_t start_s, struct arena *arena)
{
    struct slice key = arena_printf(arena, HERE "B:%" PRId64, start_s);
    for (size_t i = 1; i < call->key_count; i++)
        if (slice_equal(call->keys[i], key)) return i + 1;
    add_key(call, key);
    return call->key_count;
}

/* --- questions --- */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "scripts read numbers as they lie in memory here");

/* An admission's numbers, as admit.lua describes them, and the arguments behind them. */
struct admission {
    const struct counters_plan *plan;
    struct counters_call *call;
    struct arena *arena;
    char *numbers, *at;
    struct counters_call large; /* arguments that go last … */
    size_t texts; /* … and where the next of them stands among all, counted from 1 */
    double age_s; /* how long ago the request came */
};

#define OBSERVED 128u /* more than an item's number */
#define LARGE (-2.0)  /* in place of its limit */
#define NOBODY SIZE_MAX

#define NUMBERS_HEAD 3u
#define NUMBERS_ITEM_MAX 60u /* an item's part of them at most: a cell's; a sum has 42 with its B */

static void put(struct admission *a, double value)
{
    memcpy(a->at, &value, sizeof value);
    a->at += sizeof value;
}

static void put_byte(struct admission *a, size_t value)
{
    *a->at++ = (char)(unsigned char)value;
}

static void put_item_number(struct admission *a, size_t i)
{
    _Static_assert(LIMIT_COUNTERS_ITEMS <= OBSERVED, "an item's number has seven bits");
    put_byte(a, i + (a->plan->items[i].is_observed ? OBSERVED : 0));
}

static bool is_money(const struct counters_item *item)
{
    return item->unit == COUNTERS_MONEY;
}

static bool is_exact(int64_t amount)
{
    return amount < INT64_C(1) << 53;
}

/* What no double holds goes as text, behind all others. */
static bool is_large(const struct counters_item *item)
{
    return is_money(item) && !(is_exact(item->amount) && is_exact(item->limit));
}

static void put_money(struct admission *a, const struct counters_item *item)
{
    put(a, is_large(item) ? (double)a->texts : (double)counters_sum(item->amount, 0));
    put(a, is_large(item) ? LARGE : (double)item->limit);
    if (!is_large(item)) return;
    add_integer(&a->large, counters_sum(item->amount, 0), a->arena);
    add_integer(&a->large, item->limit, a->arena);
    a->texts += 2;
}

/* An upload may take a request beyond the end of the period in which it came. */
static double age_s(const struct counters_question *q)
{
    uint64_t now_ns = clock_wall_ns();
    return q->time_ns && q->time_ns < now_ns ? (double)((now_ns - q->time_ns) / NS_PER_S) : 0;
}

/* When the request came, by the clock of Redis: one that is a little off from ours is no reason to refuse what came
 * around midnight. */
static void put_period(struct admission *a, size_t period)
{
    size_t from = a->plan->periods[period], to = counters_plan_period_end(a->plan, period);
    const struct counters_item *first = &a->plan->items[a->plan->sums[from]];
    bool is_session = first->stop_s == 0;
    int64_t least = INT64_MAX, most = 0;
    for (size_t i = 0; i < a->plan->count && !is_session; i++) { /* a day and its month begin together, and end apart */
        const struct counters_item *item = &a->plan->items[i];
        bool is_in = is_money(item) && a->plan->place[i] >= from && a->plan->place[i] < to;
        if (is_in && item->stop_s < least) least = item->stop_s;
        if (is_in && item->stop_s > most) most = item->stop_s;
    }
    put_byte(a, to - from);
    put(a, is_session ? 0 : (double)(first->start_s - LIMIT_COUNTERS_CLOCK_S) + a->age_s);
    put(a, is_session ? (double)INT64_MAX : (double)(least + LIMIT_COUNTERS_CLOCK_S) + a->age_s);
    put(a, (double)most);
    for (size_t sum = from; sum < to; sum++) {
        put_money(a, &a->plan->items[a->plan->sums[sum]]);
        put_item_number(a, a->plan->sums[sum]);
    }
}

static void put_rate(struct admission *a, const struct counters_item *item)
{
    bool is_too_large = item && item->unit == COUNTERS_TOKENS && item->amount > item->limit;
    put(a, item ? (double)counters_part_ns(item, item->amount) : -1);
    put(a, !item ? 0 : is_too_large ? -1 : (double)counters_burst_ns(item));
    put(a, item ? (double)counters_ahead_most_ns(item) : 0);
}

static void put_cell(struct admission *a, size_t cell)
{
    const struct counters_plan *plan = a->plan;
    size_t of[COUNTERS_MONEY] = {NOBODY, NOBODY, NOBODY};
    for (size_t i = 0; i < plan->count; i++)
        if (!is_money(&plan->items[i]) && plan->place[i] == cell && plan->first[i] == i) of[plan->items[i].unit] = i;
    put_rate(a, of[COUNTERS_REQUESTS] == NOBODY ? NULL : &plan->items[of[COUNTERS_REQUESTS]]);
    put_rate(a, of[COUNTERS_TOKENS] == NOBODY ? NULL : &plan->items[of[COUNTERS_TOKENS]]);
    put(a, of[COUNTERS_CONCURRENT] == NOBODY ? -1 : (double)plan->items[of[COUNTERS_CONCURRENT]].limit);
    for (size_t unit = 0; unit < COUNTERS_MONEY; unit++) {
        if (of[unit] == NOBODY) put_byte(a, 0);
        else put_item_number(a, of[unit]);
    }
    put_byte(a, plan->kept[cell]);
}

/* One before it takes for it. */
static void put_other(struct admission *a, size_t i)
{
    const struct counters_item *item = &a->plan->items[i];
    char *end = a->at + 1 + 4 * sizeof(double);
    memset(a->at, 0, (size_t)(end - a->at));
    put_byte(a, item->unit);
    put(a, (double)a->plan->place[i] + 1);
    if (is_money(item)) put_money(a, item);
    else if (item->unit == COUNTERS_CONCURRENT) put(a, (double)item->limit);
    else put_rate(a, item);
    a->at = end;
    put_item_number(a, i);
}

/* The fields of a sum: s…, h…, of a session u…. */
static void add_sum(struct admission *a, size_t sum)
{
    const struct counters_item *item = &a->plan->items[a->plan->sums[sum]];
    add(a->call, arena_join(a->arena, SLICE("s"), item->key));
    add(a->call, arena_join(a->arena, SLICE("h"), item->key));
    if (item->stop_s == 0) add(a->call, arena_join(a->arena, SLICE("u"), item->key));
}

static void add_numbers(struct admission *a)
{
    const struct counters_plan *plan = a->plan;
    size_t fields = 0, others = 0;
    a->numbers = a->at = arena_alloc(a->arena, NUMBERS_HEAD + NUMBERS_ITEM_MAX * plan->count);
    for (size_t sum = 0; sum < plan->sum_count; sum++)
        fields += plan->items[plan->sums[sum]].stop_s ? 2 : 3;
    for (size_t i = 0; i < plan->count; i++)
        others += plan->first[i] != i;
    a->texts = a->call->arg_count + 2 + plan->cell_count + fields;
    put_byte(a, plan->cell_count);
    put_byte(a, plan->period_count);
    put_byte(a, others);
    for (size_t period = 0; period < plan->period_count; period++)
        put_period(a, period);
    for (size_t cell = 0; cell < plan->cell_count; cell++)
        put_cell(a, cell);
    for (size_t i = 0; i < plan->count; i++)
        if (plan->first[i] != i) put_other(a, i);
    add(a->call, slice_of(a->numbers, (size_t)(a->at - a->numbers)));
}

static struct counters_call ask_admit(const struct counters_question *q, const struct counters_place *place,
                                      struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_ADMIT, 2 + q->item_count, 4 + 5 * q->item_count, arena);
    struct counters_plan plan;
    struct admission a = {.plan = &plan, .call = &call, .arena = arena, .age_s = age_s(q),
                          .large = begin(COUNTERS_SCRIPT_ADMIT, 0, 2 * q->item_count, arena)};
    bool is_peek = q->operation == COUNTERS_PEEK;
    counters_plan(&plan, q->items, q->item_count);
    add_session(&call, place->session, arena);
    add_text(&call, is_peek ? "" : q->hold);
    add_text(&call, place->epoch);
    add(&call, is_peek ? SLICE("") : counters_plan_record(&plan, place->owner, arena));
    add_numbers(&a);
    for (size_t period = 0; period < plan.period_count; period++)
        add_key(&call, counters_plan_period(&plan.items[plan.sums[plan.periods[period]]], arena));
    for (size_t cell = 0; cell < plan.cell_count; cell++)
        add(&call, counters_plan_field(&plan, cell, arena));
    for (size_t sum = 0; sum < plan.sum_count; sum++)
        add_sum(&a, sum);
    for (size_t i = 0; i < a.large.arg_count; i++)
        add(&call, a.large.args[i]);
    return call;
}

/* Of each cell that is kept: what its tokens are of its window now, and how far ahead its key may be used up. */
static struct slice parts_of(const struct counters_plan *plan, const struct counters_question *q, struct arena *arena)
{
    double *parts = arena_zalloc(arena, (2 * plan->kept_count + 1) * sizeof *parts);
    for (size_t i = 0; i < plan->count; i++) {
        const struct counters_item *item = &plan->items[i];
        if (item->unit != COUNTERS_TOKENS || plan->first[i] != i) continue;
        double *of = parts + 2 * (plan->kept[plan->place[i]] - 1);
        of[0] = (double)counters_part_ns(item, counters_came_to(item, q));
        of[1] = (double)counters_ahead_most_ns(item);
    }
    return slice_of((const char *)parts, 2 * plan->kept_count * sizeof *parts);
}

/* The limits of a sum's first item, then those of the others that it takes for. */
static void add_limits(struct admission *a)
{
    const struct counters_plan *plan = a->plan;
    a->numbers = a->at = arena_alloc(a->arena, 2 * plan->count * sizeof(double) + 1);
    size_t place = a->call->arg_count++; /* of the numbers */
    for (size_t i = 0; i < plan->count; i++) {
        for (size_t k = i; k < plan->count && is_money(&plan->items[i]) && plan->first[i] == i; k++) {
            const struct counters_item *item = &plan->items[k];
            if (!is_money(item) || plan->first[k] != i) continue;
            put(a, (double)plan->place[k] + 1);
            put(a, (double)k);
            add_integer(a->call, item->is_observed ? COUNTERS_NO_LIMIT : item->limit, a->arena);
        }
    }
    a->call->args[place] = slice_of(a->numbers, (size_t)(a->at - a->numbers));
}

static struct counters_call ask_extend(const struct counters_question *q, const struct counters_place *place,
                                       struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_EXTEND, 2, 5 + q->item_count, arena);
    struct counters_plan plan;
    struct admission a = {.plan = &plan, .call = &call, .arena = arena};
    counters_plan(&plan, q->items, q->item_count);
    add_session(&call, place->session, arena);
    add_text(&call, q->hold);
    add_integer(&call, q->totals.tokens, arena);
    add_integer(&call, counters_sum(q->totals.nano, 0), arena);
    add(&call, parts_of(&plan, q, arena));
    add_limits(&a);
    return call;
}

struct counters_end counters_end_of(const struct counters_question *q, struct arena *arena)
{
    struct counters_plan plan;
    struct counters_end end = {.hold = arena_copy(arena, slice_str(q->hold)), .nano = SLICE(""), .parts = SLICE("")};
    if (q->operation == COUNTERS_RELEASE) return end;
    counters_plan(&plan, q->items, q->item_count);
    end.nano = arena_printf(arena, "%" PRId64, counters_sum(q->totals.nano, 0));
    end.parts = parts_of(&plan, q, arena);
    return end;
}

struct counters_call counters_call_end(const struct counters_place *place, const struct counters_end *const *ends,
                                       size_t count, struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_SETTLE, 2, 1 + 3 * count, arena);
    add_session(&call, place->session, arena);
    add_integer(&call, (int64_t)count, arena);
    for (size_t i = 0; i < count; i++)
        add(&call, ends[i]->hold);
    for (size_t i = 0; i < count; i++)
        add(&call, ends[i]->nano);
    for (size_t i = 0; i < count; i++)
        add(&call, ends[i]->parts);
    return call;
}

static struct counters_call ask_end(const struct counters_question *q, const struct counters_place *place,
                                    struct arena *arena)
{
    struct counters_end end = counters_end_of(q, arena);
    const struct counters_end *const ends[] = {&end};
    return counters_call_end(place, ends, 1, arena);
}

struct counters_call counters_call_ask(const struct counters_question *q, const struct counters_place *place,
                                       struct arena *arena)
{
    check(q->item_count <= LIMIT_COUNTERS_ITEMS);
    switch (q->operation) {
    case COUNTERS_ADMIT:
    case COUNTERS_PEEK: return ask_admit(q, place, arena);
    case COUNTERS_EXTEND: return ask_extend(q, place, arena);
    case COUNTERS_SETTLE:
    case COUNTERS_RELEASE: return ask_end(q, place, arena);
    }
    return ask_end(q, place, arena);
}

/* --- the ledger's part --- */

struct counters_call counters_call_spend(const struct counters_place *place, const char *source, bool is_exact,
                                         const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count,
                                         const struct counters_spent *sums, size_t sum_count, struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_SPEND, 2 + sum_count, 3 + hold_count + 7 * sum_count, arena);
    check(hold_count <= LIMIT_COUNTERS_TOLD && sum_count <= LIMIT_COUNTERS_TOLD);
    add_session(&call, place->session, arena);
    add_text(&call, source);
    add_text(&call, is_exact ? "exact" : "more");
    add_integer(&call, (int64_t)hold_count, arena);
    for (size_t i = 0; i < hold_count; i++)
        add_text(&call, holds[i]);
    for (size_t i = 0; i < sum_count; i++) {
        const struct counters_spent *sum = &sums[i];
        add_integer(&call, (int64_t)add_period(&call, sum->stop_s ? sum->start_s : 0, arena), arena);
        add(&call, sum->key);
        add_integer(&call, counters_sum(sum->nano, 0), arena);
        add_integer(&call, sum->stop_s, arena);
        add_integer(&call, sum->last_s, arena);
        add_integer(&call, sum->idle_s, arena);
        add_integer(&call, sum->begun_s, arena);
    }
    return call;
}

static struct counters_call begin_session(enum counters_script script, const char *session, struct arena *arena)
{
    struct counters_call call = begin(script, 5, 5, arena);
    add_session(&call, session, arena);
    add_key(&call, SLICE(HERE "S"));
    add_text(&call, session);
    return call;
}

struct counters_call counters_call_return(const struct counters_place *place, const char *cursor, struct arena *arena)
{
    struct counters_call call = begin_session(COUNTERS_SCRIPT_RETURN, place->session, arena);
    add_owner(&call, place->owner, arena);
    add_text(&call, "all");
    add_text(&call, cursor);
    add_integer(&call, LIMIT_COUNTERS_TOLD, arena);
    return call;
}

struct counters_call counters_call_reclaim(const char *session, bool is_all, const char *cursor, struct arena *arena)
{
    struct counters_call call = begin_session(COUNTERS_SCRIPT_RETURN, session, arena);
    add_text(&call, "");
    add_text(&call, is_all ? "all" : "open");
    add_text(&call, cursor);
    add_integer(&call, LIMIT_COUNTERS_TOLD, arena);
    return call;
}

struct counters_call counters_call_holds(const struct counters_place *place, const char *cursor,
                                         struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_HOLDS, 2, 2, arena);
    add_session(&call, place->session, arena);
    add_text(&call, cursor);
    add_integer(&call, LIMIT_COUNTERS_TOLD, arena);
    return call;
}

struct counters_call counters_call_claim(const char *epoch, const char *source, const struct counters_claim *claims,
                                         size_t count, struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_CLAIM, 1 + count, 2 + 2 * count, arena);
    check(count <= LIMIT_COUNTERS_TOLD);
    add_key(&call, SLICE(HERE "R"));
    add_text(&call, epoch);
    add_text(&call, source);
    for (size_t i = 0; i < count; i++) {
        add_integer(&call, (int64_t)add_period(&call, claims[i].start_s, arena), arena);
        add(&call, claims[i].id);
    }
    return call;
}

struct counters_call counters_call_breakers(const char *session, const struct counters_open *accounts, size_t count,
                                            struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_BREAKERS, 1 + count, 1 + count, arena);
    check(count <= LIMIT_PROVIDERS);
    add_key(&call, SLICE(HERE "S"));
    add_text(&call, session);
    for (size_t i = 0; i < count; i++) {
        add_key(&call, arena_printf(arena, HERE "CB:%.*s", SLICE_FMT(accounts[i].account)));
        add_integer(&call, (int64_t)accounts[i].left_ms, arena);
    }
    return call;
}

/* --- sessions and memories --- */

struct counters_call counters_call_beat(const struct counters_place *place, const char *source,
                                        enum counters_begin how, uint32_t lease_ms, struct arena *arena)
{
    static const char *const words[] = {"", "new", "late"};
    struct counters_call call = begin_session(COUNTERS_SCRIPT_BEAT, place->session, arena);
    add_key(&call, arena_printf(arena, HERE "O:%s", source));
    add_key(&call, SLICE(HERE "Z"));
    add_integer(&call, lease_ms, arena);
    add_text(&call, words[how]);
    add_text(&call, place->zone ? place->zone : "");
    return call;
}

struct counters_call counters_call_fence(const char *session, bool is_forced, struct arena *arena)
{
    struct counters_call call = begin_session(COUNTERS_SCRIPT_FENCE, session, arena);
    add_text(&call, is_forced ? "force" : "");
    return call;
}

struct counters_call counters_call_seed(const char *memory, uint32_t grace_ms, struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_SEED, 1, 2, arena);
    add_key(&call, SLICE(HERE "R"));
    add_text(&call, memory);
    add_integer(&call, grace_ms, arena);
    return call;
}

struct counters_call counters_call_spent(int64_t start_s, const char *cursor, const char *key, struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_SPENT, 2, 3, arena);
    add_key(&call, SLICE(HERE "R"));
    add_key(&call, arena_printf(arena, HERE "B:%" PRId64, start_s));
    add_text(&call, cursor);
    add_integer(&call, LIMIT_COUNTERS_TOLD, arena);
    add_text(&call, key ? key : "*");
    return call;
}

struct counters_call counters_call_sweep(bool is_sessions, const char *cursor, uint32_t idle_s, struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_SWEEP, 1, 4, arena);
    add_key(&call, is_sessions ? SLICE(HERE "B:0") : SLICE(HERE "R"));
    add_text(&call, is_sessions ? "sessions" : "rates");
    add_text(&call, cursor);
    add_integer(&call, LIMIT_COUNTERS_TOLD, arena);
    add_integer(&call, idle_s, arena);
    return call;
}
