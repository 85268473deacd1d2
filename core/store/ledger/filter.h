/*
 * What is looked for in the ledger, in the words of people: the command line's --where and the filters of pages.
 *
 *     struct ledger_filter *f = ledger_filter_new();
 *     if (!ledger_filter_add(f, SLICE("department:Sales,Support"), &why)) ...  // what is wrong, newline, the cure
 *     ledger_filter_add(f, SLICE("!model:large-*"), &why);
 *     ledger_filter_add(f, SLICE("usd>0.5"), &why);
 *     ledger_filter_since(f, us);
 *     ledger_filter_free(f);
 *
 * One condition each call; all of them hold. `dim:value` or `dim=value`; a comma is an or; ! before it a not; * stands
 * for any text; "…" for a text as it is (a quote in it twice); an empty value: nothing was said. Numbers also with >,
 * >=, <, <=. What is no condition is a word, found in ids, names and reasons. The dimensions stand in ledger/filter.c.
 *
 * Becomes SQL whose values are bound, never written into it. Never reads a file.
 */
#ifndef MOONGATE_STORE_LEDGER_FILTER_H
#define MOONGATE_STORE_LEDGER_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct ledger_filter;

struct ledger_filter *ledger_filter_new(void);
void ledger_filter_free(struct ledger_filter *f); /* NULL is welcome */
/* False: nothing was added. */
bool ledger_filter_add(struct ledger_filter *f, struct slice text, struct fault *why);
/* From, and up to but not with, microseconds since 1970. */
void ledger_filter_since(struct ledger_filter *f, int64_t us);
void ledger_filter_until(struct ledger_filter *f, int64_t us);
/* Nothing was asked for: all is wanted. NULL too. */
bool ledger_filter_is_empty(const struct ledger_filter *f);

#endif
