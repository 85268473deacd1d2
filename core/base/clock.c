#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

static uint64_t read_clock(clockid_t id)
{
    struct timespec ts;
    check(clock_gettime(id, &ts) == 0);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint64_t clock_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* The second's text is kept: records and log lines come many to the second, and calendars are slow. */
void clock_format(uint64_t wall_ns, char text[CLOCK_TEXT_BYTES])
{
    static char second_text[48];
    static time_t second_kept = -1;
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    unsigned ms = (unsigned)(wall_ns / NS_PER_MS % 1000);
    if (seconds != second_kept) {
        struct tm tm;
        gmtime_r(&seconds, &tm);
        snprintf(second_text, sizeof second_text, "%04d-%02d-%02dT%02d:%02d:%02d.000Z", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        second_kept = seconds;
    }
    memcpy(text, second_text, CLOCK_TEXT_BYTES - 1);
    text[20] = (char)('0' + ms / 100);
    text[21] = (char)('0' + ms / 10 % 10);
    text[22] = (char)('0' + ms % 10);
    text[CLOCK_TEXT_BYTES - 1] = '\0';
}
