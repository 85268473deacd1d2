#include "store/ledger/objects.h"

#include <string.h>

#include "store/column.h"
#include "store/ledger/ledger_inner.h"
#include "wire/kept.h"

#define PAGE(behind, order)                                                                                            \
    "SELECT id, made_s FROM objects WHERE owner = ? AND kind = ? AND (seq, key) " behind " (?, ?)"                     \
    " AND until_s > ? ORDER BY seq " order ", key " order " LIMIT ?"

bool ledger_objects_install(struct ledger_objects *o, sqlite3 *db)
{
    const unsigned kept = SQLITE_PREPARE_PERSISTENT;
    o->db = db;
    return sqlite3_prepare_v3(db,
                              "INSERT INTO objects VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(key) DO UPDATE"
                              " SET kind = excluded.kind, account = excluded.account, until_s = excluded.until_s",
                              -1, kept, &o->put, NULL) == SQLITE_OK &&
           sqlite3_prepare_v3(db, "SELECT account, until_s, kind FROM objects WHERE key = ?", -1, kept, &o->get,
                              NULL) == SQLITE_OK &&
           sqlite3_prepare_v3(db, "DELETE FROM objects WHERE key = ?", -1, kept, &o->drop, NULL) == SQLITE_OK &&
           sqlite3_prepare_v3(db,
                              "DELETE FROM objects WHERE key IN"
                              " (SELECT key FROM objects WHERE until_s <= ? ORDER BY until_s LIMIT 4)",
                              -1, kept, &o->cut, NULL) == SQLITE_OK &&
           sqlite3_prepare_v3(db, "SELECT seq FROM objects WHERE key = ? AND kind = ?", -1, kept, &o->place,
                              NULL) == SQLITE_OK &&
           sqlite3_prepare_v3(db, PAGE("<", "DESC"), -1, kept, &o->newest, NULL) == SQLITE_OK &&
           sqlite3_prepare_v3(db, PAGE(">", "ASC"), -1, kept, &o->oldest, NULL) == SQLITE_OK;
}

void ledger_objects_clear(struct ledger_objects *o)
{
    sqlite3_finalize(o->put);
    sqlite3_finalize(o->get);
    sqlite3_finalize(o->drop);
    sqlite3_finalize(o->cut);
    sqlite3_finalize(o->place);
    sqlite3_finalize(o->newest);
    sqlite3_finalize(o->oldest);
}

static bool run(sqlite3_stmt *q)
{
    bool is_good = sqlite3_step(q) == SQLITE_DONE;
    sqlite3_reset(q);
    return is_good;
}

/* ---- What a record says. */

static struct slice text_of(struct ledger_reader *reader, uint32_t object, struct slice name)
{
    uint32_t node = json_get(&reader->tape, object, name);
    return json_is(&reader->tape, node, JSON_STRING) ? json_text(&reader->tape, node, &reader->arena) : SLICE_NONE;
}

static int64_t number_of(struct ledger_reader *reader, uint32_t object, struct slice name)
{
    uint32_t node = json_get(&reader->tape, object, name);
    int64_t value;
    return json_is(&reader->tape, node, JSON_NUMBER) && json_to_i64(&reader->tape, node, &value) ? value : 0;
}

static int kind_of(struct slice name)
{
    for (int kind = 0; kind < KEPT_KINDS; kind++)
        if (slice_equal(name, slice_str(kept_name((enum kept_kind)kind)))) return kind;
    return KEPT_KINDS;
}

static void bind_key(sqlite3_stmt *q, const struct owned_key *key)
{
    sqlite3_bind_blob(q, 1, key->bytes, sizeof key->bytes, SQLITE_TRANSIENT);
}

static void bind_text(sqlite3_stmt *q, int at, struct slice text)
{
    sqlite3_bind_text(q, at, text.len ? text.ptr : "", (int)text.len, SQLITE_TRANSIENT);
}

static bool note_made(struct ledger_objects *o, struct ledger_reader *reader, struct slice owner, uint32_t made,
                      uint64_t seq, int64_t time_us)
{
    struct owned_key key;
    struct slice id = text_of(reader, made, SLICE("id")), account = text_of(reader, made, SLICE("account"));
    int kind = kind_of(text_of(reader, made, SLICE("kind")));
    if (!id.len || !account.len || kind == KEPT_KINDS) return true;
    owned_key(&key, owner, id);
    bind_key(o->put, &key);
    bind_text(o->put, 2, owner);
    bind_text(o->put, 3, id);
    sqlite3_bind_int(o->put, 4, kind);
    bind_text(o->put, 5, account);
    sqlite3_bind_int64(o->put, 6, number_of(reader, made, SLICE("until")));
    sqlite3_bind_int64(o->put, 7, (sqlite3_int64)seq);
    sqlite3_bind_int64(o->put, 8, time_us / 1000000);
    return run(o->put);
}

