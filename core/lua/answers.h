/*
 * What services and counters answered to a decision: noted in its exchange (exchange/asked.h), and given again when the
 * decision is taken again, without asking anybody.
 *
 *     answers_note_counters(x, question, answer);          // where an answer arrives
 *     answers_note_call(x, key, reply);
 *
 *     struct answers again = {.x = x};                     // x->asked.recall is there
 *     how.host = answers_host(); how.host_arg = &again;
 *     … POLICY_WAITING … answers_give(&again);             // in the order in which they came then
 *
 * A service's answer is kept when it is small and repeats nothing of the request; what was not kept, or was not asked
 * then, is a miss. Counters are reckoned anew where limits or amounts of money have changed: what was spent and held is
 * in the record. What nobody counted then is a miss too, and answered as if nothing had been taken. For the files of
 * this floor.
 */
#ifndef MOONGATE_LUA_ANSWERS_H
#define MOONGATE_LUA_ANSWERS_H

#include "exchange/exchange.h"
#include "lua/host.h"

#define ANSWERS_PENDING 16

struct answers {
    struct exchange *x;
    struct {
        uint64_t ticket;
        struct slice key; /* in the exchange's arena */
    } pending[ANSWERS_PENDING];
    size_t pending_count;
};

void answers_note_counters(struct exchange *x, const struct counters_question *question,
                           const struct counters_answer *answer);
/* Method, URL without its query, and a hash of all that was sent. */
struct slice answers_key(const struct policy_http_request *request, struct arena *arena);
void answers_note_call(struct exchange *x, struct slice key, const struct policy_http_reply *reply);
/* One that was not even begun, for the reason of that word. */
void answers_note_refusal(struct exchange *x, const struct policy_http_request *request, const char *word);

const struct policy_host *answers_host(void);
/* One of the calls under way gets its answer. */
void answers_give(struct answers *a);

#endif
