/* The ledger's writer: what is put is there once, in one chain, with its columns and sums. */
#include "ledger_kit.h"

static void what_is_put_is_found(void)
{
    uint8_t hash[CHAIN_HASH_BYTES];
    kit_fresh();
    struct ledger *l = kit_open();
    EXPECT_INT(0, ledger_head(l, hash));
    kit_begin(l);
    for (uint64_t n = 1; n <= 10; n++)
        EXPECT_INT(LEDGER_STORED, kit_put(l, n));
    EXPECT_INT(0, ledger_head(l, hash));
    kit_commit(l);
    EXPECT_INT(10, ledger_head(l, hash));
    ledger_close(l);
    kit_verify(10);
    EXPECT_STR("7|20250603|chat|200|ok|app-1|dept-1|user-0|key_2|chat|small|openai/small|openai|10|3|20|5|7000|12345|3002",
               kit_ask("SELECT seq, day, api, status, outcome, app, department, user, key_id, model_asked, model, target,"
                       " provider, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nano, duration_us,"
                       " first_byte_us FROM records WHERE seq = 7"));
    EXPECT_STR("1748952000250000|rev1|aa|0|0|1||",
               kit_ask("SELECT time_us, price, bundle, estimated, unpriced, attempts, session, cache FROM records"));
    EXPECT_STR("3|18000", kit_ask("SELECT requests, cost_nano FROM rollup_label WHERE label = 'cost_center' AND value = '2'"));
}

static void nothing_is_stored_twice(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    EXPECT_INT(LEDGER_STORED, kit_put(l, 1));
    EXPECT_INT(LEDGER_KNOWN, kit_put(l, 1));
    EXPECT_INT(LEDGER_STORED, kit_put(l, 2));
    kit_commit(l);
    ledger_close(l);
    l = kit_open();
    kit_begin(l);
    EXPECT_INT(LEDGER_KNOWN, kit_put(l, 2));
    EXPECT_INT(LEDGER_STORED, kit_put(l, 3));
    kit_commit(l);
    ledger_close(l);
    kit_verify(3);
}

int main(void)
{
    RUN(what_is_put_is_found);
    RUN(nothing_is_stored_twice);
    kit_end();
    return unit_close("ledger");
}
