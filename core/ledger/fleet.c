#include "ledger/fleet.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/ship.h"
#include "store/ledger_follow.h"

#define MARK "shipped"

struct fleet {
    struct ledger *ledger;
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
    if (f->shipped <= f->marked) return;
    if (ledger_mark(f->ledger, MARK, f->shipped, &why)) {
        f->marked = f->shipped;
        upkeep_keep_from(f->upkeep, f->marked + 1);
    } else {
        log_event(LOG_WARN, "ledger_unmarked", "how far PostgreSQL has come: %s", fault_message(&why));
    }
}

struct fleet *fleet_new(struct loop *loop, struct ledger *ledger, struct upkeep *upkeep,
                        const struct fleet_options *options, const struct fleet_events *events, void *arg)
{
    struct fleet *f = mem_zalloc(1, sizeof *f);
    struct fault why = {0};
    *f = (struct fleet){.ledger = ledger, .upkeep = upkeep, .events = events, .arg = arg};
    if (!ledger_marked(ledger, MARK, &f->marked)) f->marked = 0;
    f->shipped = f->marked;
    upkeep_keep_from(upkeep, f->marked + 1);
    struct ship_options ship_options = {.data_dir = options->data_dir,
                                        .gateway = options->gateway,
                                        .conninfo = options->conninfo,
                                        .retain_s = options->retain_ms / 1000,
                                        .shipped = f->marked};
    f->ship = ship_new(loop, &ship_options, &ship_events, f, &why);
    if (!f->ship) log_event(LOG_ERROR, "postgres_refused", "%s", fault_message(&why));
    events->on_state(arg, true, f->ship ? ship_state(f->ship)->why : fault_message(&why));
    return f;
}

void fleet_free(struct fleet *f)
{
    if (!f) return;
    fleet_mark(f);
    ship_free(f->ship);
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
