#include "cli/amounts.h"

#include <inttypes.h>
#include <stdio.h>

#include "exchange/money.h"

#define NANO_PER_CENT 10000000ull
#define NANO_LEAST 100000ull /* a hundredth of a cent */

#define WHOLE_DIGITS 9 /* so many, and nine more, do not overflow */

bool amount_read(const char *text, int64_t most, int64_t *nano)
{
    const char *at = text[0] == '$' ? text + 1 : text;
    int whole = 0, part = 0;
    int64_t sum = 0;
    for (; *at >= '0' && *at <= '9' && whole < WHOLE_DIGITS; at++, whole++)
        sum = sum * 10 + (*at - '0');
    bool has_point = *at == '.';
    for (at += has_point; has_point && *at >= '0' && *at <= '9' && part < 9; at++, part++)
        sum = sum * 10 + (*at - '0');
    for (int i = part; i < 9; i++)
        sum *= 10;
    if (*at || whole == 0 || (has_point && part == 0) || sum > most) return false;
    *nano = sum;
    return true;
}

/* Digits with a comma before each three. */
static size_t write_grouped(uint64_t n, char text[AMOUNT_BYTES])
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        if (i && (count - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return at;
}

const char *amount_count(int64_t n, char text[AMOUNT_BYTES])
{
    size_t sign = n < 0;
    if (sign) text[0] = '-';
    write_grouped(sign ? 0 - (uint64_t)n : (uint64_t)n, text + sign);
    return text;
}

const char *amount_usd(int64_t nano, char text[AMOUNT_BYTES])
{
    char exact[MONEY_TEXT_BYTES];
    const char *sign = nano < 0 ? "-" : "";
    uint64_t n = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;
    if (n >= MONEY_NANO_PER_USD) {
        char whole[AMOUNT_BYTES];
        uint64_t cents = n / NANO_PER_CENT + (n % NANO_PER_CENT >= NANO_PER_CENT / 2);
        write_grouped(cents / 100, whole);
        snprintf(text, AMOUNT_BYTES, "%s$%.30s.%02u", sign, whole, (unsigned)(cents % 100));
    } else if (n >= NANO_LEAST) {
        uint64_t parts = n / NANO_LEAST + (n % NANO_LEAST >= NANO_LEAST / 2);
        snprintf(text, AMOUNT_BYTES, "%s$%u.%04u", sign, (unsigned)(parts / 10000), (unsigned)(parts % 10000));
    } else {
        money_usd((int64_t)n, exact);
        snprintf(text, AMOUNT_BYTES, "%s$%s", sign, exact);
    }
    return text;
}

const char *amount_usd_exactly(int64_t nano, char text[AMOUNT_BYTES])
{
    char exact[MONEY_TEXT_BYTES], whole[AMOUNT_BYTES];
    uint64_t n = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;
    int64_t rest = (int64_t)(n % MONEY_NANO_PER_USD);
    write_grouped(n / MONEY_NANO_PER_USD, whole);
    const char *digits = rest ? money_usd(rest, exact).ptr + 1 : ".0";
    bool is_short = rest % (MONEY_NANO_PER_USD / 10) == 0; /* ".5" */
    snprintf(text, AMOUNT_BYTES, "%s$%.30s%s%s", nano < 0 ? "-" : "", whole, digits, is_short ? "0" : "");
    return text;
}

const char *amount_usd_left(int64_t nano, char text[AMOUNT_BYTES])
{
    int64_t unit = nano >= (int64_t)MONEY_NANO_PER_USD ? (int64_t)NANO_PER_CENT : (int64_t)NANO_LEAST;
    return amount_usd(nano < unit ? nano : nano - nano % unit, text);
}

const char *amount_short(int64_t n, char text[AMOUNT_BYTES])
{
    static const char units[] = {'k', 'M', 'G', 'T', 'P', 'E'};
    uint64_t scale = 1000;
    size_t unit = 0;
    if (n < 1000) return amount_count(n, text);
    while (unit + 1 < sizeof units && (uint64_t)n / scale >= 1000) {
        scale *= 1000;
        unit++;
    }
    uint64_t whole = (uint64_t)n / scale, tenth = (uint64_t)n % scale / (scale / 10);
    if (whole >= 100) {
        snprintf(text, AMOUNT_BYTES, "%" PRIu64 "%c", whole, units[unit]);
    } else {
        snprintf(text, AMOUNT_BYTES, "%" PRIu64 ".%" PRIu64 "%c", whole, tenth, units[unit]);
    }
    return text;
}

const char *amount_change(int64_t now, int64_t before, char text[AMOUNT_BYTES])
{
    if (before <= 0) {
        snprintf(text, AMOUNT_BYTES, "%s", now > 0 ? "new" : "");
        return text;
    }
    double change = ((double)now - (double)before) * 100 / (double)before;
    const char *sign = change >= 0.5 ? "+" : change <= -0.5 ? "−" : "±";
    snprintf(text, AMOUNT_BYTES, "%s%.0f %%", sign, change < 0 ? -change : change);
    return text;
}

const char *amount_time(int64_t us, char text[AMOUNT_BYTES])
{
    if (us < 10000) {
        snprintf(text, AMOUNT_BYTES, "%.1f ms", (double)us / 1000);
    } else if (us < 10000000) {
        snprintf(text, AMOUNT_BYTES, "%.0f ms", (double)us / 1000);
    } else {
        snprintf(text, AMOUNT_BYTES, "%.1f s", (double)us / 1000000);
    }
    return text;
}
