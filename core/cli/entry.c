#include "cli/entry.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "cli/amounts.h"
#include "exchange/money.h"

#define SHORT_ID_BYTES 22 /* "req_", 48 bits of time, 12 of what is random */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static json_t *read_body(const struct ledger_row *row)
{
    return row->body.len ? json_loadb(row->body.ptr, row->body.len, 0, NULL) : NULL;
}

const char *entry_short_id(struct arena *arena, const struct ledger_row *row)
{
    return arena_printf(arena, "%.*s", SHORT_ID_BYTES, row->id).ptr;
}

static const char *time_of(struct arena *arena, const struct ledger_row *row, const json_t *body)
{
    char text[CLOCK_TEXT_BYTES];
    if (!row->is_request) return arena_copy(arena, slice_str(text_of(body, "time"))).ptr;
    clock_format(row->time_us > 0 ? (uint64_t)row->time_us * 1000 : 0, text);
    return arena_copy(arena, slice_str(text)).ptr;
}

/* So much of it as tells it from now. */
static const char *short_time(struct arena *arena, const char *time)
{
    char now[CLOCK_TEXT_BYTES];
    clock_format(clock_wall_ns(), now);
    if (strlen(time) < 19) return time;
    if (strncmp(time, now, 10) == 0) return arena_printf(arena, "%.8sZ", time + 11).ptr;
    if (strncmp(time, now, 4) == 0) return arena_printf(arena, "%.5s %.5sZ", time + 5, time + 11).ptr;
    return arena_printf(arena, "%.10s", time).ptr;
}

const char *entry_time(struct arena *arena, const struct ledger_row *row)
{
    json_t *body = row->is_request ? NULL : read_body(row);
    const char *time = time_of(arena, row, body);
    json_decref(body);
    return time;
}

/* "auto → acme/large": what was asked for, and where it went when that says more. */
const char *entry_way(struct arena *arena, const struct ledger_row *row)
{
    struct slice asked = row->model_asked.len ? row->model_asked : row->model;
    if (row->target.len == 0 || slice_equal(asked, row->target)) return arena_copy(arena, asked).ptr;
    return arena_printf(arena, "%.*s → %.*s", SLICE_FMT(asked), SLICE_FMT(row->target)).ptr;
}

static const char *both(struct arena *arena, struct slice a, const char *between, struct slice b)
{
    return arena_printf(arena, "%.*s%s%.*s", SLICE_FMT(a), a.len && b.len ? between : "", SLICE_FMT(b)).ptr;
}

static const char *reason_of(struct arena *arena, const struct ledger_row *row, const json_t *body)
{
    const char *reason = text_of(json_object_get(body, "decision"), "reason");
    if (!*reason) reason = text_of(json_object_get(body, "fault"), "text");
    const char *whose = both(arena, row->policy, ".", row->rule);
    if (!*whose) whose = arena_copy(arena, row->code).ptr;
    return both(arena, slice_str(whose), ": ", slice_str(reason));
}

static void read_request(struct entry_cells *cells, struct arena *arena, const struct ledger_row *row,
                         const json_t *body)
{
    char text[AMOUNT_BYTES];
    bool is_ok = slice_equal(row->outcome, SLICE("ok"));
    cells->who = both(arena, row->department, "/", row->user.len ? row->user : row->app);
    cells->what = entry_way(arena, row);
    cells->result = arena_printf(arena, "%" PRId64 " %.*s", row->status, SLICE_FMT(row->outcome)).ptr;
    cells->detail = is_ok ? "" : reason_of(arena, row, body);
    cells->is_refused = slice_equal(row->outcome, SLICE("denied"));
    cells->is_bad = !is_ok && !cells->is_refused;
    cells->usd = row->unpriced ? "unpriced" : arena_copy(arena, slice_str(amount_usd(row->cost_nano, text))).ptr;
    int64_t tokens;
    if (__builtin_add_overflow(row->input_tokens, row->output_tokens, &tokens)) tokens = INT64_MAX;
    amount_count(tokens, text);
    cells->tokens = arena_printf(arena, "%s%s", row->estimated ? "~" : "", text).ptr;
    cells->took = arena_copy(arena, slice_str(amount_time(row->duration_us, text))).ptr;
}

