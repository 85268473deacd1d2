/* Counters in memory that processes share: what they come to while the processes are killed and stopped at any moment.
 * The parent is the ledger and the supervisor. */
#include "counters_suite_kit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/counters/shared.h"

#define WORKERS 4
#define BUDGETS 3
#define PERIODS 64
#define OPEN 4         /* holds of one worker at once */
#define KILLS 80       /* of workers at random moments */
#define KILL_EVERY 120 /* records at most from one to the next */
#define LIMIT_NANO 100000
#define WRONG 20       /* in a hundred: those that came to more than they held */
#define SLOTS 9
#define PATIENCE_S 120 /* it hangs: a failure that is told */

static struct counters_shared *shared;

static struct counters_item budget_of(unsigned budget, unsigned period)
{
    static const char *const keys[BUDGETS] = {"app=a", "user=ana;app=a", "team=x"};
    struct counters_item item = money(keys[budget], 0, LIMIT_NANO);
    item.start_s = suite_t0 / NS + 60 * (int64_t)period;
    item.stop_s = item.start_s + 60 * (PERIODS + 1);
    return item;
}

static struct counters_answer ask(uint64_t owner, enum counters_operation operation, const char *id,
                                  const struct counters_item *items, size_t count, int64_t nano)
{
    struct counters_question q = {.operation = operation, .items = items, .item_count = count, .totals = {nano, nano}};
    struct counters_answer answer;
    snprintf(q.hold, sizeof q.hold, "%s", id);
    counters_shared_ask(shared, &q, (struct counters_asker){.owner = owner, .now_ns = suite_t0}, states, &answer);
    return answer;
}

static bool has_owner(void *arg, uint64_t owner)
{
    return owner == *(uint64_t *)arg;
}

/* Who has the lock may have to wait for a processor. */
static uint32_t return_of(uint64_t owner)
{
    uint32_t returned = 0;
    while (!counters_shared_return(shared, has_owner, &owner, &returned))
        continue;
    return returned;
}

/* --- a worker --- */

struct record {
    char id[COUNTERS_HOLD_BYTES];
    uint32_t period, budgets; /* a bit each */
    int64_t nano;
};

struct plan {
    _Atomic unsigned period;
    _Atomic bool is_over;
    _Atomic int64_t beyond[BUDGETS][PERIODS]; /* of what was settled: more than was held */
};
static struct plan *plan;

struct open_hold {
    struct record record;
    struct counters_item items[BUDGETS + 3];
    size_t count;
    int64_t held;
    bool is_open, is_wrong;
};

static size_t make_items(struct open_hold *h)
{
    size_t count = 0;
    h->record.budgets = 1 + suite_random_below((1 << BUDGETS) - 1);
    h->record.period = plan->period;
    for (unsigned b = 0; b < BUDGETS; b++) {
        if (!(h->record.budgets >> b & 1)) continue;
        h->items[count] = budget_of(b, h->record.period);
        h->items[count++].amount = h->held;
    }
    h->items[count++] = slots("app=a", SLOTS);
    h->items[count++] = rate(COUNTERS_TOKENS, "app=a;60", h->held, INT64_C(1) << 40, INT64_C(1) << 39);
    h->items[count++] = rate(COUNTERS_REQUESTS, "app=a;60", 1, INT64_C(1) << 40, INT64_C(1) << 39);
    return count;
}

static void begin(uint64_t owner, unsigned no, struct open_hold *h)
{
    snprintf(h->record.id, sizeof h->record.id, "%llx-%x", (unsigned long long)owner, no);
    h->is_wrong = suite_random_below(100) < WRONG;
    h->held = 1 + suite_random_below(h->is_wrong ? 50 : LIMIT_NANO / 5);
    h->count = make_items(h);
    struct counters_answer answer = ask(owner, COUNTERS_ADMIT, h->record.id, h->items, h->count, 0);
    h->is_open = answer.is_ok && !answer.error;
}

