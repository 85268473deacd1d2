/*
 * Questions to the scripts in Redis as a gateway puts them, for the tests of those scripts.
 *
 *     begin();                                             // an empty Redis, and one gateway that has opened it
 *     struct counters_item item = money("app=a", 10, 1000);
 *     EXPECT(ask(COUNTERS_ADMIT, "r1", &item, 1, none).is_ok && states[0].held == 10);
 *     EXPECT_STR("1 1", spend("led1", "r1", sum_of("app=a", 10)));
 */
#ifndef MOONGATE_TESTS_SCRIPTS_KIT_H
#define MOONGATE_TESTS_SCRIPTS_KIT_H

#include <time.h>

#include "base/limits.h"
#include "redis_sync.h"

static const struct counters_totals none;
static struct counters_state states[LIMIT_COUNTERS_ITEMS];
static struct counters_place here = {.session = "gw1-a", .owner = 7, .epoch = ""};
static char epoch[COUNTERS_NAME_BYTES];
static struct arena arena;
static int64_t period;

static inline struct counters_item money(const char *key, int64_t amount, int64_t limit)
{
    return (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .start_s = period - 86400, .stop_s = period + 86400};
}

static inline struct counters_item session(const char *key, int64_t amount, int64_t limit, uint32_t idle_s)
{
    return (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .idle_s = idle_s};
}

static inline struct counters_item rate(enum counters_unit unit, const char *key, int64_t amount, int64_t limit, int64_t burst)
{
    return (struct counters_item){.unit = unit, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .window_s = 3600, .burst = burst};
}

static inline struct counters_item at_a_time(const char *key, int64_t limit)
{
    return (struct counters_item){.unit = COUNTERS_CONCURRENT, .key = slice_str(key), .amount = 1, .limit = limit};
}

static inline struct counters_answer ask(enum counters_operation operation, const char *hold,
                                  const struct counters_item *items, size_t count, struct counters_totals totals)
{
    struct counters_question q = {.operation = operation, .items = items, .item_count = count, .totals = totals};
    struct counters_answer answer;
    snprintf(q.hold, sizeof q.hold, "%s", hold);
    struct counters_call call = counters_call_ask(&q, &here, &arena);
    counters_script_answer(&q, sync_call(&call), states, &answer);
    return answer;
}

static inline const char *say(struct counters_call call)
{
    return sync_said(sync_call(&call));
}

static inline const char *word(const char *line, unsigned number)
{
    while (number-- > 0)
        line += strcspn(line, " ") + (line[strcspn(line, " ")] == ' ');
    return arena_copy(&sync_arena, slice_of(line, strcspn(line, " "))).ptr;
}

/* A gateway comes to an empty Redis, and opens it. */
static inline void begin(void)
{
    sync_forget();
    arena_clear(&arena);
    EXPECT_STR("OK", sync_text("FLUSHALL", NULL));
    period = time(NULL);
    here = (struct counters_place){.session = "gw1-a", .owner = 7, .epoch = epoch};
    snprintf(epoch, sizeof epoch, "%s", word(say(counters_call_beat(&here, "src", true, 60000, &arena)), 1));
    EXPECT_STR(arena_printf(&arena, "1 %s", epoch).ptr, say(counters_call_seed(epoch, 0, &arena)));
}

static inline const char *spend(const char *source, const char *hold, struct counters_spent sum)
{
    char holds[1][COUNTERS_HOLD_BYTES] = {""};
    snprintf(holds[0], sizeof holds[0], "%s", hold ? hold : "");
    return say(counters_call_spend(&here, source, false, holds, hold != NULL, &sum, 1, &arena));
}

static inline struct counters_spent sum_of(const char *key, int64_t nano)
{
    return (struct counters_spent){.key = slice_str(key), .start_s = period - 86400, .stop_s = period + 86400,
                                   .nano = nano};
}

#endif
