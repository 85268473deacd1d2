/*
 * What every back end of the counters must answer: one set of cases for counters in this machine's memory, shared
 * memory and Redis.
 *
 *     static const struct counters_backend table = {.name = "table", .self = m, .ask = …, .spend = …,
 *                                                   .exact = COUNTERS_AMOUNT_MAX};
 *     int main(void) { counters_suite(&table); return unit_close("counters_table"); }
 *
 * A back end is asked at the times that a case gives it, which begin at the present second and go on by hours; one case
 * goes back. Keys and holds are new in each case and in each run, so that nothing has to be emptied between. All times
 * are whole microseconds, so that a back end may reckon in those. Beyond `exact` no amount is asked.
 *
 * Seeded by MOONGATE_SEED, which is printed when something failed.
 */
#ifndef MOONGATE_TESTS_COUNTERS_SUITE_H
#define MOONGATE_TESTS_COUNTERS_SUITE_H

#include "counters_suite_kit.h"

#include "counters_suite_holds.h"
#include "counters_suite_money.h"
#include "counters_suite_random.h"
#include "counters_suite_rates.h"

static inline void counters_suite(const struct counters_backend *with)
{
    int failed = unit_failed;
    suite_begin(with);
    suite_money();
    suite_sessions();
    suite_rates();
    suite_tokens();
    suite_holds();
    suite_limits();
    suite_random();
    if (unit_failed > failed) fprintf(stderr, "%s: MOONGATE_SEED=%u\n", with->name, suite_first_seed);
}

#endif
