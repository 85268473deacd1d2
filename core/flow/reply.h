/*
 * Answers of the gateway's own, in the caller's dialect (OpenAI's error object; on denials also policy and rule).
 * Each moves the exchange to REPLYING; the job ends when the client has taken the last byte. Private to core/flow.
 *
 * Never holds a file, a line or a traceback: those are for the record and explain.
 */
#ifndef MOONGATE_FLOW_REPLY_H
#define MOONGATE_FLOW_REPLY_H

#include "exchange/exchange.h"
#include "exchange/money.h"
#include "net/conn.h"
#include "wire/dialect.h"

struct job;

/* The common ones, up to eight warnings, six of what limits leave, and what one kind of answer adds. */
#define REPLY_HEADERS_MAX 48

/* When a provider says to come again, and what its limits leave, in its headers' words. */
#define REPLY_AGAIN_MAX 16
struct reply_again {
    struct conn_header headers[REPLY_AGAIN_MAX];
    size_t count;
};

void reply_fault(struct job *job, const struct fault *why);
/* A provider's failure of that status (429, 5xx) whose own words are gone, in the caller's dialect; one that answers
 * are translated to. */
void reply_failure(struct job *job, int status, const struct reply_again *again);
/* x->decision.verdict is a denial. */
void reply_denied(struct job *job);
/* x->decision.verdict is a fault: logs it, answers 500. */
void reply_policy_fault(struct job *job);
void reply_log_fault(const struct job *job);
/* A later phase's word becomes the exchange's. */
void reply_take(struct exchange *x, const struct verdict *answer);
/* A later phase's VERDICT_DENY or VERDICT_FAULT, which becomes the exchange's. */
void reply_answer(struct job *job, const struct verdict *answer);
/* A good answer; also: one header more, or NULL. */
void reply_json(struct job *job, struct slice body, const struct conn_header *also);
/* So many tokens has the request, by the gateway's own count. */
void reply_count(struct job *job, uint64_t tokens);
/* x->decision.verdict.models, for API_MODELS and API_MODEL. */
void reply_models(struct job *job);

/* Any answer; decides nothing about its outcome. */
void reply_plain(struct job *job, int status, const struct conn_header *headers, size_t count, struct slice body);

/* x-moongate-cost-usd, when the cost is known; usd is what its value stands in. */
bool reply_cost_header(const struct exchange *x, struct conn_header *header, char usd[MONEY_TEXT_BYTES]);

/* Headers of every answer, relayed ones too: the request id twice, policies' warnings, what the caller's limits leave.
 * Returns their number. */
size_t reply_common_headers(struct job *job, struct conn_header *headers);

#endif
