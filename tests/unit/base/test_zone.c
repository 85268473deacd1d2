/* Offsets of a time zone as the system's table has them, and days of the calendar. */
#include "../unit.h"

#include "base/zone.h"

static void offsets_change_to_the_second(void)
{
    struct zone_change changes[ZONE_CHANGES_MAX];
    size_t count = zone_read("Europe/Berlin", changes, ZONE_CHANGES_MAX);
    EXPECT(count > 100);
    if (!count) return;
    EXPECT_INT(3600, zone_offset(changes, count, 1774745999)); /* 2026-03-29T00:59:59Z */
    EXPECT_INT(7200, zone_offset(changes, count, 1774746000));
    EXPECT_INT(7200, zone_offset(changes, count, 1792889999)); /* 2026-10-25T00:59:59Z */
    EXPECT_INT(3600, zone_offset(changes, count, 1792890000));
    EXPECT(zone_offset(changes, count, INT64_MIN) == changes[0].offset_s);
    EXPECT(zone_offset(changes, count, INT64_MAX) == changes[count - 1].offset_s);
}

static void what_is_no_zone_is_none(void)
{
    static const char *const bad[] = {"", "Mars/Olympus", "../../../etc/passwd", "/etc/localtime", "Europe/../UTC",
                                      "Europe", "Europe/", "Europe//Berlin", "Europe/Berlin\n", "tzdata.zi", "zone.tab"};
    struct zone_change changes[ZONE_CHANGES_MAX];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (zone_read(bad[i], changes, ZONE_CHANGES_MAX)) UNIT_FAIL("'%s' was read", bad[i]);
    }
    EXPECT_INT(0, zone_read("Europe/Berlin", changes, 10)); /* it has more */
    EXPECT_INT(1, zone_read("Etc/UTC", changes, ZONE_CHANGES_MAX));
}

static void days_are_those_of_the_calendar(void)
{
    EXPECT_INT(19700101, zone_day(0));
    EXPECT_INT(19700101, zone_day(86399));
    EXPECT_INT(19691231, zone_day(-1));
    EXPECT_INT(20240229, zone_day(zone_day_start(2024, 2, 29)));
    EXPECT_INT(19000301, zone_day(zone_day_start(1900, 2, 28) + 86400));
    EXPECT_INT(20000229, zone_day(zone_day_start(2000, 2, 28) + 86400));
    for (int64_t at = zone_day_start(1899, 12, 31); at < zone_day_start(2101, 1, 2); at += 86400) {
        int64_t day = zone_day(at);
        if (zone_day_start((int)(day / 10000), (int)(day / 100 % 100), (int)(day % 100)) != at) {
            UNIT_FAIL("%lld is not %lld", (long long)day, (long long)at);
            return;
        }
    }
}

int main(void)
{
    RUN(offsets_change_to_the_second);
    RUN(what_is_no_zone_is_none);
    RUN(days_are_those_of_the_calendar);
    return unit_close("zone");
}
