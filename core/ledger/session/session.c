#include "ledger/session/session.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/session/bulletin.h"
#include "ledger/session/claiming.h"
#include "ledger/session/errand.h"
#include "ledger/session/hints.h"
#include "ledger/session/reclaim.h"
#include "ledger/session/sweep.h"
#include "ledger/session/telling.h"
#include "ledger/session/zone.h"
#include "net/loop.h"
#include "store/counters/post.h"
#include "store/ledger/ledger.h"
#include "store/ledger/alerts.h"
#include "store/ledger/sessions.h"

#define SEED_AGAIN_MS 100u

enum state {
    APART,     /* no connection, or no ledger yet */
    PAUSING,   /* something failed: in a moment all of it again */
    BEGINNING, /* a beat is to say which memory it is */
    TELLING,   /* from here on commits are told */
    SEEDING,
    OPEN,
    LEAVING,
};

struct session {
    struct bulletin bulletin;
    const struct session_events *events;
    void *arg;
    char *gateway;
    struct zone zone;
    uint32_t lease_ms, grace_ms;
    struct counters_redis *redis;
    struct errand beat, seed;
    struct telling *telling;
    struct reclaim *reclaim;
    struct sweep *sweep;
    struct hints *hints;
    struct claiming *claiming;
    struct ledger *ledger; /* NULL: not open yet */
    enum state state;
    char name[COUNTERS_NAME_BYTES];   /* "": to be made */
    char memory[COUNTERS_NAME_BYTES]; /* that it is in; "": not known yet */
    char epoch[COUNTERS_NAME_BYTES];  /* as it is shown; "": not to be asked */
    char source[LEDGER_SOURCE_BYTES];
    uint32_t gateways;
    bool is_connected;
    bool is_new;       /* Redis has not been told of it */
    bool is_kept;      /* it stands in the ledger's file */
    bool may_shrink;   /* its sums: nobody repairs them while the gateway runs */
    bool is_look_due;
    struct loop_timer beating, pause, seeding, looking, leaving;
    void (*left)(void *arg);
    void *left_arg;
};

static void show(struct session *s)
{
    bulletin_show(&s->bulletin, s->name, s->epoch, s->gateways);
}

/* ---- All again. */

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

static struct counters_place place_of(const struct session *s)
{
    return (struct counters_place){.session = s->name, .epoch = s->epoch, .zone = s->zone.own};
}

static struct sqlite3 *db_of(struct session *s)
{
    return ledger_connection(s->ledger);
}

static void stop(struct session *s, enum state state)
{
    telling_stop(s->telling);
    errand_drop(&s->beat);
    errand_drop(&s->seed);
    loop_timer_disarm(&s->seeding);
    loop_timer_disarm(&s->pause);
    s->state = state;
}

static void try_again(struct session *s, const char *why)
{
    if (s->state == APART || s->state == LEAVING) return;
    stop(s, PAUSING);
    bulletin_trouble(&s->bulletin, why);
    loop_timer_arm_ms(&s->pause, LIMIT_LEDGER_RETRY_MS);
}

static void begin(void *arg);

/* ---- Its name. */

/* It stands in the file before Redis hears of it. */
static bool is_named(struct session *s)
{
    if (!s->source[0] && !ledger_sessions_source(db_of(s), s->source)) {
        s->source[0] = '\0';
        return false;
    }
    if (!s->name[0]) {
        ledger_sessions_name(s->gateway, s->name, sizeof s->name);
        s->is_new = true;
        s->is_kept = false;
    }
    s->is_kept = s->is_kept || ledger_sessions_keep(db_of(s), s->name);
    return s->is_kept;
}

/* Nobody of this gateway asks until it has begun another. */
static void renew(struct session *s, const char *why)
{
    bulletin_lost(&s->bulletin, why);
    stop(s, PAUSING);
    s->name[0] = s->memory[0] = s->epoch[0] = '\0';
    show(s);
    begin(s);
}

/* ---- Beats. */

static void note_gateways(struct session *s, int64_t count)
{
    uint32_t gateways = count > 0 && count <= UINT32_MAX ? (uint32_t)count : 1;
    if (gateways == s->gateways) return;
    s->gateways = gateways;
    show(s);
}

