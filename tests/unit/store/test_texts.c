/* Sealed texts: who may read them, and that a destroyed key leaves nothing to read. */
#include "seal_kit.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/hex.h"
#include "store/erase.h"
#include "store/ledger/backup.h"
#include "store/texts/texts.h"

static struct texts *texts;

static void open_all(void)
{
    struct fault why;
    seal_open();
    texts = texts_open(seal_dir, &why);
    if (!texts) UNIT_FAIL("texts: %s", why.text);
}

static void close_all(void)
{
    texts_close(texts);
    seal_close();
}

/* A record that says of its prompt what flow/record.h does, and the prompt. */
static void put_with_prompt(unsigned n, const char *subject, const char *prompt)
{
    static const char salt[] = "0123456789abcdef";
    uint8_t id[16], hash[CHAIN_HASH_BYTES];
    char hex[65], salt_hex[33], body[512];
    struct fault why;
    struct text text = {.id = id, .part = TEXTS_PROMPT, .subject = slice_str(subject), .bytes = slice_str(prompt),
                        .time_us = 1000000 + n};
    seal_id(id, n);
    texts_hash(hash, slice_of(salt, 16), slice_str(prompt));
    hex_write(hash, sizeof hash, hex);
    hex_write((const uint8_t *)salt, 16, salt_hex);
    snprintf(body, sizeof body,
             "{\"time\":\"2026-11-29T10:00:00.000Z\",\"n\":%u,\"texts\":{\"prompt\":{\"sha256\":\"%s\",\"salt\":\"%s\","
             "\"subject\":\"%s\",\"bytes\":%zu}}}",
             n, hex, salt_hex, subject, strlen(prompt));
    seal_put(CHAIN_EXCHANGE, id, slice_str(body));
    if (!texts_seal(texts, &text, &why)) UNIT_FAIL("seal: %s", why.text);
}

static void begin(void)
{
    struct fault why;
    EXPECT(ledger_begin(seal_ledger, &why));
}

static void commit(void)
{
    struct fault why;
    if (!texts_flush(texts, seal_ledger, &why) || !ledger_commit(seal_ledger, &why)) UNIT_FAIL("commit: %s", why.text);
}

static void make(void)
{
    seal_begin();
    open_all();
    begin();
    seal_start();
    put_with_prompt(1, "ann", "the prompt of ann, which is secret");
    put_with_prompt(2, "bob", "the prompt of bob");
    put_with_prompt(3, "ann", "");
    commit();
    seal_anchor(1000000, true);
}

static enum texts_found read_prompt(unsigned n, struct buf *out)
{
    uint8_t id[16];
    struct fault why;
    seal_id(id, n);
    buf_init(out);
    return texts_read(texts, ledger_connection(seal_ledger), id, TEXTS_PROMPT, out, &why);
}

static void expect_erased(unsigned n)
{
    struct buf out;
    EXPECT_INT(TEXTS_ERASED, read_prompt(n, &out));
    EXPECT_INT(0, buf_len(&out));
    buf_clear(&out);
}

static void what_was_sealed_is_read_and_not_seen(void)
{
    struct stat st;
    make();
    struct buf out;
    EXPECT_INT(TEXTS_FOUND, read_prompt(1, &out));
    EXPECT_SLICE(SLICE("the prompt of ann, which is secret"), buf_slice(&out));
    buf_clear(&out);
    EXPECT_INT(TEXTS_FOUND, read_prompt(3, &out));
    EXPECT_SLICE(SLICE(""), buf_slice(&out));
    buf_clear(&out);
    EXPECT_INT(TEXTS_MISSING, read_prompt(9, &out));
    buf_clear(&out);
    EXPECT_INT(0, stat(seal_path(TEXTS_FILE), &st));
    EXPECT_INT(0600, st.st_mode & 0777);
    EXPECT_INT(0, stat(seal_path(TEXTS_FILE "-wal"), &st));
    EXPECT_INT(0600, st.st_mode & 0777);
    close_all();
    EXPECT_INT(VERIFY_INTACT, seal_verify_with((struct verify_options){.data_dir = seal_dir}));
    EXPECT_STR("", seal_first);
    EXPECT_INT(3, seal_said.texts);
    seal_end();
}

