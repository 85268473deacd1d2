#include "ledger/link.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/pipe.h"
#include "store/chain.h"

#define MILESTONES 256u

/* All of its entries up to the number stand at or before this seq. */
struct milestone {
    uint64_t number, seq;
};

struct link {
    struct list_link place;
    struct pipe *pipe;
    const struct link_events *events;
    void *arg;
    struct link_who who;
    uint8_t instance[LINK_ID_BYTES];
    bool has_hello, has_ended;
    uint64_t taken, waiting; /* the number of the last entry, how many of them are not committed */
    struct link_ack now, told;
    struct milestone *milestones; /* committed, not shipped; oldest first */
    unsigned milestone_count;
};

static void on_end(void *arg, const struct fault *why)
{
    struct link *link = arg;
    if (why) log_event(LOG_ERROR, "ledger_link_lost", "worker %u: %s", link->who.slot, fault_message(why));
    link->has_ended = true;
    if (link->waiting == 0) link->events->on_over(link->arg, link);
}

/* Our own workers say nothing else: what is wrong here is this program's fault, and spoils one pipe only. */
static void refuse(struct link *link, const char *what)
{
    struct fault why;
    fault_set(&why, FAULT_INTERNAL, "%s; its pipe is closed", what);
    pipe_pause(link->pipe, true);
    if (!link->has_ended) on_end(link, &why);
}

static bool take_hello(struct link *link, struct slice body)
{
    struct link_hello hello;
    if (body.len != sizeof hello || link->has_hello) return false;
    memcpy(&hello, body.ptr, sizeof hello);
    memcpy(link->instance, hello.instance, sizeof link->instance);
    link->has_hello = true;
    return true;
}

static bool is_kind(uint8_t kind)
{
    return kind == CHAIN_EXCHANGE || kind == CHAIN_INTENT || kind == CHAIN_LOSS || kind == CHAIN_ALERT;
}

static struct slice take(struct slice *rest, uint32_t bytes)
{
    struct slice part = slice_of(rest->ptr, bytes);
    *rest = slice_of(rest->ptr + bytes, rest->len - bytes);
    return part;
}

static bool read_item(struct slice body, struct link_item *item)
{
    struct link_entry *h = &item->head;
    if (body.len < sizeof *h) return false;
    memcpy(h, body.ptr, sizeof *h);
    struct slice rest = slice_of(body.ptr + sizeof *h, body.len - sizeof *h);
    uint64_t whole = (uint64_t)h->body_bytes + h->prompt_bytes + h->answer_bytes + h->subject_bytes;
    if (whole != rest.len || h->zero != 0 || !is_kind(h->kind)) return false;
    if (h->durability == DURABILITY_UNSAID || h->durability > DURABILITY_REMOTE) return false;
    item->body = take(&rest, h->body_bytes);
    item->prompt = take(&rest, h->prompt_bytes);
    item->answer = take(&rest, h->answer_bytes);
    item->subject = take(&rest, h->subject_bytes);
    return true;
}

static bool take_entry(struct link *link, struct slice body)
{
    struct link_item item;
    if (!link->has_hello || !read_item(body, &item) || item.head.number != link->taken + 1) return false;
    link->taken++;
    link->events->on_entry(link->arg, link, &item);
    return true;
}

static bool take_ask(struct link *link, struct slice body)
{
    struct link_ask ask;
    struct owned_key keys[LIMIT_KEPT];
    if (!link->has_hello || body.len < sizeof ask) return false;
    memcpy(&ask, body.ptr, sizeof ask);
    if (!ask.count || ask.count > LIMIT_KEPT || body.len != sizeof ask + ask.count * sizeof keys[0]) return false;
    memcpy(keys, body.ptr + sizeof ask, ask.count * sizeof keys[0]);
    link->events->on_ask(link->arg, link, &ask, keys);
    return true;
}

static bool take_list(struct link *link, struct slice body)
{
    struct link_list list;
    if (!link->has_hello || body.len <= sizeof list) return false;
    memcpy(&list, body.ptr, sizeof list);
    if (!list.limit || list.limit > LIMIT_LISTED) return false;
    link->events->on_list(link->arg, link, &list, slice_of(body.ptr + sizeof list, body.len - sizeof list));
    return true;
}

static void on_message(void *arg, const struct pipe_message *message)
{
    struct link *link = arg;
    bool is_good = false;
    if (link->has_ended) return;
    if (message->type == LINK_HELLO) is_good = take_hello(link, message->body);
    if (message->type == LINK_ENTRY) is_good = take_entry(link, message->body);
    if (message->type == LINK_ASK) is_good = take_ask(link, message->body);
    if (message->type == LINK_LIST) is_good = take_list(link, message->body);
    if (!is_good) refuse(link, "a worker said what no worker says");
}

