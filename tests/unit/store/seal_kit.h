/* What the tests of anchors, texts and their verification share: a ledger of a gateway with a key, its anchors and a
 * witness's file, and what a verification of it says. */
#ifndef MOONGATE_TESTS_SEAL_KIT_H
#define MOONGATE_TESTS_SEAL_KIT_H

#include <dirent.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "../files.h"
#include "../unit.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/anchor/anchor.h"
#include "store/anchor/table.h"
#include "store/ledger/ledger.h"
#include "store/verify/verify.h"

#define SEAL_GATEWAY SLICE("gw-1")

static char seal_dir[64];
static struct anchor_key *seal_key;
static struct ledger *seal_ledger;

static inline const char *seal_path(const char *name)
{
    static char paths[16][512];
    static unsigned turn;
    char *path = paths[turn++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", seal_dir, name);
    return path;
}

static inline void seal_begin(void)
{
    struct fault why;
    snprintf(seal_dir, sizeof seal_dir, "/tmp/moongate-seal-XXXXXX");
    if (!mkdtemp(seal_dir)) abort();
    seal_key = anchor_key_open(seal_dir, &why);
}

static inline void seal_end(void)
{
    DIR *dir = opendir(seal_dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.') unlink(seal_path(entry->d_name));
    if (dir) closedir(dir);
    rmdir(seal_dir);
    anchor_key_free(seal_key);
    seal_key = NULL;
}

static inline struct ledger_options seal_options(void)
{
    return (struct ledger_options){.data_dir = seal_dir, .gateway = SEAL_GATEWAY,
                                   .key_fingerprint = slice_str(anchor_key_public(seal_key)->fingerprint)};
}

static inline void seal_open(void)
{
    struct fault why;
    struct ledger_options options = seal_options();
    seal_ledger = ledger_open(&options, &why);
    if (!seal_ledger) UNIT_FAIL("open: %s", why.text);
}

static inline void seal_close(void)
{
    ledger_close(seal_ledger);
    seal_ledger = NULL;
}

static inline void seal_put(enum chain_kind kind, const uint8_t *id, struct slice body)
{
    struct fault why;
    struct ledger_entry entry = {.kind = kind, .id = id, .body = body};
    if (ledger_put(seal_ledger, &entry, &why) != LEDGER_STORED) UNIT_FAIL("not stored: %s", why.text);
}

static inline void seal_start(void)
{
    char body[256];
    snprintf(body, sizeof body, "{\"gateway\":\"gw-1\",\"version\":\"1\",\"time\":\"2026-11-29T10:00:00.000Z\",\"key\":\"%s\"}",
             anchor_key_public(seal_key)->fingerprint);
    seal_put(CHAIN_START, NULL, slice_str(body));
}

static inline void seal_id(uint8_t id[16], unsigned n)
{
    memset(id, 0, 16);
    id[0] = 1;
    memcpy(id + 12, &n, sizeof n);
}

static inline void seal_exchange(unsigned n)
{
    uint8_t id[16];
    char body[256];
    seal_id(id, n);
    snprintf(body, sizeof body, "{\"time\":\"2026-11-29T10:00:%02u.000Z\",\"n\":%u}", n % 60, n);
    seal_put(CHAIN_EXCHANGE, id, slice_str(body));
}

/* An anchor of what is committed, into the table and the witness's file. */
static inline void seal_anchor(uint64_t time_us, bool is_witnessed)
{
    struct fault why;
    struct buf line;
    struct anchor a = {.gateway = SEAL_GATEWAY, .time_us = time_us};
    a.seq = ledger_head(seal_ledger, a.hash);
    anchor_sign(seal_key, &a);
    if (!ledger_begin(seal_ledger, &why) || !anchor_put(seal_ledger, &a, &why) || !ledger_commit(seal_ledger, &why))
        UNIT_FAIL("anchor: %s", why.text);
    if (!is_witnessed) return;
    buf_init(&line);
    anchor_write(&a, anchor_key_public(seal_key), &line);
    buf_append_char(&line, '\n');
    FILE *file = fopen(seal_path("witness.jsonl"), "a");
    fwrite(buf_ptr(&line), 1, buf_len(&line), file);
    fclose(file);
    buf_clear(&line);
}

/* Entries 1 … count, the first of them a start, an anchor behind each `each` of them. */
static inline void seal_make(unsigned count, unsigned each)
{
    struct fault why;
    seal_open();
    for (unsigned n = 1; n <= count;) {
        if (!ledger_begin(seal_ledger, &why)) UNIT_FAIL("begin: %s", why.text);
        for (unsigned i = 0; i < each && n <= count; i++, n++) {
            if (n == 1)
                seal_start();
            else
                seal_exchange(n);
        }
        if (!ledger_commit(seal_ledger, &why)) UNIT_FAIL("commit: %s", why.text);
        if (n <= count || count % each == 0) seal_anchor(1000000 + n, true);
    }
    seal_close();
}

/* ---- What a verification says. */

static struct verify_result seal_said;
static unsigned seal_found[64]; /* by kind */
static char seal_first[FAULT_TEXT_BYTES];

static inline void seal_on_finding(void *arg, const struct verify_finding *finding)
{
    (void)arg;
    if (!seal_first[0]) snprintf(seal_first, sizeof seal_first, "%s: %s", finding->word, finding->text);
    seal_found[finding->kind]++;
}

static inline enum verify_state seal_verify_with(struct verify_options options)
{
    struct fault why;
    memset(seal_found, 0, sizeof seal_found);
    seal_first[0] = '\0';
    options.on_finding = seal_on_finding;
    if (!verify_ledger(&options, &seal_said, &why)) UNIT_FAIL("verify: %s", why.text);
    return seal_said.state;
}

static inline enum verify_state seal_verify(bool has_witness)
{
    return seal_verify_with((struct verify_options){
        .data_dir = seal_dir, .witness_file = has_witness ? seal_path("witness.jsonl") : NULL, .is_quick = true});
}

/* ---- What an attacker with the file does. */

static inline sqlite3 *seal_attack(void)
{
    sqlite3 *db;
    if (sqlite3_open_v2(seal_path("ledger.db"), &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) abort();
    sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    return db;
}

static inline void seal_sql(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) UNIT_FAIL("%s: %s", sql, sqlite3_errmsg(db));
}

/* All hashes from that entry on, made anew over what stands there. */
static inline void seal_rehash(sqlite3 *db, uint64_t from)
{
    sqlite3_stmt *get, *set;
    uint8_t hash[CHAIN_HASH_BYTES];
    sqlite3_prepare_v2(db, "SELECT seq, kind, body, hash FROM chain WHERE seq >= ? ORDER BY seq", -1, &get, NULL);
    sqlite3_prepare_v2(db, "UPDATE chain SET hash = ? WHERE seq = ?", -1, &set, NULL);
    sqlite3_bind_int64(get, 1, (sqlite3_int64)from - 1);
    seal_sql(db, "BEGIN");
    for (bool is_first = true; sqlite3_step(get) == SQLITE_ROW; is_first = false) {
        if (is_first) {
            memcpy(hash, sqlite3_column_blob(get, 3), sizeof hash);
            continue;
        }
        uint64_t seq = (uint64_t)sqlite3_column_int64(get, 0);
        struct slice body = slice_of(sqlite3_column_blob(get, 2), (size_t)sqlite3_column_bytes(get, 2));
        chain_hash(hash, hash, seq, (enum chain_kind)sqlite3_column_int(get, 1), body);
        sqlite3_bind_blob(set, 1, hash, sizeof hash, SQLITE_STATIC);
        sqlite3_bind_int64(set, 2, (sqlite3_int64)seq);
        sqlite3_step(set);
        sqlite3_reset(set);
    }
    sqlite3_finalize(get);
    sqlite3_finalize(set);
    seal_sql(db, "COMMIT");
}

/* … and signed anew, by who has the key. */
static inline void seal_resign(sqlite3 *db, const struct anchor_key *key)
{
    sqlite3_stmt *get, *set;
    sqlite3_prepare_v2(db, "SELECT a.seq, a.time_us, c.hash FROM anchors a JOIN chain c USING(seq)", -1, &get, NULL);
    sqlite3_prepare_v2(db, "UPDATE anchors SET hash = ?, signature = ? WHERE seq = ?", -1, &set, NULL);
    while (sqlite3_step(get) == SQLITE_ROW) {
        struct anchor a = {.gateway = SEAL_GATEWAY, .seq = (uint64_t)sqlite3_column_int64(get, 0),
                           .time_us = (uint64_t)sqlite3_column_int64(get, 1)};
        memcpy(a.hash, sqlite3_column_blob(get, 2), sizeof a.hash);
        anchor_sign(key, &a);
        sqlite3_bind_blob(set, 1, a.hash, sizeof a.hash, SQLITE_STATIC);
        sqlite3_bind_blob(set, 2, a.signature, sizeof a.signature, SQLITE_STATIC);
        sqlite3_bind_int64(set, 3, (sqlite3_int64)a.seq);
        sqlite3_step(set);
        sqlite3_reset(set);
    }
    sqlite3_finalize(get);
    sqlite3_finalize(set);
}

#endif
