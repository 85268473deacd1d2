/*
 * What the commands that look into the ledger share: which file, which of its entries, since when.
 *
 *     struct looking looking = {0};
 *     const struct option options[] = {LOOKING_OPTIONS(&looking), …, {NULL, OPTION_FLAG, NULL}};
 *     … cli_options() …
 *     if (!looking_open(&looking, common.config, words, count)) return looking.exit_code;   // it was said
 *     ledger_read_page(looking.ledger, looking.filter, …);
 *     looking_close(&looking);
 */
#ifndef MOONGATE_CLI_LOOKING_H
#define MOONGATE_CLI_LOOKING_H

#include "base/fault.h"
#include "cli/cli.h"
#include "cli/period.h"
#include "store/ledger_read.h"

struct looking {
    /* As given. */
    struct option_list where;
    const char *since, *until;
    /* From looking_open() on. */
    char *data_dir;
    struct ledger_read *ledger;
    struct ledger_filter *filter;
    struct period_zone zone;
    int64_t now_us;
    int exit_code;
};

/* clang-format off */
#define LOOKING_OPTIONS(looking)                                                                                       \
    {"--where|-w", OPTION_LIST, &(looking)->where}, {"--since", OPTION_TEXT, &(looking)->since},                       \
    {"--until", OPTION_TEXT, &(looking)->until}
/* clang-format on */

/* Words are conditions too. False: looking_close() is not needed, and the message was printed. */
bool looking_open(struct looking *looking, const char *config, const char *const *words, size_t count);
void looking_close(struct looking *looking);
/* Prints *why, whose second line is the cure. Always exit_code. */
int looking_fail(int exit_code, const struct fault *why);
/* A count such as --limit; NULL leaves it. False after a message. */
bool looking_read_count(const char *option, const char *text, uint64_t most, uint64_t *count);

#endif
