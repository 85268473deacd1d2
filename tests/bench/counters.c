/*
 * What limits and budgets cost a request: admitted under eleven of them and settled, in shared memory, beside holds that
 * stand and users that are known.
 *
 *     build/bench/counters 100000 1000 200000     # users, holds that stand, requests
 *     counters 1.52 of 200000                     # microseconds of CPU for an admission and its settlement …
 *     recorded 0.61                               # … and for what the ledger's process says of it then
 *     memory 72 272                               # bytes of a key that is counted, of a request that holds something
 *     valgrind --tool=callgrind --toggle-collect=request_once build/bench/counters 100000 1000 2000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "store/counters/shared.h"

#define ITEMS 11u
#define NOW_NS INT64_C(1790000000000000000)

static struct counters_shared *counters;
static struct counters_state states[ITEMS];

/* Of a user, a team, a department and an app: budgets of a day and a month, requests, tokens, places. */
static void make_items(struct counters_item *items, char keys[ITEMS][64], unsigned user)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        snprintf(keys[i], sizeof keys[i], i < 4 ? "user=user-%06u@example.com;%u" : "department=department-%u;%u",
                 i < 4 ? user : user % 50, i);
        items[i] = (struct counters_item){.unit = (enum counters_unit)(i % 4), .key = slice_str(keys[i]), .amount = 1,
                                          .limit = i % 4 == 3 ? INT64_C(1000000000000) : 6000000,
                                          .window_s = 60, .burst = 1000000,
                                          .start_s = 1789000000, .stop_s = 1792000000};
    }
}

static void ask(enum counters_operation operation, const char *id, const struct counters_item *items)
{
    struct counters_question q = {.operation = operation, .items = items, .item_count = ITEMS, .totals = {1, 1}};
    struct counters_answer answer;
    memcpy(q.hold, id, strlen(id));
    counters_shared_ask(counters, &q, (struct counters_asker){.owner = 1, .now_ns = NOW_NS}, states, &answer);
    check(answer.is_ok && !answer.error);
}

/* Apart, so that callgrind can count it alone. */
void request_once(const char (*id)[COUNTERS_HOLD_BYTES], const struct counters_item *items);

__attribute__((noinline)) void request_once(const char (*id)[COUNTERS_HOLD_BYTES], const struct counters_item *items)
{
    ask(COUNTERS_ADMIT, *id, items);
    ask(COUNTERS_SETTLE, *id, items);
}

static void record_once(const char (*id)[COUNTERS_HOLD_BYTES], const struct counters_item *items)
{
    struct counters_spent spent = {.key = items[3].key, .start_s = items[3].start_s, .stop_s = items[3].stop_s};
    check(counters_shared_spend(counters, id, 1, &spent, 1, NOW_NS));
}

static void know_user(unsigned user)
{
    struct counters_item items[ITEMS];
    char keys[ITEMS][64], id[1][COUNTERS_HOLD_BYTES] = {""};
    snprintf(id[0], sizeof id[0], "req_known-%u", user);
    make_items(items, keys, user);
    ask(COUNTERS_ADMIT, id[0], items);
    check(counters_shared_spend(counters, (const char(*)[COUNTERS_HOLD_BYTES])id, 1, NULL, 0, NOW_NS));
}

static void leave_hold(unsigned no, unsigned users)
{
    struct counters_item items[ITEMS];
    char keys[ITEMS][64], id[COUNTERS_HOLD_BYTES];
    snprintf(id, sizeof id, "req_%08x-0000-7000-8000-000000000000", no);
    make_items(items, keys, no % users);
    ask(COUNTERS_ADMIT, id, items);
}

#define TURN 64u /* requests between two looks at the clock */

struct request {
    struct counters_item items[ITEMS];
    char keys[ITEMS][64], id[1][COUNTERS_HOLD_BYTES];
};

struct took {
    uint64_t asked_ns, recorded_ns;
};

static struct took measure(unsigned users, unsigned requests)
{
    static struct request turn[TURN];
    struct took took = {0, 0};
    for (unsigned n = 0; n < requests; n += TURN) {
        for (unsigned i = 0; i < TURN; i++) {
            make_items(turn[i].items, turn[i].keys, (unsigned)((n + i) * UINT64_C(2654435761) % users));
            snprintf(turn[i].id[0], sizeof turn[i].id[0], "req_0193%04x-0000-7000-8000-%012x", n % 65536, n + i);
        }
        uint64_t began_ns = clock_cpu_ns();
        for (unsigned i = 0; i < TURN; i++)
            request_once((const char(*)[COUNTERS_HOLD_BYTES])turn[i].id, turn[i].items);
        uint64_t asked_ns = clock_cpu_ns();
        for (unsigned i = 0; i < TURN; i++)
            record_once((const char(*)[COUNTERS_HOLD_BYTES])turn[i].id, turn[i].items);
        took.asked_ns += asked_ns - began_ns;
        took.recorded_ns += clock_cpu_ns() - asked_ns;
    }
    return took;
}

int main(int argc, char **argv)
{
    check(argc == 4);
    unsigned users = (unsigned)strtoul(argv[1], NULL, 10), holds = (unsigned)strtoul(argv[2], NULL, 10);
    unsigned requests = (unsigned)strtoul(argv[3], NULL, 10);
    struct fault why;
    counters = counters_shared_new(0, 0, &why);
    check(counters);
    counters_shared_seed(counters);
    for (unsigned i = 0; i < users; i++)
        know_user(i);
    for (unsigned i = 0; i < holds; i++)
        leave_hold(i, users);
    struct took took = measure(users, requests);
    printf("counters %.3f of %u\n", (double)took.asked_ns / 1000 / requests, requests);
    printf("recorded %.3f\n", (double)took.recorded_ns / 1000 / requests);
    printf("memory %zu %zu\n", sizeof(struct counters_cell), sizeof(struct counters_block));
    printf("used %u %u\n", counters_shared_use(counters).cells, counters_shared_use(counters).holds);
    counters_shared_free(counters);
    return 0;
}
