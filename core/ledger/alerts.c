#include "ledger/alerts.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/sink/sink.h"
#include "net/loop.h"
#include "store/ledger/evidence.h"
#include "store/ledger/ledger.h"
#include "store/ledger/alerts.h"
#include "store/ledger/outbox.h"
#include "wire/json.h"

#define OWNER SLICE("owner")
#define GIVEN_UP_MAX 16 /* at a time */
#define CLAIMS_MAX 64   /* that are remembered; what is not is claimed once more */

/* One sink, and what is on its way there. */
struct outlet {
    struct alerts *alerts;
    struct slice name;
    struct sink_way *way;
    int64_t id;        /* of what is under way or taken; 0: nothing is */
    uint32_t tries;    /* of it, that failed */
    uint64_t seq;
    uint64_t pause_ns; /* nothing is sent before, whatever the outbox says; monotonic */
    bool is_taken;     /* it only has to leave the outbox */
    bool is_failing;   /* and was said to be */
    stats_handle sent, failed, given_up;
};

/* A notice that was claimed, or is being. */
struct claim {
    uint64_t seq; /* 0: none */
    bool is_own;  /* else it is asked for */
};

struct alerts {
    struct loop *loop;
    struct stats *stats;
    stats_handle waiting;
    char *gateway;
    struct ledger *ledger; /* NULL: not open yet */
    struct arena arena;    /* of the sinks' names */
    struct outlet *outlets;
    size_t count;
    struct loop_timer look;
    struct loop_work next;
    alerts_claim_fn claim; /* NULL: all are its own */
    void *claim_arg;
    struct claim claims[CLAIMS_MAX];
    unsigned turn; /* which of them is forgotten next */
    struct outbox_item item;
    struct json_tape tape;
    bool is_failing; /* the outbox cannot be read or written, and was said not to be */
};

static int64_t now_us(void)
{
    return (int64_t)(clock_wall_ns() / 1000);
}

static struct sqlite3 *db_of(struct alerts *a)
{
    return ledger_connection(a->ledger);
}

/* Said once: a disk that is full fails each time. */
static void note(struct alerts *a, bool is_good, const struct fault *why)
{
    if (!is_good && !a->is_failing) log_event(LOG_ERROR, "outbox_failing", "%s", fault_message(why));
    a->is_failing = !is_good;
}

/* ---- One that is over. */

static void finish(struct outlet *o)
{
    struct fault why;
    bool is_good = outbox_drop(db_of(o->alerts), o->id, &why);
    note(o->alerts, is_good, &why);
    o->is_taken = !is_good;
    if (is_good) o->id = 0;
}

/* Doubled each time; of what that comes to the last half is a matter of chance, so that who failed together does not
 * come back together. */
static uint64_t delay_ms(uint32_t tries)
{
    uint64_t ms = (uint64_t)LIMIT_NOTICE_RETRY_MS << (tries < 16 ? tries : 16);
    uint32_t chance = 0;
    if (ms > LIMIT_NOTICE_RETRY_MS_MAX) ms = LIMIT_NOTICE_RETRY_MS_MAX;
    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance) chance = 0;
    return ms - chance % (ms / 2 + 1);
}

static void postpone(struct outlet *o, const char *reason)
{
    struct fault why;
    uint64_t ms = delay_ms(o->tries);
    if (!o->is_failing)
        log_event(LOG_ERROR, "notice_failing", "%.*s does not take the notice of entry %llu, which is sent again: %s",
                  SLICE_FMT(o->name), (unsigned long long)o->seq, reason);
    o->is_failing = true;
    stats_add(o->alerts->stats, o->failed, 1);
    note(o->alerts, outbox_postpone(db_of(o->alerts), o->id, now_us() + (int64_t)ms * 1000, &why), &why);
    o->pause_ns = clock_mono_ns() + LIMIT_NOTICE_LOOK_MS * NS_PER_MS;
    o->id = 0;
}

/* For who asks whether alerts arrive (store/ledger/evidence.h). */
static void remember(struct outlet *o)
{
    struct fault why;
    note(o->alerts, ledger_note_delivered(db_of(o->alerts), o->name, now_us() / 1000000, &why), &why);
}

static void on_done(void *arg, bool is_good, const char *why)
{
    struct outlet *o = arg;
    if (is_good) {
        if (o->is_failing) log_event(LOG_INFO, "notice_taken", "%.*s takes notices again", SLICE_FMT(o->name));
        o->is_failing = false;
        stats_add(o->alerts->stats, o->sent, 1);
        remember(o);
        finish(o);
    } else {
        postpone(o, why);
    }
    loop_work_add(&o->alerts->next); /* not from here: a way may call this inside of send() */
}

