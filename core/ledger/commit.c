#include "ledger/commit.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/texts/texts.h"

#define FEW 64u /* entries that are tried while nothing can be committed */
#define MANY 64u     /* of one turn: more of them are on their way … */
#define ENOUGH 1024u /* … and are gathered up to here: what a batch costs is shared */

struct waiting {
    struct list_link place;
    enum chain_kind kind;
    struct link *link;
    uint64_t number;
    bool has_id, has_instance;
    uint8_t id[LINK_ID_BYTES], instance[LINK_ID_BYTES];
    size_t len, prompt_bytes, answer_bytes, subject_bytes;
    char body[]; /* … and the texts behind it */
};

struct commit {
    struct loop *loop;
    struct loop_work work; /* behind what has just come in */
    struct loop_timer retry;
    const struct commit_events *events;
    void *arg;
    struct ledger *ledger;
    struct texts *texts;
    struct list_link queue;
    uint64_t count, added;
    uint64_t seen; /* of those added, at the last turn's end */
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

static bool seal(struct commit *c, const struct waiting *w, struct slice part, const char *at, size_t len,
                 struct fault *why)
{
    const char *subject = w->body + w->len + w->prompt_bytes + w->answer_bytes;
    struct text text = {.id = w->id, .part = part, .subject = slice_of(subject, w->subject_bytes),
                        .bytes = slice_of(at, len), .time_us = clock_wall_ns() / 1000};
    return len == 0 || !c->texts || texts_seal(c->texts, &text, why);
}

static bool seal_texts(struct commit *c, const struct waiting *w, struct fault *why)
{
    const char *prompt = w->body + w->len, *answer = prompt + w->prompt_bytes;
    if (!w->has_id) return true;
    return seal(c, w, TEXTS_PROMPT, prompt, w->prompt_bytes, why) &&
           seal(c, w, TEXTS_ANSWER, answer, w->answer_bytes, why);
}

static bool write_batch(struct commit *c, struct commit_batch *batch, unsigned max, struct fault *why)
{
    if (!ledger_begin(c->ledger, why)) return false;
    for (struct list_link *at = c->queue.next; at != &c->queue && batch->entries < max; at = at->next) {
        enum ledger_put done = put(c, waiting_at(at), why);
        if (done == LEDGER_FAILED) return false;
        if (done == LEDGER_STORED && !seal_texts(c, waiting_at(at), why)) return false;
        batch->entries++;
        batch->stored += done == LEDGER_STORED;
    }
    return (!c->texts || texts_flush(c->texts, c->ledger, why)) && ledger_commit(c->ledger, why);
}

/* Nothing of it is stored then, here or there. */
static void give_up(struct commit *c)
{
    if (c->texts) texts_drop(c->texts);
    ledger_rollback(c->ledger);
}

static size_t bytes_of(const struct waiting *w)
{
    return sizeof *w + w->len + w->prompt_bytes + w->answer_bytes + w->subject_bytes;
}

static void drop_first(struct commit *c)
{
    struct waiting *w = waiting_at(c->queue.next);
    list_remove(&w->place);
    c->count--;
    c->bytes -= bytes_of(w);
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
    if (!is_good) give_up(c);
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

/* The kernel holds but a few hundred of what a worker sends; where it sends more, the next turn brings as many. */
static bool is_more_coming(struct commit *c)
{
    uint64_t came = c->added - c->seen;
    c->seen = c->added;
    return came >= MANY && c->count < ENOUGH;
}

static void on_turn(void *arg)
{
    struct commit *c = arg;
    if (!c->ledger || c->count == 0) return;
    if (is_more_coming(c)) {
        plan(c);
        return;
    }
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

void commit_open(struct commit *c, struct ledger *ledger, struct texts *texts)
{
    c->ledger = ledger;
    c->texts = texts;
    plan(c);
}

void commit_add(struct commit *c, const struct commit_entry *entry)
{
    const struct slice parts[] = {entry->body, entry->prompt, entry->answer, entry->subject};
    size_t len = entry->body.len + entry->prompt.len + entry->answer.len + entry->subject.len;
    struct waiting *w = mem_alloc(sizeof *w + len);
    *w = (struct waiting){.kind = entry->kind,
                          .link = entry->link,
                          .number = entry->number,
                          .has_id = entry->id != NULL,
                          .has_instance = entry->instance != NULL,
                          .len = entry->body.len,
                          .prompt_bytes = entry->prompt.len,
                          .answer_bytes = entry->answer.len,
                          .subject_bytes = entry->subject.len};
    if (w->has_id) memcpy(w->id, entry->id, sizeof w->id);
    if (w->has_instance) memcpy(w->instance, entry->instance, sizeof w->instance);
    char *to = w->body;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].len) memcpy(to, parts[i].ptr, parts[i].len);
        to += parts[i].len;
    }
    list_append(&c->queue, &w->place);
    c->count++;
    c->added++;
    c->bytes += bytes_of(w);
    if (w->link) link_waits(w->link, 1);
    plan(c);
}

void commit_look(struct commit *c)
{
    struct fault why;
    if (!c->ledger || c->count) return;
    bool is_good = ledger_is_in_place(c->ledger, &why);
    set_state(c, !is_good, is_good ? "" : fault_message(&why));
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
