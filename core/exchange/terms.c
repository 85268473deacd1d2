#include "exchange/terms.h"

#include <string.h>

#include "base/mem.h"

struct terms_table {
    struct arena arena;
    struct terms **sorted; /* by name */
    size_t count, cap;
};

struct terms_table *terms_table_new(void)
{
    struct terms_table *table = mem_zalloc(1, sizeof *table);
    arena_init(&table->arena);
    return table;
}

void terms_table_free(struct terms_table *table)
{
    if (!table) return;
    mem_free(table->sorted);
    arena_clear(&table->arena);
    mem_free(table);
}

struct arena *terms_table_arena(struct terms_table *table)
{
    return &table->arena;
}

static int compare(struct slice a, struct slice b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Where it stands, or would; *is_there says which. */
static size_t place_of(const struct terms_table *table, struct slice target, bool *is_there)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(table->sorted[middle]->target, target);
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *is_there = false;
    return low;
}

struct terms *terms_table_add(struct terms_table *table, struct slice target)
{
    bool is_there;
    size_t at = place_of(table, target, &is_there);
    if (is_there) return table->sorted[at];
    if (table->count == table->cap) {
        table->cap = table->cap ? table->cap * 2 : 16;
        table->sorted = mem_realloc(table->sorted, table->cap * sizeof *table->sorted);
    }
    memmove(table->sorted + at + 1, table->sorted + at, (table->count - at) * sizeof *table->sorted);
    struct terms *terms = table->sorted[at] = arena_zalloc(&table->arena, sizeof *terms);
    terms->target = arena_copy(&table->arena, target);
    table->count++;
    return terms;
}

const struct terms *terms_table_find(const struct terms_table *table, struct slice target)
{
    bool is_there;
    size_t at = place_of(table, target, &is_there);
    return is_there ? table->sorted[at] : NULL;
}

uint64_t terms_table_context_max(const struct terms_table *table)
{
    uint64_t most = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (table->sorted[i]->context_tokens > most) most = table->sorted[i]->context_tokens;
    }
    return most;
}
