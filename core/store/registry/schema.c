#include "store/registry/schema.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

extern const char registry_schema_text[]; /* schema.sql, and a NUL */

const char *registry_schema_sqlite(void)
{
    return registry_schema_text;
}

/* ---- For PostgreSQL. The text is ours: what is not understood is left as it stands, and PostgreSQL says so. */

static const struct {
    const char *sqlite, *postgres;
} words[] = {{"INTEGER", "bigint"}, {"BLOB", "bytea"}};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool begins(struct slice text, const char *with)
{
    return slice_starts(text, slice_str(with));
}

static struct slice skip(struct slice text, size_t count)
{
    return slice_of(text.ptr + count, text.len - count);
}

/* Up to the next `mark` outside of quotes; everything where there is none. */
static struct slice up_to(struct slice text, const char *mark)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'') is_quoted = !is_quoted;
        if (!is_quoted && begins(skip(text, i), mark)) return slice_of(text.ptr, i);
    }
    return text;
}

/* One word, or one other character, in PostgreSQL's spelling: how much of the text that was. */
static size_t append_piece(struct buf *out, struct slice text)
{
    size_t len = 0;
    if (begins(text, "IS NOT ") && !begins(text, "IS NOT NULL")) {
        buf_append(out, SLICE("IS DISTINCT FROM "));
        return 7;
    }
    while (len < text.len && is_word(text.ptr[len]))
        len++;
    if (len == 0) {
        buf_append_char(out, text.ptr[0]);
        return 1;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!slice_equal(slice_of(text.ptr, len), slice_str(words[i].sqlite))) continue;
        buf_append(out, slice_str(words[i].postgres));
        return len;
    }
    buf_append(out, slice_of(text.ptr, len));
    return len;
}

static void append_translated(struct buf *out, struct slice text)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.len;) {
        if (text.ptr[i] == '\'') is_quoted = !is_quoted;
        if (is_quoted) buf_append_char(out, text.ptr[i++]);
        else i += append_piece(out, skip(text, i));
    }
}

static void append_condition(struct buf *out, struct slice condition)
{
    buf_append(out, SLICE("IF ("));
    append_translated(out, condition.len ? condition : SLICE("true"));
    buf_append(out, SLICE(") THEN "));
}

/* SELECT RAISE(ABORT, 'code') [WHERE condition] */
static void append_refusal(struct buf *out, struct slice statement)
{
    const char *open = memchr(statement.ptr, '\'', statement.len);
    if (!open) return;
    struct slice rest = skip(statement, (size_t)(open - statement.ptr));
    const char *close = memchr(open + 1, '\'', rest.len - 1);
    struct slice code = slice_of(open, close ? (size_t)(close + 1 - open) : rest.len);
    struct slice where = skip(rest, up_to(rest, "WHERE ").len);
    append_condition(out, where.len ? skip(where, 6) : SLICE_NONE);
    buf_printf(out, "RAISE EXCEPTION %.*s USING ERRCODE = 'MG001'; END IF; ", SLICE_FMT(code));
}

static bool reads_others(struct slice text)
{
    return up_to(text, "(SELECT").len < text.len;
}

/* What stands between "CREATE TRIGGER " and "END": NAME BEFORE event ON table [WHEN condition] BEGIN statements */
static void append_trigger(struct buf *out, struct slice text, const char *schema)
{
    struct slice name = up_to(text, " "), head = up_to(text, "BEGIN"), body = skip(text, head.len + 5);
    struct slice event = up_to(head, "WHEN "), when = skip(head, event.len);
    bool is_delete = up_to(event, "DELETE").len < event.len;
    buf_printf(out,
               "CREATE FUNCTION %.*s() RETURNS trigger LANGUAGE plpgsql SET search_path = %s, pg_temp AS $$ BEGIN ",
               SLICE_FMT(name), schema);
    if (reads_others(body)) buf_append(out, SLICE("UPDATE rev SET rev = rev WHERE id = 1; "));
    append_condition(out, when.len ? skip(when, 5) : SLICE_NONE);
    while (body.len) {
        struct slice statement = up_to(body, ";");
        append_refusal(out, statement);
        body = skip(body, statement.len < body.len ? statement.len + 1 : statement.len);
    }
    buf_printf(out, "END IF; RETURN %s; END $$;\nCREATE TRIGGER ", is_delete ? "OLD" : "NEW");
    append_translated(out, event);
    buf_printf(out, "FOR EACH ROW EXECUTE FUNCTION %.*s();\n", SLICE_FMT(name));
}

/* Without comments, and without STRICT: PostgreSQL always is. */
static void append_plain(struct buf *out, struct slice text)
{
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len); /* also behind an apostrophe in a comment */
        struct slice line = slice_of(text.ptr, end ? (size_t)(end - text.ptr) : text.len);
        if (!begins(line, "--")) buf_append(out, line);
        buf_append_char(out, ' ');
        text = skip(text, line.len < text.len ? line.len + 1 : line.len);
    }
}

static void append_statement(struct buf *out, struct slice text)
{
    static const char strict[] = ") STRICT";
    size_t tail = sizeof strict - 2;
    bool is_strict = text.len > tail && begins(skip(text, text.len - tail - 1), strict);
    append_translated(out, is_strict ? slice_of(text.ptr, text.len - tail) : text);
    buf_append(out, SLICE(";\n"));
}

void registry_schema_postgres(struct buf *out, const char *schema)
{
    struct buf plain;
    buf_init(&plain);
    append_plain(&plain, slice_str(registry_schema_text));
    struct slice rest = slice_trim(buf_slice(&plain));
    while (rest.len) {
        bool is_trigger = begins(rest, "CREATE TRIGGER ");
        struct slice statement = up_to(rest, is_trigger ? " END;" : ";");
        if (is_trigger) append_trigger(out, skip(statement, 15), schema);
        else append_statement(out, statement);
        size_t len = statement.len + (is_trigger ? 5 : 1);
        rest = len < rest.len ? slice_trim(skip(rest, len)) : SLICE_NONE;
    }
    buf_clear(&plain);
}
