/*
 * Laid before a program to give it another time of day: the wall clock goes wrong by as many nanoseconds as the file
 * MOONGATE_TEST_CLOCK holds (tests/e2e/kit/clock.lua), from the moment on at which they are written there. The file is
 * mapped once, so that children who forget the environment go on with it. The monotonic clock is left alone: what a
 * program waits for comes as it should.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS INT64_C(1000000000)

static const int64_t *offset_ns;

static void map_file(void) __attribute__((constructor));
static void map_file(void)
{
    const char *path = getenv("MOONGATE_TEST_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *offset_ns, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) abort();
    close(fd);
    offset_ns = at;
}

static int64_t read_wall_ns(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return now.tv_sec * NS + now.tv_nsec + (offset_ns ? __atomic_load_n(offset_ns, __ATOMIC_RELAXED) : 0);
}

int clock_gettime(clockid_t id, struct timespec *to)
{
    if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) return (int)syscall(SYS_clock_gettime, id, to);
    int64_t now = read_wall_ns();
    to->tv_sec = now / NS;
    to->tv_nsec = now % NS;
    return 0;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    (void)zone;
    int64_t now = read_wall_ns();
    to->tv_sec = now / NS;
    to->tv_usec = now % NS / 1000;
    return 0;
}

time_t time(time_t *to)
{
    time_t now = read_wall_ns() / NS;
    if (to) *to = now;
    return now;
}
