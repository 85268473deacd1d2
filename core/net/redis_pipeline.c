#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/redis_inner.h"

#define PART_BYTES 32u  /* of a part beside its bytes, at most */
#define HEAD_BYTES 128u /* before the first part, at most: "*7", "EVALSHA", the hash, how many keys */

struct redis_pending {
    struct list_link link;
    struct redis_pipeline *pipeline;
    struct loop_timer deadline;
    redis_fn fn, late;
    void *arg;
    const struct redis_script *script; /* NULL: a command */
    size_t parts;
    size_t head;      /* of a script's bytes: before the number of its keys */
    struct buf bytes; /* until they are sent; a script's, sent by its hash, until it is answered */
    uint64_t sent_ns;
    bool is_sent, has_missed;
    bool is_whole; /* the script is to be sent in full, or was */
};

/* ---- The end of one: its memory goes before its owner is told. */

static void forget(struct redis_pending *q)
{
    struct redis_pipeline *p = q->pipeline;
    list_remove(&q->link);
    loop_timer_disarm(&q->deadline);
    if (p->expiring == q) p->expiring = NULL;
    p->count--;
    p->bytes -= buf_len(&q->bytes);
    buf_clear(&q->bytes);
    mem_free(q);
}

static void end(struct redis_pending *q, enum redis_outcome outcome, const struct redis_reply *reply)
{
    struct redis_pipeline *p = q->pipeline;
    struct redis_answer answer = {.outcome = outcome, .is_sent = q->is_sent, .reply = reply};
    redis_fn fn = q->has_missed ? q->late : q->fn;
    void *arg = q->arg;
    if (outcome == REDIS_ANSWERED && q->has_missed) p->late++;
    if (outcome == REDIS_ANSWERED && !q->has_missed) p->misses = 0;
    if (outcome == REDIS_LOST && !q->has_missed) p->lost++;
    if (outcome == REDIS_MISSED) p->missed++;
    forget(q);
    if (fn) fn(arg, &answer);
}

/* What came in the turn under way is an answer in time, even if the deadline is looked at first. */
static void on_deadline(void *arg)
{
    struct redis_pending *q = arg;
    struct redis_pipeline *p = q->pipeline;
    if (!q->is_sent) {
        end(q, REDIS_MISSED, NULL);
        return;
    }
    p->expiring = q;
    if (p->link) redis_link_look(p->link);
    if (p->expiring != q) return;
    p->expiring = NULL;
    q->has_missed = true;
    p->missed++;
    p->misses++;
    p->on_missed(p->arg);
    struct redis_answer answer = {.outcome = REDIS_MISSED, .is_sent = true};
    if (q->fn) q->fn(q->arg, &answer);
}

/* ---- Bytes. */

static size_t size_of(const struct slice *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count && size <= LIMIT_REDIS_QUEUE_BYTES; i++)
        size += parts[i].len + PART_BYTES;
    return size;
}

static void write_script(struct redis_pending *q, const struct redis_question *asked)
{
    char keys[24];
    snprintf(keys, sizeof keys, "%zu", asked->key_count);
    q->parts = 3 + asked->key_count + asked->arg_count;
    redis_wire_begin(&q->bytes, q->parts);
    redis_wire_add(&q->bytes, SLICE("EVALSHA"));
    redis_wire_add(&q->bytes, slice_str(q->script->sha));
    q->head = buf_len(&q->bytes);
    redis_wire_add(&q->bytes, slice_str(keys));
    for (size_t i = 0; i < asked->key_count; i++)
        redis_wire_add(&q->bytes, asked->keys[i]);
    for (size_t i = 0; i < asked->arg_count; i++)
        redis_wire_add(&q->bytes, asked->args[i]);
}

/* EVAL, which makes Redis remember the script again. */
static void send_whole(struct redis_pipeline *p, const struct redis_pending *q)
{
    struct buf whole;
    struct slice tail = buf_slice(&q->bytes);
    buf_init_small(&whole, q->script->len + tail.len + 2 * PART_BYTES);
    redis_wire_begin(&whole, q->parts);
    redis_wire_add(&whole, SLICE("EVAL"));
    redis_wire_add(&whole, slice_of(q->script->source, q->script->len));
    buf_append(&whole, slice_of(tail.ptr + q->head, tail.len - q->head));
    redis_link_send(p->link, buf_slice(&whole));
    buf_clear(&whole);
}

