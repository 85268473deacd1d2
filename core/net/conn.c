#include <stdio.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/mem.h"
#include "net/conn_inner.h"

static void on_ready(void *arg, unsigned ready);

/* One registration for the connection's life: whether it is read or written changes without a system call. Hang-ups
 * are told although nothing is read; edges, because libevent tells a reset only to who watches for reading. */
struct conn *conn_new(struct conn_server *s, int fd, const char *peer, bool is_overloaded)
{
    struct conn *c = mem_zalloc(1, sizeof *c);
    c->server = s;
    c->is_overloaded = is_overloaded;
    c->input = is_overloaded ? INPUT_OVERLOADED : INPUT_HEAD;
    c->minor = 1;
    snprintf(c->peer, sizeof c->peer, "%s", peer);
    if (is_overloaded)
        s->overloaded_open++;
    else
        s->counts.open++;
    list_init(&c->link);
    list_append(&s->conns, &c->link);
    list_init(&c->clock_link);
    list_init(&c->stranger_link);
    if (!is_overloaded) conn_be_stranger(c);
    transport_plain(&c->transport, fd);
    loop_watch_init(&c->watch, s->loop, fd, on_ready, c);
    loop_watch_set(&c->watch, LOOP_READ | LOOP_WRITE | LOOP_HANGUP | LOOP_EDGE);
    conn_set_clock(c, CLOCK_HEAD);
    return c;
}

static void free_now(void *arg)
{
    struct conn *c = arg;
    buf_clear(&c->in);
    buf_clear(&c->out);
    mem_free(c);
}

void conn_kill(struct conn *c, bool is_reset)
{
    if (c->is_dead) return;
    c->is_dead = true;
    c->is_active = false;
    if (c->is_overloaded)
        c->server->overloaded_open--;
    else
        c->server->counts.open--;
    loop_watch_set(&c->watch, 0);
    conn_set_clock(c, CLOCK_NONE);
    conn_be_none(c);
    list_remove(&c->link);
    buf_clear(&c->out);
    conn_note_output(c);
    transport_close(&c->transport, is_reset);
    loop_defer(c->server->loop, free_now, c);
}

void conn_lost(struct conn *c, bool is_reset)
{
    struct conn_server *s = c->server;
    bool is_owned = c->is_active;
    c->is_active = false;
    if (is_owned) s->events->on_gone(c, s->arg);
    conn_kill(c, is_reset);
}

bool conn_is_reading(const struct conn *c)
{
    return !c->is_dead && !c->is_lingering && !c->is_held && c->input != INPUT_CLOSED && c->output == OUTPUT_NONE;
}

/* ---- After an answer */

/* The client may still be sending; to close now would make its kernel throw the answer away (RFC 9112 9.6). */
static void begin_lingering(struct conn *c)
{
    if (!transport_finish(&c->transport)) {
        conn_kill(c, false);
        return;
    }
    c->is_lingering = true;
    c->linger_left = list_is_empty(&c->stranger_link) ? LIMIT_LINGER_BYTES : LIMIT_LINGER_STRANGER_BYTES;
    buf_clear(&c->in);
    buf_clear(&c->out);
    conn_stranger_holds(c);
    conn_set_clock(c, CLOCK_LINGER);
    loop_watch_again(&c->watch, LOOP_READ);
}

static void next_request(struct conn *c)
{
    c->input = INPUT_HEAD;
    c->output = OUTPUT_NONE;
    c->context = NULL;
    c->minor = 1;
    c->is_head_method = c->is_held = c->is_holding = c->has_told_held = c->is_head_held = false;
    buf_clear(&c->out);
    c->has_unparsed = buf_len(&c->in) > 0;
    conn_set_clock(c, c->has_unparsed ? CLOCK_HEAD : CLOCK_IDLE);
    /* One request a turn: who pipelines a thousand does not keep the others waiting. */
    if (c->has_unparsed || c->is_readable) loop_watch_again(&c->watch, LOOP_READ);
}

static void finish_reply(struct conn *c)
{
    struct conn_server *s = c->server;
    bool is_closing = c->is_closing || s->is_draining;
    c->is_active = false;
    s->events->on_reply_end(c, s->arg);
    if (c->is_dead) return;
    if (!is_closing)
        next_request(c);
    else if (c->is_lingering_after || c->is_readable || buf_len(&c->in))
        begin_lingering(c);
    else
        conn_kill(c, false);
}

/* All that may leave has left. */
static void end_reply(struct conn *c)
{
    struct conn_server *s = c->server;
    if (!c->is_holding) {
        finish_reply(c);
    } else if (!c->has_told_held) {
        c->has_told_held = true;
        s->events->on_end_held(c, s->arg);
    }
}

