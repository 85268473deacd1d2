#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "store/chain.h"
#include "store/ledger/filter_inner.h"

/* ---- The dimensions: which column, or which member of a body, says it in each table; NULL: none does. */

#define BODY(member)                                                                                                   \
    "coalesce(CASE WHEN json_valid(CAST(c.body AS TEXT)) "                                                             \
    "THEN json_extract(CAST(c.body AS TEXT), '$." member "') END, '')"

/* cost_center=4711 of a key, eu_customer of the data: no column has them, so that bodies are opened. */
#define LABELS                                                                                                         \
    "SELECT e.key || '=' || e.value AS one FROM chain b, json_each(CASE WHEN json_valid(CAST(b.body AS TEXT)) "        \
    "THEN json_extract(CAST(b.body AS TEXT), '$.identity.labels') END) e WHERE b.seq = r.seq "                         \
    "UNION ALL SELECT e.value FROM chain b, json_each(CASE WHEN json_valid(CAST(b.body AS TEXT)) "                     \
    "THEN json_extract(CAST(b.body AS TEXT), '$.labels') END) e WHERE b.seq = r.seq"

static const struct filter_dim dims[] = {
    {"app", {"r.app", NULL, "app"}, NO_NUMBER, true},
    {"department", {"r.department", NULL, "department"}, NO_NUMBER, true},
    {"team", {"r.team", NULL, NULL}, NO_NUMBER, true},
    {"user", {"r.user", NULL, "user"}, NO_NUMBER, true},
    {"key", {"r.key_id", NULL, "key_id"}, NO_NUMBER, true},
    {"model", {"r.model", NULL, "model"}, NO_NUMBER, true},
    {"asked", {"r.model_asked", NULL, NULL}, NO_NUMBER, true},
    {"target", {"r.target", BODY("target"), NULL}, NO_NUMBER, true},
    {"provider", {"r.provider", NULL, "provider"}, NO_NUMBER, true},
    {"outcome", {"r.outcome", NULL, NULL}, NO_NUMBER, true},
    {"status", {"r.status", NULL, NULL}, 0, true},
    {"code", {"r.code", NULL, NULL}, NO_NUMBER, true},
    {"rule", {"r.rule", NULL, NULL}, NO_NUMBER, true},
    {"policy", {"r.policy", NULL, NULL}, NO_NUMBER, true},
    {"data", {"r.data", NULL, NULL}, NO_NUMBER, true},
    {"api", {"r.api", NULL, NULL}, NO_NUMBER, true},
    {"session", {"r.session", NULL, NULL}, NO_NUMBER, true},
    {"prompt", {"r.prompt", NULL, NULL}, NO_NUMBER, true},
    {"cache", {"r.cache", NULL, NULL}, NO_NUMBER, true},
    {"label", {LABELS, NULL, NULL}, NO_COLUMN, true},
    {"actor", {NULL, BODY("actor"), NULL}, NO_NUMBER, true},
    {"action", {NULL, BODY("action"), NULL}, NO_NUMBER, true},
    {"kind", {NULL, NULL, NULL}, NO_NUMBER, true}, /* a set of its own: struct ledger_filter */
    {"usd", {"r.cost_nano", NULL, NULL}, 9, false},
    {"tokens", {"(r.input_tokens + r.output_tokens)", NULL, NULL}, 0, false},
    {"input", {"r.input_tokens", NULL, NULL}, 0, false},
    {"output", {"r.output_tokens", NULL, NULL}, 0, false},
    {"ms", {"r.duration_us", NULL, NULL}, 3, false},
    {"attempts", {"r.attempts", NULL, NULL}, 0, false},
};

enum { DIM_COUNT = sizeof dims / sizeof dims[0] };

static const struct filter_dim *find_dim(struct slice name)
{
    for (size_t i = 0; i < DIM_COUNT; i++)
        if (slice_equal(slice_str(dims[i].name), name)) return &dims[i];
    return NULL;
}

