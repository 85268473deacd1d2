#include "cli/budgets.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"

#define EARLY_PART 24 /* before this part of a period is over nothing is said of its end */

struct budgets {
    struct arena arena;
    struct budget *rows;
    size_t row_count;
    struct budget_use *uses;
    size_t count, room;
    const struct topups *topups;
    bool *is_used; /* of each of them: its scope was spent on */
    int64_t now_s;
};

/* ---- What the policies say. */

static struct slice text_of(struct budgets *b, const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return arena_copy(&b->arena, slice_str(text ? text : ""));
}

static int64_t amount_of(const json_t *row, const char *name, int64_t absent)
{
    const json_t *value = json_object_get(row, name);
    if (!json_is_number(value)) return absent;
    double amount = json_number_value(value);
    return amount >= (double)COUNTERS_AMOUNT_MAX ? COUNTERS_AMOUNT_MAX : (int64_t)amount;
}

static void read_part(struct budgets *b, const json_t *from, struct budget_part *part)
{
    const json_t *values = json_object_get(from, "values");
    size_t count = json_array_size(values);
    struct slice *list = arena_alloc(&b->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = arena_copy(&b->arena, slice_str(json_string_value(json_array_get(values, i))));
    *part = (struct budget_part){
        text_of(b, from, "name"), text_of(b, from, "text"), text_of(b, from, "key"), list, count,
        json_object_get(from, "text") != NULL};
}

static void read_row(struct budgets *b, const json_t *from, struct budget *row)
{
    const json_t *parts = json_object_get(from, "parts");
    size_t count = json_array_size(parts);
    struct budget_part *list = arena_alloc(&b->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        read_part(b, json_array_get(parts, i), &list[i]);
    *row = (struct budget){.policy = text_of(b, from, "policy"),
                           .name = text_of(b, from, "name"),
                           .at = text_of(b, from, "at"),
                           .mode = text_of(b, from, "mode"),
                           .period = text_of(b, from, "period"),
                           .prefix = text_of(b, from, "prefix"),
                           .parts = list,
                           .part_count = count,
                           .start_s = amount_of(from, "start", 0),
                           .stop_s = amount_of(from, "stop", 0),
                           .limit = amount_of(from, "limit", 1),
                           .blocks_at = amount_of(from, "blocks_at", COUNTERS_NO_LIMIT),
                           .blocks_part = amount_of(from, "blocks_part", 0),
                           .is_default = json_is_true(json_object_get(from, "is_default")),
                           .covers_default = json_is_true(json_object_get(from, "covers_default"))};
    row->id = arena_printf(&b->arena, "%.*s/%.*s", SLICE_FMT(row->policy), SLICE_FMT(row->name));
}

struct budgets *budgets_new(const json_t *answer, const struct topups *topups, int64_t now_s)
{
    struct budgets *b = mem_zalloc(1, sizeof *b);
    const json_t *rows = json_object_get(answer, "budgets");
    arena_init(&b->arena);
    b->row_count = json_array_size(rows);
    b->rows = mem_zalloc(b->row_count + 1, sizeof *b->rows);
    b->topups = topups;
    b->is_used = mem_zalloc(topups ? topups_count(topups) : 1, sizeof *b->is_used);
    b->now_s = now_s;
    for (size_t i = 0; i < b->row_count; i++)
        read_row(b, json_array_get(rows, i), &b->rows[i]);
    return b;
}

void budgets_free(struct budgets *b)
{
    if (!b) return;
    arena_clear(&b->arena);
    mem_free(b->rows);
    mem_free(b->is_used);
    mem_free(b->uses);
    mem_free(b);
}

/* ---- Keys: prefix, then "name=value" for each part, commas between; values with %xx for what separates, those that
 * count together with a "+" between them (scripts/scopes.lua). */

static struct slice unescape(struct arena *arena, struct slice text)
{
    char *plain = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte;
        bool is_escaped = text.ptr[i] == '%' && text.len - i > 2 && hex_read(slice_of(text.ptr + i + 1, 2), &byte, 1);
        plain[n++] = is_escaped ? (char)byte : text.ptr[i];
        if (is_escaped) i += 2;
    }
    plain[n] = '\0';
    return slice_of(plain, n);
}

static bool skip(struct slice *text, struct slice expected)
{
    if (!slice_starts(*text, expected)) return false;
    *text = slice_of(text->ptr + expected.len, text->len - expected.len);
    return true;
}

static struct slice take_value(struct slice *text)
{
    const char *end = memchr(text->ptr, ',', text->len);
    struct slice value = slice_of(text->ptr, end ? (size_t)(end - text->ptr) : text->len);
    skip(text, value);
    return value;
}

/* Without the prefix. values: room for as many as there are parts. */
static bool read_scope(struct arena *arena, const struct budget *row, struct slice key, struct slice *values)
{
    if (row->part_count > LIMIT_COUNTERS_SCOPE) return false;
    for (size_t i = 0; i < row->part_count; i++) {
        const struct budget_part *part = &row->parts[i];
        if ((i && !skip(&key, SLICE(","))) || !skip(&key, part->name) || !skip(&key, SLICE("="))) return false;
        struct slice value = take_value(&key);
        if (part->is_fixed ? !slice_equal(value, part->key) : memchr(value.ptr, '+', value.len) != NULL) return false;
        values[i] = part->is_fixed ? part->text : unescape(arena, value);
    }
    return key.len == 0;
}

/* Of a row for one scope alone; NULL of one for each of many. */
static struct slice only_key(struct arena *arena, const struct budget *row)
{
    struct slice key = SLICE("");
    for (size_t i = 0; i < row->part_count; i++) {
        const struct budget_part *part = &row->parts[i];
        if (!part->is_fixed) return SLICE_NONE;
        key = arena_printf(arena, "%.*s%s%.*s=%.*s", SLICE_FMT(key), i ? "," : "", SLICE_FMT(part->name),
                           SLICE_FMT(part->key));
    }
    return key;
}

/* ---- The default is for those without a row of their own. */

static bool stands_for(const struct budget_part *part, struct slice value)
{
    if (!part->is_fixed) return true;
    for (size_t i = 0; i < part->value_count; i++)
        if (slice_equal(part->values[i], value)) return true;
    return false;
}

/* Does the row hold for every request of this scope of the default's? */
static bool covers(const struct budget *row, const struct budget *standard, const struct slice *values)
{
    if (!row->covers_default || !slice_equal(row->policy, standard->policy)) return false;
    for (size_t i = 0; i < row->part_count; i++) {
        size_t at = 0;
        while (at < standard->part_count && !slice_equal(standard->parts[at].name, row->parts[i].name))
            at++;
        if (at == standard->part_count || !stands_for(&row->parts[i], values[at])) return false;
    }
    return true;
}

static bool is_covered(const struct budgets *b, const struct budget *row, const struct slice *values)
{
    for (size_t i = 0; row->is_default && i < b->row_count; i++)
        if (covers(&b->rows[i], row, values)) return true;
    return false;
}

/* ---- Scopes. */

/* values NULL: of what is not spent on. */
static struct slice spell_scope(struct budgets *b, const struct budget *row, const struct slice *values)
{
    struct slice scope = SLICE("");
    for (size_t i = 0; i < row->part_count; i++) {
        const struct budget_part *part = &row->parts[i];
        struct slice value = values ? values[i] : part->text;
        const char *comma = i ? ", " : "";
        bool is_each = !values && !part->is_fixed, is_none = !is_each && value.len == 0;
        struct slice one = is_each || is_none ? arena_printf(&b->arena, "%s%s %.*s", comma, is_each ? "each" : "no",
                                                             SLICE_FMT(part->name))
                                              : arena_printf(&b->arena, "%s%.*s %.*s", comma, SLICE_FMT(part->name),
                                                             SLICE_FMT(value));
        scope = arena_join(&b->arena, scope, one);
    }
    return scope.len ? scope : SLICE("everybody");
}

/* ---- Uses, each with its own limit. */

/* Rounded up, as in scripts/thresholds.lua. */
static int64_t part_of(int64_t limit, int64_t part)
{
    __int128 nano = ((__int128)limit * part + 9999) / 10000;
    return nano > COUNTERS_AMOUNT_MAX ? COUNTERS_AMOUNT_MAX : (int64_t)nano;
}

static void mark_used(struct budgets *b, const struct budget_use *use)
{
    for (size_t i = 0; i < topups_count(b->topups); i++) {
        struct slice budget, scope;
        topups_at(b->topups, i, &budget, &scope);
        b->is_used[i] |= slice_equal(budget, use->budget->id) && slice_equal(scope, use->key);
    }
}

static void raise(struct budgets *b, struct budget_use *use)
{
    if (!use->key.ptr) return;
    use->raised = topups_now(b->topups, use->budget->id, use->key, b->now_s);
    if (use->raised.count == 0) return;
    mark_used(b, use);
    use->limit = counters_sum(use->limit, use->raised.nano);
    if (use->blocks_at >= 0) use->blocks_at = part_of(use->limit, use->budget->blocks_part);
}

/* key, values: NULL of "each app". */
static struct budget_use *add_use(struct budgets *b, struct budget *row, struct slice key, const struct slice *values)
{
    if (b->count == b->room) {
        b->room = b->room ? 2 * b->room : 64;
        b->uses = mem_realloc(b->uses, b->room * sizeof *b->uses);
    }
    struct budget_use *use = &b->uses[b->count++];
    *use = (struct budget_use){.budget = row,
                               .scope = spell_scope(b, row, values),
                               .key = key,
                               .limit = row->limit,
                               .blocks_at = row->blocks_at};
    raise(b, use);
    row->is_shown = true;
    return use;
}

void budgets_add(void *arg, const struct counters_spent *spent)
{
    struct budgets *b = arg;
    struct slice values[LIMIT_COUNTERS_SCOPE], key;
    for (size_t i = 0; i < b->row_count; i++) {
        struct budget *row = &b->rows[i];
        key = spent->key;
        if (row->start_s != spent->start_s || !skip(&key, row->prefix)) continue;
        if (!read_scope(&b->arena, row, key, values) || is_covered(b, row, values)) continue;
        struct budget_use *use = add_use(b, row, arena_copy(&b->arena, key), values);
        use->nano = spent->nano;
        use->idle_s = spent->idle_s;
    }
}

/* ---- Order. */

/* A part of the limit as a number to compare by: limits differ, and their products do not fit. */
static long double part_used(const struct budget_use *use)
{
    return use->limit > 0 ? (long double)use->nano / (long double)use->limit : 0;
}

static int compare(const void *a, const void *b)
{
    const struct budget_use *left = a, *right = b;
    bool left_up = budget_is_used_up(left), right_up = budget_is_used_up(right);
    long double left_part = part_used(left), right_part = part_used(right);
    if (left_up != right_up) return left_up ? -1 : 1;
    if (left_part != right_part) return left_part > right_part ? -1 : 1;
    if (left->budget != right->budget) return left->budget < right->budget ? -1 : 1;
    return strcmp(left->scope.ptr, right->scope.ptr);
}

/* Of a scope that was not spent on; one that ended, and one of no budget that there is, is left out. */
static void add_raised(struct budgets *b, struct slice id, struct slice key)
{
    struct slice values[LIMIT_COUNTERS_SCOPE];
    if (topups_now(b->topups, id, key, b->now_s).count == 0) return;
    for (size_t i = 0; i < b->row_count; i++) {
        struct budget *row = &b->rows[i];
        if (!slice_equal(row->id, id) || !read_scope(&b->arena, row, key, values)) continue;
        if (!is_covered(b, row, values)) add_use(b, row, arena_copy(&b->arena, key), values);
    }
}

void budgets_end(struct budgets *b)
{
    for (size_t i = 0; b->topups && i < topups_count(b->topups); i++) {
        struct slice budget, scope;
        topups_at(b->topups, i, &budget, &scope);
        if (!b->is_used[i]) add_raised(b, budget, scope);
    }
    for (size_t i = 0; i < b->row_count; i++)
        if (!b->rows[i].is_shown) add_use(b, &b->rows[i], only_key(&b->arena, &b->rows[i]), NULL);
    if (b->count) qsort(b->uses, b->count, sizeof *b->uses, compare);
}

size_t budgets_count(const struct budgets *b)
{
    return b->count;
}

const struct budget_use *budgets_at(const struct budgets *b, size_t index)
{
    return &b->uses[index];
}

/* ---- Figures. */

bool budget_is_used_up(const struct budget_use *use)
{
    return use->blocks_at >= 0 && use->nano >= use->blocks_at;
}

int64_t budget_percent(const struct budget_use *use)
{
    if (use->limit < 1) return 0;
    __int128 percent = (__int128)use->nano * 100 / use->limit;
    return percent > INT64_MAX ? INT64_MAX : (int64_t)percent;
}

struct budget_course budget_course(const struct budget_use *use, int64_t now_s)
{
    const struct budget *row = use->budget;
    int64_t span = row->stop_s - row->start_s, gone = now_s - row->start_s;
    struct budget_course course = {-1, 0};
    if (row->stop_s == 0 || gone <= 0 || gone < span / EARLY_PART || gone > span) return course;
    __int128 nano = (__int128)use->nano * span / gone;
    course.nano = nano > COUNTERS_AMOUNT_MAX ? COUNTERS_AMOUNT_MAX : (int64_t)nano;
    if (use->blocks_at >= 0 && course.nano > use->blocks_at && !budget_is_used_up(use))
        course.runs_out_s = row->start_s + (int64_t)((__int128)use->blocks_at * gone / use->nano);
    return course;
}
