/* What is no tampering though it looks odd, and files that a forger made for who verifies them. */
#include "seal_kit.h"

#include <sys/stat.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "store/ledger/keep.h"
#include "store/verify/verify.h"

/* What it had not signed when it was killed is signed at its next start, an hour later. */
static void who_was_killed_and_comes_back_late_is_intact(void)
{
    struct fault why;
    seal_begin();
    seal_open();
    EXPECT(ledger_begin(seal_ledger, &why));
    seal_start();
    EXPECT(ledger_commit(seal_ledger, &why));
    seal_anchor(1000000, true);
    EXPECT(ledger_begin(seal_ledger, &why));
    seal_exchange(2);
    seal_exchange(3);
    seal_put(CHAIN_START, NULL, SLICE("{\"gateway\":\"gw-1\",\"time\":\"2026-11-29T11:00:00.000Z\"}"));
    EXPECT(ledger_commit(seal_ledger, &why));
    seal_anchor(2000000, true);
    seal_close();
    EXPECT_INT(VERIFY_INTACT, seal_verify(true));
    EXPECT_STR("", seal_first);
    seal_end();
}

/* ---- Entries that go for their age while they are read. */

#define MANY 90000u

static struct ledger *writer;
static unsigned cuts;

static void cut_all_that_is_old(void *arg, uint64_t done, uint64_t of)
{
    struct fault why;
    struct ledger_upkeep how = {.now_us = 10000000000, .retain_us = 1000000, .keep_from = 86000};
    (void)arg;
    (void)done;
    (void)of;
    if (cuts++) return;
    while (ledger_tend(writer, &how, &why) == LEDGER_MORE)
        continue;
}

/* The walk has come to entry 65536 when all before entry 85000 goes: its page ends with 80000. */
static void what_goes_for_its_age_meanwhile_is_not_missed(void)
{
    struct fault why;
    seal_begin();
    seal_make(MANY, 5000);
    struct ledger_options options = seal_options();
    writer = ledger_open(&options, &why);
    EXPECT(writer != NULL);
    EXPECT_INT(VERIFY_INTACT, seal_verify_with((struct verify_options){
                                  .data_dir = seal_dir, .witness_file = seal_path("witness.jsonl"), .is_quick = true,
                                  .on_progress = cut_all_that_is_old}));
    EXPECT_STR("", seal_first);
    EXPECT_INT(1, cuts);
    EXPECT_INT(85000, seal_said.first_seq);
    ledger_close(writer);
    seal_end();
}

/* ---- Keys. */

/* Who has the first key only follows each new one, however many there were. */
static void a_key_is_followed_through_more_of_them_than_are_believed_at_once(void)
{
    struct fault why;
    struct buf body;
    seal_begin();
    EXPECT_INT(0, link(seal_path(ANCHOR_PUBLIC_FILE), seal_path("first.pub")));
    seal_open();
    EXPECT(ledger_begin(seal_ledger, &why));
    seal_start();
    EXPECT(ledger_commit(seal_ledger, &why));
    for (unsigned i = 0; i < LIMIT_ANCHOR_KEYS + 3; i++) {
        seal_anchor(1000000 + i, true);
        buf_init(&body);
        EXPECT(anchor_key_make_next(seal_dir, &why));
        struct anchor_key *next = anchor_key_open_next(seal_dir, &why);
        anchor_succession_write(seal_key, anchor_key_public(next), SEAL_GATEWAY, SLICE("ann"), &body);
        EXPECT(ledger_begin(seal_ledger, &why));
        seal_put(CHAIN_CHANGE, NULL, buf_slice(&body));
        EXPECT(ledger_commit(seal_ledger, &why));
        EXPECT(anchor_key_take_next(seal_dir, &why));
        anchor_key_free(next);
        anchor_key_free(seal_key);
        seal_key = anchor_key_open(seal_dir, &why);
        buf_clear(&body);
    }
    seal_anchor(2000000, true);
    seal_close();
    struct verify_options o = {.data_dir = seal_dir, .key_file = seal_path("first.pub"), .is_quick = true,
                               .witness_file = seal_path("witness.jsonl")};
    EXPECT_INT(VERIFY_INTACT, seal_verify_with(o));
    EXPECT_STR("", seal_first);
    EXPECT_INT(LIMIT_ANCHOR_KEYS + 4, seal_said.anchors);
    seal_end();
}

/* ---- Exports. */

static void write_text(const char *name, const char *mode, struct slice text)
{
    FILE *file = fopen(seal_path(name), mode);
    fwrite(text.ptr, 1, text.len, file);
    fclose(file);
}

