/* Limits and budgets counted in memory: all of a request or none, money held until the ledger has it. */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "store/counters/table.h"

#define NS INT64_C(1000000000)
#define T0 (INT64_C(1790000000) * NS)

static struct counters_state states[8];

static struct counters_memory *make(uint32_t cells, uint32_t holds)
{
    void *zeros = calloc(1, counters_memory_bytes(cells, holds));
    counters_memory_make(zeros, cells, holds);
    return counters_memory_at(zeros);
}

static struct counters_answer ask(struct counters_memory *m, enum counters_operation operation, const char *hold,
                                  const struct counters_item *items, size_t count, struct counters_totals totals,
                                  int64_t now_ns)
{
    struct counters_question q = {.operation = operation, .items = items, .item_count = count, .totals = totals};
    struct counters_answer answer;
    snprintf(q.hold, sizeof q.hold, "%s", hold);
    counters_table_ask(m, &q, (struct counters_asker){.owner = 7, .now_ns = now_ns}, states, &answer);
    return answer;
}

static struct counters_item money(const char *key, int64_t amount, int64_t limit)
{
    return (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .start_s = 1789000000, .stop_s = 1792000000};
}

static struct counters_item rate(enum counters_unit unit, const char *key, int64_t amount, int64_t limit,
                                 int64_t burst)
{
    return (struct counters_item){.unit = unit, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .window_s = 60, .burst = burst};
}

static const struct counters_totals none = {0, 0};
static const struct counters_time at_t0 = {T0, T0};

/* Ten at a cent each fit into ten cents, whatever comes at once; what they did not cost comes back. */
static void a_budget_is_held_and_spent(void)
{
    struct counters_memory *m = make(100, 100);
    struct counters_item item = money("app=a", 100, 1000);
    char id[COUNTERS_HOLD_BYTES];
    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "r%d", i);
        EXPECT(ask(m, COUNTERS_ADMIT, id, &item, 1, none, T0).is_ok);
        EXPECT_INT(100 * (i + 1), states[0].held);
    }
    struct counters_answer refused = ask(m, COUNTERS_ADMIT, "r10", &item, 1, none, T0);
    EXPECT(!refused.is_ok && states[0].refusal == COUNTERS_CONTENDED);
    EXPECT(ask(m, COUNTERS_ADMIT, "r3", &item, 1, none, T0).is_ok); /* asked again: it is held already */
    EXPECT_INT(1000, states[0].held);
    ask(m, COUNTERS_SETTLE, "r0", &item, 1, (struct counters_totals){0, 40}, T0);
    ask(m, COUNTERS_PEEK, "", &item, 1, none, T0);
    EXPECT_INT(940, states[0].held); /* as what it came to, until the ledger has it */
    struct counters_spent sum = {.key = SLICE("app=a"), .start_s = 1789000000, .stop_s = 1792000000, .nano = 40};
    EXPECT_INT(0, counters_table_spend(m, (const char[1][COUNTERS_HOLD_BYTES]){"r0"}, 1, &sum, 1, at_t0));
    EXPECT_INT(0, counters_table_spend(m, (const char[1][COUNTERS_HOLD_BYTES]){"r0"}, 1, &sum, 1, at_t0));
    ask(m, COUNTERS_PEEK, "", &item, 1, none, T0);
    EXPECT_INT(40, states[0].spent);
    EXPECT_INT(900, states[0].held);
    ask(m, COUNTERS_RELEASE, "r1", &item, 1, none, T0);
    ask(m, COUNTERS_RELEASE, "r1", &item, 1, none, T0);
    ask(m, COUNTERS_PEEK, "", &item, 1, none, T0);
    EXPECT_INT(800, states[0].held);
    free(m);
}