/* No text can be laid under another record, part or subject, nor changed. */
static void a_text_belongs_to_its_record(void)
{
    static const char *const changes[] = {
        "UPDATE texts SET subject = 'bob' WHERE id = (SELECT id FROM records WHERE seq = 2)",
        "UPDATE texts SET part = 'answer' WHERE id = (SELECT id FROM records WHERE seq = 2)",
        "UPDATE texts SET sealed = (SELECT t.sealed FROM texts t JOIN records r ON r.id = t.id WHERE r.seq = 4)"
        " WHERE id = (SELECT id FROM records WHERE seq = 2)",
        "UPDATE texts SET id = x'00' WHERE id = (SELECT id FROM records WHERE seq = 2)",
        "UPDATE texts SET sealed = x'01' WHERE id = (SELECT id FROM records WHERE seq = 2)"};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        make();
        close_all();
        sqlite3 *db = seal_attack();
        seal_sql(db, changes[i]);
        sqlite3_close(db);
        EXPECT_INT(VERIFY_TAMPERED, seal_verify_with((struct verify_options){.data_dir = seal_dir}));
        EXPECT(seal_found[VERIFY_TEXT_FOUND]);
        seal_end();
    }
}

/* Who has both files gives ann's key, and with it her text, to somebody else. */
static void a_text_stays_its_subjects_when_the_key_is_renamed(void)
{
    struct buf out;
    sqlite3 *keys;
    make();
    close_all();
    sqlite3 *db = seal_attack();
    seal_sql(db, "UPDATE texts SET subject = 'eve' WHERE subject = 'ann'");
    sqlite3_close(db);
    EXPECT_INT(SQLITE_OK, sqlite3_open(seal_path(TEXTS_FILE), &keys));
    seal_sql(keys, "UPDATE subjects SET subject = CAST('eve' AS BLOB) WHERE subject = CAST('ann' AS BLOB)");
    sqlite3_close(keys);
    open_all();
    EXPECT_INT(TEXTS_DAMAGED, read_prompt(1, &out));
    EXPECT_INT(0, buf_len(&out));
    buf_clear(&out);
    EXPECT_INT(TEXTS_FOUND, read_prompt(2, &out));
    buf_clear(&out);
    close_all();
    seal_end();
}

static void each_byte_of_a_sealed_text_counts(void)
{
    sqlite3_stmt *get, *set;
    make();
    close_all();
    sqlite3 *db = seal_attack();
    sqlite3_prepare_v2(db, "SELECT sealed, id FROM texts ORDER BY id LIMIT 1", -1, &get, NULL);
    sqlite3_prepare_v2(db, "UPDATE texts SET sealed = ? WHERE id = ?", -1, &set, NULL);
    sqlite3_step(get);
    size_t len = (size_t)sqlite3_column_bytes(get, 0);
    char *bytes = mem_strndup(sqlite3_column_blob(get, 0), len), *id = mem_strndup(sqlite3_column_blob(get, 1), 16);
    sqlite3_finalize(get);
    for (size_t i = 0; i < len; i++) {
        bytes[i] ^= 0x10;
        sqlite3_bind_blob(set, 1, bytes, (int)len, SQLITE_STATIC);
        sqlite3_bind_blob(set, 2, id, 16, SQLITE_STATIC);
        EXPECT(sqlite3_step(set) == SQLITE_DONE);
        sqlite3_reset(set);
        bytes[i] ^= 0x10;
        seal_verify_with((struct verify_options){.data_dir = seal_dir});
        /* Another key's name makes it one of an erased subject. */
        bool is_named = i >= 1 && i < 9;
        EXPECT_INT(is_named ? VERIFY_INTACT : VERIFY_TAMPERED, seal_said.state);
        EXPECT_INT(is_named, seal_said.texts_erased);
    }
    sqlite3_finalize(set);
    sqlite3_close(db);
    mem_free(bytes);
    mem_free(id);
    seal_end();
}