static void append_entry(struct buf *out, uint64_t seq, uint8_t hash[CHAIN_HASH_BYTES], enum chain_kind kind,
                         const char *body, const char *more)
{
    char hex[2 * CHAIN_HASH_BYTES + 1];
    chain_hash(hash, hash, seq, kind, slice_str(body));
    hex_write(hash, CHAIN_HASH_BYTES, hex);
    buf_printf(out, "{\"seq\":%u,\"kind\":\"%s\",\"hash\":\"%s\",\"body\":", (unsigned)seq, chain_kind_name(kind), hex);
    buf_append_json(out, slice_str(body));
    buf_printf(out, "%s}\n", more);
}

static void append_anchor(struct buf *out, const struct anchor_key *key, struct slice gateway, uint64_t seq,
                          const uint8_t hash[CHAIN_HASH_BYTES])
{
    struct anchor a = {.gateway = gateway, .seq = seq, .time_us = 1000000 + seq};
    memcpy(a.hash, hash, sizeof a.hash);
    anchor_sign(key, &a);
    anchor_write(&a, anchor_key_public(key), out);
    buf_append_char(out, '\n');
}

static bool verify_export_file(const char *name, const char *keys, const char *witness, struct fault *why)
{
    struct verify_options o = {.file = seal_path(name), .key_file = seal_path(keys), .on_finding = seal_on_finding,
                               .witness_file = witness ? seal_path(witness) : NULL};
    memset(seal_found, 0, sizeof seal_found);
    seal_first[0] = '\0';
    return verify_ledger(&o, &seal_said, why);
}

/* `jq` takes the last of two members: what was verified must be what is read. */
static void a_line_that_reads_in_two_ways_is_no_entry(void)
{
    static const char *const more[] = {",\"body\":\"{}\"", ",\"b\\u006fdy\":\"{}\"", ",\"kind\":\"stop\"", ",\"user\":\"eve\""};
    struct fault why;
    struct buf line;
    seal_begin();
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        uint8_t hash[CHAIN_HASH_BYTES];
        buf_init(&line);
        chain_genesis(hash, SEAL_GATEWAY, SLICE(""));
        append_entry(&line, 1, hash, CHAIN_START, "{\"gateway\":\"gw-1\"}", "");
        append_entry(&line, 2, hash, CHAIN_STOP, "{}", more[i]);
        append_anchor(&line, seal_key, SEAL_GATEWAY, 2, hash);
        write_text("two.jsonl", "w", buf_slice(&line));
        EXPECT(!verify_export_file("two.jsonl", ANCHOR_PUBLIC_FILE, NULL, &why));
        EXPECT(strstr(fault_message(&why), "line 2 is no entry") != NULL);
        buf_clear(&line);
    }
    seal_end();
}

/* An auditor of a fleet has the keys of all, and one witness for all; the beginning of the chain went for its age. */
static void a_gateway_among_others_is_told_from_them(void)
{
    struct fault why;
    struct buf all, keys, seen, bytes;
    uint8_t hash[CHAIN_HASH_BYTES];
    char hex[2 * CHAIN_HASH_BYTES + 1], other_dir[] = "/tmp/moongate-other-XXXXXX", command[96];
    seal_begin();
    struct anchor_key *other = anchor_key_open(mkdtemp(other_dir), &why);
    buf_init(&all);
    buf_init(&keys);
    buf_init(&seen);
    memset(hash, 5, sizeof hash);
    hex_write(hash, sizeof hash, hex);
    append_anchor(&seen, other, SLICE("gw-2"), 10, hash); /* first in the witness's file, and of the same number */
    buf_printf(&all, "{\"seq\":9,\"hash\":\"%s\"}\n", hex);
    append_entry(&all, 10, hash, CHAIN_CHANGE, "{\"action\":\"" LEDGER_CUT_ACTION "\",\"before\":10}", "");
    append_anchor(&all, seal_key, SEAL_GATEWAY, 10, hash);
    append_anchor(&seen, seal_key, SEAL_GATEWAY, 10, hash);
    EXPECT(read_file(seal_dir, ANCHOR_PUBLIC_FILE, &bytes));
    buf_append(&keys, buf_slice(&bytes));
    buf_clear(&bytes);
    EXPECT(read_file(other_dir, ANCHOR_PUBLIC_FILE, &bytes));
    buf_append(&keys, buf_slice(&bytes));
    buf_clear(&bytes);
    write_text("fleet.pub", "w", buf_slice(&keys));
    write_text("seen.jsonl", "w", buf_slice(&seen));
    write_text("rest.jsonl", "w", buf_slice(&all));
    EXPECT(verify_export_file("rest.jsonl", "fleet.pub", "seen.jsonl", &why));
    EXPECT_STR("", seal_first);
    EXPECT_INT(VERIFY_INTACT, seal_said.state);
    EXPECT_STR("gw-1", seal_said.gateway);
    EXPECT_INT(10, seal_said.witnessed_seq);
    EXPECT_INT(1, seal_said.witness_others);
    /* What another of them signed covers nothing here. */
    append_entry(&all, 11, hash, CHAIN_STOP, "{}", "");
    append_anchor(&all, other, SLICE("gw-2"), 11, hash);
    write_text("rest.jsonl", "w", buf_slice(&all));
    EXPECT(verify_export_file("rest.jsonl", "fleet.pub", NULL, &why));
    EXPECT(seal_found[VERIFY_GENESIS_FOUND]);
    EXPECT_INT(10, seal_said.anchored_seq);
    buf_clear(&all);
    buf_clear(&keys);
    buf_clear(&seen);
    anchor_key_free(other);
    snprintf(command, sizeof command, "rm -r %s", other_dir);
    EXPECT_INT(0, system(command));
    seal_end();
}

