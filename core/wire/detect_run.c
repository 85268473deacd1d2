#include "wire/detect_run.h"

/* The spaces and hyphens that word processors, models and keyboards of other languages put into numbers: U+00A0, U+2000
 * to U+200A, U+202F, U+205F, U+3000; U+2010 to U+2015, U+2043, U+2212, U+30FC. b and c are the bytes behind lead a, or
 * what byte_at() says in their place. */
static enum separator wide_separator(int a, int b, int c)
{
    if (a == 0xC2) return b == 0xA0 ? SEP_SPACE : SEP_NONE;
    if (a == 0xE3) return b == 0x80 && c == 0x80 ? SEP_SPACE : b == 0x83 && c == 0xBC ? SEP_HYPHEN : SEP_NONE;
    if (a != 0xE2) return SEP_NONE;
    if (b == 0x80 && c >= 0x90 && c <= 0x95) return SEP_HYPHEN;
    if (b == 0x80) return (c >= 0x80 && c <= 0x8A) || c == 0xAF ? SEP_SPACE : SEP_NONE;
    if (b == 0x81) return c == 0x9F ? SEP_SPACE : c == 0x83 ? SEP_HYPHEN : SEP_NONE;
    return b == 0x88 && c == 0x92 ? SEP_HYPHEN : SEP_NONE;
}

static const unsigned char separators[256] = {
    [' '] = SEP_SPACE, ['-'] = SEP_HYPHEN, ['.'] = SEP_DOT, ['/'] = SEP_SLASH};

static inline enum separator plain_separator(int c)
{
    return c < 0 ? SEP_NONE : (enum separator)separators[c];
}

/* One separator at *i, which moves behind it. *is_later: it cannot be told yet. */
static enum separator one_separator(const struct view *v, size_t *i, bool *is_later)
{
    int a = byte_at(v, *i);
    if (a < 0x80) {
        enum separator sep = plain_separator(a);
        *is_later = a == AT_LATER;
        if (sep) *i += 1;
        return sep;
    }
    bool is_long = a == 0xE2 || a == 0xE3;
    int b = a == 0xC2 || is_long ? byte_at(v, *i + 1) : AT_END, c = is_long && b >= 0 ? byte_at(v, *i + 2) : AT_END;
    enum separator sep = wide_separator(a, b, c);
    *is_later = b == AT_LATER || c == AT_LATER;
    if (sep) *i += a == 0xC2 ? 2 : 3;
    return sep;
}

/* What joins two groups, from *i, which moves to the next digit: one separator, a parenthesis with or without one on
 * its sides, or " - ". SEP_NONE when no digit follows. */
static enum separator read_separator(const struct view *v, size_t *i, bool *is_later)
{
    size_t at = *i;
    enum separator sep = byte_at(v, at) == ')' ? SEP_NONE : one_separator(v, &at, is_later);
    if (!*is_later && (byte_at(v, at) == ')' || byte_at(v, at) == '(')) {
        at++;
        sep = SEP_PAREN;
        one_separator(v, &at, is_later);
        if (!*is_later && byte_at(v, at) == '(') at++;
    } else if (!*is_later && sep == SEP_SPACE && (byte_at(v, at) == '-' || byte_at(v, at) == '/')) {
        sep = one_separator(v, &at, is_later);
        if (byte_at(v, at) == ' ') at++;
    }
    if (byte_at(v, at) == AT_LATER) *is_later = true;
    if (*is_later || !sep || !byte_is(byte_at(v, at), IS_DIGIT)) return SEP_NONE;
    *i = at;
    return sep;
}

/* Reads the digits at *i into the run as one more group; false when the run is full. */
static bool read_group(const struct view *v, struct run *run, size_t *i, unsigned *digits)
{
    struct group *group = &run->groups[run->count];
    group->from = *i;
    for (; byte_is(byte_at(v, *i), IS_DIGIT); *i += 1, *digits += 1) {
        if (*digits == RUN_DIGITS) return false;
        run->digits[*digits] = (unsigned char)(v->text[*i] - '0');
    }
    if (byte_at(v, *i) == AT_LATER) run->is_later = true;
    group->to = *i;
    group->total = *digits;
    group->after = SEP_NONE;
    run->count++;
    return true;
}

