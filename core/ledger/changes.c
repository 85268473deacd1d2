#include "ledger/changes.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/change.h"
#include "store/erase.h"
#include "store/registry/registry.h"
#include "store/texts/texts.h"

#define AGAIN_MS 1000u

/* One of the supervisor's that is not on the disk yet. */
struct told {
    struct list_link place;
    uint64_t number, queued; /* queued: the queue's number of it; 0: not yet */
    bool had_key;
    struct buf body, subject; /* of an erasure that is still to be done */
    uint64_t behind;          /* the queue's number of what comes before it */
};

struct changes {
    char *data_dir;
    struct commit *commit;
    struct texts *texts;
    void (*on_end)(void *arg, const struct change_end *end);
    void *arg;
    struct list_link told;
    struct loop_timer again;
    struct registry *registry; /* open while some of its changes are on their way */
    uint64_t last, queued;     /* the last of them: its number there, and the queue's */
    unsigned slice;            /* how many */
    bool must_look;            /* there may be more */
    char why[FAULT_TEXT_BYTES]; /* of the last failure; "" when all is well */
};

static bool is_change(struct slice body)
{
    uint8_t id[UUID_BYTES];
    return change_read_id(body, id);
}

static void add(struct changes *c, struct slice body)
{
    commit_add(c->commit, &(struct commit_entry){.kind = CHAIN_CHANGE, .body = body});
}

/* ---- The supervisor's. */

static void drop(struct told *t)
{
    list_remove(&t->place);
    buf_clear(&t->body);
    buf_clear(&t->subject);
    mem_free(t);
}

static void end(struct changes *c, struct told *t, const char *why)
{
    c->on_end(c->arg, &(struct change_end){.number = t->number, .why = why, .had_key = t->had_key});
    drop(t);
}

static void queue(struct changes *c, struct told *t, struct slice body)
{
    add(c, body);
    t->queued = commit_added(c->commit);
}

static void erase(struct changes *c, struct told *t)
{
    struct fault why;
    char said[FAULT_TEXT_BYTES + 64];
    if (texts_destroy_key(c->texts, buf_slice(&t->subject), &t->had_key, &why)) {
        queue(c, t, buf_slice(&t->body));
        return;
    }
    snprintf(said, sizeof said, t->had_key ? "the key is overwritten, but %s" : "nothing is erased: %s",
             fault_message(&why));
    end(c, t, said);
}

/* Between two batches, as the keys' file wants it. */
static void erase_some(struct changes *c)
{
    struct list_link *next;
    for (struct list_link *at = c->told.next; c->texts && at != &c->told; at = next) {
        struct told *t = LIST_OWNER(at, struct told, place);
        next = at->next;
        if (!t->queued && t->behind <= commit_done(c->commit)) erase(c, t);
    }
}

void changes_tell(struct changes *c, uint64_t number, struct slice body)
{
    if (!is_change(body)) {
        log_event(LOG_ERROR, "change_broken", "a change of the gateway is not one, and is left out");
        c->on_end(c->arg, &(struct change_end){.number = number});
        return;
    }
    struct told *t = mem_zalloc(1, sizeof *t);
    t->number = number;
    buf_init(&t->body);
    buf_init(&t->subject);
    list_append(&c->told, &t->place);
    if (!erase_read(body, &t->subject)) {
        queue(c, t, body);
        return;
    }
    buf_append(&t->body, body);
    t->behind = commit_added(c->commit);
    erase_some(c);
}

static void acknowledge(struct changes *c)
{
    struct list_link *next;
    for (struct list_link *at = c->told.next; at != &c->told; at = next) {
        struct told *t = LIST_OWNER(at, struct told, place);
        next = at->next;
        if (t->queued && t->queued <= commit_done(c->commit)) end(c, t, NULL);
    }
}

/* ---- The registry's: a slice is read, committed and marked, then the next. */

static void shut(struct changes *c)
{
    registry_close(c->registry);
    c->registry = NULL;
    c->slice = 0;
}

static void fail(struct changes *c, const struct fault *why)
{
    if (strcmp(c->why, fault_message(why)) != 0)
        log_event(LOG_ERROR, "changes_unread", "changes of the registry wait: %s", fault_message(why));
    snprintf(c->why, sizeof c->why, "%s", fault_message(why));
    c->must_look = true;
    shut(c);
    loop_timer_arm_ms(&c->again, AGAIN_MS);
}

static void on_change(void *arg, uint64_t number, struct slice body)
{
    struct changes *c = arg;
    c->last = number;
    c->slice++;
    if (is_change(body))
        add(c, body);
    else
        log_event(LOG_ERROR, "change_broken", "change %llu of registry.db is not one, and is left out",
                  (unsigned long long)number);
}

static bool read_slice(struct changes *c, struct fault *why)
{
    c->registry = registry_open(c->data_dir, why);
    if (!c->registry) return false;
    registry_be_brief(c->registry);
    c->must_look = false;
    if (!registry_changes(c->registry, 0, LIMIT_LEDGER_SLICE, on_change, c, why)) return false;
    c->queued = commit_added(c->commit);
    return true;
}

static void mark(struct changes *c)
{
    struct fault why;
    if (c->slice == LIMIT_LEDGER_SLICE) c->must_look = true;
    if (c->slice && !registry_changes_taken(c->registry, c->last, &why)) {
        fail(c, &why);
        return;
    }
    c->why[0] = '\0';
    shut(c);
}

static bool is_on_disk(const struct changes *c)
{
    return commit_done(c->commit) >= c->queued;
}

/* Everything that can be done now. */
static void go_on(struct changes *c)
{
    struct fault why;
    do {
        if (c->registry && is_on_disk(c)) mark(c);
        if (c->registry || !c->must_look || loop_timer_is_armed(&c->again)) return;
        if (!read_slice(c, &why)) {
            fail(c, &why);
            return;
        }
    } while (is_on_disk(c));
}

static void on_again(void *arg)
{
    go_on(arg);
}

void changes_look(struct changes *c)
{
    if (!registry_is_there(c->data_dir)) return; /* none is made here: without one there are no keys */
    c->must_look = true;
    go_on(c);
}

void changes_committed(struct changes *c)
{
    acknowledge(c);
    erase_some(c);
    go_on(c);
}

void changes_open(struct changes *c, struct texts *texts)
{
    c->texts = texts;
    erase_some(c);
}

/* ---- The whole. */

struct changes *changes_new(struct loop *loop, const char *data_dir, struct commit *commit,
                            void (*on_end)(void *arg, const struct change_end *end), void *arg)
{
    struct changes *c = mem_zalloc(1, sizeof *c);
    c->data_dir = mem_strdup(data_dir);
    c->commit = commit;
    c->on_end = on_end;
    c->arg = arg;
    list_init(&c->told);
    loop_timer_init(&c->again, loop, on_again, c);
    return c;
}

void changes_free(struct changes *c)
{
    if (!c) return;
    loop_timer_disarm(&c->again);
    shut(c);
    while (!list_is_empty(&c->told))
        drop(LIST_OWNER(c->told.next, struct told, place));
    mem_free(c->data_dir);
    mem_free(c);
}
