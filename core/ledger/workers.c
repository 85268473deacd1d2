#include "ledger/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"

struct workers {
    struct loop *loop;
    const struct workers_events *events;
    void *arg;
    struct list_link links;
    pid_t pids[LIMIT_WORKERS]; /* by their slots; 0: none yet */
    struct link_state state;   /* what was said last */
    char reason[FAULT_TEXT_BYTES];
    bool is_paused;
};

/* ---- Coming and going. */

static void on_entry(void *arg, struct link *link, const struct link_item *item)
{
    struct workers *w = arg;
    w->events->on_entry(w->arg, link, item);
}

static void on_ask(void *arg, struct link *link, const struct link_ask *ask, const struct owned_key *keys)
{
    struct workers *w = arg;
    w->events->on_ask(w->arg, link, ask, keys);
}

static void on_list(void *arg, struct link *link, const struct link_list *list, struct slice owner)
{
    struct workers *w = arg;
    w->events->on_list(w->arg, link, list, owner);
}

static void on_over(void *arg, struct link *link)
{
    struct workers *w = arg;
    link_free(link);
    w->events->on_gone(w->arg);
}

static const struct link_events link_events = {
    .on_entry = on_entry, .on_ask = on_ask, .on_list = on_list, .on_over = on_over};

void workers_add(struct workers *w, uint32_t slot, pid_t pid, int fd)
{
    struct link_who who = {slot, pid};
    struct link *link = link_new(w->loop, fd, &who, &link_events, w);
    if (slot < LIMIT_WORKERS) w->pids[slot] = pid;
    list_append(&w->links, link_place(link));
    link_say(link, &w->state, slice_str(w->reason));
    if (w->is_paused) link_pause(link, true);
}

struct workers *workers_new(struct loop *loop, const struct workers_events *events, void *arg)
{
    struct workers *w = mem_zalloc(1, sizeof *w);
    w->loop = loop;
    w->events = events;
    w->arg = arg;
    list_init(&w->links);
    return w;
}

void workers_free(struct workers *w)
{
    if (!w) return;
    while (!list_is_empty(&w->links))
        link_free(link_at(w->links.next));
    mem_free(w);
}

/* ---- What all of them are told. */

void workers_say(struct workers *w, const struct link_state *state, const char *reason)
{
    w->state = *state;
    snprintf(w->reason, sizeof w->reason, "%s", reason);
    for (struct list_link *at = w->links.next; at != &w->links; at = at->next)
        link_say(link_at(at), state, slice_str(w->reason));
}

void workers_pause(struct workers *w, bool is_paused)
{
    w->is_paused = is_paused;
    for (struct list_link *at = w->links.next; at != &w->links; at = at->next)
        link_pause(link_at(at), is_paused);
}

bool workers_are_paused(const struct workers *w)
{
    return w->is_paused;
}

void workers_acknowledge(struct workers *w, uint64_t head)
{
    struct list_link *next;
    for (struct list_link *at = w->links.next; at != &w->links; at = next) {
        next = at->next;
        link_acknowledge(link_at(at), head);
    }
}

void workers_shipped(struct workers *w, uint64_t seq)
{
    for (struct list_link *at = w->links.next; at != &w->links; at = at->next)
        link_shipped(link_at(at), seq);
}

/* ---- Who is there. */

bool workers_have(void *arg, const uint8_t instance[LINK_ID_BYTES])
{
    const struct workers *w = arg;
    for (struct list_link *at = w->links.next; at != &w->links; at = at->next) {
        const uint8_t *own = link_instance(link_at(at));
        if (own && memcmp(own, instance, LINK_ID_BYTES) == 0) return true;
    }
    return false;
}

bool workers_have_owner(void *arg, uint64_t owner)
{
    const struct workers *w = arg;
    for (struct list_link *at = w->links.next; at != &w->links; at = at->next) {
        const uint8_t *own = link_instance(link_at(at));
        if (own && link_owner(own) == owner) return true;
    }
    return false;
}

static bool has_said_who(const struct workers *w, pid_t pid)
{
    for (struct list_link *at = w->links.next; at != &w->links; at = at->next) {
        struct link *link = link_at(at);
        if (link_who(link)->pid == pid && link_instance(link) && !link_has_ended(link)) return true;
    }
    return false;
}

bool workers_are_known(const struct workers *w)
{
    for (unsigned i = 0; i < LIMIT_WORKERS; i++) {
        pid_t pid = w->pids[i];
        if (pid && (kill(pid, 0) == 0 || errno != ESRCH) && !has_said_who(w, pid)) return false;
    }
    return true;
}

bool workers_are_gone(const struct workers *w)
{
    return list_is_empty(&w->links);
}
