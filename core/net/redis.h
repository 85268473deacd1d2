/*
 * A client of one Redis that never blocks the loop: pipelined commands and scripts, each with a deadline of its own.
 *
 *     struct redis *r = redis_new(loop, "rediss://moongate:secret@redis.example/0?ca=/etc/ssl/redis.pem", &events, arg,
 *                                 &why);
 *     const struct redis_script *admit = redis_script(r, source);          // before the loop runs
 *     struct redis_question q = {.args = args, .arg_count = 2, .timeout_ms = 20, .fn = on_answer, .arg = x};
 *     if (redis_ask(r, &q) != REDIS_TAKEN) …                               // down, slow, full: fn is not called
 *     q.keys = keys, q.key_count = 3;  redis_eval(r, admit, &q);
 *     on_answer: answer->outcome, answer->is_sent, answer->reply->kind …
 *     redis_free(r);                                                       // no callback follows
 *
 * URLs: redis://user:password@host:6379/0, rediss:// (TLS), unix:///path?db=0, redis+sentinel://host:26379/name/0,
 * rediss+sentinel://. Several hosts stand with commas between them: the one that is master counts. A password alone is
 * redis://:password@host. What would be read as another part is written %40. Behind the ?: db; user, password (unix);
 * ca, cert, key (files in PEM, of TLS); sentinel_user, sentinel_password. Ports are 6379, of Sentinels 26379.
 *
 * Connecting: names are looked up anew, though not within LIMIT_RESOLVE_KEEP_MS, Sentinels are asked anew, and whoever
 * is found must be master (ROLE); then AUTH, SELECT, SCRIPT LOAD of all scripts. Whether Redis may evict keys is asked,
 * and logged once. After a failure the next try comes after 50 ms, doubling up to 2 s, each with a random half less; a
 * connection that is lost within LIMIT_REDIS_STOOD_MS is such a failure too. A Sentinel whose master was none is
 * believed last. They are asked again every LIMIT_REDIS_SENTINEL_MS: a master that they have replaced is left even when
 * it goes on answering.
 *
 * Questions are answered in the order in which they were asked, but for scripts that Redis had forgotten (NOSCRIPT),
 * which are sent again in full by this room. A question waits for a connection as long as the first try to get one
 * lasts. Its deadline begins with the question. One that was sent stays in the pipeline beyond it: then `late` gets
 * what comes of it. Five deadlines missed in a row and it counts as slow: nothing is taken any more until a PING, once
 * a second, is answered in time. When nothing comes at all for LIMIT_REDIS_SILENT_MS, or no answer is whole after
 * LIMIT_REDIS_OWED_MS, the connection is cut: what was on its way is not sent any more, but may have arrived.
 * READONLY, LOADING and MASTERDOWN are answers, and end the connection: another master is looked for. Other errors are
 * logged as well, with what can be done about them, once a minute each.
 *
 * Bounds: questions LIMIT_REDIS_QUESTIONS and their bytes LIMIT_REDIS_QUEUE_BYTES; a reply LIMIT_REDIS_REPLY_BYTES,
 * LIMIT_REDIS_REPLY_ITEMS, seven arrays deep. A peer that is beyond them, or speaks something else, is cut.
 * Never follows MOVED, never subscribes, never accepts a certificate that does not verify; no message of this room
 * holds a password.
 */
#ifndef MOONGATE_NET_REDIS_H
#define MOONGATE_NET_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct loop;
struct redis;
struct redis_script;

/* What an error reply begins with. */
enum redis_error {
    REDIS_FAILED, /* any other: of the script itself, of its arguments */
    REDIS_NOSCRIPT,
    REDIS_READONLY,
    REDIS_LOADING,
    REDIS_MASTERDOWN,
    REDIS_CLUSTERDOWN,
    REDIS_NOREPLICAS,
    REDIS_OOM,
    REDIS_MOVED, /* MOVED, ASK, CROSSSLOT: a cluster */
    REDIS_NOAUTH,
    REDIS_WRONGPASS,
    REDIS_NOPERM,
    REDIS_BUSY, /* a script runs for too long */
};

