/*
 * The levels of a text: JSON in it, JSON in the strings of that, and so on. What a level's string holds goes to the
 * next level with its escapes undone; all else is told. Each byte carries the range of the text that it stands for, so
 * levels need know nothing of each other.
 */
#include "wire/sight_inner.h"

#include "base/hex.h"
#include "base/utf8.h"

static void text_byte(struct sight *s, unsigned level, struct sight_byte b);

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_token_byte(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '+' || c == '.';
}

/* ---- Escapes. */

static bool is_high(uint32_t code)
{
    return code >= 0xD800 && code <= 0xDBFF;
}

/* Can c stand there in an escape? */
static bool may_go_on(const struct sight_level *l, unsigned char c)
{
    switch (l->escape_len) {
    case 1: return l->state == LEVEL_STRING ? c && strchr("\"\\/bfnrtu", c) : c == 'u';
    case 6: return c == '\\';
    case 7: return c == 'u';
    case 8: return c == 'd' || c == 'D';
    case 9: return hex_digit((char)c) >= 12;
    default: return hex_digit((char)c) >= 0;
    }
}

static bool is_complete(const struct sight_level *l)
{
    if (l->escape_len == 2) return l->escape[1] != 'u';
    return l->escape_len == SIGHT_ESCAPE_BYTES || (l->escape_len == 6 && !is_high(hex_four(l->escape + 2)));
}

static uint32_t meaning(const struct sight_level *l)
{
    static const char letters[] = "bfnrt", what[] = "\b\f\n\r\t";
    const char *letter = strchr(letters, l->escape[1]);
    if (l->escape[1] != 'u') return letter ? (unsigned char)what[letter - letters] : (unsigned char)l->escape[1];
    uint32_t code = hex_four(l->escape + 2);
    if (l->escape_len == 6) return is_high(code) || (code & 0xFC00) == 0xDC00 ? 0xFFFD : code; /* half a character */
    return 0x10000 + ((code & 0x3FF) << 10) + (hex_four(l->escape + 8) & 0x3FF);
}

/* What the level reads: of a string, the next level's business. */
static void read_byte(struct sight *s, unsigned level, struct sight_byte b)
{
    if (s->levels[level].state == LEVEL_STRING)
        sight_take(s, level + 1, b);
    else
        text_byte(s, level, b);
}

static void tell_escape(struct sight *s, unsigned level)
{
    struct sight_level *l = &s->levels[level];
    char utf8[4];
    size_t len = utf8_write(utf8, meaning(l));
    l->escape_len = 0;
    for (size_t i = 0; i < len; i++)
        read_byte(s, level, (struct sight_byte){(unsigned char)utf8[i], l->from, l->to});
}

/* It was none: its bytes are what they are, and together stand for where they stood. The first half of a pair is a
 * character of its own. */
static void give_up_escape(struct sight *s, unsigned level)
{
    struct sight_level *l = &s->levels[level], was = *l;
    unsigned from = 0;
    if (was.escape_len >= 6) {
        l->escape_len = 6;
        l->to = was.middle;
        tell_escape(s, level);
        from = 6;
    }
    l->escape_len = 0;
    for (unsigned i = from; i < was.escape_len; i++)
        read_byte(s, level, (struct sight_byte){(unsigned char)was.escape[i], from ? was.middle : was.from, was.to});
}

/* A byte of an escape, or the first of one. False: it is none. */
static bool take_escape(struct sight *s, unsigned level, struct sight_byte b)
{
    struct sight_level *l = &s->levels[level];
    if (l->escape_len && !may_go_on(l, b.byte)) give_up_escape(s, level);
    if (!l->escape_len && b.byte != '\\') return false;
    if (!l->escape_len) l->from = b.from;
    l->escape[l->escape_len++] = (char)b.byte;
    l->to = b.to;
    if (l->escape_len == 6) l->middle = b.to;
    if (l->escape_len > 1 && is_complete(l)) tell_escape(s, level);
    return true;
}

/* ---- JSON outside its strings. */

