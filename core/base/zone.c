#include "base/zone.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"

#define FILE_BYTES_MAX (64 * 1024)
#define HEAD_BYTES 44

/* The counts of a TZif header, in the order they stand there. */
struct head {
    uint32_t utc_flags, standard_flags, leaps, times, types, chars;
};

/* "Europe/Berlin", "Etc/GMT+5": nothing that leaves the folder. */
static bool is_zone_name(const char *name)
{
    char before = '/';
    for (const char *c = name; *c; before = *c++) {
        if (!isalnum((unsigned char)*c) && !strchr("_+-/", *c)) return false;
        if (*c == '/' && before == '/') return false;
    }
    return before != '/' && strlen(name) < 64;
}

static bool read_whole(const char *name, struct buf *out)
{
    char path[128];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n;
    do {
        n = read(fd, buf_reserve(out, FILE_BYTES_MAX), FILE_BYTES_MAX);
        if (n > 0) buf_grew(out, (size_t)n);
    } while ((n > 0 || (n < 0 && errno == EINTR)) && buf_len(out) <= FILE_BYTES_MAX);
    close(fd);
    return n == 0;
}

static uint32_t u32_at(const char *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return be32toh(value);
}

static int64_t i64_at(const char *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return (int64_t)be64toh(value);
}

static bool read_head(struct slice s, struct head *head)
{
    if (s.len < HEAD_BYTES || memcmp(s.ptr, "TZif", 4) != 0 || s.ptr[4] < '2') return false;
    *head = (struct head){u32_at(s.ptr + 20), u32_at(s.ptr + 24), u32_at(s.ptr + 28),
                          u32_at(s.ptr + 32), u32_at(s.ptr + 36), u32_at(s.ptr + 40)};
    return head->utc_flags < 4096 && head->standard_flags < 4096 && head->leaps < 4096 && head->times < 4096 &&
           head->types > 0 && head->types < 256 && head->chars < 4096;
}

static size_t data_bytes(const struct head *h, size_t time_bytes)
{
    return h->times * (time_bytes + 1) + h->types * 6 + h->chars + h->leaps * (time_bytes + 4) + h->standard_flags +
           h->utc_flags;
}

/* The second block, with times of 64 bits. */
static size_t read_changes(struct slice s, struct zone_change *changes, size_t max)
{
    struct head head;
    if (!read_head(s, &head) || s.len < HEAD_BYTES + data_bytes(&head, 8) || head.times + 1 > max) return 0;
    const char *times = s.ptr + HEAD_BYTES, *indexes = times + head.times * 8, *types = indexes + head.times;
    changes[0] = (struct zone_change){INT64_MIN, (int32_t)u32_at(types)};
    for (uint32_t i = 0; i < head.times; i++) {
        unsigned char type = (unsigned char)indexes[i];
        if (type >= head.types) return 0;
        changes[i + 1] = (struct zone_change){i64_at(times + 8 * i), (int32_t)u32_at(types + 6 * type)};
    }
    return head.times + 1;
}

size_t zone_read(const char *name, struct zone_change *changes, size_t max)
{
    struct buf file;
    struct head head;
    size_t count = 0;
    if (!is_zone_name(name)) return 0;
    buf_init(&file);
    if (read_whole(name, &file) && read_head(buf_slice(&file), &head)) {
        size_t first = HEAD_BYTES + data_bytes(&head, 4);
        if (buf_len(&file) > first) {
            count = read_changes(slice_of(buf_ptr(&file) + first, buf_len(&file) - first), changes, max);
        }
    }
    buf_clear(&file);
    return count;
}

int32_t zone_offset(const struct zone_change *changes, size_t count, int64_t at_s)
{
    size_t low = 0, high = count; /* changes[low] holds or is before it, changes[high] is behind it */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (changes[middle].at_s <= at_s)
            low = middle;
        else
            high = middle;
    }
    return changes[low].offset_s;
}

/* Eras of 400 years begin on 1 March, so that the day that is not always there is the last
 * (https://howardhinnant.github.io/date_algorithms.html). */
#define ERA_DAYS 146097
#define ERA_1970 719468 /* days from 1 March of the year 0 to 1970 */

int64_t zone_day(int64_t local_s)
{
    int64_t days = local_s / 86400 - (local_s % 86400 < 0) + ERA_1970;
    int64_t era = days / ERA_DAYS - (days % ERA_DAYS < 0);
    int64_t of_era = days - era * ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153, day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    return (year + era * 400 + (month <= 2)) * 10000 + month * 100 + day;
}

int64_t zone_day_start(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2), era = y / 400 - (y % 400 < 0), of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return (era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - ERA_1970) * 86400;
}
