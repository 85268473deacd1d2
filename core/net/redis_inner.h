/*
 * What the files of net/redis share among themselves: each calls only those above it.
 *
 *     redis_target.c  a URL taken apart
 *     redis_wire.c    commands made into bytes
 *     redis_reader.c  replies made of bytes
 *     redis_link.c    one connection: bytes out, replies in
 *     redis_find.c    where Redis may be: names looked up, Sentinels asked
 *     redis_greet.c   what is said first on each connection, and what is made of the answers
 *     redis_told.c    what is logged, each thing not too often
 *     redis_pipeline.c  the questions: queue, deadlines, answers
 *     redis.c         the room: connecting, again and again; the breaker
 */
#ifndef MOONGATE_NET_REDIS_INNER_H
#define MOONGATE_NET_REDIS_INNER_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/list.h"
#include "net/redis.h"
#include "net/resolve.h"

struct tls;

/* ---- Where (redis_target.c) */

struct redis_host {
    char name[LIMIT_HOST_BYTES + 1]; /* or an address, or a socket's path */
    uint16_t port;                   /* 0: a Unix socket */
    uint64_t looked_ns; /* when its name was looked up last; 0: never */
    char addresses[LIMIT_RESOLVE_ADDRESSES_EACH][INET6_ADDRSTRLEN]; /* which it had when there were any */
    size_t address_count;
};

struct redis_target {
    struct redis_host hosts[LIMIT_REDIS_HOSTS]; /* Redis's, or Sentinels'; who has answered comes to the front */
    size_t host_count;
    struct redis_host told; /* the master, as a Sentinel has told it */
    bool is_tls, is_sentinel;
    unsigned db;
    char *user, *password; /* NULL: none; a password may be there without a user */
    char *sentinel_user, *sentinel_password;
    char *ca, *cert, *key;
    char *master; /* its name, as Sentinels know it */
};

bool redis_target_read(struct redis_target *t, const char *url, struct fault *why);
void redis_target_clear(struct redis_target *t);
/* The first host becomes the last one. */
void redis_target_turn(struct redis_target *t);
bool redis_host_set(struct redis_host *host, struct slice name, uint16_t port);

/* ---- Replies (redis_reader.c) */

struct redis_reader;
enum redis_read { REDIS_READ_MORE, REDIS_READ_REPLY, REDIS_READ_BAD };

struct redis_reader *redis_reader_new(void);
void redis_reader_free(struct redis_reader *rd);
void redis_reader_feed(struct redis_reader *rd, struct slice bytes);
/* The next whole reply, good until the next call. BAD: the peer is to be cut, and *why says for what. */
enum redis_read redis_reader_next(struct redis_reader *rd, const struct redis_reply **reply, struct fault *why);

/* ---- One connection (redis_link.c) */

struct redis_link;

struct redis_place {
    char name[LIMIT_HOST_BYTES + 1];  /* whose certificate is wanted, or a socket's path */
    char address[INET6_ADDRSTRLEN];
    uint16_t port;
    size_t host; /* which of those that were looked up */
};

#define REDIS_PLACE_BYTES (LIMIT_HOST_BYTES + INET6_ADDRSTRLEN + 16)

/* The link may be freed inside all of them. */
struct redis_link_events {
    void (*on_reply)(void *arg, const struct redis_reply *reply);
    void (*on_room)(void *arg); /* fewer than LIMIT_REDIS_AHEAD_BYTES are unsent, after there were more; may be NULL */
    void (*on_end)(void *arg, const struct fault *why); /* once; the link is then to be freed */
};

/* What fails is told by on_end, from the loop. `tls`: NULL for none. */
struct redis_link *redis_link_new(struct loop *loop, const struct redis_place *place, struct tls *tls,
                                  const struct redis_link_events *events, void *arg);
void redis_link_free(struct redis_link *link); /* NULL is welcome */
/* The same; what is still on its way is not to arrive any more, as far as that can be had. */
void redis_link_cut(struct redis_link *link);
/* Sent in a later turn, together with what else comes in this one. */
void redis_link_send(struct redis_link *link, struct slice bytes);
size_t redis_link_unsent(const struct redis_link *link);
/* Reads now what is there: for who is about to say that nothing has come. Raises events. */
void redis_link_look(struct redis_link *link);
/* When the last byte came, or when it was made. */
uint64_t redis_link_heard_ns(const struct redis_link *link);
void redis_place_text(const struct redis_place *place, char text[REDIS_PLACE_BYTES]);

/* ---- Bytes (redis_wire.c) */

void redis_wire_begin(struct buf *to, size_t parts);
void redis_wire_add(struct buf *to, struct slice part);
void redis_wire_command(struct buf *to, const struct slice *parts, size_t count);

