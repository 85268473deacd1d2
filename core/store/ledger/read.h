/*
 * Reads <data>/ledger.db beside the gateway that writes it, and without one: for commands and pages, never on a worker.
 *
 *     struct ledger_read *l = ledger_read_open("data", &why);
 *     switch (ledger_read_find(l, SLICE("req_0199f3a2-7c41-7"), on_row, &me, &why)) …  // an id, its beginning, "last"
 *     struct ledger_page page = {.limit = 50, .has_bodies = true};                    // the newest first
 *     ledger_read_page(l, filter, &page, on_row, &me, &why);                          // again: the next ones
 *     ledger_read_close(l);
 *
 * All of it is read in pieces of LIMIT_LEDGER_PIECE entries, so that neither a long export nor a search that finds
 * nothing keeps the writer from tidying up, unless a visit takes its time; entries are only ever added, and all seqs
 * before those that one has seen stay as they were, but for what retention takes away.
 *
 * Writes nothing, takes no lock that the writer waits for. *why: what is wrong, a newline, how to right it.
 */
#ifndef MOONGATE_STORE_LEDGER_READ_H
#define MOONGATE_STORE_LEDGER_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"
#include "store/chain.h"
#include "store/ledger/filter.h"

struct anchor;
struct counters_spent;
struct ledger_read;

/* The columns of records, in their order; these are members of struct ledger_row and stand in exports too. */
/* clang-format off */
#define LEDGER_ROW_NUMBERS(X)                                                                                          \
    X(time_us) X(day) X(status) X(input_tokens) X(cached_tokens) X(output_tokens) X(reasoning_tokens) X(cost_nano)     \
    X(estimated) X(unpriced) X(attempts) X(duration_us) X(first_byte_us) X(prompt_version) X(chunks) X(saved_nano)
#define LEDGER_ROW_TEXTS(X)                                                                                            \
    X(api) X(outcome) X(app) X(department) X(team) X(user) X(key_id) X(model_asked) X(model) X(target) X(provider)     \
    X(policy) X(rule) X(code) X(data) X(price) X(bundle) X(session) X(prompt) X(collections) X(class_raised) X(cache)  \
    X(cache_key) X(approval)
/* clang-format on */

#define LEDGER_ID_TEXT_BYTES 41 /* "req_", a UUID, the NUL */
#define LEDGER_ZONE_BYTES 65
#define LEDGER_GATEWAY_BYTES 256

struct ledger_row {
    uint64_t seq;
    enum chain_kind kind;
    bool is_request;          /* the columns below are filled; else they are 0 and empty */
    char id[LEDGER_ID_TEXT_BYTES]; /* of a request or an intent, else "" */
#define X(name) int64_t name;
    LEDGER_ROW_NUMBERS(X)
#undef X
#define X(name) struct slice name;
    LEDGER_ROW_TEXTS(X)
#undef X
    struct slice body; /* the JSON that was hashed; empty unless asked for */
    uint8_t hash[CHAIN_HASH_BYTES];
};

/* The row is valid until it returns. False: no more. */
typedef bool (*ledger_visit)(void *arg, const struct ledger_row *row);

struct ledger_read *ledger_read_open(const char *data_dir, struct fault *why);
void ledger_read_close(struct ledger_read *l); /* NULL is welcome */
const char *ledger_read_path(const struct ledger_read *l);
/* For who reads tables of their own in it (store/texts/texts.h); it cannot write. */
struct sqlite3 *ledger_read_connection(struct ledger_read *l);

enum ledger_found { LEDGER_FOUND, LEDGER_MISSING, LEDGER_AMBIGUOUS, LEDGER_UNREADABLE };

/* One request, with its body: by its id, the beginning of it that no other has, or "last". One that is announced and
 * not over is found by its id too, as an intent. Anything but FOUND: *why, and nothing was visited. */
enum ledger_found ledger_read_find(struct ledger_read *l, struct slice which, ledger_visit visit, void *arg,
                                   struct fault *why);

struct ledger_page {
    uint64_t limit;         /* 0: no bound */
    bool is_oldest_first;
    bool has_bodies;        /* false: requests alone, which is much quicker: only their columns are read */
    bool has_all;           /* with has_bodies and an empty filter: the whole chain, intents too */
    uint64_t next;          /* where it goes on; 0 at first: from the beginning. Moved by each call */
    bool is_over;           /* there was no more */
};

