#include "net/fetch_inner.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/head.h"

#define NEVER UINT64_MAX
/* Handles kept for reuse, the last one used first: its memory is the warmest; a burst beyond gives its memory back. */
#define IDLE_HANDLES_MAX 256

static uint64_t now_ms(const struct fetch_pool *pool)
{
    return loop_now_ns(pool->loop) / NS_PER_MS;
}

static uint64_t later(uint64_t since_ms, uint32_t timeout_ms)
{
    return timeout_ms ? since_ms + timeout_ms : NEVER;
}

static uint64_t phase_deadline(const struct fetch *f)
{
    switch (f->phase) {
    case FETCH_CONNECTING: return later(f->since_ms, f->connect_timeout_ms);
    case FETCH_AWAITING: return later(f->since_ms, f->first_byte_timeout_ms);
    case FETCH_STREAMING: return f->is_paused ? NEVER : later(f->since_ms, f->idle_timeout_ms);
    case FETCH_ENDED: break;
    }
    return NEVER;
}

/*
 * One timer for all four limits. It is set again only when a limit has moved closer; when one has moved away, as the
 * idle limit does with every read, the timer fires at the old time and finds out (on_time).
 */
static void arm(struct fetch *f)
{
    uint64_t deadline = phase_deadline(f), total = later(f->started_ms, f->total_timeout_ms);
    if (total < deadline) deadline = total;
    if (deadline == NEVER || (f->armed_ms && f->armed_ms <= deadline)) return;
    uint64_t now = now_ms(f->pool);
    f->armed_ms = deadline;
    loop_timer_arm_ms(&f->timer, deadline > now ? deadline - now : 1);
}

void fetch_touch(struct fetch *f)
{
    f->since_ms = now_ms(f->pool);
}

void fetch_enter(struct fetch *f, enum fetch_phase phase)
{
    fetch_touch(f);
    f->phase = phase;
    arm(f);
}

static void free_fetch(void *arg)
{
    mem_free(arg);
}

/* Nobody but the pool knows it any more. The memory goes later: the fetch's timer may be what called. */
static void destroy(struct fetch *f)
{
    loop_timer_disarm(&f->timer);
    curl_easy_cleanup(f->easy);
    mem_free(f->ca_file);
    fetch_url_drop(f->url);
    loop_defer(f->pool->loop, free_fetch, f);
}

/* curl 7.88 counts what it began anew over a handle's whole life, and gives up at the sixth:
 * such a handle is not kept. */
static bool is_worn(const struct fetch *f)
{
    return f->is_retried || f->pool->idle_count >= IDLE_HANDLES_MAX;
}

static void recycle(struct fetch *f)
{
    struct fetch_pool *pool = f->pool;
    loop_timer_disarm(&f->timer);
    f->armed_ms = 0;
    fetch_text_clear(&f->text);
    head_free(f->head);
    mem_free(f->why);
    f->head = NULL;
    f->why = NULL;
    list_remove(&f->link);
    if (is_worn(f)) {
        destroy(f);
        return;
    }
    list_prepend(&pool->idle, &f->link);
    pool->idle_count++;
}

void fetch_stop(struct fetch *f, const char *host, const struct fault *why)
{
    f->why = mem_alloc(sizeof *f->why);
    fault_set(f->why, why->code, "%s: %s", host, fault_message(why));
}

void fetch_hold(struct fetch *f, bool is_held)
{
    if (f->is_held == is_held) return;
    f->is_held = is_held;
    curl_loop_hold(f->pool->curl, is_held);
}

/* No event will come from it again, but one about its end. */
static void quit(struct fetch *f)
{
    struct fetch_pool *pool = f->pool;
    loop_work_drop(&f->resume);
    if (f->is_paused) pool->paused--;
    f->is_paused = false;
    fetch_hold(f, false);
    pool->active--;
}

static void remove_from_curl(struct fetch *f)
{
    if (f->is_added) curl_loop_remove(f->pool->curl, f->easy);
    f->is_added = false;
}

/* Outside of curl only. */
static void finish(struct fetch *f, const struct fault *why)
{
    remove_from_curl(f);
    quit(f);
    f->was_sent = fetch_is_sent(f);
    if (f->phase == FETCH_STREAMING && !f->has_flooded && f->url->floods) f->url->floods--;
    f->phase = FETCH_ENDED;
    f->events->on_end(f->arg, why, why == NULL);
    recycle(f);
}

static void finish_as(struct fetch *f, CURLcode result)
{
    struct fault why;
    finish(f, fetch_judge(f, result, &why) ? NULL : &why);
}

