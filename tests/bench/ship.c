/* How fast a backlog of the ledger comes into PostgreSQL on one connection, beside a plain COPY of the same rows.
 *
 *     build/bench/ship [RECORDS]      →  "rows/s 41000" "copy/s 90000" "memory_mib 38" "turn_ms 1.2"
 *
 * The server flushes each commit to its disk; turn_ms is the longest that commits to ledger.db would have waited. */
#include "ledger/ship.h"

#include <sys/resource.h>

#include "../unit/postgres_kit.h"
#include "../unit/store/ledger_kit.h"
#include "base/clock.h"
#include "net/loop.h"

static struct loop *loop;
static uint64_t head;

static void on_shipped(void *arg, uint64_t seq)
{
    (void)arg;
    if (seq >= head) loop_stop(loop);
}

static void on_state(void *arg, const struct ship_state *state)
{
    (void)arg;
    if (state->is_failing) fprintf(stderr, "%s\n", state->why);
}

/* As long as a record with a trace is. */
static void put(struct ledger *l, uint64_t n)
{
    static const char trace[] =
        ",\"trace\":[{\"policy\":\"access\",\"rule\":\"who may what\",\"verb\":\"allow\",\"at\":\"access.lua:41\"},"
        "{\"policy\":\"ratelimit\",\"rule\":\"requests a minute\",\"verb\":\"allow\",\"at\":\"ratelimit.lua:17\"},"
        "{\"policy\":\"budget\",\"rule\":\"department\",\"verb\":\"allow\",\"at\":\"budget.lua:23\"},"
        "{\"policy\":\"routing\",\"rule\":\"auto\",\"verb\":\"route\",\"at\":\"routing.lua:88\"}],\"facts\":{\"task\":"
        "\"summary\",\"quality\":3,\"max_tokens\":512,\"temperature\":0.2,\"text_bytes\":4711,\"uses\":[\"tools\"]}}";
    struct buf body;
    struct fault why = {0};
    uint8_t id[16];
    buf_init(&body);
    kit_id(id, n);
    kit_body(&body, n, KIT_TIME);
    body.end--;
    buf_append(&body, slice_str(trace));
    if (ledger_put(l, &(struct ledger_entry){.kind = CHAIN_EXCHANGE, .id = id, .body = buf_slice(&body)}, &why) !=
        LEDGER_STORED) {
        fprintf(stderr, "put: %s\n", why.text);
        exit(1);
    }
    buf_clear(&body);
}

static void feed(struct ledger *l, uint64_t count)
{
    for (uint64_t n = 1; n <= count;) {
        kit_begin(l);
        for (uint64_t end = n + 10000; n < end && n <= count; n++)
            put(l, n);
        kit_commit(l);
    }
}

/* Of a process, in microseconds. */
static double cpu_us(const char *pid)
{
    char path[64];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) user = 0;
    fclose(file);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static double ship_all(struct fault *why)
{
    static const struct ship_events events = {on_shipped, on_state};
    struct ship_options options = {.data_dir = kit_dir, .gateway = SLICE("gw-1"), .conninfo = server_conninfo()};
    loop = loop_new();
    uint64_t began_ns = clock_mono_ns(), cpu_ns = clock_cpu_ns();
    struct ship *ship = ship_new(loop, &options, &events, NULL, why);
    loop_run(loop);
    double seconds = (double)(clock_mono_ns() - began_ns) / 1e9;
    printf("turn_ms %.1f\n", (double)loop_take_longest_ns(loop) / 1e6);
    printf("cpu_us %.1f\n", (double)(clock_cpu_ns() - cpu_ns) / 1e3 / (double)head);
    const char *pid = server_ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'moongate gw-1'");
    printf("server_cpu_us %.1f\n", cpu_us(pid) / (double)head);
    ship_free(ship);
    loop_free(loop);
    return seconds;
}

/* Into empty tables of the same form; nothing is looked for, nothing summed. */
static double copy_all(void)
{
    char sql[1024];
    snprintf(sql, sizeof sql, "COPY (SELECT * FROM moongate.audit) TO '%s/a' (FORMAT binary); "
             "COPY (SELECT * FROM moongate.records) TO '%s/r' (FORMAT binary);"
             "TRUNCATE moongate.audit, moongate.records", server_dir, server_dir);
    server_ask(sql);
    server_ask("CHECKPOINT");
    snprintf(sql, sizeof sql, "COPY moongate.audit FROM '%s/a' (FORMAT binary); COPY moongate.records FROM '%s/r' "
             "(FORMAT binary)", server_dir, server_dir);
    uint64_t began_ns = clock_mono_ns();
    server_ask(sql);
    return (double)(clock_mono_ns() - began_ns) / 1e9;
}

int main(int argc, char **argv)
{
    struct fault why = {0};
    struct rusage usage;
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    server_start("fsync=on");
    kit_fresh();
    struct ledger *l = kit_open();
    feed(l, count);
    head = ledger_head(l, (uint8_t[CHAIN_HASH_BYTES]){0});
    ledger_close(l);
    printf("rows/s %.0f\n", (double)head / ship_all(&why));
    getrusage(RUSAGE_SELF, &usage);
    printf("memory_mib %ld\n", usage.ru_maxrss / 1024);
    printf("rows %s\n", server_ask("SELECT count(*) FROM moongate.records"));
    printf("copy/s %.0f\n", (double)head / copy_all());
    kit_end();
    server_end();
    return 0;
}
