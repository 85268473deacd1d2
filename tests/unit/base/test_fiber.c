/* Work that puts itself aside: slices, cancelling, stacks of its own. */
#include "../unit.h"

#include "base/clock.h"
#include "base/fiber.h"
#include "base/limits.h"
#include "base/mem.h"

struct work {
    int steps, wanted;
    bool was_cancelled;
};

static void count(void *arg)
{
    struct work *w = arg;
    char *held = mem_strdup("freed at the end, however that comes");
    while (w->steps < w->wanted && !fiber_is_cancelled()) {
        w->steps++;
        fiber_rest();
    }
    w->was_cancelled = fiber_is_cancelled();
    mem_free(held);
}

static void each_slice_goes_on_where_the_last_one_rested(void)
{
    struct work w = {.wanted = 5};
    struct fiber *f = fiber_new(count, &w);
    EXPECT_INT(0, w.steps);
    for (int i = 1; i <= 5; i++) {
        EXPECT(!fiber_run(f, 0));
        EXPECT_INT(i, w.steps);
    }
    EXPECT(fiber_run(f, 0));
    EXPECT(fiber_run(f, 0)); /* it has ended */
    EXPECT(!w.was_cancelled);
    fiber_free(f);
}

static void a_long_slice_does_not_rest(void)
{
    struct work w = {.wanted = 1000};
    struct fiber *f = fiber_new(count, &w);
    EXPECT(fiber_run(f, 60 * NS_PER_S));
    EXPECT_INT(1000, w.steps);
    fiber_free(f);
}

static void what_is_cancelled_runs_to_its_end(void)
{
    for (int slices = 0; slices < 4; slices++) {
        struct work w = {.wanted = 1000000};
        struct fiber *f = fiber_new(count, &w);
        for (int i = 0; i < slices; i++)
            EXPECT(!fiber_run(f, 0));
        fiber_free(f);
        EXPECT(w.was_cancelled);
        EXPECT_INT(slices, w.steps);
    }
}

static void two_take_turns(void)
{
    struct work a = {.wanted = 3}, b = {.wanted = 2};
    struct fiber *first = fiber_new(count, &a), *second = fiber_new(count, &b);
    EXPECT(!fiber_run(first, 0));
    EXPECT(!fiber_run(second, 0));
    EXPECT(!fiber_run(first, 0));
    EXPECT_INT(2, a.steps);
    EXPECT_INT(1, b.steps);
    fiber_free(first);
    EXPECT(!fiber_run(second, 0));
    EXPECT(fiber_run(second, 0));
    fiber_free(second);
}

static void outside_of_a_fiber_nothing_happens(void)
{
    fiber_rest();
    fiber_pause();
    EXPECT(!fiber_is_due());
    EXPECT(!fiber_is_cancelled());
    fiber_free(NULL);
}

/* Deeper than an evaluation of a policy may go. */
static unsigned dig(unsigned depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    fiber_rest();
    return depth == 0 ? 0 : 1 + dig(depth - 1) + (unsigned)(frame[0] != (char)depth);
}

static void dig_deep(void *arg)
{
    *(unsigned *)arg = dig(LIMIT_POLICY_STACK_BYTES / 1024);
}

static void its_stack_is_deep_and_survives_each_rest(void)
{
    unsigned depth = 0;
    struct fiber *f = fiber_new(dig_deep, &depth);
    while (!fiber_run(f, 0))
        continue;
    EXPECT_INT(LIMIT_POLICY_STACK_BYTES / 1024, depth);
    fiber_free(f);
}

int main(void)
{
    RUN(each_slice_goes_on_where_the_last_one_rested);
    RUN(a_long_slice_does_not_rest);
    RUN(what_is_cancelled_runs_to_its_end);
    RUN(two_take_turns);
    RUN(outside_of_a_fiber_nothing_happens);
    RUN(its_stack_is_deep_and_survives_each_rest);
    return unit_close("fiber");
}
