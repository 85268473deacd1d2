#include "store/counters/script.h"

#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "store/counters/plan.h"
#include "store/counters/rules.h"

#define NS INT64_C(1000000000)
#define SECONDS_MAX INT64_C(4000000000) /* 2096: in nanoseconds it is no overflow yet */
#define US_MAX 999999
#define HEAD 4u                         /* of an admission's reply: ok, failed, s, us */

enum counters_reply counters_script_reply(const struct redis_reply *reply)
{
    if (reply->kind != REDIS_ARRAY || reply->count == 0 || reply->items[0].kind != REDIS_INTEGER)
        return COUNTERS_REPLY_NONE;
    int64_t code = reply->items[0].integer;
    bool is_known = code >= COUNTERS_REPLY_ZONE && code <= COUNTERS_REPLY_AGAIN;
    return is_known ? (enum counters_reply)code : COUNTERS_REPLY_NONE;
}

bool counters_script_owner(struct slice text, uint64_t *owner)
{
    uint8_t bytes[sizeof *owner];
    if (text.len != 2 * sizeof bytes || !hex_read(text, bytes, sizeof bytes)) return false;
    *owner = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        *owner = *owner << 8 | bytes[i];
    return true;
}

static int64_t integer_of(const struct redis_reply *item)
{
    uint64_t value = 0;
    if (item->kind == REDIS_INTEGER) return item->integer;
    if (item->kind == REDIS_TEXT && slice_to_u64(item->text, &value) && value <= INT64_MAX) return (int64_t)value;
    return 0;
}