void detect_run_read(const struct view *v, size_t at, struct run *run)
{
    unsigned digits = 0;
    size_t i = at;
    while (run->count < RUN_GROUPS && read_group(v, run, &i, &digits) && !run->is_later) {
        enum separator sep = read_separator(v, &i, &run->is_later);
        run->groups[run->count - 1].after = sep;
        if (!sep) break;
    }
    v->state->steps += i - at + 1;
}

static enum separator wide_separator_before(const struct view *v, size_t i, size_t *len)
{
    unsigned char a = byte_before(v, i, 3), b = byte_before(v, i, 2), c = byte_before(v, i, 1);
    *len = b == 0xC2 ? 2 : 3;
    return b == 0xC2 ? wide_separator(b, c, AT_END) : wide_separator(a, b, c);
}

/* What stands before the first digit: '+', '(', both; or another number and a separator. */
void detect_run_prefix(const struct view *v, size_t at, struct run *run)
{
    unsigned char before = byte_before(v, at, 1), earlier = byte_before(v, at, 2);
    run->at = at;
    run->is_plus = before == '+';
    run->is_open = before == '(' || (run->is_plus && earlier == '(');
    run->prefix = (size_t)run->is_plus + run->is_open;
    if (!run->prefix) {
        size_t len = 1;
        enum separator sep = before < 0x80 ? plain_separator(before) : wide_separator_before(v, at, &len);
        bool is_number = sep && (detect_class[byte_before(v, at, len + 1)] & IS_DIGIT);
        run->is_row = is_number && sep == SEP_SPACE;
        run->is_tail = is_number && sep != SEP_SPACE;
        for (size_t i = 2; i <= 4; i++)
            is_number = is_number && (detect_class[byte_before(v, at, len + i)] & IS_DIGIT);
        run->is_column = run->is_row && is_number;
    }
}

size_t detect_run_start(const struct view *v, const struct run *run)
{
    return run->at - v->floor < run->prefix ? v->floor : run->at - run->prefix;
}

/* Nothing joins the group that ends before `sep` to another. */
static inline bool is_lone(unsigned char sep, unsigned char next)
{
    if (!plain_separator(sep)) return sep != '(' && sep != ')' && sep != 0xC2 && sep != 0xE2 && sep != 0xE3;
    if (detect_class[next] & IS_DIGIT || next == '(' || next == ')') return false;
    return sep != ' ' || (next != '-' && next != '/');
}

/* Can these digits be the first of a card? */
static bool may_begin_card(const unsigned char *digits, size_t len)
{
    if (len != 4) return len >= CARD_DIGITS_MIN && len <= CARD_DIGITS_MAX;
    if (digits[0] == '2') return digits[1] >= '2' && digits[1] <= '7';
    return (digits[0] >= '3' && digits[0] <= '6') || digits[0] == '8';
}

bool detect_run_is_hopeless(const struct view *v, size_t at)
{
    size_t i = at;
    unsigned char before = byte_before(v, at, 1);
    const unsigned char *digits = v->text + at;
    if (before == '+') return false;
    if (detect_class[before] & IS_WORD && !detect_is_escape(before, byte_before(v, at, 2))) return true;
    while (i < v->len && (detect_class[v->text[i]] & IS_DIGIT))
        i++;
    size_t len = i - at;
    v->state->steps += len;
    if (i + 1 >= v->len) return false;
    if (may_begin_card(digits, len)) return len == 4 && is_lone(v->text[i], v->text[i + 1]);
    bool is_tail = plain_separator(before) > SEP_SPACE && (detect_class[byte_before(v, at, 2)] & IS_DIGIT);
    if (is_tail || is_lone(v->text[i], v->text[i + 1])) return true;
    if (digits[0] == '0') return len < 2 || len > 5;
    return !(len == 3 || (len == 2 && before == '(') || (len == 1 && (digits[0] == '1' || digits[0] == '8')));
}
