#include "cli/period.h"

#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "server/units.h"

#define DAY_S 86400
#define US_PER_S 1000000

void period_zone_read(struct period_zone *zone, const char *name)
{
    snprintf(zone->name, sizeof zone->name, "%s", name);
    zone->count = strcmp(name, "UTC") == 0 ? 0 : zone_read(name, zone->changes, ZONE_CHANGES_MAX);
    if (zone->count) return;
    snprintf(zone->name, sizeof zone->name, "UTC");
    zone->changes[0] = (struct zone_change){INT64_MIN, 0};
    zone->count = 1;
}

/* ---- Days as numbers since 1970: what can be counted with. */

struct date {
    int64_t year, month, day;
};

static int64_t serial_of(int64_t year, int64_t month, int64_t day)
{
    return zone_day_start((int)year, (int)month, (int)day) / DAY_S;
}

static int64_t day_of(int64_t serial)
{
    return zone_day(serial * DAY_S);
}

static int64_t serial_of_day(int64_t day)
{
    return serial_of(day / 10000, day / 100 % 100, day % 100);
}

static int64_t today(const struct period_zone *zone, int64_t now_us)
{
    int64_t s = now_us / US_PER_S;
    return serial_of_day(zone_day(s + zone_offset(zone->changes, zone->count, s)));
}

/* When clocks show that, as scripts/calendar.lua has it: of what they skip, as long after their change. */
static int64_t shown_s(const struct period_zone *zone, int64_t local)
{
    int64_t s = local - zone_offset(zone->changes, zone->count, local);
    int64_t again = local - zone_offset(zone->changes, zone->count, s);
    bool is_shown = again + zone_offset(zone->changes, zone->count, again) == local;
    return is_shown || again > s ? again : s;
}

/* When that day began. Where a zone skips midnight, it began with the clocks' change. */
static int64_t began_us(const struct period_zone *zone, int64_t serial)
{
    return shown_s(zone, serial * DAY_S) * US_PER_S;
}

void period_write_day(int64_t day, char text[24])
{
    snprintf(text, 24, "%04u-%02u-%02u", (unsigned)(day / 10000 % 10000), (unsigned)(day / 100 % 100),
             (unsigned)(day % 100));
}

/* ---- What stands there. */

static bool read_digits(struct slice text, size_t count, int64_t *value)
{
    uint64_t n;
    if (text.len != count || !slice_to_u64(text, &n)) return false;
    *value = (int64_t)n;
    return true;
}

/* 2026, 2026-11, 2026-11-01: first and last day of it, as numbers. */
static bool read_dates(struct slice text, int64_t *first, int64_t *last)
{
    struct slice rest, month_text, day_text, year_text = slice_split(text, '-', &rest);
    int64_t year, month, day;
    if (!read_digits(year_text, 4, &year) || year < 1970) return false;
    *first = serial_of(year, 1, 1), *last = serial_of(year + 1, 1, 1) - 1;
    if (text.len == 4) return true;
    month_text = slice_split(rest, '-', &day_text);
    if (!read_digits(month_text, 2, &month) || month < 1 || month > 12) return false;
    *first = serial_of(year, month, 1);
    *last = (month == 12 ? serial_of(year + 1, 1, 1) : serial_of(year, month + 1, 1)) - 1;
    if (text.len == 7) return true;
    if (!read_digits(day_text, 2, &day) || day < 1 || *first + day - 1 > *last) return false;
    *first = *last = *first + day - 1;
    return text.len == 10;
}

static bool read_words(const struct period_zone *zone, const char *text, int64_t now_us, int64_t *first, int64_t *last)
{
    int64_t day = today(zone, now_us);
    if (strcmp(text, "today") == 0) *first = *last = day;
    else if (strcmp(text, "yesterday") == 0) *first = *last = day - 1;
    else return read_dates(slice_str(text), first, last);
    return true;
}

/* Z, +01:00, or nothing: then it is of the zone. */
static bool read_offset(struct slice text, int64_t *offset, bool *is_said)
{
    int64_t hours, minutes;
    *is_said = text.len > 0;
    *offset = 0;
    if (text.len == 0 || slice_equal(text, SLICE("Z"))) return true;
    if (text.len != 6 || (text.ptr[0] != '+' && text.ptr[0] != '-') || text.ptr[3] != ':') return false;
    if (!read_digits(slice_of(text.ptr + 1, 2), 2, &hours) || !read_digits(slice_of(text.ptr + 4, 2), 2, &minutes))
        return false;
    *offset = (hours * 3600 + minutes * 60) * (text.ptr[0] == '-' ? -1 : 1);
    return hours < 24 && minutes < 60;
}

/* .123 → microseconds; takes it off the text. */
static bool read_fraction(struct slice *text, int64_t *us)
{
    size_t n = 1;
    *us = 0;
    if (text->len == 0 || text->ptr[0] != '.') return true;
    int64_t scale = US_PER_S;
    for (; n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9' && n < 10; n++) {
        scale /= 10;
        *us += (text->ptr[n] - '0') * scale;
    }
    *text = slice_of(text->ptr + n, text->len - n);
    return n > 1;
}

