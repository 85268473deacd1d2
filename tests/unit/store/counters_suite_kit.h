/* What the cases of counters_suite.h share: the back end that is asked, names that are new, questions in one line. */
#ifndef MOONGATE_TESTS_COUNTERS_SUITE_KIT_H
#define MOONGATE_TESTS_COUNTERS_SUITE_KIT_H

#include <stdlib.h>
#include <time.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/counters/table.h"

#define NS INT64_C(1000000000)
#define HOUR 3600

struct counters_backend {
    const char *name;
    void *self;
    /* As counters_table_ask(); `states` have place for LIMIT_COUNTERS_ITEMS. The owner of all holds is one and the
     * same. A back end that answers later waits for it here. */
    void (*ask)(void *self, const struct counters_question *q, int64_t now_ns, struct counters_state *states,
                struct counters_answer *answer);
    /* As counters_table_spend(). */
    void (*spend)(void *self, const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count,
                  const struct counters_spent *spent, size_t count, int64_t now_ns);
    /* The owner of all holds is dead: what they hold goes back. NULL: not tested. */
    void (*bury)(void *self);
    /* All that a denial must not change, in bytes; NULL: only what is answered is compared. */
    struct slice (*memory)(void *self);
    int64_t exact; /* the largest amount; COUNTERS_AMOUNT_MAX where integers are integers */
};

static const struct counters_backend *suite;
static unsigned suite_first_seed, suite_seed, suite_case;
static int64_t suite_t0; /* ns: this run's present, a whole second */
static struct counters_state states[LIMIT_COUNTERS_ITEMS];

/* Park and Miller's: the same on every machine. */
static inline uint32_t suite_random_below(uint32_t end)
{
    suite_seed = (unsigned)((uint64_t)suite_seed * 48271 % 2147483647);
    return suite_seed % end;
}

static inline void suite_begin(const struct counters_backend *with)
{
    const char *seed = getenv("MOONGATE_SEED");
    suite = with;
    suite_first_seed = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)(clock_mono_ns() % 100000 + 1);
    suite_seed = suite_first_seed % 2147483646 + 1;
    suite_t0 = (int64_t)(clock_wall_ns() / NS_PER_S) * NS;
}

/* --- names --- */

#define SUITE_NAMES 4096u

/* "user=ana" of this case and run alone; as long as the next 4096 have not been made. */
static inline const char *name(const char *of)
{
    static char names[SUITE_NAMES][COUNTERS_HOLD_BYTES];
    static unsigned at;
    char *to = names[at++ % SUITE_NAMES];
    snprintf(to, COUNTERS_HOLD_BYTES, "%s;%x.%x.%u", of, (unsigned)(suite_t0 / NS), suite_first_seed, suite_case);
    return to;
}

/* The same, of names that are many. */
static inline const char *name_into(char to[COUNTERS_HOLD_BYTES], const char *of, unsigned no)
{
    snprintf(to, COUNTERS_HOLD_BYTES, "%s%u;%x.%x", of, no, (unsigned)(suite_t0 / NS), suite_first_seed);
    return to;
}

static inline const char *name_no(const char *of, unsigned no)
{
    char text[24];
    snprintf(text, sizeof text, "%s%u", of, no);
    return name(text);
}

#define CASE(function)                                                                                                 \
    do {                                                                                                               \
        suite_case++;                                                                                                  \
        RUN(function);                                                                                                 \
    } while (0)

/* --- items --- */

/* In the hour that T0 stands in the middle of. */
static inline struct counters_item money(const char *key, int64_t amount, int64_t limit)
{
    int64_t start_s = suite_t0 / NS - HOUR / 2;
    return (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .start_s = start_s, .stop_s = start_s + HOUR, .on_loss = COUNTERS_CLOSED};
}

static inline struct counters_item session(const char *key, int64_t amount, int64_t limit, uint32_t idle_s)
{
    return (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .idle_s = idle_s, .on_loss = COUNTERS_CLOSED};
}

static inline struct counters_item rate(enum counters_unit unit, const char *key, int64_t amount, int64_t limit,
                                        int64_t burst)
{
    return (struct counters_item){.unit = unit, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .window_s = 60, .burst = burst, .on_loss = COUNTERS_LOCAL};
}

static inline struct counters_item slots(const char *key, int64_t limit)
{
    return (struct counters_item){.unit = COUNTERS_CONCURRENT, .key = slice_str(key), .amount = 1, .limit = limit,
                                  .on_loss = COUNTERS_LOCAL};
}

