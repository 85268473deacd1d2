#include "ledger/witness/witness.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/anchor/table.h"

struct witness {
    const char *name;
    struct witness_way *way;
    struct ledger *ledger; /* NULL: not open yet */
    struct slice gateway;
    const struct anchor_key *key;
    struct stats *stats;
    stats_handle behind;
    struct loop_timer again;
    struct loop_work next;
    struct buf lines;
    uint64_t seq, sent; /* it has them up to seq; up to sent they are on their way */
    unsigned failures;  /* in a row */
    char why[FAULT_TEXT_BYTES]; /* of the last */
    bool is_busy;
};

const char *witness_name(const struct witness *w)
{
    return w->name;
}

uint64_t witness_seq(const struct witness *w)
{
    return w->seq;
}

const char *witness_why(const struct witness *w)
{
    return w->failures ? w->why : "";
}

/* ---- Sending. */

static void count_behind(struct witness *w)
{
    struct fault why;
    uint64_t count;
    if (w->stats && anchor_count_after(w->ledger, w->seq, &count, &why)) stats_set(w->stats, w->behind, (int64_t)count);
}

static void retry_later(struct witness *w)
{
    unsigned doublings = w->failures < 8 ? w->failures : 8;
    uint64_t ms = (uint64_t)LIMIT_WITNESS_RETRY_MS << doublings;
    loop_timer_arm_ms(&w->again, ms < LIMIT_WITNESS_RETRY_MS_MAX ? ms : LIMIT_WITNESS_RETRY_MS_MAX);
    w->failures++;
}

static void fail(struct witness *w, const char *why)
{
    if (w->failures == 0)
        log_event(LOG_ERROR, "witness_failing", "%s: anchors after entry %llu wait: %s", w->name,
                  (unsigned long long)w->seq, why);
    snprintf(w->why, sizeof w->why, "%s", why);
    retry_later(w);
    count_behind(w);
}

static void on_done(void *arg, bool is_good, const char *why)
{
    struct witness *w = arg;
    w->is_busy = false;
    if (!is_good) {
        fail(w, why);
        return;
    }
    if (w->failures) log_event(LOG_INFO, "witness_taking", "%s takes anchors again", w->name);
    w->failures = 0;
    w->seq = w->sent;
    count_behind(w);
    loop_work_add(&w->next); /* not from here: a way may call this inside of send() */
}

/* How many; *first and w->sent are their seqs. UINT_MAX: they cannot be read. */
static unsigned gather(struct witness *w, uint64_t *first, struct fault *why)
{
    struct anchor a;
    unsigned count = 0;
    enum anchor_found found = ANCHOR_MISSING;
    buf_reset(&w->lines);
    w->sent = w->seq;
    while (count < w->way->batch && (found = anchor_after(w->ledger, w->sent, &a, why)) == ANCHOR_FOUND) {
        a.gateway = w->gateway;
        anchor_write(&a, anchor_key_public(w->key), &w->lines);
        buf_append_char(&w->lines, '\n');
        if (count++ == 0) *first = a.seq;
        w->sent = a.seq;
    }
    return found == ANCHOR_FAILED && count == 0 ? UINT32_MAX : count;
}

void witness_follow(struct witness *w)
{
    struct fault why;
    uint64_t first = 0;
    if (!w->ledger || w->is_busy || loop_timer_is_armed(&w->again)) {
        if (w->ledger) count_behind(w);
        return;
    }
    unsigned count = gather(w, &first, &why);
    if (count == UINT32_MAX) fail(w, fault_message(&why));
    if (count == 0 || count == UINT32_MAX) return;
    w->is_busy = true;
    struct witness_lines lines = {buf_slice(&w->lines), w->gateway, first, w->sent};
    w->way->send(w->way, &lines);
}

static void on_again(void *arg)
{
    witness_follow(arg);
}

/* ---- The whole. */

struct witness *witness_new(struct loop *loop, const char *name, struct witness_way *way, struct stats *stats)
{
    struct witness *w = mem_zalloc(1, sizeof *w);
    struct slice label = slice_str(name);
    w->name = name;
    w->way = way;
    way->done = on_done;
    way->arg = w;
    w->stats = stats;
    if (stats) w->behind = stats_series(stats, STATS_WITNESS_BEHIND, &label);
    buf_init(&w->lines);
    loop_timer_init(&w->again, loop, on_again, w);
    loop_work_init(&w->next, loop, on_again, w);
    return w;
}

bool witness_open(struct witness *w, struct ledger *ledger, struct slice gateway, const struct anchor_key *key,
                  struct fault *why)
{
    if (!witness_progress(ledger, slice_str(w->name), &w->seq, why)) return false;
    w->ledger = ledger;
    w->gateway = gateway;
    w->key = key;
    return true;
}

void witness_free(struct witness *w)
{
    if (!w) return;
    loop_timer_disarm(&w->again);
    loop_work_drop(&w->next);
    w->way->free(w->way);
    buf_clear(&w->lines);
    mem_free(w);
}