/* ---- Erasing. */

/* Whether any file of the folder holds these bytes. */
static bool folder_has(struct slice bytes, const char *but)
{
    bool is_found = false;
    DIR *dir = opendir(seal_dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct buf all;
        if (entry->d_name[0] == '.' || (but && strcmp(entry->d_name, but) == 0)) continue;
        EXPECT(read_file(seal_dir, entry->d_name, &all));
        if (buf_len(&all) && memmem(buf_ptr(&all), buf_len(&all), bytes.ptr, bytes.len)) is_found = true;
        buf_clear(&all);
    }
    closedir(dir);
    return is_found;
}

static void key_of(const char *subject, char key[32])
{
    sqlite3 *db;
    sqlite3_stmt *q;
    sqlite3_open_v2(seal_path(TEXTS_FILE), &db, SQLITE_OPEN_READONLY, NULL);
    sqlite3_prepare_v2(db, "SELECT key FROM subjects WHERE subject = CAST(? AS BLOB)", -1, &q, NULL);
    sqlite3_bind_text(q, 1, subject, -1, SQLITE_STATIC);
    EXPECT(sqlite3_step(q) == SQLITE_ROW && sqlite3_column_bytes(q, 0) == 32);
    memcpy(key, sqlite3_column_blob(q, 0), 32);
    sqlite3_finalize(q);
    sqlite3_close(db);
}

static void an_erased_text_is_nowhere(void)
{
    struct fault why;
    char key[32], other[32];
    struct ledger_backup about;
    struct change_by dpo = {.actor = SLICE("dpo"), .reason = SLICE("case \"4711\""), .via = SLICE("cli")};
    struct erasure e = {.subject = SLICE("ann"), .by = &dpo};
    make();
    begin(); /* many others, so that rows have moved and the log has grown */
    for (unsigned n = 100; n < 400; n++) {
        char subject[16];
        snprintf(subject, sizeof subject, "user-%u", n * 7919 % 1000);
        put_with_prompt(n, subject, "another prompt");
    }
    commit();
    EXPECT(ledger_backup(seal_dir, seal_path("backup.db"), &about, &why));
    key_of("ann", key);
    key_of("bob", other);
    EXPECT(folder_has(slice_of(key, sizeof key), NULL));
    EXPECT(!folder_has(SLICE("which is secret"), NULL));
    EXPECT(erase_subject(texts, seal_ledger, &e, &why));
    EXPECT(e.had_key);
    EXPECT(!folder_has(slice_of(key, sizeof key), NULL));
    EXPECT(folder_has(slice_of(other, sizeof other), NULL));
    expect_erased(1);
    struct buf out;
    EXPECT_INT(TEXTS_FOUND, read_prompt(2, &out));
    buf_clear(&out);
    /* Later texts of the same subject have a key of their own. */
    begin();
    put_with_prompt(4, "ann", "said later");
    commit();
    EXPECT_INT(TEXTS_FOUND, read_prompt(4, &out));
    EXPECT_SLICE(SLICE("said later"), buf_slice(&out));
    buf_clear(&out);
    expect_erased(1);
    seal_anchor(2000000, true);
    close_all();
    EXPECT(!folder_has(slice_of(key, sizeof key), NULL));
    EXPECT_INT(VERIFY_INTACT, seal_verify_with((struct verify_options){
                                  .data_dir = seal_dir, .witness_file = seal_path("witness.jsonl")}));
    EXPECT_STR("", seal_first);
    EXPECT_INT(2, seal_said.texts_erased);
    EXPECT_INT(302, seal_said.texts);
    EXPECT(folder_has(SLICE("\"actor\":\"dpo\",\"uid\":0,\"via\":\"cli\",\"action\":\"texts.erase\",\"target\":\"ann\","
                            "\"result\":\"ok\",\"reason\":\"case \\\"4711\\\"\"}"), NULL));
    /* The backup has what is sealed, and nothing to open it with. */
    EXPECT(rename(seal_path("backup.db"), seal_path("ledger.db")) == 0);
    unlink(seal_path("ledger.db-wal"));
    unlink(seal_path("ledger.db-shm"));
    open_all();
    expect_erased(1);
    close_all();
    seal_end();
}

