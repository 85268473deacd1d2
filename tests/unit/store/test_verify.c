/* What looks odd: verification says what was changed, and what was not. */
#include "seal_kit.h"

#include "store/verify.h"

/* What it had not signed when it was killed is signed at its next start, an hour later. */
static void who_was_killed_and_comes_back_late_is_intact(void)
{
    struct fault why;
    seal_begin();
    seal_open();
    EXPECT(ledger_begin(seal_ledger, &why));
    seal_start();
    EXPECT(ledger_commit(seal_ledger, &why));
    seal_anchor(1000000, true);
    EXPECT(ledger_begin(seal_ledger, &why));
    seal_exchange(2);
    seal_exchange(3);
    seal_put(CHAIN_START, NULL, SLICE("{\"gateway\":\"gw-1\",\"time\":\"2026-11-29T11:00:00.000Z\"}"));
    EXPECT(ledger_commit(seal_ledger, &why));
    seal_anchor(2000000, true);
    seal_close();
    EXPECT_INT(VERIFY_INTACT, seal_verify(true));
    EXPECT_STR("", seal_first);
    seal_end();
}

/* No anchor stands behind it yet, and its hash is right. */
static void a_start_of_another_gateway_is_none_of_this_chain(void)
{
    struct fault why;
    seal_begin();
    seal_make(3, 3);
    seal_open();
    EXPECT(ledger_begin(seal_ledger, &why));
    seal_put(CHAIN_START, NULL, SLICE("{\"gateway\":\"gw-2\",\"time\":\"2026-11-29T11:00:00.000Z\"}"));
    EXPECT(ledger_commit(seal_ledger, &why));
    seal_close();
    EXPECT_INT(VERIFY_TAMPERED, seal_verify(true));
    EXPECT_STR("genesis: the entry names gateway 'gw-2', the ledger 'gw-1'", seal_first);
    seal_end();
}

int main(void)
{
    RUN(who_was_killed_and_comes_back_late_is_intact);
    RUN(a_start_of_another_gateway_is_none_of_this_chain);
    return unit_close("verify");
}
