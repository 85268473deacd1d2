/*
 * All that the policies said of one request: the verdict, how they came to it, what is to be changed on its way, and
 * what they want noted.
 *
 * Filled by lua/, read by flow/. All of it lives in the exchange's arena.
 */
#ifndef MOONGATE_EXCHANGE_DECISION_H
#define MOONGATE_EXCHANGE_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/pair.h"
#include "exchange/trace.h"
#include "exchange/verdict.h"
#include "store/ledger/link.h"
#include "wire/redact.h"

#define DECISION_EDITS_MAX 16
#define DECISION_DIGEST_BYTES 65 /* SHA-256 in hex, with the NUL */

/* A change of the request's body on its way to a provider: the member of that name becomes `json`, or goes. */
struct body_edit {
    struct slice name, json; /* json empty: the member is taken out */
};

/* How the request is to be recorded. Of what several rules say the strongest counts; texts and intents add up. */
struct record_wish {
    enum durability durability; /* DURABILITY_UNSAID: moongate.lua says; in the end what was wanted of the record */
    bool has_intent;            /* a row of it is written before a provider is called */
    bool keeps_prompt, keeps_answer; /* their texts, sealed */
};

/* What its budgets hold of an answer: all that it may come to, or of a stream so many tokens at a time. */
struct reserve {
    uint64_t output_tokens; /* all choices together, assumed where the request does not say; 0: no budget asks */
    uint32_t slice;         /* tokens of output; 0: all at once */
    bool cuts;              /* a stream for which there is no more room ends; else it goes on, and is charged */
};

struct decision {
    struct verdict verdict;
    struct trace trace;
    struct pair *annotations;
    size_t annotation_count, annotation_bytes;
    struct body_edit *edits; /* on top of what the gateway itself changes */
    size_t edit_count;
    struct redact *redact;      /* what was found, and what becomes of it; NULL: nobody looks */
    uint32_t drain_seconds_max; /* 0: a client's going cancels the call; else the answer is read on for so long … */
    uint64_t drain_tokens_max;  /* … and until it has so many tokens of output */
    struct record_wish record;
    struct reserve reserve;
    struct slice max_tokens_note;              /* for x-moongate-max-tokens; empty: the caller's own holds */
    int64_t output_bound;                      /* tokens of an answer that a budget holds money for; 0: none does */
    char policy_digest[DECISION_DIGEST_BYTES]; /* of the bundle that decided */

    struct slice grant; /* of the registry, that the request is let through by; empty: none was asked for */
    bool is_break_glass;

    /* As policies knew them when it was decided; empty: nobody asked. */
    struct slice data, session; /* the data's class */
    struct slice *labels;       /* of the data, sorted */
    size_t label_count;
    /* How much of trace and annotations that decision made, before later hooks; of its annotations a set of those that
     * these replaced. */
    size_t decided_trace, decided_annotations;
    uint32_t replaced;
};

#endif
