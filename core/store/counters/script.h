/*
 * What is asked of counters in Redis, as calls of the scripts that run there (store/counters/redis/), and replies.
 *
 *     struct counters_call call = counters_call_ask(&question, &place, &arena);      // lives in the arena
 *     … EVALSHA of counters_script_source(call.script) with call.keys and call.args …
 *     counters_script_answer(&question, reply, states, &answer);
 *
 * A place is one life of one gateway in one memory of Redis. Its session is made by beat, which tells the memory's
 * name; then the gateway tells the sums of its own ledger (spend), then it asks for the memory to be opened (seed). The
 * name is its epoch from then on: by another one, or none, admissions are answered "starting". A session that does not
 * beat within its lease may be fenced by any other gateway, which returns what it held.
 *
 * Money is exactly once by what is told: each ledger (a source) gives its own sums, absolute, and Redis keeps what each
 * told last beside the sum of all. Any of it may be told again, late, or in another order; a Redis that lost something
 * is right again when every ledger has told its sums. There is no log offset to keep in step, and nothing to replay.
 *
 * Pure: no connection, no clock. The arithmetic is that of store/counters/rules.h; what stands here decides nothing.
 */
#ifndef MOONGATE_STORE_COUNTERS_SCRIPT_H
#define MOONGATE_STORE_COUNTERS_SCRIPT_H

#include "base/arena.h"
#include "net/redis.h"
#include "store/counters/table.h"

#define COUNTERS_NAME_BYTES 64u /* a session's or memory's name, with the NUL: letters, digits, "-" */

enum counters_script {
    COUNTERS_SCRIPT_ADMIT,
    COUNTERS_SCRIPT_BEAT,
    COUNTERS_SCRIPT_BREAKERS,
    COUNTERS_SCRIPT_CLAIM,
    COUNTERS_SCRIPT_EXTEND,
    COUNTERS_SCRIPT_FENCE,
    COUNTERS_SCRIPT_HOLDS,
    COUNTERS_SCRIPT_RETURN,
    COUNTERS_SCRIPT_SEED,
    COUNTERS_SCRIPT_SETTLE,
    COUNTERS_SCRIPT_SPEND,
    COUNTERS_SCRIPT_SPENT,
    COUNTERS_SCRIPT_SWEEP,
    COUNTERS_SCRIPTS,
};

/* What they reply with first. */
enum counters_reply {
    COUNTERS_REPLY_NONE = -100, /* it is none of theirs */
    COUNTERS_REPLY_ZONE = -5,   /* a beat: those who count there have another billing zone */
    COUNTERS_REPLY_NOT_HELD = -4,
    COUNTERS_REPLY_FENCED = -3,
    COUNTERS_REPLY_CLOCK = -2,
    COUNTERS_REPLY_NOT_SEEDED = -1,
    COUNTERS_REPLY_NO = 0,
    COUNTERS_REPLY_OK = 1,
    COUNTERS_REPLY_AGAIN = 2, /* an admission: held already */
};

struct counters_place {
    const char *session; /* one life of one gateway */
    const char *epoch;   /* the memory that it has told its sums to; "": none yet */
    uint64_t owner;      /* which of its processes takes a hold */
    const char *zone;    /* a beat: that its periods begin in, "Europe/Berlin"; NULL: nothing is said of it */
};

enum counters_begin {
    COUNTERS_GOES_ON,
    COUNTERS_BEGINS,
    COUNTERS_BEGINS_LATE, /* it was refused for its zone a moment ago: others are to say which zone holds there */
};

struct counters_call {
    enum counters_script script;
    struct slice *keys, *args;
    size_t key_count, arg_count;
};

struct slice counters_script_source(enum counters_script script);
const char *counters_script_name(enum counters_script script); /* "admit" */

/* Any of enum counters_operation; LIMIT_COUNTERS_ITEMS at most. Borrows from the question and the place, but where it
 * ends a hold. */
struct counters_call counters_call_ask(const struct counters_question *q, const struct counters_place *place,
                                       struct arena *arena);

/* The end of a hold: what it needs of its question. */
struct counters_end {
    struct slice hold, nano, parts;
};

