/*
 * The ledger's way to PostgreSQL as the process sees it: whether there is one, how far it has come, and what it is to
 * be told at a reload. The shipping itself is ship.h's.
 *
 *     struct remote *r = remote_new(loop, &parts, &events, arg);
 *     remote_configure(r, conninfo, retain_ms);       // empty: none; another one is connected to instead
 *     remote_committed(r, is_awaited);                // behind each commit
 *     remote_free(r);
 *
 * Without PostgreSQL nothing can be had remotely: it counts as failing, and says why.
 */
#ifndef MOONGATE_LEDGER_REMOTE_H
#define MOONGATE_LEDGER_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/ledger.h"

struct loop;
struct remote;

struct remote_parts {
    const char *data_dir, *gateway; /* borrowed until remote_free(), as the ledger is */
    struct ledger *ledger;
};

struct remote_state {
    bool is_wanted, is_failing;
    const char *why;      /* "" when all is well */
    uint64_t shipped;     /* seq */
    uint64_t lag_entries, lag_ms;
};

struct remote_events {
    void (*on_shipped)(void *arg, uint64_t seq);
    void (*on_change)(void *arg); /* failing or not, or another reason */
};

struct remote *remote_new(struct loop *loop, const struct remote_parts *parts, const struct remote_events *events,
                          void *arg);
void remote_free(struct remote *r); /* NULL is welcome */
void remote_configure(struct remote *r, struct slice conninfo, uint64_t retain_ms);
void remote_committed(struct remote *r, bool is_awaited);
/* Nothing is left that could be shipped now. */
bool remote_is_done(struct remote *r);
/* Once a second: notes how far it has come. Reads ledger.db for the lag. */
struct remote_state remote_look(struct remote *r);
bool remote_is_failing(const struct remote *r);
bool remote_is_wanted(const struct remote *r);

#endif