static int64_t between(int64_t value, int64_t most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

/* Seconds since 1970 and nanoseconds, as redis/admit.lua has them. */
static int64_t until_of(const double *time)
{
    if (!(time[0] >= 0 && time[1] >= 0 && time[1] < 2e9)) return 0;
    int64_t seconds = time[0] > (double)SECONDS_MAX ? SECONDS_MAX : (int64_t)time[0];
    return seconds * NS + (int64_t)time[1];
}

/* What an admission was decided by. */
struct reading {
    struct counters_plan plan;
    const struct redis_reply *reply;
    int64_t now_ns;
    struct counters_seen after[LIMIT_COUNTERS_ITEMS]; /* what was taken of each item's cell or sum */
};

static const struct redis_reply *part_of(const struct reading *r, size_t at)
{
    static const struct redis_reply none;
    return HEAD + at < r->reply->count ? &r->reply->items[HEAD + at] : &none;
}

/* Until when its requests and its tokens are used up, and how many run. None: never asked for. */
static void cell_of(const struct redis_reply *part, double cell[5])
{
    memset(cell, 0, 5 * sizeof *cell);
    if (part->kind == REDIS_TEXT && part->text.len == 5 * sizeof *cell) memcpy(cell, part->text.ptr, 5 * sizeof *cell);
}

static struct counters_seen seen_of(const struct reading *r, size_t i)
{
    const struct counters_item *item = &r->plan.items[i];
    struct counters_seen seen = {0};
    double cell[5];
    if (item->unit == COUNTERS_MONEY) {
        size_t at = r->plan.cell_count + 2u * r->plan.place[i];
        seen.spent = counters_sum(integer_of(part_of(r, at)), 0);
        seen.held = counters_sum(integer_of(part_of(r, at + 1)), 0);
        return seen;
    }
    cell_of(part_of(r, r->plan.place[i]), cell);
    if (item->unit == COUNTERS_CONCURRENT) seen.running = cell[4] > 0 ? (uint32_t)(cell[4] < 4e9 ? cell[4] : 4e9) : 0;
    else seen.until_ns = until_of(cell + (item->unit == COUNTERS_TOKENS ? 2 : 0));
    return seen;
}

static struct counters_state state_of(const struct counters_item *item, const struct counters_seen *seen,
                                      int64_t now_ns)
{
    struct counters_state state = {.spent = seen->spent, .held = seen->held};
    if (item->unit == COUNTERS_CONCURRENT) {
        state.left = item->limit > seen->running ? item->limit - seen->running : 0;
    } else if (item->unit != COUNTERS_MONEY) {
        state.left = counters_left(item, seen->until_ns, now_ns);
        state.reset_s = counters_reset_s(item, seen->until_ns, now_ns);
    }
    return state;
}

/* With what was taken just now: an observed item beyond its limit was not, if it is a rate. Of several items of one
 * cell or sum the first has taken for the others. */
static void take(struct reading *r, size_t i, struct counters_seen *seen, const struct counters_judged *judged)
{
    const struct counters_item *item = &r->plan.items[i];
    size_t first = r->plan.first[i];
    int64_t until_ns = judged->refusal == COUNTERS_FITS ? judged->until_ns : 0;
    if (first != i) *seen = r->after[first];
    else if (item->unit == COUNTERS_MONEY) seen->held = counters_sum(seen->held, item->amount);
    else if (item->unit == COUNTERS_CONCURRENT) seen->running += seen->running < UINT32_MAX;
    bool is_rate = item->unit == COUNTERS_REQUESTS || item->unit == COUNTERS_TOKENS;
    if (is_rate && until_ns > seen->until_ns) seen->until_ns = until_ns;
    r->after[first] = *seen;
}

static void read_items(struct reading *r, bool is_taken, struct counters_state *states, struct counters_answer *answer)
{
    for (size_t i = 0; i < r->plan.count; i++) {
        const struct counters_item *item = &r->plan.items[i];
        struct counters_seen seen = seen_of(r, i);
        struct counters_judged judged = counters_judge(item, &seen, r->now_ns);
        if (is_taken) take(r, i, &seen, &judged);
        states[i] = state_of(item, &seen, r->now_ns);
        states[i].refusal = judged.refusal;
        if (answer->is_ok || answer->failed != i) continue;
        answer->retry_after_s = judged.retry_after_s;
        if (judged.refusal == COUNTERS_FITS) states[i].refusal = COUNTERS_OVER;
    }
    answer->states = states;
    answer->state_count = r->plan.count;
}

static void read_admission(const struct counters_question *q, const struct redis_reply *reply,
                           struct counters_state *states, struct counters_answer *answer)
{
    enum counters_reply code = counters_script_reply(reply);
    struct reading r;
    counters_plan(&r.plan, q->items, q->item_count);
    r.reply = reply;
    if (reply->count < HEAD + r.plan.cell_count + 2 * r.plan.sum_count) {
        answer->error = "unreachable";
        return;
    }
    int64_t seconds = integer_of(&reply->items[2]), us = integer_of(&reply->items[3]);
    r.now_ns = between(seconds, SECONDS_MAX) * NS + between(us, US_MAX) * 1000;
    answer->is_ok = code != COUNTERS_REPLY_NO;
    if (!answer->is_ok) answer->failed = (size_t)integer_of(&reply->items[1]);
    if (answer->failed >= q->item_count && !answer->is_ok) answer->failed = 0;
    read_items(&r, code == COUNTERS_REPLY_OK && q->operation == COUNTERS_ADMIT, states, answer);
    for (size_t i = 0; i < q->item_count && code == COUNTERS_REPLY_AGAIN; i++)
        states[i].refusal = COUNTERS_FITS;
}

static const char *error_of(const struct redis_reply *reply)
{
    if (reply->kind == REDIS_ERROR && reply->error == REDIS_OOM) return "full";
    switch (counters_script_reply(reply)) {
    case COUNTERS_REPLY_NOT_HELD: return "not held";
    case COUNTERS_REPLY_FENCED:
    case COUNTERS_REPLY_NOT_SEEDED: return "starting";
    case COUNTERS_REPLY_CLOCK: return "clock";
    case COUNTERS_REPLY_ZONE:
    case COUNTERS_REPLY_NONE: return "unreachable";
    case COUNTERS_REPLY_NO:
    case COUNTERS_REPLY_OK:
    case COUNTERS_REPLY_AGAIN: return NULL;
    }
    return "unreachable";
}

void counters_script_answer(const struct counters_question *q, const struct redis_reply *reply,
                            struct counters_state *states, struct counters_answer *answer)
{
    *answer = (struct counters_answer){.error = error_of(reply)};
    memcpy(answer->hold, q->hold, sizeof answer->hold);
    if (answer->error) return;
    if (q->operation == COUNTERS_ADMIT || q->operation == COUNTERS_PEEK) {
        read_admission(q, reply, states, answer);
        return;
    }
    answer->is_ok = counters_script_reply(reply) == COUNTERS_REPLY_OK;
    if (!answer->is_ok && reply->count > 1) answer->failed = (size_t)integer_of(&reply->items[1]);
    if (answer->failed >= q->item_count) answer->failed = 0;
}