/* Nobody could foresee it; said before it is settled. */
static void come_to_more(struct open_hold *h)
{
    int64_t beyond = 1 + suite_random_below(50);
    h->record.nano = h->held + beyond;
    for (unsigned b = 0; b < BUDGETS; b++)
        if (h->record.budgets >> b & 1) plan->beyond[b][h->record.period] += beyond;
}

/* Its end, or one step on the way. */
static void go_on(uint64_t owner, struct open_hold *h, int records)
{
    int64_t more = h->held + suite_random_below(LIMIT_NANO / 10);
    switch (suite_random_below(5)) {
    case 0:
        if (h->is_wrong) return;
        if (ask(owner, COUNTERS_EXTEND, h->record.id, h->items, h->count, more).is_ok) h->held = more;
        return;
    case 1:
        h->record.nano = 0;
        ask(owner, COUNTERS_RELEASE, h->record.id, h->items, h->count, 0);
        break;
    default:
        h->record.nano = suite_random_below(h->held < 100 ? (uint32_t)h->held + 1 : 100);
        if (h->is_wrong) come_to_more(h);
        ask(owner, COUNTERS_SETTLE, h->record.id, h->items, h->count, h->record.nano);
    }
    h->is_open = false;
    if (write(records, &h->record, sizeof h->record) != sizeof h->record) _exit(1);
}

static void work(uint64_t owner, int records)
{
    static struct open_hold holds[OPEN];
    unsigned open = 1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    suite_seed = (unsigned)(owner * 7919 % 2147483646 + 1);
    for (unsigned no = 0; open || !plan->is_over; no++) {
        struct open_hold *h = &holds[suite_random_below(OPEN)];
        if (h->is_open) go_on(owner, h, records);
        else if (!plan->is_over) begin(owner, no, h);
        open = 0;
        for (int i = 0; i < OPEN; i++)
            open += holds[i].is_open;
    }
    _exit(0);
}

/* --- the parent --- */

struct worker {
    uint64_t owner;
    pid_t pid;
    int records;
};

static struct worker workers[WORKERS];
static int64_t spent_of[BUDGETS][PERIODS];
static uint64_t owners, recorded;

static void start(struct worker *w)
{
    int ends[2];
    if (pipe(ends) != 0) abort();
    w->owner = ++owners;
    w->pid = fork();
    if (w->pid == 0) work(w->owner, ends[1]);
    close(ends[1]);
    w->records = ends[0];
}

/* As a batch of the ledger: sums that are absolute, said again until they are heard. */
static void commit(const struct record *r)
{
    struct counters_spent sums[BUDGETS];
    size_t count = 0;
    for (unsigned b = 0; b < BUDGETS; b++) {
        if (!(r->budgets >> b & 1)) continue;
        struct counters_item item = budget_of(b, r->period);
        spent_of[b][r->period] += r->nano;
        sums[count++] = (struct counters_spent){.key = item.key, .start_s = item.start_s, .stop_s = item.stop_s,
                                                .nano = spent_of[b][r->period]};
    }
    while (!counters_shared_spend(shared, (const char(*)[COUNTERS_HOLD_BYTES])&r->id, 1, sums, count, suite_t0))
        continue;
    recorded++;
}

/* False: there are no more. */
static bool take_record(struct worker *w)
{
    struct record r;
    ssize_t got = read(w->records, &r, sizeof r);
    if (got != sizeof r) return false;
    commit(&r);
    return true;
}

/* At any moment. */
static void expect_within(void)
{
    unsigned period = plan->period;
    for (unsigned b = 0; b < BUDGETS; b++) {
        struct counters_item item = budget_of(b, period);
        if (ask(0, COUNTERS_PEEK, "", &item, 1, 0).error) continue;
        int64_t most = LIMIT_NANO + plan->beyond[b][period];
        if (states[0].spent + states[0].held <= most && states[0].held >= 0) continue;
        UNIT_FAIL("budget %u: %lld spent and %lld held of %lld", b, (long long)states[0].spent,
                  (long long)states[0].held, (long long)most);
    }
    struct counters_item place = slots("app=a", 1000);
    if (!ask(0, COUNTERS_PEEK, "", &place, 1, 0).error) EXPECT(1000 - states[0].left <= SLOTS);
}

