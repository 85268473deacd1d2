#include "flow/recorder.h"

#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/record.h"
#include "flow/wording.h"
#include "net/pipe.h"

#define ROOM_BYTES (LIMIT_LEDGER_HELD_BYTES / 4) /* kept free for what is under way when strict requests are refused */
#define AHEAD_BYTES (256u * KIB)                 /* with the pipe, not yet taken by the kernel */

/* An entry, as it stands on the pipe. */
struct kept {
    struct list_link link; /* in one of the recorder's lists */
    struct recorder_wait *wait;
    size_t bytes;      /* behind `head` */
    bool is_committed; /* only PostgreSQL is waited for */
    struct link_entry head;
    char body[];
};

struct recorder {
    struct loop *loop;
    const struct recorder_events *events;
    void *arg;
    struct pipe *pipe;           /* NULL: there is none */
    struct list_link fresh;      /* not on this pipe yet */
    struct list_link sent;       /* not yet on the ledger's disk */
    struct list_link committed;  /* waited for until they are shipped, too */
    size_t held_bytes;           /* in all three */
    uint64_t numbered;           /* the last number on this pipe */
    struct loop_work flushing;   /* many records of a turn go together; what they change is told then, too */
    struct loop_timer patience;  /* for a pipe, and its first word */
    struct loop_timer overdue;   /* for its acknowledgements */
    uint64_t acks, acks_seen;
    bool is_stuck;               /* none comes, and there are records without */
    struct link_state state;     /* the ledger's word */
    bool is_silent;              /* that word has not come for too long */
    bool was_failing, was_remote_failing;
    uint64_t lost, lost_ns;      /* records, not yet told to the ledger, and when the last was */
    const char *lost_why;        /* … and why */
    struct buf scratch;          /* the record that is being made */
    uint8_t instance[LINK_ID_BYTES];
};

/* ---- What is told to the owner. */

bool recorder_is_failing(const struct recorder *r, enum durability durability)
{
    bool is_full = r->held_bytes > LIMIT_LEDGER_HELD_BYTES - ROOM_BYTES;
    if (durability == DURABILITY_ASYNC) return false;
    if (r->is_silent || r->is_stuck || r->state.is_failing || is_full) return true;
    return durability == DURABILITY_REMOTE && r->state.is_remote_failing;
}

uint64_t recorder_owner(const struct recorder *r)
{
    return link_owner(r->instance);
}

bool recorder_is_idle(const struct recorder *r)
{
    return list_is_empty(&r->fresh) && list_is_empty(&r->sent) && list_is_empty(&r->committed);
}

static void tell_change(struct recorder *r)
{
    bool is_failing = recorder_is_failing(r, DURABILITY_LOCAL);
    bool is_remote_failing = recorder_is_failing(r, DURABILITY_REMOTE);
    bool is_changed = is_failing != r->was_failing || is_remote_failing != r->was_remote_failing;
    r->was_failing = is_failing;
    r->was_remote_failing = is_remote_failing;
    if (is_changed) r->events->on_change(r->arg);
}

/* ---- What is kept. */

static void drop(struct recorder *r, struct kept *kept)
{
    list_remove(&kept->link);
    r->held_bytes -= sizeof *kept + kept->bytes;
    mem_free(kept);
}

/* Whoever waited for it may add others, or cancel. */
static void settle(struct recorder *r, struct kept *kept)
{
    struct recorder_wait *wait = kept->wait;
    drop(r, kept);
    if (!wait) return;
    wait->kept = NULL;
    wait->fn(wait->arg);
}

static struct kept *first_of(const struct list_link *list)
{
    return list_is_empty(list) ? NULL : LIST_OWNER(list->next, struct kept, link);
}

/* On this pipe, all that is numbered up to `number`. */
static void settle_shipped(struct recorder *r, uint64_t number)
{
    struct kept *kept;
    while ((kept = first_of(&r->committed)) && kept->head.number <= number)
        settle(r, kept);
}