static bool unknown_dim(struct slice name, struct fault *why)
{
    const char *names[DIM_COUNT];
    for (size_t i = 0; i < DIM_COUNT; i++)
        names[i] = dims[i].name;
    const char *near = nearest_word(name, names, DIM_COUNT);
    struct slice shown = utf8_cut(name, 40);
    if (near)
        return fault_set(why, FAULT_BAD_REQUEST, "there is no `%.*s` to look by\ndid you mean `%s`?", SLICE_FMT(shown),
                         near);
    return fault_set(why, FAULT_BAD_REQUEST,
                     "there is no `%.*s` to look by\nthere are app, department, user, model, outcome, code … "
                     "(`moongate help requests`); a word with a colon in it goes in quotes",
                     SLICE_FMT(shown));
}

/* ---- What was asked for. */

static const struct {
    struct slice text;
    enum filter_op op;
    bool is_not;
} operators[] = {{{">=", 2}, FILTER_FROM, false}, {{"<=", 2}, FILTER_TO, false}, {{"!=", 2}, FILTER_IS, true},
                 {{">", 1}, FILTER_ABOVE, false}, {{"<", 1}, FILTER_BELOW, false}, {{":", 1}, FILTER_IS, false},
                 {{"=", 1}, FILTER_IS, false}};

enum { OPERATORS = sizeof operators / sizeof operators[0] };

struct ledger_filter *ledger_filter_new(void)
{
    struct ledger_filter *f = mem_zalloc(1, sizeof *f);
    arena_init(&f->arena);
    f->kinds = ~0u;
    f->since_us = INT64_MIN;
    f->until_us = INT64_MAX;
    return f;
}

void ledger_filter_free(struct ledger_filter *f)
{
    if (!f) return;
    arena_clear(&f->arena);
    mem_free(f);
}

void ledger_filter_since(struct ledger_filter *f, int64_t us)
{
    f->since_us = us;
}

void ledger_filter_until(struct ledger_filter *f, int64_t us)
{
    f->until_us = us;
}

bool ledger_filter_is_empty(const struct ledger_filter *f)
{
    return !f || (f->count == 0 && !f->has_kinds && f->since_us == INT64_MIN && f->until_us == INT64_MAX);
}

/* ---- One value: up to a comma, or all between quotes. */

/* GLOB would take these for more than themselves. */
static void add_globbed(struct buf *out, char c)
{
    if (c == '[' || c == '?' || c == '*') buf_append_char(out, '[');
    buf_append_char(out, c);
    if (c == '[' || c == '?' || c == '*') buf_append_char(out, ']');
}

/* Takes it off *rest, with the comma behind it. plain: what it says; glob: the same as a pattern. */
static bool take_value(struct slice *rest, struct buf *plain, struct buf *glob, size_t *stars, struct fault *why)
{
    bool is_quoted = false;
    size_t i = 0;
    for (; i < rest->len; i++) {
        char c = rest->ptr[i];
        bool is_twice = is_quoted && c == '"' && i + 1 < rest->len && rest->ptr[i + 1] == '"';
        if (c == '"' && !is_twice) {
            is_quoted = !is_quoted;
            continue;
        }
        i += is_twice;
        if (c == ',' && !is_quoted) break;
        buf_append_char(plain, c);
        if (c == '*' && !is_quoted && ++*stars) {
            buf_append_char(glob, '*');
        } else {
            add_globbed(glob, c);
        }
    }
    *rest = i < rest->len ? slice_of(rest->ptr + i + 1, rest->len - i - 1) : SLICE_NONE;
    if (is_quoted) return fault_set(why, FAULT_BAD_REQUEST, "a quote has no end\nwrite \"…\" on both sides");
    if (*stars > LIMIT_FILTER_STARS)
        return fault_set(why, FAULT_BAD_REQUEST, "more than %u stars in one value\nuse fewer", LIMIT_FILTER_STARS);
    return true;
}

