/*
 * What is asked of the counters behind limits and budgets, and what they answer: one shape for counters in shared
 * memory, in Redis, and in the tables of tests.
 *
 *     struct counters_item items[] = {
 *         {.unit = COUNTERS_REQUESTS, .key = SLICE("user=x;1m"), .amount = 1, .limit = 60, .window_s = 60, .burst = 9},
 *         {.unit = COUNTERS_MONEY, .key = SLICE("app=x"), .amount = nano, .limit = most, .start_s = …, .stop_s = …}};
 *     struct counters_question q = {.operation = COUNTERS_ADMIT, .hold = id, .items = items, .item_count = 2};
 *
 * An admission takes all of its items or none. What it took is a hold (exchange/hold.h): opened by COUNTERS_ADMIT,
 * grown by COUNTERS_EXTEND, closed by COUNTERS_SETTLE with what it really was or by COUNTERS_RELEASE as if it had never
 * been. Limits travel with each question, so that a changed policy acts at once and nothing of it is stored.
 *
 * Every question may be put again when its answer was lost, and changes nothing the second time: an admission is known
 * by its hold's id, an extension gives totals and no differences, a hold that is closed is not known any more.
 *
 * Amounts are integers from 0 to COUNTERS_AMOUNT_MAX: requests, tokens, nano-dollars. Sums of them are made by
 * counters_sum(), which stops there. This room counts nothing itself, and knows neither policies nor requests.
 */
#ifndef MOONGATE_STORE_COUNTERS_COUNTERS_H
#define MOONGATE_STORE_COUNTERS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

#define COUNTERS_AMOUNT_MAX (INT64_C(1) << 62) /* 4.6e9 USD; two of them do not overflow */
#define COUNTERS_NO_LIMIT INT64_C(-1)
#define COUNTERS_HOLD_BYTES 64 /* a hold's id in text, with the NUL */

enum counters_operation {
    COUNTERS_ADMIT,   /* takes all of the items, or none */
    COUNTERS_PEEK,    /* how an admission would be answered now; takes nothing, has no hold */
    COUNTERS_EXTEND,  /* what is held becomes these totals; of money within its limits, tokens may go into debt */
    COUNTERS_SETTLE,  /* it came to these totals: what was held beyond goes back */
    COUNTERS_RELEASE, /* all of it goes back; that it was a request stays counted */
};

enum counters_unit {
    COUNTERS_REQUESTS,   /* in a window */
    COUNTERS_TOKENS,     /* in a window */
    COUNTERS_CONCURRENT, /* under way at the same time: held as long as the hold */
    COUNTERS_MONEY,      /* nano-dollars in a period, or in a session */
};

/* What happens while shared counters are out of reach. */
enum counters_loss {
    COUNTERS_NOT_LOST, /* of an answer only: they were reached */
    COUNTERS_LOCAL,    /* this process counts alone, with its part of the limit */
    COUNTERS_OPEN,     /* it passes uncounted */
    COUNTERS_CLOSED,   /* it is refused */
};

/* One field of whom an item counts for: "department", "sales". */
struct counters_scope {
    struct slice name, value;
};

/* How a budget is spoken of by whoever has no room for more later on, when its policy has spoken. */
struct counters_words {
    struct slice policy, rule; /* "budget", "sales@100%" */
    struct slice who, what;    /* "sales", "$5,000 this month" */
    struct slice again;        /* "again on 1 December"; empty: it is not said */
    struct slice file;         /* where it stands: file and line */
    int line;
    struct slice code;
    int status; /* 402 */
};

struct counters_item {
    enum counters_unit unit;
    struct slice key;  /* what is counted, unique among its unit: scope, and of a rate its window */
    struct slice rule; /* the limit's or budget's name, for people */
    const struct counters_scope *scope; /* the same as in the key, one by one and sorted by name */
    size_t scope_count;
    int64_t amount; /* what this request takes: 1, its tokens, its cost at most. COUNTERS_CONCURRENT: 1 */
    int64_t limit;  /* of money COUNTERS_NO_LIMIT: it is counted and refuses nothing */

    /* Rates: so much in a window, let through evenly (GCRA: ITU-T I.371), so much of it at once. */
    uint32_t window_s;
    int64_t burst; /* 1 … limit */

    /* Money: the period [start, stop) in seconds since 1970, in the policy's zone; or, where stop_s is 0, a session
     * that begins anew when nothing was spent for so long. */
    int64_t start_s, stop_s;
    uint32_t idle_s;

    enum counters_loss on_loss; /* not COUNTERS_NOT_LOST */
    bool is_observed;           /* counted, and never refused */
    const struct counters_words *words; /* of money; NULL: it has none. Not the counters' */
};

