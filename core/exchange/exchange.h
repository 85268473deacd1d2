/*
 * One request and its reply: what is known of it, where it stands, what was decided, what it used.
 *
 *     struct exchange *x = exchange_new(now_mono, now_wall);
 *     exchange_move(x, EXCHANGE_DECIDING);       // a move that the table does not know is a bug
 *     ...
 *     exchange_move(x, EXCHANGE_SETTLING);       // every way leads here: denial, client gone, fault, kill
 *     exchange_move(x, EXCHANGE_RECORDED);
 *     exchange_free(x);
 *
 * It holds facts; it never works: reading, deciding, calling and relaying are flow's, which is also its one owner.
 *
 * Nothing in it points into a body, or into anything else that may go before it does: a body is freed when its stream
 * is committed to, the connection's buffer with the next read. What is kept is copied into the arena (arena_copy), or
 * held by a reference that the exchange owns. `request.tape` alone indexes the body, and is cleared with it.
 */
#ifndef MOONGATE_EXCHANGE_EXCHANGE_H
#define MOONGATE_EXCHANGE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"
#include "exchange/api.h"
#include "exchange/asked.h"
#include "exchange/attempt.h"
#include "exchange/decision.h"
#include "exchange/estimate.h"
#include "exchange/identity.h"
#include "exchange/objects.h"
#include "exchange/pair.h"
#include "exchange/prompted.h"
#include "store/grants.h"
#include "store/people.h"
#include "store/topups.h"
#include "wire/chat.h"
#include "wire/count.h"
#include "wire/form.h"

struct terms; /* exchange/terms.h */

#define EXCHANGE_ID_BYTES 41 /* "req_" and a UUIDv7 (RFC 9562) in text, with the NUL */

enum exchange_state {
    EXCHANGE_RECEIVING, /* the head is in; the body may still be arriving */
    EXCHANGE_DECIDING,  /* policies are running */
    EXCHANGE_CALLING,   /* connecting, sending, waiting for the provider's head */
    EXCHANGE_STREAMING, /* the provider's answer is being relayed: its first byte was the commit point */
    EXCHANGE_REPLYING,  /* an answer of the gateway's own: a denial, a fault, the list of models */
    EXCHANGE_SETTLING,  /* over; usage and outcome are being fixed */
    EXCHANGE_RECORDED,  /* its one record is written */
};
#define EXCHANGE_STATES (EXCHANGE_RECORDED + 1)

/* How it ended, the record's word. */
enum exchange_outcome {
    OUTCOME_NONE,
    OUTCOME_OK,
    OUTCOME_DENIED,         /* a policy said no, or the key was revoked meanwhile */
    OUTCOME_INVALID,        /* the request itself was refused */
    OUTCOME_UPSTREAM_ERROR, /* the provider answered with an error, or not at all */
    OUTCOME_INCOMPLETE,     /* the provider's stream ended without its end */
    OUTCOME_CLIENT_CLOSED,
    OUTCOME_POLICY_ERROR,
    OUTCOME_DRAINED, /* cut by the end of a drain */
    OUTCOME_INTERNAL,
    OUTCOME_INTENT, /* of the row that is written before a provider is called; of no record */
};

struct exchange_request_head {
    const char *method;   /* "POST"; static */
    struct slice path;    /* without the query */
    struct slice query;   /* without its '?'; never recorded, since clients put keys there */
    struct pair *headers; /* in the order they came; names as they came */
    size_t header_count;
    struct slice peer; /* "127.0.0.1:51234" */
};

struct exchange_response {
    int status;          /* the status sent to the client; 0: none was sent */
    uint64_t bytes_out;      /* body bytes to the client */
    uint64_t inspect_errors; /* events that could not be read for usage, and were relayed all the same */
    struct buf text;         /* what the model said, kept only where a policy's on_response may ask for it */
};

/* Kept beside the record, where a policy wants it; at most LIMIT_RECORD_TEXT_BYTES. */
struct exchange_text {
    struct buf bytes;
    bool is_cut;
};

struct exchange_texts {
    struct exchange_text prompt; /* as it was sent */
    struct exchange_text answer; /* as the client sees it */
};

struct hold;

struct exchange {
    char id[EXCHANGE_ID_BYTES];
    enum exchange_state state;
    uint64_t born_wall_ns, born_mono_ns;
    uint64_t entered_ns[EXCHANGE_STATES]; /* monotonic; 0: never entered */
    uint64_t first_byte_ns;               /* first byte of the answer's body that left for the client; 0: none */
    struct arena arena;

