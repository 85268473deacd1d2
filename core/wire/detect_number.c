#include "wire/detect_inner.h"

/*
 * Cards, social security numbers and phone numbers: groups of digits with one separator between two of them. A run of
 * groups is read once from the first group of the candidate, never further than RUN_GROUPS or RUN_DIGITS.
 */
#define RUN_GROUPS 8u
#define RUN_DIGITS 20u
#define CARD_DIGITS_MIN 13u
#define CARD_DIGITS_MAX 19u
#define E164_DIGITS 15u

enum separator { SEP_NONE, SEP_SPACE, SEP_HYPHEN, SEP_DOT, SEP_SLASH, SEP_PAREN };

struct group {
    size_t from, to;      /* its digits */
    unsigned total;       /* digits of the run up to its end */
    enum separator after; /* what joins it to the next group */
};

struct run {
    struct group groups[RUN_GROUPS];
    unsigned count;
    unsigned char digits[RUN_DIGITS];
    bool is_plus, is_open; /* a '+', a '(' right before it */
    bool is_tail, is_row;  /* digits stand before it, and a separator: a space for is_row, another for is_tail */
    bool is_later;         /* it may go on */
    size_t at, prefix;     /* the first digit, and how many of '+' and '(' go with it */
};

/* The spaces and hyphens that word processors and models put into numbers: U+00A0, U+2007, U+2009, U+202F; U+2010 to
 * U+2013, U+2212. b and c are the bytes behind lead a, or what byte_at() says in their place. */
static enum separator wide_separator(int a, int b, int c)
{
    if (a == 0xC2 && b == 0xA0) return SEP_SPACE;
    if (a != 0xE2) return SEP_NONE;
    if (b == 0x80 && (c == 0x87 || c == 0x89 || c == 0xAF)) return SEP_SPACE;
    if (b == 0x80 && c >= 0x90 && c <= 0x93) return SEP_HYPHEN;
    return b == 0x88 && c == 0x92 ? SEP_HYPHEN : SEP_NONE;
}

static enum separator plain_separator(int c)
{
    return c == ' ' ? SEP_SPACE : c == '-' ? SEP_HYPHEN : c == '.' ? SEP_DOT : c == '/' ? SEP_SLASH : SEP_NONE;
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
    int b = a == 0xC2 || a == 0xE2 ? byte_at(v, *i + 1) : AT_END, c = a == 0xE2 && b >= 0 ? byte_at(v, *i + 2) : AT_END;
    enum separator sep = wide_separator(a, b, c);
    *is_later = b == AT_LATER || c == AT_LATER;
    if (sep) *i += a == 0xC2 ? 2 : 3;
    return sep;
}

/* What joins two groups, from *i, which moves to the next digit: one separator, a parenthesis with or without one on
 * its other side, or " - ". SEP_NONE when no digit follows. */
static enum separator read_separator(const struct view *v, size_t *i, bool *is_later)
{
    size_t at = *i;
    enum separator sep = byte_at(v, at) == ')' ? SEP_NONE : one_separator(v, &at, is_later);
    if (!*is_later && (byte_at(v, at) == ')' || (sep && byte_at(v, at) == '('))) {
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

static void read_run(const struct view *v, size_t at, struct run *run)
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
static void read_prefix(const struct view *v, size_t at, struct run *run)
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
    }
}

static unsigned group_len(const struct run *run, unsigned i)
{
    return (unsigned)(run->groups[i].to - run->groups[i].from);
}

/* The first `count` groups are joined by `sep` and nothing else. */
static bool is_joined_by(const struct run *run, unsigned count, enum separator sep)
{
    for (unsigned i = 0; i + 1 < count; i++) {
        if (run->groups[i].after != sep) return false;
    }
    return true;
}

static bool has_lengths(const struct run *run, unsigned first, unsigned a, unsigned b, unsigned c)
{
    return run->count >= first + 3 && group_len(run, first) == a && group_len(run, first + 1) == b &&
           group_len(run, first + 2) == c;
}

