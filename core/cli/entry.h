/*
 * One entry of the ledger as commands show it: the cells of a line, and one JSON object.
 *
 *     struct entry_cells cells;
 *     entry_read(&cells, &arena, row);             // requests, changes, losses, starts: all in the same cells
 *     entry_append_json(&out, row, data);          // {"seq":7,"kind":"exchange","id":"req_…","time":…,"entry":{…}}
 */
#ifndef MOONGATE_CLI_ENTRY_H
#define MOONGATE_CLI_ENTRY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "store/ledger/read.h"

struct entry_cells {
    const char *time, *seq, *kind, *id;
    const char *when; /* the time as tables have room for it, UTC: 20:12:45Z, 11-28 20:12Z, 2025-11-28 */
    const char *who;    /* department/user, or the administrator */
    const char *what;   /* model → target, or action target */
    const char *result; /* "403 denied" */
    const char *detail; /* rule: reason */
    const char *usd, *tokens, *took;
    bool is_bad, is_refused; /* an error; a denial */
};

/* What is shown lies in the arena. The detail comes from the body. */
void entry_read(struct entry_cells *cells, struct arena *arena, const struct ledger_row *row);
/* The beginning of an id that tells it from others of the same millisecond: what tables have room for. */
const char *entry_short_id(struct arena *arena, const struct ledger_row *row);
/* Of a request from its columns, of anything else from its body; "" where it says none. */
const char *entry_time(struct arena *arena, const struct ledger_row *row);
const char *entry_way(struct arena *arena, const struct ledger_row *row);
/* Columns by their names, times as RFC 3339, money as "usd" and "cost_nano"; with a body "entry", which is it. */
void entry_append_json(struct buf *out, const struct ledger_row *row);

#endif
