/*
 * Nano-dollars as people and headers write them: "12.5", "0.000150003", "0".
 *
 *     char text[MONEY_TEXT_BYTES];
 *     struct slice usd = money_usd(cost.nano, text);
 *
 * Exact: a point and as many decimals as the amount has, never an exponent.
 */
#ifndef MOONGATE_EXCHANGE_MONEY_H
#define MOONGATE_EXCHANGE_MONEY_H

#include <stdint.h>

#include "base/slice.h"

#define MONEY_NANO_PER_USD 1000000000
#define MONEY_TEXT_BYTES 24 /* of the longest int64, with sign, point and NUL */

/* Points into text, which it also ends with a NUL. */
struct slice money_usd(int64_t nano, char text[MONEY_TEXT_BYTES]);

#define MONEY_SAID_BYTES 32 /* of the longest, with its NUL */

/* For people, as units.dollars() of scripts/units.lua has it: "$4,998.20" to the cent, of less than a dollar three
 * digits; less than 0 counts as 0. Points into text. */
struct slice money_said(int64_t nano, char text[MONEY_SAID_BYTES]);

#endif