static void take_beat(struct session *s, const struct redis_reply *reply)
{
    struct slice memory = reply->items[1].text, epoch = reply->items[2].text;
    bool is_other = s->memory[0] && !slice_equal(memory, slice_str(s->memory));
    if (is_other || (s->epoch[0] && !slice_equal(epoch, slice_str(s->epoch)))) {
        renew(s, "it is another one, or was emptied");
        return;
    }
    s->is_new = false;
    snprintf(s->memory, sizeof s->memory, "%.*s", SLICE_FMT(memory));
    note_gateways(s, reply->items[5].integer);
    bulletin_copied(&s->bulletin, reply->items[6].integer == 1 && s->events->is_alone(s->arg));
    if (s->state == BEGINNING) {
        s->state = TELLING;
        telling_start(s->telling, s->ledger, s->name, s->source, s->may_shrink && s->events->is_alone(s->arg));
    } else if (s->state == OPEN) {
        bulletin_trouble(&s->bulletin, "");
        reclaim_add_others(s->reclaim, s->name, reply->items + 7, reply->count - 7);
    }
}

/* A session that was under way has ended then: its lease was over. */
static void refuse_zone(struct session *s, const struct redis_reply *reply)
{
    zone_refused(&s->zone, reply);
    stop(s, PAUSING);
    s->memory[0] = s->epoch[0] = '\0';
    show(s);
    bulletin_zone(&s->bulletin, s->zone.own, s->zone.others);
    loop_timer_arm_ms(&s->pause, LIMIT_COUNTERS_BEAT_MS);
}

static void on_beat(void *arg, const struct redis_reply *reply)
{
    struct session *s = arg;
    enum counters_reply code = reply ? counters_script_reply(reply) : COUNTERS_REPLY_NONE;
    if (s->state == APART || s->state == LEAVING) return;
    if (code == COUNTERS_REPLY_OK && reply->count >= 7)
        take_beat(s, reply);
    else if (code == COUNTERS_REPLY_FENCED)
        renew(s, "this gateway was taken for dead");
    else if (code == COUNTERS_REPLY_NOT_SEEDED)
        renew(s, "it knows nothing of this gateway");
    else if (code == COUNTERS_REPLY_ZONE)
        refuse_zone(s, reply);
    else if (s->state == BEGINNING)
        try_again(s, telling_fault(reply));
    else
        bulletin_trouble(&s->bulletin, telling_fault(reply));
}

static void ask_beat(struct session *s)
{
    if (errand_is_asked(&s->beat)) return;
    struct counters_place place = place_of(s);
    enum counters_begin how = zone_begin(&s->zone, s->is_new, s->grace_ms);
    struct counters_call call = counters_call_beat(&place, s->source, how, s->lease_ms, errand_arena(&s->beat));
    if (!errand_ask(&s->beat, &call, on_beat) && s->state == BEGINNING) try_again(s, "Redis takes nothing now");
}

static void begin(void *arg)
{
    struct session *s = arg;
    s->state = BEGINNING;
    if (!is_named(s)) {
        try_again(s, "the ledger's file cannot keep a session's name");
        return;
    }
    if (!s->epoch[0]) show(s);
    ask_beat(s);
}

/* Also while it pauses: its lease runs. */
static void on_beat_time(void *arg)
{
    struct session *s = arg;
    uint32_t third = s->lease_ms / 3;
    loop_timer_arm_ms(&s->beating, third < LIMIT_COUNTERS_BEAT_MS ? third : LIMIT_COUNTERS_BEAT_MS);
    if (s->state == APART || s->state == LEAVING || s->is_new) return;
    ask_beat(s);
    reclaim_go(s->reclaim);
    if (s->state != OPEN) return;
    sweep_go(s->sweep, clock_mono_ns());
    hints_go(s->hints, s->name);
}

/* ---- Seeding. */

static void look(struct session *s)
{
    s->is_look_due = false;
    telling_audit(s->telling, s->ledger, s->name, s->source);
}

static void enter(struct session *s, struct slice epoch)
{
    s->state = OPEN;
    snprintf(s->epoch, sizeof s->epoch, "%.*s", SLICE_FMT(epoch));
    show(s);
    bulletin_trouble(&s->bulletin, "");
    if (s->is_look_due) look(s);
}

