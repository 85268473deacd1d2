/*
 * A filter made SQL, for the files that ask the ledger: a text with numbered parameters, and their values.
 *
 *     struct ledger_where w;
 *     ledger_where_init(&w);
 *     if (!ledger_filter_where(filter, FILTER_RECORDS, &w, &why)) ...
 *     size_t limit = ledger_where_number(&w, 50);           // a parameter more: ?limit
 *     ledger_where_clear(&w);
 */
#ifndef MOONGATE_STORE_LEDGER_FILTER_INNER_H
#define MOONGATE_STORE_LEDGER_FILTER_INNER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "store/ledger/filter.h"

enum filter_table {
    FILTER_RECORDS, /* r: requests */
    FILTER_REST,    /* c: what else stands in the chain */
    FILTER_ROLLUP,  /* the sums of days */
    FILTER_TABLES,
};

/* ---- What was asked for. */

enum {
    NO_NUMBER = -1,
    NO_COLUMN = -2, /* nor one text: any number of them, which a SELECT gives, each called `one` */
};

struct filter_dim {
    const char *name;
    const char *columns[FILTER_TABLES]; /* what says it in each table; NULL: nothing does */
    int decimals;                       /* of a number; else one of the above */
    bool is_text;                       /* with : and = as a text, so that * may stand in it */
};

enum filter_op { FILTER_IS, FILTER_ABOVE, FILTER_FROM, FILTER_BELOW, FILTER_TO };

struct filter_value {
    struct slice text; /* as it is, or with is_pattern as GLOB reads it */
    bool is_pattern;
    int64_t number;
};

struct filter_term {
    const struct filter_dim *dim; /* NULL: a word */
    enum filter_op op;
    bool is_not;
    struct filter_value *wanted;
    size_t count;
};

struct ledger_filter {
    struct arena arena;
    struct filter_term terms[LIMIT_FILTER_TERMS];
    size_t count, values;
    bool has_kinds;
    unsigned kinds; /* bit n: of enum chain_kind */
    int64_t since_us, until_us;
};

/* ---- The SQL of it. */

struct ledger_value {
    bool is_number, is_blob;
    int64_t number;
    struct slice bytes;
};

struct ledger_where {
    struct buf sql; /* "1" when nothing was asked for; no time is in it */
    struct arena arena;
    struct ledger_value *values; /* of the parameters ?1, ?2 … */
    size_t count, room;
    bool is_never; /* no row of that table can be meant */
};

void ledger_where_init(struct ledger_where *w);
void ledger_where_clear(struct ledger_where *w);
/* Their parameters' numbers. */
size_t ledger_where_number(struct ledger_where *w, int64_t number);
size_t ledger_where_text(struct ledger_where *w, struct slice text);
size_t ledger_where_blob(struct ledger_where *w, const uint8_t *bytes, size_t len);

/* Behind a condition: between the filter's times. No index of them is used: the seqs were found by it before. */
void ledger_where_times(struct ledger_where *w, const struct ledger_filter *filter);
/* Appends one condition in brackets. False: the table has no such dimension (FILTER_ROLLUP alone). filter NULL: all. */
bool ledger_filter_where(const struct ledger_filter *filter, enum filter_table table, struct ledger_where *w,
                         struct fault *why);
/* All ids that begin with these digits ("req_" may stand before them, dashes anywhere). False: they are no digits, or
 * fewer than least. */
bool ledger_id_range(struct slice text, size_t least, uint8_t first[16], uint8_t last[16]);

#endif
