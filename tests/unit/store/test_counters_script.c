/* What is made of replies of a Redis that says anything at all: an answer, within its bounds. */
#include "store/counters/script.h"

#include <math.h>
#include <stdlib.h>

#include "../unit.h"
#include "base/limits.h"
#include "base/mem.h"

#define ROUNDS 100000

static struct arena arena;

static size_t below(size_t bound)
{
    return (size_t)random() % bound;
}

/* ---- Replies. */

static int64_t number(void)
{
    static const int64_t some[] = {0, 1, 2, -1, -2, -3, -4, 7, 1764460800, INT64_MAX, INT64_MIN, INT64_MAX / 1000,
                                   INT64_C(1) << 53, 4000000001};
    return some[below(sizeof some / sizeof *some)];
}

static double real(void)
{
    const double some[] = {0, -0.0, 1, -1, 0.5, 999999999, 2e9, 1764460800, 4e9, 1e18, 1e300, NAN, INFINITY, -INFINITY};
    return some[below(sizeof some / sizeof *some)];
}

static struct slice cell(void)
{
    size_t count = below(4) ? 5 : below(8);
    double *numbers = arena_zalloc(&arena, (count + 1) * sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = real();
    return slice_of((const char *)numbers, count * sizeof *numbers);
}

static struct redis_reply reply(unsigned depth);

static const struct redis_reply *replies(size_t count, unsigned depth)
{
    struct redis_reply *list = arena_zalloc(&arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = reply(depth);
    return list;
}

static struct redis_reply reply(unsigned depth)
{
    struct redis_reply r = {.kind = (enum redis_kind)below(6)};
    if (r.kind == REDIS_ARRAY && depth > 2) r.kind = REDIS_TEXT;
    if (r.kind == REDIS_INTEGER) r.integer = number();
    if (r.kind == REDIS_ERROR) r.error = (enum redis_error)below(REDIS_ERRORS);
    if (r.kind == REDIS_ARRAY) r.items = replies(r.count = below(8), depth + 1);
    else if (r.kind != REDIS_INTEGER && r.kind != REDIS_NIL)
        r.text = below(2) ? cell() : arena_printf(&arena, "%" PRId64, number());
    return r;
}

/* As admit.lua's: three doubles, cells, numbers with a blank behind each; enough for so many items, as often as not. */
static struct slice state(size_t items)
{
    size_t doubles = 3 + 5 * below(items + 2);
    char *bytes = arena_alloc(&arena, 8 * doubles + 64 * items + 1), *at = bytes;
    for (size_t i = 0; i < doubles; i++, at += 8) {
        double value = real();
        memcpy(at, &value, sizeof value);
    }
    for (size_t i = below(2 * items + 1); i > 0; i--)
        at += snprintf(at, 32, below(20) ? "%" PRId64 " " : "%" PRId64, number());
    return slice_of(bytes, (size_t)(at - bytes) - (below(10) == 0));
}

/* As a script's: a code, and what it was decided by. */
static struct redis_reply likely_reply(size_t items)
{
    struct redis_reply r = {.kind = REDIS_ARRAY, .count = 2};
    struct redis_reply *list = arena_zalloc(&arena, r.count * sizeof *list);
    list[0] = (struct redis_reply){.kind = REDIS_INTEGER, .integer = (int64_t)below(7) - 4};
    list[1] = (struct redis_reply){.kind = below(20) ? REDIS_TEXT : REDIS_INTEGER, .text = state(items)};
    r.items = list;
    return r;
}

/* ---- Questions. */

static int64_t amount(void)
{
    static const int64_t some[] = {0, 1, 5, 1000, 1000000, COUNTERS_AMOUNT_MAX};
    return some[below(sizeof some / sizeof *some)];
}

static struct counters_item item(void)
{
    static const char *const keys[] = {"app=a", "app=b", ""};
    return (struct counters_item){.unit = (enum counters_unit)below(COUNTERS_MONEY + 1u),
                                  .key = slice_str(keys[below(3)]),
                                  .amount = amount(),
                                  .limit = below(4) ? amount() : COUNTERS_NO_LIMIT,
                                  .window_s = (uint32_t[]){0, 1, 60, 31622400}[below(4)],
                                  .burst = amount(),
                                  .start_s = below(2) ? 1764460800 : 0,
                                  .stop_s = below(2) ? 1767139200 : 0,
                                  .idle_s = 60,
                                  .is_observed = below(3) == 0};
}

static void look_at(const struct counters_question *q, const struct redis_reply *r)
{
    static struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_answer answer;
    counters_script_answer(q, r, states, &answer);
    EXPECT(answer.failed < (q->item_count ? q->item_count : 1));
    EXPECT(answer.state_count == 0 || answer.state_count == q->item_count);
    EXPECT(!answer.error || (!answer.is_ok && answer.state_count == 0));
    for (size_t i = 0; i < answer.state_count; i++) {
        const struct counters_state *state = &answer.states[i];
        EXPECT(state->spent >= 0 && state->held >= 0 && state->spent <= COUNTERS_AMOUNT_MAX);
        EXPECT(state->left >= 0 || q->items[i].limit < 0);
    }
}

static void anything_is_an_answer(void)
{
    srandom(3);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t count = below(5);
        struct counters_item items[5];
        struct counters_question q = {.operation = (enum counters_operation)below(COUNTERS_RELEASE + 1u), .items = items};
        for (q.item_count = 0; q.item_count < count; q.item_count++)
            items[q.item_count] = item();
        struct redis_reply r = below(3) ? likely_reply(count) : reply(0);
        look_at(&q, &r);
        arena_clear(&arena);
    }
}

int main(void)
{
    arena_init(&arena);
    RUN(anything_is_an_answer);
    arena_clear(&arena);
    return unit_close("counters_script");
}
