#include "exchange/terms.h"

#include <string.h>

#include "base/mem.h"
#include "wire/count.h"

/* A name that callers ask for. */
struct asked {
    struct slice name;
    const struct count_rules *counting;
    unsigned vocabularies;
};

struct terms_table {
    struct arena arena;
    struct terms **sorted; /* by name */
    size_t count, cap;
    struct asked *names; /* by name */
    size_t name_count, name_cap;
    unsigned vocabularies; /* of all targets */
    uint64_t context_max;
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
    mem_free(table->names);
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

void terms_table_set_context(struct terms_table *table, struct terms *terms, uint64_t tokens)
{
    terms->context_tokens = tokens;
    if (tokens > table->context_max) table->context_max = tokens;
}

/* ---- Names. */

static size_t name_place(const struct terms_table *table, struct slice name, bool *is_there)
{
    size_t low = 0, high = table->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(table->names[middle].name, name);
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

static const struct asked *find_name(const struct terms_table *table, struct slice name)
{
    bool is_there;
    size_t at = name_place(table, name, &is_there);
    return is_there ? &table->names[at] : NULL;
}

static struct asked *add_name(struct terms_table *table, struct slice name, const struct count_rules *counting)
{
    bool is_there;
    size_t at = name_place(table, name, &is_there);
    if (!is_there) {
        if (table->name_count == table->name_cap) {
            table->name_cap = table->name_cap ? table->name_cap * 2 : 16;
            table->names = mem_realloc(table->names, table->name_cap * sizeof *table->names);
        }
        memmove(table->names + at + 1, table->names + at, (table->name_count - at) * sizeof *table->names);
        table->names[at] = (struct asked){.name = arena_copy(&table->arena, name), .counting = counting};
        table->name_count++;
    }
    return &table->names[at];
}

static void add_vocabulary(struct terms_table *table, struct asked *asked, const struct terms *terms)
{
    unsigned vocabulary = 1u << vocabulary_index(count_vocabulary(terms->counting));
    asked->vocabularies |= vocabulary;
    table->vocabularies |= vocabulary;
}

void terms_table_add_name(struct terms_table *table, struct slice name, const struct terms *terms)
{
    add_vocabulary(table, add_name(table, name, terms->counting), terms);
}

void terms_table_add_virtual(struct terms_table *table, struct slice name, const struct terms *terms)
{
    add_vocabulary(table, add_name(table, name, NULL), terms);
}

const struct count_rules *terms_table_counting(const struct terms_table *table, struct slice name)
{
    const struct asked *asked = find_name(table, name);
    return asked ? asked->counting : NULL;
}

unsigned terms_table_vocabularies(const struct terms_table *table, struct slice name)
{
    const struct asked *asked = find_name(table, name);
    unsigned vocabularies = asked ? asked->vocabularies : table->vocabularies;
    return vocabularies ? vocabularies : 1;
}

uint64_t terms_table_context_max(const struct terms_table *table)
{
    return table->context_max;
}
