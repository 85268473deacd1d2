#include "wire/detect_run.h"

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

/* Fours of digits with spaces go on before or behind: a table or a dump. Another four alone may be a card's date,
 * month and year. With
 * hyphens they are a serial number of some kind as soon as one more is joined to them. */
static bool is_in_table(const struct run *run, unsigned count)
{
    if (count >= 2 && run->groups[0].after == SEP_HYPHEN)
        return run->is_tail || run->groups[count - 1].after == SEP_HYPHEN;
    if (count < 2 || run->groups[0].after != SEP_SPACE || group_len(run, count - 1) != 4) return false;
    if (run->is_column) return true;
    if (run->groups[count - 1].after != SEP_SPACE || run->count <= count || group_len(run, count) != 4) return false;
    unsigned month = leading(run, run->groups[count - 1].total, 2);
    return run->groups[count].after == SEP_SPACE || month < 1 || month > 12;
}

/* Thirteen digits with the check digit of a book's or another good's number (ISO/IEC 15420) are that. */
static bool is_article_number(const unsigned char *digits, unsigned count)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += digits[i] * (i % 2 ? 3u : 1u);
    return count == 13 && sum % 10 == 0;
}

/* One group, or as cards are embossed and people copy them: fours with a shorter end, 4-6-5, 4-6-4. */
static bool is_grouped_like_a_card(const struct run *run, unsigned count)
{
    enum separator sep = run->groups[0].after;
    if (count == 1) return true;
    if ((sep != SEP_SPACE && sep != SEP_HYPHEN) || !is_joined_by(run, count, sep)) return false;
    if (group_len(run, 0) != 4) return false;
    unsigned last = group_len(run, count - 1);
    if (count == 3) return group_len(run, 1) == 6 && (last == 4 || last == 5);
    for (unsigned i = 1; i + 1 < count; i++) {
        if (group_len(run, i) != 4) return false;
    }
    return last <= 4;
}

/* Whole groups from the first on; the longest that passes. A number with a dot in it is a fraction. */
bool detect_card(const struct run *run, struct candidate *c)
{
    for (unsigned count = run->count; count > 0; count--) {
        const struct group *last = &run->groups[count - 1];
        if (last->total < CARD_DIGITS_MIN || last->total > CARD_DIGITS_MAX || last->after == SEP_DOT) continue;
        if (run->is_plus && last->total <= E164_DIGITS) continue;
        if (!is_grouped_like_a_card(run, count) || !is_card_length(leading(run, 0, 6), last->total)) continue;
        if (!has_check_digit(run->digits, last->total) || is_article_number(run->digits, last->total)) continue;
        if (is_in_table(run, count)) continue;
        *c = (struct candidate){.from = run->groups[0].from, .to = last->to, .kind = DETECT_CREDIT_CARD};
        return true;
    }
    return false;
}

/* AAA-GG-SSSS with hyphens, or alone with spaces. Numbers that are never given out are none (SSA, RM 10201.035). */
bool detect_ssn(const struct run *run, struct candidate *c)
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
