/*
 * One witness outside of the ledger: each signed anchor goes there at least once, in order, whatever becomes of it.
 *
 *     struct witness *w = witness_new(loop, "file", witness_file_new(loop, path), stats);
 *     witness_open(w, ledger, gateway, key, &why); // goes on behind what the table `witnesses` says it has
 *     witness_follow(w);                          // there is a new anchor
 *     witness_seq(w)                              // up to which it has them: kept with the next anchor
 *     witness_free(w);
 *
 * Anchors are read from the ledger as they are sent, LIMIT_WITNESS_BATCH at a time: a witness that is dead for a month
 * costs no memory and holds nothing up; it is tried again after LIMIT_WITNESS_RETRY_MS, then ever more seldom. Killed
 * between sending and keeping, some are sent twice; they are told apart by their seq.
 *
 * A way to send is one row of functions (struct witness_way): a file, syslog, a webhook. Another gateway that keeps our
 * anchors, and we its own, will be a webhook whose path is its admin listener's.
 */
#ifndef MOONGATE_LEDGER_WITNESS_WITNESS_H
#define MOONGATE_LEDGER_WITNESS_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"
#include "base/stats.h"

struct anchor_key;
struct ledger;
struct loop;
struct witness;

/* What is sent at once: a JSON line an anchor, each with its newline. */
struct witness_lines {
    struct slice text;
    struct slice gateway;
    uint64_t first, last; /* seqs */
};

/* How it is reached. An attempt ends with one call of `done`, also from inside send(). */
struct witness_way {
    void (*send)(struct witness_way *way, const struct witness_lines *lines);
    void (*free)(struct witness_way *way);
    void (*done)(void *arg, bool is_good, const char *why); /* set by witness_new() */
    void *arg;
    unsigned batch; /* anchors at a time */
};

/* Takes the way. `name` is one of the literals of the table. */
struct witness *witness_new(struct loop *loop, const char *name, struct witness_way *way, struct stats *stats);
void witness_free(struct witness *w); /* NULL is welcome */
/* Both are borrowed. */
bool witness_open(struct witness *w, struct ledger *ledger, struct slice gateway, const struct anchor_key *key,
                  struct fault *why);
void witness_follow(struct witness *w);
const char *witness_name(const struct witness *w);
uint64_t witness_seq(const struct witness *w);
/* Why it takes none; "" when it does. */
const char *witness_why(const struct witness *w);

/* ---- The ways. What they are given is copied. */

/* Appended and synced, by a process of its own: a folder on a dead server blocks nobody else. Never follows a link. */
struct witness_way *witness_file_new(struct loop *loop, const char *path);
/* path: NULL: /dev/log. The system's log, over its socket, in the form that syslog(3) has there; the log daemon sends
 * it on as RFC 5424 says. Never waits. */
struct witness_way *witness_syslog_new(const char *path);
/* POST, one anchor a call; taken when the answer is 2xx. `moongate-anchor: gateway/seq` names it, so that twice is
 * once; `moongate-signature: sha256=…` is the HMAC-SHA256 of the body in hexadecimal digits, when there is a secret. */
struct witness_way *witness_webhook_new(struct loop *loop, struct slice url, struct slice secret);

#endif
