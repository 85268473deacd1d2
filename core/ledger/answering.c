#include "ledger/answering.h"

#include "base/clock.h"
#include "store/ledger/objects.h"

void answering_ask(struct ledger *ledger, struct link *link, const struct link_ask *ask, const struct owned_key *keys)
{
    struct owned found[LIMIT_KEPT] = {{0}};
    struct link_ask answer = {.number = ask->number, .count = ask->count, .is_failing = !ledger};
    uint64_t now_s = clock_wall_ns() / NS_PER_S;
    for (uint32_t i = 0; i < ask->count && !answer.is_failing; i++)
        answer.is_failing = ledger_find_object(ledger, &keys[i], now_s, &found[i]) == LEDGER_OBJECT_UNREAD;
    link_tell(link, &answer, found);
}