static const struct pipe_events pipe_events = {.on_message = on_message, .on_end = on_end};

struct link *link_new(struct loop *loop, int fd, const struct link_who *who, const struct link_events *events,
                      void *arg)
{
    struct link *link = mem_zalloc(1, sizeof *link);
    list_init(&link->place);
    link->who = *who;
    link->events = events;
    link->arg = arg;
    link->pipe = pipe_new(loop, fd, LIMIT_PIPE_QUEUE_BYTES, &pipe_events, link);
    return link;
}

void link_free(struct link *link)
{
    if (!link) return;
    list_remove(&link->place);
    pipe_free(link->pipe);
    mem_free(link->milestones);
    mem_free(link);
}

const struct link_who *link_who(const struct link *link)
{
    return &link->who;
}

const uint8_t *link_instance(const struct link *link)
{
    return link->has_hello ? link->instance : NULL;
}

bool link_has_ended(const struct link *link)
{
    return link->has_ended;
}

void link_pause(struct link *link, bool is_paused)
{
    if (!link->has_ended) pipe_pause(link->pipe, is_paused);
}

void link_waits(struct link *link, unsigned entries)
{
    link->waiting += entries;
}

void link_committed(struct link *link, uint64_t number)
{
    link->waiting--;
    link->now.committed = number;
}

/* Where there are too many, because PostgreSQL has been away for long, the last one moves on: what it stands for is
 * told later, never earlier. */
static void add_milestone(struct link *link, uint64_t seq)
{
    if (!link->milestones) link->milestones = mem_alloc(MILESTONES * sizeof *link->milestones);
    if (link->milestone_count < MILESTONES) link->milestone_count++;
    link->milestones[link->milestone_count - 1] = (struct milestone){link->now.committed, seq};
}

/* A worker that takes nothing for so long that its pipe is full is killed by the supervisor before it misses this. */
static void tell(struct link *link)
{
    struct fault why;
    if (link->has_ended || memcmp(&link->now, &link->told, sizeof link->now) == 0) return;
    struct slice body = slice_of((const char *)&link->now, sizeof link->now);
    if (pipe_send(link->pipe, LINK_ACK, body, -1, &why)) link->told = link->now;
}

void link_acknowledge(struct link *link, uint64_t head)
{
    if (head && link->now.committed != link->told.committed) add_milestone(link, head);
    tell(link);
    if (link->has_ended && link->waiting == 0) link->events->on_over(link->arg, link);
}

void link_shipped(struct link *link, uint64_t seq)
{
    unsigned reached = 0;
    while (reached < link->milestone_count && link->milestones[reached].seq <= seq)
        reached++;
    if (!reached) return;
    link->now.shipped = link->milestones[reached - 1].number;
    link->milestone_count -= reached;
    memmove(link->milestones, link->milestones + reached, link->milestone_count * sizeof *link->milestones);
    tell(link);
}

/* Who gets no answer asks again. */
void link_tell(struct link *link, const struct link_ask *ask, const struct owned *found)
{
    struct buf body;
    struct fault why;
    if (link->has_ended) return;
    buf_init(&body);
    buf_append(&body, slice_of((const char *)ask, sizeof *ask));
    if (!ask->is_failing) buf_append(&body, slice_of((const char *)found, ask->count * sizeof *found));
    pipe_send(link->pipe, LINK_TOLD, buf_slice(&body), -1, &why);
    buf_clear(&body);
}

void link_tell_list(struct link *link, const struct link_listed *listed, struct slice objects)
{
    struct buf body;
    struct fault why;
    if (link->has_ended) return;
    buf_init(&body);
    buf_append(&body, slice_of((const char *)listed, sizeof *listed));
    if (objects.len) buf_append(&body, objects);
    pipe_send(link->pipe, LINK_LISTED, buf_slice(&body), -1, &why);
    buf_clear(&body);
}

void link_say(struct link *link, const struct link_state *state, struct slice reason)
{
    struct buf body;
    struct fault why;
    if (link->has_ended) return;
    buf_init(&body);
    buf_append(&body, slice_of((const char *)state, sizeof *state));
    if (reason.len) buf_append(&body, reason);
    pipe_send(link->pipe, LINK_STATE, buf_slice(&body), -1, &why);
    buf_clear(&body);
}

struct list_link *link_place(struct link *link)
{
    return &link->place;
}

struct link *link_at(struct list_link *place)
{
    return LIST_OWNER(place, struct link, place);
}
