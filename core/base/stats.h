/*
 * Metrics in shared memory: each process adds to a segment of its own without a lock; a reader sums all segments into
 * the Prometheus text format.
 *
 *     struct stats *stats = stats_attach(segment);                          // once a process, before its first request
 *     stats_handle open = stats_series(stats, STATS_EXCHANGES_OPEN, NULL);  // hot path: keep the handle
 *     stats_add(stats, open, 1);
 *     struct slice labels[] = {model, department, SLICE("input")};          // in the order of the table below
 *     stats_add(stats, stats_series(stats, STATS_TOKENS, labels), 17);
 *     stats_render(segments, n, &out);                                      // any process, at any time
 *
 * One writer a segment, any number of readers. The segment outlives its writer: a restarted worker goes on where the
 * dead one stood, so sums never jump back; its gauges start from zero. Beyond LIMIT_SERIES label sets, or with labels
 * longer than LIMIT_SERIES_KEY_BYTES, all labels of a set fold into "other". Label values are cut at LIMIT_LABEL_BYTES.
 * Never give it a user, a key or a prompt as a label: their number has no bound.
 */
#ifndef MOONGATE_BASE_STATS_H
#define MOONGATE_BASE_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* The one table of metrics: name for C, kind, name, labels in order, help.
 *   COUNTER    only grows; summed
 *   NANO       a counter of billionths, shown in units: nano-dollars in, dollars out
 *   GAUGE      goes up and down; summed, zeroed when its process restarts
 *   LARGEST    a gauge of which the largest process's value is shown
 *   LONGEST    the same of nanoseconds, shown in seconds
 *   INFO       a gauge whose labels are the message; sets at 0 are not shown
 * Those whose name ends in '_' stand for any number of metrics: the first label goes behind the name, the others are
 * names and values of labels in turn, empty ones absent. They are what policies count.
 *   HISTOGRAM  of nanoseconds, shown in seconds, bucket bounds as STATS_BUCKETS_MS */
