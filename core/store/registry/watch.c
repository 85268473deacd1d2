#include "store/registry/watch.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/postgres.h"
#include "store/registry/registry_inner.h"

#define ECHO_NS (60 * NS_PER_S)
#define ECHO_LATE_NS (5 * NS_PER_S)

#define LISTEN                                                                                                         \
    "SET statement_timeout = '2s'; SET default_transaction_isolation = 'read committed';"                              \
    "LISTEN " REGISTRY_SCHEMA_NAME
#define LOOK                                                                                                           \
    "SELECT CAST(m.v AS bigint), r.rev, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"                  \
    " FROM " REGISTRY_SCHEMA_NAME ".meta m, " REGISTRY_SCHEMA_NAME ".rev r WHERE m.k = 'epoch'"
#define ECHO "NOTIFY " REGISTRY_SCHEMA_NAME

struct registry_watch {
    struct loop *loop;
    const struct registry_watch_events *events;
    void *arg;
    struct loop_timer timer;
    struct postgres *conn; /* NULL: lost, or not made yet */
    bool is_ready, is_asking, is_again; /* is_again: told of more while it was asked */
    bool is_lost;                       /* and that is told */
    uint64_t asked_ns, asked_wall_ms;   /* of the question under way */
    uint64_t echo_ns, echo_due_ns;      /* when the next is sent; until when it may come back, 0: none is on its way */
    bool is_deaf;                       /* none came back, and that is logged */
};

static void ask(struct registry_watch *w, const char *sql, postgres_answer_fn fn)
{
    w->is_asking = true;
    w->asked_ns = clock_mono_ns();
    w->asked_wall_ms = clock_wall_ns() / NS_PER_MS;
    postgres_ask(w->conn, sql, NULL, 0, LIMIT_REGISTRY_MS, fn, w);
}

/* ---- Answers. */

static bool is_without(const struct postgres_answer *answer)
{
    struct slice state = slice_str(answer->state);
    return slice_equal(state, SLICE("42P01")) || slice_equal(state, SLICE("3F000"));
}

/* Its clock was read between asking and now: ours is nearest in the middle of both. */
static struct confirmed_seen seen_of(const struct registry_watch *w, const struct postgres_answer *answer)
{
    int64_t there_ms = postgres_int(answer, 0, 2), asked_ms = (int64_t)w->asked_wall_ms;
    int64_t way_ms = (int64_t)((clock_mono_ns() - w->asked_ns) / NS_PER_MS);
    return (struct confirmed_seen){.asked_ns = w->asked_ns,
                                   .epoch = (uint64_t)postgres_int(answer, 0, 0),
                                   .revision = (uint64_t)postgres_int(answer, 0, 1),
                                   .ahead_ms = there_ms - asked_ms - way_ms / 2,
                                   .late_ms = there_ms - asked_ms};
}

static void say_lost(struct registry_watch *w, const struct fault *why)
{
    if (!w->is_lost) w->events->on_lost(w->arg, why);
    w->is_lost = true;
}

static void on_looked(void *arg, const struct postgres_answer *answer)
{
    struct registry_watch *w = arg;
    w->is_asking = false;
    if (answer->is_good && postgres_rows(answer) == 1) {
        struct confirmed_seen seen = seen_of(w, answer);
        w->is_lost = false;
        w->events->on_seen(w->arg, &seen);
    } else if (answer->is_good || is_without(answer)) {
        w->events->on_empty(w->arg);
    } else {
        say_lost(w, &answer->why);
    }
    if (w->is_again) registry_watch_look(w);
}

static void on_done(void *arg, const struct postgres_answer *answer)
{
    struct registry_watch *w = arg;
    w->is_asking = false;
    if (!answer->is_good) say_lost(w, &answer->why);
    registry_watch_look(w);
}

/* ---- Notices. */

static void on_told(void *arg)
{
    struct registry_watch *w = arg;
    w->echo_due_ns = 0;
    w->is_deaf = false;
    registry_watch_look(w);
}

/* True: one was sent. */
static bool echo(struct registry_watch *w)
{
    uint64_t now = clock_mono_ns();
    if (w->echo_due_ns && now > w->echo_due_ns) {
        if (!w->is_deaf)
            log_event(LOG_WARN, "registry_deaf",
                      "notices of the registry's PostgreSQL do not arrive (is there a pooler in between?): it is asked "
                      "every %u ms all the same",
                      LIMIT_REGISTRY_POLL_MS);
        w->is_deaf = true;
        w->echo_due_ns = 0;
    }
    if (now < w->echo_ns) return false;
    w->echo_ns = now + ECHO_NS;
    w->echo_due_ns = now + ECHO_LATE_NS;
    ask(w, ECHO, on_done);
    return true;
}

/* ---- The connection. */

static void on_ready(void *arg)
{
    struct registry_watch *w = arg;
    w->is_ready = true;
    ask(w, LISTEN, on_done);
}

static void on_end(void *arg, const struct fault *why)
{
    struct registry_watch *w = arg;
    postgres_free(w->conn);
    w->conn = NULL;
    w->is_ready = w->is_asking = w->is_again = false;
    w->echo_due_ns = 0;
    say_lost(w, why);
}

static const struct postgres_events conn_events = {.on_ready = on_ready, .on_end = on_end, .on_told = on_told};

static bool connect_it(struct registry_watch *w, struct fault *why)
{
    struct buf name;
    buf_init(&name);
    const char *place = registry_place(&name);
    w->conn = postgres_new(w->loop, place, buf_ptr(&name), &conn_events, w, why);
    buf_clear(&name);
    return w->conn != NULL;
}

static void on_timer(void *arg)
{
    struct registry_watch *w = arg;
    struct fault why;
    loop_timer_arm_ms(&w->timer, LIMIT_REGISTRY_POLL_MS);
    if (!w->conn && !connect_it(w, &why)) say_lost(w, &why);
    if (w->is_ready && !w->is_asking && !echo(w)) registry_watch_look(w);
}

void registry_watch_look(struct registry_watch *w)
{
    w->is_again = w->is_asking;
    if (w->is_ready && !w->is_asking) ask(w, LOOK, on_looked);
}

/* ---- Its life. */

struct registry_watch *registry_watch_new(struct loop *loop, const struct registry_watch_events *events, void *arg,
                                          struct fault *why)
{
    struct registry_watch *w = mem_zalloc(1, sizeof *w);
    *w = (struct registry_watch){.loop = loop, .events = events, .arg = arg};
    w->echo_ns = clock_mono_ns() + ECHO_NS;
    loop_timer_init(&w->timer, loop, on_timer, w);
    loop_timer_arm_ms(&w->timer, LIMIT_REGISTRY_POLL_MS);
    if (connect_it(w, why)) return w;
    registry_watch_free(w);
    return NULL;
}

void registry_watch_free(struct registry_watch *w)
{
    if (!w) return;
    loop_timer_disarm(&w->timer);
    postgres_free(w->conn);
    mem_free(w);
}