/* ---- Claims. */

static struct claim *claim_of(struct alerts *a, uint64_t seq)
{
    for (size_t i = 0; i < CLAIMS_MAX; i++)
        if (a->claims[i].seq == seq) return &a->claims[i];
    return NULL;
}

/* Of a budget's session each notice has an id of its own (flow/notices.h). */
static bool is_own(struct alerts *a, const struct ledger_alert *alert, uint64_t seq)
{
    struct claim *claim = claim_of(a, seq);
    if (!a->claim || alert->start_s == 0) return true;
    if (claim) return claim->is_own;
    if (a->claim(a->claim_arg, alert, seq)) a->claims[a->turn++ % CLAIMS_MAX] = (struct claim){.seq = seq};
    return false;
}

/* Before anything leaves the outbox. */
static void mark(struct alerts *a, uint64_t seq, enum alerts_whose whose)
{
    struct fault why;
    bool is_good = ledger_alerts_mark(db_of(a), seq, whose);
    if (!is_good) fault_set(&why, FAULT_INTERNAL, "whose a notice is: %s", sqlite3_errmsg(db_of(a)));
    note(a, is_good, &why);
}

void alerts_claimed(struct alerts *a, uint64_t seq, enum alerts_whose whose)
{
    struct fault why;
    struct claim *claim = claim_of(a, seq);
    if (!a->ledger || !claim) return;
    if (whose == ALERTS_OWN) claim->is_own = true;
    else *claim = (struct claim){0};
    if (whose != ALERTS_UNKNOWN) mark(a, seq, whose);
    if (whose == ALERTS_ANOTHERS) {
        log_event(LOG_INFO, "notice_anothers", "another gateway gives out what entry %llu says",
                  (unsigned long long)seq);
        note(a, outbox_drop_entry(db_of(a), seq, &why), &why);
    }
    if (whose != ALERTS_UNKNOWN) loop_work_add(&a->next); /* else at the next look */
}

/* ---- Sending. */

/* What cannot be sent at all, because nothing of it is left. */
static void drop(struct alerts *a, const char *reason)
{
    struct fault why;
    struct slice address, name = ledger_alert_sink(buf_slice(&a->item.receiver), &address);
    log_event(LOG_ERROR, "notice_given_up", "%.*s is not told of entry %llu: %s",
              SLICE_FMT(buf_slice(&a->item.receiver)), (unsigned long long)a->item.seq, reason);
    for (size_t i = 0; i < a->count; i++)
        if (slice_equal(a->outlets[i].name, name)) stats_add(a->stats, a->outlets[i].given_up, 1);
    note(a, outbox_drop(db_of(a), a->item.id, &why), &why);
}

static void send_item(struct outlet *o, struct arena *arena)
{
    struct alerts *a = o->alerts;
    struct ledger_alert alert;
    struct sink_notice notice = {.receiver = buf_slice(&a->item.receiver), .gateway = slice_str(a->gateway),
                                 .entry = buf_slice(&a->item.body)};
    if (!ledger_alert_read(&a->tape, arena, notice.entry, &alert)) {
        drop(a, "its entry was deleted for its age");
        return;
    }
    if (!is_own(a, &alert, a->item.seq)) return;
    ledger_alert_sink(notice.receiver, &notice.address);
    if (slice_equal(notice.receiver, OWNER)) notice.address = alert.owner;
    notice.id = alert.id;
    notice.text = alert.text;
    notice.rule = alert.rule;
    o->id = a->item.id;
    o->seq = a->item.seq;
    o->tries = a->item.tries;
    o->way->send(o->way, &notice);
}

static void follow(struct outlet *o)
{
    struct alerts *a = o->alerts;
    struct arena arena;
    struct fault why;
    if (o->is_taken) finish(o);
    if (o->id || clock_mono_ns() < o->pause_ns) return;
    if (!outbox_next(db_of(a), o->name, now_us(), &a->item, &why)) {
        if (why.code != FAULT_NONE) note(a, false, &why);
        return;
    }
    arena_init(&arena);
    send_item(o, &arena);
    arena_clear(&arena);
}

static bool is_under_way(const struct alerts *a, int64_t id)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->outlets[i].id == id) return true;
    return false;
}

static void give_up_old(struct alerts *a)
{
    struct fault why;
    int64_t before = now_us() - (int64_t)LIMIT_NOTICE_KEEP_S * 1000000;
    for (unsigned i = 0; i < GIVEN_UP_MAX && outbox_oldest(db_of(a), before, &a->item, &why); i++) {
        if (is_under_way(a, a->item.id)) return;
        drop(a, "no attempt of a day has brought it there");
        if (a->is_failing) return;
    }
}

