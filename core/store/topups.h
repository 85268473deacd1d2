/*
 * Top-ups as a worker sees them: what is added to the limits of budgets, each until it ends.
 *
 *     struct topups *topups = topups_map(fd, &why);                // what store/topups_build.h made
 *     struct topups_sum sum = topups_now(topups, SLICE("budget/sales"), SLICE("department=sales"), now_s);
 *     topups_unref(topups);
 *
 * A budget is named by its policy and its row, "budget/sales", "budget/default"; a scope by the text that
 * scripts/scopes.lua counts under (scopes.key: "department=sales,app=x"), "" for a row that is for everybody. Several
 * of one budget and scope add up. Immutable: what ends by itself is told by the clock of who asks, not by a new
 * section, which therefore has some that are over, too.
 */
#ifndef MOONGATE_STORE_TOPUPS_H
#define MOONGATE_STORE_TOPUPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct section_about;
struct topups;

/* From a sealed memory file, or of a copy of its bytes. NULL and *why: it is not one, and nothing of it is taken. */
struct topups *topups_map(int fd, struct fault *why);
struct topups *topups_copy(struct slice section, struct fault *why);
struct topups *topups_empty(void);
struct topups *topups_ref(struct topups *topups);
void topups_unref(struct topups *topups); /* NULL is welcome */
size_t topups_count(const struct topups *topups);
/* NULL: they are of no section. */
const struct section_about *topups_about(const struct topups *topups);
/* Whose it is, in the section's order; index must be below the count. */
void topups_at(const struct topups *topups, size_t index, struct slice *budget, struct slice *scope);

/* What is added at a time. */
struct topups_sum {
    int64_t nano;    /* at most LIMIT_TOPUP_NANO: with a limit of a policy it stays below 2^53 */
    int64_t ends_at; /* when the first of them ends */
    uint32_t count;  /* 0: nothing is added, and all is 0 */
};
/* NULL topups are none. */
struct topups_sum topups_now(const struct topups *topups, struct slice budget, struct slice scope, int64_t now_s);

#endif
