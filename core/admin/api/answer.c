#include "admin/api/answer.h"

#include <jansson.h>
#include <stdarg.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "store/registry/calls.h"

/* So much of a message is worth reading: what was asked stands in it, and may be long. */
#define MESSAGE_BYTES 600u

void answer_give(struct api_call *call, int status, json_t *body)
{
    json_decref(call->answer.body);
    call->answer.status = status;
    call->answer.body = body;
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

void answer_give_text(struct api_call *call, const char *content_type, struct slice text)
{
    answer_give(call, 200, NULL);
    call->answer.content_type = content_type;
    call->answer.text = arena_copy(&call->arena, text);
}

bool answer_refuse(struct api_call *call, int status, const char *code, const char *field, const char *hint,
                   const char *format, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    struct slice message = utf8_cut(buf_slice(&text), MESSAGE_BYTES);
    json_t *said = json_stringn(message.ptr, message.len);
    if (!said) said = json_string("what was asked is not UTF-8"); /* it stood in the message */
    json_t *error = json_pack("{s:s, s:o, s:o, s:o}", "code", code, "message", said, "hint", text_or_null(hint),
                              "field", text_or_null(field));
    answer_give(call, status, json_pack("{s:o}", "error", error));
    buf_clear(&text);
    return false;
}

bool answer_fault(struct api_call *call, const struct fault *why)
{
    const struct fault_info *info = fault_info(why->code);
    return answer_refuse(call, info->status, info->code, NULL, NULL, "%s", fault_message(why));
}

static int status_of(enum registry_refusal refusal)
{
    switch ((int)refusal) {
    case REGISTRY_STALE:
    case REGISTRY_STALE_REVIEW: return 412;
    case REGISTRY_NOT_YOUR_SCOPE:
    case REGISTRY_NOT_YOURS: return 403;
    case REGISTRY_UNKNOWN: return 404;
    case REGISTRY_ACCEPTED:
    case REGISTRY_INVALID: return 400;
    default: return 409;
    }
}

bool answer_registry(struct api_call *call, const struct fault *why)
{
    const struct registry *r = call->api->registry;
    enum registry_refusal refusal = registry_refused(r);
    if (registry_is_trouble(r, why)) {
        call->answer.retry_after_s = 1;
        return answer_refuse(call, 503, "registry_unavailable", NULL, "nothing was changed; try again", "%s",
                             fault_message(why));
    }
    return answer_refuse(call, status_of(refusal), refusal ? registry_refusal_word(refusal) : "invalid_request", NULL,
                         NULL, "%s", fault_message(why));
}