struct counters_totals {
    int64_t tokens, nano;
};

/* All is borrowed until the answer. */
struct counters_question {
    enum counters_operation operation;
    char hold[COUNTERS_HOLD_BYTES];    /* unique among all processes that share the counters */
    const struct counters_item *items; /* in the order in which they refuse; of a hold, what it was admitted under */
    size_t item_count;
    struct counters_totals totals; /* COUNTERS_EXTEND, COUNTERS_SETTLE */
    struct counters_totals held; /* COUNTERS_SETTLE: what was held until now … */
    uint64_t age_ns;             /* … and for how long, by a clock that nobody sets */
    uint64_t time_ns;    /* when the request came, since 1970: what its periods were reckoned by */
    uint32_t timeout_ms; /* an answer after this is not waited for; 0: nobody waits */
};

/* Why an item stands in the way. */
enum counters_refusal {
    COUNTERS_FITS,
    COUNTERS_OVER,      /* its limit is reached */
    COUNTERS_CONTENDED, /* of money: only what other requests hold stands in the way, and may come back */
    COUNTERS_TOO_LARGE, /* of tokens: more than the whole limit, it can never pass */
    COUNTERS_SHUT,      /* counters are out of reach, and the item is refused then */
};

/* Of one item. */
struct counters_state {
    int64_t spent, held; /* of money; after an admission held contains what was just taken */
    int64_t left;        /* of a rate, of what runs at once: so much more may be taken right now */
    uint32_t reset_s;    /* of a rate: until nothing of it is used up */
    enum counters_refusal refusal; /* of an observed item too */
    enum counters_loss lost;       /* what was done while out of reach; COUNTERS_NOT_LOST: it was reached */
    int64_t part;                  /* COUNTERS_LOCAL, but of money: of the limit, what is let through here; 0: all */
};

/* Copied by whoever is told. */
struct counters_answer {
    const char *error; /* there is none, "timeout", "unreachable", …, for people; what was taken all the same is the
                        * counters' to release. NULL: this is one */
    bool is_unspent;   /* of counters that know nothing of the past: what they say of it is not to be told */
    bool is_ok;        /* done; an admission: everything was taken, an extension: it is held */
    size_t failed;     /* !is_ok: the item that refused */
    uint32_t retry_after_s; /* !is_ok: when to come again; 0: not known, or never */
    char hold[COUNTERS_HOLD_BYTES]; /* an admission that is ok: what closes it; as asked, unless a back end says else */
    const struct counters_item *items; /* an admission that is ok: what it was taken under; NULL: as asked */
    const struct counters_state *states; /* admission and peek: as many as there were items */
    size_t state_count;
};

/* Somebody is to be told that a budget is used up to some part: once for each budget, key, period and threshold,
 * whoever says it and however often; those below count as told. Borrowed for the call. */
struct counters_notice {
    struct slice key;       /* the item's */
    int64_t start_s;        /* its period's; 0: a session */
    uint32_t at;            /* the threshold, hundredths of a percent */
    const struct slice *to; /* "owner", "slack:#ai-spend" */
    size_t to_count;
    struct slice rule; /* "budget/sales@80%": which budget of that key */
    struct slice text, budget, threshold; /* for people: "… has used 80% …", "sales", "80%" */
    struct slice request, app, owner; /* whose request it was, and what policies/apps.lua calls the app's owner */

    /* It is to be told, in words of its own, as soon as so much is spent: what is held already would be enough. */
    int64_t from;            /* 0: now, and what follows is not said */
    bool is_uncounted;       /* … by requests of which nothing is held */
    int64_t whole;           /* the limit that its percents are of */
    struct slice who, what;  /* "sales", "$5,000 this month" */
    int64_t stop_s;          /* as the item's */
    uint32_t idle_s;
};

/* Two amounts of 0 … COUNTERS_AMOUNT_MAX, together at most that; less than 0 counts as 0. */
int64_t counters_sum(int64_t a, int64_t b);
/* Of a rate of tokens, what counts when COUNTERS_SETTLE ends a hold: what it came to; and no less than was held where
 * that is the item's window ago or more. Time has given it back then: given back once more, what many long and idle
 * holds took, one in each window, could be had in one moment. */
int64_t counters_came_to(const struct counters_item *item, const struct counters_question *q);
/* A copy whose states and items live in the arena. error is copied too. */
struct counters_answer *counters_answer_copy(const struct counters_answer *answer, struct arena *arena);

const char *counters_operation_name(enum counters_operation operation); /* "admit" */
const char *counters_unit_name(enum counters_unit unit);                /* "requests" */
const char *counters_loss_name(enum counters_loss loss);                /* "open"; "" for COUNTERS_NOT_LOST */

#endif