static enum fault_code overdue(const struct fetch *f, uint64_t now)
{
    if (later(f->started_ms, f->total_timeout_ms) <= now) return FAULT_TOTAL_TIMEOUT;
    if (phase_deadline(f) > now) return FAULT_NONE;
    switch (f->phase) {
    case FETCH_CONNECTING: return FAULT_CONNECT_TIMEOUT;
    case FETCH_AWAITING: return FAULT_FIRST_BYTE_TIMEOUT;
    case FETCH_STREAMING: return FAULT_UPSTREAM_IDLE_TIMEOUT;
    case FETCH_ENDED: break;
    }
    return FAULT_NONE;
}

static uint32_t timeout_of(const struct fetch *f, enum fault_code code)
{
    if (code == FAULT_CONNECT_TIMEOUT) return f->connect_timeout_ms;
    if (code == FAULT_FIRST_BYTE_TIMEOUT) return f->first_byte_timeout_ms;
    if (code == FAULT_UPSTREAM_IDLE_TIMEOUT) return f->idle_timeout_ms;
    return f->total_timeout_ms;
}

static void on_time(void *arg)
{
    struct fetch *f = arg;
    f->armed_ms = 0;
    check(!curl_loop_is_inside(f->pool->curl));
    enum fault_code code = overdue(f, now_ms(f->pool));
    if (code == FAULT_NONE) {
        arm(f);
        return;
    }
    struct fault why;
    fault_set(&why, code, "%s: %s (limit %u ms)", f->url->host, fault_info(code)->sentence, timeout_of(f, code));
    finish(f, &why);
}

static void on_connecting(struct curl_loop_sockets *sockets)
{
    struct fetch *f = LIST_OWNER(sockets, struct fetch, sockets);
    /* a kept connection was dead, and curl makes another */
    if (f->phase == FETCH_AWAITING) fetch_enter(f, FETCH_CONNECTING);
}

/* Held bytes are given out before anything new is read: curl goes on by itself behind them. */
static void on_resume(void *arg)
{
    struct fetch *f = arg;
    if (f->is_paused || !f->is_held) return;
    fetch_hold(f, false);
    CURLcode result = curl_loop_resume(f->pool->curl, f->easy);
    if (result != CURLE_OK && !f->is_cancelled) finish_as(f, result);
    curl_loop_kick(f->pool->curl);
}

static void bury_some(struct fetch_pool *pool)
{
    while (!list_is_empty(&pool->dying)) {
        struct fetch *f = LIST_OWNER(pool->dying.next, struct fetch, link);
        remove_from_curl(f);
        recycle(f);
    }
}

static void send_one(struct fetch *f)
{
    if (f->why) {
        finish_as(f, CURLE_OK);
        return;
    }
    list_remove(&f->link);
    list_append(&f->pool->running, &f->link);
    f->is_added = true;
    curl_loop_add(f->pool->curl, f->easy, &f->sockets);
}

/* Those that are started on the way have a turn of their own. */
static void send_some(struct fetch_pool *pool)
{
    size_t count = 0;
    for (struct list_link *l = pool->waiting.next; l != &pool->waiting; l = l->next)
        count++;
    while (count-- && !list_is_empty(&pool->waiting))
        send_one(LIST_OWNER(pool->waiting.next, struct fetch, link));
}

static void on_outside(void *arg)
{
    struct fetch_pool *pool = arg;
    bury_some(pool);
    send_some(pool);
}

static void on_done(void *arg, CURL *easy, CURLcode result)
{
    (void)arg;
    char *owner = NULL;
    check(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner) == CURLE_OK && owner);
    struct fetch *f = (struct fetch *)(void *)owner;
    f->is_added = false;
    finish_as(f, result);
}

struct fetch_pool *fetch_pool_new(struct loop *loop, const char *user_agent)
{
    static const struct curl_loop_events events = {
        .on_connecting = on_connecting, .on_outside = on_outside, .on_done = on_done};
    struct fetch_pool *pool = mem_zalloc(1, sizeof *pool);
    pool->loop = loop;
    pool->user_agent = mem_strdup(user_agent);
    pool->curl = curl_loop_new(loop, &events, pool);
    check(pool->curl != NULL);
    pool->system_ca_file = fetch_handle_system_ca();
    list_init(&pool->waiting);
    list_init(&pool->running);
    list_init(&pool->dying);
    list_init(&pool->idle);
    return pool;
}

void fetch_pool_limit(struct fetch_pool *pool, uint32_t connections)
{
    curl_loop_limit(pool->curl, connections);
}

static void cancel_all(struct list_link *list)
{
    while (!list_is_empty(list))
        fetch_cancel(LIST_OWNER(list->next, struct fetch, link));
}

