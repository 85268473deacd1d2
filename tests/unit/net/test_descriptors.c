/* Who gets how many of a process's descriptors. */
#include "net/descriptors.h"

#include "base/limits.h"
#include "../unit.h"

static void where_there_are_enough_all_are_let_in(void)
{
    struct descriptors d = descriptors_share(1u << 20, 10000);
    EXPECT_INT(10000, d.clients);
    EXPECT_INT(LIMIT_OVERLOADED, d.overloaded);
    EXPECT(d.upstream >= d.clients && !d.is_short);
    EXPECT_INT(1000000, descriptors_share(UINT64_MAX, 1000000).clients);
}

/* Whatever the limit: each client's request finds one for its provider, and the process keeps its own. */
static void nobody_is_let_in_without_a_second_one(void)
{
    for (uint64_t limit = LIMIT_DESCRIPTORS_OWN + 4; limit < 5000; limit++) {
        struct descriptors d = descriptors_share(limit, 10000);
        EXPECT(d.clients >= 1 && d.is_short);
        EXPECT(d.upstream >= d.clients);
        EXPECT(d.clients + d.overloaded + d.upstream + LIMIT_DESCRIPTORS_OWN <= limit);
    }
    for (uint64_t limit = 0; limit < LIMIT_DESCRIPTORS_OWN + 4; limit++)
        EXPECT(descriptors_share(limit, 10).clients >= 1 && descriptors_share(limit, 10).upstream >= 1);
}

int main(void)
{
    RUN(where_there_are_enough_all_are_let_in);
    RUN(nobody_is_let_in_without_a_second_one);
    return unit_close("descriptors");
}
