/*
 * How far the budgets of the policies are used up: each with the scopes that were spent on in the running period, what
 * is left of it, and where it is going.
 *
 *     struct budgets *b = budgets_new(answer, topups, now_s);  // of scripts/budgets.lua
 *     ledger_read_charges(ledger, now_s, budgets_add, b, &why) // what was spent
 *     budgets_end(b);                                          // in order: used up first
 *     for (size_t i = 0; i < budgets_count(b); i++) … budgets_at(b, i) …
 *     budgets_free(b);
 *
 * It reads the keys that scripts/scopes.lua writes. What requests under way hold is not in it: that is in the memory of
 * the gateway. Reads nothing itself.
 */
#ifndef MOONGATE_CLI_BUDGETS_H
#define MOONGATE_CLI_BUDGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/counters/table.h"
#include "store/topups.h"

struct json_t;
struct budgets;

/* One field of a scope. */
struct budget_part {
    struct slice name, text;    /* text: the one value that is counted under; empty and !is_fixed: each … */
    struct slice key;           /* … and as it stands in keys */
    const struct slice *values; /* those that it stands for */
    size_t value_count;
    bool is_fixed;
};

struct budget {
    struct slice policy, name, at, mode, period, prefix;
    struct slice id; /* "budget/sales": as top-ups name it */
    const struct budget_part *parts;
    size_t part_count;
    int64_t start_s, stop_s; /* 0: a session */
    int64_t limit, blocks_at; /* nano-dollars; blocks_at -1: it never refuses */
    int64_t blocks_part;      /* of the limit, in hundredths of a percent */
    bool is_default, covers_default;
    bool is_shown; /* with a scope */
};

/* A budget and one of its scopes. */
struct budget_use {
    const struct budget *budget;
    struct slice scope; /* "department sales, app x", "each app" where nothing was spent, "everybody" */
    struct slice key;   /* the same as top-ups name it, "department=sales,app=x"; of "each app" NULL */
    struct topups_sum raised; /* what top-ups add now */
    int64_t limit, blocks_at; /* with them */
    int64_t nano;
    uint32_t idle_s; /* of a session: after so long without spending it begins anew */
};

/* Where it is going, if it goes on as until now. */
struct budget_course {
    int64_t nano;       /* what it comes to at the period's end; -1: too early to say, or a session */
    int64_t runs_out_s; /* when it is used up, since 1970; 0: not in this period */
};

/* topups are borrowed until budgets_free(); NULL: there are none. */
struct budgets *budgets_new(const struct json_t *answer, const struct topups *topups, int64_t now_s);
void budgets_free(struct budgets *b); /* NULL is welcome */
/* As ledger_read_charges() tells them: arg is the budgets. What no budget counts is left out. */
void budgets_add(void *arg, const struct counters_spent *spent);
/* Budgets of which nothing was spent are there too, and scopes that were given a top-up. */
void budgets_end(struct budgets *b);
size_t budgets_count(const struct budgets *b);
const struct budget_use *budgets_at(const struct budgets *b, size_t index);

bool budget_is_used_up(const struct budget_use *use);
/* Of the limit, rounded down. */
int64_t budget_percent(const struct budget_use *use);
struct budget_course budget_course(const struct budget_use *use, int64_t now_s);

#endif
