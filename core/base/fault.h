/*
 * Everything that can go wrong on a request's way, as one list: enum, HTTP status, error type and code of the client's
 * body, word in the record, sentence for people.
 *
 *     struct fault why;
 *     if (!json_parse(..., &why)) return reply_fault(x, &why);
 *     fault_set(&why, FAULT_BAD_JSON, "byte %zu: %s", at, what);
 *
 * "type" and "code" follow the error object of the OpenAI API ({"error":{"message","type","param","code"}}), because
 * the clients in use switch on them.
 */
#ifndef MOONGATE_BASE_FAULT_H
#define MOONGATE_BASE_FAULT_H

#include <stdbool.h>

#define FAULT_TEXT_BYTES 256
#define FAULT_PARAM_BYTES 112

/* clang-format off */
#define FAULTS(X)                                                                                                      \
    X(NONE,                  200, "",                      "",                                                         \
      "")                                                                                                              \
    X(BAD_REQUEST,           400, "invalid_request_error", "bad_request",                                              \
      "The request is not valid HTTP/1.1.")                                                                            \
    X(BAD_JSON,              400, "invalid_request_error", "invalid_json",                                             \
      "The request body is not valid JSON.")                                                                           \
    X(BAD_BODY,              400, "invalid_request_error", "invalid_body",                                             \
      "The request body is not what this endpoint takes.")                                                             \
    X(UNCARRIED,             400, "invalid_request_error", "unsupported_parameter",                                    \
      "The model's provider has no words for all that was asked.")                                                     \
    X(PROMPT_INVALID,        400, "invalid_request_error", "prompt_invalid",                                           \
      "The request does not name a prompt as it must be named.")                                                       \
    X(PROMPT_VARIABLE_MISSING, 400, "invalid_request_error", "prompt_variable_missing",                                \
      "The prompt needs a variable that is not there.")                                                                \
    X(PROMPT_VARIABLE_UNKNOWN, 400, "invalid_request_error", "prompt_variable_unknown",                                \
      "The prompt has no such variable.")                                                                              \
    X(PROMPT_VARIABLE_INVALID, 400, "invalid_request_error", "prompt_variable_invalid",                                \
      "A variable is not what the prompt takes.")                                                                      \
    X(PROMPT_FIELD_FIXED,    400, "invalid_request_error", "prompt_field_fixed",                                       \
      "The prompt sets that, and callers may not.")                                                                    \
    X(PROMPT_MISMATCH,       400, "invalid_request_error", "prompt_mismatch",                                          \
      "The messages are no instance of the prompt's.")                                                                 \
    X(PROMPT_UNCARRIED,      400, "invalid_request_error", "prompt_unsupported",                                       \
      "This API has no words for all that the prompt sets.")                                                           \
    X(PROMPT_NOT_FOUND,      404, "invalid_request_error", "prompt_not_found",                                         \
      "There is no such prompt.")                                                                                      \
    X(PROMPT_ROLE_NOT_ALLOWED, 403, "invalid_request_error", "prompt_role_not_allowed",                                \
      "Beside this prompt callers may not write that.")                                                                \
    X(PROMPT_NOT_ALLOWED,    403, "invalid_request_error", "prompt_not_allowed",                                       \
      "The prompt is not for this app.")                                                                               \
    X(PROMPT_NOT_APPROVED,   403, "invalid_request_error", "prompt_not_approved",                                      \
      "That version of the prompt is not approved.")                                                                   \
    X(PROMPT_REVOKED,        403, "invalid_request_error", "prompt_revoked",                                           \
      "That version of the prompt was revoked.")                                                                       \
    X(UNKNOWN_PATH,          404, "invalid_request_error", "unknown_path",                                             \
      "There is no such path.")                                                                                        \
    X(MISSPELT_PATH,         400, "invalid_request_error", "unknown_path",                                             \
      "There is no such path, but one that is nearly so.")                                                             \
    X(UNSPOKEN_PATH,         400, "invalid_request_error", "unsupported_path",                                         \
      "This API is not served here.")                                                                                  \
    X(UPGRADE,               426, "invalid_request_error", "upgrade_required",                                         \
      "WebSockets are not served here: ask over HTTP.")                                                                \
    X(UNKNOWN_MODEL,         404, "invalid_request_error", "model_not_found",                                          \
      "There is no such model, or this key may not use it.")                                                           \
    X(UNKNOWN_RESPONSE,      400, "invalid_request_error", "previous_response_not_found",                              \
      "There is no such response.")                                                                                    \
    X(UNKNOWN_OBJECT,        404, "invalid_request_error", "not_found",                                                \
      "There is no such object.")                                                                                      \
    X(ELSEWHERE,             400, "invalid_request_error", "object_elsewhere",                                         \
      "What the request names lies at an account that it may not be sent to.")                                         \
    X(UNSEEN,                403, "invalid_request_error", "answers_are_judged",                                       \
      "Policies judge answers here: one that a provider keeps cannot be fetched, for they would not see it.")         \
    X(OBJECTS,               503, "server_error",          "objects_unavailable",                                      \
      "Whose the objects are that the request names cannot be looked up now.")                                         \
    X(KEY_REVOKED,           401, "authentication_error",  "invalid_api_key",                                          \
      "The API key was revoked while the request was under way.")                                                      \
    X(KEYS_UNKNOWN,          503, "server_error",          "keys_unknown",                                             \
      "Whether the API key was revoked meanwhile cannot be looked up now.")                                            \
    X(METHOD,                405, "invalid_request_error", "method_not_allowed",                                       \
      "This path does not take this method.")                                                                          \
    X(REQUEST_TIMEOUT,       408, "invalid_request_error", "request_timeout",                                          \
      "The request did not arrive in time.")                                                                           \
    X(BODY_TOO_LARGE,        413, "invalid_request_error", "request_too_large",                                        \
      "The request body is over the limit.")                                                                           \
    X(WRONG_HOST,            421, "invalid_request_error", "misdirected_request",                                      \
      "This listener has no such name.")                                                                               \
    X(URI_TOO_LONG,          414, "invalid_request_error", "uri_too_long",                                             \
      "The request line is over the limit.")                                                                           \
    X(MEDIA_TYPE,            415, "invalid_request_error", "unsupported_media_type",                                   \
      "The request body must be uncompressed application/json.")                                                       \
    X(HEADERS_TOO_LARGE,     431, "invalid_request_error", "headers_too_large",                                        \
      "The request headers are over a limit.")                                                                         \
    X(TRANSFER_CODING,       501, "invalid_request_error", "unsupported_transfer_coding",                              \
      "Only the chunked transfer coding is understood.")                                                               \
    X(HTTP_VERSION,          505, "invalid_request_error", "unsupported_http_version",                                 \
      "Only HTTP/1.1 and HTTP/1.0 are understood.")                                                                    \
    X(POLICY,                500, "server_error",          "policy_error",                                             \
      "A policy failed; the request was refused.")                                                                     \
    X(NO_TARGET,             503, "server_error",          "no_target",                                                \
      "No provider is configured for this model.")                                                                     \
    X(PROVIDER_OFF,          503, "server_error",          "provider_disabled",                                        \
      "The model's provider is switched off here.")                                                                    \
    X(OVERLOADED,            503, "server_error",          "too_many_connections",                                     \
      "The gateway has all the connections it may have.")                                                              \
    X(KEY_FULL,              429, "rate_limit_error",      "key_holds_too_much",                                       \
      "Requests of this key hold all the memory that they may.")                                                       \
    X(WORKER_FULL,           503, "server_error",          "gateway_holds_too_much",                                   \
      "The requests under way hold all the memory that they may.")                                                     \
    X(OUT_OF_MEMORY,         503, "server_error",          "out_of_memory",                                            \
      "There is no memory for this request.")                                                                          \
    X(LEDGER,                503, "server_error",          "ledger_unavailable",                                       \
      "The gateway cannot record requests now.")                                                                       \
    X(DRAINING,              503, "server_error",          "draining",                                                 \
      "The gateway is shutting down.")                                                                                 \
    X(UPSTREAM_CONNECT,      502, "upstream_error",        "upstream_unreachable",                                     \
      "The provider could not be reached.")                                                                            \
    X(UPSTREAM_TLS,          502, "upstream_error",        "upstream_tls",                                             \
      "The provider's certificate was not accepted.")                                                                  \
    X(UPSTREAM_PROTOCOL,     502, "upstream_error",        "upstream_protocol",                                        \
      "The provider's answer was not valid HTTP.")                                                                     \
    X(UPSTREAM_STREAM,       502, "upstream_error",        "broken_stream",                                            \
      "The provider's event stream is broken.")                                                                        \
    X(UPSTREAM_CLOSED,       502, "upstream_error",        "upstream_closed",                                          \
      "The provider closed the connection before it had answered in full.")                                            \
    X(UPSTREAM_ACCOUNT,      502, "upstream_error",        "upstream_account",                                         \
      "The provider did not accept the gateway's own account.")                                                        \
    X(UNTRANSLATABLE,        502, "upstream_error",        "untranslatable_answer",                                    \
      "The provider's answer could not be translated into the API that was asked.")                                    \
    X(UPSTREAM_FAILED,       502, "upstream_error",        "upstream_failed",                                          \
      "The provider answered with an error.")                                                                          \
    X(CONNECT_TIMEOUT,       504, "upstream_error",        "upstream_connect_timeout",                                 \
      "The provider did not accept a connection in time.")                                                             \
    X(FIRST_BYTE_TIMEOUT,    504, "upstream_error",        "upstream_first_byte_timeout",                              \
      "The provider did not begin to answer in time.")                                                                 \
    X(UPSTREAM_IDLE_TIMEOUT, 504, "upstream_error",        "upstream_idle_timeout",                                    \
      "The provider fell silent in the middle of its answer.")                                                         \
    X(TOTAL_TIMEOUT,         504, "upstream_error",        "upstream_total_timeout",                                   \
      "The answer took longer than it may.")                                                                           \
    X(STREAM_INCOMPLETE,     502, "upstream_error",        "stream_incomplete",                                        \
      "The provider's stream ended without its end marker.")                                                           \
    X(CLIENT_GONE,           499, "client_closed",         "client_closed",                                            \
      "The client closed the connection.")                                                                             \
    X(CLIENT_STALLED,        499, "client_closed",         "client_stalled",                                           \
      "The client took nothing for as long as it may (timeouts.write).")                                               \
    X(INTERNAL,              500, "server_error",          "internal_error",                                           \
      "The gateway failed.")
/* clang-format on */

enum fault_code {
#define X(name, status, type, code, sentence) FAULT_##name,
    FAULTS(X)
#undef X
};

struct fault {
    enum fault_code code;
    char text[FAULT_TEXT_BYTES]; /* what happened here, for people; empty: the code's own sentence says it */
    char param[FAULT_PARAM_BYTES]; /* the field of the request it is about, where fault_at() said so; else empty */
};

struct fault_info {
    int status;
    const char *type, *code, *sentence;
};

const struct fault_info *fault_info(enum fault_code code);
/* Always returns false, so that a function may end with it. */
bool fault_set(struct fault *fault, enum fault_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Behind it: which field that is, cut where it is too long. Always false. */
bool fault_at(struct fault *fault, const char *param);
/* fault->text, or the code's sentence when that is empty. */
const char *fault_message(const struct fault *fault);

#endif
