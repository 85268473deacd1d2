/*
 * What is made from the chain, made once more and compared: records, intents, changes, the sums of each day, what
 * budgets were charged in periods that are not over for long, and which notices of them were given or are to be sent.
 *
 *     struct ledger_check how = {.data_dir = "data", .is_repair = false, .on_difference = say, .arg = out};
 *     struct ledger_checked found;
 *     if (ledger_check(&how, &found, &why)) … found.differences
 *
 * A repair writes all that differs in one transaction, and is refused under a running gateway; without it the file is
 * read as of one moment, whoever writes it, and until that is done the write-ahead log cannot begin anew. It does not
 * look at hashes and anchors: `moongate audit verify` does. Blocking, for commands; the sums of all days are held in a
 * temporary table.
 */
#ifndef MOONGATE_STORE_LEDGER_CHECK_H
#define MOONGATE_STORE_LEDGER_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

struct ledger_check {
    const char *data_dir;
    bool is_repair;
    void (*on_difference)(void *arg, const char *text); /* one line: "records: entry 17: cost_nano is 5, not 7" */
    void *arg;
};

struct ledger_checked {
    uint64_t entries, records; /* that were read, and those of them that have a row in records */
    uint64_t differences;      /* all of them; at most LIMIT_LEDGER_DIFFERENCES were told */
};

/* False: it could not be read or written. */
bool ledger_check(const struct ledger_check *how, struct ledger_checked *found, struct fault *why);

#endif