/* --- questions; `at` in microseconds since T0 --- */

#define SECONDS(n) (INT64_C(1000000) * (n))

static inline struct counters_answer question(enum counters_operation operation, const char *hold,
                                              const struct counters_item *items, size_t count, int64_t tokens,
                                              int64_t nano, int64_t at)
{
    struct counters_question q = {.operation = operation, .items = items, .item_count = count,
                                  .totals = {tokens, nano}, .time_ns = (uint64_t)(suite_t0 + at * 1000),
                                  .timeout_ms = 1000};
    struct counters_answer answer;
    snprintf(q.hold, sizeof q.hold, "%s", hold);
    memset(states, 0x55, sizeof states);
    suite->ask(suite->self, &q, suite_t0 + at * 1000, states, &answer);
    if (answer.states && answer.states != states)
        memmove(states, answer.states, answer.state_count * sizeof *states);
    return answer;
}

static inline struct counters_answer admit(const char *hold, const struct counters_item *items, size_t count,
                                           int64_t at)
{
    return question(COUNTERS_ADMIT, hold, items, count, 0, 0, at);
}

static inline bool admits(const char *hold, const struct counters_item *items, size_t count, int64_t at)
{
    struct counters_answer answer = admit(hold, items, count, at);
    return answer.is_ok && !answer.error;
}

static inline struct counters_answer peek(const struct counters_item *items, size_t count, int64_t at)
{
    return question(COUNTERS_PEEK, "", items, count, 0, 0, at);
}

static inline bool extends(const char *hold, const struct counters_item *items, size_t count, int64_t tokens,
                           int64_t nano, int64_t at)
{
    struct counters_answer answer = question(COUNTERS_EXTEND, hold, items, count, tokens, nano, at);
    return answer.is_ok && !answer.error;
}

static inline void settle(const char *hold, const struct counters_item *items, size_t count, int64_t tokens,
                          int64_t nano, int64_t at)
{
    EXPECT(question(COUNTERS_SETTLE, hold, items, count, tokens, nano, at).is_ok);
}

/* The same, of a hold that is so old and held so many. */
static inline void settle_old(const char *hold, const struct counters_item *item, int64_t tokens, int64_t was_held,
                              int64_t age, int64_t at)
{
    struct counters_question q = {.operation = COUNTERS_SETTLE, .items = item, .item_count = 1, .totals = {tokens, 0},
                                  .held = {was_held, 0}, .age_ns = (uint64_t)age * 1000,
                                  .time_ns = (uint64_t)(suite_t0 + at * 1000), .timeout_ms = 1000};
    struct counters_answer answer;
    snprintf(q.hold, sizeof q.hold, "%s", hold);
    suite->ask(suite->self, &q, suite_t0 + at * 1000, states, &answer);
    EXPECT(answer.is_ok);
}

static inline void release(const char *hold, const struct counters_item *items, size_t count, int64_t at)
{
    EXPECT(question(COUNTERS_RELEASE, hold, items, count, 0, 0, at).is_ok);
}

/* What the ledger says of one hold and one budget: it is over, and so much is spent in all. hold NULL: only the sum. */
static inline void spend(const char *hold, const struct counters_item *item, int64_t nano, int64_t at)
{
    char ids[1][COUNTERS_HOLD_BYTES] = {""};
    struct counters_spent spent = {.key = item->key, .start_s = item->start_s, .stop_s = item->stop_s, .nano = nano,
                                   .idle_s = item->idle_s, .last_s = suite_t0 / NS + at / 1000000};
    if (hold) snprintf(ids[0], sizeof ids[0], "%s", hold);
    suite->spend(suite->self, (const char(*)[COUNTERS_HOLD_BYTES])ids, hold != NULL, &spent, 1, suite_t0 + at * 1000);
}

static inline int64_t held(const struct counters_item *item, int64_t at)
{
    peek(item, 1, at);
    return states[0].held;
}

static inline int64_t spent(const struct counters_item *item, int64_t at)
{
    peek(item, 1, at);
    return states[0].spent;
}

/* Of a rate, of slots. */
static inline int64_t left(const struct counters_item *item, int64_t at)
{
    peek(item, 1, at);
    return states[0].left;
}

#define EXPECT_MONEY(want_spent, want_held, item, at)                                                                  \
    do {                                                                                                               \
        EXPECT_INT(want_spent, spent(item, at));                                                                       \
        EXPECT_INT(want_held, held(item, at));                                                                         \
    } while (0)

#endif
