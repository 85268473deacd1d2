/* What the tests of the ledger share: a folder of their own, bodies as records have them, questions to the file. */
#ifndef MOONGATE_TESTS_LEDGER_KIT_H
#define MOONGATE_TESTS_LEDGER_KIT_H

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit.h"
#include "base/buf.h"
#include "base/hex.h"
#include "store/ledger/ledger.h"

static char kit_dir[] = "/tmp/moongate-ledger-XXXXXX";

static inline void kit_path(char path[96], const char *name)
{
    snprintf(path, 96, "%s/%s", kit_dir, name);
}

/* A folder without a ledger in it. */
static inline void kit_fresh(void)
{
    static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "lock"};
    if (strstr(kit_dir, "XXXXXX") && !mkdtemp(kit_dir)) abort();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[96];
        kit_path(path, names[i]);
        unlink(path);
    }
}

static inline void kit_end(void)
{
    kit_fresh();
    rmdir(kit_dir);
}

static inline struct ledger *kit_open_with(struct ledger_options options)
{
    struct fault why = {0};
    options.data_dir = kit_dir;
    if (!options.gateway.ptr) options.gateway = SLICE("gw-1");
    struct ledger *l = ledger_open(&options, &why);
    if (!l) UNIT_FAIL("open: %s", why.text);
    return l;
}

static inline struct ledger *kit_open(void)
{
    return kit_open_with((struct ledger_options){.zone = "UTC"});
}

static inline void kit_id(uint8_t id[16], uint64_t n)
{
    memset(id, 0, 16);
    memcpy(id, "\x01\x93\x5c\x10\x00\x00\x70\x00\x80", 9);
    for (int i = 0; i < 6; i++)
        id[10 + i] = (uint8_t)(n >> 8 * (5 - i));
}

/* As flow/record.h writes it: `n` names the request and gives its numbers. */
static inline void kit_body(struct buf *out, uint64_t n, const char *time)
{
    uint8_t id[16];
    char hex[33];
    kit_id(id, n);
    hex_write(id, 16, hex);
    buf_reset(out);
    buf_printf(out,
               "{\"id\":\"req_%.8s-%.4s-%.4s-%.4s-%s\",\"time\":\"%s\",\"api\":\"chat\",\"path\":\"/v1/chat/completions\","
               "\"stream\":true,\"model\":\"small\",\"model_asked\":\"chat\",\"target\":\"openai/small\","
               "\"provider\":\"openai\",\"status\":200,\"outcome\":\"ok\",\"identity\":{\"key_id\":\"key_%d\","
               "\"app\":\"app-%d\",\"department\":\"dept-%d\",\"user\":\"user-%d\",\"labels\":{\"cost_center\":\"%d\"}},"
               "\"policy\":{\"sha256\":\"aa\"},\"facts\":{},\"usage\":{\"input_tokens\":%d,\"output_tokens\":20},"
               "\"billed\":{\"input\":%d,\"cached_input\":3,\"output\":15,\"reasoning\":5},"
               "\"cost\":{\"usd\":0.001,\"nano_usd\":%d,\"price\":\"rev1\"},"
               "\"ms\":{\"total\":12.345,\"first_byte\":3.002}}",
               hex, hex + 8, hex + 12, hex + 16, hex + 20, time, (int)(n % 5), (int)(n % 3), (int)(n % 2), (int)(n % 7),
               (int)(n % 4), (int)(n % 100) + 3, (int)(n % 100), (int)(n % 1000) * 1000);
}

#define KIT_TIME "2025-06-03T12:00:00.250Z"

static inline enum ledger_put kit_put(struct ledger *l, uint64_t n)
{
    struct buf body;
    uint8_t id[16];
    struct fault why = {0};
    buf_init(&body);
    kit_id(id, n);
    kit_body(&body, n, KIT_TIME);
    enum ledger_put result =
        ledger_put(l, &(struct ledger_entry){.kind = CHAIN_EXCHANGE, .id = id, .body = buf_slice(&body)}, &why);
    buf_clear(&body);
    return result;
}

