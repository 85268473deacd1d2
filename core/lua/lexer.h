/*
 * The tokens of a Lua text, each with its place: for whoever looks for something in a file without running it.
 *
 *     struct lexer lexer;
 *     lexer_init(&lexer, text);
 *     for (lexer_next(&lexer); lexer.token.kind != LEXER_END; lexer_next(&lexer)) …
 *
 * White space and comments are passed over. A lexer is a value: a copy is a place to go back to.
 * Borrows the text. Any bytes will do; what is cut short ends where the text does.
 */
#ifndef MOONGATE_LUA_LEXER_H
#define MOONGATE_LUA_LEXER_H

#include <stdbool.h>

#include "base/slice.h"

enum lexer_kind {
    LEXER_END,
    LEXER_NAME,   /* keywords too */
    LEXER_TEXT,   /* "…", '…', [[…]] */
    LEXER_NUMBER, /* also what only begins like one */
    LEXER_SIGN,   /* one character, or == ~= <= >= .. ... */
};

struct lexer_place {
    int line, column; /* from 1, in bytes; 0: none */
};

struct lexer_token {
    enum lexer_kind kind;
    struct slice text; /* a LEXER_TEXT's without its quotes, escapes as they stand */
    struct slice whole;
    struct lexer_place at;
};

struct lexer {
    const char *next, *end, *line_start;
    int line;
    struct lexer_token token;
};

/* No token is read yet. */
void lexer_init(struct lexer *lexer, struct slice text);
void lexer_next(struct lexer *lexer);

bool lexer_is_sign(const struct lexer *lexer, char c);
bool lexer_is_name(const struct lexer *lexer, struct slice name);

#endif
