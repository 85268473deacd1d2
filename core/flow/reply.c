/* Answers of the gateway's own, in the caller's dialect: refusals, denials, failures, the list of models. */
#include "flow/reply.h"

#include "base/clock.h"
#include "base/log.h"
#include "exchange/bill.h"
#include "flow/account.h"
#include "flow/call.h"
#include "flow/cors.h"
#include "flow/durable.h"
#include "flow/fill.h"
#include "flow/holds.h"
#include "flow/job.h"
#include "flow/refusal.h"
#include "wire/translate/answers.h"
#include "wire/translate/failure.h"

#define JSON_TYPE SLICE("application/json")

/* How much of a limit is left was true when it was counted; when all of it is there again is told as of now. */
static size_t rate_headers(struct exchange *x, struct conn_header *headers)
{
    struct dialect_header rates[DIALECT_RATE_HEADERS_MAX];
    size_t count = x->api->client->write_rates(&x->arena, &x->rates, clock_wall_ns(), rates);
    for (size_t i = 0; i < count; i++)
        headers[i] = (struct conn_header){rates[i].name, rates[i].value};
    return count;
}

size_t reply_common_headers(struct job *job, struct conn_header *headers)
{
    struct exchange *x = job->x;
    size_t count = 0;
    /* The first is the one that the SDKs read (request_id, _request_id), the second is told from anybody else's. */
    headers[count++] = (struct conn_header){x->api->client->request_id_header, slice_str(x->id)};
    headers[count++] = (struct conn_header){SLICE("x-moongate-request-id"), slice_str(x->id)};
    for (size_t i = 0; i < x->decision.verdict.warning_count; i++)
        headers[count++] = (struct conn_header){SLICE("x-moongate-warning"), x->decision.verdict.warnings[i]};
    if (x->decision.max_tokens_note.len)
        headers[count++] = (struct conn_header){SLICE("x-moongate-max-tokens"), x->decision.max_tokens_note};
    if (prompted_is(&x->prompted))
        headers[count++] = (struct conn_header){FILL_HEADER, x->prompted.shown};
    count += rate_headers(x, headers + count);
    return count + cors_headers(job, headers + count);
}

bool reply_cost_header(const struct exchange *x, struct conn_header *header, char usd[MONEY_TEXT_BYTES])
{
    struct bill bill = bill_of(x);
    if (!bill.is_billed || bill.cost.state != COST_KNOWN) return false;
    *header = (struct conn_header){SLICE("x-moongate-cost-usd"), money_usd(bill.cost.nano, usd)};
    return true;
}

static struct conn_header *add(struct conn_header *headers, size_t *count, struct slice name, struct slice value)
{
    headers[*count] = (struct conn_header){name, value};
    return &headers[(*count)++];
}

void reply_plain(struct job *job, int status, const struct conn_header *headers, size_t count, struct slice body)
{
    struct exchange *x = job->x;
    job_stop(job);
    exchange_move(x, EXCHANGE_REPLYING);
    x->response.status = status;
    x->response.bytes_out = body.len;
    exchange_end_attempt(x, x->fault.code);
    account_settle(x, job->call ? job->call->relay : NULL);
    holds_close(job);
    durable_hold_end(job);
    conn_reply(job->conn, status, headers, count, body);
}

static void send_error(struct job *job, int status, struct conn_header *headers, size_t count,
                       const struct dialect_error *error)
{
    struct buf body;
    buf_init(&body);
    job->x->api->client->write_body_error(&body, error);
    reply_plain(job, status, headers, count, buf_slice(&body));
    buf_clear(&body);
}

