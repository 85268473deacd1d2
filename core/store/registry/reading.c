#include <unistd.h>

#include "base/mem.h"
#include "store/reader.h"
#include "store/registry/registry_inner.h"

/* The file of an older moongate has no such table, and stays as it is. */
static bool has_topups(struct registry *r, bool *has, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'topups'";
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) return registry_fail(r, why);
    bool is_good = sqlite3_step(q) == SQLITE_ROW || registry_fail(r, why);
    *has = sqlite3_column_int(q, 0) > 0;
    sqlite3_finalize(q);
    return is_good;
}

bool registry_read_topups(const char *data_dir, int64_t now_s, struct buf *out, struct fault *why)
{
    bool has = false;
    struct registry r = {0};
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" REGISTRY_FILE, data_dir);
    r.path = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    bool is_there = access(r.path, F_OK) == 0;
    if (is_there) r.db = reader_open(r.path, why);
    bool is_good = !is_there || (r.db && has_topups(&r, &has, why));
    if (is_good && has) is_good = registry_export_topups(&r, now_s, out, why);
    else if (is_good) buf_append(out, SLICE("{\"topups\":[]}"));
    sqlite3_close(r.db);
    mem_free(r.path);
    return is_good;
}
