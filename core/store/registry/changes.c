#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/registry/registry_inner.h"

/* ---- Written with what is changed. */

static bool insert_change(struct registry *r, const char *id, struct slice body, struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(r->db, "INSERT INTO changes(id, body) VALUES(?, ?)", -1, &q, NULL) != SQLITE_OK)
        return registry_fail(r, why);
    sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, body.ptr, (int)body.len, SQLITE_STATIC);
    bool is_good = sqlite3_step(q) == SQLITE_DONE || registry_fail(r, why);
    sqlite3_finalize(q);
    return is_good;
}

static char *text_of(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(object);
    return text;
}

bool registry_note(struct registry *r, const struct change_by *by, const char *action, struct slice target,
                   json_t *before, json_t *after, struct fault *why)
{
    struct buf body;
    char *old = text_of(before), *new = text_of(after);
    struct change c = {.by = by,
                       .wall_ns = clock_wall_ns(),
                       .action = slice_str(action),
                       .target = target,
                       .result = SLICE("ok"),
                       .before = slice_str(old),
                       .after = slice_str(new)};
    buf_init(&body);
    change_make_id(c.id, c.wall_ns);
    change_write(&c, &body);
    bool is_good = insert_change(r, c.id, buf_slice(&body), why);
    buf_clear(&body);
    mem_free(old);
    mem_free(new);
    return is_good;
}

/* ---- Read by the ledger process. */

bool registry_changes(struct registry *r, uint64_t after, unsigned max,
                      void (*each)(void *arg, uint64_t number, struct slice body), void *arg, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "SELECT number, body FROM changes WHERE taken = 0 AND number > ? ORDER BY number LIMIT ?";
    int rc;
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) return registry_fail(r, why);
    sqlite3_bind_int64(q, 1, (sqlite3_int64)after);
    sqlite3_bind_int64(q, 2, max);
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        const char *body = (const char *)sqlite3_column_text(q, 1);
        each(arg, (uint64_t)sqlite3_column_int64(q, 0), slice_of(body, (size_t)sqlite3_column_bytes(q, 1)));
    }
    bool is_good = rc == SQLITE_DONE || registry_fail(r, why);
    sqlite3_finalize(q);
    return is_good;
}

bool registry_changes_taken(struct registry *r, uint64_t last, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "UPDATE changes SET taken = 1 WHERE taken = 0 AND number <= ?";
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) return registry_fail(r, why);
    sqlite3_bind_int64(q, 1, (sqlite3_int64)last);
    bool is_good = sqlite3_step(q) == SQLITE_DONE || registry_fail(r, why);
    sqlite3_finalize(q);
    return is_good;
}