static void on_seed(void *arg, const struct redis_reply *reply)
{
    struct session *s = arg;
    enum counters_reply code = reply ? counters_script_reply(reply) : COUNTERS_REPLY_NONE;
    if (code == COUNTERS_REPLY_OK && reply->count >= 2)
        enter(s, reply->items[1].text);
    else if (code == COUNTERS_REPLY_NO)
        loop_timer_arm_ms(&s->seeding, SEED_AGAIN_MS);
    else if (code == COUNTERS_REPLY_NOT_SEEDED)
        renew(s, "it was lost again");
    else
        try_again(s, telling_fault(reply));
}

static void on_seed_time(void *arg)
{
    struct session *s = arg;
    struct counters_call call = counters_call_seed(s->memory, s->grace_ms, errand_arena(&s->seed));
    if (!errand_ask(&s->seed, &call, on_seed)) try_again(s, "Redis takes nothing now");
}

/* ---- Telling. */

static void on_old(void *arg, const char *name)
{
    struct session *s = arg;
    if (strcmp(name, s->name) != 0) reclaim_add(s->reclaim, name, true);
}

/* What a supervisor that was killed has left behind ends what is under way: its session, too, is over when it has. */
static void clear_old(struct session *s, bool is_all)
{
    if (!s->events->is_alone(s->arg)) return;
    if (!ledger_sessions_each(db_of(s), is_all, on_old, s))
        log_event(LOG_WARN, "sessions_unread", "what this gateway left behind in Redis is cleared away later");
    reclaim_go(s->reclaim);
}

static void on_told(void *arg, const char *why)
{
    struct session *s = arg;
    if (s->state == OPEN) return; /* it had only looked at holds, and will again */
    if (why[0]) {
        try_again(s, why);
        return;
    }
    s->may_shrink = false;
    s->state = SEEDING;
    clear_old(s, true);
    on_seed_time(s);
}

static void on_untold(void *arg, const char *why)
{
    struct session *s = arg;
    if (s->state >= TELLING) try_again(s, why);
}

static bool is_claimed(void *arg, uint64_t owner)
{
    const struct session *s = arg;
    return s->events->is_claimed(s->arg, owner);
}

static const struct telling_events telling_events = {is_claimed, on_told, on_untold};

void session_committed(struct session *s)
{
    if (s && s->state >= TELLING) telling_commit(s->telling, s->ledger, s->name, s->source);
}

void session_claim(struct session *s)
{
    if (!s) return;
    s->is_look_due = true;
    if (s->state == OPEN && !telling_is_under_way(s->telling)) look(s);
}

static void on_look_time(void *arg)
{
    struct session *s = arg;
    if (s->state == OPEN) {
        clear_old(s, false);
        ledger_sessions_forget(db_of(s), now_s() - LIMIT_COUNTERS_CLEARED_S);
    }
    session_claim(s);
    loop_timer_arm_ms(&s->looking, LIMIT_COUNTERS_LOOK_MS);
}

/* ---- Notices. */

bool session_claim_notice(struct session *s, const struct ledger_alert *alert, uint64_t seq)
{
    struct counters_claim claim = {alert->id, alert->start_s};
    return s->state == OPEN && claiming_ask(s->claiming, s->epoch, s->source, &claim, seq);
}

static void on_claimed(void *arg, uint64_t seq, enum alerts_whose whose)
{
    struct session *s = arg;
    s->events->on_claimed(s->arg, seq, whose);
}

static const struct claiming_events claiming_events = {on_claimed};

/* ---- Sessions that are over. */

static void end_leaving(void *arg)
{
    struct session *s = arg;
    void (*left)(void *arg) = s->left;
    s->left = NULL;
    loop_timer_disarm(&s->leaving);
    if (left) left(s->left_arg);
}

static void on_cleared(void *arg, const char *name, bool is_own, uint64_t returned)
{
    struct session *s = arg;
    bool is_leave = s->state == LEAVING && strcmp(name, s->name) == 0;
    if (!is_leave) bulletin_cleared(&s->bulletin, name, is_own, returned);
    if (is_own && !ledger_sessions_clear(db_of(s), name, now_s()))
        log_event(LOG_WARN, "session_kept", "session %s is over, and cleared away once more at the next start", name);
    if (is_leave) end_leaving(s);
}

static const struct reclaim_events reclaim_events = {on_cleared};

