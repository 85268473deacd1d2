/*
 * A page of the ledger's entries, the newest first: what the commands that list them have in common.
 *
 *     struct listing l = {.page = {.has_bodies = true}};
 *     if (!listing_open(&l, argc, argv, (char *[]){"audit", "search"}, 2)) return l.exit_code;      // all was said
 *     ledger_read_page(l.looking.ledger, l.looking.filter, &l.page, …);      // as a table, or:
 *     listing_append_json(&l, &out, &why);                                   // {"items":[…],"next":"17"
 *     listing_close(&l);
 *
 * Holds a page, whose length is bounded (LIMIT_LEDGER_PAGE).
 */
#ifndef MOONGATE_CLI_LISTING_H
#define MOONGATE_CLI_LISTING_H

#include "base/buf.h"
#include "cli/entry.h"
#include "cli/looking.h"
#include "cli/table.h"

struct listing {
    struct looking looking;
    struct ledger_page page;
    uint64_t count; /* rows that are shown */
    bool is_json, is_seen; /* is_seen: a terminal shows it */
    int exit_code;
};

/* Reads the options, of which --limit and --before are its own, and opens the ledger. False: exit with exit_code. */
bool listing_open(struct listing *l, int argc, char **argv, char **command, int words);
void listing_close(struct listing *l);
/* The cell in which a row of the table says how it ended, coloured if that was no good end. */
void listing_mark(struct table *table, size_t column, const struct entry_cells *cells);
/* Appends all but the last brace. */
bool listing_append_json(struct listing *l, struct buf *out, struct fault *why);

#endif