static bool is_number(const struct sight *s)
{
    bool has_digit = false;
    for (unsigned i = 0; i < s->token_len; i++) {
        unsigned char c = s->token[i].byte;
        if (c >= '0' && c <= '9') has_digit = true;
        else if (!strchr("+-.eE", c) || (i == 0 && c != '-')) return false;
    }
    return has_digit;
}

static bool is_word(const struct sight *s)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        size_t len = strlen(words[w]), i = 0;
        while (len == s->token_len && i < len && s->token[i].byte == (unsigned char)words[w][i])
            i++;
        if (i == len && len == s->token_len) return true;
    }
    return false;
}

/* The number or word is over. What is neither shows that it was no JSON. */
static void end_token(struct sight *s, unsigned level)
{
    struct sight_level *l = &s->levels[level];
    enum sight_kind kind = is_number(s) ? SIGHT_NUMBER : is_word(s) ? SIGHT_STRUCTURE : SIGHT_TEXT;
    if (l->state == LEVEL_TOKEN) l->state = kind == SIGHT_TEXT ? LEVEL_TEXT : LEVEL_BARE;
    for (unsigned i = 0; i < s->token_len; i++)
        sight_tell(s, s->token[i], level, kind);
    s->token_len = 0;
}

static void token_byte(struct sight *s, unsigned level, struct sight_byte b)
{
    if (s->token_len == SIGHT_TOKEN_BYTES) {
        s->levels[level].state = LEVEL_TEXT;
        end_token(s, level);
        text_byte(s, level, b);
        return;
    }
    s->token[s->token_len++] = b;
}

static void open_string(struct sight *s, unsigned level, struct sight_byte b)
{
    s->levels[level].state = LEVEL_STRING;
    s->innermost = level + 1;
    if (level + 1 < LIMIT_SIGHT_LEVELS) s->levels[level + 1] = (struct sight_level){.state = LEVEL_TEXT};
    sight_tell(s, b, level, SIGHT_STRUCTURE);
}

/* Only where one may stand; behind a value it is text again. */
static void bare_value(struct sight *s, unsigned level, struct sight_byte b)
{
    struct sight_level *l = &s->levels[level];
    bool is_value = l->is_value && (b.byte == '"' || is_token_byte(b.byte));
    l->is_value = false;
    if (!is_value) {
        l->state = LEVEL_TEXT;
        text_byte(s, level, b);
    } else if (b.byte == '"') {
        open_string(s, level, b);
    } else {
        l->state = LEVEL_TOKEN;
        token_byte(s, level, b);
    }
}

static void bare_byte(struct sight *s, unsigned level, struct sight_byte b)
{
    struct sight_level *l = &s->levels[level];
    bool opens = b.byte == '{' || b.byte == '[', closes = b.byte == '}' || b.byte == ']';
    if (!is_blank(b.byte) && !opens && !closes && b.byte != ',' && b.byte != ':') {
        bare_value(s, level, b);
        return;
    }
    if (!is_blank(b.byte)) l->is_value = !closes;
    if (opens && ++l->depth > LIMIT_SIGHT_BRACKETS) l->state = LEVEL_TEXT;
    if (closes && --l->depth == 0) l->state = LEVEL_TEXT;
    sight_tell(s, b, level, SIGHT_STRUCTURE);
}

/* ---- Text, and what may begin JSON in it. */

static bool begins_json(const struct sight_level *l, unsigned char c)
{
    if (l->state == LEVEL_OBJECT) return c == '"' || c == '}';
    return l->state == LEVEL_ARRAY && (is_token_byte(c) || c == '"' || c == '{' || c == '[' || c == ']');
}

static void text_byte(struct sight *s, unsigned level, struct sight_byte b)
{
    struct sight_level *l = &s->levels[level];
    if (begins_json(l, b.byte)) {
        l->state = LEVEL_BARE;
        l->depth = 1;
        l->is_value = true;
        bare_byte(s, level, b);
        return;
    }
    if (b.byte == '{') l->state = LEVEL_OBJECT;
    else if (b.byte == '[') l->state = LEVEL_ARRAY;
    else if (!is_blank(b.byte)) l->state = LEVEL_TEXT;
    sight_tell(s, b, level, SIGHT_TEXT);
}

