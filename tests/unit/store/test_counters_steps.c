/* A process that changes counters is killed after any of its instructions: what it leaves is made whole by the next. It
 * is stepped through, and looked at each time that it has written something. */
#include "counters_suite_kit.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/counters/shared.h"

static bool has_owner(void *arg, uint64_t owner)
{
    return owner == *(uint64_t *)arg;
}

#define MINE 77u
#define OTHER 78u
#define SMALL 64u
#define MANY 10u /* items: more than one block of a hold has */

enum change { ADMITS, EXTENDS, SETTLES, RELEASES, IS_RECORDED, IS_BURIED, CHANGES };
static const char *const changes[CHANGES] = {"admission", "extension", "settlement", "release", "record", "burial"};

static struct counters_memory *stepped, *found; /* the child's, and a copy of it */
static size_t stepped_bytes;
static struct counters_item many[MANY];

static void make_many(void)
{
    static char keys[MANY][8];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof keys[i], "k%u", i);
        many[i] = i % 3 == 2 ? slots(keys[i], 100)
                  : i % 3 == 1 ? rate(COUNTERS_TOKENS, keys[i], 10, 600000, 600000)
                               : money(keys[i], 10, 1000);
    }
}

static struct counters_answer put(struct counters_memory *m, uint64_t owner, enum counters_operation operation,
                                  const char *id, size_t count, int64_t amount)
{
    struct counters_question q = {.operation = operation, .items = many, .item_count = count,
                                  .totals = {amount, amount}};
    struct counters_answer answer;
    memcpy(q.hold, id, strlen(id));
    counters_table_ask(m, &q, (struct counters_asker){.owner = owner, .now_ns = suite_t0}, states, &answer);
    return answer;
}

static void bury_in(struct counters_memory *m)
{
    uint64_t mine = MINE;
    counters_table_return(m, has_owner, &mine);
}

static void record_in(struct counters_memory *m)
{
    static const char ids[1][COUNTERS_HOLD_BYTES] = {"mine"};
    struct counters_spent sum = {.key = many[0].key, .start_s = many[0].start_s, .stop_s = many[0].stop_s, .nano = 4};
    counters_table_spend(m, ids, 1, &sum, 1, (struct counters_time){suite_t0, suite_t0});
}

static void do_change(enum change change)
{
    switch (change) {
    case ADMITS: put(stepped, MINE, COUNTERS_ADMIT, "mine", MANY, 0); return;
    case EXTENDS: put(stepped, MINE, COUNTERS_EXTEND, "mine", MANY, 30); return;
    case SETTLES: put(stepped, MINE, COUNTERS_SETTLE, "mine", MANY, 4); return;
    case RELEASES: put(stepped, MINE, COUNTERS_RELEASE, "mine", MANY, 0); return;
    case IS_RECORDED: record_in(stepped); return;
    case IS_BURIED: bury_in(stepped); return;
    case CHANGES: return;
    }
}

/* What another holds is untouched, the last one's item is new; what it held is of what it asked for, or nothing. */
static void expect_whole(enum change change)
{
    int64_t most = change == EXTENDS ? 30 : 10;
    put(found, OTHER, COUNTERS_PEEK, "", MANY, 0);
    for (size_t i = 0; i < MANY; i++) {
        int64_t others = i == MANY - 1 ? 0 : 10;
        if (many[i].unit == COUNTERS_MONEY) EXPECT(states[i].held >= others && states[i].held <= most + others);
        if (many[i].unit == COUNTERS_CONCURRENT) EXPECT(states[i].left == 99 || states[i].left == 98);
    }
    if (change == IS_RECORDED) record_in(found); /* said again */
    bury_in(found);
    put(found, OTHER, COUNTERS_PEEK, "", MANY, 0);
    for (size_t i = 0; i < MANY; i++) {
        if (many[i].unit == COUNTERS_MONEY) EXPECT_INT(i == MANY - 1 ? 0 : 10, states[i].held);
        if (many[i].unit == COUNTERS_CONCURRENT) EXPECT_INT(99, states[i].left);
        if (many[i].unit == COUNTERS_TOKENS) EXPECT(states[i].left <= 599990);
    }
    EXPECT_INT(change == IS_RECORDED ? 4 : 0, states[0].spent);
    EXPECT_INT(1, counters_memory_use(found).holds);
    EXPECT(counters_memory_use(found).cells >= MANY - 1);
}

