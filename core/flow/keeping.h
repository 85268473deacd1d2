/*
 * Requests about an object that a provider keeps: it is fetched, listed, cancelled, deleted. Governed as others are: by
 * auth, limits and access, for its owner alone, at the account that has it, with a record; nothing is paid for. Where
 * something goes into one (API_CALL with a place) its body is read as others are, and the path is known here alone.
 *
 *     if (!keeping_name(x, match.id, match.inner, &why)) …       // with the head: the path's ids
 *     keeping_first(job);                           // behind the policies' word
 *     keeping_place(x, arena), keeping_query(x, url, arena)     // where it is sent
 *     keeping_answered(job, status);                // what was deleted is no more
 *
 * What policies look at in answers they have not seen in one that is fetched: where they do that, nothing is fetched
 * (FAULT_UNSEEN). Private to core/flow.
 */
#ifndef MOONGATE_FLOW_KEEPING_H
#define MOONGATE_FLOW_KEEPING_H

#include "flow/job.h"

/* inner: what it holds, as the path says it; empty: nothing. False: one of them is no id. */
bool keeping_name(struct exchange *x, struct slice id, struct slice inner, struct fault *why);
/* The request names it, when its body, if it has one, is read. False: it names too many. */
bool keeping_note(struct exchange *x, struct fault *why);
void keeping_first(struct job *job);
/* Empty: the request is about no object. */
struct slice keeping_place(const struct exchange *x, struct arena *arena);
/* With those parameters of the client's that the provider's API has. */
struct slice keeping_query(const struct exchange *x, struct slice url, struct arena *arena);
void keeping_answered(struct job *job, int status);

#endif
