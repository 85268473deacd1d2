#include "flow/refusal.h"

#include "base/limits.h"

/* What a provider's side and our own insides say stays here; that its account was refused is the gateway's own word. */
static bool is_private(enum fault_code code)
{
    if (code == FAULT_UPSTREAM_ACCOUNT) return false;
    return code == FAULT_INTERNAL || slice_equal(slice_str(fault_info(code)->type), SLICE("upstream_error"));
}

bool refusal_is_final(enum fault_code code)
{
    switch ((int)code) {
    case FAULT_POLICY:
    case FAULT_NO_TARGET:
    case FAULT_UPSTREAM_ACCOUNT:
    case FAULT_UPSTREAM_TLS:
    case FAULT_TRANSFER_CODING:
    case FAULT_HTTP_VERSION: return true;
    }
    return false;
}

struct dialect_error refusal_of_fault(const struct exchange *x, const struct fault *why)
{
    struct dialect_error error = dialect_error_of(why);
    error.request_id = slice_str(x->id);
    if (is_private(why->code)) error.message = slice_str(fault_info(why->code)->sentence);
    return error;
}

bool refusal_may_repeat(const struct verdict *v)
{
    return v->retry_after_s > 0 && v->retry_after_s <= LIMIT_RETRY_WAIT_S;
}

/* Clients that map errors by this word repeat what they do not know: LiteLLM makes a BadRequestError, which nobody
 * repeats, of any status with invalid_request_error (so of a 401 too, which has a word of its own), and a RateLimitError
 * of a 429 only without it. What each client does stands in tests/clients/README.md. */
static struct slice denial_type(const struct verdict *v)
{
    if (v->status == 401) return SLICE("authentication_error");
    if (refusal_may_repeat(v)) return v->status == 429 ? SLICE("rate_limit_error") : SLICE("server_error");
    return SLICE("invalid_request_error");
}

struct dialect_error refusal_of_denial(const struct exchange *x, const struct verdict *v)
{
    return (struct dialect_error){
        .message = v->reason.len ? v->reason : v->code,
        .type = denial_type(v),
        .code = v->code,
        .request_id = slice_str(x->id),
        .policy = v->policy,
        .rule = v->rule,
    };
}
