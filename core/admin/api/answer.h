/*
 * What the admin API answers with: one JSON document, and one shape for all that is refused.
 *
 *     answer_give(call, 201, json_pack(…));
 *     answer_refuse(call, 404, "not_found", "id", "`moongate people list` shows them", "there is no person %.*s", …);
 *
 *     {"error":{"code":"self_approval","message":"…","hint":"…","field":"reason"}}
 *
 * code: a word that never changes; message: what is wrong; hint: how to right it; field: which part of the body, the
 * path or the query it is. `hint` and `field` are null where there is none. A secret is in none of them.
 */
#ifndef MOONGATE_ADMIN_API_ANSWER_H
#define MOONGATE_ADMIN_API_ANSWER_H

#include "admin/api/api.h"
#include "base/fault.h"

/* Takes the body, which takes the place of one that was given before. */
void answer_give(struct api_call *call, int status, struct json_t *body);
/* A text that is no JSON, copied. */
void answer_give_text(struct api_call *call, const char *content_type, struct slice text);
/* Always false. `field` and `hint` may be NULL. */
bool answer_refuse(struct api_call *call, int status, const char *code, const char *field, const char *hint,
                   const char *format, ...) __attribute__((format(printf, 6, 7)));
/* What the registry refused or could not do (registry_refused()). Always false. */
bool answer_registry(struct api_call *call, const struct fault *why);
/* The same of any fault, with its own status and code. Always false. */
bool answer_fault(struct api_call *call, const struct fault *why);

#endif