/* False: it could not be read. A visit that returned false: the next page begins behind that row. */
bool ledger_read_page(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_page *page,
                      ledger_visit visit, void *arg, struct fault *why);

struct ledger_total {
    int64_t requests, denied, failed, unpriced, estimated;
    int64_t input_tokens, cached_tokens, output_tokens, reasoning_tokens;
    int64_t cost_nano, saved_nano;
};

/* Of all requests that a filter lets through. */
bool ledger_read_totals(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_total *sums,
                        struct fault *why);

typedef void (*ledger_total_visit)(void *arg, struct slice name, const struct ledger_total *sums);

struct ledger_spending {
    const char *by;        /* department, app, user, model, provider, key; NULL: all in one; "label": of this name: */
    struct slice label;    /* its values. Only requests, input, output and cost are kept by labels */
    int64_t from_day, to_day; /* yyyymmdd, both included */
};

/* From the sums of days: the dearest first. `estimated` is 0 in them: ask ledger_read_estimated(). */
bool ledger_read_spending(struct ledger_read *l, const struct ledger_spending *what,
                          const struct ledger_filter *filter, ledger_total_visit visit, void *arg, struct fault *why);
/* Requests of these days whose tokens nobody told. */
bool ledger_read_estimated(struct ledger_read *l, int64_t from_day, int64_t to_day,
                           const struct ledger_filter *filter, int64_t *count, struct fault *why);
/* What was used, for who asks whether it is still wanted: texts that do not apply are empty. */
struct ledger_usage {
    struct slice department, model, key_id, grant, data;
    int64_t requests, cost_nano, users;
    int64_t last_s; /* seconds since 1970; of sums of days the beginning of the last one */
};

typedef void (*ledger_usage_visit)(void *arg, const struct ledger_usage *used);

/* Each department with each model it called, and each key, from that day (yyyymmdd) on, from the sums of days. What was
 * denied is no use of a model. */
bool ledger_read_used_models(struct ledger_read *l, int64_t from_day, ledger_usage_visit visit, void *arg,
                             struct fault *why);
bool ledger_read_used_keys(struct ledger_read *l, int64_t from_day, ledger_usage_visit visit, void *arg,
                           struct fault *why);
/* Each key with the grant it went by (or none) and the class of what it sent, from the requests that are kept. The same
 * may come more than once: they add up. */
bool ledger_read_used_grants(struct ledger_read *l, int64_t since_s, ledger_usage_visit visit, void *arg,
                             struct fault *why);

/* What budgets were charged in the periods, and sessions, that are not over at that time (store/counters/table.h). */
bool ledger_read_charges(struct ledger_read *l, int64_t now_s,
                         void (*visit)(void *arg, const struct counters_spent *spent), void *arg, struct fault *why);
/* The one of that key and period (0: session), if it is not over. */
bool ledger_read_charge(struct ledger_read *l, struct slice key, int64_t start_s, int64_t now_s,
                        void (*visit)(void *arg, const struct counters_spent *spent), void *arg, struct fault *why);

/* Seq of the newest and the oldest entry; 0: there is none. */
bool ledger_read_ends(struct ledger_read *l, uint64_t *oldest, uint64_t *newest, struct fault *why);
/* Has anybody committed since this was asked last? True at the first time. */
bool ledger_read_has_news(struct ledger_read *l);
/* Is another file in its place (a backup was restored)? Then open it anew. */
bool ledger_read_is_replaced(const struct ledger_read *l);
/* The billing zone that days are of: "UTC" when it says nothing. False: it cannot be read. */
bool ledger_read_zone(struct ledger_read *l, char zone[LEDGER_ZONE_BYTES], struct fault *why);
/* The first day that has requests of it, where days before are of another zone; 0: none are. A later day, where these
 * requests were deleted for their age. */
bool ledger_read_zone_day(struct ledger_read *l, int64_t *day, struct fault *why);
/* As the chain begins with it. */
bool ledger_read_gateway(struct ledger_read *l, char name[LEDGER_GATEWAY_BYTES], struct fault *why);
/* The first whose seq is greater; its own seq is 0: there is none. The gateway's name is not set. */
bool ledger_read_anchor(struct ledger_read *l, uint64_t seq, struct anchor *anchor, struct fault *why);
/* The last entry that was deleted for its age, from which the chain goes on; *seq 0: there is none. */
bool ledger_read_cut(struct ledger_read *l, uint64_t *seq, uint8_t hash[CHAIN_HASH_BYTES], struct fault *why);

#endif
