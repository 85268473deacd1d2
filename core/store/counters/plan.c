#include "store/counters/plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "store/counters/rules.h"

#define RECORD_HEAD 23u /* owner, state, how many cells and sums, where the names of sums begin */
#define BILLION INT64_C(1000000000)

static int64_t period_of(const struct counters_item *item)
{
    return item->stop_s ? item->start_s : 0;
}

static bool is_money(const struct counters_item *item)
{
    return item->unit == COUNTERS_MONEY;
}

static bool is_same_place(const struct counters_item *a, const struct counters_item *b)
{
    if (is_money(a) != is_money(b)) return false;
    return (!is_money(a) || period_of(a) == period_of(b)) && slice_equal(a->key, b->key);
}

/* Cells in the order of their items; of a sum only its first item, until the sums of a period stand together. */
static void place_item(struct counters_plan *plan, size_t i)
{
    const struct counters_item *item = &plan->items[i];
    size_t same = i;
    plan->first[i] = (uint8_t)i;
    for (size_t k = 0; k < i; k++) {
        if (!is_same_place(&plan->items[k], item)) continue;
        if (same == i) same = k;
        if (plan->items[k].unit != item->unit) continue;
        plan->first[i] = plan->first[k];
        break;
    }
    if (is_money(item)) return;
    if (same == i) plan->cells[plan->cell_count] = (uint8_t)i;
    plan->place[i] = same == i ? (uint8_t)plan->cell_count++ : plan->place[same];
}

static void place_sum(struct counters_plan *plan, size_t i)
{
    plan->place[i] = (uint8_t)plan->sum_count;
    plan->sums[plan->sum_count++] = (uint8_t)i;
}

static bool is_first_sum(const struct counters_plan *plan, size_t i)
{
    return is_money(&plan->items[i]) && plan->first[i] == i;
}

/* Is there one of its period before it? */
static bool is_placed(const struct counters_plan *plan, size_t i)
{
    for (size_t k = 0; k < plan->sum_count; k++)
        if (plan->sums[k] == i) return true;
    return false;
}

static void place_period(struct counters_plan *plan, size_t i)
{
    plan->periods[plan->period_count++] = (uint8_t)plan->sum_count;
    for (size_t k = i; k < plan->count; k++)
        if (is_first_sum(plan, k) && period_of(&plan->items[k]) == period_of(&plan->items[i])) place_sum(plan, k);
}

static void place_money(struct counters_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (is_first_sum(plan, i) && !is_placed(plan, i)) place_period(plan, i);
    for (size_t i = 0; i < plan->count; i++)
        if (is_money(&plan->items[i])) plan->place[i] = plan->place[plan->first[i]];
}

/* Requests are counted, and that is all. */
static void number_kept(struct counters_plan *plan)
{
    memset(plan->kept, 0, plan->cell_count);
    for (size_t i = 0; i < plan->count; i++) {
        enum counters_unit unit = plan->items[i].unit;
        if (unit == COUNTERS_TOKENS || unit == COUNTERS_CONCURRENT) plan->kept[plan->place[i]] = 1;
    }
    for (size_t cell = 0; cell < plan->cell_count; cell++)
        if (plan->kept[cell]) plan->kept[cell] = (uint8_t)++plan->kept_count;
}

void counters_plan(struct counters_plan *plan, const struct counters_item *items, size_t count)
{
    check(count <= LIMIT_COUNTERS_ITEMS);
    plan->items = items;
    plan->count = count;
    plan->cell_count = plan->kept_count = plan->sum_count = plan->period_count = 0;
    for (size_t i = 0; i < count; i++)
        place_item(plan, i);
    place_money(plan);
    number_kept(plan);
}

struct slice counters_plan_field(const struct counters_plan *plan, size_t cell, struct arena *arena)
{
    return arena_join(arena, SLICE("k"), plan->items[plan->cells[cell]].key);
}

struct slice counters_plan_period(const struct counters_item *item, struct arena *arena)
{
    return arena_printf(arena, COUNTERS_PLACE "B:%" PRId64, period_of(item));
}