/* All that it sent is committed before what it held goes back. */
static void bury_worker(struct worker *w)
{
    while (take_record(w))
        continue;
    waitpid(w->pid, NULL, 0);
    close(w->records);
    return_of(w->owner);
}

/* Whose pipe is full waits, and is not in the counters. Those of all are read: what they hold may be in its way. */
static void wake(struct worker *w)
{
    struct pollfd ready = {.fd = w->records, .events = POLLIN};
    while (poll(&ready, 1, 0) == 1 && take_record(w))
        continue;
    while (poll(&ready, 1, 1) == 0) {
        for (int i = 0; i < WORKERS; i++) {
            struct pollfd other = {.fd = workers[i].records, .events = POLLIN};
            if (poll(&other, 1, 0) == 1) take_record(&workers[i]);
        }
    }
    take_record(w);
    for (uint32_t spin = suite_random_below(20000); spin > 0; spin--)
        atomic_signal_fence(memory_order_seq_cst);
}

static void kill_one(void)
{
    struct worker *w = &workers[suite_random_below(WORKERS)];
    bool is_stopped = suite_random_below(4) == 0;
    wake(w);
    if (is_stopped) {
        kill(w->pid, SIGSTOP);
        expect_within(); /* which may find it with the lock */
    }
    kill(w->pid, SIGKILL);
    bury_worker(w);
    expect_within();
    start(w);
}

static unsigned worker_ended(void)
{
    UNIT_FAIL("a worker ended by itself");
    return 0;
}

static void take_records(unsigned count)
{
    while (count > 0) {
        struct pollfd fds[WORKERS];
        for (int i = 0; i < WORKERS; i++)
            fds[i] = (struct pollfd){.fd = workers[i].records, .events = POLLIN};
        if (poll(fds, WORKERS, -1) <= 0) continue;
        for (int i = 0; i < WORKERS && count > 0; i++) {
            if (fds[i].revents & POLLIN) count -= take_record(&workers[i]);
            else if (fds[i].revents) count = worker_ended();
            expect_within();
        }
    }
}

/* Each cell whose time is over makes place for others. */
static void expect_no_cell_lost(void)
{
    struct counters_use use = counters_shared_use(shared);
    EXPECT_INT(0, use.holds);
    for (unsigned i = 0; i < 2 * use.cells_max; i++) {
        char key[32];
        snprintf(key, sizeof key, "later=%u", i);
        struct counters_item item = rate(COUNTERS_REQUESTS, key, 1, 60, 1);
        struct counters_question q = {.operation = COUNTERS_ADMIT, .items = &item, .item_count = 1, .hold = "later"};
        struct counters_answer answer;
        int64_t now_ns = suite_t0 + (86400 + 100 * (int64_t)i) * NS;
        struct counters_asker asker = {1, now_ns, now_ns};
        counters_shared_ask(shared, &q, asker, states, &answer);
        q.operation = COUNTERS_SETTLE;
        EXPECT(answer.is_ok && !answer.error);
        counters_shared_ask(shared, &q, asker, states, &answer);
    }
    EXPECT(counters_shared_use(shared).cells <= use.cells / 2 + 8); /* a quarter of them is looked at for each new one */
}

static void expect_exact(void)
{
    for (unsigned b = 0; b < BUDGETS; b++) {
        for (unsigned p = 0; p <= plan->period; p++) {
            struct counters_item item = budget_of(b, p);
            ask(0, COUNTERS_PEEK, "", &item, 1, 0);
            EXPECT_INT(spent_of[b][p], states[0].spent);
            EXPECT_INT(0, states[0].held);
        }
    }
    struct counters_item place = slots("app=a", SLOTS);
    ask(0, COUNTERS_PEEK, "", &place, 1, 0);
    EXPECT_INT(SLOTS, states[0].left);
    expect_no_cell_lost();
}

