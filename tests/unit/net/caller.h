/*
 * The gateway's side of a fetch under test: calls that note every event, on a loop with a scripted upstream.
 *
 *     world_open(&w, serve);
 *     struct call c;
 *     call_start(&w, &c);            to be shaped before by call_init() and its fields
 *     world_run(&w);                 until all calls have ended, or loop_stop()
 *     EXPECT_INT(200, c.status);
 *     world_close(&w);               expects that no descriptor is left
 */
#ifndef MOONGATE_TESTS_CALLER_H
#define MOONGATE_TESTS_CALLER_H

#include <signal.h>

#include "base/mem.h"
#include "fds.h"
#include "net/fetch.h"
#include "net/loop.h"
#include "upstream.h"

struct world {
    struct loop *loop;
    struct fetch_pool *pool;
    struct upstream up;
    struct loop_timer guard;
    struct loop_watch told;
    void (*on_told)(struct world *w); /* NULL: nothing */
    struct call *first;
    unsigned active;
    bool is_hung;
    int fds_before;
};

struct call {
    struct world *w;
    struct fetch *f;
    struct fetch_request request;
    char url[256];
    void (*on_head)(struct call *c);
    void (*on_data)(struct call *c);
    void (*on_end)(struct call *c);
    struct buf head, body; /* head: "name=value\n" … */
    int status;
    unsigned heads, datas, ends, out_of_order;
    bool complete, was_reused, was_sent;
    enum fault_code code;
    char text[FAULT_TEXT_BYTES];
};

static inline void world_hangs(void *arg)
{
    struct world *w = arg;
    w->is_hung = true;
    UNIT_FAIL("the test hangs");
    loop_stop(w->loop);
}

static inline void world_is_told(void *arg, unsigned ready)
{
    struct world *w = arg;
    char word;
    (void)ready;
    if (read(w->up.told[0], &word, 1) == 1 && w->on_told) w->on_told(w);
}

static inline void world_open(struct world *w, void (*serve)(struct upstream *u))
{
    *w = (struct world){.fds_before = count_fds()};
    up_open(&w->up, serve);
    w->loop = loop_new();
    w->pool = fetch_pool_new(w->loop, "moongate/test");
    loop_timer_init(&w->guard, w->loop, world_hangs, w);
    loop_watch_init(&w->told, w->loop, w->up.told[0], world_is_told, w);
    loop_watch_set(&w->told, LOOP_READ);
}

static inline void world_go(struct world *w)
{
    if (!w->up.is_running) up_go(&w->up);
}

static inline void world_run(struct world *w)
{
    loop_timer_arm_ms(&w->guard, UP_PATIENCE_MS);
    loop_run(w->loop);
    loop_timer_disarm(&w->guard);
}

static inline void world_close(struct world *w)
{
    fetch_pool_free(w->pool);
    up_close(&w->up);
    loop_watch_set(&w->told, 0);
    loop_free(w->loop);
    EXPECT_INT(w->fds_before, count_fds());
}

static inline void call_on_head(void *arg, const struct fetch_head *head)
{
    struct call *c = arg;
    c->heads++;
    c->status = head->status;
    if (c->datas || c->ends) c->out_of_order++;
    for (size_t i = 0; i < head->header_count; i++)
        buf_printf(&c->head, "%.*s=%.*s\n", SLICE_FMT(head->headers[i].name), SLICE_FMT(head->headers[i].value));
    if (c->on_head) c->on_head(c);
}

static inline void call_on_data(void *arg, struct slice bytes)
{
    struct call *c = arg;
    c->datas++;
    if (!c->heads || c->ends || bytes.len == 0) c->out_of_order++;
    buf_append(&c->body, bytes);
    if (c->on_data) c->on_data(c);
}

static inline void call_on_end(void *arg, const struct fault *why, bool complete)
{
    struct call *c = arg;
    c->ends++;
    c->complete = complete;
    c->code = why ? why->code : FAULT_NONE;
    snprintf(c->text, sizeof c->text, "%s", why ? why->text : "");
    c->was_reused = fetch_connection_reused(c->f);
    c->was_sent = fetch_is_sent(c->f);
    if (complete != (why == NULL)) c->out_of_order++;
    EXPECT_INT(FETCH_ENDED, fetch_phase(c->f));
    fetch_cancel(c->f); /* is welcome, and nothing */
    c->f = NULL;
    struct world *w = c->w;
    w->active--;
    if (c->on_end) c->on_end(c);
    if (w->active == 0) loop_stop(w->loop);
}

static const struct fetch_events call_events = {call_on_head, call_on_data, call_on_end};

static inline void call_init(struct world *w, struct call *c)
{
    *c = (struct call){.w = w};
    snprintf(c->url, sizeof c->url, "http://127.0.0.1:%d/v1/x", w->up.port);
    c->request = (struct fetch_request){.method = SLICE("GET"),
                                        .connect_timeout_ms = UP_PATIENCE_MS,
                                        .first_byte_timeout_ms = UP_PATIENCE_MS,
                                        .idle_timeout_ms = UP_PATIENCE_MS};
    buf_init(&c->head);
    buf_init(&c->body);
}

static inline void call_go(struct call *c)
{
    struct world *w = c->w;
    world_go(w);
    c->request.url = slice_str(c->url);
    if (!w->first) w->first = c;
    w->active++;
    c->f = fetch_start(w->pool, &c->request, &call_events, c);
    EXPECT_INT(0, c->heads + c->ends);
}

static inline void call_start(struct world *w, struct call *c)
{
    call_init(w, c);
    call_go(c);
}

static inline void call_clear(struct call *c)
{
    EXPECT_INT(0, c->out_of_order);
    buf_clear(&c->head);
    buf_clear(&c->body);
}

/* Cancels as the gateway does when its client is gone; the loop ends with this turn. */
static inline void call_cancel(struct call *c)
{
    fetch_cancel(c->f);
    c->f = NULL;
    c->w->active--;
    loop_stop(c->w->loop);
}

/* A GET that is started, run and done. */
static inline void call_whole(struct world *w, struct call *c)
{
    call_start(w, c);
    world_run(w);
    EXPECT_INT(1, c->ends);
}

#endif
