#include "lua/unspent.h"

#include "base/limits.h"
#include "base/mem.h"
#include "store/counters/table.h"

static struct counters_memory *nothing(void)
{
    static void *memory;
    if (!memory) {
        memory = mem_zalloc(1, counters_memory_bytes(1, 1));
        counters_memory_make(memory, 1, 1);
    }
    return counters_memory_at(memory);
}

void unspent_answer(const struct counters_question *question, struct counters_state *states,
                    struct counters_answer *answer)
{
    struct counters_question peek = *question;
    struct counters_asker asker = {.now_ns = (int64_t)question->time_ns};
    peek.operation = COUNTERS_PEEK;
    counters_table_ask(nothing(), &peek, asker, states, answer);
    answer->is_unspent = true;
}

static void ask(void *arg, const struct counters_question *question, uint64_t ticket)
{
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_answer answer;
    (void)arg;
    unspent_answer(question, states, &answer);
    policy_counters_done(ticket, &answer);
}

const struct policy_host *unspent_host(void)
{
    static const struct policy_host host = {.counters = ask};
    return &host;
}
