/*
 * PostgreSQL behind the ledger process: ships what is committed (ledger/ship.h), remembers in ledger.db how far that
 * has come, and lets retention delete nothing behind it.
 *
 *     struct fleet *f = fleet_new(loop, data_dir, gateway, &events, arg);
 *     fleet_configure(f, conninfo, retain_ms);   // empty: nothing is shipped
 *     fleet_open(f, ledger, upkeep);             // from then on it goes
 *     fleet_committed(f, is_awaited);            // behind each commit
 *     fleet_mark(f);                             // once a second
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
#include "store/ledger/ledger.h"

struct fleet;
struct loop;
struct ship_state;

struct fleet_events {
    void (*on_shipped)(void *arg, uint64_t seq); /* all up to it are there */
    void (*on_state)(void *arg, bool is_failing, const char *why);
};

/* The texts are copied; `events` is borrowed until fleet_free(). */
struct fleet *fleet_new(struct loop *loop, const char *data_dir, struct slice gateway,
                        const struct fleet_events *events, void *arg);
void fleet_free(struct fleet *f); /* NULL is welcome */
/* Another one from now on, unless it is what it was. The conninfo is a secret, and copied. retain_ms: 0: for ever. May
 * call on_state. */
void fleet_configure(struct fleet *f, struct slice conninfo, uint64_t retain_ms);
/* Borrowed until fleet_free(). May call on_state. */
void fleet_open(struct fleet *f, struct ledger *ledger, struct upkeep *upkeep);
/* Something is to be shipped, and somebody may wait for it. */
bool fleet_is_on(const struct fleet *f);
void fleet_committed(struct fleet *f, bool is_awaited);
void fleet_mark(struct fleet *f);
/* NULL: nothing is shipped, or its conninfo cannot be used. */
const struct ship_state *fleet_state(struct fleet *f);

#endif
