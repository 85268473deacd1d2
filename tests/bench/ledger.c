/*
 * The ledger's writer fed as fast as it takes: records of 1.6 KB, in batches of a given size, tended between them as in
 * the gateway; and beside it the bodies alone, in a table of their own.
 *
 *     ledger put 128 40000 DIR       # "ledger 52000 12.1 80.2": records a second, the median commit, the 99th, in ms
 *     ledger plain 128 40000 DIR
 *     valgrind --tool=callgrind --toggle-collect=ledger_put build/bench/ledger put 128 2000 DIR
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/ledger/ledger.h"
#include "store/ledger/keep.h"

#define USERS 200
#define BODIES 1024 /* made before, and given new ids */
#define ID_AT 35    /* where the last 12 digits of the id stand */
#define BODY_BYTES 1600

struct run {
    const char *dir;
    struct buf bodies[BODIES];
    size_t batch, count, done;
    double *ms; /* of each commit */
    size_t commits;
};

static void die(const char *what)
{
    fprintf(stderr, "ledger: %s\n", what);
    exit(1);
}

/* As a request of an SDK comes to, with a trace of eight policies and the facts that they read. */
static void make_body(struct buf *b, uint64_t n)
{
    uint8_t id[16] = {1, 0x93, 0x5c, 0x10, 0, 0, 0x70, 0, 0x80};
    char hex[33];
    for (int i = 0; i < 6; i++)
        id[10 + i] = (uint8_t)(n >> 8 * (5 - i));
    hex_write(id, 16, hex);
    buf_reset(b);
    buf_printf(b,
               "{\"id\":\"req_%.8s-%.4s-%.4s-%.4s-%s\",\"time\":\"2025-06-03T12:00:00.250Z\",\"api\":\"chat\","
               "\"path\":\"/v1/chat/completions\",\"stream\":true,\"model\":\"small\",\"model_asked\":\"auto\","
               "\"target\":\"openai/small\",\"provider\":\"openai\",\"status\":200,\"outcome\":\"ok\",\"identity\":{"
               "\"key_id\":\"key_%d\",\"app\":\"app-%d\",\"department\":\"Sales\",\"user\":\"user-%d\",\"labels\":{"
               "\"cost_center\":\"%d\"}},\"data\":\"internal\",\"policy\":{\"sha256\":"
               "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"},\"trace\":[",
               hex, hex + 8, hex + 12, hex + 16, hex + 20, (int)(n % USERS), (int)(n % 8), (int)(n % USERS),
               (int)(n % 16));
    for (int i = 0; i < 5; i++)
        buf_printf(b, "%s{\"policy\":\"routing\",\"rule\":\"cheap_first\",\"verb\":\"prefer\",\"at\":\"routing.lua:%d\"}",
                   i ? "," : "", 10 + i);
    buf_printf(b,
               "],\"facts\":{\"task\":\"chat\",\"max_tokens\":512,\"text_bytes\":%d},\"estimate\":{\"input_tokens\":210,"
               "\"output_tokens\":512,\"estimated\":false},\"usage\":{\"input_tokens\":211,\"output_tokens\":%d,"
               "\"total_tokens\":%d},\"billed\":{\"input\":200,\"cached_input\":11,\"output\":%d,\"requests\":1},"
               "\"cost\":{\"usd\":0.000123,\"nano_usd\":%d,\"price\":\"2025-05-01\"},\"attempts\":[{\"target\":"
               "\"openai/small\",\"provider\":\"openai\",\"model\":\"small\",\"status\":200,\"ms\":812.120,\"billed\":{"
               "\"input\":200,\"cached_input\":11,\"output\":%d,\"requests\":1},\"cost\":{\"usd\":0.000123,\"nano_usd\":"
               "%d,\"price\":\"2025-05-01\"}}],\"ms\":{\"total\":823.410,\"deciding\":0.212,\"calling\":812.120,"
               "\"first_byte\":412.001},\"bytes_out\":4711,\"events\":88,\"annotations\":{\"note\":\"",
               (int)(800 + n % 99), (int)(n % 300), (int)(211 + n % 300), (int)(n % 300), (int)(n % 9999) * 10,
               (int)(n % 300), (int)(n % 9999) * 10);
    while (buf_len(b) < BODY_BYTES - 3)
        buf_append_char(b, 'x');
    buf_append(b, SLICE("\"}}"));
}