static void an_extension_stays_within(void)
{
    struct counters_memory *m = make(100, 100);
    struct counters_item items[] = {money("app=a", 100, 1000), rate(COUNTERS_TOKENS, "app=a;60", 100, 600, 100)};
    EXPECT(ask(m, COUNTERS_ADMIT, "r", items, 2, none, T0).is_ok);
    EXPECT(ask(m, COUNTERS_EXTEND, "r", items, 2, (struct counters_totals){700, 900}, T0).is_ok);
    EXPECT(ask(m, COUNTERS_EXTEND, "r", items, 2, (struct counters_totals){700, 900}, T0).is_ok);
    struct counters_answer refused = ask(m, COUNTERS_EXTEND, "r", items, 2, (struct counters_totals){700, 1001}, T0);
    EXPECT(!refused.is_ok && !refused.error);
    ask(m, COUNTERS_PEEK, "", items, 2, none, T0);
    EXPECT_INT(900, states[0].held);
    EXPECT(states[1].refusal == COUNTERS_OVER); /* tokens are in debt */
    ask(m, COUNTERS_SETTLE, "r", items, 2, (struct counters_totals){50, 10}, T0);
    EXPECT(ask(m, COUNTERS_EXTEND, "r", items, 2, (struct counters_totals){900, 900}, T0).error);
    ask(m, COUNTERS_PEEK, "", items, 2, none, T0);
    EXPECT_INT(10, states[0].held);
    EXPECT_INT(50, states[1].left);
    free(m);
}

static void a_refusal_takes_nothing(void)
{
    struct counters_memory *m = make(100, 100);
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, "user=x;60", 1, 60, 2), money("app=a", 2000, 1000),
                                    {.unit = COUNTERS_CONCURRENT, .key = SLICE("app=a"), .amount = 1, .limit = 1}};
    struct counters_answer refused = ask(m, COUNTERS_ADMIT, "r", items, 3, none, T0);
    EXPECT(!refused.is_ok && refused.failed == 1);
    EXPECT_INT(0, counters_memory_use(m).holds);
    items[1].amount = 10;
    EXPECT(ask(m, COUNTERS_ADMIT, "r", items, 3, none, T0).is_ok);
    EXPECT_INT(1, states[0].left);
    refused = ask(m, COUNTERS_ADMIT, "s", items, 3, none, T0);
    EXPECT(!refused.is_ok && refused.failed == 2);
    ask(m, COUNTERS_SETTLE, "r", items, 3, (struct counters_totals){0, 5}, T0);
    EXPECT(ask(m, COUNTERS_ADMIT, "s", items, 3, none, T0).is_ok);
    ask(m, COUNTERS_SETTLE, "s", items, 3, (struct counters_totals){0, 5}, T0);
    refused = ask(m, COUNTERS_ADMIT, "t", items, 3, none, T0);
    EXPECT(!refused.is_ok && refused.failed == 0);
    EXPECT_INT(1, refused.retry_after_s);
    EXPECT(ask(m, COUNTERS_ADMIT, "t", items, 3, none, T0 + NS).is_ok);
    free(m);
}

/* A killed process may leave any sum of a cell wrong: holds say what is right. */
static void sums_are_made_anew_from_holds(void)
{
    struct counters_memory *m = make(100, 100);
    struct counters_item items[12];
    char keys[12][16];
    for (int i = 0; i < 12; i++) {
        snprintf(keys[i], sizeof keys[i], "k=%d", i);
        items[i] = money(keys[i], 10, 1000);
    }
    static struct counters_state many[12];
    struct counters_question q = {.operation = COUNTERS_ADMIT, .items = items, .item_count = 12, .hold = "long"};
    struct counters_answer answer;
    counters_table_ask(m, &q, (struct counters_asker){.owner = 7, .now_ns = T0}, many, &answer);
    EXPECT(answer.is_ok);
    EXPECT(ask(m, COUNTERS_ADMIT, "r", items, 1, none, T0).is_ok);
    for (uint32_t i = 1; i <= 12; i++) {
        counters_memory_cell_at(m, i)->held = 77;
        counters_memory_cell_at(m, i)->refs = 5;
        counters_memory_cell_at(m, i)->next = 3;
    }
    counters_memory_mend(m);
    EXPECT_INT(2, counters_memory_use(m).holds);
    EXPECT_INT(12, counters_memory_use(m).cells);
    ask(m, COUNTERS_PEEK, "", items, 2, none, T0);
    EXPECT_INT(20, states[0].held);
    EXPECT_INT(10, states[1].held);
    free(m);
}

