/* What the tests of shipping share: one that ships, and waits for what becomes of it. */
#ifndef MOONGATE_TESTS_SHIP_KIT_H
#define MOONGATE_TESTS_SHIP_KIT_H

#include "../postgres_kit.h"
#include "../store/ledger_kit.h"
#include "base/clock.h"
#include "base/log.h"
#include "ledger/ship.h"
#include "net/loop.h"

#define SHIP_PATIENCE_NS (120ull * 1000 * NS_PER_MS)

struct shipping {
    struct loop *loop;
    struct ship *ship;
    struct loop_timer tick; /* looks whether what is waited for has come */
    uint64_t until_ns;      /* … and fails the test when it does not */
    uint64_t wanted;        /* seq; 0: none */
    bool wants_failing, wants_refused;
    uint64_t shipped, told, told_well;
    char why[FAULT_TEXT_BYTES];
};

static inline void on_shipped(void *arg, uint64_t seq)
{
    struct shipping *s = arg;
    if (seq <= s->shipped) UNIT_FAIL("what is shipped goes back from %d to %d", (int)s->shipped, (int)seq);
    s->shipped = seq;
    s->told++;
}

static inline void on_state(void *arg, const struct ship_state *state)
{
    struct shipping *s = arg;
    snprintf(s->why, sizeof s->why, "%s", state->why);
    s->told_well += !state->is_failing;
}

static const struct ship_events events = {on_shipped, on_state};

static inline bool has_come(struct shipping *s)
{
    const struct ship_state *state = ship_state(s->ship);
    if (s->wants_refused) return state->is_refused;
    if (s->wants_failing) return state->is_failing;
    return !state->is_failing && s->shipped >= s->wanted;
}

static inline _Noreturn void give_up_waiting(struct shipping *s)
{
    fprintf(stderr, "%llu is shipped, %llu was waited for: %s\n", (unsigned long long)s->shipped,
            (unsigned long long)s->wanted, s->why);
    server_end();
    exit(1);
}

static inline void on_tick(void *arg)
{
    struct shipping *s = arg;
    if (has_come(s)) loop_stop(s->loop);
    else if (clock_mono_ns() > s->until_ns) give_up_waiting(s);
    else loop_timer_arm_ms(&s->tick, 5);
}

/* The structure stays where it is: the room keeps its address. */
static inline void begin(struct shipping *s, struct ship_options options)
{
    struct fault why = {0};
    *s = (struct shipping){.loop = loop_new()};
    options.data_dir = kit_dir;
    if (!options.conninfo) options.conninfo = server_conninfo();
    if (!options.gateway.ptr) options.gateway = SLICE("gw-1");
    s->ship = ship_new(s->loop, &options, &events, s, &why);
    if (!s->ship) UNIT_FAIL("ship: %s", why.text);
    loop_timer_init(&s->tick, s->loop, on_tick, s);
}

/* UINT64_MAX: for ever, as who is to be killed does. */
static inline void wait_for(struct shipping *s)
{
    s->until_ns = s->wanted == UINT64_MAX ? UINT64_MAX : clock_mono_ns() + SHIP_PATIENCE_NS;
    loop_timer_arm_ms(&s->tick, 1);
    loop_run(s->loop);
}

static inline void wait_failing(struct shipping *s)
{
    s->wants_failing = true;
    wait_for(s);
    s->wants_failing = false;
}

/* Until the reason holds that word. */
static inline void wait_failing_with(struct shipping *s, const char *word)
{
    do wait_failing(s);
    while (!strstr(s->why, word) && !usleep(10000));
}

static inline void wait_refused(struct shipping *s)
{
    s->wants_refused = true;
    wait_for(s);
    s->wants_refused = false;
}

static inline void wait_shipped(struct shipping *s, uint64_t seq)
{
    s->wanted = seq;
    wait_for(s);
}

static inline void end(struct shipping *s)
{
    loop_timer_disarm(&s->tick);
    ship_free(s->ship);
    loop_free(s->loop);
}

static inline void fill(struct ledger *l, uint64_t from, uint64_t count)
{
    kit_begin(l);
    for (uint64_t n = from; n < from + count; n++)
        EXPECT_INT(LEDGER_STORED, kit_put(l, n));
    kit_commit(l);
}

static inline void put_at(struct ledger *l, uint64_t n, const char *time)
{
    struct buf body;
    uint8_t id[16];
    buf_init(&body);
    kit_id(id, n);
    kit_body(&body, n, time);
    kit_put_text(l, CHAIN_EXCHANGE, id, buf_slice(&body));
    buf_clear(&body);
}

static inline void fresh(void)
{
    kit_fresh();
    server_ask("DROP SCHEMA IF EXISTS moongate CASCADE");
}

/* All that ledger.db has is there once, and sums are those of the rows, there and here. */
static inline void expect_same(void)
{
    EXPECT_STR(kit_ask("SELECT count(*), max(seq) FROM chain"),
               server_ask("SELECT count(*), max(a.seq) FROM moongate.audit a JOIN moongate.gateway USING (gw) WHERE name = 'gw-1'"));
    EXPECT_STR(kit_ask("SELECT count(*), sum(input_tokens), sum(output_tokens), sum(cost_nano) FROM records"),
               server_ask("SELECT count(*), sum(input_tokens), sum(output_tokens), sum(cost_nano) FROM moongate.records"));
    EXPECT_STR(kit_ask("SELECT count(*), sum(requests), sum(denied), sum(failed), sum(unpriced), sum(input_tokens), "
                       "sum(cached_tokens), sum(output_tokens), sum(reasoning_tokens), sum(cost_nano), sum(saved_nano) "
                       "FROM rollup"),
               server_ask("SELECT count(*), sum(requests), sum(denied), sum(failed), sum(unpriced), sum(input_tokens), "
                          "sum(cached_tokens), sum(output_tokens), sum(reasoning_tokens), sum(cost_nano), "
                          "sum(saved_nano) FROM moongate.rollup"));
    EXPECT_STR(kit_ask("SELECT count(*), sum(requests), sum(cost_nano) FROM rollup_label"),
               server_ask("SELECT count(*), sum(requests), sum(cost_nano) FROM moongate.rollup_label"));
}

static inline uint64_t head_of(struct ledger *l)
{
    uint8_t hash[CHAIN_HASH_BYTES];
    return ledger_head(l, hash);
}

static inline void ship_all(struct ledger *l)
{
    struct shipping s;
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    end(&s);
}

#endif
