#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "store/chain.h"
#include "store/ledger/filter_inner.h"

#define ID_BYTES 16

/* ---- The parameters. */

void ledger_where_init(struct ledger_where *w)
{
    *w = (struct ledger_where){0};
    buf_init(&w->sql);
    arena_init(&w->arena);
}

void ledger_where_clear(struct ledger_where *w)
{
    buf_clear(&w->sql);
    arena_clear(&w->arena);
    mem_free(w->values);
}

static size_t add_value(struct ledger_where *w, struct ledger_value value)
{
    if (w->count == w->room) {
        w->room = w->room ? 2 * w->room : 16;
        w->values = mem_realloc(w->values, w->room * sizeof *w->values);
    }
    w->values[w->count++] = value;
    return w->count;
}

size_t ledger_where_number(struct ledger_where *w, int64_t number)
{
    return add_value(w, (struct ledger_value){.is_number = true, .number = number});
}

size_t ledger_where_text(struct ledger_where *w, struct slice text)
{
    return add_value(w, (struct ledger_value){.bytes = arena_copy(&w->arena, text)});
}

size_t ledger_where_blob(struct ledger_where *w, const uint8_t *bytes, size_t len)
{
    struct slice copy = arena_copy(&w->arena, slice_of((const char *)bytes, len));
    return add_value(w, (struct ledger_value){.is_blob = true, .bytes = copy});
}

void ledger_where_times(struct ledger_where *w, const struct ledger_filter *filter)
{
    if (filter && filter->since_us != INT64_MIN)
        buf_printf(&w->sql, " AND +r.time_us >= ?%zu", ledger_where_number(w, filter->since_us));
    if (filter && filter->until_us != INT64_MAX)
        buf_printf(&w->sql, " AND +r.time_us < ?%zu", ledger_where_number(w, filter->until_us));
}

/* ---- Ids. */

bool ledger_id_range(struct slice text, size_t least, uint8_t first[ID_BYTES], uint8_t last[ID_BYTES])
{
    size_t digits = 0;
    if (slice_starts(text, SLICE("req_"))) text = slice_of(text.ptr + 4, text.len - 4);
    memset(first, 0x00, ID_BYTES);
    memset(last, 0xFF, ID_BYTES);
    for (size_t i = 0; i < text.len; i++) {
        int value = hex_digit(text.ptr[i]);
        if (text.ptr[i] == '-') continue;
        if (value < 0 || digits == 2 * ID_BYTES) return false;
        unsigned shift = digits % 2 ? 0 : 4;
        first[digits / 2] |= (uint8_t)(value << shift);
        last[digits / 2] &= (uint8_t)(value << shift | (shift ? 0x0F : 0xF0));
        digits++;
    }
    return digits >= least;
}

/* ---- Conditions. */

static const char *const comparisons[] = {"=", ">", ">=", "<", "<="};

/* One of a set's values; of "": it has none. */
static void add_membership(struct ledger_where *w, const char *set, const struct filter_value *wanted)
{
    if (wanted->text.len)
        buf_printf(&w->sql, "EXISTS (SELECT 1 FROM (%s) WHERE one %s ?%zu)", set, wanted->is_pattern ? "GLOB" : "=",
                   ledger_where_text(w, wanted->text));
    else
        buf_printf(&w->sql, "NOT EXISTS (%s)", set);
}

static void add_comparison(struct ledger_where *w, const struct filter_term *term, const char *column,
                           const struct filter_value *wanted)
{
    bool is_number = term->dim->decimals >= 0 && (term->op != FILTER_IS || !term->dim->is_text);
    size_t at = is_number ? ledger_where_number(w, wanted->number) : ledger_where_text(w, wanted->text);
    buf_printf(&w->sql, "%s %s ?%zu", column, wanted->is_pattern ? "GLOB" : comparisons[term->op], at);
}

static void add_dim(struct ledger_where *w, const struct filter_term *term, const char *column)
{
    for (size_t i = 0; i < term->count; i++) {
        if (i) buf_append(&w->sql, SLICE(" OR "));
        if (term->dim->decimals == NO_COLUMN)
            add_membership(w, column, &term->wanted[i]);
        else
            add_comparison(w, term, column, &term->wanted[i]);
    }
}

/* %word%, for LIKE with \ before what it would take for more. */
static size_t add_likeness(struct ledger_where *w, struct slice word)
{
    struct buf like;
    buf_init(&like);
    buf_append_char(&like, '%');
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] == '%' || word.ptr[i] == '_' || word.ptr[i] == '\\') buf_append_char(&like, '\\');
        buf_append_char(&like, word.ptr[i]);
    }
    buf_append_char(&like, '%');
    size_t at = ledger_where_text(w, buf_slice(&like));
    buf_clear(&like);
    return at;
}

