/* What went wrong, by the names of Amazon's exceptions: an event's name in a stream, with a small letter first; else
 * "__type", where a body has one, and its status. Source: Amazon Bedrock API reference, ConverseStreamOutput and errors
 * of Converse; "Troubleshooting error codes". */
#include "wire/converse/converse_answers.h"

#define FAILED_DEPENDENCY 424 /* RFC 4918 11.4 */

/* Without its first letter. */
static const struct failure_word types[] = {
    {{"alidationException", 18}, FAILURE_REQUEST},
    {{"onflictException", 16}, FAILURE_CONFLICT},
    {{"ccessDeniedException", 20}, FAILURE_PERMISSION},
    {{"nrecognizedClientException", 26}, FAILURE_AUTHENTICATION},
    {{"xpiredTokenException", 20}, FAILURE_AUTHENTICATION},
    {{"esourceNotFoundException", 24}, FAILURE_MISSING},
    {{"hrottlingException", 18}, FAILURE_RATE},
    {{"erviceQuotaExceededException", 28}, FAILURE_RATE},
    {{"odelNotReadyException", 21}, FAILURE_OVERLOADED},
    {{"erviceUnavailableException", 26}, FAILURE_OVERLOADED},
    {{"odelTimeoutException", 20}, FAILURE_TIMEOUT},
    {{"odelErrorException", 18}, FAILURE_SERVER},
    {{"odelStreamErrorException", 24}, FAILURE_SERVER},
    {{"nternalServerException", 22}, FAILURE_SERVER},
};

/* "com.amazon.coral.service#ValidationException" */
static struct slice behind_namespace(struct slice type)
{
    for (size_t i = type.len; i-- > 0;) {
        if (type.ptr[i] == '#') return slice_of(type.ptr + i + 1, type.len - i - 1);
    }
    return type;
}

/* A failure of the model is none of the request's, though its status is 424: "retry your request". */
void converse_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure,
                           struct arena *arena)
{
    struct slice type = name.len ? name : behind_namespace(failure_member(tape, 0, SLICE("__type"), arena));
    bool is_known = type.len && failure_of_word(types, sizeof types / sizeof types[0],
                                                slice_of(type.ptr + 1, type.len - 1), &failure->kind);
    if (!is_known && failure->status == FAILED_DEPENDENCY) failure->kind = FAILURE_SERVER;
    if (failure->status == FAILED_DEPENDENCY) failure->status = 500;
    failure->message = failure_member(tape, 0, SLICE("message"), arena);
    if (!failure->message.len) failure->message = failure_member(tape, 0, SLICE("Message"), arena);
    if (!failure->message.len) failure->message = failure_message(tape, arena);
}
