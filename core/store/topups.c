#include "store/topups.h"

#include <jansson.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

#define LAST UINT32_MAX

struct topup {
    struct slice id, budget, scope;
    int64_t nano, starts_at, ends_at;
    uint32_t next; /* of the same scope; LAST: there is none */
};

struct topups {
    unsigned refs;
    struct arena arena;
    struct topup *items;
    size_t count;
    struct map by_scope; /* the first of each */
};

/* Where in the snapshot an error stands. */
struct place {
    size_t topup;
    struct fault *why;
};

static bool bad(const struct place *at, const char *field, const char *what)
{
    return fault_set(at->why, FAULT_INTERNAL, "topups[%zu].%s: %s", at->topup, field, what);
}

/* ---- Reading. */

static bool read_text(struct arena *arena, const struct place *at, const char *name, const json_t *value,
                      struct slice *out)
{
    if (!json_is_string(value)) return bad(at, name, "not a string");
    struct slice text = slice_of(json_string_value(value), json_string_length(value));
    if (text.len > LIMIT_TOPUP_NAME_BYTES) return bad(at, name, "longer than 4096 bytes");
    *out = arena_copy(arena, text);
    return true;
}

static bool read_number(const struct place *at, const char *name, const json_t *value, int64_t least, int64_t most,
                        int64_t *out)
{
    *out = json_integer_value(value);
    if (!json_is_integer(value)) return bad(at, name, "not a whole number");
    return (*out >= least && *out <= most) || bad(at, name, "out of its bounds");
}

static bool read_field(struct arena *arena, const struct place *at, const char *name, const json_t *value,
                       struct topup *to)
{
    if (strcmp(name, "id") == 0) return read_text(arena, at, name, value, &to->id);
    if (strcmp(name, "budget") == 0) return read_text(arena, at, name, value, &to->budget);
    if (strcmp(name, "scope") == 0) return read_text(arena, at, name, value, &to->scope);
    if (strcmp(name, "nano") == 0) return read_number(at, name, value, 1, LIMIT_TOPUP_NANO, &to->nano);
    if (strcmp(name, "starts_at") == 0) return read_number(at, name, value, 0, INT64_MAX, &to->starts_at);
    if (strcmp(name, "ends_at") == 0) return read_number(at, name, value, 1, INT64_MAX, &to->ends_at);
    return bad(at, name, "no such field");
}

static bool has_all(const struct place *at, const json_t *value)
{
    static const char *const names[] = {"id", "budget", "scope", "nano", "starts_at", "ends_at"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!json_object_get(value, names[i])) return bad(at, names[i], "missing");
    }
    return true;
}

static bool read_item(struct arena *arena, const struct place *at, json_t *value, struct topup *to)
{
    const char *name;
    json_t *field;
    if (!json_is_object(value)) return bad(at, "", "not an object");
    json_object_foreach(value, name, field)
    {
        if (!read_field(arena, at, name, field, to)) return false;
    }
    if (!has_all(at, value)) return false;
    return to->budget.len > 0 || bad(at, "budget", "empty");
}

static struct slice scope_of(const void *owner, uint32_t item)
{
    return ((const struct topups *)owner)->items[item].scope;
}

static void index_item(struct topups *t, uint32_t item)
{
    uint32_t first;
    t->items[item].next = LAST;
    if (map_find(&t->by_scope, t->items[item].scope, &first)) {
        t->items[item].next = t->items[first].next;
        t->items[first].next = item;
    } else {
        map_add(&t->by_scope, item);
    }
}

static bool read_all(struct topups *t, json_t *root, struct fault *why)
{
    json_t *list = json_object_get(root, "topups");
    if (!json_is_object(root) || json_object_size(root) != 1 || !json_is_array(list))
        return fault_set(why, FAULT_INTERNAL, "topups: not an object with the one field \"topups\"");
    t->count = json_array_size(list);
    if (t->count > LIMIT_TOPUPS)
        return fault_set(why, FAULT_INTERNAL, "topups: %zu are over the limit of %u", t->count, LIMIT_TOPUPS);
    t->items = mem_zalloc(t->count, sizeof *t->items);
    for (size_t i = 0; i < t->count; i++) {
        if (!read_item(&t->arena, &(struct place){i, why}, json_array_get(list, i), &t->items[i])) return false;
        index_item(t, (uint32_t)i);
    }
    return true;
}

struct topups *topups_parse(struct slice json, struct fault *why)
{
    json_error_t error;
    if (json.len > LIMIT_TOPUPS_BYTES) {
        fault_set(why, FAULT_INTERNAL, "topups: %zu bytes are over the limit of %u", json.len, LIMIT_TOPUPS_BYTES);
        return NULL;
    }
    json_t *root = json_loadb(json.ptr ? json.ptr : "", json.len, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        fault_set(why, FAULT_INTERNAL, "topups: line %d: %s", error.line, error.text);
        return NULL;
    }
    struct topups *t = topups_empty();
    bool is_good = read_all(t, root, why);
    json_decref(root);
    if (is_good) return t;
    topups_unref(t);
    return NULL;
}

/* ---- Having. */

struct topups *topups_empty(void)
{
    struct topups *t = mem_zalloc(1, sizeof *t);
    t->refs = 1;
    map_init(&t->by_scope, scope_of, t);
    arena_init(&t->arena);
    return t;
}

struct topups *topups_ref(struct topups *topups)
{
    topups->refs++;
    return topups;
}

void topups_unref(struct topups *topups)
{
    if (!topups || --topups->refs > 0) return;
    arena_clear(&topups->arena);
    mem_free(topups->items);
    map_clear(&topups->by_scope);
    mem_free(topups);
}

size_t topups_count(const struct topups *topups)
{
    return topups->count;
}

void topups_at(const struct topups *topups, size_t index, struct slice *budget, struct slice *scope)
{
    check(index < topups->count);
    *budget = topups->items[index].budget;
    *scope = topups->items[index].scope;
}

/* ---- Asking. */

static bool is_live(const struct topup *item, int64_t now_s)
{
    return item->starts_at <= now_s && now_s < item->ends_at;
}

struct topups_sum topups_now(const struct topups *topups, struct slice budget, struct slice scope, int64_t now_s)
{
    uint32_t at;
    struct topups_sum sum = {0};
    if (!topups || topups->count == 0 || !map_find(&topups->by_scope, scope, &at)) return sum;
    for (; at != LAST; at = topups->items[at].next) {
        const struct topup *item = &topups->items[at];
        if (!is_live(item, now_s) || !slice_equal(item->budget, budget)) continue;
        sum.nano = item->nano < LIMIT_TOPUP_NANO - sum.nano ? sum.nano + item->nano : LIMIT_TOPUP_NANO;
        if (sum.count++ == 0 || item->ends_at < sum.ends_at) sum.ends_at = item->ends_at;
    }
    return sum;
}
