#include "exchange/terms.h"

#include <xxhash.h>

#include "base/mem.h"
#include "wire/count.h"

/* How many targets count in each vocabulary. */
struct votes {
    unsigned of[VOCABULARIES];
};

/* A name that callers ask for. */
struct asked {
    bool has_targets; /* of its own: the first one's rules count */
    const struct count_rules *counting;
    struct votes votes;
};

/* What is found by name, by open addressing: a large catalogue has tens of thousands.
 * Names and values are the arena's. */
struct named {
    struct slice name;
    void *value; /* NULL: free */
};
struct names {
    struct named *slots;
    size_t count, cap; /* cap is a power of two, at least twice the count */
};

struct terms_table {
    struct arena arena;
    struct names targets, asked; /* struct terms, struct asked */
    struct votes votes;          /* of all targets of all names */
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
    mem_free(table->targets.slots);
    mem_free(table->asked.slots);
    arena_clear(&table->arena);
    mem_free(table);
}

struct arena *terms_table_arena(struct terms_table *table)
{
    return &table->arena;
}

/* The slot where that name stands, or would. */
static struct named *slot_of(const struct names *names, struct slice name)
{
    size_t at = (size_t)XXH3_64bits(name.ptr, name.len) & (names->cap - 1);
    while (names->slots[at].value && !slice_equal(names->slots[at].name, name))
        at = (at + 1) & (names->cap - 1);
    return &names->slots[at];
}

/* NULL: it is not there. */
static void *find(const struct names *names, struct slice name)
{
    return names->cap ? slot_of(names, name)->value : NULL;
}

static void grow(struct names *names)
{
    struct names larger = {.count = names->count, .cap = names->cap ? names->cap * 2 : 32};
    larger.slots = mem_zalloc(larger.cap, sizeof *larger.slots);
    for (size_t i = 0; i < names->cap; i++) {
        if (names->slots[i].value) *slot_of(&larger, names->slots[i].name) = names->slots[i];
    }
    mem_free(names->slots);
    *names = larger;
}

/* The value of that name, of `size` zeroed bytes when it is new. */
static void *find_or_add(struct terms_table *table, struct names *names, struct slice name, size_t size)
{
    if (names->count * 2 >= names->cap) grow(names);
    struct named *slot = slot_of(names, name);
    if (slot->value) return slot->value;
    *slot = (struct named){arena_copy(&table->arena, name), arena_zalloc(&table->arena, size)};
    names->count++;
    return slot->value;
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

static struct asked *vote(struct terms_table *table, struct slice name, const struct terms *terms)
{
    struct asked *asked = find_or_add(table, &table->asked, name, sizeof *asked);
    unsigned vocabulary = vocabulary_index(count_vocabulary(terms->counting));
    asked->votes.of[vocabulary]++;
    table->votes.of[vocabulary]++;
    return asked;
}

void terms_table_add_name(struct terms_table *table, struct slice name, const struct terms *terms)
{
    struct asked *asked = vote(table, name, terms);
    if (!asked->has_targets) asked->counting = terms->counting;
    asked->has_targets = true;
}

void terms_table_add_virtual(struct terms_table *table, struct slice name, const struct terms *terms)
{
    vote(table, name, terms);
}

const struct count_rules *terms_table_counting(const struct terms_table *table, struct slice name)
{
    const struct asked *asked = find(&table->asked, name);
    return asked ? asked->counting : NULL;
}

/* Of equals the first. */
static unsigned most_voted(const struct votes *votes)
{
    unsigned most = 0;
    for (unsigned v = 1; v < VOCABULARIES; v++) {
        if (votes->of[v] > votes->of[most]) most = v;
    }
    return most;
}

unsigned terms_table_vocabulary(const struct terms_table *table, struct slice name)
{
    const struct asked *asked = find(&table->asked, name);
    if (asked && asked->has_targets) return vocabulary_index(count_vocabulary(asked->counting));
    return most_voted(asked ? &asked->votes : &table->votes);
}