static unsigned leading(const struct run *run, unsigned first, unsigned count)
{
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++)
        value = value * 10 + run->digits[first + i];
    return value;
}

/* ISO/IEC 7812-1, annex B. */
static bool has_check_digit(const unsigned char *digits, unsigned count)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned digit = digits[count - 1 - i] * (i % 2 ? 2u : 1u);
        sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 == 0;
}

/* Ranges of the first six digits and the lengths of the numbers behind them, as the card networks publish them. */
static bool is_card_length(unsigned first, unsigned len)
{
    static const struct {
        unsigned from, to;
        unsigned char min, max;
    } ranges[] = {
        {300000, 305999, 14, 19}, {309500, 309599, 14, 19}, {340000, 349999, 15, 15}, {352800, 358999, 16, 19},
        {360000, 369999, 14, 19}, {370000, 379999, 15, 15}, {380000, 399999, 14, 19}, {400000, 499999, 13, 19},
        {500000, 509999, 13, 19}, {510000, 559999, 16, 16}, {560000, 699999, 13, 19}, {220000, 272099, 16, 16},
        {810000, 829999, 16, 16},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (first >= ranges[i].from && first <= ranges[i].to) return len >= ranges[i].min && len <= ranges[i].max;
    }
    return false;
}

/* Whole groups from the first on; the longest that passes. A number with a dot in it is a fraction. */
static bool is_card(const struct run *run, struct candidate *c)
{
    for (unsigned count = run->count; count > 0; count--) {
        const struct group *last = &run->groups[count - 1];
        if (last->total < CARD_DIGITS_MIN || last->total > CARD_DIGITS_MAX || last->after == SEP_DOT) continue;
        if (run->is_plus && last->total <= E164_DIGITS) continue;
        enum separator sep = run->groups[0].after;
        if (count > 1 && ((sep != SEP_SPACE && sep != SEP_HYPHEN) || !is_joined_by(run, count, sep))) continue;
        bool is_split = false;
        for (unsigned i = 0; count > 1 && i < count; i++)
            is_split |= group_len(run, i) < 3;
        if (is_split || !is_card_length(leading(run, 0, 6), last->total)) continue;
        if (!has_check_digit(run->digits, last->total)) continue;
        *c = (struct candidate){.from = run->groups[0].from, .to = last->to, .kind = DETECT_CREDIT_CARD};
        return true;
    }
    return false;
}

/* AAA-GG-SSSS with hyphens, or alone with spaces. Numbers that are never given out are none (SSA, RM 10201.035). */
static bool is_ssn(const struct run *run, struct candidate *c)
{
    if (run->is_tail || !has_lengths(run, 0, 3, 2, 4)) return false;
    enum separator sep = run->groups[0].after, next = run->groups[2].after;
    if ((sep != SEP_SPACE && sep != SEP_HYPHEN) || run->groups[1].after != sep) return false;
    if (next == SEP_HYPHEN || next == SEP_DOT || (sep == SEP_SPACE && (next || run->is_row))) return false;
    unsigned area = leading(run, 0, 3), group = leading(run, 3, 2), serial = leading(run, 5, 4);
    if (area == 0 || area == 666 || area >= 900 || group == 0 || serial == 0) return false;
    /* "100 20 2024" is a row of a table rather. */
    if (sep == SEP_SPACE && serial >= 1900 && serial < 2100) return false;
    *c = (struct candidate){.from = run->groups[0].from, .to = run->groups[2].to, .kind = DETECT_US_SSN};
    return true;
}

