/* Where a gateway counts in its fleet's Redis, as its processes show it to each other. */
#include "../unit.h"
#include "store/counters/post.h"

static void nothing_is_shown_at_first(void)
{
    static struct counters_post post;
    struct counters_post_view view;
    EXPECT_INT(0, counters_post_read(&post, &view));
    EXPECT_STR("", view.session);
    EXPECT_STR("", view.epoch);
    EXPECT_INT(0, view.gateways);
}

static void a_place_is_read_whole_and_each_change_is_another_version(void)
{
    static struct counters_post post;
    struct counters_post_view view;
    counters_post_show(&post, "gw-1-abc", "", 0);
    uint64_t before = counters_post_read(&post, &view);
    EXPECT_STR("gw-1-abc", view.session);
    EXPECT_STR("", view.epoch);
    counters_post_show(&post, "gw-1-abc", "1764460800000000", 4);
    EXPECT(counters_post_version(&post) != before);
    EXPECT_INT(counters_post_version(&post), counters_post_read(&post, &view));
    EXPECT_STR("gw-1-abc", view.session);
    EXPECT_STR("1764460800000000", view.epoch);
    EXPECT_INT(4, view.gateways);
}

static void the_longest_names_fit(void)
{
    static struct counters_post post;
    struct counters_post_view view;
    char name[COUNTERS_NAME_BYTES];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    counters_post_show(&post, name, name, UINT32_MAX);
    counters_post_read(&post, &view);
    EXPECT_STR(name, view.session);
    EXPECT_STR(name, view.epoch);
    EXPECT_INT(UINT32_MAX, view.gateways);
}

int main(void)
{
    RUN(nothing_is_shown_at_first);
    RUN(a_place_is_read_whole_and_each_change_is_another_version);
    RUN(the_longest_names_fit);
    return unit_close("counters_post");
}
