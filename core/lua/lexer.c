#include "lua/lexer.h"

#include <ctype.h>

void lexer_init(struct lexer *lexer, struct slice text)
{
    *lexer = (struct lexer){.next = text.ptr, .end = text.ptr + text.len, .line_start = text.ptr, .line = 1};
}

static bool has(const struct lexer *x, size_t ahead)
{
    return (size_t)(x->end - x->next) > ahead;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void skip_char(struct lexer *x)
{
    if (*x->next++ != '\n') return;
    x->line++;
    x->line_start = x->next;
}

/* The level of the long bracket that comes next ("[==[": 2), -1 when there is none. */
static int long_level(const struct lexer *x)
{
    const char *p = x->next;
    if (p == x->end || *p++ != '[') return -1;
    int level = 0;
    while (p < x->end && *p == '=')
        p++, level++;
    return p < x->end && *p == '[' ? level : -1;
}

/* Does the long bracket of that level end here? */
static bool is_long_end(const struct lexer *x, int level)
{
    if (*x->next != ']' || !has(x, (size_t)level + 1) || x->next[level + 1] != ']') return false;
    int i = 1;
    while (i <= level && x->next[i] == '=')
        i++;
    return i > level;
}

static struct slice skip_long(struct lexer *x, int level)
{
    x->next += level + 2;
    const char *start = x->next;
    while (x->next < x->end && !is_long_end(x, level))
        skip_char(x);
    struct slice inner = slice_of(start, (size_t)(x->next - start));
    if (x->next < x->end) x->next += level + 2;
    return inner;
}

static void skip_comment(struct lexer *x)
{
    x->next += 2;
    int level = long_level(x);
    if (level >= 0) {
        skip_long(x, level);
        return;
    }
    const char *end = memchr(x->next, '\n', (size_t)(x->end - x->next));
    x->next = end ? end : x->end;
}

static void skip_blank(struct lexer *x)
{
    while (x->next < x->end) {
        if (isspace((unsigned char)*x->next))
            skip_char(x);
        else if (x->next[0] == '-' && has(x, 1) && x->next[1] == '-')
            skip_comment(x);
        else
            return;
    }
}

/* Behind a backslash: \z takes the white space after it along, line ends too. */
static void skip_escape(struct lexer *x)
{
    bool is_gap = *x->next == 'z';
    skip_char(x);
    while (is_gap && x->next < x->end && isspace((unsigned char)*x->next))
        skip_char(x);
}

/* Ends at the end of the line at the latest: a quote that nobody closed is not to swallow the file. */
static struct slice skip_quoted(struct lexer *x)
{
    char quote = *x->next++;
    const char *start = x->next;
    while (x->next < x->end && *x->next != quote && *x->next != '\n') {
        bool is_escape = *x->next++ == '\\';
        if (is_escape && x->next < x->end) skip_escape(x);
    }
    struct slice inner = slice_of(start, (size_t)(x->next - start));
    if (x->next < x->end && *x->next == quote) x->next++;
    return inner;
}

/* 10, 0x1F, 1e-5, 0x1p+3, 10LL: a sign belongs to it behind an exponent's letter. */
static void skip_number(struct lexer *x)
{
    bool is_hex = has(x, 1) && x->next[0] == '0' && (x->next[1] | 0x20) == 'x';
    while (x->next < x->end && (is_word(*x->next) || *x->next == '.')) {
        char c = (char)(*x->next++ | 0x20);
        bool is_exponent = is_hex ? c == 'p' : c == 'e';
        if (is_exponent && x->next < x->end && (*x->next == '+' || *x->next == '-')) x->next++;
    }
}

static void skip_sign(struct lexer *x)
{
    char c = *x->next++;
    bool is_dot = c == '.';
    if (x->next == x->end || *x->next != (is_dot ? '.' : '=') || !strchr("=~<>.", c)) return;
    x->next++;
    if (is_dot && x->next < x->end && *x->next == '.') x->next++;
}

void lexer_next(struct lexer *x)
{
    struct lexer_token *t = &x->token;
    skip_blank(x);
    *t = (struct lexer_token){.kind = LEXER_END, .at = {x->line, (int)(x->next - x->line_start) + 1}};
    if (x->next == x->end) return;
    const char *start = x->next;
    int level = long_level(x);
    if (*start == '"' || *start == '\'' || level >= 0) {
        t->kind = LEXER_TEXT;
        t->text = level >= 0 ? skip_long(x, level) : skip_quoted(x);
    } else if (isdigit((unsigned char)*start)) {
        t->kind = LEXER_NUMBER;
        skip_number(x);
    } else if (is_word(*start)) {
        t->kind = LEXER_NAME;
        while (x->next < x->end && is_word(*x->next))
            x->next++;
    } else {
        t->kind = LEXER_SIGN;
        skip_sign(x);
    }
    t->whole = slice_of(start, (size_t)(x->next - start));
    if (t->kind != LEXER_TEXT) t->text = t->whole;
}

bool lexer_is_sign(const struct lexer *x, char c)
{
    return x->token.kind == LEXER_SIGN && x->token.text.len == 1 && x->token.text.ptr[0] == c;
}

bool lexer_is_name(const struct lexer *x, struct slice name)
{
    return x->token.kind == LEXER_NAME && slice_equal(x->token.text, name);
}