/* Bodies are opened of those alone that something was wrong with: a reason stands nowhere else. */
static void add_word_of_record(struct ledger_where *w, struct slice word)
{
    static const char *const columns[] = {"key_id", "app",    "department", "user", "model_asked", "model",  "target",
                                          "code",   "rule",   "policy",     "data", "session",     "prompt", "approval",
                                          "outcome"};
    uint8_t first[ID_BYTES], last[ID_BYTES];
    if (ledger_id_range(word, slice_starts(word, SLICE("req_")) ? 0 : 8, first, last)) {
        size_t from = ledger_where_blob(w, first, sizeof first), to = ledger_where_blob(w, last, sizeof last);
        buf_printf(&w->sql, "r.id BETWEEN ?%zu AND ?%zu", from, to);
        if (slice_starts(word, SLICE("req_"))) return;
        buf_append(&w->sql, SLICE(" OR "));
    }
    size_t like = add_likeness(w, word);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        buf_printf(&w->sql, "r.%s LIKE ?%zu ESCAPE '\\' OR ", columns[i], like);
    buf_printf(&w->sql,
               "(r.outcome <> 'ok' AND (SELECT CASE WHEN json_valid(t) THEN coalesce(json_extract(t, "
               "'$.decision.reason'), json_extract(t, '$.fault.text')) END FROM (SELECT CAST(c.body AS TEXT) AS t "
               "FROM chain c WHERE c.seq = r.seq)) LIKE ?%zu ESCAPE '\\')",
               like);
}

static void add_word(struct ledger_where *w, enum filter_table table, struct slice word)
{
    if (table == FILTER_RECORDS) {
        add_word_of_record(w, word);
        return;
    }
    buf_printf(&w->sql, "CAST(c.body AS TEXT) LIKE ?%zu ESCAPE '\\'", add_likeness(w, word));
}

/* What only requests have leaves requests alone, and what only changes have changes. */
static bool add_term(struct ledger_where *w, enum filter_table table, const struct filter_term *term, struct fault *why)
{
    const char *column = term->dim ? term->dim->columns[table] : NULL;
    if (table == FILTER_ROLLUP && !column)
        return fault_set(why, FAULT_BAD_REQUEST,
                         "sums are not kept by %s\nthere are app, department, user, model, provider, key; `moongate "
                         "requests` looks by all",
                         term->dim ? term->dim->name : "words");
    if (term->dim && !column) {
        w->is_never = true;
        return true;
    }
    buf_append(&w->sql, term->is_not ? SLICE(" AND NOT (") : SLICE(" AND ("));
    if (term->dim) {
        add_dim(w, term, column);
    } else {
        add_word(w, table, term->wanted->text);
    }
    buf_append_char(&w->sql, ')');
    return true;
}

/* Intents are said no word of unless they are asked for: what became of them is there too. */
static void add_kinds(struct ledger_where *w, enum filter_table table, const struct ledger_filter *filter)
{
    unsigned kinds = filter && filter->has_kinds ? filter->kinds : ~(1u << CHAIN_INTENT);
    bool has_requests = kinds & 1u << CHAIN_EXCHANGE, has_imports = kinds & 1u << CHAIN_IMPORT;
    if (table == FILTER_RECORDS) {
        w->is_never |= !has_requests && !has_imports;
        if (has_requests != has_imports)
            buf_printf(&w->sql, " AND (SELECT k.kind FROM chain k WHERE k.seq = r.seq) = %d",
                       has_requests ? CHAIN_EXCHANGE : CHAIN_IMPORT);
    } else if (table == FILTER_REST) {
        buf_append(&w->sql, SLICE(" AND c.kind IN (0"));
        for (int kind = CHAIN_START; chain_kind_name(kind); kind++)
            if (kinds & 1u << kind && kind != CHAIN_EXCHANGE && kind != CHAIN_IMPORT)
                buf_printf(&w->sql, ",%d", kind);
        buf_append_char(&w->sql, ')');
    }
}

bool ledger_filter_where(const struct ledger_filter *filter, enum filter_table table, struct ledger_where *w,
                         struct fault *why)
{
    buf_append(&w->sql, SLICE("(1"));
    add_kinds(w, table, filter);
    for (size_t i = 0; filter && i < filter->count; i++)
        if (!add_term(w, table, &filter->terms[i], why)) return false;
    buf_append_char(&w->sql, ')');
    return true;
}
