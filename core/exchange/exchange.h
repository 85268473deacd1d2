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
 * Slices point into the exchange's own arena or body unless a comment says otherwise.
 */
#ifndef MOONGATE_EXCHANGE_EXCHANGE_H
#define MOONGATE_EXCHANGE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"
#include "exchange/price.h"
#include "exchange/trace.h"
#include "exchange/verdict.h"
#include "store/keyring.h"
#include "store/tokens.h"
#include "wire/chat.h"
#include "wire/count.h"
#include "wire/redact.h"
#include "wire/usage.h"

#define EXCHANGE_ID_BYTES 41 /* "req_" and a UUIDv7 (RFC 9562) in text, with the NUL */

#define EXCHANGE_EDITS_MAX 16

/* What the caller asked for. */
enum exchange_api {
    API_NONE,
    API_CHAT,        /* POST /v1/chat/completions */
    API_COMPLETIONS, /* POST /v1/completions */
    API_EMBEDDINGS,  /* POST /v1/embeddings */
    API_MODELS,      /* GET /v1/models */
    API_MODEL,       /* GET /v1/models/{id} */
};

enum exchange_state {
    EXCHANGE_RECEIVING, /* the head is in; the body may still be arriving */
    EXCHANGE_DECIDING,  /* policies are running */
    EXCHANGE_CALLING,   /* connecting, sending, waiting for the provider's head */
    EXCHANGE_STREAMING, /* the provider's answer is being relayed: its first byte was the commit point */
    EXCHANGE_REPLYING,  /* an answer of the gateway's own: a denial, a fault, the list of models */
    EXCHANGE_SETTLING,  /* over; usage and outcome are being fixed */
    EXCHANGE_RECORDED,  /* its one audit record is written */
};
#define EXCHANGE_STATES (EXCHANGE_RECORDED + 1)

/* How it ended, the audit record's word. */
enum exchange_outcome {
    OUTCOME_NONE,
    OUTCOME_OK,
    OUTCOME_DENIED,         /* a policy said no */
    OUTCOME_INVALID,        /* the request itself was refused */
    OUTCOME_UPSTREAM_ERROR, /* the provider answered with an error, or not at all */
    OUTCOME_INCOMPLETE,     /* the provider's stream ended without its end */
    OUTCOME_CLIENT_CLOSED,
    OUTCOME_POLICY_ERROR,
    OUTCOME_DRAINED, /* cut by the end of a drain */
    OUTCOME_INTERNAL,
};

/* A name and a text: one of a key's labels, one annotation of a policy. */
struct pair {
    struct slice name, value;
};

/* A change of the request's body on its way to a provider: the member of that name becomes `json`, or goes. */
struct body_edit {
    struct slice name, json; /* json empty: the member is taken out */
};

/* One call that was made, or that a policy kept from being made. */
struct attempt {
    int target;             /* of verdict.targets */
    int status;             /* the provider's; 0: it never answered */
    enum fault_code error;  /* FAULT_NONE: an answer came */
    bool is_denied;         /* on_attempt said no: it was not called */
    bool was_connected;     /* when it ended: the provider may have the request */
    uint64_t began_ns, ended_ns; /* monotonic; ended 0: under way */
};

struct exchange_request_head {
    const char *method;   /* "POST"; static */
    struct slice path;    /* without the query */
    struct pair *headers; /* in the order they came; names as they came */
    size_t header_count;
    struct slice peer; /* "127.0.0.1:51234" */
};

struct exchange_response {
    int status;          /* the status sent to the client; 0: none was sent */
    int upstream_status; /* the provider's; 0: it never answered */
    struct slice upstream_request_id;
    struct slice finish_reason;
    uint64_t bytes_out;      /* body bytes to the client */
    uint64_t events;         /* SSE events relayed */
    uint64_t inspect_errors; /* events that could not be read for usage, and were relayed all the same */
    struct buf text;         /* what the model said, kept only where a policy's on_response may ask for it */
};

struct hold;

struct exchange {
    char id[EXCHANGE_ID_BYTES];
    enum exchange_state state;
    uint64_t born_wall_ns, born_mono_ns;
    uint64_t entered_ns[EXCHANGE_STATES]; /* monotonic; 0: never entered */
    uint64_t first_byte_ns;               /* first byte of the answer's body that left for the client; 0: none */
    struct arena arena;

