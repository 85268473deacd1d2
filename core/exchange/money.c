#include "exchange/money.h"

#include <stdio.h>

struct slice money_usd(int64_t nano, char text[MONEY_TEXT_BYTES])
{
    uint64_t amount = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;
    int len = snprintf(text, MONEY_TEXT_BYTES, "%s%llu.%09llu", nano < 0 ? "-" : "",
                       (unsigned long long)(amount / MONEY_NANO_PER_USD),
                       (unsigned long long)(amount % MONEY_NANO_PER_USD));
    while (text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.') len--;
    text[len] = '\0';
    return slice_of(text, (size_t)len);
}
