/*
 * Amounts as people read them in tables: dollars with cents, "81,200", "148M", "+25 %". What is exact is in --json.
 *
 *     char text[AMOUNT_BYTES];
 *     printf("%s", amount_usd(nano, text));
 */
#ifndef MOONGATE_CLI_AMOUNTS_H
#define MOONGATE_CLI_AMOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#define AMOUNT_BYTES 48

/* Digits, a `$` before them or not, and at most nine behind a point. False: it is none, or more than `most`. */
bool amount_read(const char *text, int64_t most, int64_t *nano);
/* Two decimals from a dollar on, four below, all of less than a hundredth of a cent: never 0 for something. */
const char *amount_usd(int64_t nano, char text[AMOUNT_BYTES]);
/* Every digit there is, two decimals at least: of limits. */
const char *amount_usd_exactly(int64_t nano, char text[AMOUNT_BYTES]);
/* As amount_usd(), and never more than it is: of what is left. Not less than 0. */
const char *amount_usd_left(int64_t nano, char text[AMOUNT_BYTES]);
const char *amount_count(int64_t n, char text[AMOUNT_BYTES]);
/* Three figures: 950, 14.2k, 148M. */
const char *amount_short(int64_t n, char text[AMOUNT_BYTES]);
/* "+25 %", "−6 %", "new", "" (nothing before and nothing now). */
const char *amount_change(int64_t now, int64_t before, char text[AMOUNT_BYTES]);
/* "940 ms", "12.3 s". */
const char *amount_time(int64_t us, char text[AMOUNT_BYTES]);

#endif
