#include "ledger/anchors.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/witness/witness.h"
#include "net/loop.h"
#include "store/anchor/table.h"
#include "store/ledger/ledger.h"

#define WITNESSES 3
#define RETRY_MS 1000u
#define NS_PER_US 1000u

struct anchors {
    struct loop *loop;
    struct stats *stats;
    stats_handle anchored;
    char *data_dir, *gateway;
    struct ledger *ledger; /* NULL: not open yet */
    struct anchor_key *key;
    struct witness *witnesses[WITNESSES]; /* NULL: none */
    struct loop_timer timer;
    uint64_t entries;       /* since the last anchor */
    uint64_t seq, time_us;  /* of the last anchor */
    bool is_failing, has_signed;
    char why[FAULT_TEXT_BYTES + 32]; /* anchors_why() */
};

/* ---- Signing. */

static bool keep_progress(struct anchors *a, struct fault *why)
{
    for (size_t i = 0; i < WITNESSES; i++) {
        const struct witness *w = a->witnesses[i];
        if (w && !witness_advance(a->ledger, slice_str(witness_name(w)), witness_seq(w), why)) return false;
    }
    return true;
}

static uint64_t next_time(const struct anchors *a)
{
    uint64_t now = clock_wall_ns() / NS_PER_US;
    return now > a->time_us ? now : a->time_us + 1;
}

/* The head is read inside of the batch: another process may have extended the chain. */
static bool sign_head(struct anchors *a, struct fault *why)
{
    struct anchor next = {.gateway = slice_str(a->gateway), .time_us = next_time(a)};
    if (!ledger_begin(a->ledger, why)) return false;
    next.seq = ledger_head(a->ledger, next.hash);
    if (next.seq <= a->seq) {
        ledger_rollback(a->ledger);
        return true;
    }
    anchor_sign(a->key, &next);
    if (!anchor_put(a->ledger, &next, why) || !keep_progress(a, why)) {
        ledger_rollback(a->ledger);
        return false;
    }
    if (!ledger_commit(a->ledger, why)) return false;
    a->seq = next.seq;
    a->time_us = next.time_us;
    return true;
}

static void tell_witnesses(struct anchors *a)
{
    for (size_t i = 0; i < WITNESSES; i++) {
        if (a->witnesses[i]) witness_follow(a->witnesses[i]);
    }
}

void anchors_sign(struct anchors *a)
{
    struct fault why;
    if (!a->ledger) return;
    loop_timer_disarm(&a->timer);
    if (!sign_head(a, &why)) {
        if (!a->is_failing) log_event(LOG_ERROR, "anchor_failing", "no anchor can be kept: %s", fault_message(&why));
        a->is_failing = true;
        loop_timer_arm_ms(&a->timer, RETRY_MS);
        return;
    }
    a->is_failing = false;
    a->has_signed = true;
    a->entries = 0;
    if (a->stats) stats_set(a->stats, a->anchored, (int64_t)a->seq);
    tell_witnesses(a);
}

static void on_time(void *arg)
{
    anchors_sign(arg);
}

const char *anchors_why(struct anchors *a)
{
    for (size_t i = 0; i < WITNESSES; i++) {
        const struct witness *w = a->witnesses[i];
        if (!w || !witness_why(w)[0]) continue;
        snprintf(a->why, sizeof a->why, "%s: %s", witness_name(w), witness_why(w));
        return a->why;
    }
    return "";
}

void anchors_committed(struct anchors *a, unsigned entries)
{
    if (!a->ledger || entries == 0) return;
    a->entries += entries;
    if ((!a->has_signed || a->entries >= LIMIT_ANCHOR_ENTRIES) && !a->is_failing)
        anchors_sign(a);
    else if (!loop_timer_is_armed(&a->timer))
        loop_timer_arm_ms(&a->timer, LIMIT_ANCHOR_MS);
}

/* ---- A new key. */

/* Announced before it is taken: killed in between, it is announced twice. */
static bool announce(struct anchors *a, const struct anchor_key *next, struct fault *why)
{
    struct buf body;
    buf_init(&body);
    anchor_succession_write(a->key, anchor_key_public(next), slice_str(a->gateway), SLICE("operator"), &body);
    struct ledger_entry entry = {.kind = CHAIN_CHANGE, .body = buf_slice(&body)};
    bool is_good = ledger_begin(a->ledger, why) && ledger_put(a->ledger, &entry, why) != LEDGER_FAILED &&
                   ledger_commit(a->ledger, why);
    buf_clear(&body);
    return is_good;
}

