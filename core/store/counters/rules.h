/*
 * When a limit or a budget is reached: the arithmetic alone, of what was counted and what is asked.
 *
 *     struct counters_judged judged = counters_judge(&item, &seen, now_ns);
 *     if (judged.refusal == COUNTERS_FITS) seen.until_ns = judged.until_ns;     // of a rate: it is taken
 *
 * Rates are let through evenly by GCRA (generic cell rate algorithm, ITU-T I.371, as a virtual scheduler): a key has a
 * time until which it is used up. What is asked moves it on by its part of the window, and must not move it further
 * ahead than the burst reaches. In any window no more than limit + burst comes through, except that whoever was idle
 * may ask for tokens up to the whole limit at once, and is in debt then: limit + limit. A debt is two windows at most.
 * What requests took and did not use goes back while they are younger than the window, and may be taken once more.
 */
#ifndef MOONGATE_STORE_COUNTERS_RULES_H
#define MOONGATE_STORE_COUNTERS_RULES_H

#include "store/counters/counters.h"

/* What is known of an item's key. */
struct counters_seen {
    int64_t until_ns;    /* rates: used up until then, since 1970; 0: never asked for */
    int64_t spent, held; /* money */
    uint32_t running;    /* at the same time */
};

struct counters_judged {
    enum counters_refusal refusal;
    uint32_t retry_after_s; /* refused: when to come again; 0: not known, or never */
    int64_t until_ns;       /* rates: until when the key is used up with what is asked; refused: as before */
    int64_t part_ns, burst_ns; /* rates: counters_part_ns() of what is asked, counters_burst_ns() */
};

struct counters_judged counters_judge(const struct counters_item *item, const struct counters_seen *seen,
                                      int64_t now_ns);
/* Of a rate, until when its key can be used up: two windows ahead, however far its answers went into debt, and however
 * far the clock stepped back. Whoever finds it further writes this down. */
int64_t counters_until(const struct counters_item *item, int64_t until_ns, int64_t now_ns);
/* Of a rate whose key is used up until then: what may still be taken at once, and in how many seconds nothing of it is
 * used up. */
int64_t counters_left(const struct counters_item *item, int64_t until_ns, int64_t now_ns);
/* The same with what counters_judge() has reckoned already. */
int64_t counters_left_of(const struct counters_item *item, int64_t burst_ns, int64_t until_ns, int64_t now_ns);
uint32_t counters_reset_s(const struct counters_item *item, int64_t until_ns, int64_t now_ns);
/* How far ahead a key can be used up at all, and how far it may be moved by what is asked. */
int64_t counters_ahead_most_ns(const struct counters_item *item);
int64_t counters_burst_ns(const struct counters_item *item);
/* The part of the item's window that an amount uses up, rounded up; at most INT64_MAX / 4. */
int64_t counters_part_ns(const struct counters_item *item, int64_t amount);

#endif
