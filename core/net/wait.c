#include "net/wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "base/clock.h"

uint64_t wait_deadline_ns(unsigned timeout_ms)
{
    return clock_mono_ns() + timeout_ms * NS_PER_MS;
}

static int left_ms(uint64_t deadline_ns)
{
    uint64_t now = clock_mono_ns();
    if (now >= deadline_ns) return 0;
    uint64_t left = (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS;
    return left < INT_MAX ? (int)left : INT_MAX;
}

bool wait_ready(int fd, short events, uint64_t deadline_ns, struct fault *why)
{
    for (;;) {
        struct pollfd p = {fd, events, 0};
        int ready = poll(&p, 1, left_ms(deadline_ns));
        if (ready > 0) return true;
        if (ready == 0) return fault_set(why, FAULT_INTERNAL, "no answer in time");
        if (errno != EINTR) return fault_set(why, FAULT_INTERNAL, "poll: %s", strerror(errno));
    }
}