static void workers_are_killed_at_any_moment(void)
{
    for (int i = 0; i < WORKERS; i++)
        start(&workers[i]);
    for (int i = 0; i < KILLS; i++) {
        take_records(1 + suite_random_below(KILL_EVERY));
        kill_one();
        if (i % 2) plan->period++;
    }
    plan->is_over = true;
    for (int i = 0; i < WORKERS; i++)
        bury_worker(&workers[i]);
    expect_exact();
    EXPECT(recorded > KILLS);
}

/* --- stopped with the lock --- */

static bool stop_here(void *arg, uint64_t owner)
{
    (void)owner;
    raise(*(int *)arg);
    return false;
}

/* What runs under the lock and calls back is where it stops. */
static pid_t child_in_the_lock(int signal_no)
{
    uint32_t returned;
    pid_t pid = fork();
    if (pid == 0) {
        counters_shared_return(shared, stop_here, &signal_no, &returned);
        _exit(0);
    }
    waitpid(pid, NULL, WUNTRACED);
    return pid;
}

static void who_is_stopped_with_the_lock_is_seen(void)
{
    struct counters_item item = budget_of(0, 0);
    uint64_t since_ns, mended = counters_shared_mended(shared);
    item.amount = 10;
    EXPECT(ask(1, COUNTERS_ADMIT, "before", &item, 1, 0).is_ok);
    pid_t pid = child_in_the_lock(SIGSTOP);
    EXPECT_INT(pid, counters_shared_holder(shared, &since_ns));
    EXPECT(since_ns <= clock_mono_ns());
    EXPECT_STR("unreachable", ask(1, COUNTERS_ADMIT, "while", &item, 1, 0).error);
    EXPECT_STR("unreachable", ask(1, COUNTERS_SETTLE, "before", &item, 1, 5).error);
    EXPECT(!counters_shared_spend(shared, NULL, 0, NULL, 0, suite_t0));
    kill(pid, SIGCONT);
    waitpid(pid, NULL, 0);
    EXPECT_INT(0, counters_shared_holder(shared, &since_ns));
    EXPECT_INT(mended, counters_shared_mended(shared));
    pid = child_in_the_lock(SIGSTOP);
    EXPECT(ask(1, COUNTERS_ADMIT, "while", &item, 1, 0).error != NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    EXPECT(ask(1, COUNTERS_ADMIT, "after", &item, 1, 0).is_ok);
    EXPECT_INT(mended + 1, counters_shared_mended(shared));
    EXPECT_INT(20, states[0].held);
    EXPECT_INT(2, return_of(1));
}

static void who_is_killed_with_the_lock_leaves_it(void)
{
    struct counters_item item = budget_of(0, 0);
    item.amount = 10;
    EXPECT(ask(1, COUNTERS_ADMIT, "before", &item, 1, 0).is_ok);
    for (int i = 1; i <= 50; i++) {
        uint64_t mended = counters_shared_mended(shared);
        child_in_the_lock(SIGKILL);
        EXPECT(!ask(1, COUNTERS_PEEK, "", &item, 1, 0).error);
        EXPECT_INT(10, states[0].held);
        EXPECT_INT(mended + 1, counters_shared_mended(shared));
    }
    EXPECT_INT(1, return_of(1));
}

int main(void)
{
    struct fault why;
    static const struct counters_backend none = {.name = "race"};
    alarm(PATIENCE_S);
    suite_begin(&none);
    plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared = counters_shared_new(4096, 4096, &why);
    if (!shared || plan == MAP_FAILED) abort();
    EXPECT_STR("starting", ask(1, COUNTERS_PEEK, "", NULL, 0, 0).error);
    counters_shared_seed(shared);
    RUN(who_is_stopped_with_the_lock_is_seen);
    RUN(who_is_killed_with_the_lock_leaves_it);
    RUN(workers_are_killed_at_any_moment);
    printf("counters_race: %llu records, %llu times killed with the lock\n", (unsigned long long)recorded,
           (unsigned long long)counters_shared_mended(shared));
    if (unit_failed) fprintf(stderr, "MOONGATE_SEED=%u\n", suite_first_seed);
    counters_shared_free(shared);
    return unit_close("counters_race");
}
