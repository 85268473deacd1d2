/* Cases of counters_suite.h: random questions, beside a log of all that was let through and a simple count of what is
 * held. */
#ifndef MOONGATE_TESTS_COUNTERS_SUITE_RANDOM_H
#define MOONGATE_TESTS_COUNTERS_SUITE_RANDOM_H

#include "counters_suite_kit.h"

/* --- rates: no window of any length has more than is allowed --- */

#define LOG_MAX 1500

struct log {
    int64_t at[LOG_MAX], amount[LOG_MAX]; /* µs since T0 */
    int count;
};

/* In any time from one entry to another there is no more than the rate allows and one burst, or of tokens one request
 * that came when nothing was used up. */
static void expect_even(const struct log *log, const struct counters_item *item, int64_t most_at_once)
{
    for (int i = 0; i < log->count; i++) {
        int64_t sum = 0;
        for (int j = i; j < log->count; j++) {
            sum += log->amount[j];
            __int128 allowed = (__int128)(log->at[j] - log->at[i]) * item->limit / SECONDS(item->window_s);
            if (sum > most_at_once + (int64_t)allowed + 1) {
                UNIT_FAIL("from %lld to %lld µs %lld are let through, of %lld in %u s, %lld at once",
                          (long long)log->at[i], (long long)log->at[j], (long long)sum, (long long)item->limit,
                          item->window_s, (long long)most_at_once);
                return;
            }
        }
    }
}

static void ask_for(struct log *log, struct counters_item *item, int64_t amount, int64_t at)
{
    static unsigned no;
    char hold[COUNTERS_HOLD_BYTES];
    item->amount = amount;
    name_into(hold, "a", ++no);
    if (log->count == LOG_MAX || !admits(hold, item, 1, at)) return;
    settle(hold, item, 1, amount, 0, at);
    log->at[log->count] = at;
    log->amount[log->count++] = amount;
}

/* Floods and silences, of any length. */
static void an_adversary_of_requests(void)
{
    static const int64_t limits[][2] = {{60, 10}, {100, 100}, {7, 1}, {1000, 166}, {1, 1}, {600, 1}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        static struct log log;
        struct counters_item item =
            rate(COUNTERS_REQUESTS, name_no("user", (unsigned)i), 1, limits[i][0], limits[i][1]);
        log.count = 0;
        for (int64_t at = 0; at < SECONDS(400);) {
            for (uint32_t n = suite_random_below(2 * (uint32_t)limits[i][1] + 2); n > 0; n--)
                ask_for(&log, &item, 1, at);
            at += suite_random_below(4) ? suite_random_below(3000000) : suite_random_below(90000000);
        }
        expect_even(&log, &item, item.burst);
        EXPECT(log.count > 0);
    }
}

/* At the end of one window and at the beginning of the next. */
static void an_adversary_of_two_windows(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 100, 16);
    static struct log log;
    log.count = 0;
    for (int64_t window = 1; window < 6; window++) {
        for (int n = 0; n < 300; n++)
            ask_for(&log, &item, 1, SECONDS(60 * window) - 1000000 + n * 6000);
    }
    expect_even(&log, &item, 16);
    EXPECT(log.count >= 5 * 16);
}

static void an_adversary_of_tokens(void)
{
    static const int64_t limits[][2] = {{6000, 1000}, {1000000, 166667}, {60, 60}, {90, 1}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        static struct log log;
        struct counters_item item = rate(COUNTERS_TOKENS, name_no("app", (unsigned)i), 1, limits[i][0], limits[i][1]);
        log.count = 0;
        for (int64_t at = 0; at < SECONDS(600) && log.count < LOG_MAX; at += suite_random_below(2000000)) {
            uint32_t most = (uint32_t)(suite_random_below(10) ? item.burst : item.limit);
            ask_for(&log, &item, 1 + suite_random_below(most), at);
        }
        expect_even(&log, &item, item.limit);
        EXPECT(log.count > 0);
    }
}

/* Who keeps to the rate is never refused. */
static void an_even_client_is_let_through(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 60, 1);
    struct counters_item tokens = rate(COUNTERS_TOKENS, name("app"), 10, 600, 10);
    for (unsigned i = 0; i < 300; i++) {
        EXPECT(admits(name_no("r", i), &item, 1, SECONDS(i)));
        EXPECT(admits(name_no("s", i), &tokens, 1, SECONDS(i)));
    }
}

