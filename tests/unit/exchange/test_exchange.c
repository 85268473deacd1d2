/* States and their legal moves, ids, the trace's bound. */
#include "../unit.h"

#include "base/clock.h"
#include "exchange/exchange.h"
#include "exchange/settings.h"

static void every_state_leads_to_settling_and_none_out_of_recorded(void)
{
    for (int from = EXCHANGE_RECEIVING; from < EXCHANGE_SETTLING; from++)
        EXPECT(exchange_may_move((enum exchange_state)from, EXCHANGE_SETTLING));
    for (int to = 0; to < EXCHANGE_STATES; to++) {
        EXPECT(!exchange_may_move(EXCHANGE_RECORDED, (enum exchange_state)to));
        EXPECT_INT(to == EXCHANGE_RECORDED, exchange_may_move(EXCHANGE_SETTLING, (enum exchange_state)to));
    }
}

static void nothing_is_called_or_replied_after_the_commit_point(void)
{
    EXPECT(!exchange_may_move(EXCHANGE_STREAMING, EXCHANGE_CALLING));
    EXPECT(!exchange_may_move(EXCHANGE_STREAMING, EXCHANGE_REPLYING));
    EXPECT(exchange_may_move(EXCHANGE_CALLING, EXCHANGE_CALLING)); /* the next target */
}

static void ids_are_uuid_7_and_sort_by_time(void)
{
    struct exchange *a = exchange_new(clock_mono_ns(), 1764000000000ull * NS_PER_MS);
    struct exchange *b = exchange_new(clock_mono_ns(), 1764000000001ull * NS_PER_MS);
    EXPECT_INT(EXCHANGE_ID_BYTES - 1, strlen(a->id));
    EXPECT(strncmp(a->id, "req_019ab697-e800-7", 19) == 0);
    EXPECT_INT('7', a->id[18]);
    EXPECT(strchr("89ab", a->id[23]) != NULL);
    EXPECT(strcmp(a->id, b->id) < 0);
    EXPECT(strcmp(a->id + 18, b->id + 18) != 0);
    struct exchange *both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        exchange_move(both[i], EXCHANGE_SETTLING);
        exchange_move(both[i], EXCHANGE_RECORDED);
        exchange_free(both[i]);
    }
}

static void a_tier_of_service_is_what_will_be_sent(void)
{
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    EXPECT_SLICE(SLICE(""), exchange_service_tier(x));
    x->request.service_tier = SLICE("flex");
    EXPECT_SLICE(SLICE("flex"), exchange_service_tier(x));
    EXPECT(exchange_edit(x, SLICE("max_tokens"), SLICE("5")));
    EXPECT_SLICE(SLICE("flex"), exchange_service_tier(x));
    EXPECT(exchange_edit(x, SLICE("service_tier"), SLICE("\"priority\"")));
    EXPECT_SLICE(SLICE("priority"), exchange_service_tier(x));
    EXPECT(exchange_edit(x, SLICE("service_tier"), SLICE(""))); /* taken out */
    EXPECT_SLICE(SLICE(""), exchange_service_tier(x));
    exchange_move(x, EXCHANGE_SETTLING);
    exchange_move(x, EXCHANGE_RECORDED);
    exchange_free(x);
}

static void a_trace_is_bounded_and_copies(void)
{
    struct arena arena;
    struct trace trace = {0};
    char name[] = "access";
    arena_init(&arena);
    for (int i = 0; i < (int)LIMIT_TRACE_ENTRIES + 5; i++)
        trace_add(&trace, &arena, &(struct trace_entry){.policy = slice_str(name), .line = i});
    name[0] = 'X';
    EXPECT_INT(LIMIT_TRACE_ENTRIES, trace.count);
    EXPECT_INT(5, trace.dropped);
    EXPECT_SLICE(SLICE("access"), trace.entries[255].policy);
    EXPECT_INT(255, trace.entries[255].line);
    arena_clear(&arena);
}

static void settings_begin_with_what_policies_need(void)
{
    struct settings *s = settings_new();
    EXPECT_INT(LIMIT_POLICY_BYTECODES, s->policy_bytecodes);
    EXPECT(s->policy_cpu_ms && s->policy_deadline_ms);
    EXPECT(!settings_provider(s, SLICE("openai")));
    settings_unref(settings_ref(s));
    settings_unref(s);
}

int main(void)
{
    RUN(every_state_leads_to_settling_and_none_out_of_recorded);
    RUN(nothing_is_called_or_replied_after_the_commit_point);
    RUN(ids_are_uuid_7_and_sort_by_time);
    RUN(a_tier_of_service_is_what_will_be_sent);
    RUN(a_trace_is_bounded_and_copies);
    RUN(settings_begin_with_what_policies_need);
    return unit_close("exchange");
}
