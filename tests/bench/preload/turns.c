/*
 * How long one turn of a process's event loop is, by the processor's time: laid before the gateway with LD_PRELOAD.
 *
 *     BENCH_TURNS=build/bench/turns LD_PRELOAD=build/bench/turns.so build/moongate run …
 *     build/bench/turns/<pid>                 # two 64-bit words: turns, nanoseconds of the longest; write zeros to begin anew
 *
 * A turn is what lies between two calls of epoll_wait(2). Time of the thread, not of the wall: who else wants the core
 * does not count. Each process that waits has a file of its own, also after fork().
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct turns {
    uint64_t count, longest_ns;
};

typedef int (*wait_fn)(int, struct epoll_event *, int, int);

static wait_fn real_wait;
static struct turns *turns; /* the file, mapped; NULL: it could not be made */
static pid_t owner;
static uint64_t began_ns; /* 0: no turn has begun */
static char folder[256];

/* Before anybody forks: workers forget the environment. */
__attribute__((constructor)) static void note_folder(void)
{
    const char *said = getenv("BENCH_TURNS");
    snprintf(folder, sizeof folder, "%s", said ? said : "");
}

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct turns *open_turns(void)
{
    char path[512];
    if (!folder[0]) return NULL;
    snprintf(path, sizeof path, "%s/%d", folder, (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct turns))) return NULL;
    void *memory = mmap(NULL, sizeof(struct turns), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return memory == MAP_FAILED ? NULL : memory;
}

static void begin(void)
{
    real_wait = (wait_fn)dlsym(RTLD_NEXT, "epoll_wait");
    owner = getpid();
    turns = open_turns();
    began_ns = 0;
}

int epoll_wait(int poller, struct epoll_event *events, int max, int timeout)
{
    if (owner != getpid()) begin();
    if (began_ns && turns) {
        uint64_t took_ns = cpu_ns() - began_ns;
        turns->count++;
        if (took_ns > turns->longest_ns) turns->longest_ns = took_ns;
    }
    int ready = real_wait(poller, events, max, timeout);
    began_ns = cpu_ns();
    return ready;
}
