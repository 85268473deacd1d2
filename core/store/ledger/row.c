#include "store/ledger/row.h"

void ledger_row_select(struct buf *sql)
{
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        buf_printf(sql, "%s %s", i ? "," : "SELECT", ledger_columns[i].name);
    buf_append(sql, SLICE(" FROM records WHERE seq = ?\0"));
}

void ledger_row_insert(struct buf *sql, const char *before, const char *behind)
{
    buf_printf(sql, "%s(seq", before);
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        buf_printf(sql, ", %s", ledger_columns[i].name);
    buf_append(sql, SLICE(") VALUES(?"));
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        buf_append(sql, SLICE(",?"));
    buf_printf(sql, ")%s", behind);
    buf_append_char(sql, '\0');
}

static void bind_column(sqlite3_stmt *q, int at, const char *field, enum ledger_column_type type)
{
    const struct slice *text = (const struct slice *)field;
    if (type == LEDGER_TEXT)
        sqlite3_bind_text(q, at, text->ptr ? text->ptr : "", (int)text->len, SQLITE_STATIC);
    else if (type == LEDGER_NUMBER)
        sqlite3_bind_int64(q, at, *(const int64_t *)field);
    else
        sqlite3_bind_blob(q, at, field, LEDGER_ID_BYTES, SQLITE_STATIC);
}

void ledger_row_bind(sqlite3_stmt *q, uint64_t seq, const struct ledger_record *r)
{
    sqlite3_bind_int64(q, 1, (sqlite3_int64)seq);
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        bind_column(q, i + 2, (const char *)r + ledger_columns[i].offset, ledger_columns[i].type);
}
