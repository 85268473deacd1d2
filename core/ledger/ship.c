#include "ledger/ship.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/ledger/batch.h"
#include "store/ledger/feed.h"
#include "store/ledger/postgres.h"
#include "store/postgres.h"

#define DAY_S (24 * 3600)

struct ship {
    struct loop *loop;
    const struct ship_events *events;
    void *arg;
    char *data_dir, *gateway, *conninfo;
    uint64_t retain_s;
    struct ledger_feed *feed;
    struct ledger_postgres *postgres;
    struct ledger_batch *filling, *sending;
    uint64_t read_seq, read_anchor; /* as far as `filling` goes */
    struct loop_work fill;
    struct loop_timer gather, retry, keep, slow;
    struct ship_state state;
    struct fault why;
    uint64_t retry_ms;
    bool is_claimed, is_asking; /* a statement is under way */
    bool is_at_end;             /* of what was committed when it was last read */
    bool is_awaited, is_keep_due, is_sending;
};

/* ---- What is told of it. */

static void set_state(struct ship *s, bool is_failing, bool is_refused, const struct fault *why)
{
    const char *text = why ? fault_message(why) : "";
    struct ship_state *state = &s->state;
    if (state->is_failing == is_failing && state->is_refused == is_refused && strcmp(s->why.text, text) == 0) return;
    state->is_failing = is_failing;
    state->is_refused = is_refused;
    fault_set(&s->why, FAULT_INTERNAL, "%s", text);
    state->why = s->why.text;
    if (is_refused) log_event(LOG_ERROR, "postgres_refused", "%s", text);
    else if (is_failing) log_event(LOG_WARN, "postgres_failing", "%s", text);
    else log_event(LOG_INFO, "postgres_reached", "ships from entry %" PRIu64, state->shipped);
    s->events->on_state(s->arg, state);
}

static void tell_shipped(struct ship *s, uint64_t seq)
{
    if (seq <= s->state.shipped) return;
    s->state.shipped = seq;
    if (s->state.head < seq) s->state.head = seq;
    s->events->on_shipped(s->arg, seq);
}

/* ---- Giving up for now. */

/* Half of it at random, so that the gateways of a fleet do not come back together. */
static uint64_t next_retry_ms(struct ship *s)
{
    uint64_t ms = s->retry_ms;
    s->retry_ms = ms * 2 > LIMIT_SHIP_RETRY_MS_MAX ? LIMIT_SHIP_RETRY_MS_MAX : ms * 2;
    return ms / 2 + arc4random_uniform((uint32_t)(ms / 2 + 1));
}

static void let_go(struct ship *s)
{
    ledger_postgres_free(s->postgres);
    ledger_feed_close(s->feed);
    s->postgres = NULL;
    s->feed = NULL;
    s->is_claimed = s->is_asking = s->is_at_end = s->is_sending = false;
    loop_work_drop(&s->fill);
    loop_timer_disarm(&s->gather);
    loop_timer_disarm(&s->slow);
    ledger_batch_reset(s->filling);
    ledger_batch_reset(s->sending);
}

static void give_up(struct ship *s, bool is_refused, const struct fault *why)
{
    struct fault kept = *why;
    let_go(s);
    s->state.failures++;
    loop_timer_arm_ms(&s->retry, is_refused ? LIMIT_SHIP_REFUSED_MS : next_retry_ms(s));
    set_state(s, true, is_refused, &kept);
}

static void on_end(void *arg, enum ledger_postgres_end end, const struct fault *why)
{
    struct ship *s = arg;
    struct fault told = {0};
    fault_set(&told, FAULT_INTERNAL, "PostgreSQL: %s", fault_message(why));
    give_up(s, end == POSTGRES_REFUSED, &told);
}

/* ---- Sending. */

/* A batch has come through, or there is none. That it let us in is not enough: a full disk lets everybody in. */
static void is_well(struct ship *s)
{
    s->retry_ms = LIMIT_SHIP_RETRY_MS;
    set_state(s, false, false, NULL);
}

static void ask(struct ship *s)
{
    s->is_asking = true;
    s->state.statements++;
    if (!loop_timer_is_armed(&s->slow)) loop_timer_arm_ms(&s->slow, LIMIT_SHIP_SLOW_MS);
}

static void on_slow(void *arg)
{
    struct ship *s = arg;
    struct fault why = {0};
    fault_set(&why, FAULT_INTERNAL, "PostgreSQL: no answer for %u seconds", LIMIT_SHIP_SLOW_MS / 1000);
    set_state(s, true, false, &why);
}

