/*
 * What a C unit test needs: named cases, assertions that say what was seen, a closing line.
 *
 *     static void splits_at_the_first_colon(void) { EXPECT_INT(2, n); }
 *     int main(void) { RUN(splits_at_the_first_colon); return unit_close("slice"); }
 *
 * A failed expectation prints both values and the place, fails its case, and lets the others run.
 */
#ifndef MOONGATE_TESTS_UNIT_H
#define MOONGATE_TESTS_UNIT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

static int unit_passed, unit_failed, unit_case_failures;

#define UNIT_FAIL(...)                                                                                                 \
    do {                                                                                                               \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                                \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fputc('\n', stderr);                                                                                           \
        unit_case_failures++;                                                                                          \
    } while (0)

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) UNIT_FAIL("expected %s", #condition);                                                        \
    } while (0)

#define EXPECT_INT(want, got)                                                                                          \
    do {                                                                                                               \
        long long unit_want = (long long)(want), unit_got = (long long)(got);                                          \
        if (unit_want != unit_got) UNIT_FAIL("%s: expected %lld, got %lld", #got, unit_want, unit_got);                \
    } while (0)

#define EXPECT_SLICE(want, got)                                                                                        \
    do {                                                                                                               \
        struct slice unit_want = (want), unit_got = (got);                                                             \
        if (!slice_equal(unit_want, unit_got))                                                                         \
            UNIT_FAIL("%s: expected \"%.*s\", got \"%.*s\"", #got, SLICE_FMT(unit_want), SLICE_FMT(unit_got));         \
    } while (0)

#define EXPECT_STR(want, got) EXPECT_SLICE(slice_str(want), slice_str(got))

#define RUN(function)                                                                                                  \
    do {                                                                                                               \
        unit_case_failures = 0;                                                                                        \
        function();                                                                                                    \
        if (unit_case_failures) {                                                                                      \
            unit_failed++;                                                                                             \
            fprintf(stderr, "not ok: %s\n", #function);                                                                \
        } else {                                                                                                       \
            unit_passed++;                                                                                             \
        }                                                                                                              \
    } while (0)

static inline int unit_close(const char *room)
{
    printf("%s: %d passed, %d failed\n", room, unit_passed, unit_failed);
    return unit_failed ? 1 : 0;
}

#endif