static bool bad_number(const struct filter_dim *dim, struct slice text, struct fault *why)
{
    struct slice shown = utf8_cut(text, 40);
    return fault_set(why, FAULT_BAD_REQUEST, "%s: `%.*s` is not a number, or more than can be counted\n%s>%s",
                     dim->name, SLICE_FMT(shown), dim->name, dim->decimals ? "0.5" : "1000");
}

/* 0.5 with nine decimals: 500000000. Exact, or refused. */
static bool read_number(const struct filter_dim *dim, struct slice text, int64_t *number, struct fault *why)
{
    struct slice fraction, whole = slice_split(text, '.', &fraction);
    uint64_t value = 0, part = 0;
    if (!slice_to_u64(whole, &value) || fraction.len > (size_t)dim->decimals) return bad_number(dim, text, why);
    if (whole.len < text.len && !slice_to_u64(fraction, &part)) return bad_number(dim, text, why);
    for (int i = 0; i < dim->decimals; i++)
        if (__builtin_mul_overflow(value, 10ull, &value)) return bad_number(dim, text, why);
    for (size_t i = fraction.len; i < (size_t)dim->decimals; i++)
        part *= 10;
    if (__builtin_add_overflow(value, part, &value) || value > INT64_MAX) return bad_number(dim, text, why);
    *number = (int64_t)value;
    return true;
}

static bool is_number_of(const struct filter_term *term)
{
    return term->dim->decimals >= 0 && (term->op != FILTER_IS || !term->dim->is_text);
}

static bool read_value(struct ledger_filter *f, const struct filter_term *term, struct slice *rest,
                       struct filter_value *wanted, struct fault *why)
{
    struct buf plain, glob;
    size_t stars = 0;
    buf_init(&plain);
    buf_init(&glob);
    bool ok = take_value(rest, &plain, &glob, &stars, why);
    if (ok && is_number_of(term)) {
        ok = read_number(term->dim, buf_slice(&plain), &wanted->number, why);
    } else if (ok) {
        wanted->is_pattern = stars > 0;
        wanted->text = arena_copy(&f->arena, buf_slice(stars ? &glob : &plain));
    }
    buf_clear(&plain);
    buf_clear(&glob);
    return ok;
}

static size_t values_in(struct slice text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == ',';
    return n;
}

static bool read_values(struct ledger_filter *f, struct filter_term *term, struct slice text, struct fault *why)
{
    size_t most = values_in(text);
    if (f->values + most > LIMIT_FILTER_VALUES)
        return fault_set(why, FAULT_BAD_REQUEST, "more than %u values in all\nuse * or fewer of them",
                         LIMIT_FILTER_VALUES);
    if (term->op != FILTER_IS && term->dim->decimals < 0)
        return fault_set(why, FAULT_BAD_REQUEST, "%s is not a number\n%s:VALUE; usd, tokens, ms, status … compare",
                         term->dim->name, term->dim->name);
    term->wanted = arena_zalloc(&f->arena, most * sizeof *term->wanted);
    struct slice rest = text;
    do {
        if (!read_value(f, term, &rest, &term->wanted[term->count++], why)) return false;
    } while (rest.ptr);
    if (term->op != FILTER_IS && term->count > 1)
        return fault_set(why, FAULT_BAD_REQUEST, "%s is compared with one number\nwrite a condition for each",
                         term->dim->name);
    f->values += term->count;
    return true;
}

/* ---- Kinds are a set. */

static bool is_kind_like(const char *name, const struct filter_value *wanted)
{
    struct slice word = wanted->text;
    if (!wanted->is_pattern) return slice_equal(slice_str(name), word);
    return word.len > 0 && slice_starts(slice_str(name), slice_of(word.ptr, word.len - 1));
}