/* Days that were over before the time that is kept. */
static int64_t first_kept(const struct ship *s)
{
    uint64_t now_s = clock_wall_ns() / NS_PER_S;
    return s->retain_s && s->retain_s < now_s ? (int64_t)((now_s - s->retain_s) / DAY_S) : 0;
}

static void keep(struct ship *s)
{
    s->is_keep_due = false;
    loop_timer_arm_ms(&s->keep, LIMIT_SHIP_KEEP_MS);
    ask(s);
    ledger_postgres_keep(s->postgres, first_kept(s));
}

static void send(struct ship *s)
{
    struct ledger_batch *batch = s->filling;
    s->filling = s->sending;
    s->sending = batch;
    s->is_awaited = s->is_awaited && !s->is_at_end;
    s->is_sending = true;
    ledger_batch_reset(s->filling);
    loop_timer_disarm(&s->gather);
    ask(s);
    ledger_postgres_send(s->postgres, batch);
    if (!s->is_at_end) loop_work_add(&s->fill); /* the next one is read meanwhile */
}

static bool read_anchors(struct ship *s)
{
    struct fault why = {0};
    if (ledger_batch_anchors(s->filling)) return true;
    if (ledger_feed_anchors(s->feed, s->read_anchor, s->filling, &s->read_anchor, &why)) return true;
    give_up(s, false, &why);
    return false;
}

static void go_on(struct ship *s)
{
    if (!s->is_claimed || s->is_asking) return;
    if (s->is_keep_due) {
        keep(s);
        return;
    }
    bool is_full = ledger_batch_is_full(s->filling);
    if (!is_full && !s->is_at_end) return; /* it is being read */
    if (!is_full && !s->is_awaited && loop_timer_is_armed(&s->gather)) return;
    if (!read_anchors(s)) return;
    if (ledger_batch_rows(s->filling) || ledger_batch_anchors(s->filling)) send(s);
    else is_well(s);
}

/* A slice a turn, so that commits are not kept waiting. */
static void on_fill(void *arg)
{
    struct ship *s = arg;
    struct fault why = {0};
    size_t before = ledger_batch_rows(s->filling);
    uint8_t hash[32];
    if (!ledger_feed_read(s->feed, s->read_seq, LIMIT_SHIP_SLICE_ROWS, s->filling, &why)) {
        give_up(s, false, &why);
        return;
    }
    size_t came = ledger_batch_rows(s->filling) - before;
    if (came) s->read_seq = ledger_batch_last(s->filling, hash);
    if (s->state.head < s->read_seq) s->state.head = s->read_seq;
    bool is_full = ledger_batch_is_full(s->filling);
    s->is_at_end = !is_full && came < LIMIT_SHIP_SLICE_ROWS;
    if (is_full || s->is_at_end) go_on(s);
    else loop_work_add(&s->fill);
}

static void on_gathered(void *arg)
{
    struct ship *s = arg;
    if (!s->is_claimed) return;
    if (s->is_at_end && !ledger_batch_is_full(s->filling)) loop_work_add(&s->fill);
    else go_on(s);
}

static void on_keep(void *arg)
{
    struct ship *s = arg;
    s->is_keep_due = true;
    go_on(s);
}

/* ---- Coming together. */

static void on_idle(void *arg)
{
    struct ship *s = arg;
    s->is_asking = false;
    loop_timer_disarm(&s->slow);
    if (!s->is_claimed) {
        s->is_claimed = true;
        loop_work_add(&s->fill);
    }
    if (s->is_sending) {
        tell_shipped(s, ledger_postgres_place(s->postgres)->seq);
        is_well(s);
    }
    s->is_sending = false;
    go_on(s);
}

static void refuse(struct ship *s, enum ledger_feed_link link, const struct ledger_postgres_place *place)
{
    struct fault why = {0};
    const char *cure = "give this gateway another ledger.gateway, or rename the other's row in moongate.gateway";
    if (link == FEED_OLDER) {
        fault_set(&why, FAULT_INTERNAL,
                  "PostgreSQL has entry %" PRIu64 " of \"%s\", ledger.db ends before it: an older one was put back, or "
                  "another gateway has this name: %s", place->seq, s->gateway, cure);
    } else {
        fault_set(&why, FAULT_INTERNAL,
                  "entry %" PRIu64 " of \"%s\" is another in PostgreSQL than in ledger.db: another gateway has this "
                  "name: %s", place->seq, s->gateway, cure);
    }
    give_up(s, true, &why);
}