static bool note_gone(struct ledger_objects *o, struct ledger_reader *reader, struct slice owner, uint32_t gone)
{
    struct owned_key key;
    if (!json_is(&reader->tape, gone, JSON_STRING)) return true;
    owned_key(&key, owner, json_text(&reader->tape, gone, &reader->arena));
    bind_key(o->drop, &key);
    return run(o->drop);
}

static uint32_t first_of(const struct json_tape *tape, uint32_t object, struct slice name)
{
    uint32_t list = json_get(tape, object, name);
    return json_is(tape, list, JSON_ARRAY) ? json_first(tape, list) : JSON_NONE;
}

bool ledger_objects_note(struct ledger_objects *o, struct ledger_reader *reader, uint32_t node, uint64_t seq,
                         int64_t time_us)
{
    const struct json_tape *tape = &reader->tape;
    if (!json_is(tape, node, JSON_OBJECT)) return true;
    struct slice owner = text_of(reader, node, SLICE("owner"));
    for (uint32_t n = first_of(tape, node, SLICE("made")); n != JSON_NONE; n = json_next(tape, n)) {
        if (!note_made(o, reader, owner, n, seq, time_us)) return false;
    }
    for (uint32_t n = first_of(tape, node, SLICE("gone")); n != JSON_NONE; n = json_next(tape, n)) {
        if (!note_gone(o, reader, owner, n)) return false;
    }
    sqlite3_bind_int64(o->cut, 1, time_us / 1000000);
    return run(o->cut);
}

/* ---- What is asked. */

enum ledger_found ledger_find_object(struct ledger *l, const struct owned_key *key, uint64_t now_s,
                                     struct owned *owned)
{
    sqlite3_stmt *q = l->objects.get;
    bind_key(q, key);
    int rc = sqlite3_step(q);
    enum ledger_found found = rc == SQLITE_DONE ? LEDGER_OBJECT_UNKNOWN : LEDGER_OBJECT_UNREAD;
    sqlite3_int64 until = rc == SQLITE_ROW ? sqlite3_column_int64(q, 1) : 0;
    if (rc == SQLITE_ROW && (uint64_t)until <= now_s) found = LEDGER_OBJECT_UNKNOWN;
    if (rc == SQLITE_ROW && (uint64_t)until > now_s) {
        owned->account = owned_account(column_bytes(q, 0));
        owned->until_s = until < UINT32_MAX ? (uint32_t)until : UINT32_MAX;
        owned->kind = (uint32_t)sqlite3_column_int(q, 2);
        found = LEDGER_OBJECT_FOUND;
    }
    sqlite3_reset(q);
    return found;
}

/* Where the page begins: behind that row, or with the first. */
static enum ledger_found bind_begin(struct ledger_objects *o, const struct ledger_page *page, sqlite3_stmt *q)
{
    sqlite3_bind_int64(q, 3, page->is_ascending ? -1 : INT64_MAX);
    sqlite3_bind_blob(q, 4, "", 0, SQLITE_STATIC);
    if (!page->after) return LEDGER_OBJECT_FOUND;
    bind_key(o->place, page->after);
    sqlite3_bind_int(o->place, 2, page->kind);
    int rc = sqlite3_step(o->place);
    if (rc == SQLITE_ROW) {
        sqlite3_bind_int64(q, 3, sqlite3_column_int64(o->place, 0));
        sqlite3_bind_blob(q, 4, page->after->bytes, sizeof page->after->bytes, SQLITE_TRANSIENT);
    }
    sqlite3_reset(o->place);
    if (rc == SQLITE_ROW) return LEDGER_OBJECT_FOUND;
    return rc == SQLITE_DONE ? LEDGER_OBJECT_UNKNOWN : LEDGER_OBJECT_UNREAD;
}

enum ledger_found ledger_list_objects(struct ledger *l, const struct ledger_page *page, uint64_t now_s,
                                      ledger_object_fn fn, void *arg)
{
    sqlite3_stmt *q = page->is_ascending ? l->objects.oldest : l->objects.newest;
    int rc;
    bind_text(q, 1, page->owner);
    sqlite3_bind_int(q, 2, page->kind);
    sqlite3_bind_int64(q, 5, (sqlite3_int64)now_s);
    sqlite3_bind_int64(q, 6, (sqlite3_int64)page->limit + 1);
    enum ledger_found found = bind_begin(&l->objects, page, q);
    if (found != LEDGER_OBJECT_FOUND) return found;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        fn(arg, column_bytes(q, 0), sqlite3_column_int64(q, 1));
    sqlite3_reset(q);
    return rc == SQLITE_DONE ? LEDGER_OBJECT_FOUND : LEDGER_OBJECT_UNREAD;
}
