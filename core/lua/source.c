#include "lua/source.h"

#include <ctype.h>

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_STRING, TOKEN_NUMBER, TOKEN_CHAR };

struct token {
    enum token_kind kind;
    char c;            /* TOKEN_CHAR */
    struct slice text; /* a string's without its quotes, escapes as they stand */
    struct source_place at;
};

struct reader {
    const char *p, *end, *line_start;
    int line;
    struct token token; /* the current one */
};

/* --- tokens --- */

static bool has(const struct reader *r, size_t ahead)
{
    return (size_t)(r->end - r->p) > ahead;
}

static void skip_char(struct reader *r)
{
    if (*r->p++ == '\n') {
        r->line++;
        r->line_start = r->p;
    }
}

/* The level of a long bracket at p ("[==[": 2), -1 when there is none. */
static int long_level(const struct reader *r)
{
    const char *p = r->p;
    if (p == r->end || *p++ != '[') return -1;
    int level = 0;
    while (p < r->end && *p == '=')
        p++, level++;
    return p < r->end && *p == '[' ? level : -1;
}

static struct slice skip_long(struct reader *r, int level)
{
    r->p += level + 2;
    const char *start = r->p;
    for (; r->p < r->end; skip_char(r)) {
        if (*r->p != ']' || !has(r, (size_t)level + 1) || r->p[level + 1] != ']') continue;
        int i = 1;
        while (i <= level && r->p[i] == '=')
            i++;
        if (i <= level) continue;
        struct slice inner = slice_of(start, (size_t)(r->p - start));
        r->p += level + 2;
        return inner;
    }
    return slice_of(start, (size_t)(r->p - start));
}

static void skip_blank(struct reader *r)
{
    for (;;) {
        if (r->p < r->end && isspace((unsigned char)*r->p)) {
            skip_char(r);
        } else if (has(r, 1) && r->p[0] == '-' && r->p[1] == '-') {
            r->p += 2;
            int level = long_level(r);
            if (level >= 0)
                skip_long(r, level);
            else
                while (r->p < r->end && *r->p != '\n')
                    r->p++;
        } else {
            return;
        }
    }
}

static struct slice skip_quoted(struct reader *r)
{
    char quote = *r->p++;
    const char *start = r->p;
    while (r->p < r->end && *r->p != quote && *r->p != '\n') {
        if (*r->p == '\\' && has(r, 1)) r->p++;
        skip_char(r);
    }
    struct slice inner = slice_of(start, (size_t)(r->p - start));
    if (r->p < r->end) skip_char(r);
    return inner;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void next(struct reader *r)
{
    skip_blank(r);
    struct token *t = &r->token;
    *t = (struct token){.kind = TOKEN_END, .at = {r->line, (int)(r->p - r->line_start) + 1}};
    if (r->p == r->end) return;
    const char *start = r->p;
    int level = long_level(r);
    if (*r->p == '"' || *r->p == '\'') {
        t->kind = TOKEN_STRING;
        t->text = skip_quoted(r);
    } else if (level >= 0) {
        t->kind = TOKEN_STRING;
        t->text = skip_long(r, level);
    } else if (is_word(*r->p)) {
        t->kind = isdigit((unsigned char)*r->p) ? TOKEN_NUMBER : TOKEN_NAME;
        while (r->p < r->end && (is_word(*r->p) || (t->kind == TOKEN_NUMBER && *r->p == '.')))
            r->p++;
        t->text = slice_of(start, (size_t)(r->p - start));
    } else {
        t->kind = TOKEN_CHAR;
        t->c = *r->p;
        skip_char(r);
    }
}

static bool is_char(const struct reader *r, char c)
{
    return r->token.kind == TOKEN_CHAR && r->token.c == c;
}

static bool is_name(const struct reader *r, struct slice name)
{
    return r->token.kind == TOKEN_NAME && slice_equal(r->token.text, name);
}

/* +1 for a token that opens a bracket or block, -1 for one that closes it. */
static int nesting(const struct reader *r)
{
    if (r->token.kind == TOKEN_CHAR) {
        if (strchr("({[", r->token.c)) return 1;
        return strchr(")}]", r->token.c) ? -1 : 0;
    }
    if (is_name(r, SLICE("function")) || is_name(r, SLICE("if")) || is_name(r, SLICE("do")) ||
        is_name(r, SLICE("repeat")))
        return 1;
    return is_name(r, SLICE("end")) || is_name(r, SLICE("until")) ? -1 : 0;
}

/* --- tables --- */

/* Leaves the reader at the '{' of the file's own return. */
static bool find_table(struct reader *r)
{
    int depth = 0;
    for (next(r); r->token.kind != TOKEN_END; next(r)) {
        depth += nesting(r);
        if (depth != 0 || !is_name(r, SLICE("return"))) continue;
        next(r);
        if (r->token.kind == TOKEN_NAME) next(r);
        if (is_char(r, '(')) next(r);
        return is_char(r, '{');
    }
    return false;
}

/* From a value's first token to the ',' ';' or '}' behind it. */
static void skip_value(struct reader *r)
{
    int depth = 0;
    for (; r->token.kind != TOKEN_END; next(r)) {
        if (depth == 0 && (is_char(r, ',') || is_char(r, ';') || is_char(r, '}'))) return;
        depth += nesting(r);
    }
}

struct field {
    struct slice name; /* empty: positional */
    struct source_place at;
};

/* Reads "name =", "[key] =" or nothing; leaves the reader at the value. */
static struct field read_key(struct reader *r)
{
    struct field field = {.at = r->token.at};
    struct reader before = *r;
    if (is_char(r, '[')) {
        next(r);
        field.name = r->token.text;
        while (r->token.kind != TOKEN_END && !is_char(r, '='))
            next(r);
        next(r);
    } else if (r->token.kind == TOKEN_NAME) {
        struct slice name = r->token.text;
        next(r);
        if (is_char(r, '=') && !(r->p < r->end && *r->p == '=')) {
            field.name = name;
            next(r);
        } else {
            *r = before;
        }
    }
    return field;
}

/* At a '{'; moves to the value of the field wanted. */
static bool enter_field(struct reader *r, const struct source_key *key, struct source_place *at)
{
    int index = 0;
    next(r);
    while (r->token.kind != TOKEN_END && !is_char(r, '}')) {
        struct field field = read_key(r);
        if (!field.name.len) index++;
        if (key->name.len ? slice_equal(field.name, key->name) : !field.name.len && index == key->index) {
            *at = field.at;
            return true;
        }
        skip_value(r);
        if (!is_char(r, '}')) next(r);
    }
    return false;
}

/* At a value; moves to its '{', also through the call of a constructor: name { … }, name({ … }). */
static bool enter_table(struct reader *r)
{
    if (r->token.kind == TOKEN_NAME) next(r);
    if (is_char(r, '(')) next(r);
    return is_char(r, '{');
}

bool source_locate(struct slice text, const struct source_key *path, size_t depth, struct source_place *at)
{
    struct reader r = {.p = text.ptr, .end = text.ptr + text.len, .line_start = text.ptr, .line = 1};
    *at = (struct source_place){0, 0};
    if (!find_table(&r)) return false;
    *at = r.token.at;
    for (size_t i = 0; i < depth; i++) {
        if (!enter_table(&r) || !enter_field(&r, &path[i], at)) return false;
    }
    return true;
}
