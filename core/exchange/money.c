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