static void send_one(struct redis_pipeline *p, struct redis_pending *q)
{
    if (q->is_whole) send_whole(p, q);
    else redis_link_send(p->link, buf_slice(&q->bytes));
    q->is_sent = true;
    q->sent_ns = loop_now_ns(p->loop);
    list_remove(&q->link);
    list_append(&p->awaited, &q->link);
    if (q->script && !q->is_whole) return;
    p->bytes -= buf_len(&q->bytes);
    buf_clear(&q->bytes);
}

/* Redis does not know the script, and has done nothing: it is as if it had not been sent. In full all of them would be
 * far too much at once: they wait for room as others do, before those that were never sent. */
static void put_back(struct redis_pipeline *p, struct redis_pending *q)
{
    q->is_sent = false;
    q->is_whole = true;
    p->sent_again++;
    list_remove(&q->link);
    list_append(&p->again, &q->link);
}

/* ---- The pipeline. */

void redis_pipeline_init(struct redis_pipeline *p, struct loop *loop, void (*on_missed)(void *arg), void *arg)
{
    *p = (struct redis_pipeline){.loop = loop, .on_missed = on_missed, .arg = arg};
    list_init(&p->queue);
    list_init(&p->again);
    list_init(&p->awaited);
    list_init(&p->ending);
}

static void forget_all(struct list_link *list)
{
    while (!list_is_empty(list))
        forget(LIST_OWNER(list->next, struct redis_pending, link));
}

void redis_pipeline_close(struct redis_pipeline *p)
{
    p->is_closed = true;
    p->link = NULL;
    forget_all(&p->queue);
    forget_all(&p->again);
    forget_all(&p->awaited);
    forget_all(&p->ending);
}

bool redis_pipeline_put(struct redis_pipeline *p, const struct redis_script *script, const struct redis_question *asked)
{
    size_t size = size_of(asked->args, asked->arg_count) + HEAD_BYTES;
    if (script) size += size_of(asked->keys, asked->key_count);
    if (p->is_closed || p->count >= LIMIT_REDIS_QUESTIONS || p->bytes + size > LIMIT_REDIS_QUEUE_BYTES) return false;
    struct redis_pending *q = mem_zalloc(1, sizeof *q);
    *q = (struct redis_pending){
        .pipeline = p, .fn = asked->fn, .late = asked->late, .arg = asked->arg, .script = script};
    buf_init_small(&q->bytes, size);
    if (script) write_script(q, asked);
    else redis_wire_command(&q->bytes, asked->args, asked->arg_count);
    p->count++;
    p->bytes += buf_len(&q->bytes);
    list_append(&p->queue, &q->link);
    loop_timer_init(&q->deadline, p->loop, on_deadline, q);
    loop_timer_arm_ms(&q->deadline, asked->timeout_ms ? asked->timeout_ms : 1);
    return true;
}

void redis_pipeline_pump(struct redis_pipeline *p)
{
    while (p->link && redis_link_unsent(p->link) < LIMIT_REDIS_AHEAD_BYTES) {
        struct list_link *from = list_is_empty(&p->again) ? &p->queue : &p->again;
        if (list_is_empty(from)) return;
        send_one(p, LIST_OWNER(from->next, struct redis_pending, link));
    }
}

bool redis_pipeline_take(struct redis_pipeline *p, const struct redis_reply *reply)
{
    if (list_is_empty(&p->awaited)) return false;
    struct redis_pending *q = LIST_OWNER(p->awaited.next, struct redis_pending, link);
    bool is_unknown = q->script && !q->is_whole && reply->kind == REDIS_ERROR && reply->error == REDIS_NOSCRIPT;
    if (is_unknown && !q->has_missed) put_back(p, q);
    else end(q, REDIS_ANSWERED, reply);
    return true;
}

static void end_all(struct redis_pipeline *p, struct list_link *list)
{
    while (!list_is_empty(list)) {
        struct list_link *first = list->next;
        list_remove(first);
        list_append(&p->ending, first);
    }
    while (!list_is_empty(&p->ending))
        end(LIST_OWNER(p->ending.next, struct redis_pending, link), REDIS_LOST, NULL);
}

void redis_pipeline_lose(struct redis_pipeline *p)
{
    p->link = NULL;
    p->misses = 0;
    end_all(p, &p->awaited);
}

void redis_pipeline_fail(struct redis_pipeline *p)
{
    end_all(p, &p->again);
    end_all(p, &p->queue);
}

uint64_t redis_pipeline_since_ns(const struct redis_pipeline *p)
{
    if (list_is_empty(&p->awaited)) return 0;
    return LIST_OWNER(p->awaited.next, struct redis_pending, link)->sent_ns;
}
