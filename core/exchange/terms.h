/*
 * What one generation of policies says of a target beyond its name: its price, how its tokens are counted, how much it
 * takes in. Handed from scripts/ to C when a bundle is loaded (lua/bind_terms.c), and read without Lua afterwards.
 *
 *     struct terms_table *table = terms_table_new();
 *     struct terms *t = terms_table_add(table, SLICE("openai/small"));   // at load
 *     const struct terms *t = terms_table_find(table, name);              // NULL: no such target
 *     terms_table_free(table);
 *
 * A generation owns its table; an exchange may keep a `struct terms` as long as it holds the generation that admitted
 * it, so a reload never changes what a request under way costs.
 */
#ifndef MOONGATE_EXCHANGE_TERMS_H
#define MOONGATE_EXCHANGE_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "exchange/price.h"

struct count_rules; /* wire/count.h */
struct traits;      /* wire/translate/traits.h */

struct terms {
    struct slice target;               /* "openai/small" */
    const struct price *price;         /* NULL: unpriced */
    bool is_default_price;             /* nobody gave it a price of its own: models.lua's price for all such holds */
    const struct count_rules *counting; /* NULL: the usual rules */
    const struct traits *traits;        /* what it takes of a request in another dialect; NULL: nobody said */
    bool refuses_dropped;              /* a request that it cannot be told whole (models.lua, on_dropped) */
    uint64_t context_tokens;           /* of one request, input and output; 0: not said */
    struct slice kind;                 /* of its account: what that speaks (wire/dialect.h); empty: nobody said */
};

struct terms_table;

struct terms_table *terms_table_new(void);
void terms_table_free(struct terms_table *table); /* NULL is welcome */
/* What prices and rules are made of: lives as long as the table. */
struct arena *terms_table_arena(struct terms_table *table);
/* A new one, or the one of that name. Copies the name; the rest is the caller's to fill. */
struct terms *terms_table_add(struct terms_table *table, struct slice target);
const struct terms *terms_table_find(const struct terms_table *table, struct slice target);
/* A name that callers may ask for runs at this target; called for each of its targets, the preferred first, once the
 * target has its counting rules. */
void terms_table_add_name(struct terms_table *table, struct slice name, const struct terms *terms);
/* Routing may lead a name that has no targets of its own to this one. */
void terms_table_add_virtual(struct terms_table *table, struct slice name, const struct terms *terms);
/* How a request for that name is counted before a target is chosen: by its first target's rules. NULL: the usual ones,
 * also for a name that is not there, or has no targets of its own. */
const struct count_rules *terms_table_counting(const struct terms_table *table, struct slice name);
/* The one vocabulary (its index) that such a request is counted in before a target is chosen: its first target's. Where
 * routing chooses, or the name is not there, the one that most of the targets count in: which it will be is not known,
 * and counting in another one too costs as much again.
 * A target of another vocabulary is counted for when it is called, or asked about. */
unsigned terms_table_vocabulary(const struct terms_table *table, struct slice name);
void terms_table_set_context(struct terms_table *table, struct terms *terms, uint64_t tokens);
/* Largest context of all targets; 0 when none says. */
uint64_t terms_table_context_max(const struct terms_table *table);

#endif
