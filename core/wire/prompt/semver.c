#include "wire/prompt/semver.h"

#include <stdio.h>

#include "wire/canonical.h"
#include "wire/json.h"

static bool read_number(struct slice text, uint32_t *number)
{
    uint64_t value;
    bool has_zero = text.len > 1 && text.ptr[0] == '0';
    if (has_zero || text.len > 7 || !slice_to_u64(text, &value) || value > SEMVER_MAX) return false;
    *number = (uint32_t)value;
    return true;
}

bool semver_parse_prefix(struct slice text, struct semver *v, unsigned *parts)
{
    uint32_t *const numbers[] = {&v->major, &v->minor, &v->patch};
    struct slice rest = text;
    *v = (struct semver){0};
    for (*parts = 0; *parts < 3;) {
        bool is_last = !memchr(rest.ptr ? rest.ptr : "", '.', rest.len);
        if (!read_number(slice_split(rest, '.', &rest), numbers[*parts])) return false;
        ++*parts;
        if (is_last) return true;
    }
    return false;
}

bool semver_parse(struct slice text, struct semver *v)
{
    unsigned parts;
    return semver_parse_prefix(text, v, &parts) && parts == 3;
}

static int order(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

int semver_compare(struct semver a, struct semver b)
{
    int by_major = order(a.major, b.major), by_minor = order(a.minor, b.minor);
    return by_major ? by_major : by_minor ? by_minor : order(a.patch, b.patch);
}

void semver_write(struct semver v, char text[SEMVER_BYTES])
{
    snprintf(text, SEMVER_BYTES, "%u.%u.%u", v.major & SEMVER_MAX, v.minor & SEMVER_MAX, v.patch & SEMVER_MAX);
}

const char *semver_bump_name(enum semver_bump bump)
{
    static const char *const names[] = {"same", "patch", "minor", "major"};
    return names[bump];
}

struct semver semver_next(struct semver v, enum semver_bump bump)
{
    switch (bump) {
    case SEMVER_SAME: return v;
    case SEMVER_PATCH: return (struct semver){v.major, v.minor, v.patch + 1};
    case SEMVER_MINOR: return (struct semver){v.major, v.minor + 1, 0};
    case SEMVER_MAJOR: return (struct semver){v.major + 1, 0, 0};
    }
    return v;
}

/* ---- What differs. */

static bool is_same(const struct json_tape *a, uint32_t x, const struct json_tape *b, uint32_t y)
{
    struct buf one, other;
    struct fault why;
    if (x == JSON_NONE || y == JSON_NONE) return x == y;
    buf_init(&one);
    buf_init(&other);
    bool same = canonical_append(a, x, &one, &why) && canonical_append(b, y, &other, &why) &&
                slice_equal(buf_slice(&one), buf_slice(&other));
    buf_clear(&one);
    buf_clear(&other);
    return same;
}

static bool is_same_member(const struct json_tape *a, uint32_t x, const struct json_tape *b, uint32_t y,
                           const char *name)
{
    return is_same(a, json_get(a, x, slice_str(name)), b, json_get(b, y, slice_str(name)));
}

static uint32_t variable(const struct json_tape *tape, struct slice name)
{
    return json_get(tape, json_get(tape, 0, SLICE("variables")), name);
}

static bool is_type_same(const struct json_tape *a, uint32_t x, const struct json_tape *b, uint32_t y)
{
    static const char *const bounds[] = {"type", "values", "max", "min", "max_items"};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        if (!is_same_member(a, x, b, y, bounds[i])) return false;
    }
    bool had_default = json_get(a, x, SLICE("default")) != JSON_NONE;
    return !had_default || json_get(b, y, SLICE("default")) != JSON_NONE;
}

/* Of the variables in one, as the other has them. */
static enum semver_bump compare_variables(const struct json_tape *before, const struct json_tape *after)
{
    struct arena arena;
    enum semver_bump most = SEMVER_SAME;
    uint32_t old = json_get(before, 0, SLICE("variables")), new = json_get(after, 0, SLICE("variables"));
    arena_init(&arena);
    for (uint32_t n = old == JSON_NONE ? old : json_first(before, old); n != JSON_NONE; n = json_next(before, n)) {
        uint32_t now = variable(after, json_key_text(before, n, &arena));
        if (now == JSON_NONE || !is_type_same(before, n, after, now)) most = SEMVER_MAJOR;
    }
    for (uint32_t n = new == JSON_NONE ? new : json_first(after, new); n != JSON_NONE; n = json_next(after, n)) {
        if (variable(before, json_key_text(after, n, &arena)) != JSON_NONE) continue;
        bool is_needed = json_get(after, n, SLICE("default")) == JSON_NONE;
        if (most < SEMVER_MAJOR) most = is_needed ? SEMVER_MAJOR : SEMVER_MINOR;
    }
    arena_clear(&arena);
    return most;
}

/* Roles and their order, whatever the words. */
static bool are_roles_same(const struct json_tape *before, const struct json_tape *after)
{
    uint32_t old = json_get(before, 0, SLICE("messages")), new = json_get(after, 0, SLICE("messages"));
    if (old == JSON_NONE || new == JSON_NONE || json_count(before, old) != json_count(after, new)) return false;
    uint32_t b = json_first(after, new);
    for (uint32_t a = json_first(before, old); a != JSON_NONE; a = json_next(before, a), b = json_next(after, b)) {
        if (!is_same_member(before, a, after, b, "role")) return false;
    }
    return true;
}

enum semver_bump semver_propose(const struct json_tape *before, const struct json_tape *after)
{
    static const char *const minor[] = {"model", "parameters", "tools", "response_format", "open", "apps", "data",
                                        "insert_at"};
    enum semver_bump most = compare_variables(before, after);
    if (is_same(before, 0, after, 0)) return SEMVER_SAME;
    if (most == SEMVER_MAJOR) return most;
    for (size_t i = 0; i < sizeof minor / sizeof minor[0]; i++) {
        if (!is_same_member(before, 0, after, 0, minor[i])) return SEMVER_MINOR;
    }
    return most == SEMVER_MINOR || !are_roles_same(before, after) ? SEMVER_MINOR : SEMVER_PATCH;
}
