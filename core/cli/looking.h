/*
 * What the commands that look into the ledger share: which file, which of its entries, since when.
 *
 *     struct looking looking = {0};
 *     const struct option options[] = {LOOKING_OPTIONS(&looking), …, {NULL, OPTION_FLAG, NULL}};
 *     … cli_options() …
 *     if (!looking_open(&looking, common.config, words, count)) return CLI_USAGE;           // it was said
 *     ledger_read_page(looking.ledger, looking.filter, …);
 *     looking_close(&looking);
 */
#ifndef MOONGATE_CLI_LOOKING_H
#define MOONGATE_CLI_LOOKING_H

#include "base/fault.h"
#include "cli/cli.h"
#include "cli/period.h"
#include "store/ledger/read.h"

#define LOOKING_DAYS 30u

struct looking {
    /* As given. */
    struct option_list where;
    const char *since, *until;
    bool is_recent; /* only the last LOOKING_DAYS where --since says nothing; after looking_open(): it did not */
    /* From looking_open() on. */
    char *data_dir;
    struct ledger_read *ledger;
    struct ledger_filter *filter;
    struct period_zone zone;
    int64_t now_us, since_us; /* since_us 0: from the beginning */
};

/* clang-format off */
#define LOOKING_OPTIONS(looking)                                                                                       \
    {"--where|-w", OPTION_LIST, &(looking)->where}, {"--since", OPTION_TEXT, &(looking)->since},                       \
    {"--until", OPTION_TEXT, &(looking)->until}
/* clang-format on */

/* Words are conditions too. False: looking_close() is not needed, and the message was printed. */
bool looking_open(struct looking *looking, const char *config, const char *const *words, size_t count);
void looking_close(struct looking *looking);
/* What budgets were charged, as ledger_read_charges() tells it; where no gateway ever ran that is nothing. */
bool looking_charges(const char *data_dir, int64_t now_s,
                     void (*visit)(void *arg, const struct counters_spent *spent), void *arg, struct fault *why);
/* The one of that key and period. */
bool looking_charge(const char *data_dir, struct slice key, int64_t start_s, int64_t now_s,
                    void (*visit)(void *arg, const struct counters_spent *spent), void *arg, struct fault *why);
/* A count such as --limit; NULL leaves it. False after a message. */
bool looking_read_count(const char *option, const char *text, uint64_t most, uint64_t *count);

#endif
