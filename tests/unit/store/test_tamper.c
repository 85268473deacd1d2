/* Whoever changes the ledger is found: by the chain, by the anchors' signatures, or by what a witness has seen. */
#include "seal_kit.h"

#include "base/hex.h"
#include "store/ledger/keep.h"

#define ENTRIES 240u
#define EACH 40u

static void make(void)
{
    seal_begin();
    seal_make(ENTRIES, EACH);
}

#define EXPECT_FOUND(kind)                                                                                             \
    do {                                                                                                               \
        if (!seal_found[VERIFY_##kind##_FOUND]) UNIT_FAIL("not found by %s: %s", #kind, seal_first);                   \
        EXPECT_INT(VERIFY_TAMPERED, seal_said.state);                                                                  \
    } while (0)

static void what_nobody_changed_is_intact(void)
{
    make();
    EXPECT_INT(VERIFY_INTACT, seal_verify(true));
    EXPECT_INT(ENTRIES, seal_said.entries);
    EXPECT_INT(ENTRIES, seal_said.last_seq);
    EXPECT_INT(ENTRIES / EACH, seal_said.anchors);
    EXPECT_INT(ENTRIES, seal_said.anchored_seq);
    EXPECT_INT(ENTRIES / EACH, seal_said.witnessed);
    EXPECT_STR("gw-1", seal_said.gateway);
    EXPECT_STR(anchor_key_public(seal_key)->fingerprint, seal_said.key);
    EXPECT_INT(VERIFY_INTACT, seal_verify_with((struct verify_options){.data_dir = seal_dir}));
    seal_end();
}

/* ---- Every byte. */

/* One byte of one column at a time, of all rows. Returns how many were not found. */
static unsigned flip_each(const char *table, const char *column, unsigned *flips)
{
    char sql[160];
    sqlite3 *db = seal_attack();
    sqlite3_stmt *get, *set;
    unsigned missed = 0;
    struct buf bytes;
    buf_init(&bytes);
    snprintf(sql, sizeof sql, "UPDATE %s SET %s = ? WHERE seq = ?", table, column);
    sqlite3_prepare_v2(db, sql, -1, &set, NULL);
    for (uint64_t seq = 1; seq <= ENTRIES; seq++) {
        snprintf(sql, sizeof sql, "SELECT %s FROM %s WHERE seq = %u", column, table, (unsigned)seq);
        sqlite3_prepare_v2(db, sql, -1, &get, NULL);
        buf_reset(&bytes);
        if (sqlite3_step(get) == SQLITE_ROW)
            buf_append(&bytes, slice_of(sqlite3_column_blob(get, 0), (size_t)sqlite3_column_bytes(get, 0)));
        sqlite3_finalize(get);
        for (size_t i = 0; i <= buf_len(&bytes) && buf_len(&bytes); i++) { /* the last time: as it was */
            if (i) buf_ptr(&bytes)[i - 1] ^= (char)(1 << i % 8);
            if (i < buf_len(&bytes)) buf_ptr(&bytes)[i] ^= (char)(1 << (i + 1) % 8);
            sqlite3_bind_blob(set, 1, buf_ptr(&bytes), (int)buf_len(&bytes), SQLITE_STATIC);
            sqlite3_bind_int64(set, 2, (sqlite3_int64)seq);
            if (sqlite3_step(set) != SQLITE_DONE) UNIT_FAIL("%s", sqlite3_errmsg(db));
            sqlite3_reset(set);
            if (i == buf_len(&bytes)) break;
            (*flips)++;
            missed += seal_verify(false) != VERIFY_TAMPERED;
        }
    }
    sqlite3_finalize(set);
    sqlite3_close(db);
    buf_clear(&bytes);
    return missed;
}

static void each_byte_of_each_entry_counts(void)
{
    unsigned flips = 0;
    seal_begin();
    seal_make(ENTRIES, ENTRIES / 2); /* few signatures, which take the longest */
    EXPECT_INT(0, flip_each("chain", "body", &flips));
    EXPECT_INT(0, flip_each("chain", "hash", &flips));
    EXPECT_INT(0, flip_each("anchors", "hash", &flips));
    EXPECT_INT(0, flip_each("anchors", "signature", &flips));
    EXPECT(flips > ENTRIES * (32 + 30));
    EXPECT_INT(VERIFY_INTACT, seal_verify(true));
    seal_end();
}

/* Numbers: another kind, and each bit of a seq and a time. */
static void each_bit_of_each_number_counts(void)
{
    char sql[160];
    make();
    sqlite3 *db = seal_attack();
    for (unsigned seq = 1; seq <= ENTRIES; seq += 13) {
        for (int kind = -1; kind < 10; kind++) {
            snprintf(sql, sizeof sql, "UPDATE chain SET kind = kind + %d WHERE seq = %u", kind ? kind : 256, seq);
            seal_sql(db, sql);
            seal_verify(false);
            EXPECT(seal_found[VERIFY_HASH_FOUND] || seal_found[VERIFY_KIND_FOUND] || seal_found[VERIFY_GENESIS_FOUND]);
            snprintf(sql, sizeof sql, "UPDATE chain SET kind = kind - %d WHERE seq = %u", kind ? kind : 256, seq);
            seal_sql(db, sql);
        }
    }
    static const char *const tables[] = {"chain", "anchors"};
    for (int bit = 0; bit < 64; bit++) {
        for (int t = 0; t < 2; t++) {
            long long old = bit < 8 && t == 0 ? 240 : 80, new = old ^ (long long)(1ull << bit);
            snprintf(sql, sizeof sql, "UPDATE OR IGNORE %s SET seq = %lld WHERE seq = %lld", tables[t], new, old);
            seal_sql(db, sql);
            if (sqlite3_changes(db) == 0) continue;
            EXPECT_INT(VERIFY_TAMPERED, seal_verify(false));
            snprintf(sql, sizeof sql, "UPDATE %s SET seq = %lld WHERE seq = %lld", tables[t], old, new);
            seal_sql(db, sql);
        }
        snprintf(sql, sizeof sql, "UPDATE anchors SET time_us = (time_us | %lld) - (time_us & %lld) WHERE seq = 120",
                 (long long)(1ull << bit), (long long)(1ull << bit));
        seal_sql(db, sql);
        EXPECT_INT(VERIFY_TAMPERED, seal_verify(false));
        EXPECT(seal_found[VERIFY_ANCHOR_FORGED_FOUND]);
        seal_sql(db, sql); /* the bit as it was */
    }
    sqlite3_close(db);
    EXPECT_INT(VERIFY_INTACT, seal_verify(true));
    seal_end();
}

/* ---- Rows. */

static void attack(const char *sql)
{
    sqlite3 *db = seal_attack();
    seal_sql(db, sql);
    sqlite3_close(db);
}

static void a_row_that_was_deleted_is_missed(void)
{
    for (unsigned seq = 1; seq < ENTRIES; seq += 17) {
        char sql[80];
        make();
        snprintf(sql, sizeof sql, "DELETE FROM chain WHERE seq = %u", seq);
        attack(sql);
        seal_verify(false);
        EXPECT(seal_found[VERIFY_GAP_FOUND] || seal_found[VERIFY_BEGINNING_FOUND]);
        EXPECT_INT(VERIFY_TAMPERED, seal_said.state);
        seal_end();
    }
    /* … also when all later ones are numbered and hashed anew. */
    make();
    sqlite3 *db = seal_attack();
    seal_sql(db, "DELETE FROM chain WHERE seq = 100; UPDATE chain SET seq = -seq WHERE seq > 100;"
                 "UPDATE chain SET seq = -seq - 1 WHERE seq < 0");
    seal_rehash(db, 100);
    sqlite3_close(db);
    seal_verify(false);
    EXPECT_FOUND(ANCHOR_HASH);
    EXPECT_FOUND(ANCHOR_BEYOND);
    seal_end();
}

static void rows_that_changed_places_are_found(void)
{
    make();
    attack("UPDATE chain SET seq = -50 WHERE seq = 50; UPDATE chain SET seq = 50 WHERE seq = 60;"
           "UPDATE chain SET seq = 60 WHERE seq = -50");
    seal_verify(false);
    EXPECT_FOUND(HASH);
    attack("UPDATE chain SET seq = -50 WHERE seq = 50; UPDATE chain SET seq = 50 WHERE seq = 60;"
           "UPDATE chain SET seq = 60 WHERE seq = -50");
    EXPECT_INT(VERIFY_INTACT, seal_verify(false));
    attack("UPDATE chain SET body = (SELECT c.body FROM chain c WHERE c.seq = 110 - chain.seq) WHERE seq IN (50, 60)");
    seal_verify(false);
    EXPECT_FOUND(HASH);
    seal_end();
}

static void a_row_that_was_put_in_is_found(void)
{
    make();
    sqlite3 *db = seal_attack();
    seal_sql(db, "UPDATE chain SET seq = -seq WHERE seq >= 100; UPDATE chain SET seq = 1 - seq WHERE seq < 0;"
                 "INSERT INTO chain VALUES(100, 2, x'7b7d', zeroblob(32))");
    seal_verify(false);
    EXPECT_FOUND(HASH);
    seal_rehash(db, 100);
    sqlite3_close(db);
    seal_verify(false);
    EXPECT_INT(0, seal_found[VERIFY_HASH_FOUND]);
    EXPECT_FOUND(ANCHOR_HASH);
    seal_end();
}

/* With its anchors the end is gone without a trace in the file: a witness remembers. */
static void an_end_that_was_cut_off_is_missed(void)
{
    make();
    attack("DELETE FROM chain WHERE seq > 200");
    seal_verify(false);
    EXPECT_FOUND(ANCHOR_BEYOND);
    attack("DELETE FROM anchors WHERE seq > 200");
    EXPECT_INT(VERIFY_INTACT, seal_verify(false));
    seal_verify(true);
    EXPECT_FOUND(WITNESS_BEYOND);
    seal_end();
    make();
    attack("DELETE FROM chain");
    seal_verify(false);
    EXPECT_FOUND(ANCHOR_BEYOND);
    attack("DELETE FROM anchors");
    EXPECT_INT(VERIFY_INCOMPLETE, seal_verify(false));
    EXPECT(seal_found[VERIFY_EMPTY_FOUND]);
    seal_verify(true);
    EXPECT_FOUND(WITNESS_BEYOND);
    seal_end();
}

/* ---- Forgers, who make all hashes anew. */

static void forge(const struct anchor_key *key)
{
    sqlite3 *db = seal_attack();
    seal_sql(db, "UPDATE chain SET body = x'7b7d' WHERE seq = 100");
    seal_rehash(db, 100);
    if (key) seal_resign(db, key);
    sqlite3_close(db);
}

static void a_forger_without_the_key_is_found_by_the_anchors(void)
{
    make();
    forge(NULL);
    seal_verify(false);
    EXPECT_INT(0, seal_found[VERIFY_HASH_FOUND]);
    EXPECT_FOUND(ANCHOR_HASH);
    EXPECT_INT(80, seal_said.anchored_seq);
    seal_end();
}

static void a_forger_with_a_key_of_his_own_is_found_by_its_signature(void)
{
    struct fault why;
    char other[] = "/tmp/moongate-other-XXXXXX", path[96];
    make();
    struct anchor_key *key = anchor_key_open(mkdtemp(other), &why);
    forge(key);
    seal_verify(false);
    EXPECT_FOUND(ANCHOR_FORGED);
    anchor_key_free(key);
    snprintf(path, sizeof path, "rm -r %s", other);
    EXPECT_INT(0, system(path));
    seal_end();
}

static void a_forger_who_takes_the_anchors_away_leaves_nothing_signed(void)
{
    make();
    forge(NULL);
    attack("DELETE FROM anchors WHERE seq >= 100");
    EXPECT_INT(VERIFY_INTACT, seal_verify(false)); /* 160 entries of a minute: an anchor would be on its way */
    attack("UPDATE chain SET body = CAST('{\"time\":\"2026-11-29T11:00:00.000Z\"}' AS BLOB) WHERE seq = 240");
    sqlite3 *db = seal_attack();
    seal_rehash(db, 240);
    sqlite3_close(db);
    EXPECT_INT(VERIFY_INCOMPLETE, seal_verify(false));
    EXPECT(seal_found[VERIFY_NO_ANCHOR_FOUND]);
    seal_verify(true);
    EXPECT_FOUND(WITNESS_HASH);
    attack("DELETE FROM anchors");
    EXPECT_INT(VERIFY_INCOMPLETE, seal_verify(false));
    seal_end();
}

static void a_forger_with_the_stolen_key_is_found_by_the_witness(void)
{
    make();
    forge(seal_key);
    EXPECT_INT(VERIFY_INTACT, seal_verify(false));
    seal_verify(true);
    EXPECT_FOUND(WITNESS_HASH);
    EXPECT_INT(80, seal_said.witnessed_seq);
    seal_end();
}

static void a_witness_that_is_no_witness_proves_nothing(void)
{
    make();
    FILE *file = fopen(seal_path("witness.jsonl"), "w");
    fputs("half a li\n\n{\"moongate_anchor\":1,\"gateway\":\"gw-2\",\"seq\":9,\"time_us\":1,\"hash\":\"", file);
    for (int i = 0; i < 64; i++)
        fputc('0', file);
    fputs("\",\"signature\":\"", file);
    for (int i = 0; i < 128; i++)
        fputc('0', file);
    fputs("\"}\n", file);
    fclose(file);
    EXPECT_INT(VERIFY_INCOMPLETE, seal_verify(true));
    EXPECT(seal_found[VERIFY_NO_WITNESS_FOUND]);
    EXPECT_INT(1, seal_said.witness_others);
    EXPECT_INT(1, seal_said.witness_unread);
    seal_end();
}

static void what_is_searched_and_summed_is_compared_with_the_chain(void)
{
    static const char *const changes[] = {"UPDATE records SET cost_nano = 7 WHERE seq = 100",
                                          "UPDATE records SET user = 'eve' WHERE seq = 100",
                                          "DELETE FROM records WHERE seq = 100",
                                          "UPDATE records SET id = x'01' WHERE seq = 100",
                                          "UPDATE rollup SET requests = requests + 1",
                                          "DELETE FROM rollup"};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        make();
        attack(changes[i]);
        EXPECT_INT(VERIFY_INTACT, seal_verify(false));
        seal_verify_with((struct verify_options){.data_dir = seal_dir});
        EXPECT_FOUND(TABLES);
        seal_end();
    }
}

/* ---- What is no tampering. */

static void tend(uint64_t now_us)
{
    struct fault why;
    enum ledger_tended done;
    struct ledger_upkeep how = {.now_us = now_us, .retain_us = 1000000};
    seal_open();
    while ((done = ledger_tend(seal_ledger, &how, &why)) == LEDGER_MORE)
        continue;
    if (done != LEDGER_TENDED) UNIT_FAIL("tend: %s", why.text);
    seal_anchor(now_us, true);
    seal_close();
}

static void entries_may_be_deleted_for_their_age(void)
{
    make();
    tend(2000000 + 100); /* anchors of 40 and 80 are older than a second then */
    EXPECT_INT(VERIFY_INTACT, seal_verify(true));
    EXPECT_INT(80, seal_said.first_seq);
    EXPECT_INT(VERIFY_INTACT, seal_verify_with((struct verify_options){.data_dir = seal_dir}));
    attack("UPDATE chain SET body = x'7b7d' WHERE seq = 80"); /* the first that is left counts as the others */
    seal_verify(false);
    EXPECT_FOUND(HASH);
    seal_end();
    make();
    tend(2000000 + 100);
    attack("DELETE FROM chain WHERE seq = 80");
    seal_verify(true);
    EXPECT_FOUND(BEGINNING);
    seal_end();
}

static void what_looks_deleted_for_its_age_must_be_announced(void)
{
    make();
    attack("INSERT INTO meta VALUES('cut.seq', 79), ('cut.hash', (SELECT hash FROM chain WHERE seq = 79));"
           "DELETE FROM chain WHERE seq < 80; DELETE FROM anchors WHERE seq < 80");
    seal_verify(false);
    EXPECT_FOUND(BEGINNING);
    seal_end();
    make();
    tend(2000000 + 100);
    attack("UPDATE meta SET v = zeroblob(32) WHERE k = 'cut.hash'");
    seal_verify(false);
    EXPECT_FOUND(HASH);
    seal_end();
}

static void a_short_end_without_an_anchor_is_said_and_no_more(void)
{
    seal_begin();
    seal_make(100, 40);
    EXPECT_INT(VERIFY_INTACT, seal_verify(true));
    EXPECT_INT(80, seal_said.anchored_seq);
    EXPECT_INT(100, seal_said.last_seq);
    seal_end();
}

static void a_new_key_is_followed(void)
{
    struct fault why;
    struct buf body;
    seal_begin();
    seal_make(80, 40);
    EXPECT_INT(0, rename(seal_path(ANCHOR_PUBLIC_FILE), seal_path("old.pub")));
    EXPECT(anchor_key_make_next(seal_dir, &why));
    struct anchor_key *next = anchor_key_open_next(seal_dir, &why);
    buf_init(&body);
    anchor_succession_write(seal_key, anchor_key_public(next), SEAL_GATEWAY, SLICE("ann"), &body);
    seal_open();
    EXPECT(ledger_begin(seal_ledger, &why));
    seal_put(CHAIN_CHANGE, NULL, buf_slice(&body));
    EXPECT(ledger_commit(seal_ledger, &why));
    struct anchor_key *old = seal_key;
    seal_key = next;
    seal_anchor(2000000, true);
    seal_close();
    struct verify_options options = {.data_dir = seal_dir, .key_file = seal_path("old.pub"),
                                     .witness_file = seal_path("witness.jsonl"), .is_quick = true};
    EXPECT_INT(VERIFY_INTACT, seal_verify_with(options));
    EXPECT_INT(81, seal_said.anchored_seq);
    EXPECT_STR(anchor_key_public(next)->fingerprint, seal_said.key);
    /* Announced by nobody who is believed: what it signs is not either. */
    sqlite3 *db = seal_attack();
    seal_sql(db, "UPDATE chain SET body = CAST(replace(body, '\"signature\":\"', '\"signature\":\"0') AS BLOB) WHERE seq = 81");
    seal_rehash(db, 81);
    seal_resign(db, next);
    sqlite3_close(db);
    options.witness_file = NULL;
    seal_verify_with(options);
    EXPECT_FOUND(SUCCESSION);
    EXPECT_FOUND(ANCHOR_FORGED);
    anchor_key_free(old);
    buf_clear(&body);
    seal_end();
}

/* ---- An export is verified as the ledger is. */

static void export_to(const char *path, bool has_anchors)
{
    sqlite3 *db = seal_attack();
    sqlite3_stmt *q;
    FILE *file = fopen(path, "w");
    sqlite3_prepare_v2(db, "SELECT c.seq, c.kind, c.body, lower(hex(c.hash)), a.time_us, a.signature FROM chain c"
                           " LEFT JOIN anchors a USING(seq) ORDER BY seq", -1, &q, NULL);
    while (sqlite3_step(q) == SQLITE_ROW) {
        struct buf line;
        buf_init(&line);
        buf_printf(&line, "{\"seq\":%lld,\"kind\":\"%s\",\"hash\":\"%s\",\"body\":", (long long)sqlite3_column_int64(q, 0),
                   chain_kind_name(sqlite3_column_int(q, 1)), sqlite3_column_text(q, 3));
        buf_append_json(&line, slice_of(sqlite3_column_blob(q, 2), (size_t)sqlite3_column_bytes(q, 2)));
        buf_append(&line, SLICE("}\n"));
        if (has_anchors && sqlite3_column_type(q, 4) != SQLITE_NULL) {
            struct anchor a = {.gateway = SEAL_GATEWAY, .seq = (uint64_t)sqlite3_column_int64(q, 0),
                               .time_us = (uint64_t)sqlite3_column_int64(q, 4)};
            EXPECT(hex_read(slice_str((const char *)sqlite3_column_text(q, 3)), a.hash, sizeof a.hash));
            memcpy(a.signature, sqlite3_column_blob(q, 5), sizeof a.signature);
            anchor_write(&a, anchor_key_public(seal_key), &line);
            buf_append_char(&line, '\n');
        }
        fwrite(buf_ptr(&line), 1, buf_len(&line), file);
        buf_clear(&line);
    }
    sqlite3_finalize(q);
    sqlite3_close(db);
    fclose(file);
}

static void an_export_is_verified_too(void)
{
    make();
    struct verify_options options = {.file = seal_path("all.jsonl"), .key_file = seal_path(ANCHOR_PUBLIC_FILE)};
    export_to(seal_path("all.jsonl"), true);
    EXPECT_INT(VERIFY_INTACT, seal_verify_with(options));
    EXPECT_INT(ENTRIES, seal_said.anchored_seq);
    export_to(seal_path("all.jsonl"), false);
    EXPECT_INT(VERIFY_INCOMPLETE, seal_verify_with(options));
    options.witness_file = seal_path("witness.jsonl");
    EXPECT_INT(VERIFY_INTACT, seal_verify_with(options));
    EXPECT_INT(ENTRIES, seal_said.witnessed_seq);
    attack("DELETE FROM chain WHERE seq > 150; DELETE FROM anchors WHERE seq > 150");
    export_to(seal_path("all.jsonl"), true);
    seal_verify_with(options);
    EXPECT_FOUND(WITNESS_BEYOND);
    /* What is left after a deletion for age begins with no entry that says whose it is. */
    attack("DELETE FROM chain WHERE seq <= 80");
    options.witness_file = NULL;
    export_to(seal_path("all.jsonl"), true);
    seal_verify_with(options);
    EXPECT_FOUND(BEGINNING);
    seal_end();
}

int main(void)
{
    RUN(what_nobody_changed_is_intact);
    RUN(each_byte_of_each_entry_counts);
    RUN(each_bit_of_each_number_counts);
    RUN(a_row_that_was_deleted_is_missed);
    RUN(rows_that_changed_places_are_found);
    RUN(a_row_that_was_put_in_is_found);
    RUN(an_end_that_was_cut_off_is_missed);
    RUN(a_forger_without_the_key_is_found_by_the_anchors);
    RUN(a_forger_with_a_key_of_his_own_is_found_by_its_signature);
    RUN(a_forger_who_takes_the_anchors_away_leaves_nothing_signed);
    RUN(a_forger_with_the_stolen_key_is_found_by_the_witness);
    RUN(a_witness_that_is_no_witness_proves_nothing);
    RUN(what_is_searched_and_summed_is_compared_with_the_chain);
    RUN(entries_may_be_deleted_for_their_age);
    RUN(what_looks_deleted_for_its_age_must_be_announced);
    RUN(a_short_end_without_an_anchor_is_said_and_no_more);
    RUN(a_new_key_is_followed);
    RUN(an_export_is_verified_too);
    return unit_close("tamper");
}