/* COUNTERS_SETTLE or COUNTERS_RELEASE; nothing is borrowed from the question. */
struct counters_end counters_end_of(const struct counters_question *q, struct arena *arena);
/* Many at once; of one hold the first is its end. LIMIT_COUNTERS_TOLD at most. */
struct counters_call counters_call_end(const struct counters_place *place, const struct counters_end *const *ends,
                                       size_t count, struct arena *arena);

/* What a reply says of a question. "starting": not seeded, or the session was fenced; "clock": by the clock of Redis
 * the periods are over, or have not begun; "full": out of memory; "unreachable": any other error. */
void counters_script_answer(const struct counters_question *q, const struct redis_reply *reply,
                            struct counters_state *states, struct counters_answer *answer);
enum counters_reply counters_script_reply(const struct redis_reply *reply);

/* As counters_table_spend(): these holds are over, and so much is spent by `source`'s own entries. `is_exact`: its sums
 * were repaired, less than was told counts, too. LIMIT_COUNTERS_TOLD sums and holds at most. */
struct counters_call counters_call_spend(const struct counters_place *place, const char *source, bool is_exact,
                                         const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count,
                                         const struct counters_spent *sums, size_t sum_count, struct arena *arena);
/* What the owner has in the place's session goes back, all of it. Replies: cursor (from "0" to "0"), how many. */
struct counters_call counters_call_return(const struct counters_place *place, const char *cursor, struct arena *arena);
/* What another session had goes back once it is fenced; `is_all`: what is settled, too (by its own gateway, when its
 * sums are told, or when it is known never to come back). */
struct counters_call counters_call_reclaim(const char *session, bool is_all, const char *cursor, struct arena *arena);
/* Which holds the session has. Replies: cursor, of each its id and its owner (counters_script_owner()). */
struct counters_call counters_call_holds(const struct counters_place *place, const char *cursor,
                                         struct arena *arena);
/* An owner as it stands in Redis; false: it is none. */
bool counters_script_owner(struct slice text, uint64_t *owner);

/* A notice of a budget, which one ledger of all gives out. */
struct counters_claim {
    struct slice id; /* the same, whoever's notice it is */
    int64_t start_s; /* of its period */
};

/* Notices are the source's own, unless another has claimed them. Replies: of each 1 or 0. epoch "": to a memory that is
 * not seeded yet, what had been claimed before. LIMIT_COUNTERS_TOLD at most. */
struct counters_call counters_call_claim(const char *epoch, const char *source, const struct counters_claim *claims,
                                         size_t count, struct arena *arena);

/* A provider account, and for how long its circuit breaker is open at this gateway; 0: it is not. */
struct counters_open {
    struct slice account;
    uint64_t left_ms;
};

/* Replies: of each for how long it is open at enough of the gateways that live (ms), or 0. LIMIT_PROVIDERS at most. */
struct counters_call counters_call_breakers(const char *session, const struct counters_open *accounts, size_t count,
                                            struct arena *arena);

/* Replies: memory, epoch, ms, holds, living sessions, whether another session told the source's sums since the last
 * beat, sessions whose lease is over. COUNTERS_REPLY_ZONE: the zone that holds there, or "". */
struct counters_call counters_call_beat(const struct counters_place *place, const char *source,
                                        enum counters_begin how, uint32_t lease_ms, struct arena *arena);
/* `is_forced`: it is known to be dead, by the lock on its ledger's file for one. */
struct counters_call counters_call_fence(const char *session, bool is_forced, struct arena *arena);
/* Replies: the epoch; or, REPLY_NO, in how many ms to come again. */
struct counters_call counters_call_seed(const char *memory, uint32_t grace_ms, struct arena *arena);
/* What is spent of each budget of the period that begins then (0: sessions), a piece at a time. Replies: cursor (from
 * "0" to "0"), then of each key, nano-dollars, of a session when it is over (s); a key may come more than once. key: of
 * this one alone; NULL: of all. */
struct counters_call counters_call_spent(int64_t start_s, const char *cursor, const char *key, struct arena *arena);
/* Forgets rates of which nothing was used up for so long, or sessions that were over. Replies: cursor, fields gone. */
struct counters_call counters_call_sweep(bool is_sessions, const char *cursor, uint32_t idle_s, struct arena *arena);

#endif
