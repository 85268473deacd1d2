#include "wire/skim.h"

#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "wire/json_inner.h"
#include "wire/skim_inner.h"

struct skim *skim_new(void)
{
    return mem_zalloc(1, sizeof(struct skim));
}

void skim_free(struct skim *s)
{
    if (!s) return;
    buf_clear(&s->piece);
    mem_free(s);
}

/* ---- Values. */

/* What there is of the object is told, unless nothing of it is there. */
static void tell_rest(struct skim *s)
{
    if (s->place == IN_STRING || s->place == IN_ESCAPE) buf_append_char(&s->piece, '"');
    if (s->depth && s->levels[0].has_written) skim_tell(s);
    s->depth = 0;
}

static void break_off(struct skim *s)
{
    tell_rest(s);
    s->place = BROKEN;
}

static void begin_value(struct skim *s)
{
    struct level *level = skim_innermost(s);
    if (level->is_list) level->count++;
    skim_write_place(s, level);
}

static void open_level(struct skim *s, char bracket)
{
    if (s->depth) begin_value(s);
    if (s->depth == LIMIT_JSON_DEPTH) {
        buf_append(&s->piece, SLICE("null"));
        s->deep = 1;
        s->place = TOO_DEEP;
        return;
    }
    struct level *level = &s->levels[s->depth++];
    level->is_list = bracket == '[';
    level->has_written = false;
    level->key_len = level->index_len = 0;
    level->count = 0;
    buf_append_char(&s->piece, bracket);
    s->place = level->is_list ? BEFORE_VALUE : BEFORE_KEY;
}

static void close_level(struct skim *s, char bracket)
{
    if ((bracket == ']') != skim_innermost(s)->is_list) {
        break_off(s);
        return;
    }
    if (s->depth == 1) {
        skim_tell(s);
        s->depth = 0;
        s->place = OUTSIDE;
        s->has_root = true;
        return;
    }
    buf_append_char(&s->piece, bracket);
    s->depth--;
    s->place = BEHIND_VALUE;
}

static bool is_digits(const char *p, size_t *at, size_t len)
{
    size_t from = *at;
    while (*at < len && p[*at] >= '0' && p[*at] <= '9')
        ++*at;
    return *at > from;
}

/* RFC 8259 6. */
static bool is_number(struct slice w)
{
    size_t at = w.len && w.ptr[0] == '-';
    size_t first = at;
    if (!is_digits(w.ptr, &at, w.len) || (w.ptr[first] == '0' && at > first + 1)) return false;
    if (at < w.len && w.ptr[at] == '.') {
        at++;
        if (!is_digits(w.ptr, &at, w.len)) return false;
    }
    if (at < w.len && (w.ptr[at] | 0x20) == 'e') {
        at++;
        if (at < w.len && (w.ptr[at] == '+' || w.ptr[at] == '-')) at++;
        if (!is_digits(w.ptr, &at, w.len)) return false;
    }
    return at == w.len;
}

static void keep_index(struct level *level, struct slice number)
{
    if (!slice_equal(slice_of(level->key, level->key_len), SLICE("index"))) return;
    memcpy(level->index, number.ptr, number.len);
    level->index_len = (uint8_t)number.len;
}

static void end_word(struct skim *s)
{
    struct level *level = skim_innermost(s);
    struct slice word = slice_of(s->word, s->word_len);
    bool is_word = slice_equal(word, SLICE("true")) || slice_equal(word, SLICE("false"));
    bool is_count = s->word_len < SKIM_WORD_BYTES && is_number(word);
    s->place = BEHIND_VALUE;
    if (is_count && level->is_list) {
        level->count++;
        return;
    }
    begin_value(s);
    if (is_count && !level->is_list) keep_index(level, word);
    buf_append(&s->piece, is_word || is_count ? word : SLICE("null"));
}

/* ---- Strings. */

/* `word` is what stands behind the backslash so far. */
static void read_unit(struct skim *s)
{
    uint32_t unit = 0;
    if (s->word_len < 5) return;
    for (size_t i = 1; i < 5; i++) {
        int digit = hex_digit(s->word[i]);
        if (digit < 0) {
            break_off(s);
            return;
        }
        unit = unit << 4 | (uint32_t)digit;
    }
    s->place = IN_STRING;
    skim_write_unit(s, unit);
}

static void read_escape(struct skim *s, char c)
{
    s->word[s->word_len++] = c;
    if (s->word[0] == 'u') {
        read_unit(s);
        return;
    }
    if (!c || !strchr("\"\\/bfnrt", c)) {
        break_off(s);
        return;
    }
    skim_end_half(s);
    s->place = IN_STRING;
    buf_append_char(&s->piece, '\\');
    buf_append_char(&s->piece, c);
}

/* Bytes taken. A control character in a text is a blank: JSON has none. */
static size_t read_string(struct skim *s, struct slice bytes)
{
    const char *stop = (const char *)json_skip_plain((json_at)bytes.ptr, (json_at)bytes.ptr + bytes.len);
    size_t len = (size_t)(stop - bytes.ptr);
    if (len) skim_write_plain(s, slice_of(bytes.ptr, len));
    if (len == bytes.len) return len;
    if (buf_len(&s->piece) >= LIMIT_SKIM_BYTES) skim_cut_text(s);
    if (*stop == '\\') {
        s->place = IN_ESCAPE;
        s->word_len = 0;
    } else if (*stop == '"') {
        skim_end_half(s);
        buf_append_char(&s->piece, '"');
        s->place = BEHIND_VALUE;
    } else {
        skim_write_plain(s, SLICE(" "));
    }
    return len + 1;
}

