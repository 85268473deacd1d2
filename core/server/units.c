#include "server/units.h"

#include <stdio.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {{"GB", 1u << 30},  {"MB", 1u << 20},  {"KB", 1u << 10}, {"B", 1},
                                    {"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct unit *find_unit(const struct unit *units, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(slice_str(units[i].name), name)) return &units[i];
    }
    return NULL;
}

static size_t digits_at(struct slice s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

/* whole[.fraction]unit, exact or refused. */
static bool parse(struct slice text, const struct unit *units, size_t count, uint64_t *value)
{
    uint64_t whole, fraction = 0, scale = 1, product;
    struct slice rest = text, part;
    size_t n = digits_at(rest);
    if (n == 0 || n > 15 || !slice_to_u64(slice_of(rest.ptr, n), &whole)) return false;
    rest = slice_of(rest.ptr + n, rest.len - n);
    if (rest.len && rest.ptr[0] == '.') {
        part = slice_of(rest.ptr + 1, rest.len - 1);
        n = digits_at(part);
        if (n == 0 || n > 6 || !slice_to_u64(slice_of(part.ptr, n), &fraction)) return false;
        for (size_t i = 0; i < n; i++)
            scale *= 10;
        rest = slice_of(part.ptr + n, part.len - n);
    }
    if (rest.len && rest.ptr[0] == ' ') rest = slice_of(rest.ptr + 1, rest.len - 1);
    const struct unit *unit = find_unit(units, count, rest);
    if (!unit || __builtin_mul_overflow(whole, unit->factor, &product)) return false;
    if (fraction * unit->factor % scale) return false;
    return !__builtin_add_overflow(product, fraction * unit->factor / scale, value);
}

bool units_duration(struct slice text, uint64_t *ms)
{
    return parse(text, durations, COUNT(durations), ms);
}

bool units_size(struct slice text, uint64_t *bytes)
{
    return parse(text, sizes, COUNT(sizes), bytes);
}

static void print(uint64_t value, const struct unit *units, size_t count, char *text, unsigned size)
{
    size_t i = 0;
    while (i + 1 < count && (value % units[i].factor || value == 0))
        i++;
    snprintf(text, size, "%llu%s", (unsigned long long)(value / units[i].factor), units[i].name);
}

void units_print_duration(uint64_t ms, char *text, unsigned size)
{
    if (ms == 0) {
        snprintf(text, size, "0s");
        return;
    }
    print(ms, durations, COUNT(durations), text, size);
}

void units_print_size(uint64_t bytes, char *text, unsigned size)
{
    print(bytes, sizes, 4, text, size);
}