static struct slice body_of(struct run *r, uint64_t n)
{
    struct buf *b = &r->bodies[n % BODIES];
    for (int i = 0; i < 12; i++)
        buf_ptr(b)[ID_AT + i] = "0123456789abcdef"[n >> 4 * (11 - i) & 15];
    return buf_slice(b);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void say(struct run *r, uint64_t began)
{
    double s = (double)(clock_mono_ns() - began) / 1e9;
    qsort(r->ms, r->commits, sizeof *r->ms, by_size);
    printf("ledger %.0f %.3f %.3f\n", (double)r->count / s, r->ms[r->commits / 2], r->ms[r->commits * 99 / 100]);
}

static void note(struct run *r, uint64_t began)
{
    r->ms[r->commits++] = (double)(clock_mono_ns() - began) / 1e6;
}

static void put_batch(struct run *r, struct ledger *l)
{
    struct fault why;
    uint64_t began = clock_mono_ns();
    if (!ledger_begin(l, &why)) die(why.text);
    for (size_t i = 0; i < r->batch && r->done < r->count; i++) {
        struct ledger_entry e = {.kind = CHAIN_EXCHANGE, .body = body_of(r, r->done++)};
        if (ledger_put(l, &e, &why) != LEDGER_STORED) die("an entry was not stored");
    }
    if (!ledger_commit(l, &why)) die(why.text);
    note(r, began);
    struct ledger_upkeep how = {.now_us = clock_wall_ns() / 1000};
    if (ledger_tend(l, &how, &why) == LEDGER_TEND_FAILED) die(why.text);
}

static void run_ledger(struct run *r)
{
    struct fault why;
    struct ledger *l = ledger_open(&(struct ledger_options){.data_dir = r->dir, .zone = "Europe/Berlin"}, &why);
    if (!l) die(why.text);
    uint64_t began = clock_mono_ns();
    while (r->done < r->count)
        put_batch(r, l);
    say(r, began);
    ledger_close(l);
}

static void exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) die(sqlite3_errmsg(db));
}

static void plain_batch(struct run *r, sqlite3 *db, sqlite3_stmt *q)
{
    uint64_t began = clock_mono_ns();
    exec(db, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < r->batch && r->done < r->count; i++) {
        struct slice body = body_of(r, r->done++);
        sqlite3_bind_blob(q, 1, body.ptr, (int)body.len, SQLITE_STATIC);
        if (sqlite3_step(q) != SQLITE_DONE) die(sqlite3_errmsg(db));
        sqlite3_reset(q);
    }
    exec(db, "COMMIT");
    note(r, began);
}

static void run_plain(struct run *r)
{
    char path[512];
    sqlite3 *db;
    sqlite3_stmt *q;
    snprintf(path, sizeof path, "%s/plain.db", r->dir);
    if (sqlite3_open(path, &db) != SQLITE_OK) die(sqlite3_errmsg(db));
    exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t(n INTEGER PRIMARY KEY, body BLOB)");
    if (sqlite3_prepare_v2(db, "INSERT INTO t(body) VALUES(?)", -1, &q, NULL) != SQLITE_OK) die(sqlite3_errmsg(db));
    uint64_t began = clock_mono_ns();
    while (r->done < r->count)
        plain_batch(r, db, q);
    say(r, began);
    sqlite3_finalize(q);
    sqlite3_close(db);
}

int main(int argc, char **argv)
{
    static struct run r;
    r = (struct run){.batch = argc > 2 ? strtoul(argv[2], NULL, 10) : 0,
                    .count = argc > 3 ? strtoul(argv[3], NULL, 10) : 0,
                    .dir = argc > 4 ? argv[4] : NULL};
    if (!r.batch || !r.count || !r.dir) die("what is to be measured? put|plain BATCH RECORDS DIR");
    r.ms = mem_zalloc(r.count, sizeof *r.ms);
    for (int i = 0; i < BODIES; i++) {
        buf_init(&r.bodies[i]);
        make_body(&r.bodies[i], (uint64_t)i);
    }
    if (strcmp(argv[1], "put") == 0)
        run_ledger(&r);
    else
        run_plain(&r);
    for (int i = 0; i < BODIES; i++)
        buf_clear(&r.bodies[i]);
    mem_free(r.ms);
    return 0;
}