/* ---- What was changed. */

/* Digests are known by their beginning. */
#define SHOWN_BYTES 12

static const char *value_of(struct arena *arena, const json_t *value)
{
    if (json_is_true(value)) return "yes";
    if (json_is_false(value)) return "no";
    if (json_is_integer(value)) return arena_printf(arena, "%lld", (long long)json_integer_value(value)).ptr;
    const char *text = json_string_value(value);
    if (!text) return "…";
    return arena_printf(arena, "%.*s", strlen(text) == 64 ? SHOWN_BYTES : (int)strlen(text), text).ptr;
}

static bool is_time(const char *name)
{
    size_t len = strlen(name);
    return len > 3 && strcmp(name + len - 3, "_at") == 0;
}

/* Seconds since 1970, of which 0 is never. */
static const char *time_value(struct arena *arena, const json_t *value)
{
    char text[CLOCK_TEXT_BYTES];
    uint64_t seconds = (uint64_t)json_integer_value(value);
    if (!seconds || seconds > UINT64_MAX / NS_PER_S) return "never";
    clock_format(seconds * NS_PER_S, text);
    return arena_printf(arena, "%.10s", text).ptr;
}

/* What is kept in nano-dollars bears that in its name. */
static int length_without_unit(const char *name)
{
    size_t len = strlen(name);
    return (int)(len > 5 && strcmp(name + len - 5, "_nano") == 0 ? len - 5 : len);
}

static const char *usd_value(struct arena *arena, const json_t *value)
{
    char text[AMOUNT_BYTES];
    return arena_copy(arena, slice_str(amount_usd_exactly(json_integer_value(value), text))).ptr;
}

static const char *shown(struct arena *arena, const char *name, const json_t *value)
{
    if (name[length_without_unit(name)] && json_is_integer(value)) return usd_value(arena, value);
    return is_time(name) && json_is_integer(value) ? time_value(arena, value) : value_of(arena, value);
}

/* "generation 3 → 4, policies 83ab… → 09fc…"; of what is new: "app bot, expires_at never". */
static const char *difference_of(struct arena *arena, json_t *body)
{
    json_t *before = json_object_get(body, "before"), *value;
    const char *all = "", *name;
    if (json_is_integer(before)) /* the ledger's own: what it has deleted for its age */
        return arena_printf(arena, "entries before %lld", (long long)json_integer_value(before)).ptr;
    json_object_foreach(json_object_get(body, "after"), name, value)
    {
        json_t *old = json_object_get(before, name);
        if (old && json_equal(old, value)) continue;
        const char *was = old ? arena_printf(arena, "%s → ", shown(arena, name, old)).ptr : "";
        all = arena_printf(arena, "%s%s%.*s %s%s", all, *all ? ", " : "", length_without_unit(name), name, was,
                           shown(arena, name, value))
                  .ptr;
    }
    return all;
}

static const char *error_of(struct arena *arena, const json_t *body)
{
    const json_t *error = json_object_get(body, "error");
    return both(arena, slice_str(text_of(error, "code")), " ", slice_str(text_of(error, "place")));
}

static void read_change(struct entry_cells *cells, struct arena *arena, json_t *body)
{
    const char *error = error_of(arena, body);
    const char *detail = *error ? error : difference_of(arena, body);
    cells->what = both(arena, slice_str(text_of(body, "action")), " ", slice_str(text_of(body, "target")));
    cells->detail = both(arena, slice_str(text_of(body, "reason")), ": ", slice_str(detail));
    cells->is_refused = strcmp(cells->result, "refused") == 0;
}

