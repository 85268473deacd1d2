#include "ledger/changes.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/change.h"
#include "store/registry.h"

#define AGAIN_MS 1000u

/* One of the supervisor's that is not on the disk yet. */
struct told {
    struct list_link place;
    uint64_t number, queued; /* queued: the queue's number of it */
};

struct changes {
    char *data_dir;
    struct commit *commit;
    void (*on_kept)(void *arg, uint64_t number);
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

void changes_tell(struct changes *c, uint64_t number, struct slice body)
{
    if (!is_change(body)) {
        log_event(LOG_ERROR, "change_broken", "a change of the gateway is not one, and is left out");
        c->on_kept(c->arg, number);
        return;
    }
    struct told *t = mem_zalloc(1, sizeof *t);
    add(c, body);
    t->number = number;
    t->queued = commit_added(c->commit);
    list_append(&c->told, &t->place);
}

static void acknowledge(struct changes *c)
{
    while (!list_is_empty(&c->told)) {
        struct told *t = LIST_OWNER(c->told.next, struct told, place);
        if (t->queued > commit_done(c->commit)) return;
        c->on_kept(c->arg, t->number);
        list_remove(&t->place);
        mem_free(t);
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
        log_event(LOG_ERROR, "changes_unread", "changes of keys wait: %s", fault_message(why));
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

/* None is made here: without one there are no keys. */
static bool is_there(const struct changes *c)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" REGISTRY_FILE, c->data_dir);
    buf_append_char(&path, '\0');
    bool is_there = access(buf_ptr(&path), F_OK) == 0;
    buf_clear(&path);
    return is_there;
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
    if (!is_there(c)) return;
    c->must_look = true;
    go_on(c);
}

void changes_committed(struct changes *c)
{
    acknowledge(c);
    go_on(c);
}

/* ---- The whole. */

struct changes *changes_new(struct loop *loop, const char *data_dir, struct commit *commit,
                            void (*on_kept)(void *arg, uint64_t number), void *arg)
{
    struct changes *c = mem_zalloc(1, sizeof *c);
    c->data_dir = mem_strdup(data_dir);
    c->commit = commit;
    c->on_kept = on_kept;
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
    while (!list_is_empty(&c->told)) {
        struct told *t = LIST_OWNER(c->told.next, struct told, place);
        list_remove(&t->place);
        mem_free(t);
    }
    mem_free(c->data_dir);
    mem_free(c);
}