static enum exchange_outcome outcome_of(enum fault_code code)
{
    switch (code) {
    case FAULT_POLICY: return OUTCOME_POLICY_ERROR;
    case FAULT_OUT_OF_MEMORY:
    case FAULT_LEDGER:
    case FAULT_OBJECTS:
    case FAULT_KEYS_UNKNOWN:
    case FAULT_INTERNAL: return OUTCOME_INTERNAL;
    case FAULT_DRAINING: return OUTCOME_DRAINED;
    case FAULT_CLIENT_GONE:
    case FAULT_CLIENT_STALLED: return OUTCOME_CLIENT_CLOSED;
    case FAULT_PROVIDER_OFF:
    case FAULT_KEY_REVOKED: return OUTCOME_DENIED;
    case FAULT_NO_TARGET:
    case FAULT_UPSTREAM_CONNECT:
    case FAULT_UPSTREAM_TLS:
    case FAULT_UPSTREAM_PROTOCOL:
    case FAULT_UPSTREAM_CLOSED:
    case FAULT_UPSTREAM_ACCOUNT:
    case FAULT_UPSTREAM_STREAM:
    case FAULT_UNTRANSLATABLE:
    case FAULT_UPSTREAM_FAILED:
    case FAULT_CONNECT_TIMEOUT:
    case FAULT_FIRST_BYTE_TIMEOUT:
    case FAULT_UPSTREAM_IDLE_TIMEOUT:
    case FAULT_TOTAL_TIMEOUT:
    case FAULT_STREAM_INCOMPLETE: return OUTCOME_UPSTREAM_ERROR;
    case FAULT_NONE:
    case FAULT_BAD_REQUEST:
    case FAULT_BAD_JSON:
    case FAULT_BAD_BODY:
    case FAULT_PROMPT_INVALID ... FAULT_PROMPT_REVOKED:
    case FAULT_UNCARRIED:
    case FAULT_UNKNOWN_PATH:
    case FAULT_MISSPELT_PATH:
    case FAULT_UNSPOKEN_PATH:
    case FAULT_UPGRADE:
    case FAULT_UNKNOWN_MODEL:
    case FAULT_UNKNOWN_RESPONSE:
    case FAULT_UNKNOWN_OBJECT:
    case FAULT_ELSEWHERE:
    case FAULT_UNSEEN:
    case FAULT_METHOD:
    case FAULT_REQUEST_TIMEOUT:
    case FAULT_BODY_TOO_LARGE:
    case FAULT_MEDIA_TYPE:
    case FAULT_HEADERS_TOO_LARGE:
    case FAULT_URI_TOO_LONG:
    case FAULT_TRANSFER_CODING:
    case FAULT_HTTP_VERSION:
    case FAULT_WRONG_HOST:
    case FAULT_KEY_FULL:
    case FAULT_WORKER_FULL:
    case FAULT_OVERLOADED: break;
    }
    return OUTCOME_INVALID;
}

/* The same request may well be taken a moment later. */
static bool fault_passes(enum fault_code code)
{
    return code == FAULT_OVERLOADED || code == FAULT_DRAINING || code == FAULT_KEY_FULL || code == FAULT_WORKER_FULL ||
           code == FAULT_OUT_OF_MEMORY || code == FAULT_LEDGER || code == FAULT_OBJECTS;
}

/* Whoever gets an answer is in the ledger: where there can be no record of it, nothing else is told. */
static bool refuse_unrecorded(struct job *job)
{
    struct fault why = {.code = FAULT_LEDGER};
    if (!durable_is_pointless(job)) return false;
    reply_fault(job, &why);
    return true;
}

void reply_fault(struct job *job, const struct fault *why)
{
    struct conn_header headers[REPLY_HEADERS_MAX];
    size_t count = reply_common_headers(job, headers);
    struct dialect_error error = refusal_of_fault(job->x, why);
    if (why->code != FAULT_LEDGER && refuse_unrecorded(job)) return;
    job->x->fault = *why;
    job->end.outcome = outcome_of(why->code);
    add(headers, &count, SLICE("content-type"), JSON_TYPE);
    if (why->code == FAULT_METHOD) add(headers, &count, SLICE("allow"), job->allow);
    /* The clients' own retries would only repeat the failure. */
    if (refusal_is_final(why->code)) add(headers, &count, SLICE("x-should-retry"), SLICE("false"));
    if (fault_passes(why->code)) {
        add(headers, &count, SLICE("retry-after"), SLICE("1"));
        error.retry_after_s = 1;
    }
    send_error(job, fault_info(why->code)->status, headers, count, &error);
}

void reply_failure(struct job *job, int status, const struct reply_again *again)
{
    struct exchange *x = job->x;
    struct conn_header headers[REPLY_HEADERS_MAX];
    size_t count = reply_common_headers(job, headers);
    struct failure failure = {.kind = failure_of_status(status), .status = status};
    struct dialect_error error = {.request_id = slice_str(x->id)};
    if (refuse_unrecorded(job)) return;
    failure.message = arena_printf(&x->arena, "The provider answered %d, and no other one can be asked.", status);
    x->api->client->answers->word_failure(&failure, &error, &status);
    job->end.outcome = OUTCOME_UPSTREAM_ERROR;
    add(headers, &count, SLICE("content-type"), JSON_TYPE);
    for (size_t i = 0; i < again->count; i++)
        add(headers, &count, again->headers[i].name, again->headers[i].value);
    send_error(job, status, headers, count, &error);
}