static void read_alert(struct entry_cells *cells, struct arena *arena, const json_t *body)
{
    cells->who = arena_copy(arena, slice_str(text_of(body, "app"))).ptr;
    cells->what = arena_copy(arena, slice_str(text_of(body, "rule"))).ptr;
    cells->detail = arena_copy(arena, slice_str(text_of(body, "text"))).ptr;
}

static void read_rest(struct entry_cells *cells, struct arena *arena, const struct ledger_row *row, json_t *body)
{
    const char *version = text_of(body, "version"), *target = text_of(body, "target");
    cells->who = arena_copy(arena, slice_str(text_of(body, "actor"))).ptr;
    cells->detail = arena_copy(arena, slice_str(text_of(body, "reason"))).ptr;
    cells->result = arena_copy(arena, slice_str(text_of(body, "result"))).ptr;
    cells->is_bad = row->kind == CHAIN_LOSS;
    if (row->kind == CHAIN_LOSS) {
        json_int_t count = json_integer_value(json_object_get(body, "count"));
        cells->what = arena_printf(arena, "%lld records lost", (long long)count).ptr;
    } else if (row->kind == CHAIN_START || row->kind == CHAIN_STOP) {
        cells->what = both(arena, slice_str(text_of(body, "gateway")), " ", slice_str(version));
    } else if (row->kind == CHAIN_CHANGE) {
        read_change(cells, arena, body);
    } else if (row->kind == CHAIN_ALERT) {
        read_alert(cells, arena, body);
    } else {
        cells->what = both(arena, slice_str(text_of(body, "model")), " → ", slice_str(target));
    }
    cells->what = arena_copy(arena, slice_str(cells->what)).ptr;
}

void entry_read(struct entry_cells *cells, struct arena *arena, const struct ledger_row *row)
{
    json_t *body = read_body(row);
    const char *kind = chain_kind_name((int)row->kind);
    *cells = (struct entry_cells){.usd = "", .tokens = "", .took = "", .id = entry_short_id(arena, row)};
    cells->time = time_of(arena, row, body);
    cells->when = short_time(arena, cells->time);
    if (!*cells->id) cells->id = arena_printf(arena, "%.*s", SHORT_ID_BYTES, text_of(body, "id")).ptr;
    cells->seq = arena_printf(arena, "%" PRIu64, row->seq).ptr;
    cells->kind = kind ? kind : "?";
    if (row->is_request) {
        read_request(cells, arena, row, body);
    } else {
        read_rest(cells, arena, row, body);
    }
    json_decref(body);
}

/* ---- JSON. */

static void append_text(struct buf *out, const char *name, struct slice value)
{
    buf_printf(out, ",\"%s\":", name);
    buf_append_json(out, value);
}

static void append_columns(struct buf *out, const struct ledger_row *row)
{
    char usd[MONEY_TEXT_BYTES];
    buf_append(out, SLICE(",\"usd\":"));
    buf_append(out, money_usd(row->cost_nano, usd));
#define X(name) buf_printf(out, ",\"" #name "\":%" PRId64, row->name);
    LEDGER_ROW_NUMBERS(X)
#undef X
#define X(name) append_text(out, #name, row->name);
    LEDGER_ROW_TEXTS(X)
#undef X
}

void entry_append_json(struct buf *out, const struct ledger_row *row)
{
    struct arena arena;
    json_t *body = read_body(row);
    const char *kind = chain_kind_name((int)row->kind);
    arena_init(&arena);
    buf_printf(out, "{\"seq\":%" PRIu64 ",\"kind\":\"%s\"", row->seq, kind ? kind : "?");
    if (*row->id) append_text(out, "id", slice_str(row->id));
    append_text(out, "time", slice_str(time_of(&arena, row, body)));
    if (row->is_request) append_columns(out, row);
    if (body) {
        buf_append(out, SLICE(",\"entry\":"));
        buf_append(out, row->body);
    } else if (row->body.len) {
        append_text(out, "entry", row->body);
    }
    buf_append_char(out, '}');
    arena_clear(&arena);
    json_decref(body);
}
