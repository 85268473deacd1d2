#include "ledger/abandoned.h"

#include <limits.h>

#include "base/arena.h"
#include "base/limits.h"
#include "store/ledger/follow.h"
#include "wire/json.h"
#include "wire/splice.h"

#define OUTCOME SLICE("\"abandoned\"")

void abandoned_format(struct slice intent, struct buf *out)
{
    struct json_tape tape;
    struct arena arena;
    struct splice edits;
    struct fault ignored;
    json_init(&tape);
    arena_init(&arena);
    if (json_parse(&tape, intent, &ignored) && json_is(&tape, 0, JSON_OBJECT)) {
        splice_init(&edits, &tape, intent, &arena);
        uint32_t outcome = json_get(&tape, 0, SLICE("outcome"));
        if (outcome == JSON_NONE)
            splice_append(&edits, 0, SLICE("outcome"), OUTCOME);
        else
            splice_value(&edits, outcome, OUTCOME);
        splice_apply(&edits, out);
    } else {
        buf_append(out, SLICE("{\"outcome\":\"abandoned\"}"));
    }
    arena_clear(&arena);
    json_clear(&tape);
}

struct search {
    struct commit *commit;
    abandoned_claimed_fn is_claimed;
    void *arg;
    uint64_t last;
    unsigned seen, found;
};

static void on_intent(void *arg, const struct ledger_intent *intent)
{
    struct search *s = arg;
    struct buf body;
    s->last = intent->seq;
    s->seen++;
    if (s->is_claimed(s->arg, intent->instance)) return;
    buf_init(&body);
    abandoned_format(intent->body, &body);
    commit_add(s->commit,
               &(struct commit_entry){.kind = CHAIN_EXCHANGE, .id = intent->id, .body = buf_slice(&body)});
    buf_clear(&body);
    s->found++;
}

/* Those of living workers may stand before the others. */
unsigned abandoned_record(struct ledger *ledger, struct commit *commit, abandoned_claimed_fn is_claimed, void *arg,
                          struct fault *why)
{
    struct search s = {.commit = commit, .is_claimed = is_claimed, .arg = arg};
    do {
        s.seen = 0;
        if (!ledger_open_intents(ledger, s.last, LIMIT_LEDGER_SLICE, on_intent, &s, why)) return UINT_MAX;
    } while (s.seen == LIMIT_LEDGER_SLICE && s.found < LIMIT_LEDGER_SLICE);
    return s.found;
}
