/*
 * Gateways of a test's own that count together in one real Redis: each a ledger, a session, and what it shows.
 *
 *     fleet_begin(NULL);                                   // a Redis, a loop
 *     struct gateway *a = gateway_start("gw-a");           // its ledger is made, or found again
 *     gateway_put(a, 1, "app=a", 70);                      // a record of that cost
 *     gateway_commit(a);                                   // … and what the ledger process does then
 *     WAIT(is_open(a) && spent("app=a") == 70);
 *     gateway_kill(a);                                     // its ledger process; gateway_end(): the whole of it
 *     fleet_end();
 */
#ifndef MOONGATE_TESTS_SESSION_KIT_H
#define MOONGATE_TESTS_SESSION_KIT_H

#include <sqlite3.h>
#include <sys/stat.h>

#include "../store/scripts_kit.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/stats.h"
#include "ledger/session/session.h"
#include "net/loop.h"
#include "store/breakers.h"
#include "store/counters/post.h"
#include "store/ledger/ledger.h"

#define PATIENCE_MS 60000u
#define LIVING UINT64_C(0xaa)

struct gateway {
    char name[16], dir[64];
    struct ledger *ledger;
    struct session *session;
    struct counters_post post;
    struct breakers breakers;
    struct counters_post_view view;
    void *segment;
    struct stats *stats;
    uint32_t lease_ms;
    const char *zone; /* NULL: nothing is said of it */
    bool has_left;
    uint64_t claimed_seq;
    enum alerts_whose whose;
};

static struct loop *loop;
static struct loop_timer tick;
static char fleet_dir[] = "/tmp/moongate-fleet-XXXXXX";