#define REDIS_ERRORS (REDIS_BUSY + 1u)

enum redis_kind { REDIS_NIL, REDIS_INTEGER, REDIS_TEXT, REDIS_STATUS, REDIS_ARRAY, REDIS_ERROR };

/* Borrowed during the call that gives it. */
struct redis_reply {
    enum redis_kind kind;
    enum redis_error error;          /* REDIS_ERROR */
    int64_t integer;                 /* REDIS_INTEGER */
    struct slice text;               /* REDIS_TEXT, REDIS_STATUS, REDIS_ERROR; a NUL follows */
    const struct redis_reply *items; /* REDIS_ARRAY */
    size_t count;
};

enum redis_outcome {
    REDIS_ANSWERED, /* reply is there; it may be an error */
    REDIS_MISSED,   /* the deadline is over */
    REDIS_LOST,     /* the connection is */
};

struct redis_answer {
    enum redis_outcome outcome;
    bool is_sent;                    /* Redis may have done it, or may yet */
    const struct redis_reply *reply; /* NULL unless REDIS_ANSWERED */
};

typedef void (*redis_fn)(void *arg, const struct redis_answer *answer);

/* Borrowed during the call that takes it; all is copied. */
struct redis_question {
    const struct slice *keys; /* of a script; none for a command */
    size_t key_count;
    const struct slice *args; /* a command: its name and arguments */
    size_t arg_count;
    uint32_t timeout_ms;
    redis_fn fn; /* once, never from inside the call; NULL: nobody wants to know */
    /* Once, after fn was told REDIS_MISSED of something sent: what was answered after all, or REDIS_LOST when nothing
     * will be. NULL: dropped. */
    redis_fn late;
    void *arg;
};

enum redis_taken {
    REDIS_TAKEN,
    REDIS_DOWN, /* no connection */
    REDIS_SLOW, /* the breaker is open */
    REDIS_FULL, /* too much is waiting, or the question is too large */
};

enum redis_eviction { REDIS_EVICTION_UNKNOWN, REDIS_EVICTS_NOTHING, REDIS_EVICTS };

struct redis_status {
    enum redis_taken state;  /* what a question would be told */
    bool is_connected;       /* and greeted */
    enum redis_eviction eviction;
    const char *place;       /* whom it is or was last connected to: "10.0.0.7:6379"; "" at first; borrowed */
    const char *why;         /* why the last connection, or try, ended; "" when none has; borrowed */
    size_t waiting;          /* questions without an answer, those beyond their deadlines too … */
    size_t waiting_bytes;    /* … and what is held of them */
    uint64_t connections;    /* greeted, ever; and so on */
    uint64_t missed, late, lost, refused, sent_again, opened;
};

struct redis_events {
    /* Connected and greeted; after every loss again. Redis may be another one, or have forgotten something. */
    void (*on_ready)(void *arg);
    /* Once for every outage: the connection is lost, or the first try to get one has failed. */
    void (*on_down)(void *arg, const struct fault *why);
};

/* What is no such URL, or names files that cannot be used for TLS. Nothing secret of it is in *why. */
bool redis_check(const char *url, struct fault *why);
/* NULL and *why: there is no such URL. `events` is borrowed until the end; NULL: none. Connects from the loop: files of
 * TLS that cannot be used are a failure of that try, and are read again at the next. */
struct redis *redis_new(struct loop *loop, const char *url, const struct redis_events *events, void *arg,
                        struct fault *why);
/* Without waiting for answers; no callback follows. Safe inside all of them. NULL is welcome. */
void redis_free(struct redis *r);

/* LIMIT_REDIS_SCRIPTS at most; lives as long as r. `source` is copied. */
const struct redis_script *redis_script(struct redis *r, struct slice source);

enum redis_taken redis_ask(struct redis *r, const struct redis_question *q);
enum redis_taken redis_eval(struct redis *r, const struct redis_script *script, const struct redis_question *q);

struct redis_status redis_status(const struct redis *r);

#endif
