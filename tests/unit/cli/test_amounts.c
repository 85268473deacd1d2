/* Amounts as people read them: rounded, grouped, and never nothing where there is something. */
#include "../unit.h"

#include <stdint.h>

#include "cli/amounts.h"

static char text[AMOUNT_BYTES];

static void dollars_have_cents_and_small_ones_more(void)
{
    EXPECT_STR("$0", amount_usd(0, text));
    EXPECT_STR("$0.000000001", amount_usd(1, text));
    EXPECT_STR("$0.000099999", amount_usd(99999, text));
    EXPECT_STR("$0.0001", amount_usd(100000, text));
    EXPECT_STR("$0.1235", amount_usd(123450000, text));
    EXPECT_STR("$1.0000", amount_usd(999999999, text));
    EXPECT_STR("$1.00", amount_usd(1000000000, text));
    EXPECT_STR("$1,234.57", amount_usd(1234565000000, text));
    EXPECT_STR("-$2.50", amount_usd(-2500000000, text));
    EXPECT_STR("$9,223,372,036.85", amount_usd(INT64_MAX, text));
    EXPECT_STR("-$9,223,372,036.85", amount_usd(INT64_MIN, text));
}

static void amounts_are_read_to_the_last_digit(void)
{
    static const struct {
        const char *text;
        int64_t nano; /* -1: it is none */
    } cases[] = {{"100", 100000000000},
                 {"$100", 100000000000},
                 {"2.50", 2500000000},
                 {"$0.000000001", 1},
                 {"0", 0},
                 {"007", 7000000000},
                 {"4000000", 4000000000000000},
                 {"3999999.999999999", 3999999999999999},
                 {"4000000.000000001", -1},
                 {"4000001", -1},
                 {"999999999", -1},
                 {"9999999999", -1},
                 {"99999999999999999999999999", -1},
                 {"0.0000000001", -1},
                 {"-5", -1},
                 {"+5", -1},
                 {"", -1},
                 {"$", -1},
                 {".5", -1},
                 {"5.", -1},
                 {"1,000", -1},
                 {"1e3", -1},
                 {"5 ", -1},
                 {" 5", -1},
                 {"5USD", -1},
                 {"$$5", -1},
                 {"1.2.3", -1},
                 {"inf", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t nano = -1;
        bool is_read = amount_read(cases[i].text, 4000000000000000, &nano);
        if (is_read != (cases[i].nano >= 0) || nano != cases[i].nano) UNIT_FAIL("%s: %lld", cases[i].text, (long long)nano);
    }
}

static void limits_are_told_to_the_last_digit(void)
{
    EXPECT_STR("$0.00", amount_usd_exactly(0, text));
    EXPECT_STR("$5,000.00", amount_usd_exactly(5000000000000, text));
    EXPECT_STR("$12.50", amount_usd_exactly(12500000000, text));
    EXPECT_STR("$0.00246", amount_usd_exactly(2460000, text));
    EXPECT_STR("$4,000,000.000000001", amount_usd_exactly(4000000000000001, text));
    EXPECT_STR("-$9,223,372,036.854775808", amount_usd_exactly(INT64_MIN, text));
}

static void what_is_left_is_never_more(void)
{
    EXPECT_STR("$0", amount_usd_left(0, text));
    EXPECT_STR("$0.000099999", amount_usd_left(99999, text));
    EXPECT_STR("$0.0024", amount_usd_left(2460000, text));
    EXPECT_STR("$0.9999", amount_usd_left(999999999, text));
    EXPECT_STR("$4,999.99", amount_usd_left(4999999999999, text));
    EXPECT_STR("$9,223,372,036.85", amount_usd_left(INT64_MAX, text));
}

static void counts_are_grouped_or_short(void)
{
    EXPECT_STR("0", amount_count(0, text));
    EXPECT_STR("999", amount_count(999, text));
    EXPECT_STR("1,000", amount_count(1000, text));
    EXPECT_STR("-81,200", amount_count(-81200, text));
    EXPECT_STR("-9,223,372,036,854,775,808", amount_count(INT64_MIN, text));
    EXPECT_STR("950", amount_short(950, text));
    EXPECT_STR("1.0k", amount_short(1000, text));
    EXPECT_STR("14.2k", amount_short(14299, text));
    EXPECT_STR("999k", amount_short(999999, text));
    EXPECT_STR("1.0M", amount_short(1000000, text));
    EXPECT_STR("9.2E", amount_short(INT64_MAX, text));
}

static void changes_have_a_sign(void)
{
    EXPECT_STR("+25 %", amount_change(125, 100, text));
    EXPECT_STR("−6 %", amount_change(94, 100, text));
    EXPECT_STR("±0 %", amount_change(1000, 1001, text));
    EXPECT_STR("−100 %", amount_change(0, 7, text));
    EXPECT_STR("new", amount_change(1, 0, text));
    EXPECT_STR("", amount_change(0, 0, text));
    EXPECT_STR("±0 %", amount_change(INT64_MAX, INT64_MAX, text));
}

static void times_have_units(void)
{
    EXPECT_STR("0.8 ms", amount_time(793, text));
    EXPECT_STR("44 ms", amount_time(44133, text));
    EXPECT_STR("940 ms", amount_time(940000, text));
    EXPECT_STR("12.3 s", amount_time(12345678, text));
}

int main(void)
{
    RUN(dollars_have_cents_and_small_ones_more);
    RUN(amounts_are_read_to_the_last_digit);
    RUN(limits_are_told_to_the_last_digit);
    RUN(what_is_left_is_never_more);
    RUN(counts_are_grouped_or_short);
    RUN(changes_have_a_sign);
    RUN(times_have_units);
    return unit_close("amounts");
}
