/*
 * Times as people type them, in the billing zone: instants for --since and --until, spans of days for sums.
 *
 *     struct period_zone zone;
 *     period_zone_read(&zone, "Europe/Berlin");
 *     period_instant(&zone, "24h", false, now_us, &us);           // 2026-11-01, 2026-11, today, 2026-11-01T12:00:00Z …
 *     period_days(&zone, "2026-11", now_us, &period);             // today, 7d, 2026-11-01..2026-11-15
 */
#ifndef MOONGATE_CLI_PERIOD_H
#define MOONGATE_CLI_PERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/zone.h"

struct period_zone {
    char name[65];
    struct zone_change changes[ZONE_CHANGES_MAX];
    size_t count;
};

struct period {
    int64_t from, to;               /* yyyymmdd, both included */
    int64_t until;                  /* the last of them that has begun; before `from`: none has */
    int64_t before_from, before_to; /* as many days before it, as far as it has come */
    char title[64];                 /* "November 2026" */
};

/* Falls back to UTC where the system has no such zone. */
void period_zone_read(struct period_zone *zone, const char *name);
/* Days, months and years begin in the zone; with is_end they end: --until 2026-11-15 has all of that day. */
bool period_instant(const struct period_zone *zone, const char *text, bool is_end, int64_t now_us, int64_t *us);
bool period_days(const struct period_zone *zone, const char *text, int64_t now_us, struct period *period);
/* yyyymmdd as 2026-11-01. */
void period_write_day(int64_t day, char text[24]);

#endif
