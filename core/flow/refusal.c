#include "flow/refusal.h"

#include "base/limits.h"

/*
 * The type of all that will be refused again. LiteLLM, under aider and others, maps by this word: of anything with it,
 * it makes a BadRequestError, which nobody repeats; of what it does not know, an APIError, which aider repeats nine
 * times. Not of a 401, which has a word of its own, nor where coming again helps.
 * tests/clients/README.md has what each client does. Google's clients go by the status, and no word of it is a type:
 * what they are told is what it is.
 */
#define FINAL_TYPE SLICE("invalid_request_error")

/* What a provider's side and our own insides say stays here; that its account was refused, or what is wrong with its
 * answer, is the gateway's own word. */
static bool is_private(enum fault_code code)
{
    if (code == FAULT_UPSTREAM_ACCOUNT || code == FAULT_UNTRANSLATABLE || code == FAULT_UPSTREAM_STREAM) return false;
    return code == FAULT_INTERNAL || slice_equal(slice_str(fault_info(code)->type), SLICE("upstream_error"));
}

bool refusal_is_final(enum fault_code code)
{
    switch ((int)code) {
    case FAULT_POLICY:
    case FAULT_NO_TARGET:
    case FAULT_PROVIDER_OFF:
    case FAULT_UPSTREAM_ACCOUNT:
    case FAULT_UPSTREAM_TLS:
    case FAULT_TRANSFER_CODING:
    case FAULT_HTTP_VERSION: return true;
    }
    return false;
}

static bool is_mapped_by_type(const struct exchange *x)
{
    return !x->api || x->api->client != &dialect_gemini;
}

struct dialect_error refusal_of_fault(const struct exchange *x, const struct fault *why)
{
    struct dialect_error error = dialect_error_of(why);
    error.request_id = slice_str(x->id);
    if (refusal_is_final(why->code) && is_mapped_by_type(x)) error.type = FINAL_TYPE;
    if (is_private(why->code)) error.message = slice_str(fault_info(why->code)->sentence);
    return error;
}

bool refusal_may_repeat(const struct verdict *v)
{
    return v->retry_after_s > 0 && v->retry_after_s <= LIMIT_RETRY_WAIT_S;
}

static struct slice denial_type(const struct verdict *v)
{
    if (v->status == 401) return SLICE("authentication_error");
    if (refusal_may_repeat(v)) return v->status == 429 ? SLICE("rate_limit_error") : SLICE("server_error");
    return FINAL_TYPE;
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
        .status = v->status,
        .retry_after_s = v->retry_after_s,
        .approval = v->approval,
    };
}