static void settle_committed(struct recorder *r, uint64_t number)
{
    struct kept *kept;
    while ((kept = first_of(&r->sent)) && kept->head.number <= number) {
        if (kept->wait && kept->head.durability == DURABILITY_REMOTE) {
            list_remove(&kept->link);
            list_append(&r->committed, &kept->link);
            kept->is_committed = true;
        } else {
            settle(r, kept);
        }
    }
}

static void watch(struct recorder *r)
{
    r->acks_seen = r->acks;
    loop_timer_arm_ms(&r->overdue, LIMIT_LEDGER_STUCK_MS);
}

static void keep(struct recorder *r, const struct link_entry *head, struct slice body, struct recorder_wait *wait)
{
    struct kept *kept = mem_alloc(sizeof *kept + body.len);
    list_init(&kept->link);
    kept->wait = wait;
    kept->is_committed = false;
    kept->bytes = body.len;
    kept->head = *head;
    memcpy(kept->body, body.ptr, body.len);
    if (wait) wait->kept = kept;
    r->held_bytes += sizeof *kept + body.len;
    list_append(&r->fresh, &kept->link);
    if (!loop_timer_is_armed(&r->overdue)) watch(r);
    loop_work_add(&r->flushing);
}

/* ---- The pipe. */

/* The entry's head and what follows it are one run of bytes. */
static bool send_one(struct recorder *r, struct kept *kept)
{
    struct fault why;
    kept->head.number = r->numbered + 1;
    struct slice message = slice_of((const char *)&kept->head, sizeof kept->head + kept->bytes);
    if (!pipe_send(r->pipe, LINK_ENTRY, message, -1, &why)) return false;
    r->numbered++;
    list_remove(&kept->link);
    list_append(&r->sent, &kept->link);
    return true;
}

/* What the pipe does not take now goes when the ledger has acknowledged some of what it has. */
static void flush(struct recorder *r)
{
    struct kept *kept;
    while (r->pipe && pipe_queued_bytes(r->pipe) < AHEAD_BYTES && (kept = first_of(&r->fresh))) {
        if (!send_one(r, kept)) return;
    }
}

static void on_turn(void *arg)
{
    flush(arg);
    tell_change(arg);
}

static void put_first(struct list_link *list, struct list_link *before)
{
    while (!list_is_empty(before)) {
        struct list_link *last = before->prev;
        list_remove(last);
        list_prepend(list, last);
    }
}

/* Nothing is known of it any more: on another pipe all of it goes again, in the order in which it came. */
static void leave_pipe(struct recorder *r)
{
    pipe_free(r->pipe);
    r->pipe = NULL;
    r->numbered = 0;
    if (r->events->on_told) r->events->on_told(r->arg, NULL, NULL);
    if (r->events->on_listed) r->events->on_listed(r->arg, NULL, SLICE_NONE);
    put_first(&r->fresh, &r->sent);
    put_first(&r->fresh, &r->committed);
    if (!loop_timer_is_armed(&r->patience)) loop_timer_arm_ms(&r->patience, LIMIT_LEDGER_PATIENCE_MS);
}

static void report_loss(struct recorder *r)
{
    struct link_entry head = {.kind = CHAIN_LOSS, .durability = DURABILITY_ASYNC};
    char when[CLOCK_TEXT_BYTES];
    if (!r->lost || r->held_bytes > LIMIT_LEDGER_HELD_BYTES / 2) return;
    clock_format(r->lost_ns, when);
    check(getrandom(head.id, sizeof head.id, 0) == (ssize_t)sizeof head.id);
    buf_reset(&r->scratch);
    buf_printf(&r->scratch, "{\"count\":%llu,\"reason\":\"%s\",\"time\":\"%s\"}", (unsigned long long)r->lost,
               r->lost_why, when);
    head.body_bytes = (uint32_t)buf_len(&r->scratch);
    r->lost = 0;
    keep(r, &head, buf_slice(&r->scratch), NULL);
}