/* Each key in turn, wherever in the file it stands. */
static void no_copy_of_any_key_stays(void)
{
    struct fault why;
    char key[32];
    seal_begin();
    open_all();
    begin();
    seal_start();
    for (unsigned n = 1; n < 500; n++) {
        char subject[16];
        snprintf(subject, sizeof subject, "s%u", n * 7919 % 1000);
        put_with_prompt(n, subject, "x");
        if (n % 50) continue;
        commit();
        begin();
    }
    commit();
    for (unsigned n = 1; n < 500; n += 3) {
        char subject[16];
        bool destroyed;
        snprintf(subject, sizeof subject, "s%u", n * 7919 % 1000);
        key_of(subject, key);
        EXPECT(texts_destroy_key(texts, slice_str(subject), &destroyed, &why));
        EXPECT(destroyed);
        EXPECT(!folder_has(slice_of(key, sizeof key), NULL));
    }
    close_all();
    seal_end();
}

static void erasing_nobody_is_said_and_asking_again_too(void)
{
    struct fault why;
    struct change_by dpo = {.actor = SLICE("dpo")};
    struct erasure e = {.subject = SLICE("nobody"), .by = &dpo};
    struct ledger_options options;
    make();
    EXPECT(erase_subject(texts, seal_ledger, &e, &why));
    EXPECT(!e.had_key);
    e.subject = SLICE("");
    EXPECT(!erase_subject(texts, seal_ledger, &e, &why));
    close_all();
    e = (struct erasure){.subject = SLICE("ann"), .by = &dpo};
    options = seal_options();
    EXPECT(erase_offline(&options, &e, &why));
    EXPECT(e.had_key);
    EXPECT(erase_offline(&options, &e, &why));
    EXPECT(!e.had_key);
    EXPECT_INT(VERIFY_INTACT, seal_verify_with((struct verify_options){.data_dir = seal_dir}));
    EXPECT_INT(7, seal_said.last_seq);
    seal_end();
}

/* Somebody reads the keys' file meanwhile: the log cannot be cut, and that is said. */
static void a_reader_that_holds_a_key_up_is_told_of(void)
{
    struct fault why = {0};
    sqlite3 *reader;
    sqlite3_stmt *q;
    bool destroyed;
    char key[32];
    make();
    key_of("ann", key);
    sqlite3_open_v2(seal_path(TEXTS_FILE), &reader, SQLITE_OPEN_READONLY, NULL);
    sqlite3_prepare_v2(reader, "SELECT * FROM subjects", -1, &q, NULL);
    EXPECT(sqlite3_step(q) == SQLITE_ROW);
    EXPECT(!texts_destroy_key(texts, SLICE("ann"), &destroyed, &why));
    EXPECT(destroyed);
    EXPECT(strstr(fault_message(&why), "try again") != NULL);
    sqlite3_finalize(q);
    sqlite3_close(reader);
    EXPECT(texts_destroy_key(texts, SLICE("ann"), &destroyed, &why));
    EXPECT(!folder_has(slice_of(key, sizeof key), NULL));
    close_all();
    seal_end();
}

/* ---- Failures on the way. */

static void a_batch_that_is_given_up_leaves_nothing(void)
{
    struct buf out;
    make();
    begin();
    put_with_prompt(5, "eve", "never committed");
    texts_drop(texts);
    ledger_rollback(seal_ledger);
    EXPECT_INT(TEXTS_MISSING, read_prompt(5, &out));
    buf_clear(&out);
    begin();
    put_with_prompt(5, "eve", "put again");
    commit();
    EXPECT_INT(TEXTS_FOUND, read_prompt(5, &out));
    EXPECT_SLICE(SLICE("put again"), buf_slice(&out));
    buf_clear(&out);
    close_all();
    seal_end();
}

