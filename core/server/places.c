#include "server/places.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_TEXT, TOKEN_OTHER };

struct token {
    enum token_kind kind;
    struct slice text; /* of a TOKEN_TEXT: without quotes, escapes as they stand */
    int line, column;
};

struct scanner {
    struct places *places;
    const char *at, *end, *line_start;
    int line;
    struct token now;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_char(struct scanner *s)
{
    if (*s->at == '\n') {
        s->line++;
        s->line_start = s->at + 1;
    }
    s->at++;
}

/* At "[", is it "[[" or "[==["? The number of equals signs, or -1. */
static int long_level(const struct scanner *s)
{
    const char *p = s->at + 1;
    while (p < s->end && *p == '=')
        p++;
    return p < s->end && *p == '[' ? (int)(p - s->at - 1) : -1;
}

static struct slice skip_long(struct scanner *s, int level)
{
    s->at += level + 2;
    const char *start = s->at;
    for (; s->at < s->end; skip_char(s)) {
        if (*s->at != ']') continue;
        const char *p = s->at + 1;
        while (p < s->end && *p == '=')
            p++;
        if (p < s->end && *p == ']' && p - s->at - 1 == level) {
            struct slice text = slice_of(start, (size_t)(s->at - start));
            s->at = p + 1;
            return text;
        }
    }
    return slice_of(start, (size_t)(s->end - start));
}

static struct slice skip_quoted(struct scanner *s)
{
    char quote = *s->at++;
    const char *start = s->at;
    while (s->at < s->end && *s->at != quote) {
        if (*s->at == '\\' && s->at + 1 < s->end) s->at++;
        skip_char(s);
    }
    struct slice text = slice_of(start, (size_t)(s->at - start));
    if (s->at < s->end) s->at++;
    return text;
}

static void skip_space(struct scanner *s)
{
    while (s->at < s->end) {
        if (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n') {
            skip_char(s);
        } else if (s->end - s->at >= 2 && s->at[0] == '-' && s->at[1] == '-') {
            s->at += 2;
            int level = s->at < s->end && *s->at == '[' ? long_level(s) : -1;
            if (level >= 0) {
                skip_long(s, level);
            } else {
                while (s->at < s->end && *s->at != '\n')
                    s->at++;
            }
        } else {
            return;
        }
    }
}

static void advance(struct scanner *s)
{
    skip_space(s);
    s->now = (struct token){TOKEN_END, SLICE_NONE, s->line, (int)(s->at - s->line_start) + 1};
    if (s->at >= s->end) return;
    const char *start = s->at;
    if (is_letter(*s->at)) {
        while (s->at < s->end && (is_letter(*s->at) || is_digit(*s->at)))
            s->at++;
        s->now.kind = TOKEN_NAME;
        s->now.text = slice_of(start, (size_t)(s->at - start));
    } else if (*s->at == '"' || *s->at == '\'') {
        s->now.kind = TOKEN_TEXT;
        s->now.text = skip_quoted(s);
    } else if (*s->at == '[' && long_level(s) >= 0) {
        s->now.kind = TOKEN_TEXT;
        s->now.text = skip_long(s, long_level(s));
    } else {
        bool is_double = s->end - s->at >= 2 && s->at[0] == '=' && s->at[1] == '=';
        s->at += is_double ? 2 : 1;
        s->now.kind = TOKEN_OTHER;
        s->now.text = slice_of(start, (size_t)(s->at - start));
    }
}

static bool is_sign(const struct token *t, char c)
{
    return t->kind == TOKEN_OTHER && t->text.len == 1 && t->text.ptr[0] == c;
}

static void note(struct scanner *s, struct slice path, const struct token *key)
{
    struct places *p = s->places;
    if (p->count == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 32;
        p->items = mem_realloc(p->items, p->cap * sizeof *p->items);
    }
    p->items[p->count++] = (struct place){path, key->line, key->column, s->now.line, s->now.column};
}

static struct slice join(struct scanner *s, struct slice path, struct slice name)
{
    if (path.len == 0) return arena_copy(&s->places->arena, name);
    return arena_printf(&s->places->arena, "%.*s.%.*s", SLICE_FMT(path), SLICE_FMT(name));
}

/* At a field's start: its name, when it has one, is consumed with the "=". */
static bool scan_key(struct scanner *s, struct token *key)
{
    struct scanner before = *s;
    *key = s->now;
    if (s->now.kind == TOKEN_NAME) {
        advance(s);
        if (is_sign(&s->now, '=')) {
            advance(s);
            return true;
        }
    } else if (is_sign(&s->now, '[')) {
        advance(s);
        key->text = s->now.text;
        bool is_text = s->now.kind == TOKEN_TEXT;
        advance(s);
        if (is_text && is_sign(&s->now, ']')) {
            advance(s);
            if (is_sign(&s->now, '=')) {
                advance(s);
                return true;
            }
        }
    }
    *s = before;
    return false;
}

static void scan_table(struct scanner *s, struct slice path, unsigned depth);

/* To the comma or brace that ends the field; tables inside it belong to its path. */
static void scan_value(struct scanner *s, struct slice path, unsigned depth)
{
    int nested = 0;
    while (s->now.kind != TOKEN_END) {
        if (is_sign(&s->now, '{') && depth < LIMIT_CONFIG_DEPTH) {
            scan_table(s, path, depth + 1);
            continue;
        }
        if (nested == 0 && (is_sign(&s->now, ',') || is_sign(&s->now, ';') || is_sign(&s->now, '}'))) return;
        if (is_sign(&s->now, '(') || is_sign(&s->now, '[') || is_sign(&s->now, '{')) nested++;
        if (is_sign(&s->now, ')') || is_sign(&s->now, ']') || is_sign(&s->now, '}')) nested--;
        advance(s);
    }
}

static void scan_table(struct scanner *s, struct slice path, unsigned depth)
{
    unsigned position = 0;
    advance(s); /* the brace */
    while (s->now.kind != TOKEN_END && !is_sign(&s->now, '}')) {
        struct token key;
        struct slice here;
        if (scan_key(s, &key)) {
            here = join(s, path, key.text);
        } else {
            here = arena_printf(&s->places->arena, "%.*s[%u]", SLICE_FMT(path), ++position);
        }
        note(s, here, &key);
        scan_value(s, here, depth);
        if (is_sign(&s->now, ',') || is_sign(&s->now, ';')) advance(s);
    }
    advance(s);
}

void places_init(struct places *p)
{
    *p = (struct places){0};
    arena_init(&p->arena);
}

void places_clear(struct places *p)
{
    arena_clear(&p->arena);
    mem_free(p->items);
    *p = (struct places){0};
}

void places_scan(struct places *p, struct slice text)
{
    struct scanner s = {.places = p, .at = text.ptr, .end = text.ptr + text.len, .line_start = text.ptr, .line = 1};
    bool is_after_return = false;
    for (advance(&s); s.now.kind != TOKEN_END;) {
        if (s.now.kind == TOKEN_NAME && slice_equal(s.now.text, SLICE("return"))) is_after_return = true;
        if (is_after_return && is_sign(&s.now, '{')) {
            scan_table(&s, SLICE_NONE, 1);
            is_after_return = false;
        } else {
            advance(&s);
        }
    }
}

static const struct place *find_exact(const struct places *p, struct slice path)
{
    /* The last one wins, as it does in Lua. */
    for (size_t i = p->count; i-- > 0;) {
        if (slice_equal(p->items[i].path, path)) return &p->items[i];
    }
    return NULL;
}

const struct place *places_find(const struct places *p, struct slice path, bool *is_exact)
{
    const struct place *found = find_exact(p, path);
    if (is_exact) *is_exact = found != NULL;
    while (!found && path.len > 0) {
        do
            path.len--;
        while (path.len > 0 && path.ptr[path.len] != '.' && path.ptr[path.len] != '[');
        if (path.len > 0) found = find_exact(p, path);
    }
    return found;
}