static void expect_places(void)
{
    char id[8];
    struct counters_use use = counters_memory_use(found);
    for (uint32_t i = use.holds; i < SMALL / 2; i++) { /* each of two blocks, as the other's */
        snprintf(id, sizeof id, "n%u", i);
        EXPECT(put(found, OTHER, COUNTERS_ADMIT, id, MANY, 0).is_ok);
    }
    EXPECT_INT(SMALL / 2, counters_memory_use(found).holds);
}

static pid_t start_stepped(enum change change)
{
    int status;
    memset(stepped, 0, stepped_bytes);
    counters_memory_make(stepped, SMALL, SMALL);
    EXPECT(put(stepped, OTHER, COUNTERS_ADMIT, "other", MANY - 1, 0).is_ok);
    if (change != ADMITS) EXPECT(put(stepped, MINE, COUNTERS_ADMIT, "mine", MANY, 0).is_ok);
    if (change == IS_RECORDED) put(stepped, MINE, COUNTERS_SETTLE, "mine", MANY, 4);
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        do_change(change);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return pid;
}

/* Looked at whenever it has written something. */
static unsigned step_through(enum change change)
{
    int status = 0;
    unsigned looks = 0, steps = 0;
    void *before = calloc(1, stepped_bytes);
    pid_t pid = start_stepped(change);
    while (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        steps++;
        if (unit_case_failures || memcmp(before, stepped, stepped_bytes) == 0) continue;
        memcpy(before, stepped, stepped_bytes);
        memcpy(found, stepped, stepped_bytes);
        counters_memory_mend(found);
        expect_whole(change);
        expect_places();
        looks++;
        if (unit_case_failures) UNIT_FAIL("killed within its %s, after %u instructions", changes[change], steps);
    }
    free(before);
    return looks;
}

static void a_change_is_killed_at_any_instruction(void)
{
    stepped_bytes = counters_memory_bytes(SMALL, SMALL);
    stepped = mmap(NULL, stepped_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    found = mmap(NULL, stepped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    make_many();
    for (int i = 0; i < CHANGES; i++)
        EXPECT(step_through((enum change)i) > 10);
    munmap(stepped, stepped_bytes);
    munmap(found, stepped_bytes);
}

/* --- stopped with the lock --- */

static bool stays(void *arg, uint64_t owner)
{
    (void)arg, (void)owner;
    return false;
}

static pid_t start_with_lock(struct counters_shared *shared)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        uint32_t returned;
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        counters_shared_return(shared, stays, NULL, &returned);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return pid;
}

static bool is_reachable(struct counters_shared *shared)
{
    struct counters_question q = {.operation = COUNTERS_PEEK};
    struct counters_answer answer;
    counters_shared_ask(shared, &q, (struct counters_asker){.owner = OTHER, .now_ns = suite_t0}, states, &answer);
    return !answer.error;
}

/* Wherever it keeps others out it is seen, and since when. Not looked at for ever: a clock that is read too slowly is read
 * again and again. */
static void who_is_stopped_at_any_instruction_with_the_lock_is_seen(void)
{
    struct fault why;
    int status = 0;
    unsigned kept = 0, steps = 0;
    uint64_t since_ns, first_ns = 0;
    struct counters_shared *shared = counters_shared_new(SMALL, SMALL, &why);
    counters_shared_seed(shared);
    pid_t pid = start_with_lock(shared);
    while (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        steps++;
        if (unit_case_failures || (kept > 200 && steps % 1000) || is_reachable(shared)) continue;
        EXPECT_INT(pid, counters_shared_holder(shared, &since_ns));
        EXPECT_INT(pid, counters_shared_holder(shared, &first_ns));
        EXPECT_INT(first_ns, since_ns);
        kept++;
    }
    EXPECT(kept > 5);
    EXPECT_INT(0, counters_shared_holder(shared, &since_ns));
    EXPECT(since_ns > first_ns);
    counters_shared_free(shared);
}

static bool may_step(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(1);
        raise(SIGSTOP);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    bool may = WIFSTOPPED(status) && ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0;
    if (WIFSTOPPED(status)) kill(pid, SIGKILL), waitpid(pid, NULL, 0);
    return may;
}

int main(void)
{
    static const struct counters_backend none = {.name = "steps"};
    suite_begin(&none);
    if (may_step()) {
        RUN(a_change_is_killed_at_any_instruction);
        RUN(who_is_stopped_at_any_instruction_with_the_lock_is_seen);
    } else {
        printf("counters_steps: processes may not be traced here, and nothing is tested\n");
    }
    return unit_close("counters_steps");
}
