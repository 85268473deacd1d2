/*
 * Calls that strands of evaluations wait for, to services and to the counters: each has a ticket, by which its answer
 * finds back.
 *
 *     calls_http(eval, strand, &request);   // STRAND_WAITING; or STRAND_READY, when the host answered inside
 *     ... policy_http_done(ticket, &reply) → strand->reply, STRAND_READY, on_ready ...
 *     calls_drop(eval, strand);             // whoever still answers it is not heard
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
void calls_http(struct policy_eval *eval, struct strand *strand, const struct policy_http_request *request);
/* The same for the counters; the question's items live in the exchange's arena. An admission that was granted is the
 * exchange's from the moment of its answer, whatever becomes of the evaluation. */
void calls_count(struct policy_eval *eval, struct strand *strand, const struct counters_question *question);
/* Cancels what the strand waits for, and frees an answer that was not taken. */
void calls_drop(struct policy_eval *eval, struct strand *strand);
/* For evaluations that nobody can put aside: cancels what its strands wait for of the counters. They go on, and are
 * told that no answer comes. */
void calls_refuse(struct policy_eval *eval);
void http_answer_free(struct http_answer *answer); /* NULL is welcome */

#endif