size_t counters_plan_period_end(const struct counters_plan *plan, size_t period)
{
    return period + 1 < plan->period_count ? plan->periods[period + 1] : plan->sum_count;
}

/* --- what is held --- */

/* Written from its begin to its end, into as much room as it needs. */
struct writing {
    char *at;
};

static void put_bytes(struct writing *w, const void *bytes, size_t len)
{
    if (len) memcpy(w->at, bytes, len);
    w->at += len;
}

static void put_double(struct writing *w, double value)
{
    put_bytes(w, &value, sizeof value);
}

static void put_name(struct writing *w, struct slice first, struct slice second)
{
    uint32_t len = (uint32_t)(first.len + second.len);
    put_bytes(w, &len, sizeof len);
    put_bytes(w, first.ptr, first.len);
    put_bytes(w, second.ptr, second.len);
}

static size_t size_of(const struct counters_plan *plan)
{
    size_t size = RECORD_HEAD + 24 * plan->kept_count + 16 * plan->sum_count;
    for (size_t cell = 0; cell < plan->cell_count; cell++)
        size += 5 + plan->items[plan->cells[cell]].key.len;
    for (size_t sum = 0; sum < plan->sum_count; sum++)
        size += 8 + sizeof COUNTERS_PLACE "B:-9223372036854775808" + plan->items[plan->sums[sum]].key.len;
    return size;
}

static void put_cell(struct writing *w, const struct counters_plan *plan, size_t cell)
{
    double amount = -1, part = -1, running = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct counters_item *item = &plan->items[i];
        if (is_money(item) || plan->place[i] != cell || plan->first[i] != i) continue;
        if (item->unit == COUNTERS_CONCURRENT) running = 1;
        if (item->unit != COUNTERS_TOKENS) continue;
        amount = (double)item->amount;
        part = (double)counters_part_ns(item, item->amount);
    }
    put_double(w, amount);
    put_double(w, part);
    put_double(w, running);
}

static void put_numbers(struct writing *w, const struct counters_plan *plan)
{
    for (size_t cell = 0; cell < plan->cell_count; cell++)
        if (plan->kept[cell]) put_cell(w, plan, cell);
    for (size_t sum = 0; sum < plan->sum_count; sum++) {
        int64_t amount = counters_sum(plan->items[plan->sums[sum]].amount, 0);
        put_double(w, (double)(amount / BILLION));
        put_double(w, (double)(amount % BILLION));
    }
}

static void put_sums(struct writing *w, const struct counters_plan *plan, struct arena *arena)
{
    for (size_t period = 0; period < plan->period_count; period++) {
        struct slice key = counters_plan_period(&plan->items[plan->sums[plan->periods[period]]], arena);
        for (size_t sum = plan->periods[period]; sum < counters_plan_period_end(plan, period); sum++) {
            put_name(w, key, SLICE(""));
            put_name(w, plan->items[plan->sums[sum]].key, SLICE(""));
        }
    }
}

struct slice counters_plan_record(const struct counters_plan *plan, uint64_t owner, struct arena *arena)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "scripts read numbers as they lie in memory here");
    char *record = arena_alloc(arena, size_of(plan));
    struct writing w = {record + 16};
    uint8_t counts[] = {(uint8_t)plan->kept_count, (uint8_t)plan->sum_count};
    memcpy(record, arena_printf(arena, "%016" PRIx64, owner).ptr, 16);
    put_bytes(&w, "o", 1);
    put_bytes(&w, counts, 2);
    w.at += sizeof(uint32_t);
    put_numbers(&w, plan);
    for (size_t cell = 0; cell < plan->cell_count; cell++)
        if (plan->kept[cell]) put_name(&w, SLICE("k"), plan->items[plan->cells[cell]].key);
    uint32_t names = (uint32_t)(w.at - record) + 1; /* counted from 1, as Lua does */
    memcpy(record + 19, &names, sizeof names);
    put_sums(&w, plan, arena);
    return slice_of(record, (size_t)(w.at - record));
}
