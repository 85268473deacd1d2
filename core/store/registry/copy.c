#include <sqlite3.h>

#include "store/registry/backup.h"
#include "store/registry/registry_inner.h"

#define COLUMNS_MAX 16

/* All but meta and rev, each behind those that it names, and what names its own kind behind what is named. */
static const struct {
    const char *name, *order;
} tables[] = {{"person", " ORDER BY same_as IS NOT NULL, rev"},
              {"role_grant", ""},
              {"credential", " ORDER BY made, replaces IS NOT NULL"},
              {"session", ""},
              {"prompt", ""},
              {"prompt_alias", ""},
              {"prompt_version", ""},
              {"prompt_author", ""},
              {"prompt_review", ""},
              {"prompt_label", ""},
              {"prompt_run", ""},
              {"access_request", ""},
              {"decision", ""},
              {"access_grant", ""},
              {"topup", ""},
              {"provider_switch", ""},
              {"review", ""},
              {"review_item", ""},
              {"review_delegation", ""},
              {"event", " ORDER BY rev"},
              {"notice", ""},
              {"once", ""}};

#define TABLES (sizeof tables / sizeof tables[0])

const char *registry_table(size_t n)
{
    return n < TABLES ? tables[n].name : NULL;
}

static struct registry_value value_at(const struct registry_query *q, int column)
{
    switch (q->registry->engine->type(q, column)) {
    case REGISTRY_NULL: break;
    case REGISTRY_INT: return value_int(registry_int(q, column));
    case REGISTRY_TEXT: return value_text(registry_text(q, column));
    case REGISTRY_BLOB: {
        struct slice blob = registry_text(q, column);
        return value_blob(blob.ptr, blob.len);
    }
    }
    return value_null();
}

static void write_insert(struct buf *sql, const char *table, int columns)
{
    buf_reset(sql);
    buf_printf(sql, "INSERT INTO %s VALUES(", table);
    for (int i = 0; i < columns; i++)
        buf_append(sql, i ? SLICE(", ?") : SLICE("?"));
    buf_printf(sql, ")%c", '\0');
}

/* Columns are in the same order in both: one text makes them (schema.sql). */
static bool copy_rows(struct registry_query *q, struct registry *to, const char *table, int64_t *rows,
                      struct fault *why)
{
    struct buf sql;
    bool is_good = true;
    buf_init(&sql);
    while (is_good && registry_next(q)) {
        struct registry_value values[COLUMNS_MAX];
        int columns = q->registry->engine->columns(q);
        if (columns > COLUMNS_MAX) columns = 0;
        for (int i = 0; i < columns; i++)
            values[i] = value_at(q, i);
        write_insert(&sql, table, columns);
        is_good = registry_do(to, buf_ptr(&sql), values, (size_t)columns, why);
        ++*rows;
    }
    buf_clear(&sql);
    return is_good;
}

static bool copy_table(struct registry *from, struct registry *to, size_t n, int64_t *rows, struct fault *why)
{
    char sql[128];
    struct fault other;
    snprintf(sql, sizeof sql, "SELECT * FROM %s%s", tables[n].name, tables[n].order);
    struct registry_query *q = registry_ask(from, sql, NULL, 0);
    bool is_good = copy_rows(q, to, tables[n].name, rows, why);
    return registry_end(q, is_good ? why : &other) && is_good;
}

static bool copy_moment(struct registry *from, struct registry *to, struct fault *why)
{
    int64_t epoch, rev;
    return registry_moment(from, &epoch, &rev, why) &&
           REGISTRY_DO(to, why, "UPDATE rev SET rev = ? WHERE id = 1", value_int(rev)) &&
           REGISTRY_DO(to, why, "UPDATE meta SET v = CAST(CAST(? AS bigint) AS TEXT) WHERE k = 'epoch'",
                       value_int(epoch));
}

static bool is_empty(struct registry *r, struct fault *why)
{
    int64_t epoch, rev;
    if (!registry_moment(r, &epoch, &rev, why)) return false;
    return rev == 0 || fault_set(why, FAULT_INTERNAL, "%s: it is not empty: %lld changes are in it", r->name,
                                 (long long)rev);
}

/* What triggers refuse of rows as they come to be is right of rows that came to be elsewhere. */
static bool fill(struct registry *from, struct registry *to, int64_t *rows, struct fault *why)
{
    bool is_good = is_empty(to, why) && to->engine->lower(to, true, why);
    for (size_t i = 0; is_good && i < TABLES; i++)
        is_good = copy_table(from, to, i, rows, why);
    return is_good && copy_moment(from, to, why) && to->engine->lower(to, false, why);
}

bool registry_copy(struct registry *from, struct registry *to, int64_t *rows, struct fault *why)
{
    *rows = 0;
    bool is_good = registry_run(to, to->engine->begin_change, why) && fill(from, to, rows, why) &&
                   registry_run(to, "COMMIT", why);
    return is_good || registry_abort(to);
}
