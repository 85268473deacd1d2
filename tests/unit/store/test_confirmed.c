/* What workers have of a fleet's registry: when it was last all there is, epochs, and clocks that differ. */
#include "../unit.h"

#include "base/clock.h"
#include "store/confirmed.h"

#define EPOCH 7u

static bool see(struct confirmed *c, uint64_t asked_ns, uint64_t epoch, uint64_t revision)
{
    return confirmed_see(c, &(struct confirmed_seen){.asked_ns = asked_ns, .epoch = epoch, .revision = revision});
}

/* Nobody else changes what is this gateway's own. */
static void what_is_ones_own_is_never_stale(void)
{
    struct confirmed own = {.is_shared = 0};
    EXPECT(!confirmed_is_stale(NULL, 100 * NS_PER_S, 1));
    EXPECT(!confirmed_is_stale(&own, 100 * NS_PER_S, 1));
    EXPECT_INT(0, confirmed_early_ms(NULL));
    EXPECT_INT(0, confirmed_early_ms(&own));
}

static void it_is_confirmed_by_who_sees_no_more(void)
{
    struct confirmed c = {.is_shared = 0};
    confirmed_begin(&c);
    EXPECT(confirmed_is_stale(&c, NS_PER_S, 30000)); /* never yet */
    confirmed_hold(&c, EPOCH, 5, 0);                 /* of registry.snap */
    EXPECT(confirmed_is_stale(&c, NS_PER_S, 30000));
    EXPECT(see(&c, 10 * NS_PER_S, EPOCH, 5));
    EXPECT(!confirmed_is_stale(&c, 40 * NS_PER_S, 30000));
    EXPECT(confirmed_is_stale(&c, 41 * NS_PER_S, 30000));
    EXPECT(!see(&c, 40 * NS_PER_S, EPOCH, 6)); /* changed, and workers have it not */
    EXPECT(confirmed_is_stale(&c, 41 * NS_PER_S, 30000));
    confirmed_hold(&c, EPOCH, 6, 39 * NS_PER_S);
    EXPECT(!confirmed_is_stale(&c, 41 * NS_PER_S, 30000));
    EXPECT(see(&c, 41 * NS_PER_S, EPOCH, 5)); /* workers have more than was seen */
    EXPECT(see(&c, 20 * NS_PER_S, EPOCH, 6)); /* an answer that was late takes nothing back */
    EXPECT_INT(NS_PER_S, confirmed_age_ns(&c, 42 * NS_PER_S));
}

/* Of another epoch no revision is newer or older. */
static void another_epoch_is_another_registry(void)
{
    struct confirmed c = {.is_shared = 1};
    confirmed_hold(&c, EPOCH, 100, NS_PER_S);
    EXPECT(!see(&c, 2 * NS_PER_S, EPOCH + 1, 3));
    EXPECT(!see(&c, 2 * NS_PER_S, EPOCH - 1, 3));
    confirmed_hold(&c, EPOCH + 1, 3, 2 * NS_PER_S);
    EXPECT(see(&c, 3 * NS_PER_S, EPOCH + 1, 3));
}

/* Early, never late. */
static void grants_end_early_and_never_late(void)
{
    struct confirmed c = {.is_shared = 1};
    struct confirmed_seen seen = {.ahead_ms = 2900, .late_ms = 3000};
    confirmed_see(&c, &seen);
    EXPECT_INT(3000, confirmed_early_ms(&c));
    EXPECT_INT(2900, confirmed_ahead_ms(&c));
    seen = (struct confirmed_seen){.ahead_ms = -5000, .late_ms = -4900};
    confirmed_see(&c, &seen);
    EXPECT_INT(0, confirmed_early_ms(&c));
    EXPECT_INT(-5000, confirmed_ahead_ms(&c));
}

int main(void)
{
    RUN(what_is_ones_own_is_never_stale);
    RUN(it_is_confirmed_by_who_sees_no_more);
    RUN(another_epoch_is_another_registry);
    RUN(grants_end_early_and_never_late);
    return unit_close("confirmed");
}
