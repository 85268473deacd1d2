#include "store/counters/rules.h"

#define NS INT64_C(1000000000)
#define PART_MAX (INT64_MAX / 4) /* 73 years; a time since 1970 and two of them do not overflow */
#define WINDOWS_AHEAD 2          /* a key is used up no longer than this */
#define ROUNDED_NS 1000          /* parts are rounded up: so many of them in one burst cost nobody a request */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t counters_part_ns(const struct counters_item *item, int64_t amount)
{
    int64_t short_whole;
    if (item->limit < 1) return PART_MAX;
    if (!__builtin_mul_overflow(amount, item->window_s * NS, &short_whole) && short_whole < INT64_MAX - item->limit)
        return smaller((short_whole + item->limit - 1) / item->limit, PART_MAX);
    /* What is rare is longer: 128 bits are divided by a function. */
    __int128 whole = (__int128)amount * item->window_s * NS;
    __int128 part = (whole + item->limit - 1) / item->limit;
    return part > PART_MAX ? PART_MAX : (int64_t)part;
}

int64_t counters_ahead_most_ns(const struct counters_item *item)
{
    return smaller(WINDOWS_AHEAD * (int64_t)item->window_s, PART_MAX / NS) * NS;
}

int64_t counters_until(const struct counters_item *item, int64_t until_ns, int64_t now_ns)
{
    return smaller(until_ns, now_ns + counters_ahead_most_ns(item));
}

static int64_t used_until(const struct counters_item *item, int64_t until_ns, int64_t now_ns)
{
    return larger(counters_until(item, until_ns, now_ns), now_ns);
}

int64_t counters_burst_ns(const struct counters_item *item)
{
    return counters_part_ns(item, item->burst) + ROUNDED_NS;
}

/* Whole seconds, rounded up, and never 0: "come again now" would be answered the same. */
static uint32_t seconds_after(int64_t ns)
{
    int64_t seconds = (ns + NS - 1) / NS;
    return seconds < 1 ? 1 : seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

int64_t counters_left(const struct counters_item *item, int64_t until_ns, int64_t now_ns)
{
    return counters_left_of(item, counters_burst_ns(item), until_ns, now_ns);
}

int64_t counters_left_of(const struct counters_item *item, int64_t burst_ns, int64_t until_ns, int64_t now_ns)
{
    int64_t at = used_until(item, until_ns, now_ns);
    int64_t room = now_ns + burst_ns - at;
    if (room <= 0 || item->window_s == 0 || item->limit < 1) return 0;
    int64_t window_ns = item->window_s * NS, whole;
    if (!__builtin_mul_overflow(room, item->limit, &whole)) return smaller(whole / window_ns, item->burst);
    __int128 left = (__int128)room * item->limit / window_ns;
    return left > item->burst ? item->burst : (int64_t)left;
}

uint32_t counters_reset_s(const struct counters_item *item, int64_t until_ns, int64_t now_ns)
{
    int64_t at = used_until(item, until_ns, now_ns);
    return at > now_ns ? seconds_after(at - now_ns) : 0;
}

/* That it fits, and until when the key is used up then; `over` is by how much it is more than may be had now. */
static struct counters_judged judge_rate(const struct counters_item *item, int64_t at_ns, int64_t now_ns, int64_t *over)
{
    struct counters_judged judged = {.refusal = COUNTERS_FITS,
                                     .part_ns = counters_part_ns(item, item->amount),
                                     .burst_ns = counters_burst_ns(item)};
    judged.until_ns = at_ns + judged.part_ns;
    *over = judged.until_ns - now_ns - judged.burst_ns;
    return judged;
}

static struct counters_judged refused(struct counters_judged judged, enum counters_refusal refusal, int64_t wait_ns,
                                      int64_t at_ns)
{
    judged.refusal = refusal;
    judged.retry_after_s = wait_ns ? seconds_after(wait_ns) : 0;
    judged.until_ns = at_ns;
    return judged;
}

static struct counters_judged judge_requests(const struct counters_item *item, const struct counters_seen *seen,
                                             int64_t now_ns)
{
    int64_t at = used_until(item, seen->until_ns, now_ns), over;
    struct counters_judged judged = judge_rate(item, at, now_ns, &over);
    return over > 0 ? refused(judged, COUNTERS_OVER, over, at) : judged;
}

/* One that is larger than the burst has to wait until nothing is used up. */
static struct counters_judged judge_tokens(const struct counters_item *item, const struct counters_seen *seen,
                                           int64_t now_ns)
{
    int64_t at = used_until(item, seen->until_ns, now_ns), over;
    struct counters_judged judged = judge_rate(item, at, now_ns, &over);
    if (item->amount > item->limit) return refused(judged, COUNTERS_TOO_LARGE, 0, at);
    if (over <= 0 || at <= now_ns) return judged;
    return refused(judged, COUNTERS_OVER, item->amount > item->burst ? at - now_ns : over, at);
}

static struct counters_judged judge_concurrent(const struct counters_item *item, const struct counters_seen *seen)
{
    bool fits = seen->running < item->limit;
    return (struct counters_judged){.refusal = fits ? COUNTERS_FITS : COUNTERS_OVER, .retry_after_s = fits ? 0 : 1};
}

/* Three amounts fit into 64 bits without a sign. */
static struct counters_judged judge_money(const struct counters_item *item, const struct counters_seen *seen)
{
    if (item->limit == COUNTERS_NO_LIMIT) return (struct counters_judged){.refusal = COUNTERS_FITS};
    uint64_t limit = (uint64_t)item->limit, wanted = (uint64_t)seen->spent + (uint64_t)item->amount;
    if (wanted + (uint64_t)seen->held <= limit) return (struct counters_judged){.refusal = COUNTERS_FITS};
    return (struct counters_judged){.refusal = wanted <= limit ? COUNTERS_CONTENDED : COUNTERS_OVER};
}

struct counters_judged counters_judge(const struct counters_item *item, const struct counters_seen *seen,
                                      int64_t now_ns)
{
    switch (item->unit) {
    case COUNTERS_REQUESTS: return judge_requests(item, seen, now_ns);
    case COUNTERS_TOKENS: return judge_tokens(item, seen, now_ns);
    case COUNTERS_CONCURRENT: return judge_concurrent(item, seen);
    case COUNTERS_MONEY: return judge_money(item, seen);
    }
    return (struct counters_judged){.refusal = COUNTERS_FITS};
}