static bool take_ack(struct recorder *r, struct slice body, struct fault *why)
{
    struct link_ack ack;
    if (body.len != sizeof ack) return fault_set(why, FAULT_INTERNAL, "an acknowledgement of %zu bytes", body.len);
    memcpy(&ack, body.ptr, sizeof ack);
    if (ack.committed > r->numbered || ack.shipped > r->numbered)
        return fault_set(why, FAULT_INTERNAL, "an acknowledgement of what was never sent");
    r->acks++;
    r->is_stuck = false;
    settle_committed(r, ack.committed);
    settle_shipped(r, ack.shipped);
    report_loss(r);
    flush(r);
    if (recorder_is_idle(r)) r->events->on_idle(r->arg);
    return true;
}

static bool take_told(struct recorder *r, struct slice body, struct fault *why)
{
    struct link_ask ask;
    struct owned found[LIMIT_KEPT];
    if (body.len < sizeof ask) return fault_set(why, FAULT_INTERNAL, "half an answer");
    memcpy(&ask, body.ptr, sizeof ask);
    size_t count = ask.is_failing ? 0 : ask.count;
    if (count > LIMIT_KEPT || body.len != sizeof ask + count * sizeof found[0])
        return fault_set(why, FAULT_INTERNAL, "an answer of %zu bytes", body.len);
    memcpy(found, body.ptr + sizeof ask, count * sizeof found[0]);
    r->events->on_told(r->arg, &ask, found);
    return true;
}

static bool are_whole(struct slice objects, uint32_t count)
{
    struct link_object object;
    for (; count && objects.len >= sizeof object; count--) {
        memcpy(&object, objects.ptr, sizeof object);
        if (objects.len - sizeof object < object.id_bytes) return false;
        size_t whole = sizeof object + object.id_bytes;
        objects = slice_of(objects.ptr + whole, objects.len - whole);
    }
    return !count && !objects.len;
}

static bool take_listed(struct recorder *r, struct slice body, struct fault *why)
{
    struct link_listed listed;
    if (body.len < sizeof listed) return fault_set(why, FAULT_INTERNAL, "half a list");
    memcpy(&listed, body.ptr, sizeof listed);
    struct slice objects = slice_of(body.ptr + sizeof listed, body.len - sizeof listed);
    if (!are_whole(objects, listed.count)) return fault_set(why, FAULT_INTERNAL, "a list of %zu bytes", body.len);
    r->events->on_listed(r->arg, &listed, objects);
    return true;
}

static bool take_state(struct recorder *r, struct slice body, struct fault *why)
{
    if (body.len < sizeof r->state) return fault_set(why, FAULT_INTERNAL, "half a word about the ledger's state");
    memcpy(&r->state, body.ptr, sizeof r->state);
    loop_timer_disarm(&r->patience);
    r->is_silent = false;
    return true;
}

static void on_message(void *arg, const struct pipe_message *message)
{
    struct recorder *r = arg;
    struct fault why;
    bool is_good = true;
    if (message->fd >= 0) is_good = fault_set(&why, FAULT_INTERNAL, "a descriptor, which nobody wants");
    if (is_good && message->type == LINK_ACK)
        is_good = take_ack(r, message->body, &why);
    else if (is_good && message->type == LINK_STATE)
        is_good = take_state(r, message->body, &why);
    else if (is_good && message->type == LINK_TOLD)
        is_good = take_told(r, message->body, &why);
    else if (is_good && message->type == LINK_LISTED)
        is_good = take_listed(r, message->body, &why);
    if (!is_good) {
        log_event(LOG_ERROR, "ledger_pipe", "the ledger process sent %s", fault_message(&why));
        leave_pipe(r);
    }
    tell_change(r);
}

