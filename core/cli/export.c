#include "cli/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/csv.h"
#include "base/hex.h"
#include "base/visible.h"
#include "cli/entry.h"
#include "exchange/money.h"

#define HELD_BYTES (256u * 1024u)

/* ---- The file. */

static bool write_held(struct export *e)
{
    while (!e->has_failed && buf_len(&e->held)) {
        ssize_t n = write(e->fd, buf_ptr(&e->held), buf_len(&e->held));
        if (n >= 0) {
            buf_consume(&e->held, (size_t)n);
        } else if (errno != EINTR) {
            e->has_failed = true;
            e->error = errno;
        }
    }
    return !e->has_failed;
}

/* e->line, which holds whole characters. */
static bool put_line(struct export *e)
{
    buf_append(&e->held, buf_slice(&e->line));
    buf_reset(&e->line);
    return buf_len(&e->held) < HELD_BYTES || write_held(e);
}

/* ---- JSON lines. */

static void append_visible(struct buf *out, struct slice text)
{
    visible_append(out, text, false);
}

bool export_line(struct export *e, struct slice json)
{
    append_visible(&e->line, json);
    buf_append_char(&e->line, '\n');
    return put_line(e);
}

static bool put_json(struct export *e, const struct ledger_row *row)
{
    char hash[2 * CHAIN_HASH_BYTES + 1];
    const char *kind = chain_kind_name((int)row->kind);
    struct buf json;
    buf_init(&json);
    hex_write(row->hash, CHAIN_HASH_BYTES, hash);
    buf_printf(&json, "{\"seq\":%" PRIu64 ",\"kind\":", row->seq);
    buf_append_json(&json, slice_str(kind ? kind : ""));
    buf_printf(&json, ",\"hash\":\"%s\",\"body\":", hash);
    buf_append_json(&json, row->body);
    buf_append_char(&json, '}');
    bool ok = export_line(e, buf_slice(&json));
    buf_clear(&json);
    return ok;
}

/* ---- CSV. */

#define X(name) "," #name
static const char head[] =
    "seq,kind,id,time,usd" LEDGER_ROW_NUMBERS(X) LEDGER_ROW_TEXTS(X) ",actor,action,reason,hash\r\n";
#undef X

static void append_next(struct buf *out, struct slice text)
{
    buf_append_char(out, ',');
    csv_append_cell(out, text);
}

static void append_number(struct buf *out, int64_t number)
{
    buf_printf(out, ",%" PRId64, number);
}

static const char *member(const json_t *body, const char *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object ? json_object_get(body, object) : body, name));
    return text ? text : "";
}

/* What no column of a request says. Bodies are opened of those that need it. */
static void append_from_body(struct buf *out, const struct ledger_row *row)
{
    bool is_plain = row->is_request && slice_equal(row->outcome, SLICE("ok"));
    json_t *body = is_plain ? NULL : json_loadb(row->body.ptr, row->body.len, 0, NULL);
    const char *reason = member(body, NULL, "reason");
    if (!*reason) reason = member(body, "decision", "reason");
    if (!*reason) reason = member(body, "fault", "text");
    append_next(out, slice_str(row->is_request ? "" : member(body, NULL, "actor")));
    append_next(out, slice_str(row->is_request ? "" : member(body, NULL, "action")));
    append_next(out, slice_str(reason));
    json_decref(body);
}

static bool put_csv(struct export *e, const struct ledger_row *row)
{
    char usd[MONEY_TEXT_BYTES], hash[2 * CHAIN_HASH_BYTES + 1];
    const char *kind = chain_kind_name((int)row->kind);
    struct arena arena;
    arena_init(&arena);
    hex_write(row->hash, CHAIN_HASH_BYTES, hash);
    buf_printf(&e->line, "%" PRIu64 ",%s,%s,%s,", row->seq, kind ? kind : "", row->id, entry_time(&arena, row));
    if (row->is_request) buf_append(&e->line, money_usd(row->cost_nano, usd));
#define X(name)                                                                                                        \
    if (row->is_request) append_number(&e->line, row->name);                                                           \
    else buf_append_char(&e->line, ',');
    LEDGER_ROW_NUMBERS(X)
#undef X
#define X(name) append_next(&e->line, row->name);
    LEDGER_ROW_TEXTS(X)
#undef X
    append_from_body(&e->line, row);
    buf_printf(&e->line, ",%s\r\n", hash);
    arena_clear(&arena);
    return put_line(e);
}

/* ---- The whole. */

bool export_open(struct export *e, enum export_format format, const char *path, struct fault *why)
{
    *e = (struct export){.format = format, .path = path, .fd = STDOUT_FILENO};
    buf_init(&e->held);
    buf_init(&e->line);
    if (path) e->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (e->fd < 0) {
        return fault_set(why, FAULT_INTERNAL, "%s: %s\n%s", path, strerror(errno),
                         errno == EEXIST ? "nothing is ever overwritten: name another file" : "name another file");
    }
    if (format == EXPORT_CSV) buf_append(&e->held, slice_of(head, sizeof head - 1));
    return true;
}

bool export_row(void *arg, const struct ledger_row *row)
{
    struct export *e = arg;
    e->rows++;
    return e->format == EXPORT_CSV ? put_csv(e, row) : put_json(e, row);
}

bool export_close(struct export *e, struct fault *why)
{
    bool ok = write_held(e);
    if (ok && e->path && fsync(e->fd) != 0) ok = false, e->error = errno;
    if (e->path) close(e->fd);
    if (!ok && e->path) unlink(e->path);
    buf_clear(&e->held);
    buf_clear(&e->line);
    return ok || fault_set(why, FAULT_INTERNAL, "%s: %s\nthe export is not whole", e->path ? e->path : "stdout",
                           strerror(e->error));
}