static inline void on_tick(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

#define WAIT(condition)                                                                                                \
    do {                                                                                                               \
        for (unsigned waited = 0; !(condition) && waited < PATIENCE_MS; waited += 5) {                                 \
            loop_timer_arm_ms(&tick, 5);                                                                               \
            loop_run(loop);                                                                                            \
        }                                                                                                              \
        EXPECT(condition);                                                                                             \
    } while (0)

static inline void fleet_begin(const char *const *settings)
{
    memcpy(fleet_dir + strlen(fleet_dir) - 6, "XXXXXX", 6);
    if (!mkdtemp(fleet_dir)) abort();
    redis_server_start(&sync_server, settings);
    sync_connect();
    loop = loop_new();
    loop_timer_init(&tick, loop, on_tick, NULL);
    period = (int64_t)(clock_wall_ns() / NS_PER_S);
}

static inline void fleet_end(void)
{
    loop_timer_disarm(&tick);
    loop_free(loop);
    sync_end();
    arena_clear(&arena);
    nftw(fleet_dir, redis_server_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- one of them --- */

static inline bool is_claimed(void *arg, uint64_t owner)
{
    (void)arg;
    return owner == LIVING;
}

static inline bool is_alone(void *arg)
{
    (void)arg;
    return true;
}

static inline void on_claimed(void *arg, uint64_t seq, enum alerts_whose whose)
{
    struct gateway *g = arg;
    g->claimed_seq = seq;
    g->whose = whose;
}

static inline void gateway_run(struct gateway *g)
{
    static const struct session_events events = {is_claimed, is_alone, on_claimed};
    struct fault why = {0};
    struct ledger_options options = {.data_dir = g->dir, .zone = "UTC", .gateway = slice_str(g->name)};
    struct session_options how = {.url = slice_str(sync_server.url), .gateway = slice_str(g->name),
                                      .lease_ms = g->lease_ms, .grace_ms = 300, .post = &g->post,
                                      .breakers = &g->breakers};
    if (g->zone) how.zone = slice_str(g->zone);
    g->ledger = ledger_open(&options, &why);
    if (!g->ledger) UNIT_FAIL("open: %s", why.text);
    g->session = session_new(loop, g->stats, &how, &events, g);
    session_open(g->session, g->ledger);
}

static inline struct gateway *gateway_new(const char *name, uint32_t lease_ms)
{
    struct gateway *g = mem_zalloc(1, sizeof *g);
    g->lease_ms = lease_ms;
    snprintf(g->name, sizeof g->name, "%s", name);
    snprintf(g->dir, sizeof g->dir, "%s/%s", fleet_dir, name);
    mkdir(g->dir, 0700);
    g->segment = mem_zalloc(1, stats_segment_bytes());
    g->stats = stats_attach(g->segment);
    return g;
}

static inline struct gateway *gateway_start(const char *name)
{
    struct gateway *g = gateway_new(name, 0);
    gateway_run(g);
    return g;
}

/* Its ledger process dies, and leaves behind what it has shown. */
static inline void gateway_kill(struct gateway *g)
{
    session_free(g->session);
    ledger_close(g->ledger);
    g->session = NULL;
    g->ledger = NULL;
}

/* While neither runs. */
static inline void gateway_copy(const struct gateway *from, struct gateway *to)
{
    if (system(arena_printf(&arena, "cp -R '%s/.' '%s'", from->dir, to->dir).ptr) != 0) abort();
    snprintf(to->name, sizeof to->name, "%s", from->name);
}

static inline void gateway_end(struct gateway *g)
{
    gateway_kill(g);
    stats_detach(g->stats);
    mem_free(g->segment);
    mem_free(g);
}

static inline bool is_open(struct gateway *g)
{
    char why[SHARED_TEXT_BYTES];
    shared_text_get(&g->post.why, why, sizeof why);
    counters_post_read(&g->post, &g->view);
    return g->view.epoch[0] && !why[0];
}

static inline bool is_said(struct gateway *g, const char *part)
{
    char why[SHARED_TEXT_BYTES];
    shared_text_get(&g->post.why, why, sizeof why);
    return strstr(why, part) != NULL;
}

static inline void on_left(void *arg)
{
    ((struct gateway *)arg)->has_left = true;
}

/* --- what it records --- */

static inline void name_hold(char id[COUNTERS_HOLD_BYTES], uint64_t n)
{
    snprintf(id, COUNTERS_HOLD_BYTES, "req_01935c10-0000-7000-8000-%012llx", (unsigned long long)n);
}

static inline void gateway_put(struct gateway *g, uint64_t n, const char *key, int64_t nano)
{
    struct buf body;
    struct fault why = {0};
    uint8_t id[16] = "\x01\x93\x5c\x10\x00\x00\x70\x00\x80";
    char hold[COUNTERS_HOLD_BYTES], time[CLOCK_TEXT_BYTES];
    for (int i = 0; i < 6; i++)
        id[10 + i] = (uint8_t)(n >> 8 * (5 - i));
    name_hold(hold, n);
    clock_format(clock_wall_ns(), time);
    buf_init(&body);
    buf_printf(&body,
               "{\"id\":\"%s\",\"time\":\"%s\",\"outcome\":\"ok\",\"cost\":{\"usd\":0,\"nano_usd\":%lld},"
               "\"holds\":[{\"id\":\"%s\",\"money\":[[\"%s\",%lld,%lld,0]]}]}",
               hold, time, (long long)nano, hold, key, (long long)period - 86400, (long long)period + 86400);
    struct ledger_entry entry = {.kind = CHAIN_EXCHANGE, .id = id, .body = buf_slice(&body)};
    if (!ledger_begin(g->ledger, &why) || ledger_put(g->ledger, &entry, &why) != LEDGER_STORED ||
        !ledger_commit(g->ledger, &why)) {
        UNIT_FAIL("put: %s", why.text);
    }
    buf_clear(&body);
}

static inline void gateway_commit(struct gateway *g)
{
    session_committed(g->session);
}

static inline void sql(struct gateway *g, const char *text)
{
    char *error = NULL;
    if (sqlite3_exec(ledger_connection(g->ledger), text, NULL, NULL, &error) != SQLITE_OK) UNIT_FAIL("%s", error);
}

/* --- what Redis has of it --- */

static inline struct slice period_key(void)
{
    return arena_printf(&arena, "mg1:{p0}:B:%lld", (long long)period - 86400);
}

static inline int64_t field(char letter, const char *key)
{
    const char *text = sync_text("HGET", period_key().ptr, arena_printf(&arena, "%c%s", letter, key).ptr, NULL);
    return strcmp(text, "(nil)") == 0 ? 0 : strtoll(text, NULL, 10);
}

static inline int64_t spent(const char *key)
{
    return field('s', key);
}

static inline int64_t held(const char *key)
{
    return field('h', key);
}

/* As one of the gateway's workers asks. */
static inline bool hold(struct gateway *g, uint64_t owner, uint64_t n, const char *key, int64_t nano)
{
    char id[COUNTERS_HOLD_BYTES];
    struct counters_item item = money(key, nano, 1000000);
    name_hold(id, n);
    counters_post_read(&g->post, &g->view);
    here = (struct counters_place){.session = g->view.session, .epoch = g->view.epoch, .owner = owner};
    return ask(COUNTERS_ADMIT, id, &item, 1, none).is_ok;
}

static inline void settle(struct gateway *g, uint64_t n, const char *key, int64_t nano)
{
    char id[COUNTERS_HOLD_BYTES];
    struct counters_item item = money(key, nano, 1000000);
    name_hold(id, n);
    here.session = g->view.session;
    EXPECT(ask(COUNTERS_SETTLE, id, &item, 1, (struct counters_totals){0, nano}).is_ok);
}

static inline int64_t sessions(void)
{
    return strtoll(sync_text("ZCARD", "mg1:{p0}:S", NULL), NULL, 10);
}

/* Names of sessions that its file keeps, and that were not cleared. */
static inline int kept(struct gateway *g)
{
    sqlite3_stmt *q;
    sqlite3_prepare_v2(ledger_connection(g->ledger), "SELECT count(*) FROM meta WHERE k GLOB 'session.*' AND v = 0", -1, &q, NULL);
    sqlite3_step(q);
    int count = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return count;
}

#endif
