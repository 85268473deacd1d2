#include "store/counters/shared.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/shared.h"

/* At the memory's begin; the cells and holds follow. */
struct area {
    pthread_mutex_t lock;
    int64_t before_ns; /* from the start of the machine's clock to 1970, as the calendar had it when this was made */
    _Atomic uint64_t since_ns; /* somebody has it; 0: nobody, or only just */
    _Atomic uint64_t turns;    /* counts each time it was taken, and each time it was given back */
    _Atomic uint64_t mended, missed;
    _Atomic bool is_seeded;
};

#define AREA_BYTES ((sizeof(struct area) + 63) / 64 * 64)

struct counters_shared {
    struct shared memory;
    struct {
        pid_t holder;
        uint64_t turns, since_ns;
    } seen; /* by this process, when it looked last */
};

static struct area *area(const struct counters_shared *shared)
{
    return shared->memory.base;
}

static struct counters_memory *memory(const struct counters_shared *shared)
{
    return counters_memory_at((char *)shared->memory.base + AREA_BYTES);
}

static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    check(pthread_mutexattr_init(&attributes) == 0);
    check(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
    check(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    check(pthread_mutex_init(lock, &attributes) == 0);
    pthread_mutexattr_destroy(&attributes);
}

struct counters_shared *counters_shared_new(uint32_t cells, uint32_t holds, struct fault *why)
{
    struct counters_shared *shared = mem_zalloc(1, sizeof *shared);
    uint32_t cell_max = cells ? cells : LIMIT_COUNTERS_CELLS, hold_max = holds ? holds : LIMIT_COUNTERS_HOLDS;
    if (!shared_create(&shared->memory, "counters", AREA_BYTES + counters_memory_bytes(cell_max, hold_max))) {
        fault_set(why, FAULT_INTERNAL, "no memory for counters: %s", strerror(errno));
        mem_free(shared);
        return NULL;
    }
    init_lock(&area(shared)->lock);
    area(shared)->before_ns = (int64_t)(clock_wall_ns() - clock_mono_ns());
    counters_memory_make(memory(shared), cell_max, hold_max);
    return shared;
}

void counters_shared_free(struct counters_shared *shared)
{
    if (!shared) return;
    shared_close(&shared->memory);
    mem_free(shared);
}

/* --- the lock --- */

/* Others hold it for microseconds, unless they have to wait for a processor, or were stopped. */
static bool is_kept(const struct counters_shared *shared)
{
    uint64_t since_ns = area(shared)->since_ns;
    return since_ns && clock_mono_ns() > since_ns + LIMIT_COUNTERS_KEPT_MS * NS_PER_MS;
}

static int wait_for_lock(struct counters_shared *shared, uint32_t wait_ms)
{
    struct timespec until;
    int got = pthread_mutex_trylock(&area(shared)->lock);
    if (got != EBUSY || is_kept(shared)) return got;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += wait_ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return pthread_mutex_clocklock(&area(shared)->lock, CLOCK_MONOTONIC, &until);
}

static bool lock(struct counters_shared *shared, uint32_t wait_ms)
{
    int got = wait_for_lock(shared, wait_ms);
    if (got != 0 && got != EOWNERDEAD) return false;
    area(shared)->turns++;
    area(shared)->since_ns = clock_mono_ns();
    if (got == EOWNERDEAD) {
        counters_memory_mend(memory(shared));
        check(pthread_mutex_consistent(&area(shared)->lock) == 0);
        area(shared)->mended++;
    }
    return true;
}

static void unlock(struct counters_shared *shared)
{
    area(shared)->since_ns = 0;
    area(shared)->turns++;
    pthread_mutex_unlock(&area(shared)->lock);
}

/* --- under it --- */

/* One clock is read for all: that of the moment when the lock was had. */
static int64_t steady_ns(const struct counters_shared *shared)
{
    return area(shared)->before_ns + (int64_t)area(shared)->since_ns;
}

static void refuse(struct counters_answer *answer, const char *error)
{
    *answer = (struct counters_answer){.error = error};
}

/* A question can be put again; what is over is said once. */
static uint32_t patience(enum counters_operation operation)
{
    switch (operation) {
    case COUNTERS_ADMIT:
    case COUNTERS_PEEK: return LIMIT_COUNTERS_ASK_MS;
    case COUNTERS_EXTEND:
    case COUNTERS_SETTLE:
    case COUNTERS_RELEASE: return LIMIT_COUNTERS_LOCK_MS;
    }
    return LIMIT_COUNTERS_LOCK_MS;
}

void counters_shared_ask(struct counters_shared *shared, const struct counters_question *q,
                         struct counters_asker asker, struct counters_state *states, struct counters_answer *answer)
{
    if (!counters_shared_is_seeded(shared)) {
        refuse(answer, "starting");
        return;
    }
    if (!lock(shared, patience(q->operation))) {
        refuse(answer, "unreachable");
        return;
    }
    if (!asker.steady_ns) asker.steady_ns = steady_ns(shared);
    counters_table_ask(memory(shared), q, asker, states, answer);
    unlock(shared);
}

bool counters_shared_spend(struct counters_shared *shared, const char (*holds)[COUNTERS_HOLD_BYTES],
                           size_t hold_count, const struct counters_spent *spent, size_t count, int64_t now_ns)
{
    if (!lock(shared, LIMIT_COUNTERS_LOCK_MS)) return false;
    struct counters_time now = {now_ns, steady_ns(shared)};
    area(shared)->missed += counters_table_spend(memory(shared), holds, hold_count, spent, count, now);
    unlock(shared);
    return true;
}

bool counters_shared_return(struct counters_shared *shared, bool (*is_gone)(void *arg, uint64_t owner), void *arg,
                            uint32_t *returned)
{
    if (!lock(shared, LIMIT_COUNTERS_LOCK_MS)) return false;
    *returned = counters_table_return(memory(shared), is_gone, arg);
    unlock(shared);
    return true;
}

bool counters_shared_holds(struct counters_shared *shared, char (*ids)[COUNTERS_HOLD_BYTES], size_t max,
                           size_t *count)
{
    uint32_t at = 0;
    *count = 0;
    if (!lock(shared, LIMIT_COUNTERS_LOCK_MS)) return false;
    for (struct counters_block *hold; *count < max && (hold = counters_memory_next(memory(shared), &at));)
        memcpy(ids[(*count)++], hold->id, sizeof hold->id);
    unlock(shared);
    return true;
}

void counters_shared_seed(struct counters_shared *shared)
{
    area(shared)->is_seeded = true;
}

bool counters_shared_is_seeded(const struct counters_shared *shared)
{
    return area(shared)->is_seeded;
}

/* What the lock is to the kernel: the thread that has it, from the instruction on that takes it (the ABI of robust
 * futexes). Nothing that its holder writes is as early. */
static pid_t owner_of(const pthread_mutex_t *lock)
{
    return *(const volatile int *)&lock->__data.__lock & FUTEX_TID_MASK;
}

pid_t counters_shared_holder(struct counters_shared *shared, uint64_t *since_ns)
{
    pid_t holder = owner_of(&area(shared)->lock);
    uint64_t turns = area(shared)->turns;
    if (holder != shared->seen.holder || turns != shared->seen.turns) {
        shared->seen.holder = holder;
        shared->seen.turns = turns;
        shared->seen.since_ns = clock_mono_ns();
    }
    *since_ns = shared->seen.since_ns;
    return holder;
}

uint64_t counters_shared_missed(const struct counters_shared *shared)
{
    return area(shared)->missed;
}

uint64_t counters_shared_mended(const struct counters_shared *shared)
{
    return area(shared)->mended;
}

struct counters_use counters_shared_use(const struct counters_shared *shared)
{
    return counters_memory_use(memory(shared));
}
