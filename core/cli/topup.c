#include <stdio.h>

#include "cli/topup_inner.h"

#define DAY_S 86400

const char *topup_write_end(const struct period_zone *zone, int64_t at_s, char text[32])
{
    char day[24];
    int64_t local = at_s + zone_offset(zone->changes, zone->count, at_s);
    unsigned second = (unsigned)(local % DAY_S);
    period_write_day(zone_day(second ? local : local - 1), day);
    if (!second) snprintf(text, 32, "the end of %.10s", day);
    else if (second % 60 == 0) snprintf(text, 32, "%.10s %02u:%02u", day, second / 3600, second / 60 % 60);
    else snprintf(text, 32, "%.10s %02u:%02u:%02u", day, second / 3600, second / 60 % 60, second % 60);
    return text;
}

void topup_say_fleet(void)
{
    fprintf(stderr, "note: this gateway's registry alone was changed; the others of the fleet have their own, with ids "
                    "of their own: run it at each of them\n");
}
