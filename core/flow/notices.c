#include "flow/notices.h"

#include <openssl/sha.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/lru.h"
#include "base/mem.h"
#include "base/utf8.h"

#define PREFIX SLICE("alert_")
#define ID_BYTES (sizeof "alert_" + 2 * LINK_ID_BYTES)

struct notices {
    struct recorder *recorder;
    struct stats *stats;
    stats_handle lost;
    struct lru *known; /* by what was told, when: monotonic */
    struct buf scratch;
};

struct notices *notices_new(struct recorder *recorder, struct stats *stats)
{
    struct notices *n = mem_zalloc(1, sizeof *n);
    n->recorder = recorder;
    n->stats = stats;
    n->lost = stats_series(stats, STATS_NOTICES_LOST, NULL);
    n->known = lru_new(&(struct lru_rules){.entries_max = LIMIT_NOTICES_KNOWN});
    buf_init(&n->scratch);
    return n;
}

void notices_free(struct notices *n)
{
    if (!n) return;
    lru_free(n->known);
    buf_clear(&n->scratch);
    mem_free(n);
}

bool notices_is_id(struct slice id)
{
    return slice_starts(id, PREFIX);
}

void notices_lost(struct notices *n, struct slice id)
{
    stats_add(n->stats, n->lost, 1);
    log_event(LOG_ERROR, "notice_lost", "%.*s: the ledger has not taken it", SLICE_FMT(id));
}

/* ---- What it is known by. */

/* Of the threshold in its period: the first bytes of SHA-256(rule | key | start | at). */
static void digest(struct notices *n, const struct counters_notice *notice, uint64_t salt, uint8_t id[LINK_ID_BYTES])
{
    uint8_t whole[SHA256_DIGEST_LENGTH];
    buf_reset(&n->scratch);
    buf_printf(&n->scratch, "%.*s|%.*s|%lld|%u", SLICE_FMT(notice->rule), SLICE_FMT(notice->key),
               (long long)notice->start_s, notice->at);
    if (salt) buf_printf(&n->scratch, "|%llu", (unsigned long long)salt);
    SHA256((const unsigned char *)buf_ptr(&n->scratch), buf_len(&n->scratch), whole);
    memcpy(id, whole, LINK_ID_BYTES);
}

static bool was_told(struct notices *n, const uint8_t what[LINK_ID_BYTES])
{
    uint64_t then;
    struct slice known = lru_get(n->known, slice_of((const char *)what, LINK_ID_BYTES));
    if (known.len != sizeof then) return false;
    memcpy(&then, known.ptr, sizeof then);
    return clock_mono_ns() - then < LIMIT_NOTICES_KNOWN_MS * NS_PER_MS;
}

static void keep(struct notices *n, const uint8_t what[LINK_ID_BYTES])
{
    uint64_t now = clock_mono_ns();
    memcpy(lru_put(n->known, slice_of((const char *)what, LINK_ID_BYTES), sizeof now), &now, sizeof now);
}

/* ---- The entry. */

static void add_text(struct buf *out, const char *name, struct slice text)
{
    if (!text.len) return;
    buf_printf(out, ",\"%s\":", name);
    buf_append_json(out, text);
}

static void add_word(struct buf *out, const char *name, struct slice text)
{
    add_text(out, name, utf8_cut(text, LIMIT_NOTICE_TEXT_BYTES));
}

static void add_receivers(struct buf *out, const struct counters_notice *notice)
{
    buf_append(out, SLICE(",\"to\":["));
    for (size_t i = 0; i < notice->to_count && i < LIMIT_NOTICE_RECEIVERS; i++) {
        if (i) buf_append_char(out, ',');
        buf_append_json(out, utf8_cut(notice->to[i], LIMIT_NOTICE_TEXT_BYTES));
    }
    buf_append_char(out, ']');
}

static struct slice write_entry(struct buf *out, const char *id, const struct counters_notice *notice)
{
    char time[CLOCK_TEXT_BYTES];
    clock_format(clock_wall_ns(), time);
    buf_reset(out);
    buf_printf(out, "{\"id\":\"%s\",\"time\":\"%s\"", id, time);
    add_text(out, "key", notice->key); /* whole: it is known by it */
    buf_printf(out, ",\"period\":%lld,\"at\":%u", (long long)notice->start_s, notice->at);
    add_receivers(out, notice);
    add_word(out, "text", notice->text);
    add_word(out, "budget", notice->budget);
    add_word(out, "threshold", notice->threshold);
    add_text(out, "rule", notice->rule); /* and by this */
    add_word(out, "app", notice->app);
    add_word(out, "owner", notice->owner);
    add_word(out, "request", notice->request);
    buf_append_char(out, '}');
    return buf_slice(out);
}

void notices_tell(struct notices *n, const struct counters_notice *notice)
{
    uint8_t what[LINK_ID_BYTES], id[LINK_ID_BYTES];
    char name[ID_BYTES] = "alert_";
    digest(n, notice, 0, what);
    if (was_told(n, what)) return;
    digest(n, notice, notice->start_s ? 0 : clock_wall_ns(), id);
    hex_write(id, sizeof id, name + PREFIX.len);
    struct slice body = write_entry(&n->scratch, name, notice);
    if (body.len <= LIMIT_NOTICE_BYTES && recorder_tell(n->recorder, id, body))
        keep(n, what);
    else
        notices_lost(n, slice_str(name));
}
