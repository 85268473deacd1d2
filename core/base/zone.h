/*
 * A time zone's offsets, read from the system's table (TZif, RFC 8536), for conditions on hours and days, and the days
 * of bills.
 *
 *     struct zone_change changes[ZONE_CHANGES_MAX];
 *     size_t count = zone_read("Europe/Berlin", changes, ZONE_CHANGES_MAX);   // 0: there is no such zone
 *
 * The first change lies before every time that can be asked for. Only what the file lists is known: the distribution's
 * files list changes up to 2037. Reads one file, blocking: for the time of loading.
 */
#ifndef MOONGATE_BASE_ZONE_H
#define MOONGATE_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#define ZONE_CHANGES_MAX 512

struct zone_change {
    int64_t at_s;     /* seconds since 1970, UTC, from which it holds */
    int32_t offset_s; /* seconds east of Greenwich */
};

size_t zone_read(const char *name, struct zone_change *changes, size_t max);
/* What holds at that second; `count` is not 0. */
int32_t zone_offset(const struct zone_change *changes, size_t count, int64_t at_s);
/* yyyymmdd of the second, in the Gregorian calendar; seconds are those of the place: UTC plus its offset. */
int64_t zone_day(int64_t local_s);
/* Seconds since 1970 at which that day began, UTC. */
int64_t zone_day_start(int year, int month, int day);

#endif
