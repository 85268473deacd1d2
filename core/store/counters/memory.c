#include "store/counters/memory.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/hash.h"

#define SWEPT 4u       /* cells that are looked at for each that is made */
#define SWEPT_FULL 256u /* … and when there is no place for it */

/* Numbers from 1 on; 0 is none. */
struct counters_memory {
    uint8_t secret[HASH_SECRET_BYTES];
    uint32_t cell_max, cell_top, cell_free, cell_hand, cell_count;
    uint32_t block_max, block_top, block_free, hold_count;
    uint32_t cell_buckets, hold_buckets; /* how many, powers of two */
    /* Behind it: buckets of cells, buckets of holds, cells, blocks. */
};

static uint32_t power_of_two(uint32_t at_least)
{
    uint32_t n = 1;
    while (n < at_least)
        n *= 2;
    return n;
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

size_t counters_memory_bytes(uint32_t cells, uint32_t holds)
{
    size_t buckets = (size_t)power_of_two(cells) + power_of_two(holds);
    return aligned(sizeof(struct counters_memory)) + aligned(buckets * sizeof(uint32_t)) +
           aligned(((size_t)cells + 1) * sizeof(struct counters_cell)) +
           ((size_t)holds + 1) * sizeof(struct counters_block);
}

static uint32_t *cell_buckets(const struct counters_memory *m)
{
    return (uint32_t *)((char *)(uintptr_t)m + aligned(sizeof *m));
}

static uint32_t *hold_buckets(const struct counters_memory *m)
{
    return cell_buckets(m) + m->cell_buckets;
}

static struct counters_cell *cells(const struct counters_memory *m)
{
    size_t buckets = ((size_t)m->cell_buckets + m->hold_buckets) * sizeof(uint32_t);
    return (struct counters_cell *)((char *)cell_buckets(m) + aligned(buckets));
}

static struct counters_block *blocks(const struct counters_memory *m)
{
    return (struct counters_block *)((char *)cells(m) + aligned(((size_t)m->cell_max + 1) * sizeof *cells(m)));
}

void counters_memory_make(void *zeros, uint32_t cell_max, uint32_t hold_max)
{
    struct counters_memory *m = zeros;
    check(cell_max > 0 && hold_max > 0 && cell_max <= 1u << 24 && hold_max <= 1u << 24);
    check(getrandom(m->secret, sizeof m->secret, 0) == (ssize_t)sizeof m->secret);
    m->cell_max = cell_max;
    m->block_max = hold_max;
    m->cell_buckets = power_of_two(cell_max);
    m->hold_buckets = power_of_two(hold_max);
}

struct counters_memory *counters_memory_at(void *bytes)
{
    return bytes;
}

/* A byte that makes something valid, and what it makes valid before it: whoever is killed is killed between two. */
static void set_valid(uint8_t *byte, uint8_t value)
{
    atomic_signal_fence(memory_order_seq_cst);
    *(volatile uint8_t *)byte = value;
    atomic_signal_fence(memory_order_seq_cst);
}

/* --- cells --- */

struct counters_name counters_memory_name(const struct counters_memory *m, enum counters_unit unit, struct slice key,
                                          int64_t start_s)
{
    uint64_t kind = (uint64_t)unit * 0x9e3779b97f4a7c15u + (uint64_t)start_s * 0xc2b2ae3d27d4eb4fu;
    struct counters_name name;
    hash_twice(key, m->secret, name.hash);
    name.hash[0] ^= kind;
    name.hash[1] += kind;
    return name;
}

static uint32_t *cell_bucket(const struct counters_memory *m, struct counters_name name)
{
    return &cell_buckets(m)[name.hash[0] & (m->cell_buckets - 1)];
}

void counters_memory_expect(const struct counters_memory *m, struct counters_name name)
{
    __builtin_prefetch(cell_bucket(m, name));
}

void counters_memory_expect_now(struct counters_memory *m, struct counters_name name)
{
    __builtin_prefetch(&cells(m)[*cell_bucket(m, name)]);
}

struct counters_cell *counters_memory_find(struct counters_memory *m, struct counters_name name)
{
    struct counters_cell *all = cells(m);
    for (uint32_t i = *cell_bucket(m, name); i; i = all[i].next) {
        if (all[i].name.hash[0] == name.hash[0] && all[i].name.hash[1] == name.hash[1]) return &all[i];
    }
    return NULL;
}

static void link_cell(struct counters_memory *m, uint32_t number)
{
    uint32_t *bucket = cell_bucket(m, cells(m)[number].name);
    cells(m)[number].next = *bucket;
    *bucket = number;
}

static void unlink_cell(struct counters_memory *m, uint32_t number)
{
    uint32_t *at = cell_bucket(m, cells(m)[number].name);
    while (*at != number)
        at = &cells(m)[*at].next;
    *at = cells(m)[number].next;
}

/* Nothing of it would be missed; of money that has been over for so long. */
static bool is_idle(const struct counters_cell *cell, struct counters_time now, int64_t over_ns)
{
    if (cell->refs || cell->held) return false;
    return cell->unit == COUNTERS_MONEY ? cell->stop_ns <= now.wall_ns - over_ns : cell->until_ns <= now.steady_ns;
}

static void free_cell(struct counters_memory *m, uint32_t number)
{
    struct counters_cell *cell = &cells(m)[number];
    set_valid(&cell->is_used, 0);
    unlink_cell(m, number);
    cell->next = m->cell_free;
    m->cell_free = number;
    m->cell_count--;
}

static void sweep(struct counters_memory *m, uint32_t count, struct counters_time now, int64_t over_ns)
{
    for (uint32_t n = 0; n < count && m->cell_top; n++) {
        m->cell_hand = m->cell_hand >= m->cell_top ? 1 : m->cell_hand + 1;
        struct counters_cell *cell = &cells(m)[m->cell_hand];
        if (cell->is_used && is_idle(cell, now, over_ns)) free_cell(m, m->cell_hand);
    }
}

static uint32_t take_cell(struct counters_memory *m)
{
    uint32_t number = m->cell_free;
    if (number) {
        m->cell_free = cells(m)[number].next;
        return number;
    }
    return m->cell_top < m->cell_max ? ++m->cell_top : 0;
}

struct counters_cell *counters_memory_cell(struct counters_memory *m, struct counters_name name,
                                           enum counters_unit unit, struct counters_time now)
{
    struct counters_cell *cell = counters_memory_find(m, name);
    if (cell) return cell;
    sweep(m, SWEPT, now, COUNTERS_OVER_NS);
    uint32_t number = take_cell(m);
    if (!number) {
        sweep(m, SWEPT_FULL, now, 0);
        number = take_cell(m);
    }
    if (!number) return NULL;
    cell = &cells(m)[number];
    *cell = (struct counters_cell){.name = name, .unit = (uint8_t)unit};
    link_cell(m, number);
    m->cell_count++;
    set_valid(&cell->is_used, 1);
    return cell;
}

uint32_t counters_memory_number(const struct counters_memory *m, const struct counters_cell *cell)
{
    return (uint32_t)(cell - cells(m));
}

struct counters_cell *counters_memory_cell_at(struct counters_memory *m, uint32_t number)
{
    return &cells(m)[number];
}

/* --- holds --- */

static uint32_t *hold_bucket(const struct counters_memory *m, const char *id)
{
    return &hold_buckets(m)[hash_bytes(slice_str(id), 0) & (m->hold_buckets - 1)];
}

struct counters_block *counters_memory_hold(struct counters_memory *m, const char *id)
{
    struct counters_block *all = blocks(m);
    for (uint32_t i = *hold_bucket(m, id); i; i = all[i].next) {
        if (strcmp(all[i].id, id) == 0) return &all[i];
    }
    return NULL;
}

static uint32_t take_block(struct counters_memory *m)
{
    uint32_t number = m->block_free;
    if (number) {
        m->block_free = blocks(m)[number].next;
        return number;
    }
    return m->block_top < m->block_max ? ++m->block_top : 0;
}

static void free_blocks(struct counters_memory *m, uint32_t number)
{
    while (number) {
        struct counters_block *block = &blocks(m)[number];
        uint32_t more = block->more;
        block->next = m->block_free;
        m->block_free = number;
        number = more;
    }
}

struct counters_block *counters_memory_new_hold(struct counters_memory *m, const char *id, uint32_t items)
{
    uint32_t chain = 0;
    for (uint32_t room = 0; room == 0 || room < items; room += COUNTERS_BLOCK_ITEMS) {
        uint32_t number = take_block(m);
        if (!number) {
            free_blocks(m, chain);
            return NULL;
        }
        blocks(m)[number] = (struct counters_block){.more = chain};
        chain = number;
    }
    struct counters_block *hold = &blocks(m)[chain];
    memcpy(hold->id, id, strnlen(id, sizeof hold->id - 1));
    return hold;
}

static void link_hold(struct counters_memory *m, struct counters_block *hold)
{
    uint32_t *bucket = hold_bucket(m, hold->id);
    hold->next = *bucket;
    *bucket = (uint32_t)(hold - blocks(m));
    m->hold_count++;
}

void counters_memory_stand(struct counters_memory *m, struct counters_block *hold)
{
    set_valid(&hold->is_hold, 1);
    link_hold(m, hold);
}

void counters_memory_drop(struct counters_memory *m, struct counters_block *hold)
{
    uint32_t number = (uint32_t)(hold - blocks(m));
    if (hold->is_hold) {
        set_valid(&hold->is_hold, 0);
        uint32_t *at = hold_bucket(m, hold->id);
        while (*at != number)
            at = &blocks(m)[*at].next;
        *at = hold->next;
        m->hold_count--;
    }
    free_blocks(m, number);
}

struct counters_taken *counters_memory_taken(struct counters_memory *m, struct counters_block *hold, uint32_t i)
{
    for (; i >= COUNTERS_BLOCK_ITEMS; i -= COUNTERS_BLOCK_ITEMS)
        hold = &blocks(m)[hold->more];
    return &hold->items[i];
}

void counters_memory_set_part(struct counters_taken *taken, int64_t part_ns)
{
    atomic_signal_fence(memory_order_seq_cst);
    *(volatile int64_t *)&taken->part_ns = part_ns;
    atomic_signal_fence(memory_order_seq_cst);
}

void counters_memory_give_back(struct counters_taken *taken)
{
    set_valid(&taken->is_given_back, 1);
}

struct counters_block *counters_memory_next(struct counters_memory *m, uint32_t *at)
{
    while (*at < m->block_top) {
        struct counters_block *block = &blocks(m)[++*at];
        if (block->is_hold) return block;
    }
    return NULL;
}

/* --- after a process was killed in the middle --- */

static void mend_cells(struct counters_memory *m)
{
    memset(cell_buckets(m), 0, m->cell_buckets * sizeof(uint32_t));
    m->cell_free = m->cell_count = 0;
    for (uint32_t i = 1; i <= m->cell_top; i++) {
        struct counters_cell *cell = &cells(m)[i];
        cell->refs = 0;
        cell->held = 0;
        if (cell->is_used) {
            link_cell(m, i);
            m->cell_count++;
        } else {
            cell->next = m->cell_free;
            m->cell_free = i;
        }
    }
}

/* What a hold has stands on cells that are there: those were made before it. */
static void count_again(struct counters_memory *m, struct counters_block *hold)
{
    for (uint32_t i = 0; i < hold->count; i++) {
        struct counters_taken *taken = counters_memory_taken(m, hold, i);
        if (taken->is_given_back) continue;
        struct counters_cell *cell = counters_memory_cell_at(m, taken->cell);
        cell->refs++;
        if (taken->unit == COUNTERS_MONEY) cell->held = counters_sum(cell->held, taken->amount);
    }
}

/* Blocks that belong to no hold are free: those of holds are marked in the first passage. */
static void mend_blocks(struct counters_memory *m)
{
    m->block_free = 0;
    for (uint32_t i = 1; i <= m->block_top; i++)
        if (!blocks(m)[i].is_hold) blocks(m)[i].next = 0;
    for (uint32_t i = 1; i <= m->block_top; i++) {
        if (!blocks(m)[i].is_hold) continue;
        for (uint32_t more = blocks(m)[i].more; more; more = blocks(m)[more].more)
            blocks(m)[more].next = UINT32_MAX;
    }
    for (uint32_t i = 1; i <= m->block_top; i++) {
        if (blocks(m)[i].is_hold || blocks(m)[i].next == UINT32_MAX) continue;
        blocks(m)[i].next = m->block_free;
        m->block_free = i;
    }
}

void counters_memory_mend(struct counters_memory *m)
{
    mend_cells(m);
    mend_blocks(m);
    memset(hold_buckets(m), 0, m->hold_buckets * sizeof(uint32_t));
    m->hold_count = 0;
    uint32_t at = 0;
    for (struct counters_block *hold; (hold = counters_memory_next(m, &at));) {
        link_hold(m, hold);
        count_again(m, hold);
    }
}

struct counters_use counters_memory_use(const struct counters_memory *m)
{
    return (struct counters_use){m->cell_count, m->cell_max, m->hold_count, m->block_max};
}
