#include "wire/detect_run.h"

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

/* An area code in parentheses: with seven digits in a row or as 3-2-2, or, where area codes have two,
 * with 4-4 or 5-4. */
static unsigned bracketed_groups(const struct run *run)
{
    if (!run->is_open || run->is_plus || run->is_tail || run->groups[0].after != SEP_PAREN) return 0;
    unsigned area = group_len(run, 0), last = run->groups[run->count - 1].after;
    if (last || run->digits[0] == 0) return 0;
    if (run->count == 4) return has_lengths(run, 0, 3, 3, 2) && group_len(run, 3) == 2 ? 4 : 0;
    if (run->count == 2) return area == 3 && group_len(run, 1) == 7 ? 2 : 0;
    if (!has_lengths(run, 0, 2, 4, 4) && !has_lengths(run, 0, 2, 5, 4)) return 0;
    return run->count == 3 && run->groups[1].after != SEP_PAREN ? 3 : 0;
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
    bool is_even = true;
    for (unsigned i = 1; i < run->count; i++) {
        unsigned len = group_len(run, i);
        bool is_area = is_abroad && i == 1 && first > 2; /* "0033 6 …" */
        if (len < 2 && run->groups[i - 1].after != SEP_PAREN && !is_area) return 0;
        if (i > 1 && i + 1 < run->count && run->groups[i].after != run->groups[1].after) return 0;
        if (len > 3 && run->groups[i - 1].after == SEP_DOT) return 0;
        is_even &= len == first;
        if (len > longest) longest = len;
    }
    /* Groups all alike are a table, but for pairs: so France writes ten digits. */
    if (is_even && (first != 2 || total != 10)) return 0;
    bool is_fraction = run->count == 2 && run->groups[0].after == SEP_DOT;
    bool is_zip = run->count == 2 && run->groups[0].after == SEP_HYPHEN && first == 5 && total == 9;
    return is_fraction || is_zip || (is_abroad && longest == 2) ? 0 : run->count;
}

/* Russia's trunk 8: an area code, then 3-2-2. With nothing but spaces only where mobile numbers begin with 9. */
static unsigned russian_groups(const struct run *run)
{
    if (run->is_tail || run->count < 5 || group_len(run, 0) != 1 || run->digits[0] != 8) return 0;
    if (!has_lengths(run, 1, 3, 3, 2) || group_len(run, 4) != 2 || run->digits[1] < 3) return 0;
    bool is_spaced = is_joined_by(run, 5, SEP_SPACE);
    if (is_spaced && (run->is_row || run->digits[1] != 9 || run->groups[4].after)) return 0;
    if (run->groups[4].after && run->groups[4].after != SEP_SPACE) return 0;
    for (unsigned i = 0; i < 4; i++) {
        if (run->groups[i].after == SEP_SLASH || run->groups[i].after == SEP_DOT) return 0;
    }
    return 5;
}

static bool is_year(const struct run *run, unsigned digit)
{
    unsigned year = leading(run, digit, 4);
    return year >= 1900 && year < 2100;
}

/* China's mobile numbers, 3-4-4 from 130 to 199 on: alone, and no row of years. */
static unsigned chinese_groups(const struct run *run)
{
    if (run->is_tail || run->is_row || run->is_open || run->count != 3 || run->groups[2].after) return 0;
    if (!has_lengths(run, 0, 3, 4, 4) || leading(run, 0, 3) < 130 || leading(run, 0, 3) > 199) return 0;
    if (is_joined_by(run, 3, SEP_HYPHEN)) return 3;
    return is_joined_by(run, 3, SEP_SPACE) && !(is_year(run, 3) && is_year(run, 7)) ? 3 : 0;
}

bool detect_phone(const struct view *v, const struct run *run, struct candidate *c)
{
    unsigned char before = byte_before(v, run->at, run->prefix + 1);
    if (before && strchr("./#,-$@", before)) return false;
    if (before == ':' && byte_is(byte_before(v, run->at, run->prefix + 2), IS_DIGIT)) return false; /* of a time */
    unsigned count = run->is_plus ? international_groups(run) : american_groups(run);
    if (!count && !run->is_plus) count = bracketed_groups(run);
    if (!count && !run->is_plus) count = trunk_groups(run);
    if (!count && !run->is_plus) count = russian_groups(run);
    if (!count && !run->is_plus) count = chinese_groups(run);
    if (!count) return false;
    *c = (struct candidate){.from = detect_run_start(v, run), .to = run->groups[count - 1].to, .kind = DETECT_PHONE};
    return true;
}