/* ITU-T E.164 behind a '+': 8 to 15 digits, of which country 1 has 11. A single dot makes it a signed fraction. */
static unsigned international_groups(const struct run *run)
{
    unsigned best = 0, dots = 0;
    if (run->digits[0] == 0) return 0;
    for (unsigned i = 0; i < run->count && run->groups[i].total <= E164_DIGITS; i++) {
        unsigned total = run->groups[i].total;
        bool is_whole = run->digits[0] == 1 ? total == 11 : total >= 8;
        if (is_whole && !(dots > 0 && (dots < 2 || !is_joined_by(run, i + 1, SEP_DOT)))) best = i + 1;
        dots += run->groups[i].after == SEP_DOT;
    }
    return best;
}

/* The numbering plan of North America: neither area nor exchange begins with 0 or 1, ends in 11, or has a 9 inside. */
static bool is_strict_american(const struct run *run, unsigned digit)
{
    unsigned area = leading(run, digit, 3), exchange = leading(run, digit + 3, 3);
    if (area < 200 || exchange < 200 || area % 100 == 11 || exchange % 100 == 11) return false;
    return area / 10 % 10 != 9 && (area % 100 != 0 || area >= 500);
}

/* 3-3-4 digits with a 1 before it or not: the grouping is what tells, so it must end there. */
static unsigned american_groups(const struct run *run)
{
    unsigned first = group_len(run, 0) == 1 && run->digits[0] == 1 ? 1 : 0;
    if (run->is_tail || !has_lengths(run, first, 3, 3, 4) || run->digits[first] < 2) return 0;
    if (first && run->groups[0].after == SEP_SLASH) return 0;
    enum separator a = run->groups[first].after, b = run->groups[first + 1].after, next = run->groups[first + 2].after;
    if (a == SEP_SLASH || b == SEP_SLASH || b == SEP_PAREN || (a != b && a != SEP_PAREN && a != SEP_SPACE)) return 0;
    if (a == SEP_SPACE && b == SEP_DOT) return 0;
    if (next == SEP_HYPHEN || next == SEP_DOT || next == SEP_SLASH) return 0;
    bool is_spaced = a == SEP_SPACE && b == SEP_SPACE;
    if (is_spaced && (next || run->is_row || !is_strict_american(run, first))) return 0;
    return first + 3;
}

/* A national number with its trunk 0, or 00 and a country: 9 to 12 digits (16 behind 00) in two or more groups, all
 * separators but the first alike. The whole run must be it. */
static unsigned trunk_groups(const struct run *run)
{
    unsigned total = run->groups[run->count - 1].total, first = group_len(run, 0), longest = first;
    bool is_abroad = run->digits[1] == 0;
    if (run->is_tail || run->is_row || run->groups[run->count - 1].after) return 0;
    if (run->digits[0] != 0 || run->count < 2 || first < 2 || first > 5) return 0;
    if (is_abroad && (run->digits[2] == 0 || total < 10 || total > 16)) return 0;
    if (!is_abroad && (total < 9 || total > 12)) return 0;
    for (unsigned i = 1; i < run->count; i++) {
        if (group_len(run, i) < 2 && run->groups[i - 1].after != SEP_PAREN) return 0;
        if (i > 1 && i + 1 < run->count && run->groups[i].after != run->groups[1].after) return 0;
        if (group_len(run, i) > longest) longest = group_len(run, i);
    }
    bool is_fraction = run->count == 2 && run->groups[0].after == SEP_DOT;
    bool is_zip = run->count == 2 && run->groups[0].after == SEP_HYPHEN && first == 5 && total == 9;
    /* Pairs are how France writes ten digits; more or fewer of them are bytes, times and the like. */
    bool is_pairs = longest == 2 && (is_abroad || total != 10);
    return is_fraction || is_zip || is_pairs ? 0 : run->count;
}

/* Where the candidate begins; what of its prefix belongs to an earlier hit does not count. */
static size_t start_of(const struct view *v, const struct run *run)
{
    return run->at - v->floor < run->prefix ? v->floor : run->at - run->prefix;
}