    enum exchange_api api;
    struct exchange_request_head head;
    struct buf body;             /* the request's body, whole */
    struct chat_request request; /* index over body; zeroed for GETs */
    struct slice model_path;     /* API_MODEL: the {id}, percent-decoded */

    /* Who asks: the record that the presented key's SHA-256 names. NULL until looked up, and when there is none.
     * Borrowed from keyring, which is held for the exchange's life. */
    struct keyring *keyring;
    const struct key_record *key;
    bool key_presented; /* an API key was in the request, known or not */
    /* A token was instead of it. A good one is held, and key is its record; of another the rest says why not. */
    bool token_presented;
    struct token *token;
    enum jwt_refusal token_refusal;
    struct slice token_issuer, token_claim;
    struct slice credential_header; /* where the one or the other was; empty: nowhere */
    struct slice simulated_claims;  /* JSON that stands for a verified token's: from simulate.h, never from a request */
    /* Identity as the auth policy settled it (it may add a default app, never replace what the key says). */
    struct slice app, department, user, team;
    struct pair *identity; /* what enrich() added beside these four */
    size_t identity_count;

    /* What policies see before the call: the request's tokens by its model's rules, and the output it asks for at most. */
    uint64_t estimate_input_tokens, estimate_output_tokens;
    bool is_estimated;        /* these two are made */
    bool is_estimate_flagged; /* the input is not counted as its provider does (wire/count.h) */
    bool is_estimate_partial; /* counting stopped above every context: it is at least this */
    struct count *count;      /* of the request's tokens; NULL: not counted, or no longer needed */
    int64_t known_cost_nano;  /* what it costs at most, where somebody knows; -1: prices times tokens */

    struct verdict verdict;
    struct trace trace;
    struct slice told; /* JSON members for the record, each after a comma (flow/told.h); may be empty */
    struct pair *annotations;
    size_t annotation_count, annotation_bytes;
    struct body_edit *edits; /* of policies, on top of what the gateway itself changes */
    size_t edit_count;
    struct redact *redact;   /* what was found, and what becomes of it; NULL: nobody looks */
    uint32_t drain_seconds_max; /* 0: a client's going cancels the call; else the answer is read on for so long … */
    uint64_t drain_tokens_max;  /* … and until it has so many tokens of output */
    struct slice max_tokens_note; /* for x-moongate-max-tokens; empty: the caller's own holds */
    char policy_digest[65]; /* hex SHA-256 of the bundle that decided */

    struct hold *holds; /* what was taken from the counters for it, newest first (exchange/hold.h) */
    int target_index; /* of verdict.targets, the one being called; -1 before */
    struct attempt *attempts;
    size_t attempt_count;
    struct exchange_response response;
    /* What it came to (flow/account.c). */
    struct usage usage;       /* as the provider reported it */
    struct usage_parts parts; /* what is paid for: that, or the gateway's own count where it never came */
    struct cost cost;         /* of the parts, at the price of the target that answered, as it was at the admission */
    bool is_billed;           /* the provider worked on it: false for denials, failures and errors */
    bool is_drained;          /* it was read on after its client had gone */
    enum exchange_outcome outcome;
    struct fault fault; /* why, when the outcome is not OK or DENIED */
};

struct exchange *exchange_new(uint64_t mono_ns, uint64_t wall_ns);
void exchange_free(struct exchange *x);
/* Moves to a later state and notes the time. A move that is not in the table is a bug and aborts. */
void exchange_move(struct exchange *x, enum exchange_state to);
bool exchange_may_move(enum exchange_state from, enum exchange_state to);

/* The member's change, replacing an earlier one of that name; copies. False: EXCHANGE_EDITS_MAX are there. */
bool exchange_edit(struct exchange *x, struct slice name, struct slice json);

/* The tier of service that the request asks its provider for, edits of policies included; empty: it does not say. Valid
 * as long as the exchange. */
struct slice exchange_service_tier(const struct exchange *x);

const char *exchange_api_name(enum exchange_api api); /* "chat", "completions", … */
const char *exchange_state_name(enum exchange_state state);
const char *exchange_outcome_name(enum exchange_outcome outcome); /* "ok", "denied", "client_closed", … */
/* The first header of that name (ASCII case ignored), or SLICE_NONE. */
struct slice exchange_header(const struct exchange *x, struct slice name);

#endif
