/* Circuit breakers of provider accounts as gateways that share one Redis tell each other of them. */
#include "session_kit.h"

static struct breaker *breaker_of(struct gateway *g)
{
    return breakers_find(&g->breakers, SLICE("acc"));
}

static struct gateway *gateway_with_account(const char *name)
{
    struct gateway *g = gateway_new(name, 0);
    breakers_keep(&g->breakers, (struct slice[]){SLICE("acc"), SLICE("other")}, 2);
    gateway_run(g);
    return g;
}

static bool is_passed_over(struct gateway *g)
{
    return breaker_is_open(breaker_of(g), clock_mono_ns() / NS_PER_MS);
}

static void trip(struct gateway *g)
{
    struct breaker_rule rule = {.failures = 1, .open_ms = 600000, .open_max_ms = 600000};
    EXPECT_INT(BREAKER_TRIPPED, breaker_failed(breaker_of(g), &rule, 0, clock_mono_ns() / NS_PER_MS));
}

static void what_is_open_at_two_of_four_is_open_at_all(void)
{
    fleet_begin(NULL);
    struct gateway *all[4];
    static const char *const names[] = {"gw-a", "gw-b", "gw-c", "gw-d"};
    for (size_t i = 0; i < 4; i++)
        all[i] = gateway_with_account(names[i]);
    WAIT(is_open(all[0]) && is_open(all[1]) && is_open(all[2]) && is_open(all[3]) && all[3]->view.gateways == 4);
    trip(all[0]);
    trip(all[1]);
    WAIT(is_passed_over(all[2]) && is_passed_over(all[3]));
    EXPECT(!breaker_view(breakers_find(&all[2]->breakers, SLICE("other")), clock_mono_ns() / NS_PER_MS).is_open);
    breaker_answered(breaker_of(all[0]));
    WAIT(!is_passed_over(all[2]) && !is_passed_over(all[3]) && !is_passed_over(all[0]));
    EXPECT(is_passed_over(all[1]));
    for (size_t i = 0; i < 4; i++)
        gateway_end(all[i]);
    fleet_end();
}

/* What was heard is good for a moment. */
static void without_redis_each_goes_by_what_it_sees(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_with_account("gw-a"), *b = gateway_with_account("gw-b"), *c = gateway_with_account("gw-c");
    WAIT(is_open(a) && is_open(b) && is_open(c) && c->view.gateways == 3);
    trip(a);
    trip(b);
    WAIT(is_passed_over(c));
    redis_server_kill(&sync_server, SIGKILL);
    WAIT(!is_passed_over(c));
    EXPECT(is_passed_over(a) && is_passed_over(b));
    gateway_end(a);
    gateway_end(b);
    gateway_end(c);
    fleet_end();
}

int main(void)
{
    RUN(what_is_open_at_two_of_four_is_open_at_all);
    RUN(without_redis_each_goes_by_what_it_sees);
    return unit_close("session_hints");
}