/* --- money and places: beside a count --- */

#define BUDGETS 5
#define HOLDS 24

struct model_hold {
    const char *id;
    struct counters_item items[BUDGETS + 1]; /* the last one: a place */
    int budgets[BUDGETS];
    size_t count, money_count;
    int64_t nano; /* of each of its budgets */
    bool is_open, is_settled;
};

struct model {
    struct counters_item budgets[BUDGETS], place;
    int64_t spent[BUDGETS], held[BUDGETS];
    int running;
    struct model_hold holds[HOLDS];
    unsigned no;
    uint32_t admitted, refused;
};

static void model_make(struct model *m)
{
    memset(m, 0, sizeof *m);
    for (unsigned i = 0; i < BUDGETS; i++)
        m->budgets[i] = money(name_no("budget", i), 0, i == 0 ? COUNTERS_NO_LIMIT : 1000 * (int64_t)(i + 1) * 10);
    m->place = slots(name("place"), 10);
}

static void model_expect(const struct model *m)
{
    struct counters_item all[BUDGETS + 1];
    memcpy(all, m->budgets, sizeof m->budgets);
    all[BUDGETS] = m->place;
    peek(all, BUDGETS + 1, 0);
    for (int i = 0; i < BUDGETS; i++) {
        EXPECT_INT(m->spent[i], states[i].spent);
        EXPECT_INT(m->held[i], states[i].held);
    }
    EXPECT_INT(m->place.limit - m->running, states[BUDGETS].left);
}

static void move_held(struct model *m, struct model_hold *h, int64_t nano)
{
    for (size_t i = 0; i < h->money_count; i++)
        m->held[h->budgets[i]] += nano - h->nano;
    h->nano = nano;
}

static bool has_room(const struct model *m, const struct model_hold *h, int64_t more)
{
    for (size_t i = 0; i < h->money_count; i++) {
        int b = h->budgets[i];
        if (m->budgets[b].limit >= 0 && m->spent[b] + m->held[b] + more > m->budgets[b].limit) return false;
    }
    return true;
}

static void model_admit(struct model *m, struct model_hold *h)
{
    int64_t nano = suite_random_below(1500);
    *h = (struct model_hold){.id = name_no("h", m->no++)};
    for (int b = 0; b < BUDGETS; b++) {
        if (suite_random_below(2)) continue;
        h->budgets[h->money_count] = b;
        h->items[h->money_count] = m->budgets[b];
        h->items[h->money_count++].amount = nano;
    }
    h->count = h->money_count;
    h->items[h->count++] = m->place;
    bool fits = has_room(m, h, nano) && m->running < m->place.limit;
    EXPECT_INT(fits, admits(h->id, h->items, h->count, 0));
    m->admitted += fits;
    m->refused += !fits;
    if (!fits) return;
    h->is_open = true;
    m->running++;
    move_held(m, h, nano);
}

static void model_extend(struct model *m, struct model_hold *h)
{
    int64_t nano = suite_random_below(3000);
    bool fits = !h->is_settled && (nano <= h->nano || has_room(m, h, nano - h->nano));
    EXPECT_INT(fits, extends(h->id, h->items, h->count, 0, nano, 0));
    if (fits && nano > h->nano) move_held(m, h, nano);
}

static void model_settle(struct model *m, struct model_hold *h)
{
    int64_t nano = suite_random_below(2000);
    settle(h->id, h->items, h->count, 0, nano, 0);
    if (h->is_settled) return;
    move_held(m, h, nano);
    h->is_settled = true;
    h->is_open = h->money_count > 0;
    m->running--;
}

static void model_release(struct model *m, struct model_hold *h)
{
    release(h->id, h->items, h->count, 0);
    if (h->is_settled) return;
    move_held(m, h, 0);
    h->is_open = false;
    m->running--;
}

/* The ledger has it: mostly when it is settled. */
static void model_spend(struct model *m, struct model_hold *h)
{
    int64_t nano = h->nano;
    if (!h->is_settled) m->running--;
    move_held(m, h, 0);
    h->is_open = false;
    if (h->money_count == 0) spend(h->id, &m->budgets[0], m->spent[0], 0);
    for (size_t i = 0; i < h->money_count; i++) {
        m->spent[h->budgets[i]] += nano;
        spend(h->id, &m->budgets[h->budgets[i]], m->spent[h->budgets[i]], 0);
    }
}