/* A client that takes nothing is given up; one that takes a little has its time anew. */
static void watch_progress(struct conn *c, bool has_progress)
{
    if (c->output == OUTPUT_NONE) return;
    if (conn_free_bytes(c) == 0) {
        if (c->clock == CLOCK_WRITE) conn_set_clock(c, CLOCK_NONE);
    } else if (has_progress || c->clock != CLOCK_WRITE) {
        conn_set_clock(c, CLOCK_WRITE);
    }
}

static void settle(void *arg)
{
    struct conn *c = arg;
    struct conn_server *s = c->server;
    c->is_settling = false;
    if (c->is_dead) return;
    watch_progress(c, conn_flush(c));
    if (buf_len(&c->out) == 0) buf_clear(&c->out); /* thousands of streams wait for their next event at any time */
    if (c->is_broken) {
        conn_lost(c, false);
        return;
    }
    conn_note_output(c);
    if (c->was_over && buf_len(&c->out) < conn_output_max(c) / 4) {
        c->was_over = false;
        if (c->output == OUTPUT_OPEN) s->events->on_drained(c, s->arg);
    }
    if (!c->is_dead && c->output == OUTPUT_ENDED && conn_free_bytes(c) == 0) end_reply(c);
    /* Half a close counts as one: nobody who still wants an answer of a model closes his side first. */
    if (c->is_active && c->has_hung_up && !conn_is_reading(c)) conn_lost(c, false);
}

void conn_settle_later(struct conn *c)
{
    if (c->is_settling || c->is_dead) return;
    c->is_settling = true;
    loop_defer(c->server->loop, settle, c);
}

/* ---- What the descriptor and the clocks tell */

static void on_ready(void *arg, unsigned ready)
{
    struct conn *c = arg;
    if (ready & (LOOP_READ | LOOP_HANGUP)) c->is_readable = true;
    /* A reset comes as READ and WRITE at once, perhaps on the same edge as the bytes before it, and a short read looks
     * the same then as without it. Nothing tells of it later, so it is asked for. */
    bool may_be_reset = (ready & LOOP_READ) && (ready & LOOP_WRITE);
    if (ready & LOOP_HANGUP || (may_be_reset && transport_has_failed(&c->transport))) c->has_hung_up = true;
    if (ready & LOOP_WRITE && c->is_blocked) {
        c->is_blocked = false;
        conn_settle_later(c);
    }
    if (c->is_lingering) {
        conn_read_lingering(c);
    } else if (conn_is_reading(c)) {
        if (c->is_readable || c->has_unparsed) conn_read(c);
        if (c->is_active && c->has_hung_up) conn_settle_later(c);
    } else if (c->has_hung_up) {
        conn_settle_later(c);
    } else if (ready & LOOP_READ && transport_has_failed(&c->transport)) {
        conn_lost(c, false);
    }
}

void conn_expire(struct conn *c, enum conn_clock clock)
{
    struct conn_server *s = c->server;
    struct fault why;
    switch (clock) {
    case CLOCK_HEAD:
        fault_set(&why, FAULT_REQUEST_TIMEOUT, "the request's head did not arrive within %u ms",
                  s->options.header_timeout_ms);
        if (buf_len(&c->in))
            conn_refuse(c, &why);
        else
            conn_kill(c, false);
        return;
    case CLOCK_BODY:
        fault_set(&why, FAULT_REQUEST_TIMEOUT, "no byte of the request's body arrived for %u ms (timeouts.body)",
                  s->options.body_timeout_ms);
        conn_refuse(c, &why);
        return;
    case CLOCK_WRITE:
        c->has_stalled = true;
        conn_lost(c, true);
        return;
    case CLOCK_NONE:
    case CLOCK_IDLE:
    case CLOCK_LINGER: conn_kill(c, false); return;
    }
}

/* ---- The owner's */

void conn_set_context(struct conn *c, void *context)
{
    c->context = context;
}

void *conn_context(const struct conn *c)
{
    return c->context;
}

const char *conn_peer(const struct conn *c)
{
    return c->peer;
}

bool conn_user(const struct conn *c, uint32_t *uid)
{
    struct ucred who;
    int domain;
    socklen_t domain_len = sizeof domain, who_len = sizeof who;
    if (getsockopt(c->transport.fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) != 0 || domain != AF_UNIX ||
        getsockopt(c->transport.fd, SOL_SOCKET, SO_PEERCRED, &who, &who_len) != 0)
        return false;
    *uid = who.uid;
    return true;
}

bool conn_has_stalled(const struct conn *c)
{
    return c->has_stalled;
}