static bool add_kinds(struct ledger_filter *f, const struct filter_term *term, struct fault *why)
{
    unsigned wanted = 0;
    for (size_t i = 0; i < term->count; i++) {
        unsigned before = wanted;
        for (int kind = CHAIN_START; chain_kind_name(kind); kind++)
            if (is_kind_like(chain_kind_name(kind), &term->wanted[i])) wanted |= 1u << kind;
        if (wanted == before)
            return fault_set(why, FAULT_BAD_REQUEST, "there is no kind `%.*s`\nthere are start, exchange, intent, "
                             "change, loss, stop, import, alert", SLICE_FMT(utf8_cut(term->wanted[i].text, 40)));
    }
    f->has_kinds = true;
    f->kinds &= term->is_not ? ~wanted : wanted;
    return true;
}

/* ---- One condition. */

static size_t name_bytes(struct slice text)
{
    size_t n = 0;
    while (n < text.len && ((text.ptr[n] >= 'a' && text.ptr[n] <= 'z') || text.ptr[n] == '_'))
        n++;
    return n;
}

/* The operator that stands there; OPERATORS: none. */
static size_t operator_at(struct slice text)
{
    size_t i = 0;
    while (i < OPERATORS && !slice_starts(text, operators[i].text))
        i++;
    return i;
}

static bool add_word(struct ledger_filter *f, struct filter_term *term, struct slice text, struct fault *why)
{
    struct buf plain, glob;
    size_t stars = 0;
    struct slice rest = text;
    buf_init(&plain);
    buf_init(&glob);
    bool is_quoted = text.len && text.ptr[0] == '"';
    bool ok = !is_quoted || take_value(&rest, &plain, &glob, &stars, why);
    struct slice word = is_quoted ? buf_slice(&plain) : text;
    if (ok && word.len == 0)
        ok = fault_set(why, FAULT_BAD_REQUEST, "an empty condition\ndepartment:Sales, or a word");
    term->wanted = arena_zalloc(&f->arena, sizeof *term->wanted);
    term->wanted->text = arena_copy(&f->arena, word);
    term->count = 1;
    buf_clear(&plain);
    buf_clear(&glob);
    return ok;
}

static bool add_condition(struct ledger_filter *f, struct filter_term *term, struct slice text, struct fault *why)
{
    size_t n = name_bytes(text);
    struct slice behind = slice_of(text.ptr + n, text.len - n);
    size_t found = n ? operator_at(behind) : OPERATORS;
    if (found == OPERATORS) return add_word(f, term, text, why);
    term->dim = find_dim(slice_of(text.ptr, n));
    if (!term->dim) return unknown_dim(slice_of(text.ptr, n), why);
    term->op = operators[found].op;
    term->is_not ^= operators[found].is_not;
    size_t skip = operators[found].text.len;
    return read_values(f, term, slice_of(behind.ptr + skip, behind.len - skip), why);
}

bool ledger_filter_add(struct ledger_filter *f, struct slice text, struct fault *why)
{
    struct filter_term term = {0};
    if (text.len > LIMIT_FILTER_BYTES || f->count == LIMIT_FILTER_TERMS)
        return fault_set(why, FAULT_BAD_REQUEST, "more than can be looked for at once\n%u conditions of %u bytes each",
                         LIMIT_FILTER_TERMS, LIMIT_FILTER_BYTES);
    if (!utf8_is_valid(text) || memchr(text.ptr, '\0', text.len))
        return fault_set(why, FAULT_BAD_REQUEST, "a condition that is not a text\nwrite it in UTF-8");
    term.is_not = text.len && text.ptr[0] == '!';
    if (!add_condition(f, &term, slice_of(text.ptr + term.is_not, text.len - term.is_not), why)) return false;
    if (term.dim && strcmp(term.dim->name, "kind") == 0) return add_kinds(f, &term, why);
    f->terms[f->count++] = term;
    return true;
}