static void on_end(void *arg, const struct fault *why)
{
    struct recorder *r = arg;
    if (why) log_event(LOG_ERROR, "ledger_pipe", "%s", fault_message(why));
    leave_pipe(r);
}

static const struct pipe_events events = {.on_message = on_message, .on_end = on_end};

void recorder_attach(struct recorder *r, int fd)
{
    struct link_hello hello;
    struct fault why;
    leave_pipe(r);
    r->pipe = pipe_new(r->loop, fd, 2 * LIMIT_PIPE_MESSAGE_BYTES, &events, r);
    memcpy(hello.instance, r->instance, sizeof hello.instance);
    if (!pipe_send(r->pipe, LINK_HELLO, slice_of((const char *)&hello, sizeof hello), -1, &why))
        log_event(LOG_ERROR, "ledger_pipe", "%s", fault_message(&why));
    flush(r);
}

static void on_patience_over(void *arg)
{
    struct recorder *r = arg;
    r->is_silent = true;
    tell_change(r);
}

/* A ledger process that is stopped, or whose disk stands still, says nothing: whom it would keep waiting is refused. */
static void on_overdue(void *arg)
{
    struct recorder *r = arg;
    if (list_is_empty(&r->fresh) && list_is_empty(&r->sent)) return;
    if (r->acks != r->acks_seen) {
        watch(r);
        return;
    }
    r->is_stuck = true;
    tell_change(r);
}

/* ---- Records. */

/* "req_" and a UUID in text. */
static bool read_id(const char *id, uint8_t bytes[LINK_ID_BYTES])
{
    size_t digits = 0;
    memset(bytes, 0, LINK_ID_BYTES);
    for (id += 4; *id; id++) {
        if (*id == '-') continue;
        if (digits == 2 * LINK_ID_BYTES || hex_digit(*id) < 0) return false;
        bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | hex_digit(*id));
        digits++;
    }
    return digits == 2 * LINK_ID_BYTES;
}

static void append_texts(struct recorder *r, struct link_entry *head, const struct exchange *x)
{
    size_t before;
    head->prompt_bytes = (uint32_t)buf_len(&x->texts.prompt.bytes);
    head->answer_bytes = (uint32_t)buf_len(&x->texts.answer.bytes);
    buf_append(&r->scratch, buf_slice(&x->texts.prompt.bytes));
    buf_append(&r->scratch, buf_slice(&x->texts.answer.bytes));
    before = buf_len(&r->scratch);
    wording_subject(x, &r->scratch);
    head->subject_bytes = (uint32_t)(buf_len(&r->scratch) - before);
}

/* Told at once where there is room for that: nothing else may follow. */
static bool lose(struct recorder *r, const struct exchange *x, const char *why)
{
    r->lost++;
    r->lost_ns = clock_wall_ns();
    r->lost_why = why;
    report_loss(r);
    r->events->on_lost(r->arg, slice_str(x->id));
    return false;
}

bool recorder_add(struct recorder *r, const struct recorder_entry *entry, struct recorder_wait *wait)
{
    struct link_entry head = {.kind = (uint8_t)entry->kind, .durability = (uint8_t)entry->durability};
    check(read_id(entry->x->id, head.id));
    buf_reset(&r->scratch);
    record_format(&r->scratch, entry->x);
    r->scratch.end--; /* without its line end */
    head.body_bytes = (uint32_t)buf_len(&r->scratch);
    if (entry->kind == CHAIN_EXCHANGE) append_texts(r, &head, entry->x);
    struct slice body = buf_slice(&r->scratch);
    if (body.len >= LIMIT_PIPE_MESSAGE_BYTES - sizeof head) return lose(r, entry->x, "too_large");
    size_t held = r->held_bytes + sizeof(struct kept) + body.len;
    if (held > LIMIT_LEDGER_HELD_BYTES) return lose(r, entry->x, "queue_full");
    keep(r, &head, body, entry->durability == DURABILITY_ASYNC ? NULL : wait);
    return true;
}