/* clang-format off */
#define STATS_METRICS(X)                                                                                               \
    X(REQUESTS,             COUNTER,   "moongate_requests_total",                                                      \
      "app,department,model,provider,outcome,code", "Requests that ended, by outcome.")                                \
    X(REQUEST_DURATION,     HISTOGRAM, "moongate_request_duration_seconds",                                            \
      "", "From a request's first byte to the last byte of its answer.")                                               \
    X(TIME_TO_FIRST_TOKEN,  HISTOGRAM, "moongate_time_to_first_token_seconds",                                         \
      "", "From a request's first byte to the first byte of its answer's body.")                                       \
    X(OVERHEAD,             HISTOGRAM, "moongate_overhead_seconds",                                                    \
      "", "The gateway's own part of a request: all but waiting for its client and its provider.")                     \
    X(TOKENS,               COUNTER,   "moongate_tokens_total",                                                        \
      "model,department,direction",                                                                                    \
      "Tokens that were paid for, of the model that was called, by disjoint parts: as providers reported them, "       \
      "else as counted.")                                                                                              \
    X(COST,                 NANO,      "moongate_cost_usd_total",                                                      \
      "model,department",                                                                                              \
      "What answers of the model that was called cost at the prices of the policies, in USD; includes estimates.")     \
    X(USAGE_ESTIMATED,      COUNTER,   "moongate_usage_estimated_total",                                               \
      "model", "Answers billed by the gateway's own count, because the provider reported none.")                       \
    X(UNPRICED,             COUNTER,   "moongate_unpriced_requests_total",                                             \
      "model", "Answers whose cost is not known, or not all of it: a price or a part of one is missing.")              \
    X(ERRORS,               COUNTER,   "moongate_errors_total",                                                        \
      "error_type,provider", "Requests that ended in an error, by its code.")                                          \
    X(DECISIONS,            COUNTER,   "moongate_decisions_total",                                                     \
      "stage,rule,outcome", "What policies decided.")                                                                  \
    X(AUTH_FAILURES,        COUNTER,   "moongate_auth_failures_total",                                                 \
      "reason", "Requests whose key or token was missing or did not count, by why.")                                   \
    X(JWKS_REFRESHES,       COUNTER,   "moongate_jwks_refreshes_total",                                                \
      "outcome", "Attempts to fetch the keys of an issuer of tokens: changed, unchanged, failed.")                     \
    X(ACCOUNT_TOKENS,       COUNTER,   "moongate_provider_account_tokens_total",                                       \
      "provider,outcome", "Tokens that provider accounts with a key file asked for: given, failed.")                   \
    X(ACCOUNT_REFUSALS,     COUNTER,   "moongate_provider_account_refusals_total",                                     \
      "provider,status", "Calls that a provider refused for the account's sake: 401, 402, 403 and 407.")               \
    X(INSPECT_ERRORS,       COUNTER,   "moongate_inspect_errors_total",                                                \
      "", "Provider events that could not be read for usage and were relayed all the same.")                           \
    X(STREAMS_INCOMPLETE,   COUNTER,   "moongate_streams_incomplete_total",                                            \
      "", "Streams that ended without their end marker.")                                                              \
    X(BUDGET_OVERRUNS,      COUNTER,   "moongate_budget_overruns_total",                                               \
      "end", "Streams for which their budgets had no more room: cut, or left to finish.")                              \
    X(COUNTERS_ASKED,       COUNTER,   "moongate_shared_counters_questions_total",                                     \
      "outcome", "Questions to the counters in Redis: answered, or why not: timeout, unreachable, starting, full.")    \
    X(COUNTERS_LOST,        COUNTER,   "moongate_shared_counters_lost_total",                                          \
      "on_store_loss", "Limits and budgets of requests that were decided without Redis, by what was done then.")       \
    X(RECORDS_LOST,         COUNTER,   "moongate_records_lost_total",                                                  \
      "", "Records that could not be kept until the ledger takes them.")                                               \
    X(RECORDS_UNWRITTEN,    COUNTER,   "moongate_records_unwritten_total",                                             \
      "", "Requests with durability async that went on while the ledger took no records.")                             \
    X(CONNECTIONS_OPEN,     GAUGE,     "moongate_connections_open",                                                    \
      "", "Client connections.")                                                                                       \
    X(CONNECTIONS_STRANGE,  GAUGE,     "moongate_connections_strangers",                                               \
      "", "Of these, the ones that have shown no good key.")                                                           \
    X(STRANGERS_DROPPED,    COUNTER,   "moongate_strangers_dropped_total",                                             \
      "", "Connections without a good key that had to make place for others.")                                         \
    X(BYTES_HELD,           GAUGE,     "moongate_request_bytes_held",                                                  \
      "", "Bytes of requests, and of the indexes over them, in memory.")                                               \
    X(EXCHANGES_OPEN,       GAUGE,     "moongate_exchanges_open",                                                      \
      "", "Requests under way.")                                                                                       \
    X(UPSTREAM_OPEN,        GAUGE,     "moongate_upstream_open",                                                       \
      "", "Calls to providers under way.")                                                                             \
    X(UPSTREAM_CONNECTIONS, GAUGE,     "moongate_upstream_connections",                                                \
      "", "Connections to providers, busy and idle.")                                                                  \
    X(LOOP_TURN_LONGEST,    LONGEST,   "moongate_loop_turn_longest_seconds",                                           \
      "",                                                                                                              \
      "The longest turn of a worker's loop in the last minute or two: as long as that everything else in it "          \
      "waited.")                                                                                                       \
    X(POLICY_RELOAD_OK,     GAUGE,     "moongate_policy_reload_success",                                               \
      "", "1 when the last load of policies or configuration was accepted, else 0.")                                   \
    X(POLICY_RELOAD_FAILED, COUNTER,   "moongate_policy_reload_failures_total",                                        \
      "", "Loads that were refused; the ones before stayed in force.")                                                 \
    X(POLICY_LOADED_AT,     LARGEST,   "moongate_policy_loaded_timestamp_seconds",                                     \
      "", "When the policies in force were accepted.")                                                                 \
    X(POLICY_INFO,          INFO,      "moongate_policy_info",                                                         \
      "sha256", "The policies in force.")                                                                              \
    X(POLICY_GENERATIONS,   LARGEST,   "moongate_policy_generations",                                                  \
      "",                                                                                                              \
      "Policy generations alive in the worker that holds most: the one in force and those with requests under way.")   \
    X(WORKER_RESTARTS,      COUNTER,   "moongate_worker_restarts_total",                                               \
      "", "Workers that died and were replaced.")                                                                      \
    X(POLICY_COUNTER,       COUNTER,   "moongate_policy_",                                                             \
      "name,label1,value1,label2,value2,label3,value3", "")                                                            \
    X(POLICY_HISTOGRAM,     HISTOGRAM, "moongate_policy_",                                                             \
      "name,label1,value1,label2,value2,label3,value3", "")                                                            \
    X(LEDGER_RECORDS,       COUNTER,   "moongate_ledger_records_total",                                                \
      "", "Entries that were committed to the ledger.")                                                                \
    X(LEDGER_COMMITS,       COUNTER,   "moongate_ledger_commits_total",                                                \
      "", "Commits that brought them there.")                                                                          \
    X(LEDGER_COMMIT_SECONDS, HISTOGRAM, "moongate_ledger_commit_seconds",                                              \
      "", "How long a commit took.")                                                                                   \
    X(LEDGER_QUEUE,         GAUGE,     "moongate_ledger_queue_records",                                                \
      "", "Entries that the ledger process has and that are not committed.")                                           \
    X(LEDGER_FAILING,       GAUGE,     "moongate_ledger_failing",                                                      \
      "", "1 while nothing can be committed.")                                                                         \
    X(LEDGER_LOST,          COUNTER,   "moongate_ledger_lost_total",                                                   \
      "", "Records that workers had no place for while nothing could be committed.")                                   \
    X(LEDGER_FILE_BYTES,    GAUGE,     "moongate_ledger_file_bytes",                                                   \
      "", "The ledger's file.")                                                                                        \
    X(LEDGER_LOG_BYTES,     GAUGE,     "moongate_ledger_log_bytes",                                                    \
      "", "The ledger's write-ahead log.")                                                                             \
    X(LEDGER_SEQ,           GAUGE,     "moongate_ledger_seq",                                                          \
      "", "The number of the ledger's last entry.")                                                                    \
    X(LEDGER_ANCHOR_SEQ, GAUGE, "moongate_ledger_anchor_seq",                                                          \
      "", "The last entry that a signed anchor covers.")                                                               \
    X(WITNESS_BEHIND, GAUGE, "moongate_witness_behind",                                                                \
      "witness", "Anchors that a witness does not have yet.")                                                          \
    X(NOTICES_LOST, COUNTER, "moongate_notices_lost_total",                                                            \
      "", "Notices of budgets that the ledger could not be told.")                                                     \
    X(NOTICES_SENT, COUNTER, "moongate_notices_sent_total",                                                            \
      "sink", "Notices of budgets that a sink took.")                                                                  \
    X(NOTICES_FAILED, COUNTER, "moongate_notices_failed_total",                                                        \
      "sink", "Attempts to send one that failed.")                                                                     \
    X(NOTICES_GIVEN_UP, COUNTER, "moongate_notices_given_up_total",                                                    \
      "sink", "Notices that no attempt has brought to their sink in a day.")                                           \
    X(NOTICES_WAITING, GAUGE, "moongate_notices_waiting",                                                              \
      "", "Notices that are still to be sent, one for each receiver.")                                                 \
    X(LEDGER_COPY_BEHIND,   GAUGE,     "moongate_ledger_copy_behind",                                                  \
      "", "How many entries the ledger's copy is behind.")                                                             \
    X(LEDGER_SHIP_FAILING,  GAUGE,     "moongate_ledger_ship_failing",                                                 \
      "", "1 while PostgreSQL does not take the ledger's entries.")                                                    \
    X(LEDGER_SHIP_BEHIND,   GAUGE,     "moongate_ledger_ship_behind",                                                  \
      "", "How many entries PostgreSQL is behind the ledger.")                                                         \
    X(LEDGER_SHIP_SECONDS,  GAUGE,     "moongate_ledger_ship_behind_seconds",                                          \
      "", "How long ago the first request came that PostgreSQL does not have.")                                        \
    X(REDIS_UP,             GAUGE,     "moongate_redis_up",                                                            \
      "", "1 while limits and budgets are counted together with other gateways.")                                      \
    X(REDIS_LOSSES,         COUNTER,   "moongate_redis_losses_total",                                                  \
      "", "How often what had been counted there was lost, and told again from the ledger.")                           \
    X(REDIS_FENCED,         COUNTER,   "moongate_redis_fenced_total",                                                  \
      "", "Other gateways' sessions that had ended without a word, and were cleared away.")                            \
    X(REDIS_ZONE,           GAUGE,     "moongate_redis_zone_differs",                                                  \
      "", "1 while this gateway does not count with others, which have another billing.timezone.")                     \
    X(SECTIONS_REFUSED,     COUNTER,   "moongate_registry_sections_refused_total",                                     \
      "section", "Sections of the registry that a worker did not take, because their check failed.")                   \
    X(REGISTRY_UNCONFIRMED, LONGEST,   "moongate_registry_unconfirmed_seconds",                                        \
      "", "For how long nobody could tell whether what workers have of a fleet's registry is all there is.")           \
    X(REGISTRY_CLOCK,       LONGEST,   "moongate_registry_clock_difference_seconds",                                   \
      "", "Between this machine's clock and that of the fleet's registry, in either direction.")                       \
    X(REGISTRY_UNKNOWN,     COUNTER,   "moongate_registry_unconfirmed_requests_total",                                 \
      "outcome", "Requests with a key that may be revoked, beyond registry.max_stale: served, refused.")               \
    X(BREAKER_OPEN,         GAUGE,     "moongate_breaker_open",                                                        \
      "provider", "1 while a provider account is passed over where another target is left.")                           \
    X(BREAKER_TRIPS,        COUNTER,   "moongate_breaker_trips_total",                                                 \
      "provider", "How often failures in a row have opened its breaker here.")                                         \
    X(BUILD_INFO,           INFO,      "moongate_build_info",                                                          \
      "version", "The version that is running.")