static bool take_next_key(struct anchors *a, struct anchor_key **key, struct fault *why)
{
    struct anchor_key *next = anchor_key_open_next(a->data_dir, why);
    if (!next) return why->code == FAULT_NONE;
    bool is_good = announce(a, next, why) && anchor_key_take_next(a->data_dir, why);
    anchor_key_free(next);
    struct anchor_key *taken = is_good ? anchor_key_open(a->data_dir, why) : NULL;
    if (!taken) return false;
    log_event(LOG_INFO, "anchor_key_changed", "anchors are signed with key %s from now on; give auditors anchor.pub",
              anchor_key_public(taken)->fingerprint);
    anchor_key_free(*key);
    *key = a->key = taken;
    return true;
}

/* ---- Opening. */

static bool open_witnesses(struct anchors *a, struct fault *why)
{
    for (size_t i = 0; i < WITNESSES; i++) {
        struct witness *w = a->witnesses[i];
        if (w && !witness_open(w, a->ledger, slice_str(a->gateway), a->key, why)) return false;
    }
    return true;
}

bool anchors_open(struct anchors *a, struct ledger *ledger, struct anchor_key **key, struct fault *why)
{
    struct anchor last = {.seq = 0};
    a->ledger = ledger;
    a->key = *key;
    enum anchor_found found = anchor_last(ledger, &last, why);
    a->seq = last.seq;
    a->time_us = last.time_us;
    bool is_good = found != ANCHOR_FAILED && take_next_key(a, key, why) && open_witnesses(a, why);
    if (!is_good) a->ledger = NULL;
    return is_good;
}

/* ---- The whole. */

static void make_witnesses(struct anchors *a, const struct anchors_options *o)
{
    size_t count = 0;
    if (o->file.len) {
        char *path = mem_strndup(o->file.ptr, o->file.len);
        a->witnesses[count++] = witness_new(a->loop, "file", witness_file_new(a->loop, path), a->stats);
        mem_free(path);
    }
    if (o->has_syslog)
        a->witnesses[count++] = witness_new(a->loop, "syslog", witness_syslog_new(o->syslog_path), a->stats);
    if (o->webhook.len) {
        struct witness_way *way = witness_webhook_new(a->loop, o->webhook, o->secret);
        a->witnesses[count++] = witness_new(a->loop, "webhook", way, a->stats);
    }
}

static void free_witnesses(struct anchors *a)
{
    for (size_t i = 0; i < WITNESSES; i++) {
        witness_free(a->witnesses[i]);
        a->witnesses[i] = NULL;
    }
}

/* What they have is kept first, so that they are not told all of it again. */
void anchors_configure(struct anchors *a, const struct anchors_options *options)
{
    struct fault why;
    bool is_begun = a->ledger && ledger_begin(a->ledger, &why);
    if (is_begun && !(keep_progress(a, &why) && ledger_commit(a->ledger, &why))) ledger_rollback(a->ledger);
    free_witnesses(a);
    make_witnesses(a, options);
    if (a->ledger && !open_witnesses(a, &why)) log_event(LOG_ERROR, "witness_failing", "%s", fault_message(&why));
    if (a->ledger) tell_witnesses(a);
}

struct anchors *anchors_new(struct loop *loop, struct stats *stats, const char *data_dir, struct slice gateway,
                            const struct anchors_options *options)
{
    struct anchors *a = mem_zalloc(1, sizeof *a);
    a->loop = loop;
    a->stats = stats;
    if (stats) a->anchored = stats_series(stats, STATS_LEDGER_ANCHOR_SEQ, NULL);
    a->data_dir = mem_strdup(data_dir);
    a->gateway = mem_strndup(gateway.ptr, gateway.len);
    loop_timer_init(&a->timer, loop, on_time, a);
    make_witnesses(a, options);
    return a;
}

void anchors_free(struct anchors *a)
{
    if (!a) return;
    loop_timer_disarm(&a->timer);
    free_witnesses(a);
    mem_free(a->data_dir);
    mem_free(a->gateway);
    mem_free(a);
}
