#include "ledger/commit.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/loop.h"

#define FEW 64u /* entries that are tried while nothing can be committed */

struct waiting {
    struct list_link place;
    enum chain_kind kind;
    struct link *link;
    uint64_t number;
    bool has_id, has_instance;
    uint8_t id[LINK_ID_BYTES], instance[LINK_ID_BYTES];
    size_t len;
    char body[];
};

struct commit {
    struct loop *loop;
    struct loop_work work; /* behind what has just come in */
    struct loop_timer retry;
    const struct commit_events *events;
    void *arg;
    struct ledger *ledger;
    struct list_link queue;
    uint64_t count, added;
    size_t bytes;
    bool is_failing;
    char why[FAULT_TEXT_BYTES];
};

/* ---- One batch. */

static struct waiting *waiting_at(struct list_link *place)
{
    return LIST_OWNER(place, struct waiting, place);
}

static enum ledger_put put(struct commit *c, const struct waiting *w, struct fault *why)
{
    struct ledger_entry entry = {.kind = w->kind,
                                 .id = w->has_id ? w->id : NULL,
                                 .instance = w->has_instance ? w->instance : NULL,
                                 .body = slice_of(w->body, w->len)};
    return ledger_put(c->ledger, &entry, why);
}

static bool write_batch(struct commit *c, struct commit_batch *batch, unsigned max, struct fault *why)
{
    if (!ledger_begin(c->ledger, why)) return false;
    for (struct list_link *at = c->queue.next; at != &c->queue && batch->entries < max; at = at->next) {
        enum ledger_put done = put(c, waiting_at(at), why);
        if (done == LEDGER_FAILED) return false;
        batch->entries++;
        batch->stored += done == LEDGER_STORED;
    }
    return ledger_commit(c->ledger, why);
}

static void drop_first(struct commit *c)
{
    struct waiting *w = waiting_at(c->queue.next);
    list_remove(&w->place);
    c->count--;
    c->bytes -= sizeof *w + w->len;
    mem_free(w);
}

static void note_committed(struct commit *c, unsigned entries)
{
    while (entries--) {
        struct waiting *w = waiting_at(c->queue.next);
        if (w->link) link_committed(w->link, w->number);
        drop_first(c);
    }
}

static void set_state(struct commit *c, bool is_failing, const char *why)
{
    if (c->is_failing == is_failing && strcmp(c->why, why) == 0) return;
    c->is_failing = is_failing;
    snprintf(c->why, sizeof c->why, "%s", why);
    c->events->on_state(c->arg, is_failing, c->why);
}

/* False: it failed, and nothing has changed. */
static bool commit_some(struct commit *c)
{
    struct commit_batch batch = {.began_ns = clock_mono_ns()};
    struct fault why;
    c->events->on_begin(c->arg);
    bool is_good = write_batch(c, &batch, c->is_failing ? FEW : LIMIT_LEDGER_BATCH, &why);
    if (!is_good) batch.entries = batch.stored = 0;
    batch.ended_ns = clock_mono_ns();
    note_committed(c, batch.entries);
    set_state(c, !is_good, is_good ? "" : fault_message(&why));
    c->events->on_batch(c->arg, &batch);
    return is_good;
}

/* ---- When. */

static void plan(struct commit *c)
{
    if (c->ledger && c->count && !loop_timer_is_armed(&c->retry)) loop_work_add(&c->work);
}

static void on_turn(void *arg)
{
    struct commit *c = arg;
    if (!c->ledger || c->count == 0) return;
    if (!commit_some(c)) loop_timer_arm_ms(&c->retry, LIMIT_LEDGER_RETRY_MS);
    plan(c);
}

struct commit *commit_new(struct loop *loop, const struct commit_events *events, void *arg)
{
    struct commit *c = mem_zalloc(1, sizeof *c);
    c->loop = loop;
    c->events = events;
    c->arg = arg;
    list_init(&c->queue);
    loop_work_init(&c->work, loop, on_turn, c);
    loop_timer_init(&c->retry, loop, on_turn, c);
    return c;
}

void commit_free(struct commit *c)
{
    if (!c) return;
    loop_work_drop(&c->work);
    loop_timer_disarm(&c->retry);
    while (c->count)
        drop_first(c);
    mem_free(c);
}

void commit_open(struct commit *c, struct ledger *ledger)
{
    c->ledger = ledger;
    plan(c);
}

void commit_add(struct commit *c, const struct commit_entry *entry)
{
    struct waiting *w = mem_alloc(sizeof *w + entry->body.len);
    *w = (struct waiting){.kind = entry->kind,
                          .link = entry->link,
                          .number = entry->number,
                          .has_id = entry->id != NULL,
                          .has_instance = entry->instance != NULL,
                          .len = entry->body.len};
    if (w->has_id) memcpy(w->id, entry->id, sizeof w->id);
    if (w->has_instance) memcpy(w->instance, entry->instance, sizeof w->instance);
    if (w->len) memcpy(w->body, entry->body.ptr, w->len);
    list_append(&c->queue, &w->place);
    c->count++;
    c->added++;
    c->bytes += sizeof *w + w->len;
    if (w->link) link_waits(w->link, 1);
    plan(c);
}

bool commit_is_full(const struct commit *c)
{
    return c->bytes > LIMIT_LEDGER_QUEUE_BYTES;
}

bool commit_is_failing(const struct commit *c)
{
    return c->is_failing;
}

uint64_t commit_waiting(const struct commit *c)
{
    return c->count;
}

uint64_t commit_added(const struct commit *c)
{
    return c->added;
}

uint64_t commit_done(const struct commit *c)
{
    return c->added - c->count;
}