static void string_byte(struct sight *s, unsigned level, struct sight_byte b)
{
    if (take_escape(s, level, b)) return;
    if (b.byte != '"') {
        sight_take(s, level + 1, b);
        return;
    }
    sight_close(s, level + 1);
    s->levels[level].state = LEVEL_BARE;
    s->innermost = level;
    sight_tell(s, b, level, SIGHT_STRUCTURE);
}

void sight_take(struct sight *s, unsigned level, struct sight_byte b)
{
    if (level == LIMIT_SIGHT_LEVELS) {
        if (b.byte == '\\') s->is_too_deep = true;
        sight_tell(s, b, level, SIGHT_TEXT);
        return;
    }
    struct sight_level *l = &s->levels[level];
    if (l->state == LEVEL_STRING) {
        string_byte(s, level, b);
        return;
    }
    if (l->state == LEVEL_TOKEN && is_token_byte(b.byte)) {
        token_byte(s, level, b);
        return;
    }
    if (l->state == LEVEL_TOKEN) end_token(s, level);
    if (l->state == LEVEL_BARE)
        bare_byte(s, level, b);
    else if (!take_escape(s, level, b))
        text_byte(s, level, b);
}

void sight_close(struct sight *s, unsigned level)
{
    if (level >= LIMIT_SIGHT_LEVELS) return;
    struct sight_level *l = &s->levels[level];
    if (l->escape_len) give_up_escape(s, level);
    if (l->state == LEVEL_STRING) sight_close(s, level + 1);
    if (l->state == LEVEL_TOKEN) end_token(s, level);
}

/* ---- The text of a part, read and written. */

/* Bytes of the escape at p, 0 when it is none. */
static size_t read_escape(const char *p, size_t left, struct sight_level *l)
{
    size_t len = 0;
    *l = (struct sight_level){.state = LEVEL_STRING};
    do
        l->escape[l->escape_len++] = p[len++];
    while (!(len > 1 && is_complete(l)) && len < left && may_go_on(l, (unsigned char)p[len]));
    return len > 1 && is_complete(l) ? len : 0;
}

static void undo_escapes(struct slice raw, struct buf *out)
{
    struct sight_level escape;
    char utf8[4];
    for (size_t i = 0, len; i < raw.len; i += len) {
        const char *next = memchr(raw.ptr + i, '\\', raw.len - i);
        if (next != raw.ptr + i) {
            len = next ? (size_t)(next - raw.ptr) - i : raw.len - i;
            buf_append(out, slice_of(raw.ptr + i, len));
        } else if ((len = read_escape(next, raw.len - i, &escape)) > 0) {
            buf_append(out, slice_of(utf8, utf8_write(utf8, meaning(&escape))));
        } else {
            buf_append_char(out, raw.ptr[i]);
            len = 1;
        }
    }
}

void sight_read(struct slice raw, unsigned depth, struct buf *out)
{
    struct buf now, then;
    buf_init(&now);
    buf_append(&now, raw);
    for (; depth > 0; depth--) {
        buf_init(&then);
        undo_escapes(buf_slice(&now), &then);
        buf_clear(&now);
        now = then;
    }
    buf_append(out, buf_slice(&now));
    buf_clear(&now);
}

void sight_write(struct slice text, unsigned depth, bool is_number, struct buf *out)
{
    struct buf now, then;
    buf_init(&now);
    if (is_number)
        buf_append_json(&now, text);
    else
        buf_append(&now, text);
    for (; depth > 0; depth--) {
        buf_init(&then);
        buf_append_json(&then, buf_slice(&now));
        buf_reset(&now);
        buf_append(&now, slice_of(buf_ptr(&then) + 1, buf_len(&then) - 2));
        buf_clear(&then);
    }
    buf_append(out, buf_slice(&now));
    buf_clear(&now);
}