static void model_step(struct model *m)
{
    struct model_hold *h = &m->holds[suite_random_below(HOLDS)];
    if (!h->is_open) {
        model_admit(m, h);
        return;
    }
    switch (suite_random_below(6)) {
    case 0: EXPECT(admits(h->id, h->items, h->count, 0)); return; /* again: nothing is taken */
    case 1: model_extend(m, h); return;
    case 2: model_settle(m, h); return;
    case 3: model_release(m, h); return;
    default:
        if (h->is_settled || suite_random_below(8) == 0) model_spend(m, h);
        else model_settle(m, h);
    }
}

static void any_order_of_questions(void)
{
    static struct model m;
    for (int round = 0; round < 6 && !unit_case_failures; round++) {
        suite_case++;
        model_make(&m);
        for (int i = 0; i < 600 && !unit_case_failures; i++) {
            model_step(&m);
            model_expect(&m);
        }
    }
    EXPECT(m.admitted > 20 && m.refused > 20);
}

/* Each question once more, when its answer was lost: nothing changes. */
static void any_question_may_be_put_again(void)
{
    struct counters_item items[] = {money(name("app"), 100, 100000), slots(name("app"), 100),
                                    rate(COUNTERS_TOKENS, name("app"), 10, 6000, 3000)};
    for (unsigned i = 0; i < 200; i++) {
        const char *id = name_no("h", i);
        int64_t nano = suite_random_below(300);
        for (uint32_t n = suite_random_below(3) + 1; n > 0; n--)
            EXPECT(admits(id, items, 3, 0));
        for (uint32_t n = suite_random_below(3); n > 0; n--)
            EXPECT(extends(id, items, 3, 12, 150, 0));
        for (uint32_t n = suite_random_below(3) + 1; n > 0; n--)
            settle(id, items, 3, 1, nano, 0);
        EXPECT_INT(nano, held(&items[0], 0));
        EXPECT_INT(100, left(&items[1], 0));
        EXPECT_INT(3000 - 1 - (int64_t)i, left(&items[2], 0));
        for (uint32_t n = suite_random_below(3) + 1; n > 0; n--)
            spend(id, &items[0], 0, 0);
        EXPECT_INT(0, held(&items[0], 0));
    }
}

/* --- what a denial leaves --- */

static void random_items(struct counters_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *key = name_no("r", suite_random_below(6) + 10 * (unsigned)i);
        switch (suite_random_below(4)) {
        case 0: items[i] = money(key, suite_random_below(900), 1000); break;
        case 1: items[i] = rate(COUNTERS_TOKENS, key, suite_random_below(500), 600, 100); break;
        case 2: items[i] = slots(key, 1 + suite_random_below(3)); break;
        default: items[i] = rate(COUNTERS_REQUESTS, key, 1, 60, 1 + suite_random_below(4)); break;
        }
    }
}

static void a_denial_leaves_all_as_it_was(void)
{
    struct counters_item items[5];
    uint32_t denied = 0;
    char *before = NULL;
    for (unsigned i = 0; i < 500; i++) {
        static struct counters_state seen[5];
        random_items(items, 5);
        peek(items, 5, i);
        memcpy(seen, states, sizeof seen);
        struct slice memory = suite->memory ? suite->memory(suite->self) : SLICE("");
        before = realloc(before, memory.len + 1);
        memcpy(before, memory.ptr, memory.len);
        if (admits(name_no("h", i), items, 5, i)) continue;
        denied++;
        EXPECT(memcmp(before, memory.ptr, memory.len) == 0);
        peek(items, 5, i);
        for (int k = 0; k < 5; k++) {
            EXPECT(seen[k].spent == states[k].spent && seen[k].held == states[k].held);
            EXPECT(seen[k].left == states[k].left && seen[k].reset_s == states[k].reset_s);
        }
    }
    EXPECT(denied > 50);
    free(before);
}

static void suite_random(void)
{
    CASE(an_adversary_of_requests);
    CASE(an_adversary_of_two_windows);
    CASE(an_adversary_of_tokens);
    CASE(an_even_client_is_let_through);
    CASE(any_order_of_questions);
    CASE(any_question_may_be_put_again);
    CASE(a_denial_leaves_all_as_it_was);
}

#endif