static inline enum ledger_put kit_put_text(struct ledger *l, enum chain_kind kind, const uint8_t *id, struct slice body)
{
    struct fault why = {0};
    enum ledger_put result = ledger_put(l, &(struct ledger_entry){.kind = kind, .id = id, .body = body}, &why);
    if (result == LEDGER_FAILED) UNIT_FAIL("put: %s", why.text);
    return result;
}

static inline void kit_begin(struct ledger *l)
{
    struct fault why = {0};
    if (!ledger_begin(l, &why)) UNIT_FAIL("begin: %s", why.text);
}

static inline void kit_commit(struct ledger *l)
{
    struct fault why = {0};
    if (!ledger_commit(l, &why)) UNIT_FAIL("commit: %s", why.text);
}

static inline long long kit_bytes(const char *name)
{
    struct stat st;
    char path[96];
    kit_path(path, name);
    return stat(path, &st) == 0 ? (long long)st.st_size : -1;
}

static inline void kit_put_many(struct ledger *l, uint64_t from, uint64_t count, uint64_t batch)
{
    for (uint64_t n = from; n < from + count; n += batch) {
        kit_begin(l);
        for (uint64_t i = n; i < n + batch && i < from + count; i++)
            EXPECT_INT(LEDGER_STORED, kit_put(l, i + 1));
        kit_commit(l);
    }
}

static inline void kit_damage(const char *path, const char *sql)
{
    sqlite3 *db;
    EXPECT(sqlite3_open(path, &db) == SQLITE_OK);
    EXPECT(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

/* The first row's columns with bars between them; "" when there is none. */
static inline const char *kit_ask(const char *sql)
{
    static char answers[4][1024];
    static unsigned turn;
    char *out = answers[turn++ % 4], path[96];
    sqlite3 *db;
    sqlite3_stmt *q = NULL;
    kit_path(path, "ledger.db");
    out[0] = '\0';
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(q); i++) {
            const char *text = (const char *)sqlite3_column_text(q, i);
            snprintf(out + strlen(out), 1024 - strlen(out), "%s%s", i ? "|" : "", text ? text : "NULL");
        }
    } else if (sqlite3_errcode(db) != SQLITE_DONE) {
        UNIT_FAIL("%s: %s", sql, sqlite3_errmsg(db));
    }
    sqlite3_finalize(q);
    sqlite3_close(db);
    return out;
}

/* Each entry's hash covers the one before it, and sums are those of the records. */
static inline void kit_verify(uint64_t entries)
{
    char path[96];
    uint8_t hash[CHAIN_HASH_BYTES];
    uint64_t seq = 0;
    sqlite3 *db;
    sqlite3_stmt *q;
    kit_path(path, "ledger.db");
    chain_genesis(hash, SLICE("gw-1"), SLICE_NONE);
    EXPECT(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    EXPECT(sqlite3_prepare_v2(db, "SELECT seq, kind, body, hash FROM chain ORDER BY seq", -1, &q, NULL) == SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW) {
        struct slice body = {sqlite3_column_blob(q, 2), (size_t)sqlite3_column_bytes(q, 2)};
        if (sqlite3_column_int64(q, 0) != (int64_t)++seq) UNIT_FAIL("entry %d is missing", (int)seq);
        chain_hash(hash, hash, seq, (enum chain_kind)sqlite3_column_int(q, 1), body);
        if (memcmp(hash, sqlite3_column_blob(q, 3), sizeof hash) != 0) UNIT_FAIL("the hash of %d", (int)seq);
    }
    sqlite3_finalize(q);
    sqlite3_close(db);
    if (entries != UINT64_MAX) EXPECT_INT(entries, seq);
    EXPECT_STR(kit_ask("SELECT count(*), total(input_tokens), total(output_tokens), total(cost_nano),"
                       " total(outcome = 'denied') FROM records"),
               kit_ask("SELECT cast(total(requests) AS INTEGER), total(input_tokens), total(output_tokens),"
                       " total(cost_nano), total(denied) FROM rollup"));
    EXPECT_STR("ok", kit_ask("PRAGMA integrity_check"));
}

#endif
