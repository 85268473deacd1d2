/* Amounts as text: exact, short, at both ends of the range. */
#include "../unit.h"

#include "exchange/money.h"

static void expect_text(int64_t nano, const char *want)
{
    char text[MONEY_TEXT_BYTES];
    EXPECT_SLICE(slice_str(want), money_usd(nano, text));
    EXPECT_STR(want, text);
}

static void amounts_have_as_many_decimals_as_they_need(void)
{
    expect_text(0, "0");
    expect_text(1, "0.000000001");
    expect_text(150003, "0.000150003");
    expect_text(500000000, "0.5");
    expect_text(1000000000, "1");
    expect_text(12500000000, "12.5");
    expect_text(100000000000, "100");
    expect_text(-2500000000, "-2.5");
}

static void the_ends_of_the_range_are_written_out(void)
{
    expect_text(INT64_MAX, "9223372036.854775807");
    expect_text(INT64_MIN, "-9223372036.854775808");
}

static void expect_said(int64_t nano, const char *want)
{
    char text[MONEY_SAID_BYTES];
    EXPECT_SLICE(slice_str(want), money_said(nano, text));
}

static void for_people_they_are_rounded_and_grouped(void)
{
    expect_said(0, "$0.00");
    expect_said(-5, "$0.00");
    expect_said(16, "$0.000000016");
    expect_said(2461234, "$0.00246");
    expect_said(999999999, "$1.00");
    expect_said(500000000, "$0.50");
    expect_said(1004999999, "$1.00");
    expect_said(4998204713921, "$4,998.20");
    expect_said(1000000000000000, "$1,000,000.00");
    expect_said(INT64_MAX, "$9,223,372,036.85");
}

int main(void)
{
    RUN(for_people_they_are_rounded_and_grouped);
    RUN(amounts_have_as_many_decimals_as_they_need);
    RUN(the_ends_of_the_range_are_written_out);
    return unit_close("money");
}
