#include "store/counters_script.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "store/counters_rules.h"

#define NS INT64_C(1000000000)
#define HERE "mg1:{p0}:" /* one hash tag: one script may touch all of it */
#define NUMBERS 8u       /* of an item, as admit.lua reads them */

/* Made by the Makefile of redis/, sorted by name. */
struct redis_script_text {
    const char *name, *text;
    uint64_t len;
};
extern const struct redis_script_text redis_script_table[];

struct slice counters_script_source(enum counters_script script)
{
    return slice_of(redis_script_table[script].text, redis_script_table[script].len);
}

const char *counters_script_name(enum counters_script script)
{
    return redis_script_table[script].name;
}

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
    for (size_t i = 2; i < call->key_count; i++)
        if (slice_equal(call->keys[i], key)) return i + 1;
    add_key(call, key);
    return call->key_count;
}

static struct slice text_of(double *numbers, size_t count)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "scripts read doubles as they lie in memory here");
    return slice_of((const char *)numbers, count * sizeof *numbers);
}

/* --- questions --- */

/* What a field of R begins with. */
static struct slice field_of(const struct counters_item *item, struct arena *arena)
{
    switch (item->unit) {
    case COUNTERS_REQUESTS: return arena_join(arena, SLICE("r"), item->key);
    case COUNTERS_TOKENS: return arena_join(arena, SLICE("t"), item->key);
    case COUNTERS_CONCURRENT: return arena_join(arena, SLICE("c"), item->key);
    case COUNTERS_MONEY: return item->key;
    }
    return item->key;
}

static void put_rate(const struct counters_item *item, double *numbers)
{
    numbers[2] = (double)counters_part_ns(item, item->amount);
    numbers[3] = (double)counters_burst_ns(item);
    numbers[4] = (double)counters_ahead_most_ns(item);
    numbers[5] = item->amount > item->limit;
    numbers[6] = (double)item->amount;
}

/* A clock that is a little off from that of Redis is no reason to refuse what comes around midnight. */
static void put_money(struct counters_call *call, const struct counters_item *item, double *numbers,
                      struct arena *arena)
{
    bool is_session = item->stop_s == 0;
    numbers[2] = (double)add_period(call, is_session ? 0 : item->start_s, arena);
    numbers[3] = is_session ? 0 : (double)(item->start_s - LIMIT_COUNTERS_CLOCK_S);
    numbers[4] = is_session ? (double)INT64_MAX : (double)(item->stop_s + LIMIT_COUNTERS_CLOCK_S);
    numbers[5] = (double)item->stop_s;
}

static struct slice numbers_of(struct counters_call *call, const struct counters_question *q, struct arena *arena)
{
    double *all = arena_zalloc(arena, (q->item_count * NUMBERS + 1) * sizeof *all);
    for (size_t i = 0; i < q->item_count; i++) {
        const struct counters_item *item = &q->items[i];
        double *numbers = all + i * NUMBERS;
        numbers[0] = item->unit;
        numbers[1] = item->is_observed;
        if (item->unit == COUNTERS_MONEY) put_money(call, item, numbers, arena);
        else if (item->unit == COUNTERS_CONCURRENT) numbers[2] = (double)item->limit;
        else put_rate(item, numbers);
    }
    return text_of(all, q->item_count * NUMBERS);
}

static struct counters_call ask_admit(const struct counters_question *q, const struct counters_place *place,
                                      struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_ADMIT, 2 + q->item_count, 4 + 3 * q->item_count, arena);
    add_session(&call, place->session, arena);
    add_text(&call, q->operation == COUNTERS_PEEK ? "" : q->hold);
    add_owner(&call, place->owner, arena);
    add_text(&call, place->epoch);
    add(&call, numbers_of(&call, q, arena));
    for (size_t i = 0; i < q->item_count; i++)
        add(&call, field_of(&q->items[i], arena));
    for (size_t i = 0; i < q->item_count; i++) {
        if (q->items[i].unit != COUNTERS_MONEY) continue;
        add_integer(&call, counters_sum(q->items[i].amount, 0), arena);
        add_integer(&call, q->items[i].limit, arena);
    }
    return call;
}

/* What so many tokens are of each window, and how far ahead its key may be used up. */
static struct slice parts_of(const struct counters_question *q, struct arena *arena)
{
    double *parts = arena_zalloc(arena, (2 * q->item_count + 1) * sizeof *parts);
    for (size_t i = 0; i < q->item_count; i++) {
        if (q->items[i].unit != COUNTERS_TOKENS) continue;
        parts[2 * i] = (double)counters_part_ns(&q->items[i], q->totals.tokens);
        parts[2 * i + 1] = (double)counters_ahead_most_ns(&q->items[i]);
    }
    return text_of(parts, 2 * q->item_count);
}

static struct counters_call ask_extend(const struct counters_question *q, const struct counters_place *place,
                                       struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_EXTEND, 2, 4 + q->item_count, arena);
    add_session(&call, place->session, arena);
    add_text(&call, q->hold);
    add_integer(&call, q->totals.tokens, arena);
    add_integer(&call, counters_sum(q->totals.nano, 0), arena);
    add(&call, parts_of(q, arena));
    for (size_t i = 0; i < q->item_count; i++)
        add_integer(&call, q->items[i].is_observed ? COUNTERS_NO_LIMIT : q->items[i].limit, arena);
    return call;
}

static struct counters_call ask_end(const struct counters_question *q, const struct counters_place *place,
                                    struct arena *arena)
{
    struct counters_call call = begin(COUNTERS_SCRIPT_SETTLE, 2, 4, arena);
    add_session(&call, place->session, arena);
    add(&call, arena_copy(arena, slice_str(q->hold))); /* it may be said long after */
    add_text(&call, counters_operation_name(q->operation));
    add_integer(&call, counters_sum(q->totals.nano, 0), arena);
    add(&call, parts_of(q, arena));
    return call;
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
    struct counters_call call = begin(COUNTERS_SCRIPT_SPEND, 2 + sum_count, 3 + hold_count + 6 * sum_count, arena);
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
    }
    return call;
}

static struct counters_call begin_session(enum counters_script script, const char *session, struct arena *arena)
{
    struct counters_call call = begin(script, 3, 5, arena);
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

/* --- sessions and memories --- */

struct counters_call counters_call_beat(const struct counters_place *place, bool is_new, uint32_t lease_ms,
                                        struct arena *arena)
{
    struct counters_call call = begin_session(COUNTERS_SCRIPT_BEAT, place->session, arena);
    add_integer(&call, lease_ms, arena);
    add_text(&call, is_new ? "new" : "");
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
