/* What went wrong, in the words of Anthropic's API. Source: Anthropic API reference, "Errors". */
#include "wire/anthropic/anthropic_answers.h"

/* The first of a kind is what its clients are told. */
static const struct failure_word types[] = {
    {{"invalid_request_error", 21}, FAILURE_REQUEST},   {{"authentication_error", 20}, FAILURE_AUTHENTICATION},
    {{"billing_error", 13}, FAILURE_BILLING},           {{"permission_error", 16}, FAILURE_PERMISSION},
    {{"not_found_error", 15}, FAILURE_MISSING},         {{"conflict_error", 14}, FAILURE_CONFLICT},
    {{"request_too_large", 17}, FAILURE_TOO_LARGE},     {{"rate_limit_error", 16}, FAILURE_RATE},
    {{"api_error", 9}, FAILURE_SERVER},                 {{"timeout_error", 13}, FAILURE_TIMEOUT},
    {{"overloaded_error", 16}, FAILURE_OVERLOADED},
};
_Static_assert(sizeof types / sizeof types[0] == FAILURES, "a word for each kind, in their order");

void anthropic_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure,
                            struct arena *arena)
{
    (void)name; /* "error" is all that it says */
    struct slice type = failure_member(tape, failure_object(tape), SLICE("type"), arena);
    failure_of_word(types, FAILURES, type, &failure->kind);
    failure->message = failure_message(tape, arena);
}

struct slice anthropic_type_of_status(int status)
{
    return types[failure_of_status(status)].word;
}

/* Its clients come again for every 429: not where no credit is left. */
void anthropic_word_failure(const struct failure *failure, struct dialect_error *error, int *status)
{
    error->message = failure->message;
    error->type = types[failure->kind].word;
    error->code = failure->code;
    error->param = failure->param;
    *status = failure->kind == FAILURE_BILLING ? 402 : failure->status;
}