    const struct api *api; /* what the caller asks for; never NULL */
    struct exchange_request_head head;
    struct buf body;             /* the request's body, whole; of a form the JSON that it stands for */
    struct buf upload;           /* the form as it came; empty: there is none */
    struct form *form;           /* index over upload, by offsets; NULL: there is none */
    struct chat_request request; /* index over body; zeroed for GETs */
    struct slice model_path;     /* of a path that says a model: percent-decoded */
    struct slice object_path;    /* of one that names an object (api->place): likewise … */
    struct slice inner_path;     /* … and what that holds; empty: it does not */

    struct identity identity;
    struct topups *topups; /* of budgets, as they were when it came; NULL: none */
    struct grants *grants; /* of models that want an approval, likewise … */
    struct people *people; /* … and whose a token is */
    bool is_registry_stale;   /* all of that may have been revoked at another gateway since */
    int64_t grants_early_ms;  /* by so much grants end before our clock says so (store/confirmed.h) */
    struct estimate estimate; /* what policies see before the call: by the rules of the model asked for */
    struct count *count;      /* of the request's tokens; NULL: not counted, or no longer needed */
    int64_t known_cost_nano;  /* what it costs at most, where somebody knows; -1: prices times tokens */
    struct slice told;        /* JSON members for the record, each after a comma (flow/told.h); may be empty */
    struct objects_of objects; /* that a provider keeps */
    struct prompted prompted; /* the prompt that it names */
    struct asked asked;       /* what policies asked beside that */
    const char *config_digest; /* of the moongate.lua it was admitted under; NULL: none. Its owner's */

    struct decision decision;
    struct dialect_rates rates; /* what its limits left to the caller (exchange/rates.h) */
    struct hold *holds; /* what was taken from the counters for it, newest first (exchange/hold.h) */
    int target_index; /* of verdict.targets, the one being called; -1 before, and when nobody is after all */
    struct attempt **attempts; /* what they came to together: exchange/bill.h */
    size_t attempt_count;
    struct exchange_response response;
    struct exchange_texts texts;
    bool is_drained; /* the answer was read on after its client had gone */
    enum exchange_outcome outcome;
    struct fault fault; /* why, when the outcome is not OK or DENIED */
};

struct exchange *exchange_new(uint64_t mono_ns, uint64_t wall_ns);
/* What names a request everywhere: sorts by time, never comes twice. For answers that have no exchange, too. */
void exchange_make_id(char id[EXCHANGE_ID_BYTES], uint64_t wall_ns);
void exchange_free(struct exchange *x);
/* Moves to a later state and notes the time. A move that is not in the table is a bug and aborts. */
void exchange_move(struct exchange *x, enum exchange_state to);
bool exchange_may_move(enum exchange_state from, enum exchange_state to);

/* One more attempt, on x->target_index, begun now. At most one for each target of the verdict. */
struct attempt *exchange_add_attempt(struct exchange *x);
/* The last one that was called; NULL: none was. */
struct attempt *exchange_attempt(const struct exchange *x);
/* That one is over, unless it was already: with this error, or FAULT_NONE when an answer came. */
void exchange_end_attempt(struct exchange *x, enum fault_code error);
/* That one's estimate, or the exchange's own before any. */
const struct estimate *exchange_estimate(const struct exchange *x);

/* The member's change, replacing an earlier one of that name; copies. False: DECISION_EDITS_MAX are there. */
bool exchange_edit(struct exchange *x, struct slice name, struct slice json);
/* Has a policy given that member a value? False also of one that it took out. */
bool exchange_sets(const struct exchange *x, struct slice name);

/* The tier of service that the request asks its provider for, edits of policies included; empty: it does not say. Valid
 * as long as the exchange. */
struct slice exchange_service_tier(const struct exchange *x);
/* What a target of those terms is spoken to in for this client: its own dialect where that is spoken there, or nobody
 * knows the account (or terms are NULL). NULL: it has none for such a model. */
const struct dialect *exchange_spoken(const struct exchange *x, const struct terms *terms);

/* What its body and all that is made of it to be read take of memory. */
size_t exchange_request_bytes(const struct exchange *x);
const char *exchange_outcome_name(enum exchange_outcome outcome); /* "ok", "denied", "client_closed", … */
/* The first header of that name (ASCII case ignored), or SLICE_NONE. */
struct slice exchange_header(const struct exchange *x, struct slice name);

#endif
