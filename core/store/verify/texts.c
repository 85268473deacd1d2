#include <sqlite3.h>
#include <string.h>

#include "base/hex.h"
#include "store/column.h"
#include "store/ledger/link.h"
#include "store/texts/texts.h"
#include "store/verify/verify_inner.h"
#include "wire/json.h"

/* The next ones with their records, where there are any: those may have gone for their age before. */
static const char next_text[] =
    "SELECT t.id, t.part, t.subject, t.sealed, c.seq, c.body, (SELECT min(seq) FROM chain) FROM texts t"
    " LEFT JOIN records r ON r.id = t.id LEFT JOIN chain c ON c.seq = r.seq"
    " WHERE (t.id, t.part) > (?1, ?2) ORDER BY t.id, t.part LIMIT 200";

struct row {
    struct text text; /* its bytes are sealed */
    uint64_t seq;
    struct slice body;
};

/* What the record says of it. */
struct claim {
    uint8_t hash[CHAIN_HASH_BYTES];
    struct slice subject;
    struct buf salt; /* bytes */
};

static bool read_claim(const struct json_tape *tape, struct slice part, struct claim *claim, struct arena *arena)
{
    uint32_t all = json_get(tape, json_get(tape, 0, SLICE("texts")), part);
    uint32_t salt = json_get(tape, all, SLICE("salt")), subject = json_get(tape, all, SLICE("subject"));
    if (!json_is(tape, salt, JSON_STRING) || !json_is(tape, subject, JSON_STRING)) return false;
    struct slice hex = json_text(tape, salt, arena);
    if (hex.len % 2 || !hex_read(hex, (uint8_t *)buf_reserve(&claim->salt, hex.len / 2 + 1), hex.len / 2)) return false;
    buf_grew(&claim->salt, hex.len / 2);
    claim->subject = json_text(tape, subject, arena);
    return json_to_bytes(tape, json_get(tape, all, SLICE("sha256")), claim->hash, sizeof claim->hash);
}

static void say(struct verify *v, const struct row *row, const char *what)
{
    verify_say(v, VERIFY_TEXT_FOUND, row->seq, "the %.*s of entry %llu %s", SLICE_FMT(row->text.part),
               (unsigned long long)row->seq, what);
}

static bool open_text(struct verify *v, struct texts *texts, const struct row *row, const struct claim *claim,
                      struct fault *why)
{
    struct buf out;
    uint8_t hash[CHAIN_HASH_BYTES];
    buf_init(&out);
    enum texts_found found = texts ? texts_unseal(texts, &row->text, &out, why) : TEXTS_MISSING;
    if (found == TEXTS_FOUND) texts_hash(hash, buf_slice(&claim->salt), buf_slice(&out));
    if (found == TEXTS_MISSING)
        v->result->texts_closed++;
    else if (found == TEXTS_ERASED)
        v->result->texts_erased++;
    else if (found == TEXTS_DAMAGED)
        say(v, row, "is not what was sealed");
    else if (found == TEXTS_FOUND && memcmp(hash, claim->hash, sizeof hash) != 0)
        say(v, row, "has another hash than its record says");
    else if (found == TEXTS_FOUND)
        v->result->texts++;
    buf_clear(&out);
    return found != TEXTS_FAILED;
}

static bool take_row(struct verify *v, struct texts *texts, const struct row *row, struct fault *why)
{
    struct json_tape tape;
    struct arena arena;
    struct fault reason;
    struct claim claim = {.subject = SLICE_NONE};
    bool is_good = true;
    json_init(&tape);
    arena_init(&arena);
    buf_init(&claim.salt);
    if (!json_parse(&tape, row->body, &reason) || !read_claim(&tape, row->text.part, &claim, &arena))
        say(v, row, "is kept, and its record knows of none");
    else if (!slice_equal(claim.subject, row->text.subject))
        say(v, row, "is kept as somebody else's");
    else
        is_good = open_text(v, texts, row, &claim, why);
    buf_clear(&claim.salt);
    arena_clear(&arena);
    json_clear(&tape);
    return is_good;
}

static bool fail(sqlite3_stmt *q, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "the sealed texts cannot be read: %s", sqlite3_errmsg(sqlite3_db_handle(q)));
}

/* The next page begins behind it. */
struct place {
    sqlite3_value *id, *part;
};

static void move_to(struct place *at, sqlite3_stmt *q)
{
    sqlite3_value_free(at->id);
    sqlite3_value_free(at->part);
    *at = q ? (struct place){sqlite3_value_dup(sqlite3_column_value(q, 0)),
                             sqlite3_value_dup(sqlite3_column_value(q, 1))}
            : (struct place){NULL, NULL};
}

static bool look_at(struct verify *v, struct texts *texts, sqlite3_stmt *q, struct fault *why)
{
    struct slice id = column_bytes(q, 0);
    struct row row = {.text = {.id = (const uint8_t *)id.ptr, .part = column_bytes(q, 1),
                               .subject = column_bytes(q, 2), .bytes = column_bytes(q, 3)},
                      .seq = (uint64_t)sqlite3_column_int64(q, 4), .body = column_bytes(q, 5)};
    bool has_record = sqlite3_column_type(q, 4) != SQLITE_NULL && id.len == LINK_ID_BYTES;
    if (has_record) return take_row(v, texts, &row, why);
    if (sqlite3_column_int64(q, 6) == 1) say(v, &row, "is kept, and there is no such record");
    return true;
}

static bool take_page(struct verify *v, struct texts *texts, sqlite3_stmt *q, struct place *at, bool *is_over,
                      struct fault *why)
{
    int rc = SQLITE_DONE;
    bool is_good = true;
    if (at->id) sqlite3_bind_value(q, 1, at->id);
    if (at->part) sqlite3_bind_value(q, 2, at->part);
    *is_over = true;
    while (is_good && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        *is_over = false;
        move_to(at, q);
        is_good = look_at(v, texts, q, why);
    }
    if (is_good && rc != SQLITE_DONE) is_good = fail(q, why);
    sqlite3_reset(q);
    return is_good;
}

static bool take_all(struct verify *v, struct texts *texts, sqlite3 *db, struct fault *why)
{
    struct place at = {NULL, NULL};
    sqlite3_stmt *q;
    bool is_over = false, is_good = true;
    if (sqlite3_prepare_v2(db, next_text, -1, &q, NULL) != SQLITE_OK)
        return fault_set(why, FAULT_INTERNAL, "texts: %s", sqlite3_errmsg(db));
    sqlite3_bind_zeroblob(q, 1, 0);
    sqlite3_bind_text(q, 2, "", 0, SQLITE_STATIC);
    while (is_good && !is_over)
        is_good = take_page(v, texts, q, &at, &is_over, why);
    move_to(&at, NULL);
    sqlite3_finalize(q);
    return is_good;
}

bool verify_texts(struct verify *v, struct sqlite3 *db, struct fault *why)
{
    struct texts *texts = v->options->data_dir ? texts_open_reader(v->options->data_dir, why) : NULL;
    if (!texts && v->options->data_dir && why->code != FAULT_NONE) return false;
    bool is_good = take_all(v, texts, db, why);
    texts_close(texts);
    return is_good;
}