void fetch_pool_free(struct fetch_pool *pool)
{
    if (!pool) return;
    check(!curl_loop_is_inside(pool->curl));
    cancel_all(&pool->waiting);
    cancel_all(&pool->running);
    while (!list_is_empty(&pool->idle)) {
        struct fetch *f = LIST_OWNER(pool->idle.next, struct fetch, link);
        list_remove(&f->link);
        destroy(f);
    }
    curl_loop_free(pool->curl);
    fetch_urls_clear(&pool->urls);
    head_free(pool->spare_head);
    mem_free(pool->system_ca_file);
    mem_free(pool->user_agent);
    mem_free(pool);
}

struct fetch_pool_stats fetch_pool_stats(const struct fetch_pool *pool)
{
    return (struct fetch_pool_stats){.connections_created = curl_loop_created(pool->curl),
                                     .connections_reused = pool->reused,
                                     .connections_open = curl_loop_open(pool->curl),
                                     .fetches_active = pool->active,
                                     .fetches_paused = pool->paused};
}

static struct fetch *new_fetch(struct fetch_pool *pool)
{
    struct fetch *f = mem_zalloc(1, sizeof *f);
    f->pool = pool;
    f->easy = curl_easy_init();
    check(f->easy != NULL);
    list_init(&f->link);
    loop_work_init(&f->resume, pool->loop, on_resume, f);
    loop_timer_init(&f->timer, pool->loop, on_time, f);
    fetch_handle_init(f);
    return f;
}

static struct fetch *take_fetch(struct fetch_pool *pool)
{
    if (list_is_empty(&pool->idle)) return new_fetch(pool);
    struct fetch *f = LIST_OWNER(pool->idle.next, struct fetch, link);
    list_remove(&f->link);
    pool->idle_count--;
    return f;
}

/* What the last use has left behind. */
static void clear_state(struct fetch *f)
{
    f->phase = FETCH_CONNECTING;
    f->has_flooded = false;
    f->is_paused = f->is_held = f->is_cancelled = f->is_added = f->is_reused = f->has_head = false;
    f->is_asking = f->is_retried = false;
    f->trailer_bytes = f->turn_bytes = 0;
    f->error[0] = 0;
}

/* What is wrong with the request is told in the next turn. */
static void prepare(struct fetch *f, const struct fetch_request *request)
{
    struct fault why;
    char host[FETCH_HOST_BYTES];
    if (fetch_text_build(&f->text, request, slice_str(f->pool->user_agent), &why) && fetch_handle_set(f, request, &why))
        return;
    fetch_url_host(request->url, host, sizeof host);
    fetch_stop(f, host, &why);
}

struct fetch *fetch_start(struct fetch_pool *pool, const struct fetch_request *request,
                          const struct fetch_events *events, void *arg)
{
    struct fetch *f = take_fetch(pool);
    clear_state(f);
    f->events = events;
    f->arg = arg;
    f->connect_timeout_ms = request->connect_timeout_ms;
    f->first_byte_timeout_ms = request->first_byte_timeout_ms;
    f->idle_timeout_ms = request->idle_timeout_ms;
    f->total_timeout_ms = request->total_timeout_ms;
    prepare(f, request);
    f->started_ms = now_ms(pool);
    if (!f->why) fetch_enter(f, FETCH_CONNECTING);
    pool->active++;
    list_append(&pool->waiting, &f->link);
    curl_loop_kick(pool->curl);
    return f;
}

void fetch_pause(struct fetch *f)
{
    if (f->is_paused || f->is_cancelled || f->phase == FETCH_ENDED) return;
    f->is_paused = true;
    f->pool->paused++;
}

void fetch_resume(struct fetch *f)
{
    if (!f->is_paused) return;
    f->is_paused = false;
    f->pool->paused--;
    fetch_touch(f);
    arm(f);
    if (f->is_held) loop_work_add(&f->resume);
}

void fetch_cancel(struct fetch *f)
{
    if (!f || f->is_cancelled || f->phase == FETCH_ENDED) return;
    f->is_cancelled = true;
    quit(f);
    if (curl_loop_is_inside(f->pool->curl)) {
        loop_timer_disarm(&f->timer);
        list_remove(&f->link);
        list_append(&f->pool->dying, &f->link);
        return;
    }
    remove_from_curl(f);
    recycle(f);
}

bool fetch_has_body(const struct fetch *f)
{
    return f->text.piece_count == 0;
}

enum fetch_phase fetch_phase(const struct fetch *f)
{
    return f->phase;
}

bool fetch_is_sent(const struct fetch *f)
{
    return f->phase == FETCH_ENDED ? f->was_sent : f->phase != FETCH_CONNECTING;
}

bool fetch_connection_reused(const struct fetch *f)
{
    return f->is_reused;
}
