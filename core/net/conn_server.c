#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/conn_inner.h"

/* ---- Clocks */

static uint64_t timeout_ns(const struct conn_server *s, enum conn_clock clock)
{
    uint64_t ms = 0;
    switch (clock) {
    case CLOCK_NONE: break;
    case CLOCK_HEAD: ms = s->options.header_timeout_ms; break;
    case CLOCK_IDLE: ms = s->options.idle_timeout_ms; break;
    case CLOCK_BODY: ms = s->options.body_timeout_ms; break;
    case CLOCK_WRITE: ms = s->options.write_timeout_ms; break;
    case CLOCK_LINGER: ms = LIMIT_LINGER_MS; break;
    }
    return ms * NS_PER_MS;
}

/* The timer is moved only to an earlier time: requests come and go without touching it. */
static void sweep_by(struct conn_server *s, uint64_t due_ns)
{
    if (loop_timer_is_armed(&s->sweep) && s->sweep_due_ns <= due_ns) return;
    uint64_t now_ns = loop_now_ns(s->loop);
    s->sweep_due_ns = due_ns;
    loop_timer_arm_ms(&s->sweep, due_ns > now_ns ? (due_ns - now_ns) / NS_PER_MS + 1 : 0);
}

void conn_set_clock(struct conn *c, enum conn_clock clock)
{
    struct conn_server *s = c->server;
    list_remove(&c->clock_link);
    c->clock = clock;
    if (clock == CLOCK_NONE) return;
    c->clock_since_ns = loop_now_ns(s->loop);
    list_append(&s->clocks[clock], &c->clock_link);
    sweep_by(s, c->clock_since_ns + timeout_ns(s, clock));
}

/* When the next connection of that clock is due; 0: none waits. */
static uint64_t next_due(const struct conn_server *s, enum conn_clock clock)
{
    const struct list_link *head = &s->clocks[clock];
    if (list_is_empty(head)) return 0;
    return LIST_OWNER(head->next, struct conn, clock_link)->clock_since_ns + timeout_ns(s, clock);
}

static void on_sweep(void *arg)
{
    struct conn_server *s = arg;
    uint64_t now_ns = loop_now_ns(s->loop), earliest = UINT64_MAX;
    for (enum conn_clock clock = CLOCK_HEAD; clock <= CLOCK_LINGER; clock++) {
        uint64_t due;
        while ((due = next_due(s, clock)) != 0 && due <= now_ns) {
            struct conn *c = LIST_OWNER(s->clocks[clock].next, struct conn, clock_link);
            conn_set_clock(c, CLOCK_NONE);
            conn_expire(c, clock);
        }
        if (due && due < earliest) earliest = due;
    }
    if (earliest != UINT64_MAX) sweep_by(s, earliest);
}

/* ---- The server */

struct conn_server *conn_server_new(struct loop *loop, const struct conn_options *options,
                                    const struct conn_events *events, void *arg)
{
    struct conn_server *s = mem_zalloc(1, sizeof *s);
    s->loop = loop;
    s->options = *options;
    s->events = events;
    s->arg = arg;
    list_init(&s->conns);
    list_init(&s->strangers);
    for (int i = 0; i < CONN_CLOCKS; i++)
        list_init(&s->clocks[i]);
    loop_timer_init(&s->sweep, loop, on_sweep, s);
    return s;
}

void conn_server_free(struct conn_server *s)
{
    if (!s) return;
    listener_free(s->listener);
    s->listener = NULL;
    while (!list_is_empty(&s->conns))
        conn_kill(LIST_OWNER(s->conns.next, struct conn, link), false);
    loop_timer_disarm(&s->sweep);
    loop_defer(s->loop, mem_free, s);
}

void conn_server_set_options(struct conn_server *s, const struct conn_options *options)
{
    s->options = *options;
    sweep_by(s, loop_now_ns(s->loop));
}

static void on_accept(void *arg, int fd, const struct sockaddr *peer)
{
    char text[LISTENER_TEXT_BYTES];
    listener_format(peer, text);
    conn_server_adopt(arg, fd, text);
}

void conn_server_listen(struct conn_server *s, int fd)
{
    listener_free(s->listener);
    s->listener = fd >= 0 ? listener_new(s->loop, fd, on_accept, s) : NULL;
}

void conn_server_adopt(struct conn_server *s, int fd, const char *peer)
{
    s->counts.accepted++;
    bool is_full = s->counts.open >= s->options.connections_max || s->counts.strangers >= s->options.strangers_max;
    if (is_full) conn_drop_stranger(s, NULL);
    if (s->counts.open < s->options.connections_max) {
        conn_new(s, fd, peer, false);
    } else if (s->overloaded_open < s->options.overloaded_max) {
        conn_new(s, fd, peer, true);
    } else {
        s->counts.refused++;
        close(fd);
    }
}

void conn_server_drain(struct conn_server *s)
{
    struct list_link *next;
    s->is_draining = true;
    for (struct list_link *at = s->conns.next; at != &s->conns; at = next) {
        struct conn *c = LIST_OWNER(at, struct conn, link);
        next = at->next;
        if (!c->is_active && !c->is_lingering && c->input == INPUT_HEAD && buf_len(&c->in) == 0) conn_kill(c, false);
    }
}

struct conn_counts conn_server_counts(const struct conn_server *s)
{
    return s->counts;
}

/* RFC 9110 5.6.7, made once a second and never by the locale. */
const char *conn_server_date(struct conn_server *s)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = (time_t)(clock_wall_ns() / NS_PER_S);
    if (now == s->date_of) return s->date;
    struct tm tm;
    char text[64];
    gmtime_r(&now, &tm);
    snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday,
             months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    snprintf(s->date, sizeof s->date, "%.29s", text);
    s->date_of = now;
    return s->date;
}