/* Looked at as long as anything waits: what is due is a question of time. Sent before anything is given up: all is
 * old on a machine that slept, or whose clock was put on. */
static void on_look(void *arg)
{
    struct alerts *a = arg;
    struct fault why;
    int64_t count = 1;
    if (!a->ledger) return;
    for (size_t i = 0; i < a->count; i++)
        follow(&a->outlets[i]);
    give_up_old(a);
    if (outbox_count(db_of(a), &count, &why)) stats_set(a->stats, a->waiting, count);
    if (count && !loop_timer_is_armed(&a->look)) loop_timer_arm_ms(&a->look, LIMIT_NOTICE_LOOK_MS);
}

/* ---- Sinks that there are none of. */

struct strangers {
    struct alerts *alerts;
    bool has_owner;
};

static void on_sink(void *arg, struct slice name)
{
    struct strangers *s = arg;
    for (size_t i = 0; i < s->alerts->count; i++)
        if (slice_equal(s->alerts->outlets[i].name, name)) return;
    if (slice_equal(name, OWNER))
        s->has_owner = true;
    else
        log_event(LOG_WARN, "notice_unsent",
                  "nobody is told what goes to '%.*s', which waits for a day: moongate.lua has no sink of that name",
                  SLICE_FMT(name));
}

static void look_for_strangers(struct alerts *a)
{
    struct fault why;
    struct strangers s = {a, false};
    bool is_good = outbox_sinks(db_of(a), on_sink, &s, &why);
    if (is_good && s.has_owner) is_good = outbox_drop_all(db_of(a), OWNER, &why);
    note(a, is_good, &why);
}

void alerts_committed(struct alerts *a)
{
    if (!a->ledger || !ledger_has_posted(a->ledger)) return;
    look_for_strangers(a);
    on_look(a);
}

void alerts_open(struct alerts *a, struct ledger *ledger)
{
    a->ledger = ledger;
    look_for_strangers(a);
    on_look(a);
}

/* ---- The whole. */

static void free_outlets(struct alerts *a)
{
    for (size_t i = 0; i < a->count; i++)
        a->outlets[i].way->free(a->outlets[i].way);
    mem_free(a->outlets);
    arena_clear(&a->arena);
    a->outlets = NULL;
    a->count = 0;
}

static void make_outlet(struct alerts *a, struct outlet *o, const struct sink *sink)
{
    *o = (struct outlet){.alerts = a, .name = arena_copy(&a->arena, sink->name), .way = sink_way_new(a->loop, sink)};
    o->way->done = on_done;
    o->way->arg = o;
    o->sent = stats_series(a->stats, STATS_NOTICES_SENT, &o->name);
    o->failed = stats_series(a->stats, STATS_NOTICES_FAILED, &o->name);
    o->given_up = stats_series(a->stats, STATS_NOTICES_GIVEN_UP, &o->name);
}

/* What is under way is broken off and sent again, to whoever has its name now. */
void alerts_configure(struct alerts *a, const struct sink *sinks, size_t count)
{
    free_outlets(a);
    a->outlets = mem_zalloc(count + 1, sizeof *a->outlets);
    for (size_t i = 0; i < count; i++)
        make_outlet(a, &a->outlets[i], &sinks[i]);
    a->count = count;
    if (!a->ledger) return;
    look_for_strangers(a);
    on_look(a);
}

struct alerts *alerts_new(struct loop *loop, struct stats *stats, struct slice gateway)
{
    struct alerts *a = mem_zalloc(1, sizeof *a);
    a->loop = loop;
    a->stats = stats;
    a->waiting = stats_series(stats, STATS_NOTICES_WAITING, NULL);
    a->gateway = mem_strndup(gateway.ptr, gateway.len);
    arena_init(&a->arena);
    json_init(&a->tape);
    outbox_item_init(&a->item);
    loop_timer_init(&a->look, loop, on_look, a);
    loop_work_init(&a->next, loop, on_look, a);
    return a;
}

void alerts_claim_by(struct alerts *a, alerts_claim_fn fn, void *arg)
{
    a->claim = fn;
    a->claim_arg = arg;
}

void alerts_free(struct alerts *a)
{
    if (!a) return;
    loop_timer_disarm(&a->look);
    loop_work_drop(&a->next);
    free_outlets(a);
    outbox_item_clear(&a->item);
    json_clear(&a->tape);
    mem_free(a->gateway);
    mem_free(a);
}
