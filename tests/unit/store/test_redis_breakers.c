/* Which provider accounts' breakers are open at enough gateways of a fleet, by the script that runs in Redis. */
#include "scripts_kit.h"

static void gateway_beats(const char *name, uint32_t lease_ms)
{
    struct counters_place place = {.session = name, .epoch = epoch};
    EXPECT_STR("1", word(say(counters_call_beat(&place, name, COUNTERS_BEGINS, lease_ms, &arena)), 0));
}

static int64_t tell(const char *gateway, uint64_t left_ms)
{
    struct counters_open one = {SLICE("acc"), left_ms};
    return strtoll(word(say(counters_call_breakers(gateway, &one, 1, &arena)), 1), NULL, 10);
}

/* Of four, two; of one that is alone nothing is heard, whatever it says. */
static void an_account_is_open_for_all_when_it_is_at_enough_gateways(void)
{
    begin();
    EXPECT_INT(0, tell("gw1-a", 60000));
    gateway_beats("gw2-a", 60000);
    gateway_beats("gw3-a", 60000);
    gateway_beats("gw4-a", 60000);
    EXPECT_INT(0, tell("gw3-a", 0));
    int64_t left = tell("gw2-a", 20000);
    EXPECT(left > 0 && left <= 20000); /* so long at both */
    EXPECT(tell("gw4-a", 0) > 0);
    EXPECT_INT(0, tell("gw1-a", 0)); /* it closes there */
    EXPECT_INT(0, tell("gw4-a", 0));
    int64_t ttl = strtoll(sync_text("PTTL", "mg1:{p0}:CB:acc", NULL), NULL, 10);
    EXPECT(ttl > 0 && ttl <= 20000);
    EXPECT_INT(0, tell("gw2-a", 0));
    EXPECT_STR("0", sync_text("EXISTS", "mg1:{p0}:CB:acc", NULL));
}

/* A fourth of nine is three. */
static void of_many_gateways_a_fourth_is_enough(void)
{
    begin();
    for (char n = '2'; n <= '9'; n++)
        gateway_beats(arena_printf(&arena, "gw%c-a", n).ptr, 60000);
    EXPECT_INT(0, tell("gw1-a", 60000));
    EXPECT_INT(0, tell("gw2-a", 60000));
    EXPECT(tell("gw3-a", 60000) > 0);
    EXPECT(tell("gw9-a", 0) > 0);
}

/* Nobody hears of them any more, and what they told goes. */
static void gateways_that_are_gone_have_no_say(void)
{
    begin();
    gateway_beats("gw2-a", 60000);
    gateway_beats("gw3-a", 60000);
    EXPECT_INT(0, tell("gw2-a", 60000));
    EXPECT(tell("gw3-a", 60000) > 0);
    gateway_beats("gw3-a", 1); /* its lease is over in a moment */
    while (tell("gw1-a", 0) > 0)
        continue;
    EXPECT_STR("1", sync_text("HLEN", "mg1:{p0}:CB:acc", NULL));
}

static void as_many_accounts_as_there_may_be(void)
{
    static struct counters_open all[LIMIT_PROVIDERS];
    begin();
    gateway_beats("gw2-a", 60000);
    for (size_t i = 0; i < LIMIT_PROVIDERS; i++)
        all[i] = (struct counters_open){arena_printf(&arena, "account-%zu", i), i % 2 ? 60000 : 0};
    say(counters_call_breakers("gw1-a", all, LIMIT_PROVIDERS, &arena));
    const char *said = say(counters_call_breakers("gw2-a", all, LIMIT_PROVIDERS, &arena));
    EXPECT_STR("0", word(said, 1));
    EXPECT(strtoll(word(said, 2), NULL, 10) > 0);
    EXPECT_STR("0", word(said, LIMIT_PROVIDERS - 1));
    EXPECT(strtoll(word(said, LIMIT_PROVIDERS), NULL, 10) > 0);
}

int main(void)
{
    sync_start();
    arena_init(&arena);
    RUN(an_account_is_open_for_all_when_it_is_at_enough_gateways);
    RUN(of_many_gateways_a_fourth_is_enough);
    RUN(gateways_that_are_gone_have_no_say);
    RUN(as_many_accounts_as_there_may_be);
    arena_clear(&arena);
    sync_end();
    return unit_close("redis_breakers");
}