static bool is_seven(void *arg, uint64_t owner)
{
    (void)arg;
    return owner == 7;
}

/* An end that nobody heard of, and the id again: it is not what was asked then. */
static void a_hold_is_granted_again_to_the_same_only(void)
{
    struct counters_memory *m = make(100, 100);
    struct counters_item items[] = {money("app=a", 100, 1000), rate(COUNTERS_TOKENS, "app=a;60", 100, 600, 100)};
    struct counters_item others[] = {rate(COUNTERS_TOKENS, "app=a;60", 100, 600, 100), money("app=b", 100, 1000)};
    EXPECT(ask(m, COUNTERS_ADMIT, "r", items, 2, none, T0).is_ok);
    EXPECT(ask(m, COUNTERS_ADMIT, "r", items, 2, none, T0).is_ok);
    struct counters_answer answer = ask(m, COUNTERS_ADMIT, "r", others, 2, none, T0);
    EXPECT(!answer.is_ok && answer.error);
    EXPECT(ask(m, COUNTERS_ADMIT, "r", items, 1, none, T0).error != NULL);
    EXPECT_INT(1, counters_memory_use(m).holds);
    ask(m, COUNTERS_RELEASE, "r", items, 2, none, T0);
    EXPECT(ask(m, COUNTERS_ADMIT, "r", others, 2, none, T0).is_ok);
    free(m);
}

static void what_the_dead_held_comes_back(void)
{
    struct counters_memory *m = make(100, 100);
    struct counters_item item = money("app=a", 100, 1000);
    ask(m, COUNTERS_ADMIT, "r", &item, 1, none, T0);
    ask(m, COUNTERS_ADMIT, "s", &item, 1, none, T0);
    EXPECT_INT(2, counters_table_return(m, is_seven, NULL));
    ask(m, COUNTERS_PEEK, "", &item, 1, none, T0);
    EXPECT_INT(0, states[0].held);
    free(m);
}

static void a_full_memory_says_so(void)
{
    struct counters_memory *m = make(2, 2);
    struct counters_item items[] = {money("a", 1, 10), money("b", 1, 10), money("c", 1, 10)};
    EXPECT_STR("full", ask(m, COUNTERS_ADMIT, "r", items, 3, none, T0).error);
    EXPECT(ask(m, COUNTERS_ADMIT, "r", items, 2, none, T0).is_ok);
    EXPECT(ask(m, COUNTERS_ADMIT, "s", items, 2, none, T0).is_ok);
    EXPECT_STR("full", ask(m, COUNTERS_ADMIT, "t", items, 2, none, T0).error);
    ask(m, COUNTERS_PEEK, "", items, 2, none, T0);
    EXPECT_INT(2, states[0].held);
    free(m);
}

static uint32_t spend_each(struct counters_memory *m, const char *keys, int64_t now_ns)
{
    struct counters_spent sums[8];
    char texts[8][2];
    size_t count = 0;
    for (; keys[count]; count++) {
        snprintf(texts[count], 2, "%c", keys[count]);
        sums[count] = (struct counters_spent){.key = slice_str(texts[count]), .start_s = 1789000000,
                                              .stop_s = 1792000000, .nano = 7};
    }
    return counters_table_spend(m, NULL, 0, sums, count, (struct counters_time){now_ns, now_ns});
}

static int64_t spent_of(struct counters_memory *m, const char *key, int64_t now_ns)
{
    struct counters_item item = money(key, 1, 10);
    ask(m, COUNTERS_PEEK, "", &item, 1, none, now_ns);
    return states[0].spent;
}

/* Those that have a place are told, whichever comes first. */
static void sums_without_a_place_hinder_no_others(void)
{
    struct counters_memory *m = make(3, 2);
    EXPECT_INT(0, spend_each(m, "abc", T0));
    EXPECT_INT(2, spend_each(m, "dae", T0));
    EXPECT_INT(7, spent_of(m, "a", T0));
    EXPECT_INT(0, spent_of(m, "d", T0));
    EXPECT_INT(0, spend_each(m, "de", 1792000000 * NS)); /* those of before are over, and make place */
    EXPECT_INT(7, spent_of(m, "d", 1792000000 * NS));
    free(m);
}

