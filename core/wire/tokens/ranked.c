#include "wire/tokens/ranked.h"

#include "base/mem.h"
#include "wire/tokens/tokens_inner.h"

#define NO_PLACE UINT32_MAX

/* A place is a token's first byte; tokens that were merged into the one before have none any more. */
struct ranked {
    const uint64_t *pairs;
    uint64_t pair_bits;
    uint32_t *ids;          /* by place */
    uint32_t *next, *before; /* neighbours' places */
    uint32_t *ranks;        /* by place: of the merge with the next one; TABLE_NONE: none */
    uint64_t *heap;         /* rank << 32 | place: the least is first */
    size_t heap_count, len;
};

static void push(struct ranked *r, uint64_t item)
{
    size_t at = r->heap_count++;
    while (at && item < r->heap[(at - 1) / 2]) {
        r->heap[at] = r->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    r->heap[at] = item;
}

static uint64_t pop(struct ranked *r)
{
    uint64_t top = r->heap[0], item = r->heap[--r->heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= r->heap_count) break;
        if (child + 1 < r->heap_count && r->heap[child + 1] < r->heap[child]) child++;
        if (item <= r->heap[child]) break;
        r->heap[at] = r->heap[child];
        at = child;
    }
    r->heap[at] = item;
    return top;
}

/* What merging at this place would give; into the heap when it gives anything. */
static void rate(struct ranked *r, uint32_t place)
{
    uint32_t next = r->next[place];
    r->ranks[place] = next == NO_PLACE ? TABLE_NONE : pairs_find(r->pairs, r->pair_bits, r->ids[place], r->ids[next]);
    if (r->ranks[place] != TABLE_NONE) push(r, (uint64_t)r->ranks[place] << 32 | place);
}

static void merge_at(struct ranked *r, uint32_t place)
{
    uint32_t gone = r->next[place], after = r->next[gone];
    r->ids[place] = r->ranks[place];
    r->next[place] = after;
    if (after != NO_PLACE) r->before[after] = place;
    r->ranks[gone] = TABLE_NONE;
    rate(r, place);
    if (r->before[place] != NO_PLACE) rate(r, r->before[place]);
}

static void begin(struct ranked *r, const struct vocabulary *v, const unsigned char *p)
{
    uint32_t of_byte[256];
    const uint64_t *nodes = vocabulary_array(v, v->head->nodes_at);
    for (uint32_t b = 0; b < 256; b++)
        of_byte[b] = table_node_value(nodes[table_node_base(nodes[0]) + b]);
    for (uint32_t i = 0; i < r->len; i++) {
        r->ids[i] = of_byte[p[i]];
        r->next[i] = i + 1 < r->len ? i + 1 : NO_PLACE;
        r->before[i] = i ? i - 1 : NO_PLACE;
    }
    for (uint32_t i = 0; i < r->len; i++)
        rate(r, i);
}

size_t ranked_merge(const struct vocabulary *v, const unsigned char *p, size_t len, uint32_t *tokens)
{
    /* Every merge takes one item from the heap and adds two at most: never more than the first len and two for each. */
    uint32_t *places = mem_alloc(3 * len * sizeof *places);
    struct ranked r = {.pairs = vocabulary_array(v, v->head->pairs_at),
                       .pair_bits = v->head->pair_bits,
                       .ids = tokens,
                       .next = places,
                       .before = places + len,
                       .ranks = places + 2 * len,
                       .heap = mem_alloc(3 * len * sizeof *r.heap),
                       .len = len};
    begin(&r, v, p);
    while (r.heap_count) {
        uint64_t top = pop(&r);
        uint32_t place = (uint32_t)top;
        if (r.ranks[place] == top >> 32) merge_at(&r, place); /* else what it spoke of has changed */
    }
    size_t count = 0;
    for (uint32_t i = 0; i != NO_PLACE; i = r.next[i])
        tokens[count++] = tokens[i];
    mem_free(places);
    mem_free(r.heap);
    return count;
}
