#include "exchange/terms.h"

#include <string.h>

#include "base/mem.h"
#include "wire/count.h"

/* A name that callers ask for. */
struct asked {
    const struct count_rules *counting;
    unsigned vocabularies;
};

/* What is found by name: sorted, so that a look-up is a few comparisons. Names and values are the arena's. */
struct named {
    struct slice name;
    void *value;
};
struct names {
    struct named *items;
    size_t count, cap;
};

struct terms_table {
    struct arena arena;
    struct names targets, asked; /* struct terms, struct asked */
    unsigned vocabularies;       /* of all targets */
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
    mem_free(table->targets.items);
    mem_free(table->asked.items);
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
static size_t place_of(const struct names *names, struct slice name, bool *is_there)
{
    size_t low = 0, high = names->count;
    *is_there = false;
    while (low < high && !*is_there) {
        size_t middle = low + (high - low) / 2;
        int order = compare(names->items[middle].name, name);
        *is_there = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

/* NULL: it is not there. */
static void *find(const struct names *names, struct slice name)
{
    bool is_there;
    size_t at = place_of(names, name, &is_there);
    return is_there ? names->items[at].value : NULL;
}

/* The value of that name, of `size` zeroed bytes when it is new. */
static void *find_or_add(struct terms_table *table, struct names *names, struct slice name, size_t size)
{
    bool is_there;
    size_t at = place_of(names, name, &is_there);
    if (is_there) return names->items[at].value;
    if (names->count == names->cap) {
        names->cap = names->cap ? names->cap * 2 : 16;
        names->items = mem_realloc(names->items, names->cap * sizeof *names->items);
    }
    memmove(names->items + at + 1, names->items + at, (names->count - at) * sizeof *names->items);
    names->items[at] = (struct named){arena_copy(&table->arena, name), arena_zalloc(&table->arena, size)};
    names->count++;
    return names->items[at].value;
}

struct terms *terms_table_add(struct terms_table *table, struct slice target)
{
    struct terms *terms = find_or_add(table, &table->targets, target, sizeof *terms);
    if (!terms->target.len) terms->target = arena_copy(&table->arena, target);
    return terms;
}

const struct terms *terms_table_find(const struct terms_table *table, struct slice target)
{
    return find(&table->targets, target);
}

void terms_table_set_context(struct terms_table *table, struct terms *terms, uint64_t tokens)
{
    terms->context_tokens = tokens;
    if (tokens > table->context_max) table->context_max = tokens;
}

uint64_t terms_table_context_max(const struct terms_table *table)
{
    return table->context_max;
}

/* ---- Names. */

static void add_vocabulary(struct terms_table *table, struct asked *asked, const struct terms *terms)
{
    unsigned vocabulary = 1u << vocabulary_index(count_vocabulary(terms->counting));
    asked->vocabularies |= vocabulary;
    table->vocabularies |= vocabulary;
}

void terms_table_add_name(struct terms_table *table, struct slice name, const struct terms *terms)
{
    struct asked *asked = find_or_add(table, &table->asked, name, sizeof *asked);
    if (!asked->vocabularies) asked->counting = terms->counting;
    add_vocabulary(table, asked, terms);
}

void terms_table_add_virtual(struct terms_table *table, struct slice name, const struct terms *terms)
{
    add_vocabulary(table, find_or_add(table, &table->asked, name, sizeof(struct asked)), terms);
}

const struct count_rules *terms_table_counting(const struct terms_table *table, struct slice name)
{
    const struct asked *asked = find(&table->asked, name);
    return asked ? asked->counting : NULL;
}

unsigned terms_table_vocabularies(const struct terms_table *table, struct slice name)
{
    const struct asked *asked = find(&table->asked, name);
    unsigned vocabularies = asked ? asked->vocabularies : table->vocabularies;
    return vocabularies ? vocabularies : 1;
}