/* ---- Where its master may be (redis_find.c) */

struct redis_find;

struct redis_places {
    struct redis_place list[LIMIT_RESOLVE_ADDRESSES];
    size_t count;
};

/* Once, from the loop. */
typedef void (*redis_find_fn)(void *arg, const struct redis_places *places, const struct fault *why);

/* Borrows all; moves hosts within the target. */
struct redis_find *redis_find_start(struct loop *loop, struct redis_target *target, struct tls *tls, redis_find_fn fn,
                                    void *arg);
/* Asks Sentinels whose addresses are known, and nothing else: fn's places are theirs, and redis_find_master() says what
 * the first that answered has said. */
struct redis_find *redis_find_check(struct loop *loop, struct redis_target *target, struct tls *tls,
                                    const struct redis_places *sentinels, redis_find_fn fn, void *arg);
/* From inside fn: the Sentinels that there were, and the master as one of them has told it. */
const struct redis_places *redis_find_sentinels(const struct redis_find *f);
const struct redis_host *redis_find_master(const struct redis_find *f);
void redis_find_free(struct redis_find *f); /* NULL is welcome; from inside fn too */

/* ---- The greeting (redis_greet.c) */

struct redis_script {
    char sha[41];
    char *source;
    size_t len;
};

struct redis_greet {
    const struct redis_target *target;
    const struct redis_script *scripts;
    size_t script_count;
    uint8_t steps[LIMIT_REDIS_SCRIPTS + 8]; /* what was asked, in order */
    size_t asked, answered;
    enum redis_eviction eviction;
    bool is_role_hidden; /* no right to ask for it */
    char script_why[200]; /* why one of them was not taken; "": all were */
    enum redis_error script_error;
};

enum redis_greeted { REDIS_GREET_MORE, REDIS_GREET_DONE, REDIS_GREET_REFUSED };

/* Appends all of it to `out`. */
void redis_greet_begin(struct redis_greet *g, const struct redis_target *target, const struct redis_script *scripts,
                       size_t script_count, struct buf *out);
enum redis_greeted redis_greet_take(struct redis_greet *g, const struct redis_reply *reply, struct fault *why);

/* ---- The log (redis_told.c) */

struct redis_told {
    uint64_t error_ns[REDIS_ERRORS], slow_ns; /* when it was told last */
    bool is_slow, has_scripts, has_role, has_eviction;
};

/* Of what was answered; nothing when it is no error. */
void redis_told_error(struct redis_told *t, const char *place, const struct redis_reply *reply, uint64_t now_ns);
void redis_told_slow(struct redis_told *t, const char *place, unsigned misses, uint64_t now_ns);
void redis_told_fast(struct redis_told *t, const char *place);
void redis_told_greeting(struct redis_told *t, const char *place, const struct redis_greet *g);

/* ---- Questions (redis_pipeline.c) */

struct redis_pending; /* one of them */

struct redis_pipeline {
    struct loop *loop;
    struct redis_link *link;                 /* borrowed; NULL: nothing is sent */
    struct list_link queue, again; /* not sent; to be sent in full, before those */
    struct list_link awaited;      /* sent, in order */
    struct list_link ending;       /* whose owners are being told of a loss */
    size_t count, bytes;
    const struct redis_pending *expiring; /* whose deadline is being looked at */
    void (*on_missed)(void *arg);         /* of one that was sent; frees nothing */
    void *arg;
    unsigned misses; /* in a row */
    uint64_t missed, late, lost, sent_again;
    bool is_closed;
};

/* What it is by is embedded in its owner, who closes it and goes in a later turn. */
void redis_pipeline_init(struct redis_pipeline *p, struct loop *loop, void (*on_missed)(void *arg), void *arg);
/* No callback follows. */
void redis_pipeline_close(struct redis_pipeline *p);
/* False: it is full. script NULL: a command. */
bool redis_pipeline_put(struct redis_pipeline *p, const struct redis_script *script, const struct redis_question *q);
/* Hands over to the link what it has room for. */
void redis_pipeline_pump(struct redis_pipeline *p);
/* False: nothing was asked that this could answer. */
bool redis_pipeline_take(struct redis_pipeline *p, const struct redis_reply *reply);
/* The link is gone: what was sent is lost … */
void redis_pipeline_lose(struct redis_pipeline *p);
/* … and so is what waited for another one. */
void redis_pipeline_fail(struct redis_pipeline *p);
/* When the oldest was sent that has no answer; 0: there is none. */
uint64_t redis_pipeline_since_ns(const struct redis_pipeline *p);

#endif