/* Killed between the keys' commit and the ledger's: no text, a key that nobody uses; never the other way round. */
static void a_text_never_lacks_the_key_it_was_sealed_with(void)
{
    struct fault why;
    struct buf out;
    int status;
    make();
    close_all();
    pid_t pid = fork();
    if (pid == 0) {
        open_all();
        begin();
        put_with_prompt(6, "zoe", "half way");
        if (!texts_flush(texts, seal_ledger, &why)) _exit(1);
        raise(SIGKILL);
    }
    EXPECT(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    open_all();
    EXPECT_INT(TEXTS_MISSING, read_prompt(6, &out));
    buf_clear(&out);
    char key[32];
    key_of("zoe", key);
    begin();
    put_with_prompt(6, "zoe", "once more");
    commit();
    EXPECT_INT(TEXTS_FOUND, read_prompt(6, &out));
    buf_clear(&out);
    seal_anchor(3000000, true);
    close_all();
    EXPECT_INT(VERIFY_INTACT, seal_verify_with((struct verify_options){.data_dir = seal_dir}));
    seal_end();
}

static void a_file_that_is_not_there_is_made_only_by_who_writes(void)
{
    struct fault why = {.code = FAULT_INTERNAL};
    struct stat st;
    seal_begin();
    EXPECT(!texts_open_reader(seal_dir, &why));
    EXPECT_INT(FAULT_NONE, why.code);
    EXPECT(stat(seal_path(TEXTS_FILE), &st) != 0);
    EXPECT_INT(0, symlink("elsewhere", seal_path(TEXTS_FILE)));
    EXPECT(!texts_open(seal_dir, &why));
    seal_end();
}

/* Who can read it can read the texts. */
static void a_file_that_others_read_is_not_used(void)
{
    struct fault why;
    make();
    close_all();
    EXPECT_INT(0, chmod(seal_path(TEXTS_FILE), 0640));
    EXPECT(!texts_open(seal_dir, &why));
    EXPECT(strstr(fault_message(&why), "chmod 600") != NULL);
    EXPECT_INT(0, chmod(seal_path(TEXTS_FILE), 0600));
    texts = texts_open(seal_dir, &why);
    EXPECT(texts != NULL);
    texts_close(texts);
    unlink(seal_path(TEXTS_FILE));
    EXPECT_INT(0, mkfifo(seal_path(TEXTS_FILE), 0600));
    EXPECT(!texts_open(seal_dir, &why));
    EXPECT(!texts_open_reader(seal_dir, &why));
    seal_end();
}

/* Two rows of one number or name for SQLite are two: a page begins behind the last, whatever type it has. */
static void texts_of_a_table_that_a_forger_made_are_walked_once(void)
{
    make();
    close_all();
    sqlite3 *db = seal_attack();
    seal_sql(db, "ALTER TABLE texts RENAME TO old; DROP INDEX texts_time;"
                 "CREATE TABLE texts(id, part, subject, time_us, sealed, PRIMARY KEY(id, part)) WITHOUT ROWID;"
                 "INSERT INTO texts SELECT id, CAST(part AS BLOB), subject, time_us, sealed FROM old");
    sqlite3_close(db);
    EXPECT_INT(VERIFY_INTACT, seal_verify_with((struct verify_options){.data_dir = seal_dir}));
    EXPECT_INT(3, seal_said.texts);
    seal_end();
}

int main(void)
{
    RUN(what_was_sealed_is_read_and_not_seen);
    RUN(a_text_belongs_to_its_record);
    RUN(a_text_stays_its_subjects_when_the_key_is_renamed);
    RUN(each_byte_of_a_sealed_text_counts);
    RUN(an_erased_text_is_nowhere);
    RUN(no_copy_of_any_key_stays);
    RUN(erasing_nobody_is_said_and_asking_again_too);
    RUN(a_reader_that_holds_a_key_up_is_told_of);
    RUN(a_batch_that_is_given_up_leaves_nothing);
    RUN(a_text_never_lacks_the_key_it_was_sealed_with);
    RUN(a_file_that_is_not_there_is_made_only_by_who_writes);
    RUN(a_file_that_others_read_is_not_used);
    RUN(texts_of_a_table_that_a_forger_made_are_walked_once);
    return unit_close("texts");
}