static bool is_phone(const struct view *v, const struct run *run, struct candidate *c)
{
    unsigned char before = byte_before(v, run->at, run->prefix + 1);
    if (before && strchr("./#,-$", before)) return false;
    unsigned count = run->is_plus ? international_groups(run) : american_groups(run);
    if (!count && !run->is_plus) count = trunk_groups(run);
    if (!count) return false;
    *c = (struct candidate){.from = start_of(v, run), .to = run->groups[count - 1].to, .kind = DETECT_PHONE};
    return true;
}

/* What may not follow: a letter; a dot, slash, colon or hyphen that goes on with a digit is in the run already, but for
 * the colon of a time. */
static enum found ends_there(const struct view *v, const struct candidate *c)
{
    int next = byte_at(v, c->to), after = next == ':' ? byte_at(v, c->to + 1) : AT_END;
    if (next == AT_LATER || after == AT_LATER) return FOUND_LATER;
    if (next == ':' && byte_is(after, IS_DIGIT) && c->kind == DETECT_PHONE) return FOUND_NO;
    enum found word = detect_is_word_at(v, c->to);
    return word == FOUND_LATER ? FOUND_LATER : word == FOUND_YES ? FOUND_NO : FOUND_YES;
}

/* No kind can begin with this group, whatever follows: most numbers of prose leave here. */
static bool is_hopeless(const struct run *run, unsigned len)
{
    if (len > CARD_DIGITS_MAX) return true;
    return len == 1 && !run->is_plus && run->digits[0] != 1;
}

/* The next kind, in their order of precedence, that the run is; *tried counts those asked. */
static bool next_kind(const struct view *v, const struct run *run, unsigned *tried, struct candidate *c)
{
    uint32_t kinds = v->d->kinds;
    for (unsigned kind = (*tried)++; kind < 3; kind = (*tried)++) {
        if (kind == 0 && (kinds & 1u << DETECT_CREDIT_CARD) && is_card(run, c)) return true;
        if (kind == 1 && (kinds & 1u << DETECT_US_SSN) && is_ssn(run, c)) return true;
        if (kind == 2 && (kinds & 1u << DETECT_PHONE) && is_phone(v, run, c)) return true;
    }
    return false;
}

/* One short group and nothing that could join it to another: most numbers of prose. They leave before a run is read;
 * what is near the end of the text is read anyway. */
static bool is_lone(const struct view *v, size_t at)
{
    size_t i = at;
    if (at > 0 && v->text[at - 1] == '+') return false;
    while (i < v->len && (detect_class[v->text[i]] & IS_DIGIT))
        i++;
    v->state->steps += i - at;
    if (i - at >= CARD_DIGITS_MIN || i + 1 >= v->len || v->text[i] >= 0x80) return false;
    unsigned char sep = v->text[i], next = v->text[i + 1];
    if (!plain_separator(sep)) return sep != '(' && sep != ')';
    if (detect_class[next] & IS_DIGIT || next == '(' || next == ')') return false;
    return sep != ' ' || (next != '-' && next != '/');
}

enum found detect_number(const struct view *v, size_t at, struct candidate *c)
{
    if (at > 0 && is_lone(v, at)) return FOUND_NO;
    struct run run = {.count = 0};
    unsigned tried = 0;
    read_prefix(v, at, &run);
    if (detect_is_word_before(v, at, run.prefix)) return FOUND_NO;
    if (byte_before(v, at, 1) == '.' && run.is_tail) return FOUND_NO;
    read_run(v, at, &run);
    *c = (struct candidate){.from = start_of(v, &run)};
    if (run.count == 0) return FOUND_NO;
    if (run.is_later) return FOUND_LATER;
    if (is_hopeless(&run, group_len(&run, 0))) return FOUND_NO;
    /* A parenthesis that the first group does not close is the sentence's. */
    if (run.is_open && run.groups[0].after != SEP_PAREN) run.prefix -= 1;
    while (next_kind(v, &run, &tried, c)) {
        enum found found = ends_there(v, c);
        if (found != FOUND_NO) return found;
    }
    return FOUND_NO;
}
