/*
 * Calls to services that strands of evaluations wait for: each has a ticket, by which its answer finds back.
 *
 *     strand->ticket = calls_open(eval, strand);
 *     ... policy_http_done(ticket, &reply) → strand->reply, STRAND_READY, on_ready ...
 *     calls_close(ticket);                  // whoever still answers it is not heard
 *
 * Tickets carry the generation of their slot, so that an old one never finds a later call. For the files of this floor.
 */
#ifndef MOONGATE_LUA_CALLS_H
#define MOONGATE_LUA_CALLS_H

#include "lua/eval.h"

/* The copy of an answer; its owner frees it. */
struct http_answer {
    struct policy_http_reply reply;
    struct arena arena;
};

/* Begins a call to which the host will answer. What it borrows lives in the call until its end. */
void calls_start(struct policy_eval *eval, struct strand *strand, const struct policy_http_request *request);
/* Cancels what the strand waits for, and frees an answer that was not taken. */
void calls_drop(struct policy_eval *eval, struct strand *strand);
void http_answer_free(struct http_answer *answer); /* NULL is welcome */

#endif