void session_leave(struct session *s, void (*fn)(void *arg), void *arg)
{
    if (!s || s->state < TELLING || s->state == LEAVING) {
        fn(arg);
        return;
    }
    stop(s, LEAVING);
    s->left = fn;
    s->left_arg = arg;
    loop_timer_arm_ms(&s->leaving, LIMIT_COUNTERS_LEAVE_MS);
    reclaim_add(s->reclaim, s->name, true);
    reclaim_go(s->reclaim);
}

/* ---- The whole. */

static void on_ready(void *arg)
{
    struct session *s = arg;
    s->is_connected = true;
    if (s->ledger && s->state != LEAVING) begin(s);
}

static void on_down(void *arg, const struct fault *why)
{
    struct session *s = arg;
    s->is_connected = false;
    if (s->state != LEAVING) stop(s, APART);
    bulletin_trouble(&s->bulletin, fault_message(why));
}

static const struct counters_redis_events redis_events = {.on_ready = on_ready, .on_down = on_down};

void session_open(struct session *s, struct ledger *ledger)
{
    if (!s) return;
    s->ledger = ledger;
    if (s->is_connected && s->state == APART) begin(s);
}

/* The process before has shown it: its workers are in it. */
static void take_over(struct session *s)
{
    struct counters_post_view view;
    counters_post_read(s->bulletin.post, &view);
    memcpy(s->name, view.session, sizeof s->name);
    memcpy(s->memory, view.epoch, sizeof s->memory);
    memcpy(s->epoch, view.epoch, sizeof s->epoch);
    s->gateways = view.gateways;
    s->may_shrink = !s->name[0];
}

void session_configure(struct session *s, uint32_t lease_ms)
{
    if (s) s->lease_ms = lease_ms ? lease_ms : LIMIT_COUNTERS_LEASE_MS;
}

static void init_timers(struct session *s, struct loop *loop)
{
    loop_timer_init(&s->beating, loop, on_beat_time, s);
    loop_timer_init(&s->pause, loop, begin, s);
    loop_timer_init(&s->seeding, loop, on_seed_time, s);
    loop_timer_init(&s->looking, loop, on_look_time, s);
    loop_timer_init(&s->leaving, loop, end_leaving, s);
}

static void make_redis(struct session *s, struct loop *loop, struct slice url)
{
    struct fault why;
    char *text = mem_strndup(url.ptr, url.len);
    s->redis = counters_redis_new(loop, text, 0, &redis_events, s, &why);
    if (!s->redis) bulletin_trouble(&s->bulletin, fault_message(&why));
    explicit_bzero(text, url.len);
    mem_free(text);
}

struct session *session_new(struct loop *loop, struct stats *stats, const struct session_options *options,
                            const struct session_events *events, void *arg)
{
    if (!options->url.len) return NULL;
    struct session *s = mem_zalloc(1, sizeof *s);
    *s = (struct session){.events = events, .arg = arg};
    bulletin_init(&s->bulletin, options->post, stats);
    s->gateway = mem_strndup(options->gateway.ptr, options->gateway.len);
    zone_init(&s->zone, options->zone);
    session_configure(s, options->lease_ms);
    s->grace_ms = options->grace_ms ? options->grace_ms : LIMIT_COUNTERS_GRACE_MS;
    init_timers(s, loop);
    make_redis(s, loop, options->url);
    errand_init(&s->beat, s->redis, s);
    errand_init(&s->seed, s->redis, s);
    s->telling = telling_new(loop, s->redis, &telling_events, s);
    s->reclaim = reclaim_new(s->redis, &reclaim_events, s);
    s->sweep = sweep_new(s->redis);
    s->hints = hints_new(s->redis, options->breakers);
    s->claiming = claiming_new(s->redis, &claiming_events, s);
    take_over(s);
    if (!s->redis) return s;
    on_beat_time(s);
    on_look_time(s);
    return s;
}

void session_free(struct session *s)
{
    if (!s) return;
    counters_redis_free(s->redis);
    struct loop_timer *timers[] = {&s->beating, &s->pause, &s->seeding, &s->looking, &s->leaving};
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) loop_timer_disarm(timers[i]);
    telling_free(s->telling);
    reclaim_free(s->reclaim);
    sweep_free(s->sweep);
    hints_free(s->hints);
    claiming_free(s->claiming);
    errand_clear(&s->beat);
    errand_clear(&s->seed);
    mem_free(s->gateway);
    zone_clear(&s->zone);
    mem_free(s);
}
