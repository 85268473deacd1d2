#include "exchange/money.h"

#include <string.h>

/* Digits of a number in front of `end`, as many as it has and at least so many; where the first one is. */
static char *put_digits(char *end, uint64_t value, int at_least)
{
    for (; value || at_least > 0; value /= 10, at_least--)
        *--end = (char)('0' + value % 10);
    return end;
}

struct slice money_usd(int64_t nano, char text[MONEY_TEXT_BYTES])
{
    uint64_t amount = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;
    char *end = text + MONEY_TEXT_BYTES - 1;
    char *begin = put_digits(end, amount % MONEY_NANO_PER_USD, 9);
    *--begin = '.';
    begin = put_digits(begin, amount / MONEY_NANO_PER_USD, 1);
    if (nano < 0) *--begin = '-';
    while (end[-1] == '0')
        end--;
    if (end[-1] == '.') end--;
    size_t len = (size_t)(end - begin);
    memmove(text, begin, len);
    text[len] = '\0';
    return slice_of(text, len);
}

/* To the cent; of less than a dollar to three digits. */
static uint64_t rounded(uint64_t nano)
{
    uint64_t unit = MONEY_NANO_PER_USD / 100;
    if (nano < MONEY_NANO_PER_USD)
        for (unit = 1; nano / unit >= 1000;)
            unit *= 10;
    return (nano + unit / 2) / unit * unit;
}

/* At least two decimals. */
struct slice money_said(int64_t nano, char text[MONEY_SAID_BYTES])
{
    uint64_t amount = rounded(nano < 0 ? 0 : (uint64_t)nano);
    char *end = text + MONEY_SAID_BYTES - 1, *begin = put_digits(end, amount % MONEY_NANO_PER_USD, 9);
    while (end > begin + 2 && end[-1] == '0')
        end--;
    *end = '\0';
    *--begin = '.';
    uint64_t whole = amount / MONEY_NANO_PER_USD;
    for (; whole >= 1000; whole /= 1000) {
        begin = put_digits(begin, whole % 1000, 3);
        *--begin = ',';
    }
    begin = put_digits(begin, whole, 1);
    *--begin = '$';
    return slice_of(begin, (size_t)(end - begin));
}
