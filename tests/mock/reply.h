/*
 * Sends one answer on one connection as its script says: late, slowly, in pieces, broken, or as it should be.
 *
 *     struct reply *r = reply_new(base, conn, source, &script, serial, on_done, arg);
 *     reply_drained(r);                       // from the connection's on_drained
 *     reply_progress(r)->events ...
 *     reply_free(r);                          // in any state: the answer stops there
 *
 * Never reads; never generates (source.h). Memory is bounded: it stops asking the source while much is unsent.
 */
#ifndef MOONGATE_MOCK_REPLY_H
#define MOONGATE_MOCK_REPLY_H

#include "conn.h"
#include "script.h"
#include "source.h"

struct reply;

enum reply_end {
    REPLY_COMPLETE, /* all of it handed to the connection, which stays open */
    REPLY_CLOSE,    /* the same, and the connection is to be closed by FIN: the script or the framing says so */
    REPLY_CUT_FIN,
    REPLY_CUT_RST,
};

struct reply_progress {
    int status;          /* 0: no head yet */
    uint64_t events;     /* pieces taken from the source and what the script put between them */
    uint64_t body_bytes; /* of the body, before framing, handed to the connection */
    uint64_t tokens;
    const char *phase; /* "head", "body", "stalled", "over" */
};

typedef void reply_done_fn(void *arg, enum reply_end end);

/* Takes source and a copy of the script. on_done runs once, from the loop. */
struct reply *reply_new(struct event_base *base, struct conn *conn, struct source *source, const struct script *script,
                        uint64_t serial, bool is_keep_alive, reply_done_fn *on_done, void *arg);
void reply_free(struct reply *r); /* NULL is welcome */
void reply_drained(struct reply *r);
struct reply_progress reply_progress(const struct reply *r);

#endif
