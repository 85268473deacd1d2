#include "flow/refusal.h"

static bool is_upstreams(enum fault_code code)
{
    return slice_equal(slice_str(fault_info(code)->type), SLICE("upstream_error"));
}

struct dialect_error refusal_of_fault(const struct exchange *x, const struct fault *why)
{
    struct dialect_error error = dialect_error_of(why);
    error.request_id = slice_str(x->id);
    if (is_upstreams(why->code)) error.message = slice_str(fault_info(why->code)->sentence);
    return error;
}

/* 401 and 404 keep the type that the API's own clients know; the rest are words of a policy. */
static struct slice denial_type(int status)
{
    return status == 401 || status == 404 ? SLICE("invalid_request_error") : SLICE("policy_denied");
}

struct dialect_error refusal_of_denial(const struct exchange *x, const struct verdict *v)
{
    return (struct dialect_error){
        .message = v->reason.len ? v->reason : v->code,
        .type = denial_type(v->status),
        .code = v->code,
        .request_id = slice_str(x->id),
        .policy = v->policy,
        .rule = v->rule,
    };
}
