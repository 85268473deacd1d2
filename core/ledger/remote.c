#include "ledger/remote.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/ship.h"
#include "store/ledger_follow.h"

#define MARK "postgres"
#define NONE "moongate.lua has no postgres"

struct remote {
    struct loop *loop;
    struct remote_parts parts;
    const struct remote_events *events;
    void *arg;
    struct ship *ship; /* NULL: none is wanted, or its conninfo is no good */
    char *conninfo;    /* NULL: none is wanted */
    uint64_t retain_ms, shipped, marked;
    bool is_failing;
    char why[FAULT_TEXT_BYTES];
};

static void set_state(struct remote *r, bool is_failing, const char *why)
{
    if (is_failing == r->is_failing && strcmp(why, r->why) == 0) return;
    r->is_failing = is_failing;
    snprintf(r->why, sizeof r->why, "%s", why);
    r->events->on_change(r->arg);
}

static void on_shipped(void *arg, uint64_t seq)
{
    struct remote *r = arg;
    r->shipped = seq;
    r->events->on_shipped(r->arg, seq);
}

static void on_state(void *arg, const struct ship_state *state)
{
    set_state(arg, state->is_failing, state->why);
}

static const struct ship_events events = {on_shipped, on_state};

static void forget_conninfo(struct remote *r)
{
    if (r->conninfo) explicit_bzero(r->conninfo, strlen(r->conninfo));
    mem_free(r->conninfo);
    r->conninfo = NULL;
}

static void connect_to(struct remote *r)
{
    struct fault why;
    struct ship_options options = {.data_dir = r->parts.data_dir,
                                   .gateway = slice_str(r->parts.gateway),
                                   .conninfo = r->conninfo,
                                   .retain_s = r->retain_ms / 1000,
                                   .shipped = r->shipped};
    set_state(r, true, "it is being connected to");
    r->ship = ship_new(r->loop, &options, &events, r, &why);
    if (r->ship) return;
    log_event(LOG_ERROR, "postgres_refused", "%s", fault_message(&why));
    set_state(r, true, fault_message(&why));
}

void remote_configure(struct remote *r, struct slice conninfo, uint64_t retain_ms)
{
    bool is_same = r->conninfo ? slice_equal(conninfo, slice_str(r->conninfo)) : conninfo.len == 0;
    if (is_same && retain_ms == r->retain_ms) return;
    ship_free(r->ship);
    r->ship = NULL;
    forget_conninfo(r);
    r->retain_ms = retain_ms;
    if (conninfo.len) r->conninfo = mem_strndup(conninfo.ptr, conninfo.len);
    if (r->conninfo)
        connect_to(r);
    else
        set_state(r, true, NONE);
}

struct remote *remote_new(struct loop *loop, const struct remote_parts *parts, const struct remote_events *remote_events,
                          void *arg)
{
    struct remote *r = mem_zalloc(1, sizeof *r);
    r->loop = loop;
    r->parts = *parts;
    r->events = remote_events;
    r->arg = arg;
    r->is_failing = true;
    snprintf(r->why, sizeof r->why, "%s", NONE);
    if (!ledger_marked(parts->ledger, MARK, &r->shipped)) r->shipped = 0;
    r->marked = r->shipped;
    return r;
}

void remote_free(struct remote *r)
{
    if (!r) return;
    ship_free(r->ship);
    forget_conninfo(r);
    mem_free(r);
}

void remote_committed(struct remote *r, bool is_awaited)
{
    if (r->ship) ship_committed(r->ship, is_awaited);
}

bool remote_is_done(struct remote *r)
{
    return !r->ship || r->is_failing || ship_is_done(r->ship);
}

bool remote_is_failing(const struct remote *r)
{
    return r->is_failing;
}

bool remote_is_wanted(const struct remote *r)
{
    return r->conninfo != NULL;
}

struct remote_state remote_look(struct remote *r)
{
    struct fault ignored;
    struct remote_state state = {
        .is_wanted = r->conninfo != NULL, .is_failing = r->is_failing, .why = r->why, .shipped = r->shipped};
    if (!r->ship) return state;
    const struct ship_state *ship = ship_state(r->ship);
    state.lag_entries = ship->lag_rows;
    state.lag_ms = ship->lag_ms;
    if (r->shipped != r->marked && ledger_mark(r->parts.ledger, MARK, r->shipped, &ignored)) r->marked = r->shipped;
    return state;
}