/* RFC 6750 3: without a credential no error is named; which one it is of those that were sent, nobody else's 401 may
 * say. */
static struct slice challenge(const struct exchange *x)
{
    struct slice code = x->decision.verdict.code;
    bool is_presented = x->identity.key_presented || x->identity.token_presented;
    if (is_presented && slice_equal(code, SLICE("token_expired")))
        return SLICE("Bearer realm=\"moongate\", error=\"invalid_token\", error_description=\"the token has expired\"");
    if (is_presented && (slice_equal(code, SLICE("invalid_token")) || slice_equal(code, SLICE("invalid_api_key"))))
        return SLICE("Bearer realm=\"moongate\", error=\"invalid_token\"");
    return SLICE("Bearer realm=\"moongate\"");
}

void reply_denied(struct job *job)
{
    const struct verdict *v = &job->x->decision.verdict;
    struct conn_header headers[REPLY_HEADERS_MAX];
    size_t count = reply_common_headers(job, headers);
    struct dialect_error error = refusal_of_denial(job->x, v);
    if (refuse_unrecorded(job)) return;
    job->end.outcome = OUTCOME_DENIED;
    add(headers, &count, SLICE("content-type"), JSON_TYPE);
    if (v->status == 401) add(headers, &count, SLICE("www-authenticate"), challenge(job->x));
    if (v->retry_after_s) {
        /* Both spellings, because the clients read one or the other. */
        struct arena *arena = &job->x->arena;
        add(headers, &count, SLICE("retry-after"), arena_printf(arena, "%u", v->retry_after_s));
        add(headers, &count, SLICE("retry-after-ms"), arena_printf(arena, "%u000", v->retry_after_s));
    }
    /* A denial does not change by being asked again; clients retry 429 and 5xx on their own otherwise, also before a
     * time that they find too long to wait for. */
    if (!refusal_may_repeat(v)) add(headers, &count, SLICE("x-should-retry"), SLICE("false"));
    send_error(job, v->status, headers, count, &error);
}

void reply_log_fault(const struct job *job)
{
    log_event(LOG_ERROR, "policy_error", "%s: %.*s", job->x->id, SLICE_FMT(job->x->decision.verdict.fault_text));
}

void reply_policy_fault(struct job *job)
{
    struct fault why = {.code = FAULT_POLICY};
    reply_log_fault(job);
    reply_fault(job, &why);
}

void reply_take(struct exchange *x, const struct verdict *answer)
{
    struct verdict *v = &x->decision.verdict;
    v->kind = answer->kind;
    v->status = answer->status;
    v->code = answer->code;
    v->reason = answer->reason;
    v->policy = answer->policy;
    v->rule = answer->rule;
    v->retry_after_s = answer->retry_after_s;
    v->approval = answer->approval;
    v->fault_text = answer->fault_text;
}

void reply_answer(struct job *job, const struct verdict *answer)
{
    reply_take(job->x, answer);
    if (answer->kind == VERDICT_DENY)
        reply_denied(job);
    else
        reply_policy_fault(job);
}

void reply_json(struct job *job, struct slice body, const struct conn_header *also)
{
    struct conn_header headers[REPLY_HEADERS_MAX];
    size_t count = reply_common_headers(job, headers);
    if (refuse_unrecorded(job)) return;
    job->end.outcome = OUTCOME_OK;
    add(headers, &count, SLICE("content-type"), JSON_TYPE);
    if (also) add(headers, &count, also->name, also->value);
    reply_plain(job, 200, headers, count, body);
}

void reply_count(struct job *job, uint64_t tokens)
{
    struct buf body;
    buf_init(&body);
    job->x->api->client->write_count(&body, tokens);
    reply_json(job, buf_slice(&body), NULL);
    buf_clear(&body);
}

void reply_models(struct job *job)
{
    const struct api *api = job->x->api;
    const struct verdict *v = &job->x->decision.verdict;
    struct buf body;
    int64_t since = policy_set_loaded_s(job->policies);
    buf_init(&body);
    if (api->kind == API_MODEL)
        api->client->write_model(&body, job->x->model_path, since);
    else
        api->client->write_models(&body, v->models, v->model_count, since);
    reply_json(job, buf_slice(&body), NULL);
    buf_clear(&body);
}
