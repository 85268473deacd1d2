#include "ledger/gauges.h"

#include "base/mem.h"
#include "ledger/ship.h"
#include "store/ledger/follow.h"
#include "wire/json.h"

struct gauges {
    struct stats *stats;
    stats_handle records, commits, seconds, queue, failing, lost, file_bytes, log_bytes, seq, behind;
    stats_handle ship_failing, ship_rows, ship_seconds;
};

struct gauges *gauges_new(struct stats *stats)
{
    struct gauges *g = mem_zalloc(1, sizeof *g);
    g->stats = stats;
    g->records = stats_series(stats, STATS_LEDGER_RECORDS, NULL);
    g->commits = stats_series(stats, STATS_LEDGER_COMMITS, NULL);
    g->seconds = stats_series(stats, STATS_LEDGER_COMMIT_SECONDS, NULL);
    g->queue = stats_series(stats, STATS_LEDGER_QUEUE, NULL);
    g->failing = stats_series(stats, STATS_LEDGER_FAILING, NULL);
    g->lost = stats_series(stats, STATS_LEDGER_LOST, NULL);
    g->file_bytes = stats_series(stats, STATS_LEDGER_FILE_BYTES, NULL);
    g->log_bytes = stats_series(stats, STATS_LEDGER_LOG_BYTES, NULL);
    g->seq = stats_series(stats, STATS_LEDGER_SEQ, NULL);
    g->behind = stats_series(stats, STATS_LEDGER_COPY_BEHIND, NULL);
    g->ship_failing = stats_series(stats, STATS_LEDGER_SHIP_FAILING, NULL);
    g->ship_rows = stats_series(stats, STATS_LEDGER_SHIP_BEHIND, NULL);
    g->ship_seconds = stats_series(stats, STATS_LEDGER_SHIP_SECONDS, NULL);
    return g;
}

void gauges_free(struct gauges *g)
{
    mem_free(g);
}

static uint64_t head_of(const struct ledger *ledger)
{
    uint8_t hash[CHAIN_HASH_BYTES];
    return ledger_head(ledger, hash);
}

void gauges_batch(struct gauges *g, const struct commit_batch *batch, const struct ledger *ledger, uint64_t waiting)
{
    stats_set(g->stats, g->queue, (int64_t)waiting);
    if (!batch->entries) return;
    stats_add(g->stats, g->records, batch->stored);
    stats_add(g->stats, g->commits, 1);
    stats_observe(g->stats, g->seconds, batch->ended_ns - batch->began_ns);
    stats_set(g->stats, g->seq, (int64_t)head_of(ledger));
}

void gauges_failing(struct gauges *g, bool is_failing)
{
    stats_set(g->stats, g->failing, is_failing);
}

void gauges_lost(struct gauges *g, struct slice body)
{
    struct json_tape tape;
    struct fault ignored;
    int64_t count = 0;
    json_init(&tape);
    if (json_parse(&tape, body, &ignored)) {
        uint32_t node = json_get(&tape, 0, SLICE("count"));
        if (json_is(&tape, node, JSON_NUMBER) && json_to_i64(&tape, node, &count) && count > 0)
            stats_add(g->stats, g->lost, count);
    }
    json_clear(&tape);
}

void gauges_ship(struct gauges *g, const struct ship_state *state)
{
    stats_set(g->stats, g->ship_failing, state && state->is_failing);
    stats_set(g->stats, g->ship_rows, state ? (int64_t)state->lag_rows : 0);
    stats_set(g->stats, g->ship_seconds, state ? (int64_t)(state->lag_ms / 1000) : 0);
}

void gauges_tick(struct gauges *g, const struct ledger *ledger, uint64_t copied)
{
    uint64_t file = 0, log = 0;
    if (!ledger) return;
    uint64_t head = head_of(ledger);
    ledger_file_bytes(ledger, &file, &log);
    stats_set(g->stats, g->file_bytes, (int64_t)file);
    stats_set(g->stats, g->log_bytes, (int64_t)log);
    stats_set(g->stats, g->seq, (int64_t)head);
    stats_set(g->stats, g->behind, copied < head ? (int64_t)(head - copied) : 0);
}