static void on_open(void *arg, const struct ledger_postgres_place *place)
{
    struct ship *s = arg;
    struct fault why = {0};
    enum ledger_feed_link link;
    if (!ledger_feed_check(s->feed, place->seq, place->hash, &link, &why)) {
        give_up(s, false, &why);
        return;
    }
    if (link != FEED_FOLLOWS) {
        refuse(s, link, place);
        return;
    }
    s->read_seq = place->seq;
    s->read_anchor = place->anchor;
    tell_shipped(s, place->seq);
    ask(s);
    ledger_postgres_claim(s->postgres);
}

static const struct ledger_postgres_events postgres_events = {on_open, on_idle, on_end};

static void on_retry(void *arg)
{
    struct ship *s = arg;
    struct fault why = {0};
    struct ledger_postgres_options options = {s->conninfo, slice_str(s->gateway)};
    s->feed = ledger_feed_open(s->data_dir, &why);
    if (s->feed) s->postgres = ledger_postgres_new(s->loop, &options, &postgres_events, s, &why);
    if (!s->postgres) give_up(s, false, &why);
}

struct ship *ship_new(struct loop *loop, const struct ship_options *options, const struct ship_events *events,
                      void *arg, struct fault *why)
{
    if (!postgres_check(options->conninfo, why)) return NULL;
    struct ship *s = mem_zalloc(1, sizeof *s);
    s->loop = loop;
    s->events = events;
    s->arg = arg;
    s->data_dir = mem_strdup(options->data_dir);
    s->gateway = mem_strndup(options->gateway.ptr, options->gateway.len);
    s->conninfo = mem_strdup(options->conninfo);
    s->retain_s = options->retain_s;
    s->state.shipped = s->state.head = options->shipped;
    s->filling = ledger_batch_new();
    s->sending = ledger_batch_new();
    s->retry_ms = LIMIT_SHIP_RETRY_MS;
    s->is_keep_due = true;
    s->state.is_failing = true;
    fault_set(&s->why, FAULT_INTERNAL, "PostgreSQL is not connected yet");
    s->state.why = s->why.text;
    loop_work_init(&s->fill, loop, on_fill, s);
    loop_timer_init(&s->gather, loop, on_gathered, s);
    loop_timer_init(&s->retry, loop, on_retry, s);
    loop_timer_init(&s->keep, loop, on_keep, s);
    loop_timer_init(&s->slow, loop, on_slow, s);
    loop_timer_arm_ms(&s->retry, 0);
    return s;
}

static void free_now(void *arg)
{
    mem_free(arg);
}

void ship_free(struct ship *s)
{
    if (!s) return;
    let_go(s);
    loop_timer_disarm(&s->retry);
    loop_timer_disarm(&s->keep);
    ledger_batch_free(s->filling);
    ledger_batch_free(s->sending);
    explicit_bzero(s->conninfo, strlen(s->conninfo));
    mem_free(s->data_dir);
    mem_free(s->gateway);
    mem_free(s->conninfo);
    loop_defer(s->loop, free_now, s);
}

void ship_committed(struct ship *s, bool is_awaited)
{
    s->is_awaited |= is_awaited;
    if (!s->is_claimed || !s->is_at_end) return; /* it is read anyway */
    if (is_awaited) {
        s->is_at_end = false; /* there is more than was read */
        loop_work_add(&s->fill);
    } else if (!loop_timer_is_armed(&s->gather)) {
        loop_timer_arm_ms(&s->gather, LIMIT_SHIP_GATHER_MS);
    }
}

static void look_at_lag(struct ship *s)
{
    struct ship_state *state = &s->state;
    struct fault why = {0};
    int64_t time_us = 0, now_us = (int64_t)(clock_wall_ns() / 1000);
    struct ledger_feed *feed = s->feed ? s->feed : ledger_feed_open(s->data_dir, &why);
    if (feed && ledger_feed_head(feed, &state->head, &why) && state->head > state->shipped)
        ledger_feed_time(feed, state->shipped, &time_us, &why);
    if (feed && feed != s->feed) ledger_feed_close(feed);
    state->lag_rows = state->head > state->shipped ? state->head - state->shipped : 0;
    state->lag_ms = state->lag_rows && time_us && time_us < now_us ? (uint64_t)(now_us - time_us) / 1000 : 0;
}

bool ship_is_done(struct ship *s)
{
    look_at_lag(s);
    return s->state.lag_rows == 0;
}

const struct ship_state *ship_state(struct ship *s)
{
    look_at_lag(s);
    return &s->state;
}