/* RFC 3339; without an offset it is of the zone. */
static bool read_time(const struct period_zone *zone, struct slice text, int64_t *us)
{
    int64_t first, last, hour, minute, second = 0, fraction, offset;
    bool is_said;
    if (text.len < 16 || (text.ptr[10] != 'T' && text.ptr[10] != ' ') || text.ptr[13] != ':') return false;
    if (!read_dates(slice_of(text.ptr, 10), &first, &last)) return false;
    if (!read_digits(slice_of(text.ptr + 11, 2), 2, &hour) || !read_digits(slice_of(text.ptr + 14, 2), 2, &minute))
        return false;
    struct slice rest = slice_of(text.ptr + 16, text.len - 16);
    if (rest.len >= 3 && rest.ptr[0] == ':') {
        if (!read_digits(slice_of(rest.ptr + 1, 2), 2, &second)) return false;
        rest = slice_of(rest.ptr + 3, rest.len - 3);
    }
    if (hour > 23 || minute > 59 || second > 60 || !read_fraction(&rest, &fraction)) return false;
    if (!read_offset(rest, &offset, &is_said)) return false;
    int64_t local = first * DAY_S + hour * 3600 + minute * 60 + second;
    *us = (is_said ? local - offset : shown_s(zone, local)) * US_PER_S + fraction;
    return true;
}

bool period_instant(const struct period_zone *zone, const char *text, bool is_end, int64_t now_us, int64_t *us)
{
    uint64_t ms;
    int64_t first, last;
    if (units_duration(slice_str(text), &ms)) {
        *us = ms < (uint64_t)now_us / 1000 ? now_us - (int64_t)ms * 1000 : 0;
        return true;
    }
    if (read_time(zone, slice_str(text), us)) return true;
    if (!read_words(zone, text, now_us, &first, &last)) return false;
    *us = began_us(zone, is_end ? last + 1 : first);
    return true;
}

/* ---- Spans of days. */

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};

static void write_title(struct period *p)
{
    char from[24], to[24];
    int64_t first = serial_of_day(p->from), last = serial_of_day(p->to);
    period_write_day(p->from, from);
    period_write_day(p->to, to);
    bool is_month = p->from % 100 == 1 && p->from / 100 == p->to / 100 && day_of(last + 1) % 100 == 1;
    bool is_year = p->from % 10000 == 101 && p->to % 10000 == 1231 && p->from / 10000 == p->to / 10000;
    if (is_year) {
        snprintf(p->title, sizeof p->title, "%04u", (unsigned)(p->from / 10000 % 10000));
    } else if (is_month) {
        snprintf(p->title, sizeof p->title, "%s %04u", months[p->from / 100 % 100 - 1],
                 (unsigned)(p->from / 10000 % 10000));
    } else if (first == last) {
        snprintf(p->title, sizeof p->title, "%s", from);
    } else {
        snprintf(p->title, sizeof p->title, "%s to %s", from, to);
    }
}

/* The month or year before a whole one, else as many days; cut to as many as have begun. */
static void set_before(struct period *p, int64_t first, int64_t last, int64_t has_come)
{
    int64_t days = last - first + 1, from = first - days;
    bool is_whole = p->from % 100 == 1 && day_of(last + 1) % 100 == 1;
    if (is_whole && p->from / 100 == p->to / 100) {
        int64_t before = day_of(first - 1);
        from = serial_of(before / 10000, before / 100 % 100, 1);
    } else if (is_whole && p->from % 10000 == 101) {
        from = serial_of(p->from / 10000 - 1, 1, 1);
    }
    int64_t to = has_come < last ? from + (has_come - first) : first - 1;
    if (to >= first) to = first - 1; /* a shorter month */
    p->before_from = day_of(from);
    p->before_to = day_of(to);
}

static bool read_span(const struct period_zone *zone, const char *text, int64_t now_us, int64_t *first, int64_t *last)
{
    char from[32];
    int64_t ignored;
    uint64_t ms;
    const char *dots = strstr(text, "..");
    if (dots && (size_t)(dots - text) < sizeof from) {
        snprintf(from, sizeof from, "%.*s", (int)(dots - text), text);
        return read_words(zone, from, now_us, first, &ignored) && read_words(zone, dots + 2, now_us, &ignored, last) &&
               *first <= *last;
    }
    if (strchr(text, 'd') && units_duration(slice_str(text), &ms) && ms % (DAY_S * 1000ull) == 0 && ms > 0) {
        *last = today(zone, now_us);
        *first = *last - (int64_t)(ms / (DAY_S * 1000ull)) + 1;
        return *first >= 0;
    }
    if (strcmp(text, "month") == 0) {
        int64_t day = day_of(today(zone, now_us));
        snprintf(from, sizeof from, "%04u-%02u", (unsigned)(day / 10000 % 10000), (unsigned)(day / 100 % 100));
        text = from;
    }
    return read_words(zone, text, now_us, first, last);
}

bool period_days(const struct period_zone *zone, const char *text, int64_t now_us, struct period *p)
{
    int64_t first, last, now = today(zone, now_us);
    if (!read_span(zone, text, now_us, &first, &last)) return false;
    p->from = day_of(first);
    p->to = day_of(last);
    p->until = day_of(now < last ? now : last);
    write_title(p);
    set_before(p, first, last, now);
    return true;
}
