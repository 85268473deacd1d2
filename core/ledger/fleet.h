/*
 * PostgreSQL behind the ledger process: ships what is committed (ledger/ship.h), remembers in ledger.db how far that
 * has come, and lets retention delete nothing behind it.
 *
 *     struct fleet *f = fleet_new(loop, ledger, upkeep, &options, &events, arg);
 *     fleet_committed(f, is_awaited);    // behind each commit
 *     fleet_mark(f);                     // once a second
 *     fleet_free(f);
 *
 * A conninfo that cannot be used is a failure like others, and is told as such.
 */
#ifndef MOONGATE_LEDGER_FLEET_H
#define MOONGATE_LEDGER_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "ledger/upkeep.h"
#include "store/ledger.h"

struct fleet;
struct loop;
struct ship_state;

struct fleet_options {
    const char *data_dir, *conninfo; /* the latter a secret */
    struct slice gateway;
    uint64_t retain_ms; /* 0: for ever */
};

struct fleet_events {
    void (*on_shipped)(void *arg, uint64_t seq); /* all up to it are there */
    void (*on_state)(void *arg, bool is_failing, const char *why);
};

/* The options are copied; all else is borrowed until fleet_free(). The first on_state may come from here. */
struct fleet *fleet_new(struct loop *loop, struct ledger *ledger, struct upkeep *upkeep,
                        const struct fleet_options *options, const struct fleet_events *events, void *arg);
void fleet_free(struct fleet *f); /* NULL is welcome */
void fleet_committed(struct fleet *f, bool is_awaited);
void fleet_mark(struct fleet *f);
/* NULL: its conninfo cannot be used. */
const struct ship_state *fleet_state(struct fleet *f);

#endif
