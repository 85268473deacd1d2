#include "store/counters/script.h"

#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "store/counters/plan.h"
#include "store/counters/rules.h"

#define NS INT64_C(1000000000)
#define SECONDS_MAX INT64_C(4000000000) /* 2096: in nanoseconds it is no overflow yet */
#define US_MAX 999999
#define CELL 5u                         /* doubles */

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

/* Seconds since 1970 and nanoseconds, as redis/admit.lua has them. */
static int64_t until_of(const double *time)
{
    if (!(time[0] >= 0 && time[1] >= 0 && time[1] < 2e9)) return 0;
    int64_t seconds = time[0] > (double)SECONDS_MAX ? SECONDS_MAX : (int64_t)time[0];
    return seconds * NS + (int64_t)time[1];
}

/* What an admission was decided by: the state in its reply, as redis/admit.lua has it. */
struct reading {
    struct counters_plan plan;
    const char *cells;
    int64_t failed, now_ns;
    int64_t sums[LIMIT_COUNTERS_ITEMS][2];            /* spent and held */
    struct counters_seen after[LIMIT_COUNTERS_ITEMS]; /* what was taken of each item's cell or sum */
};

/* The next of numbers in text, with a blank behind each; what is none is 0. */
static bool next_number(struct slice *rest, int64_t *number)
{
    const char *blank = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;
    if (!blank) return false;
    size_t len = (size_t)(blank - rest->ptr);
    uint64_t value = 0;
    *number = slice_to_u64(slice_of(rest->ptr, len), &value) && value <= INT64_MAX ? (int64_t)value : 0;
    *rest = slice_of(blank + 1, rest->len - len - 1);
    return true;
}

static bool read_sums(struct reading *r, struct slice rest)
{
    for (size_t sum = 0; sum < r->plan.sum_count; sum++) {
        int64_t over_s, *of = r->sums[sum];
        bool is_session = r->plan.items[r->plan.sums[sum]].stop_s == 0;
        if (!next_number(&rest, &of[0]) || !next_number(&rest, &of[1])) return false;
        if (is_session && !next_number(&rest, &over_s)) return false;
    }
    return true;
}

static int64_t between(double value, int64_t most)
{
    return !(value > 0) ? 0 : value > (double)most ? most : (int64_t)value;
}

/* False: it is no state of such a question. */
static bool read_state(struct reading *r, struct slice state)
{
    double head[3]; /* failed, s, us */
    size_t cells = r->plan.cell_count * CELL * sizeof(double);
    if (state.len < sizeof head + cells) return false;
    memcpy(head, state.ptr, sizeof head);
    r->failed = between(head[0], LIMIT_COUNTERS_ITEMS);
    r->now_ns = between(head[1], SECONDS_MAX) * NS + between(head[2], US_MAX) * 1000;
    r->cells = state.ptr + sizeof head;
    return read_sums(r, slice_of(r->cells + cells, state.len - sizeof head - cells));
}

static struct counters_seen seen_of(const struct reading *r, size_t i)
{
    const struct counters_item *item = &r->plan.items[i];
    struct counters_seen seen = {0};
    double cell[CELL];
    if (item->unit == COUNTERS_MONEY) {
        const int64_t *sum = r->sums[r->plan.place[i]];
        seen.spent = counters_sum(sum[0], 0);
        seen.held = counters_sum(sum[1], 0);
        return seen;
    }
    memcpy(cell, r->cells + r->plan.place[i] * sizeof cell, sizeof cell);
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
    if (reply->count < 2 || reply->items[1].kind != REDIS_TEXT || !read_state(&r, reply->items[1].text)) {
        answer->error = "unreachable";
        return;
    }
    answer->is_ok = code != COUNTERS_REPLY_NO;
    if (!answer->is_ok && (size_t)r.failed < q->item_count) answer->failed = (size_t)r.failed;
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
    if (!answer->is_ok && reply->count > 1 && reply->items[1].kind == REDIS_INTEGER)
        answer->failed = (size_t)reply->items[1].integer;
    if (answer->failed >= q->item_count) answer->failed = 0;
}
