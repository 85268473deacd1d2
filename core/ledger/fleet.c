#include "ledger/fleet.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ledger/ship.h"
#include "store/ledger/follow.h"

#define MARK "shipped"

struct fleet {
    struct loop *loop;
    char *data_dir, *gateway;
    char *conninfo; /* a secret; NULL: nothing is shipped */
    uint64_t retain_ms;
    struct ledger *ledger; /* NULL: not open yet; as upkeep is */
    struct upkeep *upkeep;
    const struct fleet_events *events;
    void *arg;
    struct ship *ship; /* NULL: there is nothing to reach */
    uint64_t shipped, marked;
};

static void on_shipped(void *arg, uint64_t seq)
{
    struct fleet *f = arg;
    f->shipped = seq;
    f->events->on_shipped(f->arg, seq);
}

static void on_state(void *arg, const struct ship_state *state)
{
    struct fleet *f = arg;
    f->events->on_state(f->arg, state->is_failing, state->why);
}

static const struct ship_events ship_events = {on_shipped, on_state};

/* What is on the disk counts: retention must not run ahead of what the next process knows. */
void fleet_mark(struct fleet *f)
{
    struct fault why;
    if (!f->ledger || f->shipped <= f->marked) return;
    if (ledger_mark(f->ledger, MARK, f->shipped, &why)) {
        f->marked = f->shipped;
        upkeep_keep_from(f->upkeep, f->marked + 1);
    } else {
        log_event(LOG_WARN, "ledger_unmarked", "how far PostgreSQL has come: %s", fault_message(&why));
    }
}

static void begin(struct fleet *f)
{
    struct fault why = {0};
    if (!ledger_marked(f->ledger, MARK, &f->marked)) f->marked = 0;
    f->shipped = f->marked;
    upkeep_keep_from(f->upkeep, f->marked + 1);
    struct ship_options options = {.data_dir = f->data_dir,
                                   .gateway = slice_str(f->gateway),
                                   .conninfo = f->conninfo,
                                   .retain_s = f->retain_ms / 1000,
                                   .shipped = f->marked};
    f->ship = ship_new(f->loop, &options, &ship_events, f, &why);
    if (!f->ship) log_event(LOG_ERROR, "postgres_refused", "%s", fault_message(&why));
    f->events->on_state(f->arg, true, f->ship ? ship_state(f->ship)->why : fault_message(&why));
}

static void end(struct fleet *f)
{
    fleet_mark(f);
    ship_free(f->ship);
    f->ship = NULL;
}

static void forget_secret(struct fleet *f)
{
    if (f->conninfo) explicit_bzero(f->conninfo, strlen(f->conninfo));
    mem_free(f->conninfo);
    f->conninfo = NULL;
}

void fleet_configure(struct fleet *f, struct slice conninfo, uint64_t retain_ms)
{
    bool was_on = fleet_is_on(f);
    if (slice_equal(slice_str(f->conninfo), conninfo) && f->retain_ms == retain_ms) return;
    if (was_on && f->ledger) end(f);
    forget_secret(f);
    if (conninfo.len) f->conninfo = mem_strndup(conninfo.ptr, conninfo.len);
    f->retain_ms = retain_ms;
    if (!f->ledger) return;
    if (f->conninfo) {
        begin(f);
    } else if (was_on) {
        upkeep_keep_from(f->upkeep, 0);
        f->events->on_state(f->arg, false, "");
    }
}

void fleet_open(struct fleet *f, struct ledger *ledger, struct upkeep *upkeep)
{
    f->ledger = ledger;
    f->upkeep = upkeep;
    if (f->conninfo) begin(f);
}

bool fleet_is_on(const struct fleet *f)
{
    return f->conninfo != NULL;
}

struct fleet *fleet_new(struct loop *loop, const char *data_dir, struct slice gateway,
                        const struct fleet_events *events, void *arg)
{
    struct fleet *f = mem_zalloc(1, sizeof *f);
    f->loop = loop;
    f->data_dir = mem_strdup(data_dir);
    f->gateway = mem_strndup(gateway.ptr, gateway.len);
    f->events = events;
    f->arg = arg;
    return f;
}

void fleet_free(struct fleet *f)
{
    if (!f) return;
    end(f);
    forget_secret(f);
    mem_free(f->data_dir);
    mem_free(f->gateway);
    mem_free(f);
}

void fleet_committed(struct fleet *f, bool is_awaited)
{
    if (f->ship) ship_committed(f->ship, is_awaited);
}

const struct ship_state *fleet_state(struct fleet *f)
{
    return f->ship ? ship_state(f->ship) : NULL;
}
