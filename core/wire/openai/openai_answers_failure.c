/* What went wrong, in the words of the OpenAI API. Source: OpenAI API reference, "Error codes"; what compatible
 * providers were seen to send. */
#include "wire/openai/openai_answers.h"

/* Codes first: types are fewer, and say less. */
static const struct failure_word codes[] = {
    {{"invalid_api_key", 15}, FAILURE_AUTHENTICATION},
    {{"insufficient_quota", 18}, FAILURE_BILLING},
    {{"credit_balance_exhausted", 24}, FAILURE_BILLING},
    {{"organization_spend_limit_exceeded", 33}, FAILURE_BILLING},
    {{"organization_usage_limit_exceeded", 33}, FAILURE_BILLING},
    {{"project_spend_limit_exceeded", 28}, FAILURE_BILLING},
    {{"model_not_found", 15}, FAILURE_MISSING},
    {{"rate_limit_exceeded", 19}, FAILURE_RATE},
    {{"slow_down", 9}, FAILURE_RATE},
    {{"server_is_overloaded", 20}, FAILURE_OVERLOADED},
};
static const struct failure_word types[] = {
    {{"insufficient_quota", 18}, FAILURE_BILLING}, {{"authentication_error", 20}, FAILURE_AUTHENTICATION},
    {{"permission_error", 16}, FAILURE_PERMISSION}, {{"not_found_error", 15}, FAILURE_MISSING},
    {{"rate_limit_error", 16}, FAILURE_RATE},       {{"tokens", 6}, FAILURE_RATE},
    {{"requests", 8}, FAILURE_RATE},                {{"server_error", 12}, FAILURE_SERVER},
};

/* What all that will be refused again is called: flow/refusal.c says why. */
#define FINAL {"invalid_request_error", 21}
static const struct failure_words words[FAILURES] = {
    [FAILURE_REQUEST] = {FINAL, {"", 0}, 0},
    [FAILURE_AUTHENTICATION] = {{"authentication_error", 20}, {"invalid_api_key", 15}, 0},
    [FAILURE_BILLING] = {{"insufficient_quota", 18}, {"insufficient_quota", 18}, 0},
    [FAILURE_PERMISSION] = {FINAL, {"permission_denied", 17}, 0},
    [FAILURE_MISSING] = {FINAL, {"not_found", 9}, 0},
    [FAILURE_CONFLICT] = {FINAL, {"conflict", 8}, 0},
    [FAILURE_TOO_LARGE] = {FINAL, {"request_too_large", 17}, 0},
    [FAILURE_RATE] = {{"rate_limit_error", 16}, {"rate_limit_exceeded", 19}, 0},
    [FAILURE_SERVER] = {{"server_error", 12}, {"", 0}, 0},
    [FAILURE_TIMEOUT] = {{"server_error", 12}, {"timeout", 7}, 0},
    [FAILURE_OVERLOADED] = {{"server_error", 12}, {"server_is_overloaded", 20}, 503},
};
#undef FINAL

/* OpenRouter and others: the status, as a number. */
static bool kind_of_digits(struct slice code, enum failure_kind *kind)
{
    int status = 0;
    if (code.len != 3) return false;
    for (size_t i = 0; i < code.len; i++) {
        if (code.ptr[i] < '0' || code.ptr[i] > '9') return false;
        status = status * 10 + (code.ptr[i] - '0');
    }
    if (status >= 400) *kind = failure_of_status(status);
    return true;
}

void openai_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure, struct arena *arena)
{
    (void)name; /* "error", where there is one */
    uint32_t error = failure_object(tape);
    struct slice type = failure_member(tape, error, SLICE("type"), arena);
    struct slice code = failure_member(tape, error, SLICE("code"), arena);
    bool is_known = failure_of_word(codes, sizeof codes / sizeof codes[0], code, &failure->kind) ||
                    failure_of_word(types, sizeof types / sizeof types[0], type, &failure->kind);
    /* A stream's error has no status of its own. */
    if (!is_known && !failure->status && slice_equal(type, words[FAILURE_REQUEST].type))
        failure->kind = FAILURE_REQUEST;
    enum failure_kind of_digits = failure->kind;
    bool is_number = kind_of_digits(code, &of_digits);
    if (!is_known && !failure->status) failure->kind = of_digits;
    failure->message = failure_message(tape, arena);
    failure->code = is_number ? SLICE_NONE : code;
    failure->param = failure_member(tape, error, SLICE("param"), arena);
}

void openai_word_failure(const struct failure *failure, struct dialect_error *error, int *status)
{
    const struct failure_words *w = &words[failure->kind];
    error->message = failure->message;
    error->type = w->type;
    error->code = failure->code.len ? failure->code : w->code;
    error->param = failure->param;
    *status = w->status && failure->status ? w->status : failure->status;
}