/* ---- Files that nobody but a forger makes. */

static void attack(const char *sql)
{
    sqlite3 *db = seal_attack();
    seal_sql(db, sql);
    sqlite3_close(db);
}

/* What a forger names something may not draw the result that a terminal shows, nor break the JSON of it. */
static void a_finding_is_one_line_that_nothing_obeys(void)
{
    seal_begin();
    seal_make(10, 5);
    attack("UPDATE meta SET v = CAST(x'ff1b5b324a0a6f6b2020343020656e7472696573' AS TEXT) WHERE k = 'gateway'");
    EXPECT_INT(VERIFY_TAMPERED, seal_verify(false));
    EXPECT(utf8_is_valid(slice_str(seal_first)));
    EXPECT(!strpbrk(seal_first, "\n\033"));
    EXPECT(utf8_is_valid(slice_str(seal_said.gateway)));
    EXPECT(!strpbrk(seal_said.gateway, "\n\033"));
    seal_end();
}

static void what_only_looks_like_the_chain_is_not_walked(void)
{
    static const char *const chains[] = {
        "CREATE VIEW chain AS WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n)"
        " SELECT seq, 2 AS kind, x'7b7d' AS body, zeroblob(32) AS hash FROM n",
        "CREATE TABLE chain(seq, kind, body, hash); INSERT INTO chain SELECT 'x', 2, x'7b7d', zeroblob(32) FROM"
        " (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT i FROM n)"};
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        struct fault why;
        struct verify_options o = {.data_dir = seal_dir, .is_quick = true};
        seal_begin();
        seal_make(10, 5);
        attack("ALTER TABLE chain RENAME TO elsewhere");
        attack(chains[i]);
        EXPECT(!verify_ledger(&o, &seal_said, &why));
        EXPECT(strstr(fault_message(&why), "ledger.db") != NULL);
        seal_end();
    }
}

static void what_is_no_file_is_not_waited_for(void)
{
    struct fault why;
    seal_begin();
    seal_make(10, 5);
    EXPECT_INT(0, mkfifo(seal_path("pipe"), 0600));
    const struct verify_options all[] = {
        {.file = seal_path("pipe"), .key_file = seal_path(ANCHOR_PUBLIC_FILE)},
        {.data_dir = seal_dir, .file = seal_path("pipe")},
        {.data_dir = seal_dir, .key_file = seal_path("pipe")},
        {.data_dir = seal_dir, .witness_file = seal_path("pipe")},
        {.data_dir = seal_dir, .file = seal_dir}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        EXPECT(!verify_ledger(&all[i], &seal_said, &why));
        EXPECT(strstr(fault_message(&why), i < 4 ? "is a pipe" : "is a folder") != NULL);
    }
    seal_end();
}

/* No anchor stands behind it yet, and its hash is right. */
static void a_start_of_another_gateway_is_none_of_this_chain(void)
{
    struct fault why;
    seal_begin();
    seal_make(3, 3);
    seal_open();
    EXPECT(ledger_begin(seal_ledger, &why));
    seal_put(CHAIN_START, NULL, SLICE("{\"gateway\":\"gw-2\",\"time\":\"2026-11-29T11:00:00.000Z\"}"));
    EXPECT(ledger_commit(seal_ledger, &why));
    seal_close();
    EXPECT_INT(VERIFY_TAMPERED, seal_verify(true));
    EXPECT_STR("genesis: the entry names gateway 'gw-2', the ledger 'gw-1'", seal_first);
    seal_end();
}

int main(void)
{
    RUN(who_was_killed_and_comes_back_late_is_intact);
    RUN(a_start_of_another_gateway_is_none_of_this_chain);
    RUN(what_goes_for_its_age_meanwhile_is_not_missed);
    RUN(a_key_is_followed_through_more_of_them_than_are_believed_at_once);
    RUN(a_line_that_reads_in_two_ways_is_no_entry);
    RUN(a_gateway_among_others_is_told_from_them);
    RUN(a_finding_is_one_line_that_nothing_obeys);
    RUN(what_only_looks_like_the_chain_is_not_walked);
    RUN(what_is_no_file_is_not_waited_for);
    return unit_close("verify");
}
