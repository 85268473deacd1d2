#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/reader.h"
#include "store/registry/registry_inner.h"

/* The file of an older moongate may have no such table, and stays as it is. */
static bool has_table(struct registry *r, const char *name, bool *has, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?";
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) return registry_fail(r, why);
    registry_bind_text(q, 1, slice_str(name));
    bool is_good = sqlite3_step(q) == SQLITE_ROW || registry_fail(r, why);
    *has = sqlite3_column_int(q, 0) > 0;
    sqlite3_finalize(q);
    return is_good;
}

/* has: it is there, and has that table. close_it() follows in any case. */
static bool open_it(struct registry *r, const char *data_dir, const char *table, bool *has, struct fault *why)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" REGISTRY_FILE, data_dir);
    *r = (struct registry){.path = mem_strndup(buf_ptr(&path), buf_len(&path))};
    buf_clear(&path);
    *has = false;
    if (access(r->path, F_OK) != 0 && errno == ENOENT) return true;
    r->db = reader_open(r->path, why);
    return r->db && has_table(r, table, has, why);
}

static void close_it(struct registry *r)
{
    sqlite3_close(r->db);
    mem_free(r->path);
}

bool registry_read_topups(const char *data_dir, int64_t now_s, struct buf *out, struct fault *why)
{
    bool has;
    struct registry r;
    bool is_good = open_it(&r, data_dir, "topups", &has, why);
    if (is_good && has) is_good = registry_export_topups(&r, now_s, out, why);
    else if (is_good) buf_append(out, SLICE("{\"topups\":[]}"));
    close_it(&r);
    return is_good;
}

static json_t *read_list(const char *data_dir, const char *table, json_t *(*list)(struct registry *, struct fault *),
                         struct fault *why)
{
    bool has;
    struct registry r;
    bool is_good = open_it(&r, data_dir, table, &has, why);
    json_t *all = !is_good ? NULL : has ? list(&r, why) : json_array();
    close_it(&r);
    return all;
}

json_t *registry_read_all_topups(const char *data_dir, struct fault *why)
{
    return read_list(data_dir, "topups", registry_topups, why);
}

json_t *registry_read_all_keys(const char *data_dir, struct fault *why)
{
    return read_list(data_dir, "keys", registry_keys, why);
}
