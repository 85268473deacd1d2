/*
 * What a caller has at providers, of a kind, a page of it: GET /v1/files, GET /v1/batches. This gateway's own ledger
 * says it (store/ledger/objects.h), whose rows are the owner's by their key; no provider is asked, since his list has
 * what all apps have at that account. Governed and recorded as requests for one object are (flow/keeping.h).
 *
 *     listing_first(job);                           // behind the policies' word: an answer, or a refusal
 *     listing_told(flow, listed, objects);          // the ledger's answer; NULL: its pipe is gone
 *
 * Told are id and time alone. Names of files are what people wrote, and would lie in records beside all masks; what a
 * file is for and how far a batch has come its provider knows, and tells who asks for it by its id. For the same reason
 * a list of one purpose's files is refused: none would be a lie.
 *
 * An object is listed when its record is committed, a moment after its answer; those that other gateways of a fleet
 * have made are in their ledgers, and not here: x-moongate-scope says so where Redis makes a fleet of it.
 *
 * Source: OpenAI API reference, "List files", "List batch": limit, order, after, has_more.
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_LISTING_H
#define MOONGATE_FLOW_LISTING_H

#include "flow/job.h"

void listing_first(struct job *job);
void listing_told(struct flow *flow, const struct link_listed *listed, struct slice objects);

#endif
