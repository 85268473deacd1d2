/* The cases of all back ends, on counters in memory of this process and in memory that processes share. */
#include "counters_suite.h"

#include "store/counters/shared.h"

#define CELLS 8192u
#define HOLDS_MAX 16384u

static bool is_anybody(void *arg, uint64_t owner)
{
    (void)arg, (void)owner;
    return true;
}

/* --- one process --- */

static void table_ask(void *self, const struct counters_question *q, int64_t now_ns, struct counters_state *to,
                      struct counters_answer *answer)
{
    counters_table_ask(self, q, (struct counters_asker){.owner = 7, .now_ns = now_ns}, to, answer);
}

static void table_spend(void *self, const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count,
                        const struct counters_spent *sums, size_t count, int64_t now_ns)
{
    EXPECT_INT(0, counters_table_spend(self, holds, hold_count, sums, count, (struct counters_time){now_ns, now_ns}));
}

static void table_bury(void *self)
{
    counters_table_return(self, is_anybody, NULL);
}

static struct slice table_memory(void *self)
{
    return slice_of(self, counters_memory_bytes(CELLS, HOLDS_MAX));
}

static void in_memory(void)
{
    void *zeros = aligned_alloc(64, (counters_memory_bytes(CELLS, HOLDS_MAX) + 63) / 64 * 64);
    memset(zeros, 0, counters_memory_bytes(CELLS, HOLDS_MAX));
    counters_memory_make(zeros, CELLS, HOLDS_MAX);
    struct counters_backend table = {.name = "table", .self = counters_memory_at(zeros), .ask = table_ask,
                                     .spend = table_spend, .bury = table_bury, .memory = table_memory,
                                     .exact = COUNTERS_AMOUNT_MAX};
    counters_suite(&table);
    free(zeros);
}

/* --- shared --- */

static void shared_ask(void *self, const struct counters_question *q, int64_t now_ns, struct counters_state *to,
                       struct counters_answer *answer)
{
    struct counters_asker asker = {.owner = 7, .now_ns = now_ns, .steady_ns = now_ns};
    counters_shared_ask(self, q, asker, to, answer);
}

static void shared_spend(void *self, const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count,
                         const struct counters_spent *sums, size_t count, int64_t now_ns)
{
    EXPECT(counters_shared_spend(self, holds, hold_count, sums, count, now_ns));
}

static void shared_bury(void *self)
{
    uint32_t returned;
    EXPECT(counters_shared_return(self, is_anybody, NULL, &returned));
}

static void in_shared_memory(void)
{
    struct fault why;
    struct counters_shared *shared = counters_shared_new(CELLS, HOLDS_MAX, &why);
    if (!shared) {
        UNIT_FAIL("%s", why.text);
        return;
    }
    counters_shared_seed(shared);
    struct counters_backend backend = {.name = "shared memory", .self = shared, .ask = shared_ask,
                                       .spend = shared_spend, .bury = shared_bury, .exact = COUNTERS_AMOUNT_MAX};
    counters_suite(&backend);
    counters_shared_free(shared);
}

/* --- the calendar's clock is set --- */

/* How many of so many are let through, one after the other, while it is set from one to the next. */
static unsigned let_through(struct counters_shared *shared, const char *key, const int64_t *steps_ns, size_t count)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, key, 1, 60, 10);
    struct counters_answer answer;
    unsigned passed = 0;
    item.window_s = HOUR;
    for (unsigned i = 0; i < 30; i++) {
        struct counters_question q = {.operation = COUNTERS_ADMIT, .items = &item, .item_count = 1};
        struct counters_asker asker = {.owner = 7, .now_ns = suite_t0 + steps_ns[i % count]};
        snprintf(q.hold, sizeof q.hold, "%.20s/%u", key, i);
        counters_shared_ask(shared, &q, asker, states, &answer);
        passed += answer.is_ok && !answer.error;
        if (!answer.is_ok) EXPECT(answer.retry_after_s <= HOUR / 60);
    }
    return passed;
}

/* Ten at once are ten, and no more, if it is put back a little or a day, put on, or differs from one processor to the
 * other. */
static void rates_are_not_the_calendars(void)
{
    struct fault why;
    struct counters_shared *shared = counters_shared_new(CELLS, HOLDS_MAX, &why);
    counters_shared_seed(shared);
    EXPECT_INT(10, let_through(shared, "still", (int64_t[]){0}, 1));
    EXPECT_INT(10, let_through(shared, "a hair", (int64_t[]){0, -3000, -50000000, 40000}, 4));
    EXPECT_INT(10, let_through(shared, "back", (int64_t[]){0, -SECONDS(1), -SECONDS(90), -SECONDS(86400)}, 4));
    EXPECT_INT(10, let_through(shared, "on", (int64_t[]){0, SECONDS(20), SECONDS(86400), 0}, 4));
    counters_shared_free(shared);
}

int main(void)
{
    in_memory();
    in_shared_memory();
    RUN(rates_are_not_the_calendars);
    return unit_close("counters_suite");
}