static void read_key(struct skim *s, char c)
{
    struct level *level = skim_innermost(s);
    if (c == '"' && !s->is_escape) {
        if (s->is_long_key) level->key_len = 0;
        s->place = BEHIND_KEY;
        return;
    }
    s->is_escape = c == '\\' && !s->is_escape;
    if (level->key_len == LIMIT_SKIM_KEY_BYTES)
        s->is_long_key = true;
    else
        level->key[level->key_len++] = c;
}

/* ---- Bytes. */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_end(char c)
{
    return c == ',' || c == ']' || c == '}' || is_blank(c);
}

static void begin(struct skim *s, char c)
{
    if (c == '{' || c == '[') {
        open_level(s, c);
    } else if (c == '"') {
        begin_value(s);
        buf_append_char(&s->piece, '"');
        s->half = 0;
        s->place = IN_STRING;
    } else if (c == ']' && skim_innermost(s)->is_list) {
        close_level(s, c);
    } else if (c == ',' || c == '}' || c == ']' || c == ':') {
        break_off(s);
    } else {
        s->word[0] = c;
        s->word_len = 1;
        s->place = IN_WORD;
    }
}

static void before_key(struct skim *s, char c)
{
    struct level *level = skim_innermost(s);
    level->key_len = 0;
    s->is_escape = s->is_long_key = false;
    if (c == '"')
        s->place = IN_KEY;
    else if (c == '}')
        close_level(s, c);
    else
        break_off(s);
}

static void behind_key(struct skim *s, char c)
{
    if (c == ':')
        s->place = BEFORE_VALUE;
    else
        break_off(s);
}

static void behind_value(struct skim *s, char c)
{
    skim_cut_if_long(s);
    if (c == ',')
        s->place = skim_innermost(s)->is_list ? BEFORE_VALUE : BEFORE_KEY;
    else if (c == ']' || c == '}')
        close_level(s, c);
    else
        break_off(s);
}

static void too_deep(struct skim *s, char c)
{
    if (s->place == TOO_DEEP_ESCAPE) {
        s->place = TOO_DEEP_STRING;
    } else if (s->place == TOO_DEEP_STRING) {
        if (c == '\\') s->place = TOO_DEEP_ESCAPE;
        if (c == '"') s->place = TOO_DEEP;
    } else if (c == '"') {
        s->place = TOO_DEEP_STRING;
    } else if (c == '{' || c == '[') {
        s->deep++;
    } else if ((c == '}' || c == ']') && --s->deep == 0) {
        s->place = BEHIND_VALUE;
    }
}

/* Bytes taken: none, where a word ends before this one. */
static size_t read_word(struct skim *s, char c)
{
    if (is_end(c)) {
        end_word(s);
        return 0;
    }
    if (s->word_len < SKIM_WORD_BYTES) s->word[s->word_len++] = c;
    return 1;
}

static void read_byte(struct skim *s, char c)
{
    switch (s->place) {
    case OUTSIDE:
        if (c == '{') open_level(s, c);
        return;
    case BEFORE_KEY:
        if (!is_blank(c)) before_key(s, c);
        return;
    case IN_KEY: read_key(s, c); return;
    case BEHIND_KEY:
        if (!is_blank(c)) behind_key(s, c);
        return;
    case BEFORE_VALUE:
        if (!is_blank(c)) begin(s, c);
        return;
    case IN_ESCAPE: read_escape(s, c); return;
    case BEHIND_VALUE:
        if (!is_blank(c)) behind_value(s, c);
        return;
    case TOO_DEEP:
    case TOO_DEEP_STRING:
    case TOO_DEEP_ESCAPE: too_deep(s, c); return;
    case IN_STRING:
    case IN_WORD:
    case BROKEN: return;
    }
}

static size_t read_some(struct skim *s, struct slice bytes)
{
    if (s->place == IN_STRING) return read_string(s, bytes);
    if (s->place == IN_WORD) return read_word(s, bytes.ptr[0]);
    read_byte(s, bytes.ptr[0]);
    return 1;
}

void skim_feed(struct skim *s, struct slice bytes, skim_fn fn, void *arg)
{
    s->fn = fn;
    s->arg = arg;
    size_t at = 0;
    while (at < bytes.len && s->place != BROKEN) {
        size_t taken = read_some(s, slice_of(bytes.ptr + at, bytes.len - at));
        s->fed_bytes += taken;
        at += taken;
    }
    s->fed_bytes += bytes.len - at;
}

bool skim_finish(struct skim *s, skim_fn fn, void *arg)
{
    bool is_read = s->place == OUTSIDE && s->has_root;
    s->fn = fn;
    s->arg = arg;
    tell_rest(s);
    return is_read;
}

uint64_t skim_lost_bytes(const struct skim *s)
{
    bool is_lost = s->place == BROKEN || !(s->has_root || s->told_bytes);
    return is_lost ? s->fed_bytes - s->told_bytes : 0;
}