bool recorder_tell(struct recorder *r, const uint8_t id[LINK_ID_BYTES], struct slice body)
{
    struct link_entry head = {.kind = CHAIN_ALERT, .durability = DURABILITY_ASYNC, .body_bytes = (uint32_t)body.len};
    if (r->held_bytes + sizeof(struct kept) + body.len > LIMIT_LEDGER_HELD_BYTES - ROOM_BYTES) return false;
    memcpy(head.id, id, sizeof head.id);
    keep(r, &head, body, NULL);
    return true;
}

bool recorder_ask(struct recorder *r, const struct link_ask *ask, const struct owned_key *keys)
{
    struct fault why;
    if (!r->pipe || r->is_silent) return false;
    buf_reset(&r->scratch);
    buf_append(&r->scratch, slice_of((const char *)ask, sizeof *ask));
    buf_append(&r->scratch, slice_of((const char *)keys, ask->count * sizeof *keys));
    return pipe_send(r->pipe, LINK_ASK, buf_slice(&r->scratch), -1, &why);
}

bool recorder_list(struct recorder *r, const struct link_list *list, struct slice owner)
{
    struct fault why;
    if (!r->pipe || r->is_silent) return false;
    buf_reset(&r->scratch);
    buf_append(&r->scratch, slice_of((const char *)list, sizeof *list));
    buf_append(&r->scratch, owner);
    return pipe_send(r->pipe, LINK_LIST, buf_slice(&r->scratch), -1, &why);
}

void recorder_cancel(struct recorder *r, struct recorder_wait *wait)
{
    struct kept *kept = wait->kept;
    if (!kept) return;
    wait->kept = NULL;
    kept->wait = NULL;
    if (!kept->is_committed) return;
    drop(r, kept);
    loop_work_add(&r->flushing); /* there may be room again */
}

/* ---- Its life. */

struct recorder *recorder_new(struct loop *loop, const struct recorder_events *of_owner, void *arg)
{
    struct recorder *r = mem_zalloc(1, sizeof *r);
    r->loop = loop;
    r->events = of_owner;
    r->arg = arg;
    list_init(&r->fresh);
    list_init(&r->sent);
    list_init(&r->committed);
    buf_init(&r->scratch);
    check(getrandom(r->instance, sizeof r->instance, 0) == (ssize_t)sizeof r->instance);
    loop_work_init(&r->flushing, loop, on_turn, r);
    loop_timer_init(&r->patience, loop, on_patience_over, r);
    loop_timer_init(&r->overdue, loop, on_overdue, r);
    loop_timer_arm_ms(&r->patience, LIMIT_LEDGER_PATIENCE_MS);
    return r;
}

/* Each record begins with {"id":"req_… (flow/record.h), and each notice with {"id":"alert_… */
static struct slice id_of(const struct kept *kept)
{
    static const struct slice before = {"{\"id\":\"", 7};
    struct slice body = slice_of(kept->body, kept->head.body_bytes), rest;
    if (!slice_starts(body, before)) return SLICE_NONE;
    return slice_split(slice_of(body.ptr + before.len, body.len - before.len), '"', &rest);
}

static void forget(struct recorder *r, struct list_link *list)
{
    struct kept *kept;
    while ((kept = first_of(list))) {
        struct slice id = id_of(kept);
        if (id.len && !kept->is_committed) r->events->on_lost(r->arg, id);
        if (kept->wait) kept->wait->kept = NULL;
        drop(r, kept);
    }
}

void recorder_free(struct recorder *r)
{
    if (!r) return;
    pipe_free(r->pipe);
    r->pipe = NULL;
    loop_work_drop(&r->flushing);
    loop_timer_disarm(&r->patience);
    loop_timer_disarm(&r->overdue);
    forget(r, &r->committed);
    forget(r, &r->sent);
    forget(r, &r->fresh);
    buf_clear(&r->scratch);
    mem_free(r);
}
