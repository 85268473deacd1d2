/*
 * The memory of counters: cells, one for each key that is counted, and holds, one for each request that has taken
 * something. Plain memory without a pointer in it, so that processes may share it at different addresses.
 *
 *     struct counters_memory *m = counters_memory_at(bytes);       // counters_memory_bytes() of zeros
 *     struct counters_cell *cell = counters_memory_cell(m, name, unit, now);     // found, or made
 *     struct counters_block *hold = counters_memory_hold(m, id);                // found; NULL
 *
 * Holds are the truth, and cells are what they come to: counters_memory_mend() makes the sums of cells anew from the
 * holds, when a process was killed in the middle of a change. What makes an item of either valid is one byte, which is
 * written last and taken back first.
 * A cell in which nothing is counted any more is forgotten, a few at each that is made; no cell is looked for by
 * scanning. Money is known for LIMIT_COUNTERS_OVER_S longer, if there is place: requests of a period are asked for
 * after its end, and a calendar's clock is put back. For the files of counters_table. Whoever shares it locks it
 * (store/counters/shared.h).
 */
#ifndef MOONGATE_STORE_COUNTERS_MEMORY_H
#define MOONGATE_STORE_COUNTERS_MEMORY_H

#include "base/limits.h"
#include "store/counters/counters.h"

#define COUNTERS_BLOCK_ITEMS 8u
#define COUNTERS_OVER_NS (LIMIT_COUNTERS_OVER_S * INT64_C(1000000000))

/* Two clocks, both since 1970. The calendar's is set by people and by servers of time, at any moment and to any side;
 * the steady one never is: who asks ten times at once does so within its moment, whatever happens to the other. */
struct counters_time {
    int64_t wall_ns;   /* periods, sessions */
    int64_t steady_ns; /* rates */
};

/* 128 bits of a key's hash, under a secret that nobody outside knows, stand for its text. */
struct counters_name {
    uint64_t hash[2];
};

struct counters_cell {
    struct counters_name name;
    int64_t until_ns;    /* rates, by the steady clock */
    int64_t spent, held; /* money */
    int64_t stop_ns;     /* money, by the calendar's: nothing is asked of it after that, or its session is over */
    uint32_t refs;       /* items of holds: what runs at the same time, and who may come back to it */
    uint32_t next;       /* in its bucket, or among the free */
    uint8_t unit, is_used;
};

/* What a hold has taken of one cell. */
struct counters_taken {
    uint32_t cell;
    uint8_t unit, is_given_back;
    uint16_t item;   /* of the question that it was admitted by */
    int64_t amount;  /* tokens, nano-dollars */
    int64_t part_ns; /* tokens: of the window */
};

/* A hold, or what it has beyond COUNTERS_BLOCK_ITEMS items. */
struct counters_block {
    char id[COUNTERS_HOLD_BYTES];
    uint64_t owner;
    uint32_t next; /* in its bucket, or among the free */
    uint32_t more; /* the rest of its items; 0: none */
    uint32_t count; /* of all of its items */
    uint8_t is_hold;    /* it stands; 0: free, or the rest of another */
    uint8_t is_settled; /* its request is over: only its money waits for the ledger */
    struct counters_taken items[COUNTERS_BLOCK_ITEMS];
};

struct counters_memory;

/* What so many cells and holds need. Both are at most 2^24; untouched pages of it cost nothing. */
size_t counters_memory_bytes(uint32_t cells, uint32_t holds);
/* Makes one of zeros. */
void counters_memory_make(void *zeros, uint32_t cells, uint32_t holds);
struct counters_memory *counters_memory_at(void *bytes);

/* What tells an item's key from all others: its unit, of money its period too. */
struct counters_name counters_memory_name(const struct counters_memory *m, enum counters_unit unit, struct slice key,
                                          int64_t start_s);
/* It will be looked for soon, then sooner: many are fetched at once, and not one after another. */
void counters_memory_expect(const struct counters_memory *m, struct counters_name name);
void counters_memory_expect_now(struct counters_memory *m, struct counters_name name);
/* NULL: there is none. */
struct counters_cell *counters_memory_find(struct counters_memory *m, struct counters_name name);
/* Found or made; NULL: there is no place. */
struct counters_cell *counters_memory_cell(struct counters_memory *m, struct counters_name name,
                                           enum counters_unit unit, struct counters_time now);
uint32_t counters_memory_number(const struct counters_memory *m, const struct counters_cell *cell);
struct counters_cell *counters_memory_cell_at(struct counters_memory *m, uint32_t number);

/* NULL: there is none. */
struct counters_block *counters_memory_hold(struct counters_memory *m, const char *id);
/* A hold with room for so many items, zeroed, that does not stand yet: _stand() or _drop() follows. NULL: there is no
 * place. */
struct counters_block *counters_memory_new_hold(struct counters_memory *m, const char *id, uint32_t items);
void counters_memory_stand(struct counters_memory *m, struct counters_block *hold);
void counters_memory_drop(struct counters_memory *m, struct counters_block *hold);
/* Item `i` of those that it has room for. */
struct counters_taken *counters_memory_taken(struct counters_memory *m, struct counters_block *hold, uint32_t i);
/* What of its cell's time goes back with it, in order with what is written before and after. */
void counters_memory_set_part(struct counters_taken *taken, int64_t part_ns);
/* It stands for nothing any more, before what it took is taken off its cell. */
void counters_memory_give_back(struct counters_taken *taken);
/* The next one that stands, from *at on, which starts at 0; NULL: that were all. */
struct counters_block *counters_memory_next(struct counters_memory *m, uint32_t *at);

void counters_memory_mend(struct counters_memory *m);

struct counters_use {
    uint32_t cells, cells_max, holds, holds_max;
};
struct counters_use counters_memory_use(const struct counters_memory *m);

#endif