/* Who came before midnight and asks behind it, and whose clock was put on and back, finds what was spent. */
static void a_period_is_known_for_a_while_when_it_is_over(void)
{
    struct counters_memory *m = make(64, 4);
    int64_t over_ns = 1792000000 * NS, late_ns = over_ns + (LIMIT_COUNTERS_OVER_S - 1) * NS;
    struct counters_item items[30];
    char keys[30][8];
    EXPECT_INT(0, spend_each(m, "a", T0));
    for (int i = 0; i < 30; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        items[i] = rate(COUNTERS_REQUESTS, keys[i], 1, 60, 10);
        char id[8];
        snprintf(id, sizeof id, "r%d", i);
        EXPECT(ask(m, COUNTERS_ADMIT, id, &items[i], 1, none, late_ns).is_ok);
        ask(m, COUNTERS_SETTLE, id, &items[i], 1, none, late_ns);
        if (i < 20) EXPECT_INT(7, spent_of(m, "a", over_ns + NS));
        if (i == 20) late_ns += 2 * NS;
    }
    EXPECT_INT(0, spent_of(m, "a", over_ns + NS)); /* and is forgotten then */
    free(m);
}

/* Cells of a time that is over make place for others. */
static void what_is_over_is_forgotten(void)
{
    struct counters_memory *m = make(16, 4);
    for (int i = 0; i < 1000; i++) {
        char key[24];
        snprintf(key, sizeof key, "user=%d", i);
        struct counters_item item = rate(COUNTERS_REQUESTS, key, 1, 60, 10);
        EXPECT(ask(m, COUNTERS_ADMIT, key, &item, 1, none, T0 + i * NS).is_ok);
        ask(m, COUNTERS_SETTLE, key, &item, 1, none, T0 + i * NS);
    }
    free(m);
}

/* On the first of a month its day begins when it does. */
static void budgets_that_begin_together_are_taken_once(void)
{
    struct counters_memory *m = make(100, 100);
    struct counters_item items[] = {money("app=a", 100, 250), money("app=a", 100, 1000)};
    items[1].stop_s += 1000000;
    EXPECT(ask(m, COUNTERS_ADMIT, "r", items, 2, none, T0).is_ok);
    EXPECT_INT(100, states[1].held);
    EXPECT(ask(m, COUNTERS_ADMIT, "s", items, 2, none, T0).is_ok);
    struct counters_answer refused = ask(m, COUNTERS_ADMIT, "t", items, 2, none, T0);
    EXPECT(!refused.is_ok && refused.failed == 0);
    EXPECT(!ask(m, COUNTERS_EXTEND, "r", items, 2, (struct counters_totals){0, 151}, T0).is_ok);
    EXPECT(ask(m, COUNTERS_EXTEND, "r", items, 2, (struct counters_totals){0, 150}, T0).is_ok);
    ask(m, COUNTERS_RELEASE, "r", items, 2, none, T0);
    ask(m, COUNTERS_SETTLE, "s", items, 2, (struct counters_totals){0, 40}, T0);
    ask(m, COUNTERS_PEEK, "", items, 2, none, T0);
    EXPECT_INT(40, states[0].held);
    EXPECT_INT(40, states[1].held);
    free(m);
}

int main(void)
{
    RUN(budgets_that_begin_together_are_taken_once);
    RUN(a_budget_is_held_and_spent);
    RUN(an_extension_stays_within);
    RUN(a_refusal_takes_nothing);
    RUN(sums_are_made_anew_from_holds);
    RUN(a_hold_is_granted_again_to_the_same_only);
    RUN(what_the_dead_held_comes_back);
    RUN(a_full_memory_says_so);
    RUN(what_is_over_is_forgotten);
    RUN(sums_without_a_place_hinder_no_others);
    RUN(a_period_is_known_for_a_while_when_it_is_over);
    return unit_close("counters_table");
}
