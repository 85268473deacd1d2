#include "store/column.h"
#include "store/texts/texts.h"

#include <openssl/evp.h>
#include <sqlite3.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/column.h"
#include "store/ledger/ledger.h"
#include "store/ledger/link.h"
#include "store/texts/texts_inner.h"

/* One that waits for its batch's end. */
struct sealed {
    uint8_t id[LINK_ID_BYTES];
    uint64_t time_us;
    char *part, *subject;
    size_t part_bytes, subject_bytes;
    struct buf bytes;
};

struct texts {
    struct text_keys *keys;
    struct sealed *all;
    size_t count, cap;
};

static struct texts *open_texts(const char *data_dir, bool is_reader, struct fault *why)
{
    struct text_keys *keys = text_keys_open(data_dir, is_reader, why);
    if (!keys) return NULL;
    struct texts *t = mem_zalloc(1, sizeof *t);
    t->keys = keys;
    return t;
}

struct texts *texts_open(const char *data_dir, struct fault *why)
{
    return open_texts(data_dir, false, why);
}

struct texts *texts_open_reader(const char *data_dir, struct fault *why)
{
    return open_texts(data_dir, true, why);
}

void texts_close(struct texts *t)
{
    if (!t) return;
    texts_drop(t);
    text_keys_close(t->keys);
    mem_free(t->all);
    mem_free(t);
}

/* ---- Sealing. */

static struct sealed *add(struct texts *t, const struct text *text)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 16;
        t->all = mem_realloc(t->all, t->cap * sizeof *t->all);
    }
    struct sealed *s = &t->all[t->count++];
    *s = (struct sealed){.time_us = text->time_us, .part_bytes = text->part.len, .subject_bytes = text->subject.len};
    memcpy(s->id, text->id, sizeof s->id);
    s->part = mem_strndup(text->part.ptr, text->part.len);
    s->subject = mem_strndup(text->subject.ptr ? text->subject.ptr : "", text->subject.len);
    buf_init(&s->bytes);
    return s;
}

static void drop_sealed(struct texts *t)
{
    while (t->count) {
        struct sealed *s = &t->all[--t->count];
        mem_free(s->part);
        mem_free(s->subject);
        buf_clear(&s->bytes);
    }
}

static bool check_text(const struct text *text, struct fault *why)
{
    if (text->subject.len > LIMIT_TEXT_SUBJECT_BYTES)
        return fault_set(why, FAULT_INTERNAL, "a text's subject is longer than %u bytes", LIMIT_TEXT_SUBJECT_BYTES);
    return text->bytes.len <= LIMIT_TEXT_BYTES ||
           fault_set(why, FAULT_INTERNAL, "a text to be sealed is larger than %u bytes", LIMIT_TEXT_BYTES);
}

bool texts_seal(struct texts *t, const struct text *text, struct fault *why)
{
    struct text_key key;
    check(slice_equal(text->part, TEXTS_PROMPT) || slice_equal(text->part, TEXTS_ANSWER));
    if (!check_text(text, why)) return false;
    enum texts_found found = text_keys_find(t->keys, text->subject, &key, why);
    if (found == TEXTS_FAILED) return false;
    if (found == TEXTS_MISSING && !text_keys_make(t->keys, text->subject, &key, why)) return false;
    bool is_good = text_seal(&key, text, &add(t, text)->bytes) ||
                   fault_set(why, FAULT_INTERNAL, "the system gives no random bytes");
    explicit_bzero(&key, sizeof key);
    return is_good;
}

/* ---- Into the ledger. */

static bool insert(sqlite3_stmt *q, const struct sealed *s)
{
    sqlite3_bind_blob(q, 1, s->id, sizeof s->id, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, s->part, (int)s->part_bytes, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, s->subject, (int)s->subject_bytes, SQLITE_STATIC);
    sqlite3_bind_int64(q, 4, (sqlite3_int64)s->time_us);
    sqlite3_bind_blob(q, 5, buf_ptr(&s->bytes), (int)buf_len(&s->bytes), SQLITE_STATIC);
    bool is_good = sqlite3_step(q) == SQLITE_DONE;
    sqlite3_reset(q);
    return is_good;
}

static bool insert_all(struct texts *t, sqlite3 *db, struct fault *why)
{
    sqlite3_stmt *q = NULL;
    const char *sql = "INSERT OR IGNORE INTO texts(id, part, subject, time_us, sealed) VALUES(?, ?, ?, ?, ?)";
    bool is_good = sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK;
    for (size_t i = 0; is_good && i < t->count; i++)
        is_good = insert(q, &t->all[i]);
    if (!is_good) fault_set(why, FAULT_INTERNAL, "a sealed text could not be stored: %s", sqlite3_errmsg(db));
    sqlite3_finalize(q);
    return is_good;
}

bool texts_flush(struct texts *t, struct ledger *l, struct fault *why)
{
    if (t->count == 0) return true;
    if (!text_keys_commit(t->keys, why) || !insert_all(t, ledger_connection(l), why)) return false;
    drop_sealed(t);
    return true;
}

void texts_drop(struct texts *t)
{
    text_keys_rollback(t->keys);
    drop_sealed(t);
}

/* ---- Reading. */

enum texts_found texts_unseal(struct texts *t, const struct text *text, struct buf *out, struct fault *why)
{
    struct text_key key;
    const uint8_t *id = text_key_id(text->bytes);
    if (!id) return TEXTS_DAMAGED;
    enum texts_found found = text_keys_find(t->keys, text->subject, &key, why);
    if (found == TEXTS_MISSING) return TEXTS_ERASED;
    if (found != TEXTS_FOUND) return found;
    if (memcmp(key.id, id, sizeof key.id) != 0)
        found = TEXTS_ERASED;
    else if (!text_unseal(&key, text, out))
        found = TEXTS_DAMAGED;
    explicit_bzero(&key, sizeof key);
    return found;
}

enum texts_found texts_read(struct texts *t, struct sqlite3 *db, const uint8_t *id, struct slice part, struct buf *out,
                            struct fault *why)
{
    sqlite3_stmt *q;
    enum texts_found found = TEXTS_FAILED;
    const char *sql = "SELECT subject, sealed FROM texts WHERE id = ? AND part = ?";
    int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_blob(q, 1, id, LINK_ID_BYTES, SQLITE_STATIC);
        sqlite3_bind_text(q, 2, part.ptr, (int)part.len, SQLITE_STATIC);
        rc = sqlite3_step(q);
    }
    if (rc == SQLITE_ROW) {
        struct text text = {.id = id, .part = part, .subject = column_bytes(q, 0), .bytes = column_bytes(q, 1)};
        found = texts_unseal(t, &text, out, why);
    } else if (rc == SQLITE_DONE) {
        found = TEXTS_MISSING;
    } else {
        fault_set(why, FAULT_INTERNAL, "%s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(q);
    return found;
}

bool texts_destroy_key(struct texts *t, struct slice subject, bool *destroyed, struct fault *why)
{
    check(t->count == 0);
    return text_keys_destroy(t->keys, subject, destroyed, why);
}

void texts_hash(uint8_t hash[CHAIN_HASH_BYTES], struct slice salt, struct slice bytes)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    check(md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
    if (salt.len) check(EVP_DigestUpdate(md, salt.ptr, salt.len) == 1);
    if (bytes.len) check(EVP_DigestUpdate(md, bytes.ptr, bytes.len) == 1);
    check(EVP_DigestFinal_ex(md, hash, NULL) == 1);
    EVP_MD_CTX_free(md);
}
