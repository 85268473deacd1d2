#include "lua/alarm.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

#define SIGNAL SIGVTALRM /* nobody else's: signalfd(2) of the supervisor takes others */
#define RESTS_AFTER 50   /* signals in a row that found nothing running */

/* One thread runs Lua in a process, and only it and its own handler touch this. */
static struct alarm_call running;
static timer_t timer;
static bool is_made;
static volatile sig_atomic_t is_ticking, idle_count;

static void set_period(long ns)
{
    struct itimerspec period = {{0, ns}, {0, ns}};
    timer_settime(timer, 0, &period, NULL);
}

static void on_signal(int number)
{
    int error = errno;
    (void)number;
    if (running.fn) {
        idle_count = 0;
        running.fn(running.arg);
    } else if (++idle_count >= RESTS_AFTER) {
        is_ticking = 0;
        set_period(0);
    }
    errno = error;
}

/* A timer stays with the process that made it. */
static void on_fork(void)
{
    is_made = false;
    is_ticking = 0;
}

static void make_timer(void)
{
    static bool is_told;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL};
    sigset_t set;
    if (!is_told) check(pthread_atfork(NULL, NULL, on_fork) == 0);
    is_told = is_made = true;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    check(sigaction(SIGNAL, &action, NULL) == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGNAL);
    check(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    check(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
}

struct alarm_call alarm_set(struct alarm_call call)
{
    struct alarm_call before = running;
    running.fn = NULL; /* no handler sees one's function with the other's argument */
    atomic_signal_fence(memory_order_seq_cst);
    running.arg = call.arg;
    atomic_signal_fence(memory_order_seq_cst);
    running.fn = call.fn;
    atomic_signal_fence(memory_order_seq_cst);
    if (!call.fn || is_ticking) return before;
    if (!is_made) make_timer();
    idle_count = 0;
    is_ticking = 1;
    set_period(ALARM_NS);
    return before;
}
