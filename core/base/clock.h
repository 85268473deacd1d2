/* Time: monotonic for durations and deadlines, wall for records. Units are in the names. */
#ifndef MOONGATE_BASE_CLOCK_H
#define MOONGATE_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

uint64_t clock_mono_ns(void);
uint64_t clock_wall_ns(void);
/* CPU time of the calling thread. */
uint64_t clock_cpu_ns(void);

#define CLOCK_TEXT_BYTES 25
/* "2026-11-24T06:41:07.123Z" with its NUL (RFC 3339, UTC, milliseconds). */
void clock_format(uint64_t wall_ns, char text[CLOCK_TEXT_BYTES]);

#endif