/* clang-format on */

enum stats_metric {
#define X(name, kind, text, labels, help) STATS_##name,
    STATS_METRICS(X)
#undef X
};

/* Upper bounds of the histograms' buckets in milliseconds; one more, +Inf, follows. */
#define STATS_BUCKETS_MS 1, 5, 25, 100, 250, 500, 1000, 2000, 5000, 10000, 30000, 60000

struct stats;

/* Good until stats_detach(). */
typedef uint32_t stats_handle;

/* Bytes of one segment, to be zeroed before its first use. Untouched pages cost nothing. */
size_t stats_segment_bytes(void);
/* Borrows the segment until stats_detach(); zeroes its gauges. At most one process may be attached at a time. */
struct stats *stats_attach(void *segment);
/* The counts stay in the segment. NULL is welcome. */
void stats_detach(struct stats *stats);

/* The series of that label set, made when there was none; never fails (see "other"). Labels are copied; as many as the
 * table names, NULL when it names none. An empty value is a value. */
stats_handle stats_series(struct stats *stats, enum stats_metric metric, const struct slice *labels);
/* Gauges may go down: n is negative then. */
void stats_add(struct stats *stats, stats_handle series, int64_t n);
/* Gauges only. */
void stats_set(struct stats *stats, stats_handle series, int64_t value);
/* Histograms only. */
void stats_observe(struct stats *stats, stats_handle series, uint64_t ns);
int64_t stats_value(const struct stats *stats, stats_handle series);

/* Appends all metrics, in the table's order, label sets in byte order. Segments may be written meanwhile. */
void stats_render(void *const *segments, size_t count, struct buf *out);

#endif
